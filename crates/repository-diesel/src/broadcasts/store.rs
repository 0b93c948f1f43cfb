use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::Connection;
use rollcall_domain::{
    Admin, ArmSums, Broadcast, BroadcastActivity, BroadcastButton, BroadcastContent, BroadcastPlan,
    LabelName, PauseReason, RecipientSums, ResponseSums, TelegramId, Variant,
};
use rollcall_repository::{
    AddedRecipients, BroadcastCategory, BroadcastChange, BroadcastRepository, ChangedBroadcast,
    DraftChange, Leased, Recipient, RecipientClaim, RecipientOutcome, RepositoryError, SenderLease,
};

use super::{
    activity, categories, claim, decide, draft,
    origin::Place,
    outcome,
    plan::{self, Author},
    prepare, presses, responses, row, sender, sums, waiting,
};
use crate::users::store::DieselUserRepository;

#[async_trait]
impl BroadcastRepository for DieselUserRepository {
    async fn broadcast_categories(&self) -> Result<Vec<BroadcastCategory>, RepositoryError> {
        self.database.read("list categories of broadcasts", categories::list).await
    }

    async fn add_category(
        &self,
        name: &LabelName,
        weekly_cap: Option<u32>,
        by: Option<&Admin>,
        at: DateTime<Utc>,
    ) -> Result<bool, RepositoryError> {
        let (name, author) = (name.clone(), Author { by: by.cloned(), at });
        self.database
            .write("set a category of broadcasts", move |connection| {
                connection.transaction(|connection| {
                    categories::add(connection, &name, weekly_cap, &author)
                })
            })
            .await
    }

    async fn set_opt_out(
        &self,
        id: TelegramId,
        category: &LabelName,
        is_out: bool,
        at: DateTime<Utc>,
    ) -> Result<bool, RepositoryError> {
        let category = category.clone();
        self.database
            .write("set an opt-out", move |connection| {
                Ok(connection.transaction(|connection| {
                    categories::set_opt_out(connection, id, &category, is_out, at)
                })?)
            })
            .await
    }

    async fn opt_outs(&self, id: TelegramId) -> Result<BTreeSet<LabelName>, RepositoryError> {
        self.database
            .read("read opt-outs", move |connection| categories::opt_outs(connection, id))
            .await
    }

    async fn has_broadcasts(&self) -> Result<bool, RepositoryError> {
        self.database
            .read("look for any broadcast", |connection| Ok(plan::exist(connection)?))
            .await
    }

    async fn create_broadcast(
        &self,
        plan: &BroadcastPlan,
        by: Option<&Admin>,
        at: DateTime<Utc>,
    ) -> Result<Option<Broadcast>, RepositoryError> {
        let (plan, author) = (plan.clone(), Author { by: by.cloned(), at });
        self.database
            .write("create a broadcast", move |connection| {
                connection.transaction(|connection| plan::create(connection, &plan, &author))
            })
            .await
    }

    async fn broadcast(&self, id: i64) -> Result<Option<Broadcast>, RepositoryError> {
        self.database.read("find a broadcast", move |connection| row::find(connection, id)).await
    }

