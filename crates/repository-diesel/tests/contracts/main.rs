//! The contract suites of the testkit, on SQLite and on PostgreSQL. They also hold that the list of
//! statements for `manage check` has every one that they send; see `statements.rs`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod statements;

use std::{io::Write as _, sync::Arc};

use rollcall_repository::{
    AdminRepository, BotRepository, QuarantineRepository, ScheduleRepository, SegmentRepository,
    UserRepository,
};
use rollcall_repository_diesel::{
    Database, DieselAdminRepository, DieselBotRepository, DieselPreferencesRepository,
    DieselQuarantineRepository, DieselScheduleRepository, DieselUserRepository,
};
use rollcall_testkit::contract::Store;

mod users {
    use super::*;

    rollcall_testkit::user_repository_contract!(open);

    async fn open(url: &str) -> Arc<dyn Store> {
        Arc::new(DieselUserRepository::new(migrated(url).await))
    }
}

mod personal_data {
    use rollcall_testkit::contract::personal_data::PersonalStore;

    use super::*;

    rollcall_testkit::personal_data_contract!(open);

    async fn open(url: &str) -> Arc<dyn PersonalStore> {
        Arc::new(DieselUserRepository::new(migrated(url).await))
    }
}

mod user_events {
    use rollcall_domain::UserEventKinds;
    use rollcall_testkit::contract::user_events::EventStore;

    use super::*;

    rollcall_testkit::user_event_contract!(open);

    async fn open(url: &str) -> Arc<dyn EventStore> {
        let database = migrated(url).await.recording(UserEventKinds::all());
        Arc::new(DieselUserRepository::new(database))
    }
}

mod clocks {
    use super::*;

    rollcall_testkit::clock_contract!(open);

    async fn open(url: &str) -> Arc<dyn Store> {
        Arc::new(DieselUserRepository::new(migrated(url).await))
    }
}

mod activity {
    use super::*;

    rollcall_testkit::activity_repository_contract!(open);

    async fn open(url: &str) -> Arc<dyn Store> {
        Arc::new(DieselUserRepository::new(migrated(url).await))
    }
}

mod hours {
    use super::*;

    rollcall_testkit::hourly_sums_contract!(open);

    async fn open(url: &str) -> Arc<dyn Store> {
        Arc::new(DieselUserRepository::new(migrated(url).await))
    }
}

mod minutes {
    use super::*;

    rollcall_testkit::minute_sums_contract!(open);

    async fn open(url: &str) -> Arc<dyn Store> {
        Arc::new(DieselUserRepository::new(migrated(url).await))
    }
}

mod uses {
    use super::*;

    rollcall_testkit::command_use_contract!(open);

    async fn open(url: &str) -> Arc<dyn Store> {
        Arc::new(DieselUserRepository::new(migrated(url).await))
    }
}

mod sources {
    use rollcall_testkit::contract::sources::SourceStore;

    use super::*;

    rollcall_testkit::source_repository_contract!(open);

    async fn open(url: &str) -> (Arc<dyn SourceStore>, Arc<dyn AdminRepository>) {
        let database = migrated(url).await;
        let admins = DieselAdminRepository::new(database.clone());
        (Arc::new(DieselUserRepository::new(database)), Arc::new(admins))
    }
}

mod labels {
    use rollcall_testkit::contract::labels::LabelStore;

    use super::*;

    rollcall_testkit::label_repository_contract!(open);

    async fn open(url: &str) -> (Arc<dyn LabelStore>, Arc<dyn AdminRepository>) {
        let database = migrated(url).await;
        let admins = DieselAdminRepository::new(database.clone());
        (Arc::new(DieselUserRepository::new(database)), Arc::new(admins))
    }
}

mod broadcasts {
    use rollcall_testkit::contract::broadcasts::BroadcastStore;

    use super::*;

    rollcall_testkit::broadcast_repository_contract!(open);

