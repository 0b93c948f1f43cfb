use chrono::{DateTime, Utc};

use super::account::Admin;
use crate::TelegramId;

/// What an admin did, as the audit log has it. To add one: a variant, its place in
/// [`AuditAction::ALL`], and its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuditAction {
    /// Signed in; the new value is from where.
    SignedIn,
    /// Somebody tried to sign in with an account, and failed; the new value is from where.
    SignInFailed,
    /// Gave a right password, or opened a link, and was asked for the second factor; the new value is
    /// from where.
    PassedFirstFactor,
    /// Gave a wrong second factor; the new value is from where.
    SecondFactorFailed,
    /// Proved their identity again, to do something that asks for it; the new value is from where.
    Confirmed,
    /// Failed to, with a password or a link; the new value is from where.
    ConfirmationFailed,
    /// Switched their second factor on.
    EnabledSecondFactor,
    /// Switched their second factor off.
    DisabledSecondFactor,
    /// Took the second factor from an admin; the new value is whose.
    ResetSecondFactor,
    /// Used a recovery code; the new value is how many are left.
    UsedRecoveryCode,
    /// Replaced their recovery codes.
    RenewedRecoveryCodes,
    /// Added a passkey to their second factor; the new value is its name.
    AddedPasskey,
    /// Removed a passkey of theirs; the old value is its name.
    RemovedPasskey,
    /// Proved their identity by a passkey; the new value is its name.
    UsedPasskey,
    /// Signed out.
    SignedOut,
    /// Ended every session of their own.
    SignedOutEverywhere,
    /// Ended one of their own sessions; the new value is that of which device.
    EndedSession,
    /// Ended all of their own sessions but the one that they used.
    EndedOtherSessions,
    /// Made an account; the new value is its name and role.
    CreatedAdmin,
    /// Invited somebody to make an account; the new value is its role.
    InvitedAdmin,
    /// Withdrew an invitation; the new value is its role, and who invited.
    WithdrewInvitation,
    /// Made an account by an invitation; the new value is its role, and who invited.
    AcceptedInvitation,
    /// Changed the password of an account; the new value is its name.
    ChangedPassword,
    /// Disabled an account; the new value is its name.
    DisabledAdmin,
    /// Enabled an account again; the new value is its name.
    EnabledAdmin,
    /// Changed the role of an account; the values are its name and role.
    ChangedRole,
    /// Removed an account; the old value is its name and role.
    RemovedAdmin,
    /// Looked at what is known of a user.
    ViewedUser,
    /// Changed the note about a user.
    ChangedNote,
    /// Changed what a user has chosen.
    ChangedPreferences,
    /// Deleted a user.
    DeletedUser,
    /// Deleted users together; the entry says how many, and how they were chosen.
    DeletedUsers,
    /// Took users along in a file; the new value is which.
    ExportedUsers,
    /// Took users in from a file; the new value is how many.
    ImportedUsers,
    /// Put a deep link on the list of those that have labels; the new value is its payload.
    AllowedSource,
    /// Took the label of a deep link away; the old value is its payload.
    DroppedSource,
}

impl AuditAction {
    /// Every action.
    pub const ALL: [Self; 36] = [
        Self::SignedIn,
        Self::SignInFailed,
        Self::PassedFirstFactor,
        Self::SecondFactorFailed,
        Self::Confirmed,
        Self::ConfirmationFailed,
        Self::EnabledSecondFactor,
        Self::DisabledSecondFactor,
        Self::ResetSecondFactor,
        Self::UsedRecoveryCode,
        Self::RenewedRecoveryCodes,
        Self::AddedPasskey,
        Self::RemovedPasskey,
        Self::UsedPasskey,
        Self::SignedOut,
        Self::SignedOutEverywhere,
        Self::EndedSession,
        Self::EndedOtherSessions,
        Self::CreatedAdmin,
        Self::InvitedAdmin,
        Self::WithdrewInvitation,
        Self::AcceptedInvitation,
        Self::ChangedPassword,
        Self::DisabledAdmin,
        Self::EnabledAdmin,
        Self::ChangedRole,
        Self::RemovedAdmin,
        Self::ViewedUser,
        Self::ChangedNote,
        Self::ChangedPreferences,
        Self::DeletedUser,
        Self::DeletedUsers,
        Self::ExportedUsers,
        Self::ImportedUsers,
        Self::AllowedSource,
        Self::DroppedSource,
    ];

    /// The action's name, as it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::SignInFailed => "sign_in_failed",
            Self::PassedFirstFactor => "passed_first_factor",
            Self::SecondFactorFailed => "second_factor_failed",
            Self::Confirmed => "confirmed",
            Self::ConfirmationFailed => "confirmation_failed",
            Self::EnabledSecondFactor => "enabled_second_factor",
            Self::DisabledSecondFactor => "disabled_second_factor",
            Self::ResetSecondFactor => "reset_second_factor",
            Self::UsedRecoveryCode => "used_recovery_code",
            Self::RenewedRecoveryCodes => "renewed_recovery_codes",
            Self::AddedPasskey => "added_passkey",
            Self::RemovedPasskey => "removed_passkey",
            Self::UsedPasskey => "used_passkey",
            Self::SignedOut => "signed_out",
            Self::SignedOutEverywhere => "signed_out_everywhere",
            Self::EndedSession => "ended_session",
            Self::EndedOtherSessions => "ended_other_sessions",
            Self::CreatedAdmin => "created_admin",
            Self::InvitedAdmin => "invited_admin",
            Self::WithdrewInvitation => "withdrew_invitation",
            Self::AcceptedInvitation => "accepted_invitation",
            Self::ChangedPassword => "changed_password",
            Self::DisabledAdmin => "disabled_admin",
            Self::EnabledAdmin => "enabled_admin",
            Self::ChangedRole => "changed_role",
            Self::RemovedAdmin => "removed_admin",
            Self::ViewedUser => "viewed_user",
            Self::ChangedNote => "changed_note",
            Self::ChangedPreferences => "changed_preferences",
            Self::DeletedUser => "deleted_user",
            Self::DeletedUsers => "deleted_users",
            Self::ExportedUsers => "exported_users",
            Self::ImportedUsers => "imported_users",
            Self::AllowedSource => "allowed_source",
            Self::DroppedSource => "dropped_source",
        }
    }

    /// The action of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

/// Something that was done, as it stands in the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its place in the log: later entries have larger ones.
    pub id: i64,
    /// When it was done.
    pub at: DateTime<Utc>,
    /// Who did it; `None` for somebody on the server itself, by a management command, and where
    /// somebody failed to sign in with an account that is not there.
    pub admin: Option<Admin>,
    /// What was done.
    pub action: AuditAction,
    /// Which user it was about.
    pub about: Option<TelegramId>,
    /// What it was before; gone once the user was erased.
    pub old: Option<String>,
    /// What it is since then; gone once the user was erased.
    pub new: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_read_again() {
        for action in AuditAction::ALL {
            assert_eq!(AuditAction::from_name(action.name()), Some(action));
        }
    }
}
