use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    Admin, Arm, ArmSums, Broadcast, BroadcastActivity, BroadcastButton, BroadcastContent,
    BroadcastPlan, LabelName, PauseReason, RecipientState, RecipientSums, ResponseSums, TelegramId,
    TelegramUser, Variant,
};

use crate::error::RepositoryError;

/// The broadcasts, their recipients, and the lease of the process that sends. `by` is the admin who
/// changes something; `None` stands for a management command. Each change by an owner adds its entry to
/// the audit log in the same transaction.
#[async_trait]
pub trait BroadcastRepository: Send + Sync {
    /// The categories, sorted by name.
    async fn broadcast_categories(&self) -> Result<Vec<BroadcastCategory>, RepositoryError>;

    /// Adds a category, or changes the weekly cap of one that exists. Returns whether it is new.
    async fn add_category(
        &self,
        name: &LabelName,
        weekly_cap: Option<u32>,
        by: Option<&Admin>,
        at: DateTime<Utc>,
    ) -> Result<bool, RepositoryError>;

    /// Stores that a user gets no more broadcasts of a category, or gets them again. Returns whether it
    /// did: not if there is no such user or category, or if it is the category `system`. The change counts
    /// for the broadcasts of the category that the user got within
    /// [`OPT_OUT_COUNTS_FOR`](rollcall_domain::OPT_OUT_COUNTS_FOR) before opting out.
    async fn set_opt_out(
        &self,
        id: TelegramId,
        category: &LabelName,
        is_out: bool,
        at: DateTime<Utc>,
    ) -> Result<bool, RepositoryError>;

    /// The categories that a user has opted out of.
    async fn opt_outs(&self, id: TelegramId) -> Result<BTreeSet<LabelName>, RepositoryError>;

    /// Whether a broadcast was ever created.
    async fn has_broadcasts(&self) -> Result<bool, RepositoryError>;

    /// Stores a broadcast as a draft. `None` if there is no such category, or a picture of it is not stored.
    async fn create_broadcast(
        &self,
        plan: &BroadcastPlan,
        by: Option<&Admin>,
        at: DateTime<Utc>,
    ) -> Result<Option<Broadcast>, RepositoryError>;

    /// The broadcast of a number.
    async fn broadcast(&self, id: i64) -> Result<Option<Broadcast>, RepositoryError>;

