use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};

use crate::{
    Event, Interaction, Profile, Reachability, ReachabilityChange, StartPayload, TelegramId,
    UnreachableReason, Username, clock::is_ahead, harmless, is_visible, visible::trimmed,
};

/// A Telegram account that has interacted with the bot, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TelegramUser {
    /// The account's identity, and the row's key.
    pub telegram_id: TelegramId,
    /// The first name; empty if Telegram sent an empty one, or none yet.
    pub first_name: String,
    /// The last name, if the user has one.
    pub last_name: Option<String>,
    /// The username, if the user has one and no other user has appeared with it since.
    pub username: Option<Username>,
    /// The last known language of the user's client, as an IETF language tag.
    pub language_code: Option<String>,
    /// Whether the account is itself a bot.
    pub is_bot: bool,
    /// The time of the first recorded interaction.
    pub created_at: DateTime<Utc>,
    /// When the profile last changed.
    pub updated_at: DateTime<Utc>,
    /// The time of the latest interaction.
    pub last_seen: DateTime<Utc>,
    /// Set only if a wrong clock put `last_seen` into the future: the time of the latest
    /// interaction since then. Later interactions are compared with it. Normally `None`.
    pub profile_seen: Option<DateTime<Utc>>,
    /// Whether the bot can write to the user.
    pub reachability: Reachability,
    /// The deep link by which the user joined, if any.
    pub source: Option<StartPayload>,
}

impl TelegramUser {
    /// What is known of the user, as an update would have it.
    pub fn profile(&self) -> Profile {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let profile = Profile::new(self.telegram_id, &self.first_name)
            .last_name(&text(&self.last_name))
            .language_code(&text(&self.language_code));
        let mut profile = profile.is_bot(self.is_bot);
        profile.username = self.username.clone();
        profile
    }

    /// A user with an empty profile: only the time of the first interaction is known.
    pub fn new(telegram_id: TelegramId, created_at: DateTime<Utc>) -> Self {
        Self {
            telegram_id,
            first_name: String::new(),
            last_name: None,
            username: None,
            language_code: None,
            is_bot: false,
            created_at,
            updated_at: created_at,
            last_seen: created_at,
            profile_seen: None,
            reachability: Reachability::default(),
            source: None,
        }
    }

    /// The user that the first interaction of an account creates. The deep link of the interaction,
    /// if any, becomes the user's source and never changes.
    pub fn created_by(interaction: &Interaction) -> Self {
        let mut user = Self::new(interaction.telegram_id(), interaction.at);
        user.source = match &interaction.event {
            Some(Event::Start(payload)) => Some(payload.clone()),
            _ => None,
        };
        // The user has no earlier time that could be ahead, so the interaction's own time serves as
        // now.
        user.observe(interaction, interaction.at);
        user
    }

    /// The rules of registration: applies an interaction of this user, which is registered at
    /// `now`.
    ///
    /// - `last_seen` moves forward and never back; `created_at` never changes.
    /// - An interaction older than `last_seen` changes nothing, because updates can arrive late and
    ///   out of order. One with the same time counts as newer.
    /// - A `last_seen` in the future comes from a clock that was ahead. It stays, but interactions
    ///   are not compared with it: until it has passed, they are compared with `profile_seen`. The
    ///   same holds for a block in the future.
    /// - The profile is replaced as a whole: a last name or username that Telegram no longer sends
    ///   is removed. Only an absent language leaves the last known one. A profile with only the id
    ///   replaces nothing.
    /// - `updated_at` changes only with the profile.
    /// - A user who blocks the bot is unreachable until they unblock it or interact in the private
    ///   chat. Interactions in groups do not change that. Blocks and unblocks are compared with
    ///   each other's times, not with `last_seen`. A button press has no time of its own and takes
    ///   that of its receipt. After a pause of the bot, this can be later than a block that really
    ///   came after it.
    ///
    /// Returns the change of reachability that this interaction causes, if any.
    pub fn observe(
        &mut self,
        interaction: &Interaction,
        now: DateTime<Utc>,
    ) -> Option<ReachabilityChange> {
        debug_assert_eq!(self.telegram_id, interaction.telegram_id());
        let at = interaction.at;
        let is_late = at < self.seen_for_certain(now);
        if at >= self.last_seen {
            (self.last_seen, self.profile_seen) = (at, None);
        } else if !is_late {
            self.profile_seen = Some(at);
        }
        if !is_late {
            self.learn(interaction);
        }
        match interaction.event {
            Some(Event::Blocked) => {
                self.reachability.has_private_chat = true;
                self.reachability.block(UnreachableReason::Blocked, at, now)
            }
            Some(Event::Unblocked) => self.reachability.open(at, now),
            _ if !is_late && interaction.is_in_private_chat() => self.reachability.open(at, now),
            _ => None,
        }
    }

