//! The actions of the bot's buttons. A button carries its action as callback data of at most 64 bytes,
//! which Telegram returns with a press. Users can forge callback data, so this reads only what it would
//! write itself.

use rollcall_domain::{
    BroadcastButton, Cursor, LabelName, Language, UserSort, ZONE_REGIONS, zone_of_name,
};
use rollcall_service::ScheduleView;

use chrono_tz::Tz;

use crate::{broadcasts::BroadcastAction, data_action::DataAction};

/// The version of the format. Increment it when the meaning of existing data changes.
const VERSION: &str = "1";
/// The value for "no choice of the user's".
const AUTO: &str = "auto";
/// The last page that any list may have.
const MAX_PAGE: u32 = 99;

/// The family of the button that opts out of a category.
pub(crate) const OPT_OUT: &str = "opt_out";
/// The family of the buttons of broadcasts whose presses are counted.
pub(crate) const PRESS: &str = "press";

/// What a button does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Shows games.
    Schedule(ScheduleView),
    /// Shows the teams whose games can be shown.
    ScheduleTeams {
        page: u32,
    },
    /// Shows the settings.
    Settings,
    Languages,
    SetLanguage(Option<Language>),
    Regions,
    Cities {
        region: &'static str,
        page: u32,
    },
    SetZone(Option<Tz>),
    Favourites {
        page: u32,
    },
    SetFavourite {
        team: i64,
        is_favourite: bool,
        /// The page that the button is on.
        page: u32,
    },
    /// Shows a page of the categories of broadcasts.
    Messages {
        page: u32,
    },
    SetMessages {
        category: LabelName,
        is_out: bool,
        /// The page that the button is on.
        page: u32,
    },
    /// Opts out of a category of broadcasts, or opts in again. The button is below a message of one.
    OptOut {
        category: LabelName,
        is_out: bool,
    },
    /// Counts a press of a button below a broadcast, and shows its text. It does nothing below a test.
    Press(Option<BroadcastButton>),
    /// Shows a page of the list of users, from a place in it or from the start. For owners only.
    Users(Option<Cursor>),
    /// Shows a page of the users of a filter, which is the first line of the message: it would not fit
    /// into the data. For owners only.
    Selected(Cursor),
    /// Shows a page of the saved segments. For owners only.
    Segments {
        page: u32,
    },
    /// Shows the users of a saved segment. For owners only.
    Segment(LabelName),
    /// Composes, changes or shows a broadcast. For owners only.
    Broadcast(BroadcastAction),
    /// Answers the question whether an erased user may be stored again.
    Consent {
        agrees: bool,
    },
    /// Goes on with deleting the user's own data, or deletes nothing.
    Data(DataAction),
    /// Shows the list of commands.
    Help,
}

impl Action {
    /// The data of a button.
    pub(crate) fn data(&self) -> String {
        let rest = match self {
            Self::Schedule(view) => match view {
                ScheduleView::Next => "s/next".to_owned(),
                ScheduleView::Today => "s/today".to_owned(),
                ScheduleView::Tomorrow => "s/tomorrow".to_owned(),
                ScheduleView::Week => "s/week".to_owned(),
                ScheduleView::Favourites => "s/mine".to_owned(),
                ScheduleView::Team(team) => format!("s/team/{team}"),
            },
            Self::ScheduleTeams { page } => format!("s/teams/{page}"),
            Self::Settings => "p".to_owned(),
            Self::Languages => "p/lang".to_owned(),
            Self::SetLanguage(language) => {
                format!("p/lang/{}", language.map_or(AUTO, Language::code))
            }
            Self::Regions => "p/zone".to_owned(),
            Self::Cities { region, page } => format!("p/zone/{region}/{page}"),
            Self::SetZone(None) => format!("p/tz/{AUTO}"),
            Self::SetZone(Some(zone)) => format!("p/tz/{}", zone.name()),
            Self::Favourites { page } => format!("p/fav/{page}"),
            Self::SetFavourite { team, is_favourite, page } => {
                format!("p/fav/{page}/{team}/{}", u8::from(*is_favourite))
            }
            Self::Messages { page } => format!("p/msg/{page}"),
            Self::SetMessages { category, is_out, page } => {
                format!("p/msg/{page}/{category}/{}", u8::from(*is_out))
            }
            Self::OptOut { category, is_out } => format!("o/{category}/{}", u8::from(*is_out)),
            Self::Press(None) => "c/test".to_owned(),
            Self::Press(Some(button)) => format!("c/{button}"),
            Self::Consent { agrees } => format!("a/{}", u8::from(*agrees)),
            Self::Data(action) => format!("d/{}", action.name()),
            Self::Help => "h".to_owned(),
            Self::Users(None) => "u".to_owned(),
            Self::Users(Some(cursor)) => format!("u/{cursor}"),
            Self::Selected(cursor) => format!("f/{cursor}"),
            Self::Segments { page } => format!("g/{page}"),
            Self::Segment(name) => format!("n/{name}"),
            Self::Broadcast(action) => format!("b/{}", action.data()),
        };
        format!("{VERSION}/{rest}")
    }

