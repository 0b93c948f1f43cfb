//! The actions of the buttons of broadcasts; see [`Action`](crate::action::Action).

use chrono::NaiveDate;
use rollcall_domain::LabelName;
use rollcall_service::PAID_RATE;

/// The last page that any list may have.
const MAX_PAGE: u32 = 99;
/// The form of a day.
const DAY: &str = "%Y-%m-%d";

/// What a button of a broadcast does. Numbers are those of broadcasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BroadcastAction {
    /// Shows a page of the segments to choose from.
    Audiences {
        page: u32,
    },
    /// Chooses all users.
    Everyone,
    /// Chooses the users of a saved segment.
    Segment(LabelName),
    /// Waits for a message no longer.
    StopWaiting,
    /// Shows a broadcast as it is.
    Show(i64),
    /// Sends the owner a copy.
    Test(i64),
    /// Shows a page of the categories to choose from.
    Categories {
        id: i64,
        page: u32,
    },
    SetCategory {
        id: i64,
        category: LabelName,
    },
    /// Shows the days on which a draft can start.
    Days(i64),
    /// Shows the hours of such a day.
    Hours {
        id: i64,
        day: NaiveDate,
    },
    /// Lets a draft start at a time, in seconds since 1970; `None` if the owner starts it.
    SetStart {
        id: i64,
        at: Option<i64>,
    },
    /// Shows how fast a draft can be sent.
    Speeds(i64),
    /// Sets how fast it is sent: at most so many messages a second.
    SetSpeed {
        id: i64,
        rate: Option<u32>,
        is_paid: bool,
    },
    /// Lets a draft start at its time.
    Schedule(i64),
    /// Asks whether to start.
    AskStart(i64),
    Start(i64),
    /// Cancels a draft.
    Discard(i64),
    Pause(i64),
    Resume(i64),
    /// Asks whether to cancel.
    AskCancel(i64),
    Cancel(i64),
}

impl BroadcastAction {
    /// The data of a button, without version and family.
    pub(crate) fn data(&self) -> String {
        match self {
            Self::Audiences { page } => format!("to/{page}"),
            Self::Everyone => "all".to_owned(),
            Self::Segment(name) => format!("seg/{name}"),
            Self::StopWaiting => "stop".to_owned(),
            Self::Show(id) => format!("show/{id}"),
            Self::Test(id) => format!("test/{id}"),
            Self::Categories { id, page } => format!("cats/{id}/{page}"),
            Self::SetCategory { id, category } => format!("cat/{id}/{category}"),
            Self::Days(id) => format!("days/{id}"),
            Self::Hours { id, day } => format!("hours/{id}/{}", day.format(DAY)),
            Self::SetStart { id, at: None } => format!("at/{id}"),
            Self::SetStart { id, at: Some(at) } => format!("at/{id}/{at}"),
            Self::Speeds(id) => format!("speeds/{id}"),
            Self::SetSpeed { id, rate, is_paid } => {
                let way = if *is_paid { "paid" } else { "free" };
                match rate {
                    None => format!("{way}/{id}"),
                    Some(rate) => format!("{way}/{id}/{rate}"),
                }
            }
            Self::Schedule(id) => format!("later/{id}"),
            Self::AskStart(id) => format!("start?/{id}"),
            Self::Start(id) => format!("start/{id}"),
            Self::Discard(id) => format!("discard/{id}"),
            Self::Pause(id) => format!("pause/{id}"),
            Self::Resume(id) => format!("resume/{id}"),
            Self::AskCancel(id) => format!("cancel?/{id}"),
            Self::Cancel(id) => format!("cancel/{id}"),
        }
    }

    /// Reads the parts of a button's data, which may have another spelling than [`data`](Self::data).
    pub(crate) fn guess(parts: &[&str]) -> Option<Self> {
        Some(match parts {
            ["to", page] => Self::Audiences { page: number(page)? },
            ["all"] => Self::Everyone,
            ["seg", name] => Self::Segment(name.parse().ok()?),
            ["stop"] => Self::StopWaiting,
            ["show", id] => Self::Show(broadcast(id)?),
            ["test", id] => Self::Test(broadcast(id)?),
            ["cats", id, page] => Self::Categories { id: broadcast(id)?, page: number(page)? },
            ["cat", id, name] => {
                Self::SetCategory { id: broadcast(id)?, category: name.parse().ok()? }
            }
            ["days", id] => Self::Days(broadcast(id)?),
            ["hours", id, day] => {
                let day = NaiveDate::parse_from_str(day, DAY).ok()?;
                Self::Hours { id: broadcast(id)?, day }
            }
            ["at", id] => Self::SetStart { id: broadcast(id)?, at: None },
            ["at", id, at] => Self::SetStart { id: broadcast(id)?, at: Some(at.parse().ok()?) },
            ["speeds", id] => Self::Speeds(broadcast(id)?),
            [way @ ("paid" | "free"), id, rate @ ..] => {
                let rate = match rate {
                    [] => None,
                    [rate] => Some(rate.parse().ok().filter(|it| (1..=PAID_RATE).contains(it))?),
                    _ => return None,
                };
                Self::SetSpeed { id: broadcast(id)?, rate, is_paid: *way == "paid" }
            }
            ["later", id] => Self::Schedule(broadcast(id)?),
            ["start?", id] => Self::AskStart(broadcast(id)?),
            ["start", id] => Self::Start(broadcast(id)?),
            ["discard", id] => Self::Discard(broadcast(id)?),
            ["pause", id] => Self::Pause(broadcast(id)?),
            ["resume", id] => Self::Resume(broadcast(id)?),
            ["cancel?", id] => Self::AskCancel(broadcast(id)?),
            ["cancel", id] => Self::Cancel(broadcast(id)?),
            _ => return None,
        })
    }
}

/// A page, counted from 0.
fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|page| *page <= MAX_PAGE)
}

fn broadcast(text: &str) -> Option<i64> {
    text.parse().ok().filter(|id| *id > 0)
}
