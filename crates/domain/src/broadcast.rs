//! Broadcasts: messages to all users that a filter selects.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, iter,
    str::FromStr,
};

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;

use crate::{
    Arm, Buttons, Decision, DeliveryTimes, Filter, LabelName, Percent, Pick, PictureId, TelegramId,
    Variant, VariantTest,
    broadcast_experiment::{is_held_out, is_tested, variant},
    local_days::first_moment,
};

/// The category of what users must know. They cannot opt out of it.
pub const SYSTEM_CATEGORY: &str = "system";
/// The category of news, which every bot has.
pub const NEWS_CATEGORY: &str = "news";
/// The category of promotions, which every bot has.
pub const PROMO_CATEGORY: &str = "promo";
/// How long after its message an opt-out counts as one of the broadcast.
pub const OPT_OUT_COUNTS_FOR: Duration = Duration::hours(24);
/// How long a broadcast may take, unless its owner says otherwise.
pub const BROADCAST_LASTS: Duration = Duration::hours(24);
/// The most bytes of a picture's `file_id`. Telegram gives no limit; today's ones have less than a hundred.
const MAX_FILE_ID_BYTES: usize = 512;
/// The most characters of a broadcast's name.
pub const MAX_BROADCAST_NAME_CHARS: usize = 64;

/// A message to all users that a filter selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broadcast {
    /// Its number.
    pub id: i64,
    /// What its owner wants it to do.
    pub plan: BroadcastPlan,
    /// How far it is.
    pub state: BroadcastState,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// Who created it; `None` for a management command.
    pub created_by: Option<String>,
    /// When it started; the ages of its filter are counted back from here.
    pub started_at: Option<DateTime<Utc>>,
    /// When all of its recipients were stored.
    pub prepared_at: Option<DateTime<Utc>>,
    /// When it was finished or cancelled.
    pub ended_at: Option<DateTime<Utc>>,
    /// The last id that was looked at for its recipients.
    pub prepared_to: Option<TelegramId>,
    /// No recipient up to this id is queued or claimed, except those that wait for their time.
    pub settled_to: Option<TelegramId>,
    /// How many recipients opted out of the category within [`OPT_OUT_COUNTS_FOR`] after their message,
    /// and have not opted in again.
    pub opt_outs: u64,
    /// When all recipients of the part that tests the variants had an outcome.
    pub tested_at: Option<DateTime<Utc>>,
    /// The winner that an owner has chosen. It is decided once no message is on its way.
    pub pick: Option<Pick>,
    /// The winner, once it is decided.
    pub decision: Option<Decision>,
}

impl Broadcast {
    /// When the last message may be sent; `None` before it has started. If each user gets it at a local
    /// time, the time of the last zone counts as the start.
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        let last = self.plan.times.span().map(|(_, last)| last);
        self.started_at?.max(last.unwrap_or_default()).checked_add_signed(self.plan.lasts)
    }

    /// Whether most recipients wait for the winner.
    pub fn is_testing(&self) -> bool {
        self.plan.experiment.test.is_some() && self.decision.is_none()
    }

    /// When the winner is decided by its figures; `None` if no test goes on, or the test part is not done.
    pub fn decides_at(&self) -> Option<DateTime<Utc>> {
        let test = self.plan.experiment.test.filter(|_| self.is_testing())?;
        self.tested_at?.checked_add_signed(test.after)
    }

    /// The variant that the recipients of an arm get.
    pub fn variant_of(&self, arm: Arm) -> Variant {
        match (arm, &self.decision) {
            (Arm::Variant(variant), _) => variant,
            (Arm::Winner, Some(decision)) => decision.winner,
            (Arm::Winner, None) => Variant::A,
        }
    }
}

/// What a broadcast is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BroadcastPlan {
    /// What its owner calls it.
    pub name: String,
    /// The category, which users can opt out of.
    pub category: LabelName,
    /// Selects the recipients when it starts. Bots are left out.
    pub filter: Filter,
    /// The time zone of the filter's days, and of users without one of their own.
    pub zone: Tz,
    /// What is sent.
    pub content: BroadcastContent,
    /// The most messages a second; `None` for what the bot has left.
    pub rate: Option<u32>,
    /// Whether the bot pays Stars for more messages a second.
    pub is_paid: bool,
    /// What becomes of recipients of which a crash leaves unknown whether they got the message.
    pub on_unknown: OnUnknown,
    /// When it starts by itself; `None` if somebody starts it.
    pub starts_at: Option<DateTime<Utc>>,
    /// How long after its start the last message may be sent; see [`Broadcast::expires_at`].
    pub lasts: Duration,
    /// When each recipient may get it, by their own clocks.
    pub times: DeliveryTimes,
    /// Whether its messages have a button that opts out of the category.
    pub has_opt_out_button: bool,
    /// What it tries out.
    pub experiment: Experiment,
}

