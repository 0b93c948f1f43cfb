//! Which users get a broadcast, and which are left out.

use std::{sync::Arc, time::Duration};

use rollcall_domain::{
    BroadcastPlan, Counted, Filter, SYSTEM_CATEGORY, TelegramUser, Term, UserSort,
};
use tokio::time::Instant;

use super::{BroadcastError, BroadcastService};

/// How many users would get a broadcast now, and why others that its filter selects would not. Each user
/// counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AudienceSize {
    /// How many get the message.
    pub messages: u64,
    /// How many have opted out of the category.
    pub opted_out: u64,
    /// How many others had as many messages of the category within seven days as its cap allows.
    pub capped: u64,
    /// How many others the bot cannot write to.
    pub unreachable: u64,
    /// How many are bots.
    pub bots: u64,
    /// How many are held out, of those who would get the message. Chance decides, so it is an estimate.
    pub held_out: u64,
}

impl AudienceSize {
    /// How many its filter selects.
    pub fn selected(&self) -> u64 {
        self.messages + self.left_out()
    }

    /// How many of them do not get the message.
    pub fn left_out(&self) -> u64 {
        self.reasons().into_iter().map(|(_, users)| users).sum()
    }

    /// How many are left out for each reason, with its name for programs.
    pub fn reasons(&self) -> [(&'static str, u64); 5] {
        [
            ("opted_out", self.opted_out),
            ("capped", self.capped),
            ("unreachable", self.unreachable),
            ("bots", self.bots),
            ("held_out", self.held_out),
        ]
    }
}

impl BroadcastService {
    /// Counts the users who would get the message of a plan now, and those who would be left out.
    ///
    /// # Errors
    /// If the filter cannot be evaluated, or the storage fails.
    pub async fn size(&self, plan: &BroadcastPlan) -> Result<AudienceSize, BroadcastError> {
        Ok(self.size_until(plan, None).await?.unwrap_or_default())
    }

    /// The same, unless counting takes longer than `time`.
    ///
    /// # Errors
    /// If the filter cannot be evaluated, or the storage fails.
    pub async fn size_within(
        &self,
        time: Duration,
        plan: &BroadcastPlan,
    ) -> Result<Option<AudienceSize>, BroadcastError> {
        self.size_until(plan, Some(Instant::now() + time)).await
    }

    /// Estimates how many users the filter of a plan selects, without bots, and how many would get the
    /// message. Fast for any number of users.
    ///
    /// # Errors
    /// If the filter cannot be evaluated, or the storage fails.
    pub async fn estimate(
        &self,
        plan: &BroadcastPlan,
    ) -> Result<(Counted, Counted), BroadcastError> {
        let selected = self.estimate_of(&plan.filter.clone().without_bots(), plan).await?;
        let messages = self.estimate_of(&self.recipients_now(plan), plan).await?;
        Ok((selected, messages))
    }

    /// The filter of the users who would get the message of a plan now, if nobody is held out.
    pub fn recipients_now(&self, plan: &BroadcastPlan) -> Filter {
        let reachable = reachable(plan);
        match plan.category.as_str() {
            SYSTEM_CATEGORY => reachable,
            _ => reachable.without(opted_out(plan)).without(capped(plan)),
        }
    }

    /// A user who gets the message of a plan, as an example: if possible, one who would get it now.
    ///
    /// # Errors
    /// If the filter cannot be evaluated, or the storage fails.
    pub async fn example(
        &self,
        plan: &BroadcastPlan,
    ) -> Result<Option<TelegramUser>, BroadcastError> {
        match self.first(&self.recipients_now(plan), plan).await? {
            Some(user) => Ok(Some(user)),
            None => self.first(&reachable(plan), plan).await,
        }
    }

    /// Checks that a broadcast would not start without any recipient.
    pub(super) async fn check_audience(
        &self,
        plan: &BroadcastPlan,
        starts_now: bool,
    ) -> Result<(), BroadcastError> {
        // Until a later start, caps end and users opt in.
        if starts_now && self.first(&self.recipients_now(plan), plan).await?.is_some() {
            return Ok(());
        }
        match self.first(&reachable(plan), plan).await? {
            None => Err(BroadcastError::Nobody(plan.filter.to_string())),
            Some(_) if starts_now => Err(BroadcastError::AllLeftOut(plan.category.clone())),
            Some(_) => Ok(()),
        }
    }