    /// Reads a button's data. `None` if no button of this version has it.
    pub(crate) fn read(data: &str) -> Option<Self> {
        let action = Self::guess(data)?;
        // Only one spelling is valid: no sign before a number, no trailing text.
        (action.data() == data).then_some(action)
    }

    fn guess(data: &str) -> Option<Self> {
        let rest = data.strip_prefix(VERSION)?.strip_prefix('/')?;
        if let Some(zone) = rest.strip_prefix("p/tz/") {
            return match zone {
                AUTO => Some(Self::SetZone(None)),
                name => zone_of_name(name).map(|zone| Self::SetZone(Some(zone))),
            };
        }
        let parts: Vec<&str> = rest.splitn(6, '/').collect();
        Some(match parts.as_slice() {
            ["s", "next"] => Self::Schedule(ScheduleView::Next),
            ["s", "today"] => Self::Schedule(ScheduleView::Today),
            ["s", "tomorrow"] => Self::Schedule(ScheduleView::Tomorrow),
            ["s", "week"] => Self::Schedule(ScheduleView::Week),
            ["s", "mine"] => Self::Schedule(ScheduleView::Favourites),
            ["s", "team", id] => Self::Schedule(ScheduleView::Team(team(id)?)),
            ["s", "teams", number] => Self::ScheduleTeams { page: page(number)? },
            ["p"] => Self::Settings,
            ["p", "lang"] => Self::Languages,
            ["p", "lang", AUTO] => Self::SetLanguage(None),
            ["p", "lang", code] => Self::SetLanguage(Some(Language::from_code(code)?)),
            ["p", "zone"] => Self::Regions,
            ["p", "zone", name, number] => {
                let region = ZONE_REGIONS.into_iter().find(|region| region == name)?;
                Self::Cities { region, page: page(number)? }
            }
            ["p", "fav", number] => Self::Favourites { page: page(number)? },
            ["p", "fav", number, id, flag] => Self::SetFavourite {
                team: team(id)?,
                is_favourite: yes_or_no(flag)?,
                page: page(number)?,
            },
            ["p", "msg", number] => Self::Messages { page: page(number)? },
            ["p", "msg", number, name, flag] => Self::SetMessages {
                category: name.parse().ok()?,
                is_out: yes_or_no(flag)?,
                page: page(number)?,
            },
            ["o", name, flag] => {
                Self::OptOut { category: name.parse().ok()?, is_out: yes_or_no(flag)? }
            }
            ["c", "test"] => Self::Press(None),
            ["c", button] => Self::Press(Some(button.parse().ok()?)),
            ["a", flag] => Self::Consent { agrees: yes_or_no(flag)? },
            ["d", name] => Self::Data(DataAction::ALL.into_iter().find(|it| it.name() == *name)?),
            ["h"] => Self::Help,
            ["u"] => Self::Users(None),
            ["u", place] => Self::Users(Some(cursor(place)?)),
            ["f", place] => Self::Selected(cursor(place)?),
            ["g", number] => Self::Segments { page: page(number)? },
            ["n", name] => Self::Segment(name.parse().ok()?),
            ["b", parts @ ..] => Self::Broadcast(BroadcastAction::guess(parts)?),
            _ => return None,
        })
    }

    fn family(&self) -> &'static str {
        match self {
            Self::Schedule(_) | Self::ScheduleTeams { .. } => "schedule",
            Self::Settings
            | Self::Languages
            | Self::SetLanguage(_)
            | Self::Regions
            | Self::Cities { .. }
            | Self::SetZone(_)
            | Self::Favourites { .. }
            | Self::SetFavourite { .. }
            | Self::Messages { .. }
            | Self::SetMessages { .. } => "settings",
            Self::OptOut { .. } => OPT_OUT,
            Self::Press(_) => PRESS,
            Self::Users(_) | Self::Selected(_) => "users",
            Self::Segments { .. } | Self::Segment(_) => "segments",
            Self::Broadcast(_) => "broadcast",
            Self::Consent { .. } => "start",
            Self::Data(_) => "deletemydata",
            Self::Help => "help",
        }
    }

    /// Whether the action concerns the user's own preferences, which others must not see.
    pub(crate) fn is_private(&self) -> bool {
        !matches!(self, Self::Schedule(_) | Self::ScheduleTeams { .. } | Self::Help)
    }

    /// Whether it is for the bot's owners only.
    pub(crate) fn is_for_owners(&self) -> bool {
        matches!(
            self,
            Self::Users(_)
                | Self::Selected(_)
                | Self::Segments { .. }
                | Self::Segment(_)
                | Self::Broadcast(_)
        )
    }
}

