//! The labels that the deep links of a batch count under.
//!
//! A link gets its label when it brings a user. The first interaction of that user and all later ones
//! count under the label, and everything before it under `(other)`. So an account that invents links
//! gets one label at most: that of the link by which it came itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::QueryResult;
use rollcall_domain::{Event, Interaction, StartPayload};

use super::replay::{Replay, Replayed};
use crate::{
    base::transaction::Transaction,
    sources::labels::{LabelledLink, LabelledUser, NewLink, give, read, set_labels},
};

/// The labels of the deep links that users of a batch came by.
#[derive(Default)]
pub(super) struct Labels(HashMap<String, Label>);

struct Label {
    number: i32,
    /// The place within the batch of the first interaction that counts under it.
    from: usize,
    /// The number of the tag that users get who open the link.
    tag: Option<i32>,
}

impl Labels {
    /// The labels that exist before the batch.
    pub(super) fn read(
        connection: &mut Transaction<'_>,
        interactions: &[&Interaction],
    ) -> QueryResult<Self> {
        let payloads: BTreeSet<&str> =
            starts(interactions).map(|(.., payload)| payload.as_str()).collect();
        if payloads.is_empty() {
            return Ok(Self::default());
        }
        let labels = read(connection, &payloads.into_iter().collect::<Vec<_>>())?;
        let label = |link: LabelledLink| {
            (link.payload, Label { number: link.label, from: 0, tag: link.tag })
        };
        Ok(Self(labels.into_iter().map(label).collect()))
    }

    /// Gives labels to links that have none and brought users that the batch created.
    pub(super) fn earn(
        &mut self,
        connection: &mut Transaction<'_>,
        replay: &mut Replay,
        interactions: &[&Interaction],
    ) -> QueryResult<()> {
        let mut brought = Vec::new();
        let mut places = HashMap::new();
        for (place, interaction, payload) in starts(interactions) {
            let user = replay.users.get(&interaction.telegram_id());
            // The first interaction of such a user is the one that created it.
            if user.is_some_and(|user| is_brought_by(user, payload))
                && !self.0.contains_key(payload.as_str())
                && !places.contains_key(payload.as_str())
            {
                brought.push(NewLink { payload: payload.as_str(), since: interaction.at });
                places.insert(payload.as_str(), place);
            }
        }
        if brought.is_empty() {
            return Ok(());
        }
        for LabelledLink { payload, label: number, tag } in give(connection, &brought)? {
            let from = places.get(payload.as_str()).copied().unwrap_or_default();
            self.0.insert(payload, Label { number, from, tag });
        }
        let mut labelled = Vec::new();
        for Replayed { stored, source_label, created, .. } in replay.users.values_mut() {
            if *created
                && source_label.is_none()
                && let Some(Label { number, .. }) =
                    stored.source.as_ref().and_then(|source| self.0.get(source.as_str()))
            {
                *source_label = Some(*number);
                labelled
                    .push(LabelledUser { telegram_id: stored.telegram_id.get(), label: *number });
            }
        }
        labelled.sort_unstable();
        set_labels(connection, &labelled)
    }

    /// The numbers of the tags of the links that the batch opens, with the users who get each. All are
    /// sorted, so that several processes lock rows in one order.
    pub(super) fn tagged(&self, interactions: &[&Interaction]) -> BTreeMap<i32, BTreeSet<i64>> {
        let mut tagged: BTreeMap<i32, BTreeSet<i64>> = BTreeMap::new();
        for (_, interaction, payload) in starts(interactions) {
            if let Some(tag) = self.0.get(payload.as_str()).and_then(|label| label.tag) {
                tagged.entry(tag).or_default().insert(interaction.telegram_id().get());
            }
        }
        tagged
    }

    /// The number of the label that a start counts under, which has this place within the batch.
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
