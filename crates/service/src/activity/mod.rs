//! Figures about the activity of all users, read from the sums that registrations add to. The cost
//! depends on the number of days, not on the number of users.

mod figures;
mod range;
mod read;
mod so_far;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, sync::Arc};

use chrono::NaiveDate;
use rollcall_domain::{
    Clock, Figure, Hour, ReachabilityChange, TelegramId, UserStats, month, week,
};
use rollcall_repository::{ActivityRepository, Difference, LabelSum};
use tokio::{sync::Mutex, try_join};

pub use figures::{
    Activity, Cohort, Count, DayFigures, LifecycleCounts, MAX_LABELS, MonthFigures, Share,
    SourceFigures, Totals, WeekFigures,
};
pub use range::{DayRange, InvalidDayRange};

use crate::ServiceError;
pub(crate) use read::counts;
use read::{Sources, SumsByDay, before, unsigned};
use so_far::{BY_HOUR, today_so_far};

/// Shows how many users the bot has, whether they stay, how they joined and what they use. Cheap to
/// clone.
#[derive(Clone)]
pub struct ActivityService {
    activity: Arc<dyn ActivityRepository>,
    clock: Arc<dyn Clock>,
    /// Held while a range is read. Ten years take about 40 MB, and connections that registrations may
    /// need.
    turn: Arc<Mutex<()>>,
}

impl ActivityService {
    /// A service over `activity`.
    pub fn new(activity: impl ActivityRepository + 'static, clock: impl Clock + 'static) -> Self {
        Self::over(Arc::new(activity), Arc::new(clock))
    }

    pub(crate) fn over(activity: Arc<dyn ActivityRepository>, clock: Arc<dyn Clock>) -> Self {
        Self { activity, clock, turn: Arc::default() }
    }

    /// The present day in UTC.
    pub fn today(&self) -> NaiveDate {
        self.clock.now().date_naive()
    }

