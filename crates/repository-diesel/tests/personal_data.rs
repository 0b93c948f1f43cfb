//! The list of personal data beside the schema of both databases, and `docs/database.md` beside both. A
//! table that is in none of the lists below fails here: then nobody would get a copy of it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection,
    connection::SimpleConnection, sql_query, sql_types::Text,
};
use rollcall_domain::{Copied, DataRow, DataTopic, Erasing, PersonalTable, TelegramId};
use rollcall_repository::{PersonalDataRepository, UserRepository};
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_testkit::ThrowAwayDatabase;

/// The tables without a user's data, or without data that a user could get a copy of.
const OTHER_TABLES: &[(&str, &str)] = &[
    ("__diesel_schema_migrations", "the list of migrations"),
    ("activity_state", "one row about the figures"),
    ("activity_sums", "sums over all users"),
    ("admin_accounts", "accounts with a name of their own, which are no users"),
    ("admin_invitations", "a secret and who created it, for a week"),
    ("api_keys", "keys of programs"),
    ("audit_head", "hashes"),
    ("bot_behind", "a choice of the bot behind"),
    ("bot_identity", "the bot's own id"),
    ("broadcast_activity", "sums"),
    ("broadcast_arm_sums", "sums"),
    ("broadcast_categories", "names that owners gave"),
    ("broadcast_picture_uses", "numbers of pictures and broadcasts"),
    ("broadcast_pictures", "pictures of owners"),
    ("broadcast_responses", "sums"),
    ("broadcast_sender", "one row about the process that sends"),
    ("broadcast_sums", "sums"),
    ("broadcasts", "what owners wrote; who created one is in the audit log"),
    ("claim_codes", "hashes of codes"),
    ("device_secret", "a secret of the bot"),
    ("erased_sums", "sums without names"),
    ("games", "games"),
    ("label_changes", "what admins changed; who did is in the audit log"),
    ("label_numbers", "the last numbers"),
    ("labels", "names that owners gave"),
    ("mini_app_sign_ins", "hashes, for ten minutes"),
    ("minute_sums", "sums"),
    ("privacy_requests", "keyed hashes; no id shows whose they are"),
    ("recent_updates", "numbers of updates"),
    ("refreshes", "when games were fetched"),
    ("segment_members", "bits; a copy has the names of the user's segments"),
    ("segment_parts", "ids of all users for two days; a copy has the user's id"),
    ("segment_passes", "counts of segments"),
    ("segment_sizes", "sums"),
    ("segments", "filters of owners"),
    ("sign_in_failures", "hashes, for an hour"),
    ("source_sums", "sums"),
    ("sources", "deep links; the user's own is in their row"),
    ("suppressed_users", "keyed hashes of erased users"),
    ("suppression_key", "the key of these hashes"),
    ("teams", "teams"),
];

/// Columns that name a person in the other tables, and are still in no copy.
const OTHER_COLUMNS: &[(&str, &str)] = &[
    ("bot_identity", "telegram_id"),
    ("admin_invitations", "invited_by"),
    ("broadcasts", "created_by"),
    ("label_changes", "admin"),
];

/// The names of columns that name a person, or have their words.
const PERSONAL_NAMES: &[&str] = &[
    "telegram_id",
    "user_id",
    "chat_id",
    "about",
    "admin",
    "created_by",
    "written_by",
    "invited_by",
    "first_name",
    "last_name",
    "username",
    "language_code",
    "device",
    "address",
    "email",
];

const PERSON: i64 = 4_242_424_242;
const ANOTHER: i64 = 515_151_515;