    /// Up to `limit` broadcasts, the newest first, older than the number `before`.
    async fn broadcasts(
        &self,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Broadcast>, RepositoryError>;

    /// The sums of the recipients of these broadcasts.
    async fn recipient_sums(
        &self,
        broadcasts: &[i64],
    ) -> Result<BTreeMap<i64, RecipientSums>, RepositoryError>;

    /// How many recipients of a broadcast did what after their message.
    async fn responses(&self, broadcast: i64) -> Result<ResponseSums, RepositoryError>;

    /// The sums of the recipients of each arm of an experiment since their message went out.
    async fn arm_sums(&self, broadcast: i64) -> Result<ArmSums, RepositoryError>;

    /// The content that a recipient of a broadcast got; `None` if the user is none.
    async fn received_content(
        &self,
        broadcast: i64,
        id: TelegramId,
    ) -> Result<Option<BroadcastContent>, RepositoryError>;

    /// Stores which variant an owner wants the recipients to get that wait for the winner. It is refused
    /// unless the broadcast has started, and once the winner is decided.
    async fn pick_winner(
        &self,
        id: i64,
        winner: Variant,
        by: Option<&Admin>,
        at: DateTime<Utc>,
    ) -> Result<ChangedBroadcast, RepositoryError>;

    /// Decides the winner of a broadcast that is being sent, if it is time: an owner has picked it, or all
    /// recipients of the test part have had an outcome for long enough, or the broadcast has expired.
    /// Returns when it is to be tried again; `None` if nothing is to be decided any more. The caller then
    /// claims recipients from the first one on again.
    async fn decide_winner(
        &self,
        holder: &str,
        broadcast: i64,
        at: DateTime<Utc>,
    ) -> Result<Leased<Option<DateTime<Utc>>>, RepositoryError>;

    /// How many recipients of a broadcast were active within seven days after it; `None` until they have
    /// been counted.
    async fn activity(&self, broadcast: i64) -> Result<Option<BroadcastActivity>, RepositoryError>;

    /// The number of a broadcast of which the activity of all seven days is known at a time
    /// ([`activity_known_at`](rollcall_domain::activity_known_at)), but not counted.
    async fn uncounted_activity(&self, at: DateTime<Utc>) -> Result<Option<i64>, RepositoryError>;

    /// Counts the activity of up to `limit` more recipients of such a broadcast. Returns whether all are
    /// counted now. Of users who are erased before, nothing is counted.
    async fn count_activity(
        &self,
        holder: &str,
        broadcast: i64,
        limit: u32,
        at: DateTime<Utc>,
    ) -> Result<Leased<bool>, RepositoryError>;

    /// When the first of the recipients that wait for their time is due; `None` if none waits.
    async fn next_due(&self, broadcast: i64) -> Result<Option<DateTime<Utc>>, RepositoryError>;

    /// Stores that a user pressed a button of a broadcast. Returns whether it counts: only the first press
    /// of each button does, and only if the user is a recipient who may have the message.
    async fn press_button(
        &self,
        id: TelegramId,
        button: BroadcastButton,
        at: DateTime<Utc>,
    ) -> Result<bool, RepositoryError>;

    /// Up to `limit` recipients of a broadcast, by id, after one id.
    async fn recipients(
        &self,
        broadcast: i64,
        after: Option<TelegramId>,
        limit: u32,
    ) -> Result<Vec<Recipient>, RepositoryError>;

    /// Changes the state of a broadcast, if it is in one that allows it.
    async fn change_broadcast(
        &self,
        id: i64,
        change: BroadcastChange,
        by: Option<&Admin>,
        at: DateTime<Utc>,
    ) -> Result<ChangedBroadcast, RepositoryError>;

    /// Changes the plan of a draft. `None` if there is no such category.
    async fn change_draft(
        &self,
        id: i64,
        change: &DraftChange,
        by: Option<&Admin>,
        at: DateTime<Utc>,
    ) -> Result<Option<ChangedBroadcast>, RepositoryError>;

    /// The broadcasts that a process has to work on, by number: those that are being prepared or sent,
    /// and scheduled ones whose time has come by `at`.
    async fn active_broadcasts(&self, at: DateTime<Utc>)
    -> Result<Vec<Broadcast>, RepositoryError>;

    /// The numbers of the broadcasts with claimed recipients, whatever their state. If no message is going
    /// out, these are the ones to recover.
    async fn claimed_broadcasts(&self) -> Result<Vec<i64>, RepositoryError>;

    /// The lease as it is.
    async fn sender_lease(&self) -> Result<SenderLease, RepositoryError>;

    /// Takes the lease for `holder`, or renews it, if it is still as it was `seen`. Returns whether that
    /// worked. If the database turns out to be a restored one, the broadcasts that could go on by
    /// themselves are paused.
    async fn take_sender_lease(
        &self,
        holder: &str,
        seen: &SenderLease,
        at: DateTime<Utc>,
    ) -> Result<bool, RepositoryError>;

    /// Ends the lease of `holder`, if it has it.
    async fn end_sender_lease(&self, holder: &str) -> Result<(), RepositoryError>;

    /// Begins a broadcast whose time has come: it is being prepared from `at` on.
    async fn begin_scheduled(
        &self,
        holder: &str,
        broadcast: i64,
        at: DateTime<Utc>,
    ) -> Result<Leased<bool>, RepositoryError>;

    /// Stores more recipients of a broadcast that is being prepared, and the last id that was looked at.
    /// `ids` are in order; those of users who were erased meanwhile are left out. With `None`, it was
    /// the last part, and the broadcast is being sent from now on.
    async fn add_recipients(
        &self,
        holder: &str,
        broadcast: i64,
        ids: &[TelegramId],
        last: Option<TelegramId>,
        at: DateTime<Utc>,
    ) -> Result<Leased<AddedRecipients>, RepositoryError>;

    /// Settles the recipients that are still claimed, although no message is going out. If their messages
    /// certainly `are_unsent`, they are queued again; if not, the broadcast's policy decides between
    /// unknown and queued. Those of a broadcast that has ended are unknown, because it sends nothing
    /// again. Returns how many there were.
    async fn recover_recipients(
        &self,
        holder: &str,
        broadcast: i64,
        are_unsent: bool,
        at: DateTime<Utc>,
    ) -> Result<Leased<u64>, RepositoryError>;

    /// Claims up to `limit` of the queued recipients: those whose time has come, and then those after an
    /// id, in the order of their ids. With `None`, or an id of the settled part, it begins behind that
    /// part. Recipients that must not or cannot get the message get their outcome instead, and those whose
    /// time has not come get a due time, and wait. After an error, some may be claimed or not.
    async fn claim_recipients(
        &self,
        holder: &str,
        broadcast: i64,
        after: Option<TelegramId>,
        limit: u32,
        at: DateTime<Utc>,
    ) -> Result<Leased<RecipientClaim>, RepositoryError>;

    /// Stores outcomes of claimed recipients. No recipient up to `settled_to` is queued or claimed, except
    /// those with a due time.
    async fn settle_recipients(
        &self,
        holder: &str,
        broadcast: i64,
        outcomes: &[RecipientOutcome],
        settled_to: Option<TelegramId>,
    ) -> Result<Leased<()>, RepositoryError>;

    /// Pauses a broadcast that is being prepared or sent.
    async fn pause_broadcast(
        &self,
        holder: &str,
        broadcast: i64,
        reason: PauseReason,
    ) -> Result<Leased<()>, RepositoryError>;

    /// Finishes a broadcast that is being sent, if no recipient is queued or claimed. Returns whether it
    /// did.
    async fn finish_broadcast(
        &self,
        holder: &str,
        broadcast: i64,
        at: DateTime<Utc>,
    ) -> Result<Leased<bool>, RepositoryError>;
}

/// The result of what only the process with the lease may do; `None` if it has lost the lease, and
/// nothing was changed.
pub type Leased<T> = Option<T>;

/// A kind of broadcasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BroadcastCategory {
    /// Its name.
    pub name: LabelName,
    /// How many of its messages a user gets in seven days at most.
    pub weekly_cap: Option<u32>,
}

