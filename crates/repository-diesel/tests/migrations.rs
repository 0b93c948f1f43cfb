//! Migrations: applied once by several processes, taken back without a trace, and refused where
//! the database is newer than the program.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query,
    sql_types::Text,
};
use rollcall_domain::{Event, Figure, Interaction, InteractionKind, Profile, TelegramUser};
use rollcall_repository::{
    ActivityRepository, Difference, GameFilter, ImportEnd, ImportedUser, LabelSum,
    ScheduleRepository, SourceRepository, TransferRepository, UserRepository,
};
use rollcall_repository_diesel::{
    Database, DatabaseUrl, DieselScheduleRepository, DieselUserRepository, MigrationError,
    MigrationState,
};
use rollcall_testkit::ThrowAwayDatabase;

#[tokio::test(flavor = "multi_thread")]
async fn one_of_several_processes_migrates() {
    for throw_away in ThrowAwayDatabase::of_each_kind() {
        let starts = (0..8).map(|_| {
            let url = throw_away.url().to_owned();
            tokio::spawn(async move { open(&url).await.migrate().await.unwrap().len() })
        });
        let mut applied = Vec::new();
        for start in starts.collect::<Vec<_>>() {
            applied.push(start.await.unwrap());
        }
        applied.sort_unstable();
        let all = open(throw_away.url()).await.migrations().await.unwrap().len();
        assert_eq!(applied, [0, 0, 0, 0, 0, 0, 0, all], "{}", throw_away.url());
    }
}

/// Migrations that change nothing on SQLite.
const OF_POSTGRES_ONLY: [&str; 1] = ["classify_errors"];

#[tokio::test(flavor = "multi_thread")]
async fn each_down_sql_restores_the_schema() {
    for throw_away in ThrowAwayDatabase::of_each_kind() {
        let database = open(throw_away.url()).await;
        let states = database.migrations().await.unwrap();
        assert!(states.iter().all(|(_, state)| *state == MigrationState::Pending));
        assert_eq!(schema(throw_away.url()), [""; 0], "a look changes nothing");

        database.migrate().await.unwrap();
        let complete = schema(throw_away.url());
        for steps in 1..=states.len() {
            let mut changed = false;
            for _ in 0..steps {
                let reverted = database.revert().await.unwrap().expect("something to revert");
                changed |= throw_away.file().is_none()
                    || !OF_POSTGRES_ONLY.iter().any(|name| reverted.to_string().contains(name));
            }
            let reverted = schema(throw_away.url());
            assert_eq!(reverted != complete, changed);
            if steps == states.len() {
                // Only Diesel's own list of migrations is left.
                let ours = |line: &&String| !line.contains("__diesel_schema_migrations");
                assert_eq!(reverted.iter().find(ours), None);
                assert_eq!(database.revert().await.unwrap(), None);
            }
            assert_eq!(database.migrate().await.unwrap().len(), steps);
            assert_eq!(schema(throw_away.url()), complete);
        }
    }
}

/// Indexes that are put off while an empty database is filled are back at the end, whatever it is.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_does_not_change_the_schema() {
    for throw_away in ThrowAwayDatabase::of_each_kind() {
        let database = open(throw_away.url()).await;
        database.migrate().await.unwrap();
        let before = schema(throw_away.url());
        let users = DieselUserRepository::new(database);
        let at = DateTime::UNIX_EPOCH;
        let some = |ids: std::ops::Range<i64>| -> Vec<ImportedUser> {
            ids.map(|id| TelegramUser::new(id.try_into().unwrap(), at).into()).collect()
        };
        let parts = [
            // Given up.
            vec![some(1..5)],
            vec![some(1..5), vec![]],
            vec![some(3..9), vec![]],
        ];
        for (parts, created) in parts.into_iter().zip([None, Some(4), Some(4)]) {
            let end = users.import(Box::new(parts.into_iter()), at, Box::new(|_| ())).await;
            let end = match end.unwrap() {
                ImportEnd::Done(imported) => Some(imported.created),
                _ => None,
            };
            assert_eq!(end, created);
            assert_eq!(schema(throw_away.url()), before);
        }
    }
}