/// Rows about a person in every table. `{id}` is the person, and `{other}` another one.
const ROWS: &str = "
    INSERT INTO telegram_users (telegram_id, first_name, last_name, username, language_code, is_bot,
            created_at, updated_at, last_seen, profile_seen, active_day, previous_seen, has_private_chat,
            obstacle, blocked_at, unblocked_at, source, source_label, first_hour, day_interactions,
            days_of_month, active_days)
        VALUES ({id}, 'Ann', 'Ash', 'ann{id}', 'en', FALSE, {at}, {at}, {at}, {at}, '2026-11-27', {at},
            TRUE, 'blocked', {at}, {at}, 'promo', 1, 3, 4, 5, 6);
    INSERT INTO profile_changes VALUES ({id}, {at}, 'username', 'old{id}', NULL);
    INSERT INTO search_pending VALUES ({id});
    INSERT INTO active_days VALUES ({id}, '2026-11-26', 3, 12);
    INSERT INTO reach_history VALUES ({id}, {at}, 'blocked');
    INSERT INTO user_events VALUES ({id}, {at}, 'user.blocked', {at}, NULL, {at}, 'status_503');
    INSERT INTO starts (telegram_id, at, payload, label) VALUES ({id}, {at}, 'promo', 1);
    INSERT INTO command_uses (telegram_id, command, first_day, last_day, days, recent_days)
        VALUES ({id}, '/start', '2026-11-26', '2026-11-27', 2, 3);
    INSERT INTO uncounted_users VALUES ({id});
    INSERT INTO uncounted_sums VALUES ({id}, 'new', '2026-11-26', '', 1);
    INSERT INTO preferences VALUES ({id}, 'de', 'Europe/Berlin');
    INSERT INTO favourite_teams VALUES ({id}, 10);
    INSERT INTO opt_outs VALUES ({id}, 'promo', {at});
    INSERT INTO broadcast_recipients (telegram_id, broadcast, state, message_id, at)
        VALUES ({id}, 1, 'sent', 77, {at});
    INSERT INTO broadcast_presses VALUES ({id}, 1, 1, {at});
    INSERT INTO notes VALUES ({id}, 'a note', {at}, 'telegram:{other}');
    INSERT INTO user_labels VALUES ({id}, 1);
    INSERT INTO label_changed_users VALUES ({id}, 1);
    INSERT INTO quarantine (update_id, received_at, reason, registered, payload, telegram_id)
        VALUES ({id}, {at}, 'odd', FALSE, '{}', {id});
    INSERT INTO audit_log (id, at, admin, action, about, old_value, new_value, salt)
        VALUES ({id}, {at}, 'telegram:{other}', 'changed_note', {id}, 'one', 'two', {bytes});
    INSERT INTO telegram_owners VALUES ({id}, {at});
    INSERT INTO admin_links VALUES ({bytes}, {id}, {at});
    INSERT INTO admin_sessions (token_hash, admin, signed_in_at, last_used_at, owes_factor, device, address)
        VALUES ({bytes}, 'telegram:{id}', {at}, {at}, FALSE, 'Firefox', '::1');
    INSERT INTO second_factors VALUES ('telegram:{id}', {bytes}, {at}, 1);
    INSERT INTO passkeys VALUES ({bytes}, 'telegram:{id}', 'key', 'localhost', 'secret', 0, {at}, NULL);
    INSERT INTO recovery_codes VALUES ('telegram:{id}', {bytes});
    INSERT INTO device_generations VALUES ('telegram:{id}', 2);
    INSERT INTO broadcast_requests VALUES ({id}, 'lang:de', 'UTC', {at}, NULL);
    INSERT INTO broadcast_progress VALUES ({id}, 1, 5, {at}, NULL);";