    async fn open(url: &str) -> (Arc<dyn BroadcastStore>, Arc<dyn AdminRepository>) {
        let database = migrated(url).await;
        let admins = DieselAdminRepository::new(database.clone());
        (Arc::new(DieselUserRepository::new(database)), Arc::new(admins))
    }
}

mod broadcast_times {
    use rollcall_repository::PreferencesRepository;
    use rollcall_testkit::contract::broadcasts::BroadcastStore;

    use super::*;

    rollcall_testkit::broadcast_times_contract!(open);

    async fn open(url: &str) -> (Arc<dyn BroadcastStore>, Arc<dyn PreferencesRepository>) {
        let database = migrated(url).await;
        let preferences = DieselPreferencesRepository::new(database.clone());
        (Arc::new(DieselUserRepository::new(database)), Arc::new(preferences))
    }
}

mod demo {
    use rollcall_testkit::contract::demo::DemoStore;

    use super::*;

    rollcall_testkit::demo_repository_contract!(open);

    async fn open(url: &str) -> (Arc<dyn DemoStore>, Arc<dyn BotRepository>) {
        let database = migrated(url).await;
        let bots = DieselBotRepository::new(database.clone());
        (Arc::new(DieselUserRepository::new(database)), Arc::new(bots))
    }
}

mod directory {
    use rollcall_testkit::contract::directory::DirectoryStore;

    use super::*;

    rollcall_testkit::directory_repository_contract!(open);

    async fn open(url: &str) -> Arc<dyn DirectoryStore> {
        Arc::new(DieselUserRepository::new(migrated(url).await))
    }
}

mod segment_passes {
    use rollcall_testkit::contract::directory::CountedStore;

    use super::*;

    rollcall_testkit::segment_pass_contract!(open);

    async fn open(url: &str) -> CountedStore {
        let database = migrated(url).await;
        let preferences = DieselPreferencesRepository::new(database.clone());
        (Arc::new(DieselUserRepository::new(database)), Arc::new(preferences))
    }
}

mod uncounted {
    use rollcall_testkit::contract::transfer::TransferStore;

    use super::*;

    rollcall_testkit::uncounted_users_contract!(open);

    async fn open(url: &str) -> Arc<dyn TransferStore> {
        Arc::new(DieselUserRepository::new(migrated(url).await))
    }
}

mod transfer {
    use rollcall_testkit::contract::transfer::TransferStore;

    use super::*;

    rollcall_testkit::transfer_repository_contract!(open);

    async fn open(url: &str) -> Arc<dyn TransferStore> {
        Arc::new(DieselUserRepository::new(migrated(url).await))
    }
}

mod suppression {
    use rollcall_domain::UserEventKinds;
    use rollcall_testkit::contract::suppression::Store;

    use super::*;

    rollcall_testkit::suppression_contract!(open);

    async fn open(url: &str) -> Store {
        let database = migrated(url).await.recording(UserEventKinds::all());
        let quarantine = DieselQuarantineRepository::new(database.clone());
        (Arc::new(DieselUserRepository::new(database)), Arc::new(quarantine))
    }
}

mod retention {
    use rollcall_testkit::contract::retention::Stores;

    use super::*;

    rollcall_testkit::retention_contract!(open);

    async fn open(url: &str) -> Stores {
        let database = migrated(url).await.registering_business_customers(true);
        let audit_log = DieselAdminRepository::new(database.clone());
        (Arc::new(DieselUserRepository::new(database)), Arc::new(audit_log))
    }
}

mod bots {
    use super::*;

    rollcall_testkit::bot_repository_contract!(open);

    async fn open(url: &str) -> Arc<dyn BotRepository> {
        Arc::new(DieselBotRepository::new(migrated(url).await))
    }
}

mod quarantine {
    use super::*;

    rollcall_testkit::quarantine_repository_contract!(open);

    async fn open(url: &str) -> (Arc<dyn UserRepository>, Arc<dyn QuarantineRepository>) {
        let database = migrated(url).await;
        let quarantine = DieselQuarantineRepository::new(database.clone());
        (Arc::new(DieselUserRepository::new(database)), Arc::new(quarantine))
    }
}

