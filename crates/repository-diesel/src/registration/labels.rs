//! Under which labels the deep links of a batch count.
//!
//! A link earns its label by bringing a user: what the first one did, and what comes after it, counts
//! under the label, and everything before it under `(other)`. So an account that makes up links takes
//! one label at most, by the link that brought the account itself.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use rollcall_domain::{Event, Interaction, StartPayload};
use rollcall_repository::MAX_SOURCES;

use super::{
    Statements,
    replay::{Replay, Replayed},
};

/// The labels of the deep links by which users of a batch came.
#[derive(Default)]
pub(super) struct Labels(HashMap<String, Label>);

struct Label {
    number: i32,
    /// The place within the batch of the first interaction that counts under it.
    from: usize,
}

impl Labels {
    /// Those that there are before the batch.
    pub(super) fn read(
        connection: &mut impl Statements,
        interactions: &[&Interaction],
    ) -> QueryResult<Self> {
        let payloads: BTreeSet<&str> =
            starts(interactions).map(|(.., payload)| payload.as_str()).collect();
        if payloads.is_empty() {
            return Ok(Self::default());
        }
        let labels = connection.labels(&payloads.into_iter().collect::<Vec<_>>())?;
        let label = |(payload, number)| (payload, Label { number, from: 0 });
        Ok(Self(labels.into_iter().map(label).collect()))
    }

    /// Gives labels to those links that have none and brought users that the batch created.
    pub(super) fn earn(
        &mut self,
        connection: &mut impl Statements,
        replay: &mut Replay,
        interactions: &[&Interaction],
    ) -> QueryResult<()> {
        let mut brought: Vec<(&str, DateTime<Utc>)> = Vec::new();
        let mut places = HashMap::new();
        for (place, interaction, payload) in starts(interactions) {
            let user = replay.users.get(&interaction.telegram_id());
            // The first interaction of such a user is the one that created it.
            if user.is_some_and(|user| is_brought_by(user, payload))
                && !self.0.contains_key(payload.as_str())
                && !places.contains_key(payload.as_str())
            {
                brought.push((payload.as_str(), interaction.at));
                places.insert(payload.as_str(), place);
            }
        }
        if brought.is_empty() {
            return Ok(());
        }
        for (payload, number) in connection.give_labels(&brought)? {
            let from = places.get(payload.as_str()).copied().unwrap_or_default();
            self.0.insert(payload, Label { number, from });
        }
        let mut labelled = Vec::new();
        for Replayed { stored, source_label, created, .. } in replay.users.values_mut() {
            if *created
                && source_label.is_none()
                && let Some(Label { number, .. }) =
                    stored.source.as_ref().and_then(|source| self.0.get(source.as_str()))
            {
                *source_label = Some(*number);
                labelled.push((stored.telegram_id.get(), *number));
            }
        }
        labelled.sort_unstable();
        connection.label_users(&labelled)
    }

    /// The number of the label under which a start counts that has this place within the batch.
    pub(super) fn at(&self, payload: &StartPayload, place: usize) -> Option<i32> {
        let label = self.0.get(payload.as_str()).filter(|label| label.from <= place);
        label.map(|label| label.number)
    }

    /// The number of the label that a link has before the batch.
    pub(super) fn at_first(&self, payload: &StartPayload) -> Option<i32> {
        self.at(payload, 0)
    }
}

fn is_brought_by(user: &Replayed, payload: &StartPayload) -> bool {
    user.created && user.stored.source.as_ref() == Some(payload)
}

/// The interactions by deep links, with their place and the payload.
fn starts<'a>(
    interactions: &'a [&Interaction],
) -> impl Iterator<Item = (usize, &'a Interaction, &'a StartPayload)> {
    interactions.iter().enumerate().filter_map(|(place, interaction)| match &interaction.event {
        Some(Event::Start(payload)) => Some((place, *interaction, payload)),
        _ => None,
    })
}

/// The first of these links, for which there is room beside so many labels.
pub(super) fn room_for_labels<T>(labels: i64, links: &[T]) -> &[T] {
    let room = usize::try_from(labels).map_or(0, |labels| MAX_SOURCES.saturating_sub(labels));
    links.split_at_checked(room).map_or(links, |(first, _)| first)
}