/// The updates that are known stay known when they become bits, and when they are taken back.
#[tokio::test(flavor = "multi_thread")]
async fn known_updates_stay_known() {
    // The ends of blocks, which are the ends of the numbers that hold them.
    let ids = [0, 1, 62, 63, 64, 127, 128, 4_294_967_295];
    for throw_away in ThrowAwayDatabase::of_each_kind() {
        let database = open(throw_away.url()).await;
        database.migrate().await.unwrap();
        let back = async || {
            while !database.revert().await.unwrap().unwrap().to_string().contains("compact") {}
        };
        back().await;
        let rows = ids.map(|id| format!("({id}, '2026-11-23 12:00:00.000000')")).join(", ");
        execute(throw_away.url(), &format!("INSERT INTO recent_updates VALUES {rows}"));
        database.migrate().await.unwrap();

        let users = DieselUserRepository::new(database.clone());
        let at: DateTime<Utc> = "2026-11-23T12:00:00Z".parse().unwrap();
        let update = |update_id: i64| Interaction {
            update_id: Some(update_id),
            ..Interaction::new(at, Profile::of_id(5.try_into().unwrap()), InteractionKind::Text)
        };
        let batch: Vec<_> = ids.into_iter().chain([2, 65]).map(update).collect();
        users.register(&batch.into(), at).unwrap();
        let counted = users.totals(&[Figure::Kind], at.date_naive()).await.unwrap();
        assert_eq!(counted, [2], "only 2 and 65 are new");

        back().await;
        let mut expected: Vec<_> = ids.into_iter().chain([2, 65]).collect();
        expected.sort_unstable();
        let sql = "SELECT CAST(update_id AS TEXT) AS line FROM recent_updates ORDER BY update_id";
        let left: Vec<i64> =
            lines(throw_away.url(), sql).iter().map(|id| id.parse().unwrap()).collect();
        assert_eq!(left, expected);
    }
}

/// Of users who were there before activity was recorded, the first and the latest day are known.
#[tokio::test(flavor = "multi_thread")]
async fn users_from_before_the_migration_count_in_the_statistics() {
    for throw_away in ThrowAwayDatabase::of_each_kind() {
        let database = open(throw_away.url()).await;
        database.migrate().await.unwrap();
        while !database.revert().await.unwrap().unwrap().to_string().contains("activity") {}
        execute(
            throw_away.url(),
            "INSERT INTO telegram_users (telegram_id, first_name, is_bot, created_at, updated_at, \
             last_seen, active_day, has_private_chat, source) \
             VALUES (1, 'Ada', false, '2026-11-02 10:00:00.000000', '2026-11-02 10:00:00.000000', \
             '2026-11-20 10:00:00.000000', '2026-11-20', true, 'ad'), \
             (2, 'Bob', false, '2026-11-20 10:00:00.000000', '2026-11-20 10:00:00.000000', \
             '2026-11-20 10:00:00.000000', '2026-11-20', false, NULL)",
        );
        execute(
            throw_away.url(),
            "INSERT INTO interactions_by_day VALUES ('2026-11-20', 'text', 5)",
        );
        database.migrate().await.unwrap();

        let users = DieselUserRepository::new(database.clone());
        let figures = [Figure::New, Figure::Active30, Figure::Reachable, Figure::Kind];
        let on = async |day: &str| users.totals(&figures, day.parse().unwrap()).await.unwrap();
        assert_eq!(on("2026-11-19").await, [1, 1, 1, 0]);
        assert_eq!(on("2026-11-20").await, [2, 2, 1, 5]);
        let (first, last) = ("2026-11-01".parse().unwrap(), "2026-11-30".parse().unwrap());
        let days = users.sums_by_label(&[Figure::ActiveDays], first, last).await.unwrap();
        let row =
            |days: &str| LabelSum { figure: Figure::ActiveDays, label: days.to_owned(), value: 1 };
        assert_eq!(days, [row("1"), row("2")]);

        let at = "2026-11-20T12:00:00Z".parse().unwrap();
        let text = |id: i64| {
            Interaction::new(at, Profile::of_id(id.try_into().unwrap()), InteractionKind::Text)
        };
        users.register(&vec![text(1), text(2), text(3)].into(), at).unwrap();
        assert_eq!(users.recount(false, Arc::new(|_, _| {})).await.unwrap(), []);

        while !database.revert().await.unwrap().unwrap().to_string().contains("activity") {}
        let sql = "SELECT kind || ' ' || CAST(interactions AS TEXT) AS line \
                   FROM interactions_by_day";
        assert_eq!(lines(throw_away.url(), sql), ["text 8"]);
    }
}

