/// What is counted, for each day and label. A week is stored under its Monday, a month under its
/// first day.
///
/// Erased users stay in the figures, except in the four that show the present:
/// [`Users`](Self::Users), [`Reachable`](Self::Reachable), [`Language`](Self::Language) and
/// [`SourceReachable`](Self::SourceReachable).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Figure {
    /// Users active on the day.
    Active,
    /// Users by the hour of their first interaction on the day, which is the label.
    ActiveHour,
    /// Users active within the 7 days up to the day, as the difference from the day before.
    Active7,
    /// Users active within the 30 days up to the day, as the difference from the day before.
    Active30,
    /// Users by the number of days of the month on which they were active, which is the label.
    ActiveDays,
    /// Users who joined in the week, by the number of weeks after which they were active, which is
    /// the label. Activity before they joined counts as week 0.
    Cohort,
    /// Users who became unreachable, by the hour of the day, which is the label.
    BlockedHour,
    /// Uses of a command, which is the label.
    Command,
    /// Interactions by the hour of the day, which is the label.
    InteractionHour,
    /// Interactions of a kind, which is the label.
    Kind,
    /// Users who joined on the day, by their language, which is the label.
    Language,
    /// Users of a [`Lifecycle`](super::Lifecycle) class on the day, which is the label.
    LifecycleDay,
    /// Users of a [`Lifecycle`](super::Lifecycle) class in the week, which is the label.
    LifecycleWeek,
    /// Users who joined on the day.
    New,
    /// Users who joined on the day, by the hour, which is the label.
    NewHour,
    /// Changes of reachability on the day. The label is the obstacle, or "unblocked".
    Reachability,
    /// Users who joined on the day and can be reached now.
    Reachable,
    /// Users who joined on the day by the deep link of the label and were active the next day.
    SourceDay1,
    /// As [`SourceDay1`](Self::SourceDay1), but active on the seventh day after.
    SourceDay7,
    /// As [`SourceDay1`](Self::SourceDay1), but active on the thirtieth day after.
    SourceDay30,
    /// Users who joined on the day by the deep link of the label.
    SourceNew,
    /// Users who joined on the day by the deep link of the label and can be reached now.
    SourceReachable,
    /// Starts on the day with the deep link of the label.
    SourceStarts,
    /// Users who became reachable again, by the hour of the day, which is the label.
    UnblockedHour,
    /// Users who joined on the day and have not been erased.
    Users,
}

impl Figure {
    /// Every figure.
    pub const ALL: [Self; 25] = [
        Self::Active,
        Self::ActiveHour,
        Self::Active7,
        Self::Active30,
        Self::ActiveDays,
        Self::Cohort,
        Self::BlockedHour,
        Self::Command,
        Self::InteractionHour,
        Self::Kind,
        Self::Language,
        Self::LifecycleDay,
        Self::LifecycleWeek,
        Self::New,
        Self::NewHour,
        Self::Reachability,
        Self::Reachable,
        Self::SourceDay1,
        Self::SourceDay7,
        Self::SourceDay30,
        Self::SourceNew,
        Self::SourceReachable,
        Self::SourceStarts,
        Self::UnblockedHour,
        Self::Users,
    ];

    /// The figure with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|figure| figure.name() == name)
    }

    /// The figure's name, as it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::ActiveHour => "active_hour",
            Self::Active7 => "active_7",
            Self::Active30 => "active_30",
            Self::ActiveDays => "active_days",
            Self::Cohort => "cohort",
            Self::BlockedHour => "blocked_hour",
            Self::Command => "command",
            Self::InteractionHour => "interaction_hour",
            Self::Kind => "kind",
            Self::Language => "language",
            Self::LifecycleDay => "lifecycle_day",
            Self::LifecycleWeek => "lifecycle_week",
            Self::New => "new",
            Self::NewHour => "new_hour",
            Self::Reachability => "reach",
            Self::Reachable => "reachable",
            Self::SourceDay1 => "source_day_1",
            Self::SourceDay7 => "source_day_7",
            Self::SourceDay30 => "source_day_30",
            Self::SourceNew => "source_new",
            Self::SourceReachable => "source_reachable",
            Self::SourceStarts => "source_starts",
            Self::UnblockedHour => "unblocked_hour",
            Self::Users => "users",
        }
    }

    /// Whether the figure shows the present, so that erased users no longer count in it.
    pub fn is_of_the_present(self) -> bool {
        matches!(self, Self::Users | Self::Reachable | Self::Language | Self::SourceReachable)
    }

    /// Whether its labels are deep links. Only a limited number of them have a label of their own.
    pub fn is_by_source(self) -> bool {
        use Figure::{
            SourceDay1, SourceDay7, SourceDay30, SourceNew, SourceReachable, SourceStarts,
        };
        matches!(
            self,
            SourceDay1 | SourceDay7 | SourceDay30 | SourceNew | SourceReachable | SourceStarts
        )
    }

    /// Whether a recount can compute it from what is stored about the users. Uses of commands, and
    /// interactions by kind and by hour, are stored only as sums.
    pub fn is_counted_from_users(self) -> bool {
        !matches!(self, Self::Command | Self::InteractionHour | Self::Kind)
    }
}
