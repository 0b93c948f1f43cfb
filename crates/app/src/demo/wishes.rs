//! What simulated users want of the bot, which texts they write, and which buttons they press.

use rollcall_simulator::SentMessage;

use crate::manage::demo_data::pick;

/// What a user wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// To see games.
    Games,
    /// To set this time zone.
    Zone(&'static str),
    /// To follow a team.
    Team,
}

/// The data of the bundled bot's buttons (`action.rs` of rollcall-conversation).
const GAMES: &str = "1/s/";
const REGIONS: &str = "1/p/zone";
const SET_ZONE: &str = "1/p/tz/";
const TEAMS: &str = "1/p/fav/0";
const SET_TEAM: &str = "1/p/fav/";

impl Wish {
    /// Whether a press of the button with this data is what the user came for.
    pub(super) fn is_granted_by(self, data: &str) -> bool {
        match self {
            Self::Games => false,
            Self::Zone(_) => data.starts_with(SET_ZONE),
            Self::Team => is_team(data),
        }
    }
}

/// The data of the button that a user presses next; `None` if no button leads to the wish.
pub(super) fn next_press(
    wish: Wish,
    message: &SentMessage,
    random: &mut fastrand::Rng,
) -> Option<String> {
    let data: Vec<String> = message.buttons().into_iter().filter_map(|it| it.data).collect();
    let all = |is: &dyn Fn(&str) -> bool| data.iter().filter(|it| is(it)).collect::<Vec<_>>();
    let among = match wish {
        Wish::Games => all(&|it| it.starts_with(GAMES)),
        Wish::Zone(zone) => {
            let region = zone.split('/').next().unwrap_or_default();
            let (city, cities) = (format!("{SET_ZONE}{zone}"), format!("{REGIONS}/{region}/"));
            // The city, or the last page on offer of its region, or the regions.
            let mut pages = all(&|it| it.starts_with(&cities));
            pages.sort_by_key(|it| it.rsplit('/').next().and_then(|page| page.parse::<u32>().ok()));
            let choices = [
                all(&|it| it == city),
                pages.pop().into_iter().collect(),
                all(&|it| it == REGIONS),
            ];
            choices.into_iter().find(|choice| !choice.is_empty()).unwrap_or_default()
        }
        Wish::Team => {
            let teams = all(&is_team);
            if teams.is_empty() { all(&|it| it == TEAMS) } else { teams }
        }
    };
    random.choice(among).cloned()
}

/// Whether a button adds a team to the favourite ones.
fn is_team(data: &str) -> bool {
    let parts = data.strip_prefix(SET_TEAM).map(|rest| rest.split('/').collect::<Vec<_>>());
    matches!(parts.as_deref(), Some([_, _, "1"]))
}

/// A likely time zone of people who read a language.
pub(super) fn zone(language: Option<&str>) -> Option<&'static str> {
    let language = language?;
    let (_, zone) = ZONES.iter().find(|(code, _)| *code == language)?;
    Some(zone)
}

const ZONES: [(&str, &str); 22] = [
    ("en", "America/Toronto"),
    ("ru", "Europe/Moscow"),
    ("de", "Europe/Berlin"),
    ("es", "Europe/Madrid"),
    ("pt-br", "America/Sao_Paulo"),
    ("uk", "Europe/Kyiv"),
    ("fr", "Europe/Paris"),
    ("it", "Europe/Rome"),
    ("tr", "Europe/Istanbul"),
    ("fa", "Asia/Tehran"),
    ("id", "Asia/Jakarta"),
    ("hi", "Asia/Kolkata"),
    ("ar", "Africa/Cairo"),
    ("pl", "Europe/Warsaw"),
    ("cs", "Europe/Prague"),
    ("fi", "Europe/Helsinki"),
    ("sv", "Europe/Stockholm"),
    ("zh-hans", "Asia/Shanghai"),
    ("ja", "Asia/Tokyo"),
    ("ko", "Asia/Seoul"),
    ("he", "Asia/Jerusalem"),
    ("en-ca", "America/Toronto"),
];

/// What somebody who reads a language writes to the bot.
pub(super) fn text(language: Option<&str>, random: &mut fastrand::Rng) -> &'static str {
    let own = TEXTS.iter().find(|(code, _)| Some(*code) == language);
    pick(own.map_or(&["👍", "🏒", "🔥", "❤️"][..], |(_, texts)| texts), random)
}

