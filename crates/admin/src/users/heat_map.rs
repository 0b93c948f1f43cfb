//! A heat map of up to a year: a column per week, with darker squares for busier days.

use std::fmt::Write;

use chrono::{Datelike, Days, NaiveDate};

/// How many weeks are drawn at most: a year, including the weeks in which it begins and ends.
const WEEKS: u64 = 53;
/// The side of a day's square, and the distance between the squares, in units of the picture.
const SIDE: i64 = 11;
const STEP: i64 = 13;
/// How large the picture is shown.
const SHOWN_PERCENT: i64 = 150;
/// Where the squares begin, after the names of the days and months.
const LEFT: i64 = 28;
const TOP: i64 = 16;

/// The first day of a picture up to `today`, about a user who was first seen on a day: a Monday.
fn first_day(seen: NaiveDate, today: NaiveDate) -> NaiveDate {
    let monday = |day: NaiveDate| day - Days::new(u64::from(day.weekday().num_days_from_monday()));
    let earliest = monday(today) - Days::new((WEEKS - 1) * 7);
    monday(seen.min(today).max(earliest))
}

/// Draws the days from the week in which the user was first seen, at most a year, up to `today`, from
/// counts in any order. The picture contains only numbers and
/// fixed words, so it needs no escaping.
pub(crate) fn draw(counts: &[(NaiveDate, u64)], seen: NaiveDate, today: NaiveDate) -> String {
    let first = first_day(seen, today);
    let weeks = (today - first).num_days() / 7 + 1;
    let shown = || counts.iter().filter(|(day, n)| (first..=today).contains(day) && *n > 0);
    let most = shown().map(|(_, n)| *n).max().unwrap_or(0);
    let (width, height) = (LEFT + weeks * STEP, TOP + 7 * STEP);
    // Squares of the same size, however many there are.
    let (wide, high) = (width * SHOWN_PERCENT / 100, height * SHOWN_PERCENT / 100);
    let mut svg = format!(
        r#"<svg class="heat" width="{wide}" height="{high}" viewBox="0 0 {width} {height}" role="img" aria-labelledby="heat-title"><title id="heat-title">{}</title>"#,
        summary(shown().copied(), first, today)
    );
    for (row, name) in [(0, "Mon"), (2, "Wed"), (4, "Fri")] {
        text(&mut svg, 0, TOP + row * STEP + 9, name);
    }
    let days = || first.iter_days().take_while(|day| *day <= today);
    for day in days().filter(|day| day.day() <= 7 && day.weekday().num_days_from_monday() == 0) {
        text(&mut svg, place(first, day).0, 10, &day.format("%b").to_string());
    }
    // One path for all days, and a square on top for each active day.
    svg.push_str(r#"<path class="h0" d=""#);
    for day in days() {
        let (x, y) = place(first, day);
        push(&mut svg, format_args!("M{x} {y}h{SIDE}v{SIDE}h-{SIDE}z"));
    }
    svg.push_str(r#""/>"#);
    for (day, count) in shown() {
        let ((x, y), level) = (place(first, *day), level(*count, most));
        push(
            &mut svg,
            format_args!(
                r#"<rect class="h{level}" x="{x}" y="{y}" width="{SIDE}" height="{SIDE}"><title>{day}: {count}</title></rect>"#
            ),
        );
    }
    svg.push_str("</svg>");
    svg
}

/// The shade of a day, from 1 to 4, relative to the busiest day.
fn level(count: u64, most: u64) -> u64 {
    (count * 4).div_ceil(most.max(4)).clamp(1, 4)
}

fn place(first: NaiveDate, day: NaiveDate) -> (i64, i64) {
    let days = (day - first).num_days();
    (LEFT + days / 7 * STEP, TOP + days % 7 * STEP)
}

/// A description of the picture.
fn summary(
    shown: impl Iterator<Item = (NaiveDate, u64)>,
    first: NaiveDate,
    today: NaiveDate,
) -> String {
    let (mut days, mut all, mut busiest) = (0_u64, 0_u64, None);
    for (day, count) in shown {
        days += 1;
        all += count;
        busiest = busiest.max(Some((count, day)));
    }
    match busiest {
        None => format!("Not active from {first} to {today}."),
        Some((most, day)) => format!(
            "Active days from {first} to {today}: {days}. Interactions: {all}, and {most} of them on \
             {day}, the busiest day. The table below has the numbers."
        ),
    }
}

fn text(svg: &mut String, x: i64, y: i64, text: &str) {
    push(svg, format_args!(r#"<text x="{x}" y="{y}">{text}</text>"#));
}

fn push(svg: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing into memory cannot fail.
    let _written = svg.write_fmt(arguments);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_year_begins_on_a_monday_and_ends_today() {
        let today = day("2026-11-23");
        assert_eq!(first_day(day("2020-01-01"), today), day("2025-11-24"));
        assert_eq!(first_day(day("2020-01-01"), day("2026-11-22")), day("2025-11-17"));
    }

    #[test]
    fn the_picture_begins_in_the_week_in_which_the_user_was_first_seen() {
        let today = day("2026-11-23");
        assert_eq!(first_day(day("2026-11-12"), today), day("2026-11-09"));
        assert_eq!(first_day(today, today), today);
        assert_eq!(first_day(day("2027-01-01"), today), today, "clocks can be wrong");
        let svg = draw(&[(day("2026-11-12"), 3)], day("2026-11-12"), today);
        assert!(svg.contains(r#"viewBox="0 0 67 107""#), "three weeks: {svg}");
        assert!(svg.contains("Active days from 2026-11-09 to 2026-11-23: 1."), "{svg}");
    }

    #[test]
    fn busy_days_are_darker_and_the_description_agrees() {
        let today = day("2026-11-23");
        let counts =
            [(today, 40), (day("2026-11-22"), 1), (day("2026-11-21"), 0), (day("2020-01-01"), 900)];
        let svg = draw(&counts, day("2020-01-01"), today);
        assert!(svg.contains(r#"<rect class="h4" x="704" y="16" width="11" height="11"><title>2026-11-23: 40</title>"#), "{svg}");
        assert!(svg.contains(r#"<rect class="h1" x="691" y="94""#));
        assert_eq!(svg.matches("<rect").count(), 2);
        assert!(svg.contains(
            "Active days from 2025-11-24 to 2026-11-23: 2. Interactions: 41, and 40 of them on 2026-11-23, the busiest day."
        ));
        assert!(
            draw(&[], day("2020-01-01"), today)
                .contains("Not active from 2025-11-24 to 2026-11-23.")
        );
    }

    #[test]
    fn a_page_with_it_stays_small() {
        let today = day("2026-11-23");
        let counts: Vec<_> =
            first_day(day("2020-01-01"), today).iter_days().take(365).map(|it| (it, 7)).collect();
        assert!(draw(&counts, day("2020-01-01"), today).len() < 48 * 1024);
    }
}
