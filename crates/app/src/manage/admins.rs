//! `manage createsuperuser`, `manage changepassword` and `manage admins`.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    process::ExitCode,
};

use anyhow::{Context, bail, ensure};
use clap::{Args, Subcommand};
use rollcall_domain::{Admin, AdminAccount, AdminName, Role};
use rollcall_service::AdminService;
use serde_json::{Value, json};

use super::output::{confirmed, print_json, rfc3339, second, stdout};
use crate::services::Services;

#[derive(Args)]
#[command(after_help = "\
Examples:
  manage createsuperuser --name ada                     asks for the password
  manage createsuperuser --name bob --role viewer < password.txt

Creates the database if it is missing.")]
pub struct CreateSuperuser {
    /// Name to sign in with: 1 to 64 characters of A-Z a-z 0-9 . _ @ -; asked for if omitted
    #[arg(long)]
    name: Option<AdminName>,
    /// Role: a viewer can look at everything, an editor can also write notes, an owner can do anything
    #[arg(long, default_value = "owner", value_name = "owner|editor|viewer")]
    role: Role,
}

#[derive(Args)]
pub struct ChangePassword {
    /// Name of the account
    name: AdminName,
}

#[derive(Subcommand)]
pub enum Admins {
    /// List the accounts
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Disable an account and end its sessions
    Disable {
        /// Name of the account
        name: AdminName,
    },
    /// Enable a disabled account
    Enable {
        /// Name of the account
        name: AdminName,
    },
    /// Change the role of an account; open sessions get the new role at once
    SetRole {
        /// Name of the account
        name: AdminName,
        /// A viewer can look at everything, an editor can also write notes, an owner can do anything
        #[arg(value_name = "owner|editor|viewer")]
        role: Role,
    },
    /// Remove an account, or the owner who claimed the bot, and end their sessions; asks for confirmation
    Remove {
        /// Name of the account, or telegram:ID for the owner who claimed the bot with the code in its log
        name: Admin,
        /// Skip the confirmation
        #[arg(long)]
        yes: bool,
    },
    /// Remove the second factor of an admin who lost it, and end their sessions
    ResetSecondFactor {
        /// Name of the account, or telegram:ID for an admin who signs in through Telegram
        name: Admin,
    },
}

