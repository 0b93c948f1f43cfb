use chrono::{DateTime, Utc};
use rollcall_domain::{Admin, AuditAction};
use rollcall_repository::{EnabledFactor, FactorProof, FactorSecret, RepositoryError};

use super::{base32, passkey::Passkey, recovery_code::RecoveryCode, totp};
use crate::{
    ServiceError,
    admin::{audit_log::entry, service::AdminService, sessions::Standing, token::random_bytes},
};

impl AdminService {
    /// The second factors of an admin.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn second_factors(&self, admin: &Admin) -> Result<SecondFactors, ServiceError> {
        let app = self.storage.second_factor(admin).await?;
        Ok(SecondFactors {
            app_since: app.map(|it| it.enabled_at),
            passkeys: self.passkeys(admin).await?,
            recovery_codes: self.storage.recovery_codes(admin).await?,
        })
    }

    /// The secret for an authenticator app, to set it up in the session with this token. It stays the
    /// same until the app is enabled or the session ends. `None` if the session does not exist, or
    /// its admin has an app.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn offer_second_factor(
        &self,
        token: &str,
    ) -> Result<Option<OfferedFactor>, ServiceError> {
        let Some((digest, session, _)) = self.find_session(token).await? else { return Ok(None) };
        if session.standing == Standing::OwesFactor
            || self.storage.second_factor(&session.admin).await?.is_some()
        {
            return Ok(None);
        }
        let new = FactorSecret(random_bytes()?);
        let secret = self.storage.offer_secret(digest, &new).await?;
        Ok(secret.map(|secret| OfferedFactor { secret, admin: session.admin }))
    }

    /// Enables the app that was offered to the session with this token, and ends the admin's other
    /// sessions. Returns recovery codes if it is the admin's first factor. The codes cannot be shown
    /// again.
    ///
    /// # Errors
    /// When the code is wrong, the admin has an app already, the session does not exist, or the
    /// storage fails.
    pub async fn enable_second_factor(
        &self,
        token: &str,
        code: &str,
    ) -> Result<Option<Vec<RecoveryCode>>, FactorError> {
        let offered = self.offer_second_factor(token).await?.ok_or(FactorError::NotOffered)?;
        let session = self.find_session(token).await?;
        let (digest, session, _) = session.ok_or(FactorError::NotOffered)?;
        let now = self.clock.now();
        let code = read_code(code).ok_or(FactorError::WrongCode)?;
        let step = totp::step_of(&offered.secret, code, now, None).ok_or(FactorError::WrongCode)?;
        let codes = RecoveryCode::generate()?;
        let hashes: Vec<_> = codes.iter().map(|code| code.digest(&session.admin)).collect();
        let entry = entry(now, Some(&session.admin), AuditAction::EnabledSecondFactor, None);
        let enabled = self
            .storage
            .enable_second_factor(digest, &session.admin, &offered.secret, step, &hashes, &entry)
            .await?;
        match enabled {
            EnabledFactor::First => Ok(Some(codes)),
            EnabledFactor::Further => Ok(None),
            EnabledFactor::Refused => Err(FactorError::NotOffered),
        }
    }

    /// Disables the app of the session's own admin, and ends their other sessions. Returns whether
    /// there was an app.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn disable_second_factor(&self, token: &str) -> Result<bool, ServiceError> {
        let Some((digest, session, _)) = self.find_session(token).await? else { return Ok(false) };
        let by = Some(&session.admin);
        let entry = entry(self.clock.now(), by, AuditAction::DisabledSecondFactor, None);
        Ok(self.storage.remove_second_factor(&session.admin, digest, &entry).await?)
    }

    /// Removes the second factors of an admin who lost them, and ends their sessions. Returns whether
    /// there was one. `by` is the admin who does it; `None` for a management command.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn reset_second_factor(
        &self,
        admin: &Admin,
        by: Option<&Admin>,
    ) -> Result<bool, ServiceError> {
        let action = AuditAction::ResetSecondFactor;
        let entry = entry(self.clock.now(), by, action, Some(admin.to_string()));
        Ok(self.storage.reset_second_factor(admin, &entry).await?)
    }

    /// Replaces the recovery codes of an admin; `None` if they have no second factor. The codes cannot
    /// be shown again.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn renew_recovery_codes(
        &self,
        admin: &Admin,
    ) -> Result<Option<Vec<RecoveryCode>>, ServiceError> {
        let codes = RecoveryCode::generate()?;
        let hashes: Vec<_> = codes.iter().map(|code| code.digest(admin)).collect();
        let entry = entry(self.clock.now(), Some(admin), AuditAction::RenewedRecoveryCodes, None);
        let is_done = self.storage.replace_recovery_codes(admin, &hashes, &entry).await?;
        Ok(is_done.then_some(codes))
    }

    /// The proof in a code of an admin's app or a recovery code; `None` if it is neither.
    pub(in crate::admin) async fn factor_proof(
        &self,
        admin: &Admin,
        text: &str,
    ) -> Result<Option<FactorProof>, ServiceError> {
        if let Some(code) = RecoveryCode::read(text) {
            return Ok(Some(FactorProof::RecoveryCode(code.digest(admin))));
        }
        let Some(factor) = self.storage.second_factor(admin).await? else { return Ok(None) };
        let Some(code) = read_code(text) else { return Ok(None) };
        let step = totp::step_of(&factor.secret, code, self.clock.now(), Some(factor.last_step));
        Ok(step.map(FactorProof::Step))
    }
}

