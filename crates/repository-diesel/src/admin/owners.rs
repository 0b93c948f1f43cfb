//! The owners who claimed the bot with a code.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::{Connection, prelude::*};
use rollcall_domain::{Admin, TelegramId};
use rollcall_repository::{
    Claim, Claimed, Digest, NewAuditEntry, NewClaimCode, OwnerRepository, RepositoryError,
};

use crate::{
    admin::{
        audit::entry::{add_entry, digest, lock_head},
        sessions::session::end_sessions,
        store::{Change, DieselAdminRepository, corrupt},
    },
    base::{
        connection::AnyConnection,
        error::Failure,
        schema::{claim_codes, telegram_owners},
        timestamp::UtcMicros,
    },
};

/// More owners than a bot has: each claim needs a bot without an owner.
const MAX_OWNERS: i64 = 100;

#[async_trait]
impl OwnerRepository for DieselAdminRepository {
    async fn claimed_owners(&self) -> Result<Vec<TelegramId>, RepositoryError> {
        self.database
            .read("list the owners", |connection| {
                let ids: Vec<i64> = telegram_owners::table
                    .select(telegram_owners::telegram_id)
                    .order(telegram_owners::telegram_id)
                    .limit(MAX_OWNERS)
                    .load(connection)?;
                let read = |id: i64| {
                    TelegramId::try_from(id).map_err(|error| {
                        corrupt(
                            "telegram_owners",
                            "telegram_id",
                            &id.to_string(),
                            error.to_string(),
                        )
                    })
                };
                ids.into_iter().map(read).collect()
            })
            .await
    }

    async fn is_claimed_owner(&self, user: TelegramId) -> Result<bool, RepositoryError> {
        self.database
            .read("look up an owner", move |connection| {
                let row = telegram_owners::table.find(user.get());
                let found: Option<i64> =
                    row.select(telegram_owners::telegram_id).first(connection).optional()?;
                Ok(found.is_some())
            })
            .await
    }

    async fn add_claim_code(&self, new: NewClaimCode) -> Result<bool, RepositoryError> {
        let NewClaimCode { code, created_at, forgotten_before } = new;
        self.database
            .write("store a claim code", move |connection| {
                connection.transaction(|connection| {
                    // The same lock as for a claim: afterwards, an owner is visible.
                    lock_head(connection)?;
                    if has_owner(connection)? {
                        return Ok(false);
                    }
                    let old = claim_codes::created_at.lt(UtcMicros::from(forgotten_before));
                    diesel::delete(claim_codes::table.filter(old)).execute(connection)?;
                    let row = (
                        claim_codes::code_hash.eq(&code.0[..]),
                        claim_codes::created_at.eq(UtcMicros::from(created_at)),
                        claim_codes::wrong_codes.eq(0),
                    );
                    diesel::insert_into(claim_codes::table).values(row).execute(connection)?;
                    Ok(true)
                })
            })
            .await
    }

    async fn claim(&self, claim: Claim, entry: &NewAuditEntry) -> Result<Claimed, RepositoryError> {
        // Read first, so that texts that look like a code write nothing when there is none.
        let stored = self.database.read("find claim codes", |connection| Ok(codes(connection)?));
        if !stored.await?.iter().any(|code| code.is_valid_for(&claim)) {
            return Ok(Claimed::Nothing);
        }
        let entry = entry.clone();
        self.database
            .write("claim the bot", move |connection| {
                connection.transaction(|connection| decide(connection, &claim, &entry))
            })
            .await
    }

    async fn end_claim_code(
        &self,
        code: Digest,
        expired_before: DateTime<Utc>,
        most_wrong: u32,
    ) -> Result<bool, RepositoryError> {
        let is_ended =
            move |it: &StoredCode| it.hash.is(&code) && it.is_valid(expired_before, most_wrong);
        // Read first, so that texts that look like a code write nothing.
        let stored = self.database.read("find claim codes", |connection| Ok(codes(connection)?));
        if !stored.await?.iter().any(is_ended) {
            return Ok(false);
        }
        self.database
            .write("end a claim code", move |connection| {
                let valid = claim_codes::table
                    .find(&code.0[..])
                    .filter(claim_codes::created_at.ge(UtcMicros::from(expired_before)))
                    .filter(claim_codes::wrong_codes.lt(number(most_wrong)));
                let ended = diesel::update(valid)
                    .set(claim_codes::wrong_codes.eq(number(most_wrong)))
                    .execute(connection)?;
                Ok(ended > 0)
            })
            .await
    }