/// A database with rows about two persons in every table.
async fn filled(database: &ThrowAwayDatabase) -> DieselUserRepository {
    let opened = Database::open(database.url().parse().unwrap()).await.unwrap();
    opened.migrate().await.unwrap();
    execute(
        database,
        "INSERT INTO labels VALUES (1, 'tag', 'vip', '', '2026-11-27 12:00:00.000000')",
    );
    for (id, other) in [(PERSON, ANOTHER), (ANOTHER, PERSON)] {
        let bytes = format!("{id:064x}");
        let bytes = match database.file() {
            Some(_) => format!("x'{bytes}'"),
            None => format!("'\\x{bytes}'"),
        };
        let rows = ROWS
            .replace("{id}", &id.to_string())
            .replace("{other}", &other.to_string())
            .replace("{at}", "'2026-11-27 12:00:00.000000'")
            .replace("{bytes}", &bytes);
        execute(database, &rows);
    }
    DieselUserRepository::new(opened)
}

fn person(id: i64) -> TelegramId {
    id.try_into().unwrap()
}

async fn rows(store: &DieselUserRepository, table: PersonalTable, id: i64) -> Vec<DataRow> {
    store.personal_rows(table, person(id), 0, 10).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_is_in_a_copy_or_is_known_to_have_nothing_personal() {
    for database in ThrowAwayDatabase::of_each_kind() {
        Database::open(database.url().parse().unwrap()).await.unwrap().migrate().await.unwrap();
        let personal: BTreeSet<&str> =
            PersonalTable::ALL.iter().map(|table| table.facts().table).collect();
        let others: BTreeMap<&str, &str> = OTHER_TABLES.iter().copied().collect();
        let schema = columns(&database);
        for (table, columns) in &schema {
            let is_other = others.contains_key(table.as_str());
            assert!(
                personal.contains(table.as_str()) != is_other,
                "{table} must be in PersonalTable, or in OTHER_TABLES with a reason"
            );
            for column in columns.iter().filter(|it| PERSONAL_NAMES.contains(&it.as_str())) {
                let known = (table.as_str(), column.as_str());
                assert!(
                    !is_other || OTHER_COLUMNS.contains(&known),
                    "{table}.{column} names a person: add {table} to PersonalTable"
                );
            }
        }
        let missing: Vec<_> =
            others.keys().chain(&personal).filter(|it| !schema.contains_key(**it)).collect();
        assert!(missing.is_empty(), "no such tables: {missing:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_has_every_column_of_a_person_and_nothing_of_another_one() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let store = filled(&database).await;
        let schema = columns(&database);
        for &table in PersonalTable::ALL {
            let facts = table.facts();
            let all = schema[facts.table].iter().map(String::as_str);
            let expected: BTreeSet<&str> = match facts.copied {
                Copied::AllBut(left_out) => {
                    all.filter(|it| *it != facts.person.name() && !left_out.contains(it)).collect()
                }
                Copied::Only(columns) => columns.iter().copied().collect(),
                Copied::Nothing(_) => BTreeSet::new(),
            };
            let rows = rows(&store, table, PERSON).await;
            assert_eq!(rows.len(), usize::from(table.is_copied()), "{table:?}");
            let found: BTreeSet<&str> = rows.iter().flatten().map(|(column, _)| *column).collect();
            assert_eq!(found, expected, "{table:?} on {}", database.url());
            let text = format!("{rows:?}");
            assert!(!text.contains(&ANOTHER.to_string()), "{table:?}: {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn erasing_does_to_every_table_what_the_list_says() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let store = filled(&database).await;
        let mut before = BTreeMap::new();
        for &table in PersonalTable::ALL {
            before.insert(table, rows(&store, table, ANOTHER).await);
        }
        store.delete(&[person(PERSON)]).await.unwrap();
        for &table in PersonalTable::ALL {
            let left = rows(&store, table, PERSON).await;
            match table.facts().erasing {
                Erasing::Deletes | Erasing::Sums => {
                    assert_eq!(left, Vec::<DataRow>::new(), "{table:?}")
                }
                Erasing::Empties => {
                    let is_value = |name: &str| name.ends_with("_value");
                    assert!(!left.is_empty());
                    for (name, value) in left.iter().flatten() {
                        assert!(!is_value(name) || value.is_none(), "{table:?}: {name}");
                    }
                }
                Erasing::Keeps => {
                    assert_eq!(left.len(), usize::from(table.is_copied()), "{table:?}")
                }
            }
            assert_eq!(rows(&store, table, ANOTHER).await, before[&table], "{table:?}");
        }
    }
}

/// Rows of a table come in parts that together are all rows.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_table_comes_in_parts() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let store = filled(&database).await;
        for day in 1..=9 {
            execute(
                &database,
                &format!("INSERT INTO active_days VALUES ({PERSON}, '2026-10-0{day}', 1, 1)"),
            );
        }
        let table = PersonalTable::ActiveDays;
        let mut parts = Vec::new();
        for skipped in [0, 4, 8, 12] {
            parts.extend(store.personal_rows(table, person(PERSON), skipped, 4).await.unwrap());
        }
        assert_eq!(parts, rows(&store, table, PERSON).await);
        assert_eq!(parts.len(), 10);
    }
}

/// The page about the database describes every table, and erasing as the list has it.
#[test]
fn the_page_about_the_database_has_every_table_and_says_the_same_about_erasing() {
    let page = include_str!("../../../docs/database.md");
    let mut described: BTreeMap<&str, &str> = BTreeMap::new();
    for line in page.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [names, _, _, _, erasing] = cells[..] else { continue };
        for name in names.split(", ") {
            described.insert(name.trim_matches('`'), erasing);
        }
    }
    for table in PersonalTable::ALL {
        // What a user did as an admin stays; the other rows of this table are those about the user.
        if *table == PersonalTable::OwnActions {
            continue;
        }
        let facts = table.facts();
        let erasing = described.get(facts.table).copied().unwrap_or_default();
        let expected = facts.erasing.words();
        assert!(
            erasing.starts_with(expected),
            "docs/database.md says of {} {erasing:?}, the list {expected:?}",
            facts.table
        );
    }
    for (table, _) in OTHER_TABLES.iter().filter(|(table, _)| !table.starts_with("__")) {
        assert!(described.contains_key(table), "docs/database.md does not describe {table}");
    }
}

#[test]
fn the_page_about_privacy_has_every_topic() {
    let page = include_str!("../../../docs/privacy.md");
    for topic in DataTopic::ALL {
        let row = format!("| {} | {} | {} |", topic.what(), topic.why(), topic.how_long());
        assert!(page.contains(&row), "docs/privacy.md has no row {row}");
    }
}

/// The columns of each table. Those of the search index of SQLite, which is several tables, are left
/// out.
fn columns(database: &ThrowAwayDatabase) -> BTreeMap<String, Vec<String>> {
    let sql = match database.file() {
        Some(_) => {
            "SELECT tables.name AS name, columns.name AS column_name \
             FROM sqlite_master AS tables JOIN pragma_table_info(tables.name) AS columns \
             WHERE tables.type = 'table' AND tables.name NOT LIKE 'search_grams_%'
               AND tables.name NOT LIKE 'sqlite_%'"
        }
        None => {
            "SELECT table_name::text AS name, column_name::text AS column_name \
             FROM information_schema.columns WHERE table_schema = 'public'"
        }
    };
    let rows: Vec<Column> = match database.file() {
        Some(file) => {
            sql_query(sql).load(&mut SqliteConnection::establish(file.to_str().unwrap()).unwrap())
        }
        None => sql_query(sql).load(&mut PgConnection::establish(database.url()).unwrap()),
    }
    .unwrap();
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for Column { name, column_name } in rows {
        tables.entry(name).or_default().push(column_name);
    }
    tables
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
}

fn execute(database: &ThrowAwayDatabase, sql: &str) {
    match database.file() {
        Some(file) => {
            SqliteConnection::establish(file.to_str().unwrap())
                .unwrap()
                .batch_execute(sql)
                .unwrap();
        }
        None => PgConnection::establish(database.url()).unwrap().batch_execute(sql).unwrap(),
    }
}