impl CreateSuperuser {
    pub(super) async fn run(
        self,
        open: impl AsyncFnOnce() -> anyhow::Result<Services>,
    ) -> anyhow::Result<ExitCode> {
        let name = match self.name {
            Some(name) => name,
            None => ask_name()?,
        };
        let admins = open().await?.accounts();
        ensure!(!exists(&admins, &name).await?, "the account {name} already exists");
        let password = ask_password(&name)?;
        admins.create_account(&name, &password, self.role, None).await?;
        writeln!(stdout(), "Created the account {name} ({}).", self.role)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl ChangePassword {
    pub(super) async fn run(self, admins: AdminService) -> anyhow::Result<ExitCode> {
        // Before the password is typed twice.
        ensure!(exists(&admins, &self.name).await?, "the account {} does not exist", self.name);
        let password = ask_password(&self.name)?;
        admins.set_password(&self.name, &password, None).await?;
        writeln!(stdout(), "Changed the password of {} and ended its sessions.", self.name)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Admins {
    pub(super) async fn run(self, admins: AdminService) -> anyhow::Result<ExitCode> {
        match self {
            Self::List { json } => list(&admins, json).await?,
            Self::Disable { name } => {
                admins.disable(&name, None).await?;
                writeln!(stdout(), "Disabled the account {name} and ended its sessions.")?;
            }
            Self::Enable { name } => {
                admins.enable(&name, None).await?;
                writeln!(stdout(), "Enabled the account {name}.")?;
            }
            Self::SetRole { name, role } => {
                admins.set_role(&name, role, None).await?;
                writeln!(stdout(), "Changed the role of {name} to {role}.")?;
            }
            Self::Remove { name, yes } => {
                let what = match &name {
                    Admin::Account(account) => {
                        let exists = exists(&admins, account).await?;
                        ensure!(exists, "the account {name} does not exist");
                        "account"
                    }
                    Admin::Telegram(user) => {
                        let is_owner = admins.is_telegram_owner(*user).await?;
                        ensure!(is_owner, "{name} did not claim the bot");
                        "owner"
                    }
                    Admin::Program(key) => {
                        bail!("{name} is an API key; `manage api-keys revoke {key}` revokes it")
                    }
                };
                if !yes && !confirmed(&format!("Remove the {what} {name}? [y/N] "))? {
                    bail!("nothing was changed");
                }
                match &name {
                    Admin::Account(account) => admins.remove_account(account, None).await?,
                    Admin::Telegram(user) => {
                        admins.remove_telegram_owner(*user, None).await?;
                    }
                    Admin::Program(_) => {}
                }
                writeln!(stdout(), "Removed the {what} {name}.")?;
            }
            Self::ResetSecondFactor { name } => {
                let is_reset = admins.reset_second_factor(&name, None).await?;
                ensure!(is_reset, "{name} has no second factor");
                writeln!(stdout(), "Removed the second factor of {name} and ended its sessions.")?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn list(admins: &AdminService, json: bool) -> anyhow::Result<()> {
    let accounts = admins.accounts().await?;
    if json {
        return print_json(&accounts.iter().map(as_json).collect());
    }
    let mut out = stdout();
    for owner in admins.telegram_owners().await? {
        writeln!(out, "Owner through Telegram: {}", Admin::Telegram(owner))?;
    }
    if accounts.is_empty() {
        writeln!(out, "There are no accounts. Create one with `manage createsuperuser`.")?;
        return Ok(());
    }
    writeln!(
        out,
        "{:6}  {:8}  {:13}  {:19}  {:19}  NAME",
        "ROLE", "STATE", "SECOND FACTOR", "CREATED", "LAST SIGN-IN"
    )?;
    for account in &accounts {
        writeln!(
            out,
            "{:6}  {:8}  {:13}  {}  {:19}  {}",
            account.role.name(),
            if account.is_disabled { "disabled" } else { "enabled" },
            if account.has_second_factor { "on" } else { "off" },
            second(account.created_at),
            account.last_signed_in_at.map_or_else(|| "never".to_owned(), second),
            account.name,
        )?;
    }
    Ok(())
}

fn as_json(account: &AdminAccount) -> Value {
    json!({
        "name": account.name.as_str(),
        "role": account.role.name(),
        "is_disabled": account.is_disabled,
        "has_second_factor": account.has_second_factor,
        "created_at": rfc3339(account.created_at),
        "last_signed_in_at": account.last_signed_in_at.map(rfc3339),
    })
}

async fn exists(admins: &AdminService, name: &AdminName) -> anyhow::Result<bool> {
    Ok(admins.accounts().await?.iter().any(|account| account.name == *name))
}

fn ask_name() -> anyhow::Result<AdminName> {
    // A file or a pipe contains the password.
    ensure!(
        io::stdin().is_terminal(),
        "cannot ask for a name without a terminal; pass --name NAME"
    );
    let mut out = stdout();
    write!(out, "Name: ")?;
    out.flush()?;
    Ok(read_line()?.trim().parse()?)
}

/// Asks for a new password: on a terminal twice, without showing it. Otherwise reads it from the first
/// line of the standard input, so that a script need not pass it as an argument, which others can see.
fn ask_password(name: &AdminName) -> anyhow::Result<String> {
    if !io::stdin().is_terminal() {
        return read_line();
    }
    let password = rpassword::prompt_password(format!("New password of {name}: "))
        .context("cannot read from the terminal")?;
    let again = rpassword::prompt_password("Repeat the password: ")?;
    if password != again {
        bail!("the passwords do not match; nothing was changed");
    }
    Ok(password)
}

/// A line of the standard input, without its end.
fn read_line() -> anyhow::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).context("cannot read the standard input")?;
    let length = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(length);
    Ok(line)
}
