//! Segments of fake users, with a past.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use rollcall_domain::{SegmentChanges, SegmentSize, UserFilter, UserSort};
use rollcall_repository::DemoRepository;

use crate::services::Services;

/// Names, filters and descriptions.
const SEGMENTS: [(&str, &str, &str); 5] = [
    ("regulars", "days>=5 seen<14d", "Come back often"),
    ("newcomers", "joined<7d", "Joined within a week"),
    ("asleep", "seen>=14d reachable", "Can be reached, and were not seen for two weeks"),
    ("german", "lang:de*", "For announcements in German"),
    ("german_regulars", "segment:german segment:regulars", ""),
];
/// The days before yesterday on which they were counted.
const DAYS: u64 = 60;
/// With more users, counting would take long.
pub(super) const MOST_USERS: u64 = 100_000;

/// Saves the segments, counts them yesterday and today, and makes up the days before.
pub(super) async fn fill(services: &Services, now: DateTime<Utc>) -> anyhow::Result<()> {
    let (audience, segments) = (services.audience(), services.segments());
    for (name, filter, description) in SEGMENTS {
        audience.save_segment(name.parse()?, filter.parse()?, Tz::UTC, description).await?;
    }
    segments.count_as_of(now - TimeDelta::days(1)).await?;
    let yesterday = (now - TimeDelta::days(1)).date_naive();
    let mut past = Vec::new();
    for counted in segments.list().await? {
        let Some(size) = counted.size else { continue };
        let name = counted.segment.name;
        let mut users = Vec::new();
        for back in (0..=DAYS).rev() {
            let day = yesterday.checked_sub_days(Days::new(back)).unwrap_or_default();
            let share =
                (users_until(services, day).await?, users_until(services, yesterday).await?);
            users.push((day, scaled(size.users, share)));
        }
        past.extend(with_changes(&users).map(|size| (name.clone(), size)));
    }
    services.user_repository().load_segment_sizes(&past).await?;
    segments.count_as_of(now).await?;
    Ok(())
}

/// How many users had joined by the end of a day.
async fn users_until(services: &Services, day: NaiveDate) -> anyhow::Result<u64> {
    let mut filter = UserFilter::new();
    filter.first_seen.last = Some(day);
    let slice = services.directory().users(&filter, UserSort::default(), None, 1).await?;
    Ok(slice.count.number())
}

/// A part of a number, in proportion to two others.
fn scaled(number: u64, (part, whole): (u64, u64)) -> u64 {
    (number * part).checked_div(whole).unwrap_or_default()
}

/// Sizes that follow one another, where one in forty users leaves each day and others join instead.
fn with_changes(users: &[(NaiveDate, u64)]) -> impl Iterator<Item = SegmentSize> {
    let pairs = users.iter().zip(users.iter().skip(1));
    pairs.map(|((_, before), (day, users))| {
        let kept = before - before.div_ceil(40);
        let kept = kept.min(*users);
        let changes = SegmentChanges { joined: users - kept, left: before - kept };
        SegmentSize { day: *day, users: *users, changes: Some(changes) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sizes_of_two_days_differ_by_who_joined_and_left() {
        let day = |n| NaiveDate::default() + TimeDelta::days(n);
        let users = [(day(0), 0), (day(1), 100), (day(2), 120), (day(3), 60)];
        let sizes: Vec<SegmentSize> = with_changes(&users).collect();
        for ((_, before), size) in users.iter().zip(&sizes) {
            let changes = size.changes.unwrap();
            assert_eq!(before + changes.joined - changes.left, size.users);
        }
        assert_eq!(sizes.len(), 3);
        assert_eq!(scaled(10, (1, 0)), 0);
    }
}