    async fn broadcasts(
        &self,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Broadcast>, RepositoryError> {
        self.database
            .read("list broadcasts", move |connection| plan::list(connection, before, limit))
            .await
    }

    async fn recipient_sums(
        &self,
        broadcasts: &[i64],
    ) -> Result<BTreeMap<i64, RecipientSums>, RepositoryError> {
        let broadcasts = broadcasts.to_owned();
        self.database
            .read("sum recipients", move |connection| sums::read(connection, &broadcasts))
            .await
    }

    async fn responses(&self, broadcast: i64) -> Result<ResponseSums, RepositoryError> {
        self.database
            .read("sum responses", move |connection| responses::read(connection, broadcast))
            .await
    }

    async fn arm_sums(&self, broadcast: i64) -> Result<ArmSums, RepositoryError> {
        self.database
            .read("sum recipients of arms", move |connection| sums::of_arms(connection, broadcast))
            .await
    }

    async fn received_content(
        &self,
        broadcast: i64,
        id: TelegramId,
    ) -> Result<Option<BroadcastContent>, RepositoryError> {
        self.database
            .read("look for what a recipient got", move |connection| {
                Ok(presses::received(connection, broadcast, id)?)
            })
            .await
    }

    async fn pick_winner(
        &self,
        id: i64,
        winner: Variant,
        by: Option<&Admin>,
        at: DateTime<Utc>,
    ) -> Result<ChangedBroadcast, RepositoryError> {
        let author = Author { by: by.cloned(), at };
        self.database
            .write("pick a winner", move |connection| {
                connection.transaction(|connection| decide::pick(connection, id, winner, &author))
            })
            .await
    }

    async fn decide_winner(
        &self,
        holder: &str,
        broadcast: i64,
        at: DateTime<Utc>,
    ) -> Result<Leased<Option<DateTime<Utc>>>, RepositoryError> {
        let holder = holder.to_owned();
        self.database
            .write("decide a winner", move |connection| {
                connection
                    .transaction(|connection| decide::decide(connection, &holder, broadcast, at))
            })
            .await
    }

    async fn activity(&self, broadcast: i64) -> Result<Option<BroadcastActivity>, RepositoryError> {
        self.database
            .read("read the activity after a broadcast", move |connection| {
                Ok(activity::read(connection, broadcast)?)
            })
            .await
    }

    async fn uncounted_activity(&self, at: DateTime<Utc>) -> Result<Option<i64>, RepositoryError> {
        self.database
            .read("look for activity to count", move |connection| {
                Ok(activity::uncounted(connection, at)?)
            })
            .await
    }

    async fn count_activity(
        &self,
        holder: &str,
        broadcast: i64,
        limit: u32,
        at: DateTime<Utc>,
    ) -> Result<Leased<bool>, RepositoryError> {
        let holder = holder.to_owned();
        let part = self
            .database
            .read("look at the activity after a broadcast", move |connection| {
                activity::look(connection, broadcast, limit)
            })
            .await?;
        self.database
            .write("count the activity after a broadcast", move |connection| {
                connection.transaction(|connection| activity::add(connection, &holder, &part, at))
            })
            .await
    }

    async fn next_due(&self, broadcast: i64) -> Result<Option<DateTime<Utc>>, RepositoryError> {
        self.database
            .read("look for the next due time", move |connection| {
                Ok(waiting::next(connection, broadcast)?)
            })
            .await
    }

    async fn press_button(
        &self,
        id: TelegramId,
        button: BroadcastButton,
        at: DateTime<Utc>,
    ) -> Result<bool, RepositoryError> {
        self.database
            .write("press a button", move |connection| {
                Ok(connection
                    .transaction(|connection| presses::press(connection, id, button, at))?)
            })
            .await
    }

    async fn recipients(
        &self,
        broadcast: i64,
        after: Option<TelegramId>,
        limit: u32,
    ) -> Result<Vec<Recipient>, RepositoryError> {
        self.database
            .read("list recipients", move |connection| {
                plan::recipients(connection, broadcast, after, limit)
            })
            .await
    }

    async fn change_broadcast(
        &self,
        id: i64,
        change: BroadcastChange,
        by: Option<&Admin>,
        at: DateTime<Utc>,
    ) -> Result<ChangedBroadcast, RepositoryError> {
        let author = Author { by: by.cloned(), at };
        self.database
            .write("change a broadcast", move |connection| {
                connection.transaction(|connection| plan::change(connection, id, change, &author))
            })
            .await
    }

    async fn change_draft(
        &self,
        id: i64,
        change: &DraftChange,
        by: Option<&Admin>,
        at: DateTime<Utc>,
    ) -> Result<Option<ChangedBroadcast>, RepositoryError> {
        let (change, author) = (change.clone(), Author { by: by.cloned(), at });
        self.database
            .write("change a draft", move |connection| {
                connection.transaction(|connection| draft::change(connection, id, &change, &author))
            })
            .await
    }

    async fn active_broadcasts(
        &self,
        at: DateTime<Utc>,
    ) -> Result<Vec<Broadcast>, RepositoryError> {
        self.database
            .read("look for broadcasts", move |connection| plan::active(connection, at))
            .await
    }

    async fn claimed_broadcasts(&self) -> Result<Vec<i64>, RepositoryError> {
        self.database.read("look for claimed recipients", sums::claimed_broadcasts).await
    }

    async fn sender_lease(&self) -> Result<SenderLease, RepositoryError> {
        self.database.read("read the lease", sender::read).await
    }

    async fn take_sender_lease(
        &self,
        holder: &str,
        seen: &SenderLease,
        at: DateTime<Utc>,
    ) -> Result<bool, RepositoryError> {
        let (holder, seen, place) =
            (holder.to_owned(), seen.clone(), Place::of(self.database.url()));
        self.database
            .write("take the lease", move |connection| {
                connection
                    .transaction(|connection| sender::take(connection, &holder, &seen, &place, at))
            })
            .await
    }

    async fn end_sender_lease(&self, holder: &str) -> Result<(), RepositoryError> {
        let holder = holder.to_owned();
        self.database
            .write("end the lease", move |connection| Ok(sender::end(connection, &holder)?))
            .await
    }

    async fn begin_scheduled(
        &self,
        holder: &str,
        broadcast: i64,
        at: DateTime<Utc>,
    ) -> Result<Leased<bool>, RepositoryError> {
        let holder = holder.to_owned();
        self.database
            .write("begin a broadcast", move |connection| {
                connection.transaction(|connection| {
                    prepare::begin_scheduled(connection, &holder, broadcast, at)
                })
            })
            .await
    }

    async fn add_recipients(
        &self,
        holder: &str,
        broadcast: i64,
        ids: &[TelegramId],
        last: Option<TelegramId>,
        at: DateTime<Utc>,
    ) -> Result<Leased<AddedRecipients>, RepositoryError> {
        let (holder, ids) = (holder.to_owned(), ids.iter().map(|id| id.get()).collect::<Vec<_>>());
        let rows = ids.len();
        let added = self
            .database
            .write("add recipients", move |connection| {
                let began = Instant::now();
                let added = connection.transaction(|connection| {
                    prepare::add(connection, &holder, broadcast, &ids, last, at)
                })?;
                Ok(added
                    .map(|is_preparing| AddedRecipients { is_preparing, held: began.elapsed() }))
            })
            .await?;
        self.database.checkpoint_after(rows).await?;
        Ok(added)
    }

    async fn recover_recipients(
        &self,
        holder: &str,
        broadcast: i64,
        are_unsent: bool,
        at: DateTime<Utc>,
    ) -> Result<Leased<u64>, RepositoryError> {
        let holder = holder.to_owned();
        self.database
            .write("recover recipients", move |connection| {
                connection.transaction(|connection| {
                    outcome::recover(connection, &holder, broadcast, are_unsent, at)
                })
            })
            .await
    }

    async fn claim_recipients(
        &self,
        holder: &str,
        broadcast: i64,
        after: Option<TelegramId>,
        limit: u32,
        at: DateTime<Utc>,
    ) -> Result<Leased<RecipientClaim>, RepositoryError> {
        let (holder, place) = (holder.to_owned(), Place::of(self.database.url()));
        self.database
            .run_once(move |connection| {
                let claimed = connection.transaction(|connection| {
                    claim::claim(connection, &holder, broadcast, after, limit, at)
                })?;
                Ok(claimed.map(|(claim, claims)| {
                    if let Some((origin, claims)) = claims {
                        place.note(&origin, claims);
                    }
                    claim
                }))
            })
            .await
    }

    async fn settle_recipients(
        &self,
        holder: &str,
        broadcast: i64,
        outcomes: &[RecipientOutcome],
        settled_to: Option<TelegramId>,
    ) -> Result<Leased<()>, RepositoryError> {
        let (holder, outcomes) = (holder.to_owned(), outcomes.to_owned());
        self.database
            .write("settle recipients", move |connection| {
                connection.transaction(|connection| {
                    outcome::settle(connection, &holder, broadcast, &outcomes, settled_to)
                })
            })
            .await
    }

    async fn pause_broadcast(
        &self,
        holder: &str,
        broadcast: i64,
        reason: PauseReason,
    ) -> Result<Leased<()>, RepositoryError> {
        let holder = holder.to_owned();
        self.database
            .write("pause a broadcast", move |connection| {
                connection.transaction(|connection| {
                    prepare::pause(connection, &holder, broadcast, reason)
                })
            })
            .await
    }

    async fn finish_broadcast(
        &self,
        holder: &str,
        broadcast: i64,
        at: DateTime<Utc>,
    ) -> Result<Leased<bool>, RepositoryError> {
        let holder = holder.to_owned();
        self.database
            .write("finish a broadcast", move |connection| {
                connection
                    .transaction(|connection| outcome::finish(connection, &holder, broadcast, at))
            })
            .await
    }
}
