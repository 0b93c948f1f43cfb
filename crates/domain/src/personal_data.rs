//! What is stored about people: the one list behind `/privacy`, the copy that `/mydata` sends, the
//! tables of `docs/database.md` and `docs/privacy.md`, and the tests of erasure.
//!
//! To add a table with personal data, add a variant to [`PersonalTable`], with its facts, and read its
//! rows in `repository-diesel/src/personal_data/`. A test compares this list with the schema of both
//! databases.

use chrono::{DateTime, NaiveDate, Utc};

/// How many days updates stay in the quarantine.
pub const QUARANTINE_DAYS: i64 = 14;

/// For how many days an update that the bot behind did not accept is kept whole.
pub const WHOLE_UPDATE_DAYS: i64 = 7;

/// A kind of personal data, with why it is stored and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DataTopic {
    /// Names, username and language, now and before.
    Profile,
    /// When a user was active, and with what.
    Activity,
    /// What a user has chosen.
    Choices,
    /// Which broadcasts a user got.
    Broadcasts,
    /// What admins noted about a user.
    Notes,
    /// Updates that could not be read, or not be delivered.
    Quarantine,
    /// What admins did with a user's data.
    Log,
    /// What is stored of users who are admins of the bot.
    Admins,
}

impl DataTopic {
    /// All topics, in the order in which they are shown.
    pub const ALL: [Self; 8] = [
        Self::Profile,
        Self::Activity,
        Self::Choices,
        Self::Broadcasts,
        Self::Notes,
        Self::Quarantine,
        Self::Log,
        Self::Admins,
    ];

    /// The topic's name, which ends the keys of its texts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Activity => "activity",
            Self::Choices => "choices",
            Self::Broadcasts => "broadcasts",
            Self::Notes => "notes",
            Self::Quarantine => "quarantine",
            Self::Log => "log",
            Self::Admins => "admins",
        }
    }

    /// What is stored, in English.
    pub fn what(self) -> &'static str {
        match self {
            Self::Profile => "Telegram id, names, username, language, and their changes",
            Self::Activity => {
                "days and first hours of use, numbers of actions, commands, families of buttons, deep \
                 links, and when the bot was blocked; never the text of messages"
            }
            Self::Choices => "language, time zone, favourite teams, and unwanted broadcasts",
            Self::Broadcasts => {
                "broadcasts that were sent to the user, and presses of their buttons"
            }
            Self::Notes => "tags, groups and notes of the bot's admins",
            Self::Quarantine => {
                "updates that could not be read in full, without their texts, and updates that \
                 another bot behind did not take, whole"
            }
            Self::Log => "the user's id in entries about what admins did",
            Self::Admins => "of admins: sign-ins, devices, addresses and what they did",
        }
    }

    /// Why it is stored, in English.
    pub fn why(self) -> &'static str {
        match self {
            Self::Profile => "to recognise users and address them",
            Self::Activity => "for the bot's statistics, and to know which users it can write to",
            Self::Choices => "to answer as the user wants",
            Self::Broadcasts => {
                "so that each user gets a broadcast at most once, and for its results"
            }
            Self::Notes => "for the admins' work with users",
            Self::Quarantine => "so that no update is lost",
            Self::Log => "so that admins can be held to account",
            Self::Admins => "to protect the web admin",
        }
    }

    /// How long it is stored, in English.
    pub fn how_long(self) -> &'static str {
        match self {
            Self::Quarantine => "14 days, whole ones 7 days, or until the user is erased",
            Self::Log => "erasing removes the values; the id stays",
            Self::Admins => "while the user is an admin; what they did stays",
            _ => "until the user is erased",
        }
    }
}

/// What erasing a user does to a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erasing {
    /// Deletes the user's rows.
    Deletes,
    /// Keeps the rows, but without what they say.
    Empties,
    /// Adds what the user counts to sums without names, and deletes the rows.
    Sums,
    /// Keeps the rows: they are about an admin, and stay while the user is one.
    Keeps,
}

