//! The storage interface of Rollcall: repository traits and errors.
//!
//! Traits only; the implementation on SQLite and PostgreSQL is `rollcall-repository-diesel`, and
//! the contract that every implementation keeps is the suite in `rollcall-testkit`.
//!
//! To add a method: write its contract in the testkit, declare it here with its result and errors,
//! then implement it. A look-up returns `Ok(None)` if there is nothing; an error means that the
//! storage does not know.

mod activity;
mod admin;
mod audience;
mod bot;
mod broadcast;
mod composing;
mod directory;
mod error;
mod label;
mod personal_data;
mod picture;
mod preferences;
mod quarantine;
mod retention;
mod schedule;
mod segment;
mod segment_pass;
mod source;
mod transfer;
mod user;
mod user_event;

pub use activity::{
    ActivityRepository, DaySum, DemoRepository, Difference, History, LabelSum, UseCount,
};
pub use admin::{
    Accepted, AccountChange, AddedPasskey, AdminAccountRepository, AdminRepository,
    AdminSessionRepository, ApiKeyRepository, AuditChain, AuditFault, AuditFilter,
    AuditLogRepository, Claim, Claimed, DeviceGeneration, DeviceSecret, Digest, EnabledFactor,
    Expiry, FactorProof, FactorSecret, InvitationRepository, KnownDeviceRepository, ListedSession,
    NewAuditEntry, NewClaimCode, NewSession, Opened, OwnerRepository, PasskeyRepository,
    RemovedPasskey, SecondFactorRepository, SignInAttemptRepository, SignInWait, StoredAccount,
    StoredApiKey, StoredChallenge, StoredFactor, StoredInvitation, StoredLink, StoredPasskey,
    StoredSession,
};
pub use audience::{AudienceRepository, CountProgress, MatchingUsers};
pub use bot::BotRepository;
pub use broadcast::{
    AddedRecipients, BroadcastCategory, BroadcastChange, BroadcastRepository, ChangedBroadcast,
    DraftChange, Leased, Recipient, RecipientClaim, RecipientOutcome, Rest, SenderLease,
};
pub use composing::{BroadcastRequest, ComposingRepository, ProgressMessage};
pub use directory::{DirectoryRepository, MAX_PAGE_SIZE};
pub use error::{BoxError, DatabaseError, LOCKED, RepositoryError, SuppressionKeyError};
pub use label::{
    CreatedLabel, DeletedLabel, LabelChange, LabelChangeState, LabelChoice, LabelPart,
    LabelRepository, LabelStep, NewLabelChange,
};
pub use personal_data::{
    AddedRequest, NewPrivacyRequest, PersonalDataRepository, PrivacyRequestRepository,
};
pub use picture::{PictureRepository, StoredPicture};
pub use preferences::PreferencesRepository;
pub use quarantine::QuarantineRepository;
pub use retention::{Cutoffs, Expired, RetentionRepository};
pub use schedule::{GameFilter, Lease, Refresh, ScheduleRepository, StoredGames};
pub use segment::{DeletedSegment, SavedSegment, SegmentCheck, SegmentRepository};
pub use segment_pass::{
    BeginPass, LatestPasses, SegmentPass, SegmentPassRepository, SegmentUsers, SelectedSegments,
};
pub use source::{Allowed, MAX_SOURCES, SourceRepository, SourceTag};
pub use transfer::{ImportEnd, Imported, ImportedUser, Incoming, TransferRepository};
pub use user::{Batch, UserRepository};
pub use user_event::UserEventRepository;
