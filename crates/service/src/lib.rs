//! Rollcall's use cases, for bots in Rust.
//!
//! [`UserService`] registers users: the `bot` binary uses it, and so can your own bot, as
//! `examples/register.rs` shows. [`ActivityService`] has the statistics, [`AdminService`] the
//! admins, [`ScheduleService`] the games and [`PreferencesService`] the choices of users. The
//! services do no I/O of their own, and read only the clock that they are given. The storage is any
//! implementation of [`UserRepository`](rollcall_repository::UserRepository),
//! [`ActivityRepository`](rollcall_repository::ActivityRepository) and
//! [`AdminRepository`](rollcall_repository::AdminRepository).
//!
//! Without the feature `admin`, there are no accounts, sessions and deletions of many users, and no
//! dependency on OpenSSL.
//!
//! To add a use case, write a method of a service in terms of the domain's types, which calls a
//! method of a repository trait.

#![cfg_attr(
    not(feature = "admin"),
    allow(
        dead_code,
        rustdoc::broken_intra_doc_links,
        reason = "some items are for the feature only, and some links name its items"
    )
)]

mod activity;
#[cfg(feature = "admin")]
mod admin;
mod alerts;
mod audience;
mod broadcasts;
mod cached;
#[cfg(feature = "admin")]
mod deletion;
mod directory;
mod error;
mod just_now;
mod labels;
mod maintenance;
mod outage;
mod pace;
mod preferences;
mod privacy;
mod queue;
#[cfg(feature = "admin")]
mod retention;
mod schedule;
mod segments;
mod sources;
mod subscriptions;
mod text;
mod transfer;
mod user_events;
mod users;

pub use activity::{
    Activity, ActivityService, Cohort, Count, DayFigures, DayRange, InvalidDayRange,
    LifecycleCounts, MAX_LABELS, MonthFigures, Share, SourceFigures, Totals, WeekFigures,
};
#[cfg(feature = "admin")]
pub use admin::{
    AccountError, AdminService, ApiKeyError, ApiKeySecret, ClaimCode, ClaimResult, Confirmed,
    Device, DeviceCookie, FactorError, InvalidPassword, InvalidTokenId, Invitation,
    InvitationError, InvitationLife, InvitationToken, LastingLink, LinkToken, ListedApiKey,
    MiniAppKey, OfferedFactor, OwnSession, Passkey, PasskeyError, PasskeySite, PasswordError,
    Proof, RecoveryCode, SecondFactors, Session, SessionToken, SignIn, SignInError, Standing,
    TokenId, random_bytes,
};
pub use alerts::{Alert, Alerts, Report};
pub use audience::{AudienceError, AudienceService};
pub use broadcasts::{
    AudienceSize, BothWays, BroadcastError, BroadcastSender, BroadcastService, CategoryChoice,
    ComposingService, ContentError, Delivery, ExperimentError, Forecast, Lane, LeaseTimes, Letter,
    Message, Messenger, OptOutButton, OptOutService, OutgoingContent, OutgoingMessage,
    OutgoingPicture, PAID_RATE, Paces, PictureError, PictureService, PressAnswer, PressService,
    RECIPIENTS_HEADER, RESENT_STATES, Stars, Waiting, check_experiment, recipient_line,
};
#[cfg(feature = "admin")]
pub use deletion::{Deletion, DeletionProgress, DeletionService};
pub use directory::{DirectoryService, Facets};
pub use error::ServiceError;
pub use just_now::{JustNow, MinuteCount};
pub use labels::{ChangeStanding, LabelError, LabelProgress, LabelService, ListedChange};
pub use maintenance::{forget_pictures, forget_privacy_requests, maintain};
#[cfg(feature = "admin")]
pub use maintenance::{forget_sessions, retain};
pub use outage::Outage;
pub use preferences::PreferencesService;
#[cfg(feature = "admin")]
pub use privacy::{CopyRequest, EraseError, PrivacyService};
pub use privacy::{PersonalDataService, PrivacyRequestService, RequestId, UserCopy};
#[cfg(feature = "admin")]
pub use retention::{Retention, RetentionService};
pub use rollcall_repository::{
    Allowed, AuditChain, AuditFault, AuditFilter, BroadcastCategory, BroadcastChange,
    BroadcastRequest, CountProgress, Difference, Digest, Imported, LabelChange, LabelChangeState,
    LabelChoice, LatestPasses, Lease, MAX_PAGE_SIZE, MAX_SOURCES, ProgressMessage, Recipient,
    Refresh, SegmentPass, SegmentUsers, SenderLease, SourceTag, StoredGames, StoredPicture,
};
pub use schedule::{Schedule, ScheduleDay, ScheduleService, ScheduleView};
pub use segments::{CountedSegment, SegmentService};
pub use sources::SourceService;
pub use subscriptions::SubscriptionService;
pub use text::{Decoded, Line, Lines, Refused, Unreadable};
pub use transfer::{
    Export, Format, ImportError, ImportReport, Part, TransferService, UnknownFormat, csv_field,
};
pub use user_events::UserEventService;
pub use users::UserService;
