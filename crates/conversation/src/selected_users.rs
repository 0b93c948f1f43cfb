//! Pages of the users that a filter selects, for owners. The filter is the first line of the message,
//! so the buttons below still work after a restart.

use std::time::Duration;

use chrono_tz::Tz;
use rollcall_domain::{
    Counted, Cursor, Filter, FilterNode, Selection, Term, UserSlice, UserSort, harmless,
};
use rollcall_service::{AudienceError, ServiceError};

use crate::{
    action::Action,
    conversation::Conversation,
    locale::Locale,
    reply::Screen,
    text::escaped,
    user_list::{PAGE_SIZE, entry, turns},
};

/// The longest filter in UTF-16 units, so that a page of users fits into one message below it.
const MAX_FILTER_UNITS: usize = 300;
/// How long an exact count may take. If it takes longer, an estimate is shown.
const QUICK: Duration = Duration::from_millis(500);
/// The command with a filter, without the slash.
const USERS: &str = "users";

impl Conversation {
    /// A page of the users that a filter selects. Days are those of UTC; those of a segment alone are
    /// of its own time zone.
    pub(crate) async fn selected(
        &self,
        text: &str,
        cursor: Option<Cursor>,
        locale: &Locale,
    ) -> Result<Screen, ServiceError> {
        let filter: Filter = match text.parse() {
            Ok(filter) => filter,
            Err(error) => {
                let picture = error.picture(text);
                return Ok(refused(locale, USERS, &error.to_string(), Some(&picture)));
            }
        };
        let shown = filter.to_string();
        let units = shown.encode_utf16().count();
        if units > MAX_FILTER_UNITS || harmless(&shown) != shown {
            return Ok(unshowable(locale, units));
        }
        let selection = match self.selection(&filter).await {
            Ok(selection) => selection,
            Err(AudienceError::Service(error)) => return Err(error),
            Err(error) => return Ok(refused(locale, USERS, &error.to_string(), None)),
        };
        let sort = UserSort::default();
        let mut slice = self.selected.users(&selection, sort, cursor, PAGE_SIZE).await?;
        if slice.rows.is_empty() && !slice.is_partial && cursor.is_some() {
            slice = self.selected.users(&selection, sort, None, PAGE_SIZE).await?;
        }
        if !matches!(slice.count, Counted::Exactly(_))
            && let Some(exactly) = self.selected.count_within(QUICK, &selection).await?
        {
            slice.count = Counted::Exactly(exactly);
        }
        Ok(page(locale, &shown, &slice))
    }

    async fn selection(&self, filter: &Filter) -> Result<Selection, AudienceError> {
        let zone = self.zone_of(filter, Tz::UTC).await?;
        self.selected.selection(filter, zone).await
    }

    /// The time zone of a filter's days: that of a segment if it is nothing else, or else `zone`.
    pub(crate) async fn zone_of(&self, filter: &Filter, zone: Tz) -> Result<Tz, ServiceError> {
        if let FilterNode::Term(Term::Segment(names)) = filter.node()
            && let [name] = names.as_slice()
        {
            let segments = self.selected.segments().await?;
            return Ok(segments.iter().find(|it| it.name == *name).map_or(zone, |it| it.zone));
        }
        Ok(zone)
    }
}

fn page(locale: &Locale, filter: &str, page: &UserSlice) -> Screen {
    let (key, number) = match page.count {
        Counted::Exactly(0) => ("selected-none", 0),
        _ if page.is_partial && page.rows.is_empty() => ("selected-none-so-far", 0),
        Counted::Exactly(number) => ("selected-exactly", number),
        Counted::MoreThan(number) => ("selected-more-than", number),
        Counted::About(number) => ("selected-about", number),
    };
    let mut text = format!(
        "<code>{}</code>\n{}",
        escaped(filter),
        locale.format(key, &[("count", number.into())])
    );
    if page.is_partial && !page.rows.is_empty() {
        text.push('\n');
        text.push_str(&locale.text("selected-partial"));
    }
    text.push('\n');
    for row in &page.rows {
        text.push_str(&entry(locale, &row.user));
    }
    Screen { text, buttons: turns(locale, page, Action::Selected), ..Screen::default() }
}

/// That a filter cannot be used after a command, and why. The reason is in English, as everywhere.
pub(crate) fn refused(
    locale: &Locale,
    command: &str,
    reason: &str,
    picture: Option<&str>,
) -> Screen {
    let picture = picture.map(|it| format!("<pre>{}</pre>\n", escaped(&harmless_lines(it))));
    format!(
        "{}\n{}{}\n\n{}",
        locale.text("filter-refused"),
        picture.unwrap_or_default(),
        escaped(&harmless(reason)),
        locale.format("filter-example", &[("command", command.into())]),
    )
    .into()
}

