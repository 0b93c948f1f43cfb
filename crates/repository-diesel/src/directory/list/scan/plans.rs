//! The plans of the scan's statements, which depend on the schema and the SQL, not on the rows.

use diesel::{
    Connection, RunQueryDsl,
    sql_types::{Integer, Text},
};
use rollcall_domain::{Cursor, ReachabilityFilter, SortKey, UserFilter, UserSort};
use rollcall_testkit::ThrowAwayDatabase;

use super::{IndexScan, ScanStats};
use crate::{
    base::{connection::AnyConnection, database::Database, error::Failure},
    directory::{
        conditions::{Condition, conditions},
        filter::Known,
        list::{count::first_users, few::use_indexes},
        sql::Sql,
    },
};

/// PostgreSQL uses a disabled node only if there is no other way. So a sort or a scan in the plan
/// means that no index serves the statement.
#[tokio::test(flavor = "multi_thread")]
async fn pages_are_read_along_an_index() {
    let filters = [
        UserFilter::new(),
        UserFilter::new().with_language("en"),
        UserFilter::new().with_source("ad"),
        UserFilter::new().with_reachability(ReachabilityFilter::Blocked),
        UserFilter::new().bots(true),
    ];
    for throw_away in ThrowAwayDatabase::of_each_kind() {
        let database = Database::open(throw_away.url().parse().unwrap()).await.unwrap();
        database.migrate().await.unwrap();
        for filter in &filters {
            for key in [SortKey::FirstSeen, SortKey::LastSeen, SortKey::ActiveDays, SortKey::Id] {
                for descending in [false, true] {
                    let statement = next_page(filter, UserSort { key, descending });
                    let text = format!("{statement:?}");
                    let plan =
                        database.read("explain", move |it| plan(it, &statement)).await.unwrap();
                    check(&plan, &text);
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_of_a_state_or_kind_are_counted_along_an_index() {
    for filter in [
        UserFilter::new().with_reachability(ReachabilityFilter::Blocked),
        UserFilter::new().bots(true),
    ] {
        for throw_away in ThrowAwayDatabase::of_each_kind() {
            let database = Database::open(throw_away.url().parse().unwrap()).await.unwrap();
            database.migrate().await.unwrap();
            let statement =
                first_users(&conditions(&(&filter).into(), &Known::of_languages(&["en"])), 10_000);
            let text = format!("{statement:?}");
            let plan = database.read("explain", move |it| plan(it, &statement)).await.unwrap();
            let plan = plan.join("\n");
            let index = ["telegram_users_blocked", "telegram_users_bots"];
            assert!(index.iter().any(|it| plan.contains(it)), "{text}\n{plan}");
            assert!(!plan.contains("Seq Scan"), "{text}\n{plan}");
        }
    }
}

/// The statement that reads a page from a cursor on.
fn next_page(filter: &UserFilter, sort: UserSort) -> Sql {
    let from = Cursor { key: sort.key, backwards: false, value: 1, telegram_id: 1 };
    let scan = IndexScan {
        sort,
        from: Some(from),
        found: Vec::new(),
        stats: ScanStats::default(),
        is_exhausted: false,
    };
    let conditions = conditions(&filter.into(), &Known::of_languages(&["en"]));
    let narrowing: Vec<&Condition> = conditions.iter().filter(|it| it.narrows(sort.key)).collect();
    scan.next_users("*", &narrowing, "21")
}

/// The lines of a statement's plan.
fn plan(connection: &mut AnyConnection, statement: &Sql) -> Result<Vec<String>, Failure> {
    let explain = |prefix: &str| {
        let mut sql = Sql::new(prefix);
        sql.append(statement.clone());
        sql
    };
    if let AnyConnection::Sqlite(_) = connection {
        let sql = explain("EXPLAIN QUERY PLAN ").returning::<(Integer, Integer, Integer, Text)>();
        let rows: Vec<(i32, i32, i32, String)> = sql.load(connection)?;
        return Ok(rows.into_iter().map(|(.., detail)| detail).collect());
    }
    connection.transaction(|connection| {
        use_indexes(connection)?;
        Ok(explain("EXPLAIN (COSTS OFF) ").returning::<Text>().load(connection)?)
    })
}

fn check(plan: &[String], statement: &str) {
    let text = plan.join("\n");
    assert!(
        text.contains("SEARCH users") || text.contains("telegram_users"),
        "{statement}\n{text}"
    );
    for slow in ["SCAN", "TEMP B-TREE", "Seq Scan", "Sort", "Bitmap"] {
        assert!(!text.contains(slow), "{statement}\n{text}");
    }
}