impl Erasing {
    /// How `docs/database.md` begins to describe it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Deletes => "deletes the row",
            Self::Empties => "empties the values",
            Self::Sums => "moves the rows to `erased_sums`",
            Self::Keeps => "nothing",
        }
    }
}

/// What of a table is in the copy of a user's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// All columns but these, and the one that names the user.
    AllBut(&'static [&'static str]),
    /// Only these columns.
    Only(&'static [&'static str]),
    /// Nothing, for this reason.
    Nothing(&'static str),
}

/// How a table names the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonColumn {
    /// By the Telegram id, in this column.
    Id(&'static str),
    /// As an admin, such as `telegram:1815`, in this column.
    Admin(&'static str),
}

impl PersonColumn {
    /// The column.
    pub fn name(self) -> &'static str {
        match self {
            Self::Id(name) | Self::Admin(name) => name,
        }
    }
}

/// The facts about rows with personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PersonalData {
    /// The table in the database.
    pub table: &'static str,
    /// How it names the user.
    pub person: PersonColumn,
    /// What it is about.
    pub topic: DataTopic,
    /// What erasing does.
    pub erasing: Erasing,
    /// What is in a copy.
    pub copied: Copied,
}

macro_rules! personal_tables {
    ($(
        $(#[$about:meta])*
        $variant:ident => $table:literal by $person:expr, $topic:ident, $erasing:ident, $copied:expr;
    )+) => {
        /// The rows of a table that are about a person.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum PersonalTable {
            $($(#[$about])* $variant,)+
        }

        impl PersonalTable {
            /// All of them, in the order of a copy.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The facts about it.
            pub const fn facts(self) -> PersonalData {
                match self {
                    $(Self::$variant => PersonalData {
                        table: $table,
                        person: $person,
                        topic: DataTopic::$topic,
                        erasing: Erasing::$erasing,
                        copied: $copied,
                    },)+
                }
            }
        }
    };
}

/// The usual column.
const USER: PersonColumn = PersonColumn::Id("telegram_id");
/// The usual column of tables about admins.
const ADMIN: PersonColumn = PersonColumn::Admin("admin");
const ALL: Copied = Copied::AllBut(&[]);
/// For tables with no other column.
const ONLY_ID: Copied = Copied::Only(&["telegram_id"]);

personal_tables! {
    /// The user.
    TelegramUsers => "telegram_users" by USER, Profile, Deletes, ALL;
    /// Changes of the profile.
    ProfileChanges => "profile_changes" by USER, Profile, Deletes, ALL;
    /// That the names are not in the search yet.
    SearchPending => "search_pending" by USER, Profile, Deletes, ONLY_ID;
    /// The search index.
    SearchGrams => "search_grams" by USER, Profile, Deletes, Copied::Nothing(
        "numbers that are made from the names and the username"
    );
    /// Days of activity before the latest.
    ActiveDays => "active_days" by USER, Activity, Deletes, ALL;
    /// Blocks and returns.
    ReachHistory => "reach_history" by USER, Activity, Deletes, ALL;
    /// Events that are still to be delivered.
    UserEvents => "user_events" by USER, Activity, Deletes, ALL;
    /// Deep links.
    Starts => "starts" by USER, Activity, Deletes, ALL;
    /// Commands and families of buttons.
    CommandUses => "command_uses" by USER, Activity, Deletes, ALL;
    /// That the user is left out of the figures.
    UncountedUsers => "uncounted_users" by USER, Admins, Keeps, ONLY_ID;
    /// What the user had counted before being left out.
    UncountedSums => "uncounted_sums" by USER, Admins, Sums, ALL;
    /// Language and time zone.
    Preferences => "preferences" by USER, Choices, Deletes, ALL;
    /// Favourite teams.
    FavouriteTeams => "favourite_teams" by USER, Choices, Deletes, ALL;
    /// Categories of broadcasts that the user does not want.
    OptOuts => "opt_outs" by USER, Choices, Deletes, ALL;
    /// Messages of broadcasts.
    BroadcastRecipients => "broadcast_recipients" by USER, Broadcasts, Deletes, ALL;
    /// Presses of buttons below them.
    BroadcastPresses => "broadcast_presses" by USER, Broadcasts, Deletes, ALL;
    /// Notes of admins. Their author is another person.
    Notes => "notes" by USER, Notes, Deletes, Copied::AllBut(&["written_by"]);
    /// Tags and groups.
    UserLabels => "user_labels" by USER, Notes, Deletes, ALL;
    /// Changes of tags and groups that can still be undone.
    LabelChangedUsers => "label_changed_users" by USER, Notes, Deletes, ALL;
    /// Updates that could not be read or delivered.
    Quarantine => "quarantine" by USER, Quarantine, Deletes, ALL;
    /// What admins did with the user's data. They are other persons, and the rest protects the entry.
    AuditLog => "audit_log" by PersonColumn::Id("about"), Log, Empties,
        Copied::Only(&["at", "action", "old_value", "new_value"]);
    /// What the user did as an admin. The values may be about others.
    OwnActions => "audit_log" by ADMIN, Admins, Empties, Copied::Only(&["at", "action"]);
    /// That the user claimed the bot.
    TelegramOwners => "telegram_owners" by USER, Admins, Keeps, ALL;
    /// Links to sign in.
    AdminLinks => "admin_links" by USER, Admins, Keeps, Copied::Only(&["created_at"]);
    /// Sessions in the web admin, without their secrets.
    AdminSessions => "admin_sessions" by ADMIN, Admins, Keeps, Copied::Only(&[
        "signed_in_at", "last_used_at", "confirmed_at", "device", "address",
    ]);
    /// The second factor, without its secret.
    SecondFactors => "second_factors" by ADMIN, Admins, Keeps, Copied::Only(&["enabled_at"]);
    /// Passkeys, without their keys.
    Passkeys => "passkeys" by ADMIN, Admins, Keeps,
        Copied::Only(&["name", "host", "added_at", "last_used_at"]);
    /// Recovery codes.
    RecoveryCodes => "recovery_codes" by ADMIN, Admins, Keeps, Copied::Nothing("hashes of secrets");
    /// The generation of known devices.
    DeviceGenerations => "device_generations" by ADMIN, Admins, Keeps, ALL;
    /// That the next message becomes a broadcast.
    BroadcastRequests => "broadcast_requests" by USER, Admins, Deletes, ALL;
    /// Messages that show how far a broadcast is.
    BroadcastProgress => "broadcast_progress" by USER, Admins, Deletes, ALL;
}

impl PersonalTable {
    /// Its name in a copy: that of the table, unless a table has rows of two kinds about a user.
    pub fn name(self) -> &'static str {
        match self {
            Self::OwnActions => "audit_log_of_own_actions",
            other => other.facts().table,
        }
    }

    /// Whether a copy has its rows.
    pub fn is_copied(self) -> bool {
        !matches!(self.facts().copied, Copied::Nothing(_))
    }
}

/// A stored value of a person's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataValue {
    /// Yes or no.
    Flag(bool),
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
    /// A time.
    Time(DateTime<Utc>),
    /// A day.
    Day(NaiveDate),
}

/// A stored row of a person's data: its columns, `None` where they are empty.
pub type DataRow = Vec<(&'static str, Option<DataValue>)>;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_every_topic_has_a_table() {
        let names: BTreeSet<&str> = PersonalTable::ALL.iter().map(|table| table.name()).collect();
        assert_eq!(names.len(), PersonalTable::ALL.len());
        let topics: BTreeSet<_> = PersonalTable::ALL.iter().map(|it| it.facts().topic).collect();
        assert_eq!(topics, BTreeSet::from(DataTopic::ALL));
    }
}