    /// The time before which an interaction is late at `now`; see [`seen_for_certain`].
    pub fn seen_for_certain(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        seen_for_certain(self.last_seen, self.profile_seen, now)
    }

    /// Whether a profile differs from the stored one. A profile with only the id never does.
    pub fn differs_from(&self, profile: &Profile) -> bool {
        profile.details().is_some_and(|details| {
            details.first_name != self.first_name
                || details.last_name != self.last_name.as_deref()
                || details.username != self.username.as_ref()
                || details.language_code.is_some_and(|it| Some(it) != self.language_code.as_deref())
                || details.is_bot != self.is_bot
        })
    }

    /// Replaces the profile by the interaction's, if that has more than the id.
    fn learn(&mut self, interaction: &Interaction) {
        if let Some(details) = interaction.profile.details()
            && self.differs_from(&interaction.profile)
        {
            if let Some(language_code) = details.language_code {
                self.language_code = Some(language_code.to_owned());
            }
            self.first_name = details.first_name.to_owned();
            self.last_name = details.last_name.map(str::to_owned);
            self.username = details.username.cloned();
            self.is_bot = details.is_bot;
            self.updated_at = interaction.at;
        }
    }

    /// Merges another record of the same account, usually from an imported file. The profile comes
    /// from the record whose profile changed last, and the reachability from the record where it
    /// changed last. If the times are equal, this record wins. Merging twice has the same effect as
    /// once.
    pub fn merge(&mut self, other: Self) {
        debug_assert_eq!(self.telegram_id, other.telegram_id);
        if other.updated_at > self.updated_at {
            self.first_name = other.first_name;
            self.last_name = other.last_name;
            self.username = other.username;
            self.is_bot = other.is_bot;
            self.updated_at = other.updated_at;
            self.language_code = other.language_code.or(self.language_code.take());
        }
        if other.created_at < self.created_at {
            self.created_at = other.created_at;
            self.source = other.source;
        }
        if other.last_seen > self.last_seen {
            (self.last_seen, self.profile_seen) = (other.last_seen, None);
        }
        self.reachability.merge(other.reachability);
    }

    /// The user's last day of activity, in UTC.
    pub fn active_day(&self) -> NaiveDate {
        self.last_seen.date_naive()
    }

    /// "First Last", either alone, or "Unknown". A name without [visible characters](is_visible)
    /// counts as absent.
    pub fn full_name(&self) -> String {
        self.visible_name().unwrap_or_else(|| "Unknown".to_owned())
    }

    /// The name for a page, a message or a terminal: "First Last", either alone, or "User" and the
    /// id. It is never blank, and has no characters that act on the text around it; see
    /// [`harmless`].
    pub fn shown_name(&self) -> String {
        let name = self.visible_name().map(|name| trimmed(&harmless(&name)).to_owned());
        name.unwrap_or_else(|| format!("User {}", self.telegram_id))
    }

    /// The first name without surrounding blanks, if it has visible characters.
    pub fn visible_first_name(&self) -> Option<&str> {
        is_visible(&self.first_name).then(|| trimmed(&self.first_name))
    }

    /// The names that have visible characters.
    pub(crate) fn visible_name(&self) -> Option<String> {
        let last_name = self.last_name.as_deref().unwrap_or_default();
        match (self.first_name.as_str(), last_name) {
            (first, last) if is_visible(first) && is_visible(last) => {
                Some(format!("{first} {last}"))
            }
            (first, _) if is_visible(first) => Some(first.to_owned()),
            (_, last) if is_visible(last) => Some(last.to_owned()),
            _ => None,
        }
    }
}

/// The time of a user's latest interaction that is plausible at `now`, from
/// [`last_seen`](TelegramUser::last_seen) and [`profile_seen`](TelegramUser::profile_seen). If
/// there is none, returns the earliest time possible, so that no interaction is older.
pub fn seen_for_certain(
    last_seen: DateTime<Utc>,
    profile_seen: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    match profile_seen {
        Some(at) => at,
        None if is_ahead(last_seen, now) => DateTime::<Utc>::MIN_UTC,
        None => last_seen,
    }
}

