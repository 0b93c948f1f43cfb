use rollcall_domain::{Admin, AuditAction};

use super::session::{Proof, Session, Standing};
use crate::{
    ServiceError,
    admin::{
        audit_log::entry,
        devices::Device,
        service::AdminService,
        signing_in::{Attempt, SignInError},
        token::{SessionToken, new_token},
    },
};

impl AdminService {
    /// Confirms an admin's identity by their second factor if they have one, otherwise by their
    /// password or a link from the bot (see [`Session::proof`]).
    ///
    /// A session that owes its second factor is completed, and gets a new token. Any other session
    /// counts as confirmed for 15 minutes. Wrong passwords and links count as failed sign-ins; wrong
    /// factors are counted separately.
    ///
    /// # Errors
    /// [`SignInError::Refused`] if `proof` is wrong or was used before, or if the session does not
    /// exist; [`SignInError::Throttled`] after too many failures; [`SignInError::Busy`] while too
    /// many others sign in; or when the storage fails.
    pub async fn confirm(
        &self,
        token: &str,
        proof: &str,
        device: impl Into<Device>,
    ) -> Result<Confirmed, SignInError> {
        self.confirm_by(token, Given::Text(proof), device.into()).await
    }

    /// The same by a passkey. `answer` is the browser's answer to [`AdminService::ask_for_passkey`], as
    /// JSON; each is accepted once.
    ///
    /// # Errors
    /// As [`AdminService::confirm`].
    pub async fn confirm_by_passkey(
        &self,
        token: &str,
        answer: &str,
        device: impl Into<Device>,
    ) -> Result<Confirmed, SignInError> {
        self.confirm_by(token, Given::Passkey(answer), device.into()).await
    }

    async fn confirm_by(
        &self,
        token: &str,
        given: Given<'_>,
        device: Device,
    ) -> Result<Confirmed, SignInError> {
        let found = self.find_session(token).await?;
        let (digest, session, _) = found.ok_or(SignInError::Refused)?;
        let by = session.proof();
        let attempt = match (by, &session.admin) {
            (Proof::Factor, admin) => Attempt::by_factor(admin, &device),
            (_, Admin::Account(name)) => Attempt::by_password(Some(name), &device),
            (_, admin @ (Admin::Telegram(_) | Admin::Program(_))) => {
                Attempt::by_link(admin, &device)
            }
        };
        let begun = self.begin(&attempt).await?;
        let is_owed = session.standing == Standing::OwesFactor;
        let (is_right, factor) = match (by, given) {
            (Proof::Factor, Given::Text(code)) => {
                let factor = self.factor_proof(&session.admin, code).await?;
                (factor.is_some(), factor)
            }
            (Proof::Factor, Given::Passkey(answer)) => {
                let factor = self.passkey_proof(digest, answer).await?;
                (factor.is_some(), factor)
            }
            (Proof::Password, Given::Text(text)) => {
                (self.is_own_password(&session, text).await?, None)
            }
            (Proof::Link, Given::Text(link)) => (self.is_link(&session, link).await?, None),
            (Proof::Password | Proof::Link, Given::Passkey(_)) => (false, None),
        };
        let done = if is_owed { AuditAction::SignedIn } else { AuditAction::Confirmed };
        let at = self.clock.now();
        let entry = |action| entry(at, Some(&session.admin), action, Some(device.place()));
        let new = if is_owed { Some(new_token()?) } else { None };
        let new_digest = new.as_ref().map(|(_, digest)| *digest);
        let is_confirmed = is_right
            && self
                .storage
                .confirm_session(digest, &session.admin, factor, new_digest, &entry(done))
                .await?;
        if !is_confirmed {
            let failed = match by {
                Proof::Factor => AuditAction::SecondFactorFailed,
                Proof::Password | Proof::Link => AuditAction::ConfirmationFailed,
            };
            self.storage.audit(&entry(failed)).await?;
            self.watch.failed();
            return Err(SignInError::Refused);
        }
        self.succeeded(begun).await?;
        if is_owed {
            self.note_device(&session.admin, &device, at).await?;
        }
        Ok(Confirmed { token: new.map(|(text, _)| SessionToken(text)) })
    }

    async fn is_own_password(&self, session: &Session, text: &str) -> Result<bool, ServiceError> {
        match &session.admin {
            Admin::Account(name) => self.is_password(name, text).await,
            Admin::Telegram(_) | Admin::Program(_) => Ok(false),
        }
    }

    /// Whether the text is a link, or the end of one, that the bot sent to the session's own admin.
    async fn is_link(&self, session: &Session, link: &str) -> Result<bool, ServiceError> {
        let token = link.trim().rsplit('/').next().unwrap_or_default();
        let user = self.take_link(token).await?;
        Ok(user.is_some_and(|user| session.admin == Admin::Telegram(user)))
    }
}

/// What an admin presents to confirm their identity.
#[derive(Clone, Copy)]
enum Given<'a> {
    /// A code, a password or a link.
    Text(&'a str),
    /// The answer of a browser for a passkey.
    Passkey(&'a str),
}

/// A session whose admin has just confirmed their identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmed {
    /// The new token of a session that owed its second factor; the old one is no longer valid.
    pub token: Option<SessionToken>,
}
