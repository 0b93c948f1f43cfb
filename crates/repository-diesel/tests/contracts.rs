//! The contract suites of the testkit, on SQLite and on PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use rollcall_repository::UserRepository;
use rollcall_repository_diesel::{Database, DieselUserRepository};

mod users {
    use super::*;

    rollcall_testkit::user_repository_contract!(open);

    async fn open(url: &str) -> Arc<dyn UserRepository> {
        let database = Database::open(url.parse().unwrap()).await.unwrap();
        database.migrate().await.unwrap();
        Arc::new(DieselUserRepository::new(database))
    }
}