/// The second factors of an admin. Any of them completes a sign-in by password or link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondFactors {
    /// When the authenticator app was enabled, if there is one.
    pub app_since: Option<DateTime<Utc>>,
    /// The passkeys, in the order in which they were added.
    pub passkeys: Vec<Passkey>,
    /// The number of unused recovery codes.
    pub recovery_codes: u32,
}

impl SecondFactors {
    /// Whether there is a second factor.
    pub fn is_on(&self) -> bool {
        self.app_since.is_some() || !self.passkeys.is_empty()
    }

    /// Whether there are passkeys for this host.
    pub fn has_passkey_for(&self, host: &str) -> bool {
        self.passkeys.iter().any(|passkey| passkey.host == host)
    }
}

/// An authenticator app that is being set up.
#[derive(Clone, Debug)]
pub struct OfferedFactor {
    secret: FactorSecret,
    admin: Admin,
}

impl OfferedFactor {
    /// The secret to type into an app (base32).
    pub fn secret(&self) -> String {
        base32::encode(&self.secret.0, base32::RFC4648)
    }

    /// The content of the QR code for an app, which shows `issuer` beside the admin's name. (The "Key
    /// Uri Format" of Google Authenticator, which all apps follow.)
    pub fn uri(&self, issuer: &str) -> String {
        let (issuer, admin) = (escaped(issuer), escaped(&self.admin.to_string()));
        let secret = self.secret();
        format!(
            "otpauth://totp/{issuer}:{admin}?secret={secret}&issuer={issuer}\
             &algorithm=SHA1&digits=6&period=30"
        )
    }
}

/// Why a second factor was not enabled.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FactorError {
    /// The app does not show this code now.
    #[error("the code is wrong")]
    WrongCode,
    /// There is one already, or the session does not exist.
    #[error("no second factor is being set up")]
    NotOffered,
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] ServiceError),
}

impl From<RepositoryError> for FactorError {
    fn from(error: RepositoryError) -> Self {
        Self::Storage(error.into())
    }
}

/// Parses a typed code: six digits, perhaps with blanks between them.
fn read_code(text: &str) -> Option<u32> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let is_code = digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit());
    if is_code { digits.parse().ok() } else { None }
}

/// Percent-encodes text for a part of a URI (RFC 3986, section 2.3).
fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    text.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_digits_are_a_code() {
        assert_eq!(read_code(" 012 345 "), Some(12_345));
        for odd in ["", "12345", "1234567", "12345x", "-12345", "+12345", "１２３４５６"] {
            assert_eq!(read_code(odd), None, "{odd}");
        }
    }

    #[test]
    fn the_uri_names_the_admin_and_the_issuer() {
        let offered = OfferedFactor {
            secret: FactorSecret(*b"12345678901234567890"),
            admin: "telegram:7".parse().unwrap(),
        };
        assert_eq!(offered.secret(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(
            offered.uri("Rollcall bot.example.org"),
            "otpauth://totp/Rollcall%20bot.example.org:telegram%3A7\
             ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Rollcall%20bot.example.org\
             &algorithm=SHA1&digits=6&period=30"
        );
        assert!(!format!("{offered:?}").contains("123"));
    }
}
