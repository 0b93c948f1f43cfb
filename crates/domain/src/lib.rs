//! The users of a Telegram bot, and the rules by which interactions change what is stored about
//! them.
//!
//! Entities and value types only: no I/O, no SQL, no Telegram client. A [`Profile`] brings text
//! into its stored form when it is built, so other code can rely on it. The rules of registration
//! are one pure function, [`TelegramUser::observe`]; every storage replays interactions through it.
//!
//! To add a value type, write a module with its name and a constructor that rejects or repairs
//! invalid values. Keep the fields private, so that the constructor cannot be bypassed.

mod activity;
mod admin;
mod audience;
mod backoff;
mod broadcast;
mod broadcast_activity;
mod broadcast_button;
mod broadcast_experiment;
mod broadcast_response;
mod client_network;
mod clock;
mod club;
mod command_use;
mod delivery_times;
mod directory;
mod error_chain;
mod filter;
mod game;
mod interaction;
mod local_days;
mod log_pace;
mod message;
mod personal_data;
mod picture;
mod place;
mod preferences;
mod privacy_request;
mod profile;
mod quarantined_update;
mod reachability;
mod recipient;
mod registration;
mod retention_period;
mod search;
mod source;
mod spelling;
mod stats;
mod stored_text;
mod telegram_id;
mod thousands;
mod update_subscription;
mod user;
mod user_event;
mod user_label;
mod username;
mod visible;

pub use activity::{
    ActiveDay, Facts, Figure, Hour, Label, LatestDay, Lifecycle, Neighbours, Origin, Sums,
    add_first_hour, add_reachability_change, add_start, earlier_hour, month, week,
};
pub use admin::{
    Admin, AdminAccount, AdminName, ApiKey, ApiScope, ApiScopes, AuditAction, AuditEntry,
    InvalidAdmin, InvalidAdminName, InvalidApiScopes, InvalidRole, Role, SignInFailures,
    SignInLimit,
};
pub use audience::{
    DayField, DayRange, FIELDS, Filter, FilterError, FilterField, FilterNode, InvalidLabelName,
    LabelName, MAX_BESIDE_NAMES, MAX_FILTER_BYTES, MAX_FILTER_DEPTH, MAX_FILTER_TERMS,
    MAX_SEGMENTS, MAX_SELECTION_TERMS, NumberRange, OfBroadcast, Pattern, Segment, SegmentChanges,
    SegmentSize, Selection, SelectionError, Share, ShareNumbers, Term, Use, quoted_in_filter,
};
pub use backoff::Backoff;
pub use broadcast::{
    BROADCAST_LASTS, Broadcast, BroadcastContent, BroadcastPlan, BroadcastState, Experiment,
    InvalidOnUnknown, MAX_BROADCAST_NAME_CHARS, NEWS_CATEGORY, OPT_OUT_COUNTS_FOR, OnUnknown,
    PROMO_CATEGORY, PauseReason, Picture, SYSTEM_CATEGORY,
};
pub use broadcast_activity::{
    ActiveUsers, BroadcastActivity, Effect, activity_days, activity_known_at, was_active_after,
};
pub use broadcast_button::{BroadcastButton, InvalidBroadcastButton, MAX_BUTTONS};
pub use broadcast_experiment::{
    Arm, Decision, InvalidPercent, InvalidVariant, InvalidWinnerBy, MAX_VARIANTS, Percent, Pick,
    Variant, VariantFigures, VariantTest, WinnerBy,
};
pub use broadcast_response::{
    ArmResponse, BLOCK_COUNTS_FOR, BroadcastResponse, ResponseSums, is_response,
};
pub use client_network::client_network;
pub use clock::{CLOCK_TOLERANCE, Clock, SystemClock};
pub use club::{TeamRecord, clubs};
pub use command_use::{CommandUse, DaysOfUse, Used};
pub use delivery_times::{DeliveryTimes, InvalidQuietHours, QuietHours};
pub use directory::{
    Counted, Cursor, DateLevel, Days, InvalidCursor, ListedUser, MAX_NOTE_CHARS, Note, NoteChange,
    PeriodCount, ProfileChange, ProfileField, ReachabilityFilter, SortKey, UserDetail, UserFilter,
    UserSlice, UserSort,
};
pub use error_chain::error_chain;
pub use filter::{InvalidFilter, read_day, read_language, read_number, read_search, read_source};
pub use game::{
    Game, GameKind, GameState, GameUpdate, MAX_ABBREVIATION_CHARS, MAX_TEAM_NAME_CHARS, NHL_ZONE,
    Score, Team, undecided_start,
};
pub use interaction::{Chat, ChatKind, Event, Interaction, InteractionKind};
pub use local_days::{day_of, day_start, next_day, next_monday};
pub use log_pace::LogPace;
pub use message::{
    Button, ButtonTarget, Buttons, ByLanguage, Element, InvalidLanguageTag, Link, LinkPart,
    MAX_BUTTON_CHARS, MAX_BUTTONS_IN_ROW, MessageText, Part, Placeholder, TextError, TextLimit,
    UserText, Variable,
};
pub use personal_data::{
    Copied, DataRow, DataTopic, DataValue, Erasing, PersonColumn, PersonalData, PersonalTable,
    QUARANTINE_DAYS, WHOLE_UPDATE_DAYS,
};
pub use picture::{
    InvalidPicture, InvalidPictureId, MAX_PICTURE_BYTES, MAX_PICTURE_RATIO, MAX_PICTURE_SIDES,
    PictureFile, PictureId, PictureKind, PictureShape,
};
pub use preferences::{
    Language, MAX_FAVOURITES, Preferences, ZONE_REGIONS, region_of, zone_of_name, zones_of,
};
pub use privacy_request::{PrivacyRequest, REQUEST_IS_DUE_AFTER, RequestKind, UnknownRequestKind};
pub use profile::{MAX_LANGUAGE_CODE_CHARS, Profile};
pub use quarantined_update::QuarantinedUpdate;
pub use reachability::{
    InvalidStartPayload, Reachability, ReachabilityChange, StartPayload, UnreachableReason,
};
pub use recipient::{ArmSums, RecipientState, RecipientSums, SkipReason};
pub use registration::Registration;
pub use retention_period::{InvalidRetentionPeriod, RetentionPeriod};
pub use search::{SearchTerm, SearchText, fold};
pub use source::{LabelledSource, SourceLabel};
pub use stats::{Change, Comparison, DayStats, SameHours, TodaySoFar, UserStats};
pub use stored_text::MAX_NAME_CHARS;
pub use telegram_id::{InvalidTelegramId, TelegramId};
pub use thousands::{group_digits, grouped};
pub use update_subscription::{SubscribedWebhook, UpdateSubscription};
pub use user::{TelegramUser, seen_for_certain};
pub use user_event::{
    EventRefusal, InvalidUserEventKinds, UserEvent, UserEventKind, UserEventKinds,
};
pub use user_label::{LabelKind, LabelsOfUser, MAX_DESCRIPTION_CHARS, UserLabel};
pub use username::{InvalidUsername, Username};
pub use visible::{harmless, is_steering, is_visible};
