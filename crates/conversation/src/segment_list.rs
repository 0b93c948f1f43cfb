//! The list of saved segments, for owners.

use rollcall_domain::harmless;
use rollcall_service::{CountedSegment, ServiceError};

use crate::{
    action::Action,
    conversation::Conversation,
    locale::Locale,
    reply::{Button, Screen},
    text::{escaped, shown},
};

/// How many segments a page has.
const PAGE_SIZE: usize = 10;
/// Filters and descriptions are cut at this length in UTF-16 units, so that a page fits into one message.
const SHOWN_UNITS: usize = 160;

impl Conversation {
    /// A page of the saved segments, counted from 0; the last one if there are fewer.
    pub(crate) async fn segments(
        &self,
        number: u32,
        locale: &Locale,
    ) -> Result<Screen, ServiceError> {
        Ok(page(locale, &self.segments.list().await?, number))
    }
}

fn page(locale: &Locale, segments: &[CountedSegment], number: u32) -> Screen {
    let last = segments.len().saturating_sub(1) / PAGE_SIZE;
    let number = usize::try_from(number).unwrap_or(usize::MAX).min(last);
    let Some(part) = segments.chunks(PAGE_SIZE).nth(number) else {
        return locale.text("segments-none").into();
    };
    let total = u64::try_from(segments.len()).unwrap_or(u64::MAX);
    let mut text = locale.format("segments-head", &[("total", total.into())]);
    let counted = segments.iter().find_map(|it| it.size).map(|size| size.day.to_string());
    if let Some(day) = counted {
        text.push(' ');
        text.push_str(&locale.format("segments-counted", &[("day", day.into())]));
    }
    text.push('\n');
    for segment in part {
        text.push_str(&entry(locale, segment));
    }
    let name = |it: &CountedSegment| Button {
        label: it.segment.name.to_string(),
        action: Action::Segment(it.segment.name.clone()),
    };
    let mut buttons: Vec<Vec<Button>> =
        part.chunks(2).map(|row| row.iter().map(name).collect()).collect();
    let turn = |key: &str, page: Option<usize>| {
        let page = u32::try_from(page?).ok()?;
        Some(Button { label: locale.text(key), action: Action::Segments { page } })
    };
    let turns = [
        turn("segments-previous", number.checked_sub(1)),
        turn("segments-next", (number < last).then_some(number + 1)),
    ];
    buttons
        .extend(Some(turns.into_iter().flatten().collect()).filter(|row: &Vec<_>| !row.is_empty()));
    Screen { text, buttons, ..Screen::default() }
}

fn entry(locale: &Locale, counted: &CountedSegment) -> String {
    let segment = &counted.segment;
    let size = match counted.size {
        Some(size) => locale.format("segments-users", &[("count", size.users.into())]),
        None => locale.text("segments-uncounted"),
    };
    let filter = match segment.filter.to_string() {
        filter if filter.is_empty() => locale.text("segments-everyone"),
        // Without isolation, so that it can be copied into a command.
        filter => format!("<code>{}</code>", escaped(&harmless(&shortened(&filter)))),
    };
    let description = match segment.description.as_str() {
        "" => String::new(),
        text => format!("{}\n", shown(text, SHOWN_UNITS)),
    };
    format!("\n<b>{}</b>: {size}\n{filter}\n{description}", segment.name)
}

/// The beginning of a filter.
fn shortened(filter: &str) -> String {
    match filter.char_indices().nth(SHOWN_UNITS / 2) {
        Some((end, _)) => format!("{}…", filter.get(..end).unwrap_or_default()),
        None => filter.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use chrono_tz::Tz;
    use rollcall_domain::{Language, MAX_SEGMENTS, Segment, SegmentSize};

    use super::*;
    use crate::html;

    fn segment(name: &str, filter: &str, description: &str, users: Option<u64>) -> CountedSegment {
        let segment = Segment {
            name: name.parse().unwrap(),
            filter: filter.parse().unwrap(),
            description: description.to_owned(),
            created_at: DateTime::UNIX_EPOCH,
            zone: Tz::UTC,
            changed_at: None,
        };
        let day = "2026-11-27".parse().unwrap();
        let size = users.map(|users| SegmentSize { day, users, changes: None });
        CountedSegment { segment, size, week_before: None }
    }

    #[test]
    fn segments_are_listed_with_sizes_where_they_are_known() {
        let all = [
            segment("all", "", "", Some(1)),
            segment("new", "seen<14d", "<i>not</i> counted yet", None),
            segment("regulars", "days>=5 seen<28d", "come back often", Some(12_345)),
        ];
        let mut texts = Vec::new();
        for language in Language::ALL {
            let locale = Locale::of(language);
            texts.push(page(locale, &all, 0).text);
            texts.push(page(locale, &all[1..2], 7).text);
            texts.push(page(locale, &[], 0).text);
        }
        for text in &texts {
            assert_eq!(html::check(text), Ok(()), "{text}");
        }
        insta::assert_snapshot!(texts.join("\n———\n"));
    }

    #[test]
    fn each_segment_has_a_button_and_pages_are_turned() {
        let all: Vec<_> = (0..25).map(|n| segment(&format!("s{n:02}"), "bot", "", None)).collect();
        let data = |number| -> Vec<String> {
            let screen = page(Locale::of(Language::English), &all, number);
            screen.buttons.iter().flatten().map(|it| it.action.data()).collect()
        };
        let names = |range: std::ops::Range<usize>| range.map(|n| format!("1/n/s{n:02}"));
        let turn = |page: u32| format!("1/g/{page}");
        assert_eq!(data(0), names(0..10).chain([turn(1)]).collect::<Vec<_>>());
        assert_eq!(data(1), names(10..20).chain([turn(0), turn(2)]).collect::<Vec<_>>());
        for beyond in [2, 3, 99, u32::MAX] {
            assert_eq!(data(beyond), names(20..25).chain([turn(1)]).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_longest_page_fits_into_a_message() {
        let long = "x".repeat(900);
        let name = |n: usize| format!("{n:0>32}");
        let all: Vec<_> = (0..MAX_SEGMENTS)
            .map(|n| {
                segment(
                    &name(n),
                    &vec![long.get(..90).unwrap(); 40].join(" "),
                    &long,
                    Some(u64::MAX),
                )
            })
            .collect();
        for language in Language::ALL {
            let screen = page(Locale::of(language), &all, 19);
            let plain: String =
                screen.text.split('<').map(|part| part.rsplit('>').next().unwrap()).collect();
            assert!(plain.encode_utf16().count() <= 4096, "{language:?}");
        }
    }
}