/// The family of the button with this data: the name of the command whose answer has such buttons, or
/// `opt_out` and `press` for buttons below broadcasts. `None` if the bot has no such button.
pub fn button_family(data: &str) -> Option<&'static str> {
    Action::read(data).map(|action| action.family())
}

/// A page, counted from 0.
fn page(text: &str) -> Option<u32> {
    text.parse().ok().filter(|page| *page <= MAX_PAGE)
}

fn yes_or_no(text: &str) -> Option<bool> {
    match text {
        "1" => Some(true),
        "0" => Some(false),
        _ => None,
    }
}

fn team(text: &str) -> Option<i64> {
    text.parse().ok().filter(|id| *id > 0)
}

/// A place in the list of users as the bot sorts it.
fn cursor(text: &str) -> Option<Cursor> {
    text.parse().ok().filter(|cursor: &Cursor| cursor.key == UserSort::default().key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rollcall_domain::zones_of;

    use super::*;

    fn place(backwards: bool, value: i64, telegram_id: i64) -> Cursor {
        Cursor { key: UserSort::default().key, backwards, value, telegram_id }
    }

    fn every_action() -> Vec<Action> {
        let zones =
            ZONE_REGIONS.into_iter().flat_map(zones_of).map(|zone| Action::SetZone(Some(zone)));
        let languages = Language::ALL.map(|language| Action::SetLanguage(Some(language)));
        let cities = ZONE_REGIONS.map(|region| Action::Cities { region, page: MAX_PAGE });
        let team = i64::MAX;
        let others = [
            Action::Schedule(ScheduleView::Next),
            Action::Schedule(ScheduleView::Today),
            Action::Schedule(ScheduleView::Tomorrow),
            Action::Schedule(ScheduleView::Week),
            Action::Schedule(ScheduleView::Favourites),
            Action::Schedule(ScheduleView::Team(team)),
            Action::ScheduleTeams { page: 0 },
            Action::Settings,
            Action::Languages,
            Action::SetLanguage(None),
            Action::Regions,
            Action::SetZone(None),
            Action::Favourites { page: 3 },
            Action::SetFavourite { team, is_favourite: true, page: MAX_PAGE },
            Action::SetFavourite { team: 1, is_favourite: false, page: 0 },
            Action::Messages { page: MAX_PAGE },
            Action::SetMessages {
                category: "-".repeat(32).parse().unwrap(),
                is_out: true,
                page: MAX_PAGE,
            },
            Action::SetMessages { category: "a".parse().unwrap(), is_out: false, page: 0 },
            Action::OptOut { category: "-".repeat(32).parse().unwrap(), is_out: true },
            Action::OptOut { category: "promo".parse().unwrap(), is_out: false },
            Action::Press(None),
            Action::Press(Some(BroadcastButton { broadcast: i64::MAX, button: 100 })),
            Action::Consent { agrees: true },
            Action::Consent { agrees: false },
            Action::Data(DataAction::Ask),
            Action::Data(DataAction::Delete),
            Action::Data(DataAction::Keep),
            Action::Help,
            Action::Users(None),
            Action::Users(Some(place(false, 1_795_780_800_000_000, 1815))),
            Action::Users(Some(place(true, i64::MIN, i64::MIN))),
            Action::Selected(place(true, i64::MIN, i64::MIN)),
            Action::Segments { page: 0 },
            Action::Segments { page: MAX_PAGE },
            Action::Segment("a".parse().unwrap()),
            Action::Segment("-".repeat(32).parse().unwrap()),
        ];
        let (id, name) = (i64::MAX, "-".repeat(32));
        let of_broadcasts = [
            BroadcastAction::Audiences { page: MAX_PAGE },
            BroadcastAction::Everyone,
            BroadcastAction::Segment(name.parse().unwrap()),
            BroadcastAction::StopWaiting,
            BroadcastAction::Show(id),
            BroadcastAction::Test(id),
            BroadcastAction::Categories { id, page: MAX_PAGE },
            BroadcastAction::SetCategory { id, category: name.parse().unwrap() },
            BroadcastAction::Days(id),
            BroadcastAction::Hours { id, day: "2026-11-30".parse().unwrap() },
            BroadcastAction::SetStart { id, at: None },
            BroadcastAction::SetStart { id, at: Some(1_796_061_600) },
            BroadcastAction::Speeds(id),
            BroadcastAction::SetSpeed { id, rate: None, is_paid: true },
            BroadcastAction::SetSpeed { id, rate: None, is_paid: false },
            BroadcastAction::SetSpeed { id, rate: Some(1_000), is_paid: false },
            BroadcastAction::Schedule(id),
            BroadcastAction::AskStart(id),
            BroadcastAction::Start(1),
            BroadcastAction::Discard(id),
            BroadcastAction::Pause(id),
            BroadcastAction::Resume(id),
            BroadcastAction::AskCancel(id),
            BroadcastAction::Cancel(id),
        ]
        .map(Action::Broadcast);
        let others = others.into_iter().chain(of_broadcasts);
        zones.chain(languages).chain(cities).chain(others).collect()
    }

    #[test]
    fn every_action_round_trips_and_fits_into_a_button() {
        for action in every_action() {
            let data = action.data();
            assert!((1..=64).contains(&data.len()), "{data}");
            assert_eq!(Action::read(&data), Some(action), "{data}");
        }
    }

    #[test]
    fn a_family_has_the_name_of_a_command_unless_it_is_below_broadcasts() {
        for action in every_action() {
            let family = button_family(&action.data());
            let is_command = family.is_some_and(|name| crate::COMMANDS.contains(&name));
            let is_below_broadcasts = matches!(action, Action::OptOut { .. } | Action::Press(_));
            assert_eq!(is_command, !is_below_broadcasts, "{action:?}");
        }
        assert_eq!(button_family("1/o/promo/1"), Some("opt_out"));
        assert_eq!(button_family("1/p/lang/de"), Some("settings"));
        assert_eq!(button_family("1/s/today"), Some("schedule"));
        for forged in ["1/p/lang/xx", "settings", "1/vip", ""] {
            assert_eq!(button_family(forged), None, "{forged}");
        }
    }

    #[test]
    fn forged_data_is_refused() {
        for data in [
            "",
            "1",
            "1/",
            "0/p",
            "2/p",
            "1/p/",
            "1/P",
            " 1/p",
            "1/p/lang/xx",
            "1/p/lang/EN",
            "1/p/tz/Europe/Atlantis",
            "1/p/tz/europe/berlin",
            "1/p/tz/UTC",
            "1/p/tz/../../etc/passwd",
            "1/p/zone/Moon/0",
            "1/p/zone/Europe/-1",
            "1/p/zone/Europe/100",
            "1/p/zone/Europe/01",
            "1/p/fav/0/10/2",
            "1/p/fav/0/-10/1",
            "1/p/fav/0/10/1/1",
            "1/p/msg",
            "1/p/msg/100",
            "1/p/msg/0/promo",
            "1/p/msg/0/Promo/1",
            "1/p/msg/0/promo/2",
            "1/p/msg/0/promo/1/1",
            "1/o/promo",
            "1/o/promo/yes",
            "1/o/PROMO/1",
            "1/o//1",
            "1/o/promo/1/",
            "1/c",
            "1/c/0_1",
            "1/c/1_101",
            "1/c/01_1",
            "1/c/1_1/",
            "1/h/",
            "1/d",
            "1/d/",
            "1/d/now/1",
            "1/d/NOW",
            "1/u/",
            "1/u/2",
            "1/u/fn1.01",
            "1/u/fn+1.1",
            "1/u/in1.1",
            "1/u/fn1.1/2",
            "1/f",
            "1/f/in1.1",
            "1/g/100",
            "1/g/-1",
            "1/n/",
            "1/n/VIP",
            "1/n/a/b",
            "1/b",
            "1/b/",
            "1/b/start",
            "1/b/start/0",
            "1/b/start/-1",
            "1/b/start/+1",
            "1/b/start/01",
            "1/b/start/1/1",
            "1/b/start/99999999999999999999",
            "1/b/to/100",
            "1/b/cat/1/News",
            "1/b/cat/1/",
            "1/b/seg/",
            "1/s/team/+10",
            "1/s/team/0",
            "1/s/team/99999999999999999999",
            "1/s/next; DROP TABLE games",
        ] {
            assert_eq!(Action::read(data), None, "{data:?}");
        }
    }

    proptest! {
        #[test]
        fn any_data_is_read_without_a_panic(data in any::<String>(), parts in "1/[spufgnobcd]/[a-z]{0,5}/?[0-9./]{0,40}") {
            for data in [data, parts] {
                if let Some(action) = Action::read(&data) {
                    prop_assert_eq!(action.data(), data);
                }
            }
        }
    }
}