impl BroadcastPlan {
    /// The time that its owner chose for it; for a local time, when it comes in the broadcast's own zone.
    /// It may begin earlier, where that time comes first.
    pub fn planned_for(&self) -> Option<DateTime<Utc>> {
        match self.times.local_time {
            Some(local) => Some(first_moment(self.zone, local)),
            None => self.starts_at,
        }
    }

    /// The stored pictures that its messages have.
    pub fn stored_pictures(&self) -> BTreeSet<PictureId> {
        let contents = iter::once(&self.content).chain(&self.experiment.others);
        contents.filter_map(|it| it.picture()?.stored()).collect()
    }

    /// The content of a variant; that of A if there is none of this letter.
    pub fn content_of(&self, variant: Variant) -> &BroadcastContent {
        let other = variant.place().checked_sub(1);
        other.and_then(|place| self.experiment.others.get(place)).unwrap_or(&self.content)
    }

    /// Whether messages of a category have an opt-out button, unless the owner says otherwise.
    pub fn has_opt_out_button_by_default(category: &LabelName) -> bool {
        category.as_str() == PROMO_CATEGORY
    }
}

/// What a broadcast tries out. The default is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Experiment {
    /// The part of the recipients that does not get the message, to compare the others with.
    pub hold_out: Option<Percent>,
    /// The contents beside that of the plan, which is the variant A: B, C and so on.
    pub others: Vec<BroadcastContent>,
    /// How the best content is found before most recipients get one; `None` if all variants go out.
    pub test: Option<VariantTest>,
}

impl Experiment {
    /// Whether there is more than one content.
    pub fn has_variants(&self) -> bool {
        !self.others.is_empty()
    }

    /// Whether recipients are treated differently at all.
    pub fn is_any(&self) -> bool {
        self.has_variants() || self.hold_out.is_some()
    }

    /// The variants, from A on.
    pub fn variants(&self) -> impl Iterator<Item = Variant> + use<> {
        Variant::ALL.into_iter().take(1 + self.others.len())
    }

    /// Whether a recipient belongs to the held-out part. The same broadcast always chooses the same
    /// users, and another one chooses others.
    pub fn is_held_out(&self, broadcast: i64, id: TelegramId) -> bool {
        self.hold_out.is_some_and(|part| is_held_out(part, broadcast, id))
    }

    /// Which arm a recipient belongs to. `None` if the recipient waits for the winner, which is not
    /// decided yet. Like the held-out part, the arms are always the same for a broadcast.
    pub fn arm(&self, broadcast: i64, id: TelegramId, is_decided: bool) -> Option<Arm> {
        match self.test {
            Some(_) if is_decided => Some(Arm::Winner),
            Some(test) if !is_tested(test.part, broadcast, id) => None,
            _ => Some(Arm::Variant(variant(1 + self.others.len(), broadcast, id))),
        }
    }
}

/// What a broadcast sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BroadcastContent {
    /// A text.
    Text {
        /// Telegram's HTML for each language code, in lower case. That of `` is for all others.
        texts: BTreeMap<String, String>,
        /// The buttons below, as a text of lines.
        buttons: String,
        /// The picture above; the text is its caption then.
        picture: Option<Picture>,
    },
    /// A copy of a message that an owner sent to the bot.
    Copy {
        /// The chat with the message.
        from_chat_id: i64,
        /// The message.
        message_id: i64,
        /// The buttons below, as the Bot API's JSON: a copy has none by itself.
        reply_markup: Option<String>,
    },
}

impl BroadcastContent {
    /// The picture above the text.
    pub fn picture(&self) -> Option<&Picture> {
        match self {
            Self::Text { picture, .. } => picture.as_ref(),
            Self::Copy { .. } => None,
        }
    }

