//! Rollcall's use cases, for bots in Rust.
//!
//! [`UserService`] is what the `bot` binary itself is made of, and what another bot can be given:
//! see `examples/register.rs`. [`ActivityService`] has the figures about all of them, and
//! [`AdminService`] knows who may look after them; [`ScheduleService`] has the games, and
//! [`PreferencesService`] what people have chosen. They do no I/O of their own, and read no clock but
//! the one they are given: storage is whatever implements
//! [`UserRepository`](rollcall_repository::UserRepository),
//! [`ActivityRepository`](rollcall_repository::ActivityRepository) and
//! [`AdminRepository`](rollcall_repository::AdminRepository).
//!
//! To add a use case: a method of the service that speaks in the domain's types, over a method of
//! a repository trait.

mod activity;
mod admin;
mod alerts;
mod cached;
mod common_password;
mod directory;
mod error;
mod local_days;
mod password;
mod preferences;
mod queue;
mod schedule;
mod sources;
mod text;
mod transfer;
mod users;

pub use activity::{
    Activity, ActivityService, Cohort, Count, DayFigures, DayRange, InvalidDayRange,
    LifecycleCounts, MAX_LABELS, MonthFigures, Share, SourceFigures, Totals, WeekFigures,
};
pub use admin::{
    AccountError, AdminService, Confirmed, Device, DeviceCookie, FactorError, InvalidTokenId,
    Invitation, InvitationError, InvitationLife, InvitationToken, LinkToken, OfferedFactor,
    OwnSession, Passkey, PasskeyError, PasskeySite, PasswordError, Proof, RecoveryCode,
    SecondFactors, Session, SessionToken, SignIn, SignInError, Standing, TokenId,
};
pub use alerts::{Alert, Alerts, Report};
pub use directory::DirectoryService;
pub use error::ServiceError;
pub use password::InvalidPassword;
pub use preferences::PreferencesService;
pub use rollcall_repository::{
    Allowed, AuditChain, AuditFault, AuditFilter, Difference, Digest, Imported, Lease, MAX_SOURCES,
    Page, PageRequest, Refresh, StoredGames,
};
pub use schedule::{Schedule, ScheduleDay, ScheduleService, ScheduleView};
pub use sources::SourceService;
pub use text::{Decoded, Line, Lines, Refused, Unreadable};
pub use transfer::{
    Export, Format, ImportError, ImportReport, Part, TransferService, UnknownFormat, csv_field,
};
pub use users::UserService;