/// "@username (id)", else "First Last (id)", else "User id".
impl fmt::Display for TelegramUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.telegram_id;
        match (&self.username, self.visible_name()) {
            (Some(username), _) => write!(f, "{username} ({id})"),
            (None, Some(name)) => write!(f, "{name} ({id})"),
            (None, None) => write!(f, "User {id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::InteractionKind;

    const ID: i64 = 1815;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000, 0).unwrap() + TimeDelta::seconds(second)
    }

    fn ada() -> Profile {
        Profile::new(ID.try_into().unwrap(), "Ada")
            .last_name("Lovelace")
            .username("ada")
            .language_code("en")
    }

    fn seen(second: i64, profile: Profile) -> Interaction {
        Interaction::new(at(second), profile, InteractionKind::Text)
    }

    /// The user after `interactions`, the first of which creates it.
    fn user_after(interactions: &[Interaction]) -> TelegramUser {
        let first = &interactions[0];
        let mut user = TelegramUser::new(first.telegram_id(), first.at);
        for interaction in interactions {
            user.observe(interaction, at(1_000));
        }
        user
    }

    #[test]
    fn the_first_interaction_sets_all_three_times() {
        let user = user_after(&[seen(5, ada())]);
        assert_eq!((user.created_at, user.updated_at, user.last_seen), (at(5), at(5), at(5)));
    }

    #[test]
    fn an_unchanged_profile_changes_only_last_seen() {
        let user = user_after(&[seen(5, ada()), seen(9, ada())]);
        assert_eq!((user.created_at, user.updated_at, user.last_seen), (at(5), at(5), at(9)));
    }

    #[test]
    fn the_profile_is_replaced_as_a_whole_except_the_language() {
        let user = user_after(&[seen(5, ada()), seen(9, Profile::new(ID.try_into().unwrap(), ""))]);
        assert_eq!(user.first_name, "");
        assert_eq!((user.last_name, user.username), (None, None));
        assert_eq!(user.language_code.as_deref(), Some("en"));
        assert_eq!(user.updated_at, at(9));
    }

    #[test]
    fn a_late_interaction_changes_nothing() {
        let early = user_after(&[seen(9, ada())]);
        let both = user_after(&[seen(9, ada()), seen(5, ada().username("old"))]);
        assert_eq!(early, both);
    }

    #[test]
    fn interactions_are_not_compared_with_a_time_in_the_future() {
        let mut user = user_after(&[seen(500, ada())]);
        let called = |name: &str| Profile::new(ID.try_into().unwrap(), name);
        user.observe(&seen(20, called("Augusta")), at(20));
        user.observe(&seen(10, called("Late")), at(30));
        assert_eq!((user.first_name.as_str(), user.updated_at), ("Augusta", at(20)));
        assert_eq!((user.last_seen, user.profile_seen), (at(500), Some(at(20))));
        assert_eq!(user.seen_for_certain(at(30)), at(20));
        user.observe(&seen(500, called("King")), at(500));
        assert_eq!((user.first_name.as_str(), user.last_seen), ("King", at(500)));
        assert_eq!(user.profile_seen, None);
        // A difference of ten seconds does not count as the future.
        user.observe(&seen(490, called("Late")), at(490));
        assert_eq!((user.first_name.as_str(), user.profile_seen), ("King", None));
    }

    #[test]
    fn an_equal_time_counts_as_newer() {
        let user = user_after(&[seen(5, ada()), seen(5, ada().username("countess"))]);
        assert_eq!(user.username.unwrap().as_str(), "countess");
    }

    #[test]
    fn an_id_alone_creates_a_user_and_changes_no_profile() {
        let bare = Profile::of_id(ID.try_into().unwrap());
        assert_eq!(user_after(&[seen(5, bare.clone())]).to_string(), "User 1815");

        let user = user_after(&[seen(5, ada()), seen(9, bare)]);
        assert_eq!(user.full_name(), "Ada Lovelace");
        assert_eq!((user.updated_at, user.last_seen), (at(5), at(9)));
    }

    #[test]
    fn reachability_follows_the_private_chat() {
        use crate::{Chat, ChatKind};
        let in_chat = |second, kind, event| Interaction {
            chat: Some(Chat { id: 5, kind }),
            event,
            ..seen(second, ada())
        };
        let mut user = user_after(&[in_chat(0, ChatKind::Group, None)]);
        assert!(!user.reachability.is_reachable(), "a group is not a private chat");
        assert_eq!(user.observe(&in_chat(1, ChatKind::Private, None), at(1_000)), None);
        assert!(user.reachability.is_reachable());

        let blocked =
            user.observe(&in_chat(5, ChatKind::Private, Some(Event::Blocked)), at(1_000)).unwrap();
        assert_eq!((blocked.at, blocked.obstacle), (at(5), Some(UnreachableReason::Blocked)));
        assert_eq!(
            user.observe(&in_chat(6, ChatKind::Private, Some(Event::Blocked)), at(1_000)),
            None
        );
        assert_eq!(user.observe(&in_chat(7, ChatKind::Group, None), at(1_000)), None);
        assert_eq!(user.observe(&in_chat(4, ChatKind::Private, None), at(1_000)), None, "late");
        assert!(!user.reachability.is_reachable());

        let back = user.observe(&in_chat(8, ChatKind::Private, None), at(1_000)).unwrap();
        assert_eq!((back.at, back.obstacle), (at(8), None));
        assert!(user.reachability.is_reachable());
        assert_eq!(
            (user.reachability.blocked_at, user.reachability.unblocked_at),
            (Some(at(5)), Some(at(8)))
        );

        // A button press that was received late, and then a block that is older than it; after
        // that, an unblock older than the block.
        user.observe(&in_chat(30, ChatKind::Private, None), at(1_000));
        assert!(
            user.observe(&in_chat(20, ChatKind::Private, Some(Event::Blocked)), at(1_000))
                .is_some()
        );
        assert!(!user.reachability.is_reachable());
        assert_eq!(
            user.observe(&in_chat(7, ChatKind::Private, Some(Event::Unblocked)), at(1_000)),
            None
        );
        assert!(!user.reachability.is_reachable());
    }

    #[test]
    fn the_source_is_the_deep_link_that_created_the_user() {
        let start = |second, payload: &str| Interaction {
            event: Some(Event::Start(payload.parse().unwrap())),
            ..seen(second, ada())
        };
        let mut user = TelegramUser::created_by(&start(0, "ad_1"));
        user.observe(&start(1, "ad_2"), at(1_000));
        assert_eq!(user.source.unwrap().as_str(), "ad_1");
        assert_eq!(TelegramUser::created_by(&seen(0, ada())).source, None);
        for bad in ["", "a b", "ü", &"x".repeat(65)] {
            assert!(bad.parse::<StartPayload>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn users_are_shown_by_their_best_name() {
        let shown = |profile| {
            let user = user_after(&[seen(0, profile)]);
            (user.full_name(), user.to_string())
        };
        let named = |first: &str| Profile::new(ID.try_into().unwrap(), first);

        assert_eq!(shown(ada()), pair("Ada Lovelace", "@ada (1815)"));
        assert_eq!(
            shown(named("Ada").last_name("Lovelace")),
            pair("Ada Lovelace", "Ada Lovelace (1815)")
        );
        assert_eq!(shown(named("Ada")), pair("Ada", "Ada (1815)"));
        assert_eq!(shown(named("").last_name("Lovelace")), pair("Lovelace", "Lovelace (1815)"));
        assert_eq!(shown(named("")), pair("Unknown", "User 1815"));
    }

    #[test]
    fn a_name_without_visible_characters_counts_as_absent() {
        let user = |first: &str, last: &str| {
            user_after(&[seen(0, Profile::new(ID.try_into().unwrap(), first).last_name(last))])
        };
        for (first, last) in [("\u{200b}\u{200b}", ""), ("\u{3164}", "\u{2800} "), ("", "\u{301}")]
        {
            let user = user(first, last);
            assert_eq!(user.first_name, first, "it is stored as sent");
            assert_eq!(user.full_name(), "Unknown");
            assert_eq!((user.shown_name(), user.to_string()), pair("User 1815", "User 1815"));
        }
        let half = user("\u{3164}", "Lovelace");
        assert_eq!((half.shown_name(), half.to_string()), pair("Lovelace", "Lovelace (1815)"));
        let wrapped = user("\u{200b}\u{3164}Ada", "Lovelace\u{2800}");
        assert_eq!(wrapped.shown_name(), "Ada Lovelace");
        assert_eq!(user("A\u{202e}d\na", "").shown_name(), "A\u{fffd}d\u{fffd}a");
    }

    fn pair(a: &str, b: &str) -> (String, String) {
        (a.to_owned(), b.to_owned())
    }

    #[test]
    fn text_is_stored_as_sent_except_nul_and_length() {
        let user = user_after(&[seen(
            0,
            Profile::new(ID.try_into().unwrap(), "A\0d\0a")
                .last_name(&"👩‍🚀".repeat(300))
                .language_code("zh-hant-beta"),
        )]);
        assert_eq!(user.first_name, "Ada");
        assert_eq!(user.last_name.unwrap().chars().count(), 255);
        assert_eq!(user.language_code.as_deref(), Some("zh-hant-beta"));
    }
}
