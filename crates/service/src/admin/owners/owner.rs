use chrono::TimeDelta;
use rollcall_domain::{Admin, AuditAction, Role, TelegramId};
use rollcall_repository::{Claim, Claimed, NewAuditEntry, NewClaimCode};

use super::claim_code::ClaimCode;
use crate::{
    ServiceError,
    admin::{audit_log::entry, service::AdminService},
};

/// How long a claim code is valid.
const CODE_IS_GOOD: TimeDelta = TimeDelta::minutes(10);
/// How long an expired code is recognised, so that it does not count as a wrong one.
const CODE_IS_KNOWN: TimeDelta = TimeDelta::days(1);
/// After so many wrong codes, no code is valid.
const MOST_WRONG: u32 = 5;

impl AdminService {
    /// Whether a user is an owner: by the setting, or because they claimed the bot.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn is_telegram_owner(&self, user: TelegramId) -> Result<bool, ServiceError> {
        Ok(self.owners.contains(&user) || self.storage.is_claimed_owner(user).await?)
    }

    /// The owners from Telegram: those of the setting, and those who claimed the bot.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn telegram_owners(&self) -> Result<Vec<TelegramId>, ServiceError> {
        let mut owners = (*self.owners).clone();
        owners.extend(self.storage.claimed_owners().await?);
        Ok(owners.into_iter().collect())
    }

    /// Creates a claim code, which is valid for ten minutes beside the codes of other processes.
    /// `None` if there is an owner from Telegram.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn offer_claim_code(&self) -> Result<Option<ClaimCode>, ServiceError> {
        if !self.owners.is_empty() {
            return Ok(None);
        }
        let code = ClaimCode::generate()?;
        let created_at = self.clock.now();
        let forgotten_before = created_at - CODE_IS_KNOWN;
        let new = NewClaimCode { code: code.digest(), created_at, forgotten_before };
        Ok(self.storage.add_claim_code(new).await?.then_some(code))
    }

    /// Makes a user the owner if the code is valid and there is no owner. Five wrong codes end all valid
    /// ones.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn claim(
        &self,
        user: TelegramId,
        code: &ClaimCode,
    ) -> Result<ClaimResult, ServiceError> {
        if !self.owners.is_empty() {
            return Ok(ClaimResult::Nothing);
        }
        let now = self.clock.now();
        let claim = Claim {
            code: code.digest(),
            user,
            expired_before: now - CODE_IS_GOOD,
            most_wrong: MOST_WRONG,
        };
        let by = Admin::Telegram(user);
        let entry = entry(now, Some(&by), AuditAction::ClaimedBot, None);
        Ok(match self.storage.claim(claim, &entry).await? {
            Claimed::Owner => ClaimResult::Owner,
            Claimed::Wrong { ended: true } => ClaimResult::LastWrong,
            Claimed::Wrong { ended: false } | Claimed::Nothing => ClaimResult::Nothing,
        })
    }

    /// Ends a claim code that others have seen. Returns whether it was valid.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn end_claim_code(&self, code: &ClaimCode) -> Result<bool, ServiceError> {
        if !self.owners.is_empty() {
            return Ok(false);
        }
        let expired_before = self.clock.now() - CODE_IS_GOOD;
        Ok(self.storage.end_claim_code(code.digest(), expired_before, MOST_WRONG).await?)
    }

    /// Removes an owner who claimed the bot, and ends their sessions. Returns whether there was one;
    /// owners by the setting are removed there. `by` is `None` for a management command.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn remove_telegram_owner(
        &self,
        user: TelegramId,
        by: Option<&Admin>,
    ) -> Result<bool, ServiceError> {
        let (at, action) = (self.clock.now(), AuditAction::RemovedAdmin);
        let old = format!("{}, {}", Admin::Telegram(user), Role::Owner);
        let entry = NewAuditEntry { old: Some(old), ..entry(at, by, action, None) };
        Ok(self.storage.remove_owner(user, &entry).await?)
    }
}

/// The result of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimResult {
    /// The user is the owner now.
    Owner,
    /// The code is wrong, and ended the valid ones.
    LastWrong,
    /// The code is wrong or late, or there is an owner.
    Nothing,
}