    async fn size_until(
        &self,
        plan: &BroadcastPlan,
        until: Option<Instant>,
    ) -> Result<Option<AudienceSize>, BroadcastError> {
        let users = plan.filter.clone().without_bots();
        let mut size = AudienceSize::default();
        let is_system = plan.category.as_str() == SYSTEM_CATEGORY;
        if plan.filter.names_bots() {
            let bots = plan.filter.clone().and(Filter::with(Term::Bot));
            let Some(bots) = self.count(&bots, plan, until).await? else { return Ok(None) };
            size.bots = bots;
        }
        if !is_system {
            let out = users.clone().and(Filter::with(opted_out(plan)));
            let Some(out) = self.count(&out, plan, until).await? else { return Ok(None) };
            size.opted_out = out;
        }
        if !is_system && self.has_cap(plan).await? {
            let capped = users.clone().and(Filter::with(capped(plan))).without(opted_out(plan));
            let Some(capped) = self.count(&capped, plan, until).await? else { return Ok(None) };
            size.capped = capped;
        }
        let Some(reached) = self.count(&self.recipients_now(plan), plan, until).await? else {
            return Ok(None);
        };
        let Some(all) = self.count(&users, plan, until).await? else { return Ok(None) };
        size.held_out = plan.experiment.hold_out.map_or(0, |part| part.of(reached));
        size.messages = reached - size.held_out;
        // Users may have joined or left between the counts.
        size.unreachable = all.saturating_sub(size.opted_out + size.capped + reached);
        Ok(Some(size))
    }

    async fn has_cap(&self, plan: &BroadcastPlan) -> Result<bool, BroadcastError> {
        let categories = self.categories().await?;
        let category = categories.into_iter().find(|it| it.name == plan.category);
        Ok(category.is_some_and(|it| it.weekly_cap.is_some()))
    }

    /// Counts the users of a filter; `None` if that takes longer than `until`.
    async fn count(
        &self,
        filter: &Filter,
        plan: &BroadcastPlan,
        until: Option<Instant>,
    ) -> Result<Option<u64>, BroadcastError> {
        let selection = self.audience.selection(filter, plan.zone).await?;
        Ok(match until {
            None => self.audience.count(&selection, Arc::new(|_, _| true)).await?,
            Some(until) => {
                let left = until.saturating_duration_since(Instant::now());
                self.audience.count_within(left, &selection).await?
            }
        })
    }

    async fn estimate_of(
        &self,
        filter: &Filter,
        plan: &BroadcastPlan,
    ) -> Result<Counted, BroadcastError> {
        let selection = self.audience.selection(filter, plan.zone).await?;
        Ok(self.audience.users(&selection, UserSort::default(), None, 1).await?.count)
    }

    /// The first user of a filter.
    async fn first(
        &self,
        filter: &Filter,
        plan: &BroadcastPlan,
    ) -> Result<Option<TelegramUser>, BroadcastError> {
        let selection = self.audience.selection(filter, plan.zone).await?;
        let mut cursor = None;
        loop {
            let page = self.audience.users(&selection, UserSort::default(), cursor, 1).await?;
            match (page.rows.into_iter().next(), page.next) {
                (Some(row), _) => return Ok(Some(row.user)),
                (None, Some(next)) => cursor = Some(next),
                (None, None) => return Ok(None),
            }
        }
    }
}

/// The users that the bot can write to.
fn reachable(plan: &BroadcastPlan) -> Filter {
    plan.filter.clone().without_bots().and(Filter::with(Term::Reachable))
}

fn opted_out(plan: &BroadcastPlan) -> Term {
    Term::OptedOut(vec![plan.category.clone()])
}

fn capped(plan: &BroadcastPlan) -> Term {
    Term::Capped(vec![plan.category.clone()])
}
