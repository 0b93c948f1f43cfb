//! The times of updates that have none of their own.

use chrono::{DateTime, SubsecRound, Utc};

use crate::update::Update;

/// Dates updates that have no time of their own, such as callback queries. They happened before they
/// arrived, but after a pause of the bot the time of arrival may be hours late. Updates arrive in the
/// order in which they happened. So an undated one takes the latest time before it in its batch, or
/// else the first after it, or else `now`, the time of the stream. Returns the latest time in the batch.
pub(crate) fn date_undated(
    updates: &mut [Update<'_>],
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let mut dated = updates.iter().filter(|update| update.is_dated);
    let first = dated.find_map(|update| Some(update.interaction.as_ref()?.at));
    let mut latest = first.unwrap_or_else(|| now.trunc_subsecs(0));
    for update in updates {
        let Some(interaction) = &mut update.interaction else { continue };
        if update.is_dated {
            latest = latest.max(interaction.at);
        } else {
            interaction.at = interaction.at.min(latest);
        }
    }
    first.map(|_| latest)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::update;

    #[test]
    fn an_undated_update_takes_the_time_of_its_batch() {
        let received = DateTime::from_timestamp(2000, 0).unwrap();
        let seconds = |updates: &[Value]| {
            let texts: Vec<String> = updates.iter().map(Value::to_string).collect();
            let mut updates: Vec<Update> = texts
                .iter()
                .map(|text| update::read(text, received, None, &[], &|_| None))
                .collect();
            let now = DateTime::from_timestamp(1900, 0).unwrap();
            let latest = date_undated(&mut updates, now);
            assert_eq!(latest.is_some(), updates.iter().any(|update| update.is_dated));
            let at =
                |update: &Update| update.interaction.as_ref().map(|acted| acted.at.timestamp());
            updates.iter().filter_map(at).collect::<Vec<_>>()
        };
        let callback = json!({"update_id": 1, "callback_query": {"from": {"id": 5}}});
        let text =
            |date: i64| json!({"update_id": 2, "message": {"from": {"id": 5}, "date": date}});

        assert_eq!(seconds(std::slice::from_ref(&callback)), [1900]);
        assert_eq!(seconds(&[text(1000), callback.clone(), text(1010)]), [1000, 1000, 1010]);
        assert_eq!(seconds(&[callback.clone(), text(1000)]), [1000, 1000]);
        assert_eq!(seconds(&[text(1000), text(900), callback.clone()]), [1000, 900, 1000]);
        assert_eq!(seconds(&[callback, text(3000)]), [2000, 3000]);
    }
}