const TEXTS: [(&str, &[&str]); 10] = [
    ("en", &["Thanks!", "When do the Leafs play?", "What a game last night 🔥", "Great bot"]),
    ("ru", &["Спасибо!", "Кто сегодня играет?", "Какой счёт?", "Отличный бот 👍"]),
    ("uk", &["Дякую!", "Хто виграв?", "Коли наступна гра?"]),
    ("de", &["Danke!", "Wer spielt heute?", "Wer steht im Tor?", "Super Bot 👍"]),
    ("es", &["¡Gracias!", "¿Quién juega hoy?", "¡Qué golazo! 🏒"]),
    ("pt-br", &["Valeu!", "Quem joga hoje?", "Que golaço! 🏒🥅"]),
    ("fr", &["Merci !", "Qui joue ce soir ?", "Allez les Habs !"]),
    ("it", &["Grazie!", "Chi gioca stasera?"]),
    ("pl", &["Dzięki!", "Kto dziś gra?"]),
    ("cs", &["Díky!", "Kdy hraje Pastrňák?", "Kdo dneska chytá?"]),
];

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn message(data: &[&str]) -> SentMessage {
        let buttons: Vec<Value> =
            data.iter().map(|it| json!({ "text": "", "callback_data": it })).collect();
        SentMessage {
            chat_id: 1,
            message_id: 1,
            text: String::new(),
            edits: 0,
            json: json!({ "reply_markup": { "inline_keyboard": [buttons] } }),
            params: Value::Null,
        }
    }

    fn pressed(wish: Wish, data: &[&str]) -> Option<String> {
        next_press(wish, &message(data), &mut fastrand::Rng::with_seed(1))
    }

    #[test]
    fn a_city_is_found_on_any_page() {
        let wish = Wish::Zone("Europe/Berlin");
        for (data, expected) in [
            (&["1/p/lang", "1/p/zone", "1/p/fav/0"][..], Some("1/p/zone")),
            (
                &["1/p/zone/Asia/0", "1/p/zone/Europe/0", "1/p/tz/auto", "1/p"],
                Some("1/p/zone/Europe/0"),
            ),
            (
                &["1/p/tz/Europe/Andorra", "1/p/zone/Europe/1", "1/p/zone"],
                Some("1/p/zone/Europe/1"),
            ),
            (
                &["1/p/zone/Europe/0", "1/p/zone/Europe/2", "1/p/tz/Europe/Oslo"],
                Some("1/p/zone/Europe/2"),
            ),
            (
                &["1/p/tz/Europe/Berlin", "1/p/zone/Europe/1", "1/p/zone"],
                Some("1/p/tz/Europe/Berlin"),
            ),
            (&["1/s/today"], None),
        ] {
            assert_eq!(pressed(wish, data).as_deref(), expected, "{data:?}");
        }
        assert!(wish.is_granted_by("1/p/tz/Europe/Berlin") && !wish.is_granted_by("1/p/zone"));
    }

    #[test]
    fn a_team_is_followed_and_never_left() {
        let overview = ["1/p/lang", "1/p/zone", "1/p/fav/0"];
        assert_eq!(pressed(Wish::Team, &overview).as_deref(), Some("1/p/fav/0"));
        let teams = ["1/p/fav/0/6/0", "1/p/fav/0/8/1", "1/p/fav/1", "1/p"];
        assert_eq!(pressed(Wish::Team, &teams).as_deref(), Some("1/p/fav/0/8/1"));
        assert!(
            Wish::Team.is_granted_by("1/p/fav/0/8/1") && !Wish::Team.is_granted_by("1/p/fav/1")
        );
    }

    #[test]
    fn games_are_looked_at_without_a_change_of_settings() {
        let all = ["1/s/today", "1/s/teams/0", "1/p/zone", "1/h"];
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..50 {
            let data = next_press(Wish::Games, &message(&all), &mut random).unwrap();
            assert!(data.starts_with("1/s/"), "{data}");
        }
        assert_eq!(pressed(Wish::Games, &["1/p", "1/h"]), None);
    }

    #[test]
    fn every_zone_exists_and_texts_are_in_the_language() {
        for (language, name) in ZONES {
            assert!(rollcall_domain::zone_of_name(name).is_some(), "{language}: {name}");
        }
        let mut random = fastrand::Rng::with_seed(1);
        assert!(
            TEXTS
                .iter()
                .any(|(code, all)| *code == "de" && all.contains(&text(Some("de"), &mut random)))
        );
        assert!(!text(Some("ja"), &mut random).is_ascii());
        assert!(!text(None, &mut random).is_empty());
    }
}