/// What deep links brought is the same in a table of its own and among the other sums.
#[tokio::test(flavor = "multi_thread")]
async fn sums_of_deep_links_are_migrated() {
    for throw_away in ThrowAwayDatabase::of_each_kind() {
        let database = open(throw_away.url()).await;
        database.migrate().await.unwrap();
        let users = DieselUserRepository::new(database.clone());
        let at: DateTime<Utc> = "2026-11-20T12:00:00Z".parse().unwrap();
        let start = |(id, payload): (i64, &str)| Interaction {
            event: Some(Event::Start(payload.parse().unwrap())),
            ..Interaction::new(
                at + TimeDelta::days(id % 2),
                Profile::of_id(id.try_into().unwrap()),
                InteractionKind::Command,
            )
        };
        let starts = [(1, "ad"), (2, "ad"), (3, "friend"), (4, "ad")].map(start);
        users.register(&starts.to_vec().into(), at).unwrap();
        // Hours of active users and of interactions cannot be taken back.
        let is_kept = |it: &Figure| !matches!(it, Figure::ActiveHour | Figure::InteractionHour);
        let figures: Vec<_> = Figure::ALL.into_iter().filter(is_kept).collect();
        let sums = async || {
            let (first, last) = (at.date_naive(), at.date_naive() + Days::new(30));
            users.sums_by_day(&figures, first, last).await.unwrap()
        };
        let before = sums().await;
        assert!(before.iter().any(|it| it.figure == Figure::SourceStarts && it.value == 2));

        while !database.revert().await.unwrap().unwrap().to_string().contains("source_sums") {}
        let sql = "SELECT day || label || value AS line FROM activity_sums \
                   WHERE figure = 'source_starts' ORDER BY day, label";
        let moved = ["2026-11-20ad2", "2026-11-21ad1", "2026-11-21friend1"];
        assert_eq!(lines(throw_away.url(), sql), moved);
        database.migrate().await.unwrap();
        assert_eq!(sums().await, before);
        assert_eq!(users.recount(false, Arc::new(|_, _| {})).await.unwrap(), []);
    }
}

/// Deep links that had labels before these were earned keep them, with all that they counted; those
/// that brought no user can be dropped together. On the way back, what was dropped is the others'.
#[tokio::test(flavor = "multi_thread")]
async fn labels_from_before_the_migration_are_kept() {
    for throw_away in ThrowAwayDatabase::of_each_kind() {
        let database = open(throw_away.url()).await;
        database.migrate().await.unwrap();
        let users = DieselUserRepository::new(database.clone());
        let at: DateTime<Utc> = "2026-11-20T12:00:00Z".parse().unwrap();
        let start = |(id, payload): (i64, &str)| Interaction {
            event: Some(Event::Start(payload.parse().unwrap())),
            ..Interaction::new(at, Profile::of_id(id.try_into().unwrap()), InteractionKind::Command)
        };
        // Names that are the numbers of other labels.
        let starts =
            [(1, "2"), (2, "1"), (3, "ad"), (4, "ad"), (5, "gone"), (1, "junk")].map(start);
        users.register(&starts.to_vec().into(), at).unwrap();
        users.delete(&[5.try_into().unwrap()]).await.unwrap();
        let back = async || {
            while !database.revert().await.unwrap().unwrap().to_string().contains("label_sources") {
            }
        };
        let stored = || {
            let sql = "SELECT source || ' ' || sum(starts) || ' ' || sum(new_users) AS line \
                       FROM source_sums GROUP BY source ORDER BY 1";
            lines(throw_away.url(), sql)
        };
        back().await;
        assert_eq!(stored(), ["(other) 2 1", "1 1 1", "2 1 1", "ad 2 2"]);
        // As when anybody could take a label; the erased one was counted under it.
        execute(throw_away.url(), "INSERT INTO sources VALUES ('junk'), ('gone')");
        for sql in [
            "UPDATE source_sums SET starts = 1, new_users = 0 WHERE source = '(other)'",
            "UPDATE source_sums SET source = 'junk' WHERE source = '(other)'",
            "INSERT INTO source_sums VALUES ('2026-11-20', 'gone', 0, 1, 1, 0, 0, 0, 0)",
            "UPDATE erased_sums SET label = 'gone' WHERE label = '(other)'",
        ] {
            execute(throw_away.url(), sql);
        }
        database.migrate().await.unwrap();
        let nothing = || Arc::new(|_, _| {});
        assert_eq!(users.recount(false, nothing()).await.unwrap(), []);
        let labelled = users.labelled_sources().await.unwrap();
        let labelled: Vec<_> = labelled
            .iter()
            .map(|it| format!("{} {} {}", it.payload, it.starts, it.users))
            .collect();
        assert_eq!(labelled, ["ad 2 2", "1 1 1", "2 1 1", "gone 1 1", "junk 1 0"]);

        let dropped = users.drop_sources_without_users(at).await.unwrap();
        assert_eq!(dropped.iter().map(ToString::to_string).collect::<Vec<_>>(), ["gone", "junk"]);
        assert_eq!(users.recount(false, nothing()).await.unwrap(), []);
        users.register(&vec![start((6, "junk"))].into(), at).unwrap();
        assert_eq!(users.recount(false, nothing()).await.unwrap(), []);
        back().await;
        assert_eq!(stored(), ["(other) 2 1", "1 1 1", "2 1 1", "ad 2 2", "junk 1 1"]);
        let sql = "SELECT label AS line FROM erased_sums WHERE figure = 'source_new'";
        assert_eq!(lines(throw_away.url(), sql), ["(other)"]);
        database.migrate().await.unwrap();
        assert_eq!(users.recount(false, nothing()).await.unwrap(), []);
    }
}