fn harmless_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(harmless).collect();
    lines.join("\n")
}

fn unshowable(locale: &Locale, units: usize) -> Screen {
    if units <= MAX_FILTER_UNITS {
        return locale.text("filter-odd").into();
    }
    let number = |units: usize| u64::try_from(units).unwrap_or(u64::MAX);
    let numbers = [("count", number(units).into()), ("most", number(MAX_FILTER_UNITS).into())];
    locale.format("filter-long", &numbers).into()
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use rollcall_domain::{
        Interaction, InteractionKind, Language, ListedUser, Profile, SortKey, TelegramUser,
    };

    use super::*;
    use crate::html;

    fn user(n: i64, name: &str) -> ListedUser {
        let at: DateTime<Utc> = "2026-11-20T12:34:56Z".parse().unwrap();
        let profile = Profile::new(n.try_into().unwrap(), name).username(name);
        let mut user = TelegramUser::new(profile.telegram_id(), at);
        user.observe(&Interaction::new(at, profile, InteractionKind::Text), at);
        ListedUser { user, active_days: 1 }
    }

    fn slice(rows: Vec<ListedUser>, count: Counted) -> UserSlice {
        UserSlice { rows, previous: None, next: None, count, is_partial: false }
    }

    #[test]
    fn a_page_begins_with_the_filter_and_an_honest_count() {
        let filter = "name:\"<ada>\" seen<14d";
        let mut texts = Vec::new();
        for language in Language::ALL {
            let locale = Locale::of(language);
            for count in [
                Counted::Exactly(1),
                Counted::Exactly(1234),
                Counted::MoreThan(1000),
                Counted::About(5_000_000),
            ] {
                texts.push(page(locale, filter, &slice(vec![user(1815, "ada")], count)).text);
            }
            texts.push(page(locale, filter, &slice(Vec::new(), Counted::Exactly(0))).text);
            let partial = UserSlice { is_partial: true, ..slice(Vec::new(), Counted::MoreThan(0)) };
            texts.push(page(locale, filter, &partial).text);
            let few = UserSlice { rows: vec![user(1815, "ada")], ..partial };
            texts.push(page(locale, filter, &few).text);
        }
        for text in &texts {
            assert_eq!(html::check(text), Ok(()), "{text}");
        }
        insta::assert_snapshot!(texts.join("\n———\n"));
    }

    #[test]
    fn the_buttons_of_a_page_lead_to_the_pages_beside_it() {
        let at =
            |backwards| Cursor { key: SortKey::FirstSeen, backwards, value: 5, telegram_id: 7 };
        let slice = UserSlice {
            previous: Some(at(true)),
            next: Some(at(false)),
            ..slice(vec![user(7, "a")], Counted::Exactly(3))
        };
        let screen = page(Locale::of(Language::English), "bot", &slice);
        let actions: Vec<_> = screen.buttons.into_iter().flatten().map(|it| it.action).collect();
        assert_eq!(actions, [Action::Selected(at(true)), Action::Selected(at(false))]);
    }

    #[test]
    fn a_wrong_filter_is_shown_with_its_place() {
        let text = "lang:de <b> reachable<5";
        let error = text.parse::<Filter>().unwrap_err();
        let mut texts = Vec::new();
        for language in Language::ALL {
            let locale = Locale::of(language);
            texts.push(refused(locale, USERS, &error.to_string(), Some(&error.picture(text))).text);
            texts.push(refused(locale, "broadcast", "there is no tag 'x'", None).text);
            texts.push(unshowable(locale, 1234).text);
            texts.push(unshowable(locale, 5).text);
        }
        for text in &texts {
            assert_eq!(html::check(text), Ok(()), "{text}");
        }
        insta::assert_snapshot!(texts.join("\n———\n"));
    }

    #[test]
    fn the_longest_page_fits_into_a_message() {
        let long = "𝄞".repeat(255);
        let rows: Vec<_> =
            (0..i64::from(PAGE_SIZE)).map(|n| user((1 << 52) - 1 - n, &long)).collect();
        let filter = "&".repeat(MAX_FILTER_UNITS);
        for language in Language::ALL {
            let slice =
                UserSlice { is_partial: true, ..slice(rows.clone(), Counted::MoreThan(u64::MAX)) };
            let text = page(Locale::of(language), &filter, &slice).text;
            // Telegram counts what is left without the markup.
            let plain: String =
                text.split('<').map(|part| part.rsplit('>').next().unwrap()).collect();
            let units = plain.replace("&amp;", "&").encode_utf16().count();
            assert!(units <= 4096, "{language:?}: {units}");
        }
    }
}
