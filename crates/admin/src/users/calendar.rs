//! The calendar of first days above the list: the years, months and days on which users joined. It
//! counts days of UTC, like all figures.

use chrono::{Datelike, Months, NaiveDate};
use chrono_tz::Tz;
use rollcall_domain::{Counted, DateLevel, Days, month};

use super::{
    form::{Fields, Period, with_first_days},
    options::Options,
    query::Query,
};
use crate::{
    App,
    page::{Failure, text},
};

/// The current year, month or day, and the links above and below it.
pub(crate) struct Calendar {
    pub(crate) above: Vec<Link>,
    pub(crate) here: String,
    pub(crate) below: Vec<Link>,
}

pub(crate) struct Link {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) title: String,
}

impl Calendar {
    /// The calendar for a list.
    pub(super) async fn of(
        app: &App,
        query: &Query,
        fields: &Fields,
        options: &Options,
    ) -> Result<Self, Failure> {
        let url = |days: Days| {
            let zone = if days.is_set() { Some(Tz::UTC) } else { query.zone };
            let list = Query { zone, ..with_first_days(query, days) };
            list.beside(&format!("{}/users", app.base))
        };
        let link = |name: String, days: Days| Link { name, url: url(days), title: String::new() };
        let everything = || link("All dates".to_owned(), Days::default());
        let of_year = |day: NaiveDate| link(day.format("%Y").to_string(), Place::Year(day).days());
        let of_month =
            |day: NaiveDate| link(day.format("%B").to_string(), Place::Month(day).days());
        let (above, here, level) = match Place::of(&fields.joined) {
            Place::Everything => (vec![], "All dates".to_owned(), DateLevel::Years),
            Place::Year(day) => {
                (vec![everything()], day.format("%Y").to_string(), DateLevel::Months(day))
            }
            Place::Month(day) => {
                let above = vec![everything(), of_year(day)];
                (above, day.format("%B").to_string(), DateLevel::Days(day))
            }
            Place::Day(day) => {
                let above = vec![everything(), of_year(day), of_month(day)];
                return Ok(Self { above, here: day.day().to_string(), below: vec![] });
            }
            Place::Elsewhere => {
                let chosen = options.joined.iter().find(|option| option.is_chosen);
                let here = chosen.map(|option| option.name.clone()).unwrap_or_default();
                return Ok(Self { above: vec![everything()], here, below: vec![] });
            }
        };
        let format = match level {
            DateLevel::Years => "%Y",
            DateLevel::Months(_) => "%B",
            DateLevel::Days(_) => "%-d",
        };
        let periods = app.directory.date_hierarchy(level).await?;
        let below = periods.into_iter().map(|period| Link {
            name: period.first.format(format).to_string(),
            url: url(Days::between(period.first, period.last)),
            title: format!("{} joined in these days", text::users(Counted::Exactly(period.users))),
        });
        Ok(Self { above, here, below: below.collect() })
    }
}

/// A range of days, as the calendar names it.
enum Place {
    Everything,
    Year(NaiveDate),
    Month(NaiveDate),
    Day(NaiveDate),
    /// A range that the calendar has no link for.
    Elsewhere,
}

impl Place {
    fn of(period: &Period) -> Self {
        let Some((first, last)) = period.dates() else {
            return if period.is_set() { Self::Elsewhere } else { Self::Everything };
        };
        [Self::Day(first), Self::Month(first), Self::Year(first)]
            .into_iter()
            .find(|place| place.days() == Days::between(first, last))
            .unwrap_or(Self::Elsewhere)
    }

    fn days(&self) -> Days {
        let (first, months) = match self {
            Self::Everything | Self::Elsewhere => return Days::default(),
            Self::Day(day) => return Days::between(*day, *day),
            Self::Month(day) => (month(*day), 1),
            Self::Year(day) => (NaiveDate::from_ymd_opt(day.year(), 1, 1).unwrap_or(*day), 12),
        };
        let next = first.checked_add_months(Months::new(months));
        Days::between(first, next.and_then(|next| next.pred_opt()).unwrap_or(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_recognises_years_months_and_days() {
        let place = |first: &str, last: &str| {
            let [from, to] = [first, last].map(str::to_owned);
            match Place::of(&Period { range: String::new(), from, to }) {
                Place::Everything => "everything",
                Place::Year(_) => "year",
                Place::Month(_) => "month",
                Place::Day(_) => "day",
                Place::Elsewhere => "elsewhere",
            }
        };
        assert_eq!(place("2024-01-01", "2024-12-31"), "year");
        assert_eq!(place("2024-02-01", "2024-02-29"), "month");
        assert_eq!(place("2023-02-01", "2023-02-28"), "month");
        assert_eq!(place("2024-02-29", "2024-02-29"), "day");
        assert_eq!(place("2024-02-01", "2024-02-28"), "elsewhere");
        assert_eq!(place("2024-02-28", "2024-02-01"), "elsewhere");
        assert_eq!(place("2024-02-28", ""), "elsewhere");
        assert_eq!(place("", ""), "everything");
        let range = Period { range: "<7d".to_owned(), ..Period::default() };
        assert!(matches!(Place::of(&range), Place::Elsewhere));
    }
}