mod admin {
    use super::*;

    rollcall_testkit::admin_repository_contract!(open);

    async fn open(url: &str) -> (Arc<dyn UserRepository>, Arc<dyn AdminRepository>) {
        let database = migrated(url).await;
        let admins = DieselAdminRepository::new(database.clone());
        (Arc::new(DieselUserRepository::new(database)), Arc::new(admins))
    }
}

mod accounts {
    use super::*;

    rollcall_testkit::account_repository_contract!(open);

    async fn open(url: &str) -> Arc<dyn AdminRepository> {
        Arc::new(DieselAdminRepository::new(migrated(url).await))
    }
}

mod api_keys {
    use super::*;

    rollcall_testkit::api_key_repository_contract!(open);

    async fn open(url: &str) -> Arc<dyn AdminRepository> {
        Arc::new(DieselAdminRepository::new(migrated(url).await))
    }
}

mod second_factors {
    use super::*;

    rollcall_testkit::second_factor_repository_contract!(open);

    async fn open(url: &str) -> Arc<dyn AdminRepository> {
        Arc::new(DieselAdminRepository::new(migrated(url).await))
    }
}

mod known_devices {
    use super::*;

    rollcall_testkit::known_device_repository_contract!(open);

    async fn open(url: &str) -> Arc<dyn AdminRepository> {
        Arc::new(DieselAdminRepository::new(migrated(url).await))
    }
}

mod owners {
    use super::*;

    rollcall_testkit::owner_repository_contract!(open);

    async fn open(url: &str) -> Arc<dyn AdminRepository> {
        Arc::new(DieselAdminRepository::new(migrated(url).await))
    }
}

mod passkeys {
    use super::*;

    rollcall_testkit::passkey_repository_contract!(open);

    async fn open(url: &str) -> Arc<dyn AdminRepository> {
        Arc::new(DieselAdminRepository::new(migrated(url).await))
    }
}

mod schedule {
    use super::*;

    rollcall_testkit::schedule_repository_contract!(open);

    async fn open(url: &str) -> Arc<dyn ScheduleRepository> {
        Arc::new(DieselScheduleRepository::new(migrated(url).await))
    }
}

mod segments {
    use super::*;

    rollcall_testkit::segment_repository_contract!(open);

    async fn open(url: &str) -> Arc<dyn SegmentRepository> {
        Arc::new(DieselUserRepository::new(migrated(url).await))
    }
}

mod preferences {
    use rollcall_testkit::contract::preferences::Store;

    use super::*;

    rollcall_testkit::preferences_repository_contract!(open);

    async fn open(url: &str) -> Store {
        let database = migrated(url).await;
        let users = DieselUserRepository::new(database.clone());
        let games = DieselScheduleRepository::new(database.clone());
        (Arc::new(DieselPreferencesRepository::new(database)), Arc::new(users), Arc::new(games))
    }
}

async fn migrated(url: &str) -> Database {
    diesel::connection::set_default_instrumentation(statements::watch).unwrap();
    let database = Database::open(url.parse().unwrap()).await.unwrap();
    database.migrate().await.unwrap();
    // Of the databases here, only those of Citus are reached over TCP.
    if !url.starts_with("postgres://postgres@") {
        return database;
    }
    database.distribute(4, false, |_, _| {}).await.unwrap();
    // Opened again, because a program recognises a distributed database when it connects.
    drop(database);
    Database::open(url.parse().unwrap()).await.unwrap()
}

/// With `ROLLCALL_CITUS_URL`, the modules `postgres` run on distributed databases.
#[test]
fn the_contracts_run_on_citus() {
    if std::env::var_os("ROLLCALL_CITUS_URL").is_none() {
        let line = b"SKIPPED contracts on Citus: ROLLCALL_CITUS_URL is not set\n";
        // Not eprintln!, which the test runner would capture.
        std::io::stderr().write_all(line).unwrap();
    }
}