    /// The first day with figures: that of the first user. `None` if there never was a user.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn first_day(&self) -> Result<Option<NaiveDate>, ServiceError> {
        Ok(self.activity.first_day().await?)
    }

    /// The usual range: from the first user until today, and at most [`DayRange::USUAL_DAYS`] days.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn usual_range(&self) -> Result<DayRange, ServiceError> {
        let today = self.today();
        let usual = DayRange::ending(today, DayRange::USUAL_DAYS)?;
        Ok(usual.since(self.first_day().await?).unwrap_or(DayRange::of(today)))
    }

    /// The totals of the days right before a range, which are as many as it has. `None` if the first
    /// of them is before the first user, because then fewer days would be compared with more.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn get_totals_before(&self, range: DayRange) -> Result<Option<Totals>, ServiceError> {
        let (Some(before), Some(first_day)) = (range.before(), self.first_day().await?) else {
            return Ok(None);
        };
        if before.first() < first_day {
            return Ok(None);
        }
        self.get_totals(before).await.map(Some)
    }

    /// The figures of a range of days, without days before the first user and in the future. One
    /// range is read at a time; other callers wait.
    ///
    /// # Errors
    /// When the whole range is in the future, or the storage fails.
    pub async fn get_activity(&self, range: DayRange) -> Result<Activity, ServiceError> {
        let today = self.today();
        let range = range.until(today)?;
        let Some(range) = range.since(self.activity.first_day().await?) else {
            return Ok(Activity::without_days(range));
        };
        // Weeks and months may begin before the range does.
        let since = week(range.first()).min(month(range.first()));
        let _turn = self.turn.lock().await;
        let (base, by_day, by_label, sources) = try_join!(
            self.activity.totals(&WINDOWS, before(range.first(), 1)),
            self.activity.sums_by_day(&BY_DAY, since, range.last()),
            self.activity.sums_by_label(&BY_LABEL, range.first(), range.last()),
            Sources::read(&*self.activity, range, today),
        )?;
        let by_day = SumsByDay::from(by_day);
        Ok(Activity {
            days: by_day.days(range, &base),
            weeks: by_day.weeks(range),
            cohorts: by_day.cohorts(range, today),
            months: by_day.months(range),
            kinds: counts(&by_label, Figure::Kind, usize::MAX),
            commands: counts(&by_label, Figure::Command, usize::MAX),
            languages: counts(&by_label, Figure::Language, MAX_LABELS),
            sources: sources.compared(MAX_LABELS),
            range,
        })
    }

    /// The days and the cohorts of a range, without those before the first user. They cost less than
    /// all its figures.
    ///
    /// # Errors
    /// When the range begins in the future, or the storage fails.
    pub async fn get_days(
        &self,
        range: DayRange,
    ) -> Result<(Vec<DayFigures>, Vec<Cohort>), ServiceError> {
        let today = self.today();
        let range = range.until(today)?;
        let Some(range) = range.since(self.activity.first_day().await?) else {
            return Ok((vec![], vec![]));
        };
        let _turn = self.turn.lock().await;
        let (base, by_day) = try_join!(
            self.activity.totals(&WINDOWS, before(range.first(), 1)),
            self.activity.sums_by_day(&BY_DAY, week(range.first()), range.last()),
        )?;
        let by_day = SumsByDay::from(by_day);
        Ok((by_day.days(range, &base), by_day.cohorts(range, today)))
    }

    /// The totals of a range of days, which cost less than all its figures.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn get_totals(&self, range: DayRange) -> Result<Totals, ServiceError> {
        let sums = self.activity.sums_by_label(&TOTALLED, range.first(), range.last()).await?;
        let mut totals = Totals::default();
        for LabelSum { figure, label, value } in sums {
            let total = match figure {
                Figure::Active => &mut totals.active_days,
                Figure::New => &mut totals.new_users,
                Figure::Kind => &mut totals.interactions,
                Figure::Reachability if label == ReachabilityChange::UNBLOCKED => {
                    &mut totals.unblocked
                }
                Figure::Reachability => &mut totals.blocked,
                _ => continue,
            };
            *total += unsigned(value);
        }
        Ok(totals)
    }

    /// The number of users, how many were active recently, and what they did today, compared with a
    /// week ago.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn get_stats(&self) -> Result<UserStats, ServiceError> {
        let at = self.clock.now();
        let today = at.date_naive();
        let week_ago = before(today, 7);
        let figures: Vec<Figure> = OF_TODAY.into_iter().chain(BY_HOUR).collect();
        let (first_day, totals, recent, new) = try_join!(
            self.activity.first_day(),
            self.activity.totals(&TOTALS, today),
            self.activity.sums_by_day(&figures, week_ago, today),
            // The 30 days up to today, and those up to a week ago.
            self.activity.sums_by_day(&[Figure::New], before(today, 36), today),
        )?;
        let mut totals = totals.into_iter();
        let [users, reachable, active_7, active_30] =
            TOTALS.map(|_| totals.next().unwrap_or_default());
        let (recent, new) = (SumsByDay::from(recent), SumsByDay::from(new));
        let since = |figure| recent.total(figure, before(today, 6), today);
        let windows = [active_7 - since(Figure::Active7), active_30 - since(Figure::Active30)];
        let week_before = recent.stats(week_ago, &new, windows);
        let now = recent.stats(today, &new, [active_7, active_30]);
        Ok(UserStats {
            total_users: unsigned(users),
            reachable_users: unsigned(reachable),
            active_today: now.active,
            active_7_days: now.active_7_days,
            active_30_days: now.active_30_days,
            new_today: now.new,
            new_7_days: now.new_7_days,
            new_30_days: now.new_30_days,
            interactions_today: now.interactions,
            blocked_today: now.blocked,
            unblocked_today: now.unblocked,
            first_day,
            week_before: first_day.filter(|first| *first <= week_ago).map(|_| week_before),
            so_far: today_so_far(&recent, today, Hour::of(at), first_day),
        })
    }

    /// Leaves these users, and no others, out of all figures from now on. What they counted before
    /// stays in the figures about the past. Users that were left out before, and are not now, count
    /// again with everything that is stored about them.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn leave_out(&self, users: &BTreeSet<TelegramId>) -> Result<(), ServiceError> {
        Ok(self.activity.leave_out(users).await?)
    }

    /// Recounts all sums from the stored facts, and returns those that differ. With `mend` it also
    /// corrects them. Registrations continue meanwhile.
    ///
    /// Calls `progress` from time to time with the number of users counted so far and of all users.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn recount(
        &self,
        mend: bool,
        progress: impl Fn(u64, u64) + Send + Sync + 'static,
    ) -> Result<Vec<Difference>, ServiceError> {
        Ok(self.activity.recount(mend, Arc::new(progress)).await?)
    }
}

/// The figures that are stored as differences from day to day.
const WINDOWS: [Figure; 2] = [Figure::Active7, Figure::Active30];

const BY_DAY: [Figure; 10] = [
    Figure::Active,
    Figure::Active7,
    Figure::Active30,
    Figure::ActiveDays,
    Figure::Cohort,
    Figure::Kind,
    Figure::LifecycleDay,
    Figure::LifecycleWeek,
    Figure::New,
    Figure::Reachability,
];

const BY_LABEL: [Figure; 3] = [Figure::Command, Figure::Kind, Figure::Language];

const TOTALS: [Figure; 4] = [Figure::Users, Figure::Reachable, Figure::Active7, Figure::Active30];

const TOTALLED: [Figure; 4] = [Figure::Active, Figure::Kind, Figure::New, Figure::Reachability];

const OF_TODAY: [Figure; 6] = [
    Figure::Active,
    Figure::Active7,
    Figure::Active30,
    Figure::Kind,
    Figure::New,
    Figure::Reachability,
];
