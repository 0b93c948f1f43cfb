use chrono::{DateTime, Utc};

use super::account::Admin;
use crate::TelegramId;

/// An action in the audit log. To add one, add a variant, its place in [`AuditAction::ALL`] and its
/// name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuditAction {
    /// Signed in; the new value is the address.
    SignedIn,
    /// Failed to sign in to an account; the new value is the address.
    SignInFailed,
    /// Passed the password or link, and was asked for the second factor; the new value is the address.
    PassedFirstFactor,
    /// Entered a wrong second factor; the new value is the address.
    SecondFactorFailed,
    /// Confirmed their identity before a sensitive action; the new value is the address.
    Confirmed,
    /// Failed to confirm their identity; the new value is the address.
    ConfirmationFailed,
    /// Enabled their second factor.
    EnabledSecondFactor,
    /// Disabled their second factor.
    DisabledSecondFactor,
    /// Reset the second factor of an admin; the new value is the admin's name.
    ResetSecondFactor,
    /// Used a recovery code; the new value is how many are left.
    UsedRecoveryCode,
    /// Replaced their recovery codes.
    RenewedRecoveryCodes,
    /// Added a passkey to their second factor; the new value is its name.
    AddedPasskey,
    /// Removed one of their passkeys; the old value is its name.
    RemovedPasskey,
    /// Confirmed their identity with a passkey; the new value is its name.
    UsedPasskey,
    /// Signed out.
    SignedOut,
    /// Ended all of their own sessions.
    SignedOutEverywhere,
    /// Ended one of their own sessions; the new value is its device.
    EndedSession,
    /// Ended all of their own sessions except the one in use.
    EndedOtherSessions,
    /// Created an account; the new value is its name and role.
    CreatedAdmin,
    /// Created an invitation; the new value is its role.
    InvitedAdmin,
    /// Withdrew an invitation; the new value is its role and who created it.
    WithdrewInvitation,
    /// Created an account by an invitation; the new value is its role and who invited.
    AcceptedInvitation,
    /// Became the owner with the claim code from the log.
    ClaimedBot,
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
    /// Viewed a user's page.
    ViewedUser,
    /// Changed the note about a user.
    ChangedNote,
    /// Changed the preferences of a user.
    ChangedPreferences,
    /// Deleted a user.
    DeletedUser,
    /// Deleted several users; the values are their number and how they were selected.
    DeletedUsers,
    /// Saved a segment; the new value is its name and filter.
    SavedSegment,
    /// Deleted a segment; the new value is its name and filter.
    DeletedSegment,
    /// Exported users to a file; the new value is which users.
    ExportedUsers,
    /// Copied everything that is stored about a user.
    CopiedUserData,
    /// Added a request about personal data; the new value is its number and kind.
    AddedPrivacyRequest,
    /// Marked a request about personal data as done; the new value is its number.
    FinishedPrivacyRequest,
    /// Imported users from a file; the new value is their number.
    ImportedUsers,
    /// Put a deep link on the list of those with labels; the new value is its payload.
    AllowedSource,
    /// Removed the label of a deep link; the old value is its payload.
    DroppedSource,
    /// Created a tag or a group; the new value is its kind and name.
    CreatedLabel,
    /// Changed the description of a tag or a group; the values are the descriptions, with its kind and
    /// name.
    DescribedLabel,
    /// Deleted a tag or a group; the old value is its kind and name, and how many users had it.
    DeletedLabel,
    /// Added a tag to users, or users to a group; the new value is how many, the label and how they
    /// were chosen.
    AddedLabel,
    /// Removed a tag from users, or users from a group; the new value is as for `AddedLabel`.
    RemovedLabel,
    /// Undid a change of the tags or groups of many users; the new value is as for `AddedLabel`.
    UndidLabelChange,
    /// Created a broadcast; the new value is its number, name and filter.
    CreatedBroadcast,
    /// Changed the category of a draft; the values are its number, name and category.
    ChangedBroadcast,
    /// Started a broadcast; the new value is its number and name.
    StartedBroadcast,
    /// Scheduled a broadcast; the new value is its number, name and time.
    ScheduledBroadcast,
    /// Paused a broadcast; the new value is its number and name.
    PausedBroadcast,
    /// Resumed a broadcast; the new value is its number and name.
    ResumedBroadcast,
    /// Cancelled a broadcast; the new value is its number and name.
    CancelledBroadcast,
    /// Added a category of broadcasts, or changed its weekly cap; the values are its name and cap.
    SetBroadcastCategory,
    /// Created a key of the API; the new value is its name, id and scopes.
    CreatedApiKey,
    /// Revoked a key of the API; the old value is its name, id and scopes.
    RevokedApiKey,
}