    /// The buttons that count presses: the number of each, and its text.
    pub fn counted_buttons(&self) -> Vec<(u16, String)> {
        let Self::Text { buttons, .. } = self else { return Vec::new() };
        let buttons: Buttons = buttons.parse().unwrap_or_default();
        let counted = buttons.numbered().filter(|(_, it)| it.target().counts_presses());
        counted.map(|(number, it)| (number, it.text().to_owned())).collect()
    }
}

/// A picture above a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picture {
    /// One that Telegram already has, by the `file_id` that this bot knows it by.
    FileId(String),
    /// One that was uploaded, and is stored here.
    Stored(PictureId),
}

impl Picture {
    /// The picture of a `file_id`; `None` if the text cannot be one, such as an address.
    pub fn of_file_id(text: &str) -> Option<Self> {
        let is_right = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let is_one = (1..=MAX_FILE_ID_BYTES).contains(&text.len()) && text.bytes().all(is_right);
        is_one.then(|| Self::FileId(text.to_owned()))
    }

    /// The `file_id`, if it is named by one.
    pub fn file_id(&self) -> Option<&str> {
        match self {
            Self::FileId(id) => Some(id),
            Self::Stored(_) => None,
        }
    }

    /// Which stored picture it is, if it was uploaded.
    pub fn stored(&self) -> Option<PictureId> {
        match self {
            Self::FileId(_) => None,
            Self::Stored(id) => Some(*id),
        }
    }
}

/// How far a broadcast is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BroadcastState {
    /// It was created, and waits for its start.
    Draft,
    /// It starts by itself at its time.
    Scheduled,
    /// Its recipients are being stored.
    Preparing,
    /// Messages go out.
    Sending,
    /// It waits for an owner, for this reason.
    Paused(PauseReason),
    /// Every recipient has an outcome.
    Finished,
    /// An owner ended it.
    Cancelled,
}

impl BroadcastState {
    /// The state's name, as it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Scheduled => "scheduled",
            Self::Preparing => "preparing",
            Self::Sending => "sending",
            Self::Paused(_) => "paused",
            Self::Finished => "finished",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state with this name and reason.
    pub fn from_names(name: &str, reason: Option<&str>) -> Option<Self> {
        Some(match name {
            "draft" => Self::Draft,
            "scheduled" => Self::Scheduled,
            "preparing" => Self::Preparing,
            "sending" => Self::Sending,
            "paused" => Self::Paused(PauseReason::from_name(reason?)?),
            "finished" => Self::Finished,
            "cancelled" => Self::Cancelled,
            _ => return None,
        })
    }

    /// Why it is paused.
    pub fn reason(self) -> Option<PauseReason> {
        match self {
            Self::Paused(reason) => Some(reason),
            _ => None,
        }
    }

    /// Whether nothing more happens to it.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Finished | Self::Cancelled)
    }
}

/// Why a broadcast is paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PauseReason {
    /// An owner paused it.
    Owner,
    /// Telegram refuses the message for every recipient.
    Content,
    /// Too many of the last recipients blocked the bot, opted out, or could not get the message.
    Safety,
    /// The database was restored from a backup, so it may lack messages that were sent.
    Restored,
    /// The filter cannot be evaluated: a segment, tag or group in it does not exist any more.
    Audience,
}

impl PauseReason {
    /// Every reason.
    pub const ALL: [Self; 5] =
        [Self::Owner, Self::Content, Self::Safety, Self::Restored, Self::Audience];

    /// The reason's name, as it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Content => "content",
            Self::Safety => "safety",
            Self::Restored => "restored",
            Self::Audience => "audience",
        }
    }

    /// The reason with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }
}

impl fmt::Display for PauseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Owner => "an owner paused it",
            Self::Content => "Telegram refuses the message",
            Self::Safety => {
                "too many recipients blocked the bot, opted out or did not get the message"
            }
            Self::Restored => "the database was restored from a backup",
            Self::Audience => "its filter can no longer be evaluated",
        })
    }
}

/// What becomes of recipients of which a crash leaves unknown whether they got the message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnUnknown {
    /// They are left out: everyone gets it at most once.
    #[default]
    Skip,
    /// They get it again: everyone gets it at least once.
    Resend,
}

impl OnUnknown {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Skip, Self::Resend];

    /// The name, as it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Resend => "resend",
        }
    }
}

impl FromStr for OnUnknown {
    type Err = InvalidOnUnknown;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|it| it.name() == text).ok_or(InvalidOnUnknown)
    }
}

/// The text names no policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected skip or resend")]
pub struct InvalidOnUnknown;