/// A change of a broadcast by an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BroadcastChange {
    /// Starts a draft or a scheduled one now.
    Start,
    /// Lets a draft start by itself, at the time of its plan.
    Schedule,
    /// Pauses one that is being prepared or sent.
    Pause,
    /// Resumes a paused one.
    Resume,
    /// Ends one that has not ended.
    Cancel,
}

/// A change of the plan of a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DraftChange {
    /// Sets its category.
    Category {
        /// The category.
        category: LabelName,
        /// Whether its messages have an opt-out button.
        has_opt_out_button: bool,
    },
    /// Lets it start at this time for all users, if it is scheduled.
    StartsAt(Option<DateTime<Utc>>),
    /// Sets how fast it is sent.
    Speed {
        /// The most messages a second; `None` for what is left.
        rate: Option<u32>,
        /// Whether more messages a second are paid for.
        is_paid: bool,
    },
}

/// The result of a change by an owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangedBroadcast {
    /// It was changed, and is now so.
    Changed(Broadcast),
    /// Its state does not allow that, and nothing was changed.
    Refused(Broadcast),
    /// There is none of this number.
    Missing,
}

/// A recipient of a broadcast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The user.
    pub telegram_id: TelegramId,
    /// What became of the message.
    pub state: RecipientState,
    /// Why it was not sent.
    pub reason: Option<String>,
    /// The message in the user's chat.
    pub message_id: Option<i64>,
    /// When it got this state; `None` while it is queued.
    pub at: Option<DateTime<Utc>>,
    /// Until when it waits, or waited before it was claimed. `None` once it has an outcome.
    pub due_at: Option<DateTime<Utc>>,
    /// The arm of the experiment, once the message went out.
    pub arm: Option<Arm>,
    /// When the user first pressed a button of the message.
    pub pressed_at: Option<DateTime<Utc>>,
}

/// The outcome of a claimed recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientOutcome {
    /// The user.
    pub telegram_id: TelegramId,
    /// What became of the message; queued if it was certainly not sent and is to be sent later.
    pub state: RecipientState,
    /// Why it was not sent.
    pub reason: Option<String>,
    /// The message in the user's chat.
    pub message_id: Option<i64>,
    /// When that was known.
    pub at: DateTime<Utc>,
}

/// Recipients that were claimed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecipientClaim {
    /// Those to send to.
    pub users: Vec<TelegramUser>,
    /// Those of them that have waited for their time, so the order of ids does not hold for them.
    pub waited: BTreeSet<TelegramId>,
    /// Which variant each of them gets; those that are missing get the only one.
    pub variants: BTreeMap<TelegramId, Variant>,
    /// The last recipient that was looked at in the order of ids; `None` if none was.
    pub last: Option<TelegramId>,
    /// What is left.
    pub rest: Rest,
    /// How many recipients have opted out until now; see [`Broadcast::opt_outs`].
    pub opt_outs: u64,
    /// How many recipients blocked the bot after their message until now; see
    /// [`BroadcastResponse::Blocked`](rollcall_domain::BroadcastResponse::Blocked).
    pub blocks: u64,
    /// Whether the broadcast is still being sent: if not, none was claimed.
    pub is_sending: bool,
}

/// What a claim leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rest {
    /// More recipients may be queued.
    More,
    /// The recipients that are queued wait for the winner, which may be decided once no message is on its
    /// way: see [`BroadcastRepository::decide_winner`].
    Undecided,
    /// All that are queued wait. At this time the first is due, or the broadcast expires.
    Waits(DateTime<Utc>),
    /// No recipient is queued.
    #[default]
    Nothing,
}

/// A part of the recipients that was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddedRecipients {
    /// Whether the broadcast is still being prepared: if not, none was added, or this was the last part.
    pub is_preparing: bool,
    /// How long that held its locks.
    pub held: Duration,
}

/// Which process sends, and how often it has renewed its lease.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SenderLease {
    /// The process; `None` if none does.
    pub holder: Option<String>,
    /// How often the lease was renewed, ever.
    pub renewals: i64,
}
