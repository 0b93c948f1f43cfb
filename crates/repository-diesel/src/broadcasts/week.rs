//! The weekly cap of a category: which users had as many of its messages as it allows.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{dsl::count_star, prelude::*};
use rollcall_domain::RecipientState;

use crate::base::{
    connection::AnyConnection,
    schema::{broadcast_categories, broadcast_recipients, broadcasts},
    timestamp::UtcMicros,
};

/// The time over which the messages of a category are counted.
const WEEK: TimeDelta = TimeDelta::days(7);

/// The last seven days of a category with a cap.
#[derive(Clone, Debug)]
pub(crate) struct Week {
    /// How many messages a user gets in this time.
    pub(crate) cap: i64,
    /// The broadcasts whose messages may count.
    pub(crate) broadcasts: Vec<i64>,
    /// Messages after this time count.
    pub(crate) since: DateTime<Utc>,
}

impl Week {
    /// The states of recipients who may have the message.
    pub(crate) const HAD: [RecipientState; 3] =
        [RecipientState::Sent, RecipientState::Claimed, RecipientState::Unknown];

    /// The week before `at`; `None` if the category has no cap, or does not exist.
    pub(crate) fn of(
        connection: &mut AnyConnection,
        category: &str,
        at: DateTime<Utc>,
    ) -> QueryResult<Option<Self>> {
        let cap: Option<Option<i32>> = broadcast_categories::table
            .find(category)
            .select(broadcast_categories::weekly_cap)
            .first(connection)
            .optional()?;
        let Some(cap) = cap.flatten() else { return Ok(None) };
        let since = at - WEEK;
        // The last outcomes are stored shortly after the end.
        let ended_since = UtcMicros::from(since - TimeDelta::days(1));
        let broadcasts = broadcasts::table
            .filter(broadcasts::category.eq(category))
            .filter(broadcasts::started_at.is_not_null())
            .filter(broadcasts::ended_at.is_null().or(broadcasts::ended_at.gt(ended_since)))
            .select(broadcasts::id)
            .load(connection)?;
        // Users without any message are never left out.
        Ok(Some(Self { cap: i64::from(cap).max(1), broadcasts, since }))
    }

    /// Those of these users who had as many messages as the cap allows.
    pub(super) fn capped(
        &self,
        connection: &mut AnyConnection,
        ids: &[i64],
    ) -> QueryResult<Vec<i64>> {
        let counts: Vec<(i64, i64)> = broadcast_recipients::table
            .filter(broadcast_recipients::telegram_id.eq_any(ids))
            .filter(broadcast_recipients::broadcast.eq_any(&self.broadcasts))
            .filter(broadcast_recipients::state.eq_any(Self::HAD.map(RecipientState::name)))
            .filter(broadcast_recipients::at.gt(UtcMicros::from(self.since)))
            .group_by(broadcast_recipients::telegram_id)
            .select((broadcast_recipients::telegram_id, count_star()))
            .load(connection)?;
        let capped = counts.into_iter().filter(|(_, messages)| *messages >= self.cap);
        Ok(capped.map(|(id, _)| id).collect())
    }
}