impl AuditAction {
    /// Every action.
    pub const ALL: [Self; 58] = [
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
        Self::ClaimedBot,
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
        Self::SavedSegment,
        Self::DeletedSegment,
        Self::ExportedUsers,
        Self::CopiedUserData,
        Self::AddedPrivacyRequest,
        Self::FinishedPrivacyRequest,
        Self::ImportedUsers,
        Self::AllowedSource,
        Self::DroppedSource,
        Self::CreatedLabel,
        Self::DescribedLabel,
        Self::DeletedLabel,
        Self::AddedLabel,
        Self::RemovedLabel,
        Self::UndidLabelChange,
        Self::CreatedBroadcast,
        Self::ChangedBroadcast,
        Self::StartedBroadcast,
        Self::ScheduledBroadcast,
        Self::PausedBroadcast,
        Self::ResumedBroadcast,
        Self::CancelledBroadcast,
        Self::SetBroadcastCategory,
        Self::CreatedApiKey,
        Self::RevokedApiKey,
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
            Self::ClaimedBot => "claimed_bot",
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
            Self::SavedSegment => "saved_segment",
            Self::DeletedSegment => "deleted_segment",
            Self::ExportedUsers => "exported_users",
            Self::CopiedUserData => "copied_user_data",
            Self::AddedPrivacyRequest => "added_privacy_request",
            Self::FinishedPrivacyRequest => "finished_privacy_request",
            Self::ImportedUsers => "imported_users",
            Self::AllowedSource => "allowed_source",
            Self::DroppedSource => "dropped_source",
            Self::CreatedLabel => "created_label",
            Self::DescribedLabel => "described_label",
            Self::DeletedLabel => "deleted_label",
            Self::AddedLabel => "added_label",
            Self::RemovedLabel => "removed_label",
            Self::UndidLabelChange => "undid_label_change",
            Self::CreatedBroadcast => "created_broadcast",
            Self::ChangedBroadcast => "changed_broadcast",
            Self::StartedBroadcast => "started_broadcast",
            Self::ScheduledBroadcast => "scheduled_broadcast",
            Self::PausedBroadcast => "paused_broadcast",
            Self::ResumedBroadcast => "resumed_broadcast",
            Self::CancelledBroadcast => "cancelled_broadcast",
            Self::SetBroadcastCategory => "set_broadcast_category",
            Self::CreatedApiKey => "created_api_key",
            Self::RevokedApiKey => "revoked_api_key",
        }
    }

    /// The action with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

/// An entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// The entry's number; later entries have larger ones.
    pub id: i64,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The admin; `None` for a management command on the server, and for a failed sign-in to an
    /// account that does not exist.
    pub admin: Option<Admin>,
    /// What was done.
    pub action: AuditAction,
    /// The user that the action concerned.
    pub about: Option<TelegramId>,
    /// The value before; removed when the user is erased.
    pub old: Option<String>,
    /// The value after; removed when the user is erased.
    pub new: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_can_be_read_back() {
        for action in AuditAction::ALL {
            assert_eq!(AuditAction::from_name(action.name()), Some(action));
        }
    }
}
