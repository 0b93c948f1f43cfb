//! How many users a list has, as far as the page or the sums show it.

use chrono::NaiveDate;
use diesel::{RunQueryDsl, sql_types::BigInt};
use rollcall_domain::{Counted, Days, Figure, ReachabilityFilter, UserFilter, UserSlice};

use super::{few::use_indexes, request::Request, scan::ScanStats};
use crate::{
    base::{connection::AnyConnection, error::Failure},
    directory::{
        conditions::{Condition, Sql, conditions},
        search::find::FEW,
    },
    statistics::{sums::sums_by_label, uncounted::uncounted},
};

/// How many matches an estimate needs at least.
const MIN_MATCHED: u64 = 20;

/// How many users there are in a list whose page was scanned.
pub(super) fn count(
    connection: &mut AnyConnection,
    filter: &UserFilter,
    request: &Request,
    slice: &UserSlice,
    stats: ScanStats,
) -> Result<Counted, Failure> {
    if matches!(slice.count, Counted::Exactly(_)) {
        return Ok(slice.count);
    }
    if let Some(users) = by_sums(connection, filter, &request.conditions)? {
        return Ok(Counted::Exactly(users));
    }
    let UserFilter { search, first_seen, .. } = filter;
    if *filter
        == (UserFilter { search: search.clone(), first_seen: *first_seen, ..UserFilter::new() })
    {
        let users = sum(connection, Figure::Users, "", *first_seen)?;
        return Ok(estimate(stats, users).map_or_else(|| at_least(request, slice), Counted::About));
    }
    Ok(at_least(request, slice))
}

/// How many users meet a filter: exactly, if the sums show it or they are at most `most`.
pub(crate) fn bounded(
    connection: &mut AnyConnection,
    filter: &UserFilter,
    most: u32,
) -> Result<Counted, Failure> {
    let conditions = conditions(filter);
    if let Some(users) = by_sums(connection, filter, &conditions)? {
        return Ok(Counted::Exactly(users));
    }
    use_indexes(connection)?;
    let number: i64 =
        first_users(&conditions, most).returning::<BigInt>().get_result(connection)?;
    let number = u64::try_from(number).unwrap_or_default();
    let most = u64::from(most);
    Ok(if number > most { Counted::MoreThan(most) } else { Counted::Exactly(number) })
}

/// Counts the users that meet conditions, but not many more than `most`.
pub(super) fn first_users(conditions: &[Condition], most: u32) -> Sql {
    let mut sql = Sql::new("SELECT COUNT(*) FROM (SELECT 1 FROM telegram_users WHERE ");
    sql.push_all(conditions.iter().map(|condition| &condition.sql));
    sql.push(&format!(" LIMIT {}) AS users", u64::from(most) + 1));
    sql
}

/// How many users meet a filter without a search, if the sums show it.
fn by_sums(
    connection: &mut AnyConnection,
    filter: &UserFilter,
    conditions: &[Condition],
) -> Result<Option<u64>, Failure> {
    let UserFilter { language, source, reachability, first_seen, .. } = filter;
    let summed = UserFilter {
        language: language.clone(),
        source: source.clone(),
        reachability: *reachability,
        first_seen: *first_seen,
        ..UserFilter::new()
    };
    if summed != *filter {
        return Ok(None);
    }
    let mut sum = |figure, label| sum(connection, figure, label, *first_seen);
    let users = match (language.as_deref(), source.as_deref(), reachability) {
        (None, None, None) => sum(Figure::Users, "")?,
        (Some(language), None, None) => sum(Figure::Language, language)?,
        (None, None, Some(ReachabilityFilter::Reachable)) => sum(Figure::Reachable, "")?,
        (None, None, Some(ReachabilityFilter::Unreachable)) => {
            let users = sum(Figure::Users, "")?;
            users.saturating_sub(sum(Figure::Reachable, "")?)
        }
        _ => return Ok(None),
    };
    Ok(Some(users.saturating_add(left_out(connection, conditions)?)))
}

/// How many users of the list the sums leave out.
fn left_out(connection: &mut AnyConnection, conditions: &[Condition]) -> Result<u64, Failure> {
    let ids: Vec<String> = uncounted(connection)?.iter().map(i64::to_string).collect();
    if ids.is_empty() {
        return Ok(0);
    }
    let ids = ids.join(", ");
    let mut sql = Sql::new(format!(
        "SELECT COUNT(*) FROM (SELECT * FROM telegram_users WHERE telegram_id IN ({ids}) LIMIT {}) \
         AS left_out WHERE ",
        i32::MAX
    ));
    sql.push_all(conditions.iter().map(|condition| &condition.sql));
    let number: i64 = sql.returning::<BigInt>().get_result(connection)?;
    Ok(u64::try_from(number).unwrap_or_default())
}

/// A lower bound: more than a few, where more users than that meet the only condition.
fn at_least(request: &Request, slice: &UserSlice) -> Counted {
    match (request.conditions.as_slice(), request.term) {
        ([condition], None) if condition.has_index() => {
            Counted::MoreThan(u64::try_from(FEW).unwrap_or(u64::MAX))
        }
        _ => slice.count,
    }
}

/// How many of all users are in the list, if those that were scanned are typical; rounded.
fn estimate(stats: ScanStats, users: u64) -> Option<u64> {
    let scanned = u64::try_from(stats.scanned).ok()?;
    let matched = u64::try_from(stats.matched).ok().filter(|matched| *matched >= MIN_MATCHED)?;
    let share = users.checked_mul(matched)?.checked_div(scanned)?;
    let rounding = 10_u64.pow(share.checked_ilog10()?.saturating_sub(1));
    Some(share / rounding * rounding)
}

/// The sum of a figure over the users first seen on some days.
fn sum(
    connection: &mut AnyConnection,
    figure: Figure,
    label: &str,
    Days { first, last }: Days,
) -> Result<u64, Failure> {
    let (first, last) = (first.unwrap_or(NaiveDate::MIN), last.unwrap_or(NaiveDate::MAX));
    let sums = sums_by_label(connection, &[figure], first, last)?;
    let sum = sums.into_iter().find(|it| it.label == label).map_or(0, |it| it.value);
    Ok(u64::try_from(sum).unwrap_or_default())
}
