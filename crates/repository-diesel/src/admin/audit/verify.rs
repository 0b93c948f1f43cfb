use diesel::prelude::*;
use rollcall_repository::{AuditChain, AuditFault, Digest};

use crate::{
    admin::{
        audit::chain::{Link, values_hash},
        audit::entry::{digest, open_values},
    },
    base::{
        connection::AnyConnection,
        error::Failure,
        free_text::FreeText,
        schema::{audit_head, audit_log},
        timestamp::UtcMicros,
    },
};

/// How many entries are read at a time.
const PART: i64 = 2000;

/// A verification of the audit log, from the oldest entry on.
pub(crate) struct Verification {
    chain: AuditChain,
    /// The hash of the previous entry.
    before: Digest,
    /// The newest entry when the verification began, which has to be found.
    head: Digest,
    expected: Option<Digest>,
    is_head_found: bool,
    is_expected_found: bool,
    last_id: i64,
    free_text: FreeText,
}

impl Verification {
    pub(crate) fn begin(
        connection: &mut AnyConnection,
        expected: Option<Digest>,
        free_text: FreeText,
    ) -> Result<Self, Failure> {
        let (head, removed): (Vec<u8>, Vec<u8>) = audit_head::table
            .select((audit_head::hash, audit_head::removed_hash))
            .first(connection)?;
        let (head, removed) = (digest(&head)?, digest(&removed)?);
        let chain = AuditChain { entries: 0, older: 0, newest: removed, fault: None };
        let mut verification = Self {
            chain,
            before: removed,
            head,
            expected,
            is_head_found: false,
            is_expected_found: false,
            last_id: i64::MIN,
            free_text,
        };
        verification.visit(removed);
        Ok(verification)
    }

    /// Verifies the next entries; returns whether there may be more.
    pub(crate) fn go_on(&mut self, connection: &mut AnyConnection) -> Result<bool, Failure> {
        let rows: Vec<Row> = audit_log::table
            .filter(audit_log::id.gt(self.last_id))
            .order(audit_log::id)
            .limit(PART)
            .load(connection)?;
        let is_full = i64::try_from(rows.len()) == Ok(PART);
        for mut row in rows {
            self.last_id = row.id;
            let (old, new) = (row.old.take(), row.new.take());
            let hash = row.values_hash.as_deref();
            (row.old, row.new) = open_values(&self.free_text, old, new, hash)?;
            if let Err(fault) = self.step(&row) {
                self.chain.fault = Some(fault);
                return Ok(false);
            }
        }
        Ok(is_full)
    }

    fn step(&mut self, row: &Row) -> Result<(), AuditFault> {
        let id = row.id;
        let (Some(stored), Some(stored_values)) = (&row.hash, &row.values_hash) else {
            // An entry older than the chain, which cannot follow a chained one.
            if self.chain.entries > 0 {
                return Err(AuditFault::Unchained { id });
            }
            self.chain.older += 1;
            return Ok(());
        };
        let (old, new) = (row.old.as_deref(), row.new.as_deref());
        let values_hold = match &row.salt {
            Some(salt) => values_hash(salt, old, new).0[..] == stored_values[..],
            // Removed when the user was deleted.
            None => old.is_none() && new.is_none(),
        };
        if !values_hold {
            return Err(AuditFault::Values { id });
        }
        let link = Link {
            at: row.at.into(),
            admin: row.admin.as_deref(),
            action: &row.action,
            about: row.about,
            values_hash: stored_values,
        };
        let hash = link.hash(self.before);
        if hash.0[..] != stored[..] {
            return Err(AuditFault::Link { id });
        }
        self.visit(hash);
        self.before = hash;
        self.chain.newest = hash;
        self.chain.entries += 1;
        Ok(())
    }

    fn visit(&mut self, hash: Digest) {
        self.is_head_found |= hash == self.head;
        self.is_expected_found |= self.expected == Some(hash);
    }

    /// The result. Entries that were added meanwhile are allowed, but the newest entry of the
    /// beginning and the expected one must have been found.
    pub(crate) fn end(self) -> AuditChain {
        let mut chain = self.chain;
        if chain.fault.is_none() && !self.is_head_found {
            chain.fault = Some(AuditFault::NewestMissing);
        }
        if chain.fault.is_none() && self.expected.is_some() && !self.is_expected_found {
            chain.fault = Some(AuditFault::NotExpected);
        }
        chain
    }
}

/// A row of `audit_log`, its columns in the table's order.
#[derive(Queryable)]
struct Row {
    id: i64,
    at: UtcMicros,
    admin: Option<String>,
    action: String,
    about: Option<i64>,
    old: Option<String>,
    new: Option<String>,
    salt: Option<Vec<u8>>,
    values_hash: Option<Vec<u8>>,
    hash: Option<Vec<u8>>,
}