/// Games of before are on a day of the NHL's, in the evening and without a decided time.
#[tokio::test(flavor = "multi_thread")]
async fn games_from_before_the_migration_have_a_day() {
    for throw_away in ThrowAwayDatabase::of_each_kind() {
        let database = open(throw_away.url()).await;
        database.migrate().await.unwrap();
        while !database.revert().await.unwrap().unwrap().to_string().contains("withdraw") {}
        execute(
            throw_away.url(),
            "INSERT INTO teams VALUES (6, 'BOS', 'Boston Bruins'), (8, 'MTL', 'Canadiens')",
        );
        let game = |id: i64, start: &str, is_open: bool| {
            format!(
                "({id}, 20262027, 'regular', '{start}', {is_open}, 6, 8, '', NULL, 'FUT', NULL, \
                 NULL, 1)"
            )
        };
        let games = [
            game(1, "2026-11-24 00:30:00.000000", false),
            game(2, "2026-11-24 18:00:00.000000", false),
            game(3, "2027-04-20 04:00:00.000000", true),
            game(4, "2026-12-20 05:00:00.000000", true),
        ];
        execute(throw_away.url(), &format!("INSERT INTO games VALUES {}", games.join(", ")));
        database.migrate().await.unwrap();

        let schedule = DieselScheduleRepository::new(database);
        let all = GameFilter::from(DateTime::UNIX_EPOCH, NaiveDate::default());
        let games = schedule.games(&all, 9).await.unwrap();
        let days: Vec<String> = games
            .iter()
            .map(|game| format!("{} {} {}", game.id, game.day, game.starts_at))
            .collect();
        assert_eq!(
            days,
            [
                "1 2026-11-23 2026-11-24 00:30:00 UTC",
                "2 2026-11-24 2026-11-24 18:00:00 UTC",
                "4 2026-12-20 2026-12-20 17:00:00 UTC",
                "3 2027-04-20 2027-04-20 17:00:00 UTC",
            ]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recount_corrects_wrong_sums() {
    for throw_away in ThrowAwayDatabase::of_each_kind() {
        let database = open(throw_away.url()).await;
        database.migrate().await.unwrap();
        let users = DieselUserRepository::new(database);
        let at: DateTime<Utc> = "2026-11-20T12:00:00Z".parse().unwrap();
        let text = |id: i64| {
            Interaction::new(at, Profile::of_id(id.try_into().unwrap()), InteractionKind::Text)
        };
        users.register(&(1..=5).map(text).collect::<Vec<_>>().into(), at).unwrap();
        for sql in [
            "UPDATE activity_sums SET value = 7 WHERE figure = 'new'",
            "DELETE FROM activity_sums WHERE figure = 'active_days'",
            "INSERT INTO activity_sums VALUES ('reach', '2026-11-20', 'blocked', 3, -2)",
        ] {
            execute(throw_away.url(), sql);
        }
        let counted = Arc::new(Mutex::new(Vec::new()));
        let progress = Arc::clone(&counted);
        let progress = Arc::new(move |users, all| progress.lock().unwrap().push((users, all)));
        let difference = |figure, day: &str, label: &str, stored, counted| Difference {
            figure,
            day: day.parse().unwrap(),
            label: label.to_owned(),
            stored,
            counted,
        };
        let expected = [
            difference(Figure::ActiveDays, "2026-11-01", "1", 0, 5),
            difference(Figure::New, "2026-11-20", "", 7, 5),
            difference(Figure::Reachability, "2026-11-20", "blocked", -2, 0),
        ];
        assert_eq!(users.recount(false, progress).await.unwrap(), expected);
        assert_eq!(*counted.lock().unwrap(), [(0, 5), (5, 5)]);
        let nothing = || Arc::new(|_, _| {});
        assert_eq!(users.recount(true, nothing()).await.unwrap(), expected);
        assert_eq!(users.recount(true, nothing()).await.unwrap(), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_databases_have_the_same_migrations() {
    let mut names = Vec::new();
    for throw_away in ThrowAwayDatabase::of_each_kind() {
        let states = open(throw_away.url()).await.migrations().await.unwrap();
        names.push(states.iter().map(|(migration, _)| migration.to_string()).collect::<Vec<_>>());
    }
    assert!(names.windows(2).all(|pair| pair[0] == pair[1]), "{names:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_database_is_refused_and_not_changed() {
    for throw_away in ThrowAwayDatabase::of_each_kind() {
        let database = open(throw_away.url()).await;
        database.migrate().await.unwrap();
        execute(
            throw_away.url(),
            "INSERT INTO __diesel_schema_migrations (version, run_on) \
             VALUES ('99991231000000', '2026-11-23 00:00:00')",
        );
        let before = schema(throw_away.url());
        for error in [
            database.migrate().await.unwrap_err(),
            database.revert().await.unwrap_err(),
            database.migrations().await.unwrap_err(),
        ] {
            assert!(matches!(&error, MigrationError::NewerDatabase(_)), "{error:?}");
            assert!(error.to_string().contains("99991231000000"), "{error}");
        }
        assert_eq!(schema(throw_away.url()), before);
    }
}

async fn open(url: &str) -> Database {
    Database::open(url.parse().unwrap()).await.unwrap()
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// The tables, columns, constraints, indexes and functions of a database, a line each.
fn schema(url: &str) -> Vec<String> {
    let sql = match url.parse().unwrap() {
        DatabaseUrl::Sqlite { .. } => {
            "SELECT type || ' ' || name || ': ' || coalesce(sql, '') AS line \
             FROM sqlite_master ORDER BY 1"
        }
        DatabaseUrl::Postgres { .. } => {
            "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable \
             AS line FROM information_schema.columns WHERE table_schema = 'public' \
             UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' \
             UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) \
             FROM pg_constraint WHERE connamespace = 'public'::regnamespace \
             UNION ALL SELECT pg_get_functiondef(oid) \
             FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1"
        }
    };
    lines(url, sql)
}

/// What a query answers in its only column, `line`.
fn lines(url: &str, sql: &str) -> Vec<String> {
    let lines: Vec<Line> = match url.parse().unwrap() {
        DatabaseUrl::Sqlite { path, .. } => {
            sql_query(sql).load(&mut SqliteConnection::establish(path.to_str().unwrap()).unwrap())
        }
        DatabaseUrl::Postgres { url, .. } => {
            sql_query(sql).load(&mut PgConnection::establish(&url).unwrap())
        }
    }
    .unwrap();
    lines.into_iter().map(|line| line.line).collect()
}

fn execute(url: &str, sql: &str) {
    match url.parse().unwrap() {
        DatabaseUrl::Sqlite { path, .. } => sql_query(sql)
            .execute(&mut SqliteConnection::establish(path.to_str().unwrap()).unwrap()),
        DatabaseUrl::Postgres { url, .. } => {
            sql_query(sql).execute(&mut PgConnection::establish(&url).unwrap())
        }
    }
    .unwrap();
}
