//! `manage audit`.

use std::{io::Write, process::ExitCode, str::FromStr};

use clap::{Args, Subcommand};
use rollcall_service::{AdminService, AuditChain, Digest};
use serde_json::{Value, json};

use super::output::{print_json, stdout};
use crate::colours;

#[derive(Subcommand)]
pub enum Audit {
    /// Check that no entry of the audit log was changed, added or removed
    ///
    /// Each entry has a hash of its fields and of the entry before it. Erasing a user clears the values
    /// in the entries about them, and the log still verifies. The command prints the hash of the newest
    /// entry: keep it elsewhere and pass it as --expect next time, so that a log that was rewritten as a
    /// whole is detected too. Exits with 1 if something is wrong.
    Verify(Verify),
}

#[derive(Args)]
pub struct Verify {
    /// Hash of an entry that must be in the log: 64 hexadecimal digits, as printed earlier
    #[arg(long, value_name = "HASH")]
    expect: Option<EntryHash>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Audit {
    pub(super) async fn run(self, admins: AdminService) -> anyhow::Result<ExitCode> {
        let Self::Verify(Verify { expect, json }) = self;
        let chain = admins.verify_audit_log(expect.map(|EntryHash(hash)| hash)).await?;
        if json {
            print_json(&to_json(&chain))?;
        } else {
            print(&chain)?;
        }
        Ok(if chain.fault.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn print(chain: &AuditChain) -> anyhow::Result<()> {
    let mut out = stdout();
    let entries = if chain.entries == 1 { "entry" } else { "entries" };
    match chain.fault {
        None => writeln!(out, "{} {} {entries} verified", colours::passed(), chain.entries)?,
        Some(fault) => {
            writeln!(
                out,
                "{} {fault}; {} {entries} before that verified",
                colours::failed(),
                chain.entries
            )?;
        }
    }
    if chain.older > 0 {
        let older = chain.older;
        writeln!(out, "{older} older entries were written without hashes: not verified")?;
    }
    if chain.entries > 0 {
        writeln!(out, "Hash of the newest verified entry: {}", hex(chain.newest))?;
    }
    Ok(())
}

fn to_json(chain: &AuditChain) -> Value {
    json!({
        "verified": chain.entries,
        "not_verified": chain.older,
        "newest": hex(chain.newest),
        "fault": chain.fault.map(|fault| fault.to_string()),
    })
}

fn hex(Digest(bytes): Digest) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The hash of an entry, as it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct EntryHash(Digest);

impl FromStr for EntryHash {
    type Err = InvalidEntryHash;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
        let digits = digits.filter(|digits| digits.len() == 64).ok_or(InvalidEntryHash)?;
        let pairs =
            digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, it| byte * 16 + it));
        let bytes: Option<Vec<u8>> = pairs.map(|byte| u8::try_from(byte).ok()).collect();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(InvalidEntryHash)?;
        Ok(Self(Digest(bytes)))
    }
}

/// A text that is not a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected 64 hexadecimal digits, as `manage audit verify` prints them")]
struct InvalidEntryHash;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_read_as_it_is_printed() {
        let mut bytes = [0; 32];
        for (n, byte) in (0..).zip(&mut bytes) {
            *byte = n * 8 + 7;
        }
        let printed = hex(Digest(bytes));
        assert_eq!(printed.parse(), Ok(EntryHash(Digest(bytes))));
        for bad in ["", "ab", &printed[1..], &printed.replace('0', "g"), &format!("{printed}0")] {
            assert_eq!(bad.parse::<EntryHash>(), Err(InvalidEntryHash), "{bad}");
        }
    }
}
