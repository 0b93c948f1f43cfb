use diesel::prelude::*;
use rollcall_repository::{AuditChain, AuditFault, Digest};

use super::{
    chain::{Link, values_hash},
    entry::digest,
};
use crate::{
    connection::AnyConnection,
    error::Failure,
    schema::{audit_head, audit_log},
    timestamp::UtcMicros,
};

/// How many entries are read at once.
const PART: i64 = 2000;

/// The way through the audit log, the oldest entry first.
pub(super) struct Walk {
    chain: AuditChain,
    /// The hash of the entry before.
    before: Digest,
    /// The newest entry when the walk began: it has to be met.
    head: Digest,
    expected: Option<Digest>,
    is_head_met: bool,
    is_expected_met: bool,
    last_id: i64,
}

impl Walk {
    pub(super) fn begin(
        connection: &mut AnyConnection,
        expected: Option<Digest>,
    ) -> Result<Self, Failure> {
        let (head, removed): (Vec<u8>, Vec<u8>) = audit_head::table
            .select((audit_head::hash, audit_head::removed_hash))
            .first(connection)?;
        let (head, removed) = (digest(&head)?, digest(&removed)?);
        let chain = AuditChain { entries: 0, older: 0, newest: removed, fault: None };
        let mut walk = Self {
            chain,
            before: removed,
            head,
            expected,
            is_head_met: false,
            is_expected_met: false,
            last_id: i64::MIN,
        };
        walk.meet(removed);
        Ok(walk)
    }

    /// Looks at the next entries; answers whether there may be more.
    pub(super) fn go_on(&mut self, connection: &mut AnyConnection) -> Result<bool, Failure> {
        let rows: Vec<Row> = audit_log::table
            .filter(audit_log::id.gt(self.last_id))
            .order(audit_log::id)
            .limit(PART)
            .load(connection)?;
        for row in &rows {
            self.last_id = row.id;
            if let Err(fault) = self.step(row) {
                self.chain.fault = Some(fault);
                return Ok(false);
            }
        }
        Ok(i64::try_from(rows.len()) == Ok(PART))
    }

    fn step(&mut self, row: &Row) -> Result<(), AuditFault> {
        let id = row.id;
        let (Some(stored), Some(stored_values)) = (&row.hash, &row.values_hash) else {
            // From before entries were chained, which no chained one comes before.
            if self.chain.entries > 0 {
                return Err(AuditFault::Unchained { id });
            }
            self.chain.older += 1;
            return Ok(());
        };
        let (old, new) = (row.old.as_deref(), row.new.as_deref());
        let values_hold = match &row.salt {
            Some(salt) => values_hash(salt, old, new).0[..] == stored_values[..],
            // Emptied when the user was erased.
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
        self.meet(hash);
        self.before = hash;
        self.chain.newest = hash;
        self.chain.entries += 1;
        Ok(())
    }

    fn meet(&mut self, hash: Digest) {
        self.is_head_met |= hash == self.head;
        self.is_expected_met |= self.expected == Some(hash);
    }

    /// What was found. Entries that were added meanwhile are fine: the newest entry of the beginning
    /// and the expected one have to be among those that were met.
    pub(super) fn end(self) -> AuditChain {
        let mut chain = self.chain;
        if chain.fault.is_none() && !self.is_head_met {
            chain.fault = Some(AuditFault::NewestMissing);
        }
        if chain.fault.is_none() && self.expected.is_some() && !self.is_expected_met {
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
