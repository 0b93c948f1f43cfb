//! How many users a list has, as far as the page or the sums show it.

use chrono::NaiveDate;
use diesel::{RunQueryDsl, sql_types::BigInt};
use rollcall_domain::{
    Counted, DayField, Days, Figure, FilterNode, Pattern, Selection, Term, UserSlice,
};

use super::{few::use_indexes, request::Request, scan::ScanStats};
use crate::{
    base::{connection::AnyConnection, error::Failure},
    directory::{
        conditions::{Condition, conditions},
        filter::{Known, NOT_BOT},
        search::find::FEW,
        sql::Sql,
    },
    statistics::{sums::sums_by_label, uncounted::uncounted},
};

/// How many matches an estimate needs at least.
const MIN_MATCHED: u64 = 20;

/// How many users there are in a list whose page was scanned.
pub(super) fn count(
    connection: &mut AnyConnection,
    selection: &Selection,
    known: &Known,
    request: &Request,
    slice: &UserSlice,
    stats: ScanStats,
) -> Result<Counted, Failure> {
    if matches!(slice.count, Counted::Exactly(_)) {
        return Ok(slice.count);
    }
    let Some(summed) = Summed::of(selection) else { return Ok(at_least(request, slice)) };
    if let Some(users) = summed.count(connection, known, &request.conditions)? {
        return Ok(Counted::Exactly(users));
    }
    if let Some(FilterNode::Term(Term::Search(_))) = summed.rest {
        let users = sum(connection, Figure::Users, "", summed.days)?;
        return Ok(estimate(stats, users).map_or_else(|| at_least(request, slice), Counted::About));
    }
    Ok(at_least(request, slice))
}

/// How many users meet a selection that compares no names: exactly, if the sums show it or they are
/// at most `most`.
pub(crate) fn bounded(
    connection: &mut AnyConnection,
    selection: &Selection,
    most: u32,
) -> Result<Counted, Failure> {
    let known = Known::read(connection, selection)?;
    let conditions = conditions(selection, &known);
    if let Some(summed) = Summed::of(selection)
        && let Some(users) = summed.count(connection, &known, &conditions)?
    {
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
    let mut sql = Sql::new("SELECT COUNT(*) FROM (SELECT 1 FROM telegram_users AS users WHERE ");
    sql.push_all(conditions.iter().map(|condition| &condition.sql));
    sql.push(&format!(" LIMIT {}) AS users", u64::from(most) + 1));
    sql
}

/// A selection whose users the sums may count: those who joined on some days and, perhaps, meet one
/// further condition.
struct Summed<'a> {
    days: Days,
    leaves_out_bots: bool,
    rest: Option<&'a FilterNode>,
}

impl<'a> Summed<'a> {
    fn of(selection: &'a Selection) -> Option<Self> {
        let mut summed = Self { days: Days::default(), leaves_out_bots: false, rest: None };
        for node in selection.conditions() {
            match node {
                node if *node == negated(Term::Bot) => summed.leaves_out_bots = true,
                FilterNode::Term(Term::Day(DayField::Joined, range)) if selection.is_in_utc() => {
                    let Days { first, last } = selection.days(*range);
                    let known = summed.days;
                    summed.days.first = first.max(known.first);
                    summed.days.last = last.into_iter().chain(known.last).min();
                }
                _ if summed.rest.is_some() => return None,
                node => summed.rest = Some(node),
            }
        }
        Some(summed)
    }

    /// How many users there are, if the sums show it and there are few bots.
    fn count(
        &self,
        connection: &mut AnyConnection,
        known: &Known,
        conditions: &[Condition],
    ) -> Result<Option<u64>, Failure> {
        let mut sum = |figure, label: &str| sum(connection, figure, label, self.days);
        let users = match self.rest {
            None => sum(Figure::Users, "")?,
            Some(FilterNode::Term(Term::Language(patterns))) => {
                let Some(codes) = known.languages_of(patterns) else { return Ok(None) };
                let Days { first, last } = self.days;
                let (first, last) =
                    (first.unwrap_or(NaiveDate::MIN), last.unwrap_or(NaiveDate::MAX));
                let sums = sums_by_label(connection, &[Figure::Language], first, last)?;
                let sums = sums.iter().filter(|it| codes.contains(&it.label.as_str()));
                u64::try_from(sums.map(|it| it.value).sum::<i64>()).unwrap_or_default()
            }
            Some(node) if *node == negated(Term::Language(vec![Pattern::beginning("")])) => {
                sum(Figure::Language, "")?
            }
            Some(FilterNode::Term(Term::Reachable)) => sum(Figure::Reachable, "")?,
            Some(node) if *node == negated(Term::Reachable) => {
                let users = sum(Figure::Users, "")?;
                users.saturating_sub(sum(Figure::Reachable, "")?)
            }
            Some(_) => return Ok(None),
        };
        let bots = if self.leaves_out_bots { bots(connection, conditions)? } else { Some(0) };
        let Some(bots) = bots else { return Ok(None) };
        let left_out = left_out(connection, conditions)?;
        Ok(Some(users.saturating_add(left_out).saturating_sub(bots)))
    }
}

fn negated(term: Term) -> FilterNode {
    FilterNode::Not(Box::new(FilterNode::Term(term)))
}

/// How many bots that the sums count meet the other conditions, if there are few bots.
fn bots(connection: &mut AnyConnection, conditions: &[Condition]) -> Result<Option<u64>, Failure> {
    let mut few =
        Sql::new("SELECT COUNT(*) FROM (SELECT 1 FROM telegram_users WHERE is_bot LIMIT ");
    few.push(&format!("{}) AS bots", FEW + 1));
    let bots: i64 = few.returning::<BigInt>().get_result(connection)?;
    if usize::try_from(bots).map_or(true, |bots| bots > FEW) {
        return Ok(None);
    }
    let left_out: Vec<String> = uncounted(connection)?.iter().map(i64::to_string).collect();
    let mut sql = Sql::new(
        "SELECT COUNT(*) FROM (SELECT * FROM telegram_users WHERE is_bot LIMIT 2147483647) AS users \
         WHERE ",
    );
    sql.push_all(conditions.iter().map(|it| &it.sql).filter(|sql| !sql.is(NOT_BOT)));
    if !left_out.is_empty() {
        sql.push(&format!(" AND telegram_id NOT IN ({})", left_out.join(", ")));
    }
    let bots: i64 = sql.returning::<BigInt>().get_result(connection)?;
    Ok(u64::try_from(bots).ok())
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
         AS users WHERE ",
        i32::MAX
    ));
    sql.push_all(conditions.iter().map(|condition| &condition.sql));
    let number: i64 = sql.returning::<BigInt>().get_result(connection)?;
    Ok(u64::try_from(number).unwrap_or_default())
}

/// A lower bound: more than a few, where more users than that meet the only condition.
fn at_least(request: &Request, slice: &UserSlice) -> Counted {
    match (request.conditions.as_slice(), request.term) {
        ([condition], None) if request.check.is_none() && condition.has_index() => {
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
