//! Choosing when a draft starts: a day, and an hour of it, in the owner's time zone.

use chrono::{DateTime, Days, NaiveDate, TimeZone, Timelike};
use chrono_tz::Tz;
use rollcall_domain::Broadcast;

use super::{action::BroadcastAction, words};
use crate::{
    action::Action,
    locale::Locale,
    reply::{Button, Screen},
    schedule::back,
};

/// How many days there are to choose from.
const DAYS: u64 = 8;
/// How many days and hours there are in a row.
const DAYS_A_ROW: usize = 2;
const HOURS_A_ROW: usize = 4;

/// The days to choose from. `now` is in the owner's time zone.
pub(super) fn days(locale: &Locale, broadcast: &Broadcast, now: DateTime<Tz>) -> Screen {
    let id = broadcast.id;
    let today = now.date_naive();
    let chosen = broadcast.plan.starts_at.map(|at| at.with_timezone(&now.timezone()).date_naive());
    let all: Vec<NaiveDate> = (0..DAYS)
        .filter_map(|number| today.checked_add_days(Days::new(number)))
        // Late in the evening, no hour of today is left.
        .filter(|day| !starts(*day, now).is_empty())
        .collect();
    let button = |day: &NaiveDate| Button {
        label: words::chosen(chosen == Some(*day), locale.day(*day)),
        action: Action::Broadcast(BroadcastAction::Hours { id, day: *day }),
    };
    let by_hand = locale.text("button-start-by-hand");
    let mut buttons = vec![vec![Button {
        label: words::chosen(chosen.is_none(), by_hand),
        action: Action::Broadcast(BroadcastAction::SetStart { id, at: None }),
    }]];
    buttons.extend(all.chunks(DAYS_A_ROW).map(|row| row.iter().map(button).collect()));
    buttons.push(vec![words::back_to(locale, id)]);
    let zone = [("zone", words::zone(now.timezone()).into())];
    Screen { text: locale.format("broadcast-choose-day", &zone), buttons, ..Screen::default() }
}

/// The hours of a day to choose from. `now` is in the owner's time zone.
pub(super) fn hours(
    locale: &Locale,
    broadcast: &Broadcast,
    day: NaiveDate,
    now: DateTime<Tz>,
) -> Screen {
    let id = broadcast.id;
    let button = |at: &DateTime<Tz>| Button {
        label: words::chosen(
            broadcast.plan.starts_at.is_some_and(|chosen| chosen == *at),
            locale.time(*at),
        ),
        action: Action::Broadcast(BroadcastAction::SetStart { id, at: Some(at.timestamp()) }),
    };
    let all = starts(day, now);
    let rows = all.chunks(HOURS_A_ROW);
    let mut buttons: Vec<Vec<Button>> = rows.map(|row| row.iter().map(button).collect()).collect();
    buttons.push(vec![back(locale, Action::Broadcast(BroadcastAction::Days(id)))]);
    let arguments = [("day", locale.day(day).into()), ("zone", words::zone(now.timezone()).into())];
    Screen {
        text: locale.format("broadcast-choose-hour", &arguments),
        buttons,
        ..Screen::default()
    }
}

/// The full hours of a day that are still to come. One that the clocks skip is left out, and of one that
/// they show twice, the first counts.
fn starts(day: NaiveDate, now: DateTime<Tz>) -> Vec<DateTime<Tz>> {
    let zone = now.timezone();
    (0..24)
        .filter_map(|hour| zone.from_local_datetime(&day.and_hms_opt(hour, 0, 0)?).earliest())
        .filter(|at| *at > now && at.minute() == 0)
        .collect()
}

#[cfg(test)]
mod tests {
    use rollcall_domain::{BroadcastState, Language};

    use super::*;
    use crate::{
        broadcasts::example::{broadcast, shown},
        html,
    };

    fn at(text: &str, zone: Tz) -> DateTime<Tz> {
        text.parse::<DateTime<chrono::Utc>>().unwrap().with_timezone(&zone)
    }

    #[test]
    fn times_are_chosen_in_every_language() {
        let mut draft = broadcast(BroadcastState::Draft);
        let now = at("2026-11-27T18:05:00Z", Tz::America__New_York);
        for language in Language::ALL {
            let locale = Locale::of(language);
            let mut texts = vec![days(locale, &draft, now)];
            draft.plan.starts_at = Some(at("2026-11-28T23:00:00Z", Tz::UTC).to_utc());
            texts.push(days(locale, &draft, now));
            texts.push(hours(locale, &draft, now.date_naive(), now));
            texts.push(hours(locale, &draft, "2026-11-28".parse().unwrap(), now));
            draft.plan.starts_at = None;
            let texts: Vec<String> = texts
                .iter()
                .map(|screen| {
                    assert_eq!(html::check(&screen.text), Ok(()), "{}", screen.text);
                    shown(screen)
                })
                .collect();
            let code = language.code();
            insta::assert_snapshot!(format!("times_{code}"), texts.join("\n\n———\n\n"));
        }
    }

    #[test]
    fn only_hours_that_come_once_are_there() {
        let berlin = Tz::Europe__Berlin;
        let of = |now: &str, day: &str| {
            let all = starts(day.parse().unwrap(), at(now, berlin));
            all.iter().map(|it| it.format("%H").to_string()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of("2026-11-27T20:00:00Z", "2026-11-27"), "22 23");
        assert_eq!(of("2026-11-27T20:00:01Z", "2026-11-27"), "22 23");
        assert_eq!(of("2026-11-27T22:00:00Z", "2026-11-27"), "");
        let spring = "00 01 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22 23";
        assert_eq!(of("2027-03-27T12:00:00Z", "2027-03-28"), spring);
        let autumn = starts("2026-10-25".parse().unwrap(), at("2026-10-24T12:00:00Z", berlin));
        assert_eq!(autumn.len(), 24);
        assert_eq!(autumn[2], at("2026-10-25T00:00:00Z", berlin), "the first of the two");
        let locale = Locale::of(Language::English);
        let late = at("2026-11-27T22:30:00Z", berlin);
        let screen = days(locale, &broadcast(BroadcastState::Draft), late);
        assert_eq!(screen.buttons[1][0].label, "Saturday, November 28");
    }
}