    async fn remove_owner(
        &self,
        user: TelegramId,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError> {
        self.change("remove an owner", entry, move |connection| {
            let owner = telegram_owners::table.find(user.get());
            let removed = diesel::delete(owner).execute(connection)?;
            end_sessions(connection, &Admin::Telegram(user).to_string())?;
            Ok(Change::of(removed))
        })
        .await
    }
}

/// A row of `claim_codes`.
struct StoredCode {
    hash: Digest,
    created_at: DateTime<Utc>,
    wrong_codes: i32,
}

impl StoredCode {
    fn is_valid(&self, expired_before: DateTime<Utc>, most_wrong: u32) -> bool {
        self.created_at >= expired_before && self.wrong_codes < number(most_wrong)
    }

    fn is_valid_for(&self, claim: &Claim) -> bool {
        self.is_valid(claim.expired_before, claim.most_wrong)
    }
}

fn number(codes: u32) -> i32 {
    i32::try_from(codes).unwrap_or(i32::MAX)
}

fn codes(connection: &mut AnyConnection) -> QueryResult<Vec<StoredCode>> {
    let rows: Vec<(Vec<u8>, UtcMicros, i32)> = claim_codes::table
        .select((claim_codes::code_hash, claim_codes::created_at, claim_codes::wrong_codes))
        .load(connection)?;
    let read = |(hash, created_at, wrong_codes): (Vec<u8>, UtcMicros, i32)| {
        Ok(StoredCode { hash: digest(&hash)?, created_at: created_at.into(), wrong_codes })
    };
    rows.into_iter().map(read).collect()
}

fn has_owner(connection: &mut AnyConnection) -> QueryResult<bool> {
    let some: Option<i64> =
        telegram_owners::table.select(telegram_owners::telegram_id).first(connection).optional()?;
    Ok(some.is_some())
}

/// See [`OwnerRepository::claim`]. The lock of the audit log puts all claims in one order.
fn decide(
    connection: &mut AnyConnection,
    claim: &Claim,
    entry: &NewAuditEntry,
) -> Result<Claimed, Failure> {
    lock_head(connection)?;
    if has_owner(connection)? {
        return Ok(Claimed::Nothing);
    }
    let stored = codes(connection)?;
    // Each stored code is compared, so that the time does not reveal which one matched.
    let matching = stored.iter().filter(|code| code.hash.is(&claim.code));
    let matching: Vec<bool> = matching.map(|code| code.is_valid_for(claim)).collect();
    let valid: Vec<&StoredCode> = stored.iter().filter(|code| code.is_valid_for(claim)).collect();
    if matching.contains(&true) {
        let row = (
            telegram_owners::telegram_id.eq(claim.user.get()),
            telegram_owners::claimed_at.eq(UtcMicros::from(entry.at)),
        );
        diesel::insert_into(telegram_owners::table).values(row).execute(connection)?;
        diesel::delete(claim_codes::table).execute(connection)?;
        add_entry(connection, entry)?;
        return Ok(Claimed::Owner);
    }
    // A code that was once valid is late, not guessed.
    if !matching.is_empty() || valid.is_empty() {
        return Ok(Claimed::Nothing);
    }
    for code in &valid {
        diesel::update(claim_codes::table.find(&code.hash.0[..]))
            .set(claim_codes::wrong_codes.eq(claim_codes::wrong_codes + 1))
            .execute(connection)?;
    }
    let left = codes(connection)?;
    Ok(Claimed::Wrong { ended: !left.iter().any(|code| code.is_valid_for(claim)) })
}
