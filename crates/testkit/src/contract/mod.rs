//! The contracts of the repositories: rules that must hold on every database.

pub mod accounts;
pub mod activity;
pub mod admin;
pub mod api_keys;
pub mod bots;
pub mod broadcasts;
pub mod clocks;
pub mod demo;
pub mod directory;
pub mod hours;
pub mod known_devices;
pub mod labels;
pub mod minutes;
pub mod owners;
pub mod passkeys;
pub mod personal_data;
pub mod preferences;
pub mod quarantine;
pub mod retention;
pub mod schedule;
pub mod second_factors;
pub mod segments;
pub mod sources;
pub mod suppression;
pub mod transfer;
pub mod uncounted;
pub mod user_events;
pub mod users;
pub mod uses;

use chrono::NaiveDate;
use rollcall_domain::{TelegramId, TelegramUser, UserDetail, UserFilter, UserSort};
use rollcall_repository::{ActivityRepository, DirectoryRepository, UserRepository};

/// A store of users, of their directory and of the figures about them.
pub trait Store: UserRepository + DirectoryRepository + ActivityRepository {}

impl<S: UserRepository + DirectoryRepository + ActivityRepository> Store for S {}

/// All users of a store, which are few; the newest first.
async fn all_users(store: &dyn Store) -> Vec<TelegramUser> {
    let (filter, sort) = (UserFilter::new(), UserSort::default());
    let page = store.users(&filter, sort, None, 1000).await.unwrap();
    assert_eq!(page.next, None);
    page.rows.into_iter().map(|row| row.user).collect()
}

/// A stored user with their whole history.
async fn detail_of(store: &dyn Store, id: TelegramId) -> Option<UserDetail> {
    store.user(id, NaiveDate::default()).await.unwrap()
}

/// Generates a test of each contract of a module: on SQLite, on PostgreSQL, and on PostgreSQL through
/// a pooler. The modules' macros call it.
/// A contract has two handles on one empty store, like those of two processes.
#[doc(hidden)]
#[macro_export]
macro_rules! contract {
    ($open:path, $module:ident: $($contract:ident,)+) => {
        mod sqlite {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $contract() {
                let database = $crate::ThrowAwayDatabase::sqlite();
                let stores = [$open(database.url()).await, $open(database.url()).await];
                $crate::contract::$module::$contract(stores).await;
            })+
        }
        mod postgres {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $contract() {
                let Some(database) = $crate::ThrowAwayDatabase::of_contract() else { return };
                let stores = [$open(database.url()).await, $open(database.url()).await];
                $crate::contract::$module::$contract(stores).await;
            })+
        }
        mod pooled {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $contract() {
                let Some(pooled) = $crate::PooledDatabase::start() else { return };
                let url = pooled.database().url();
                let stores = [$open(url).await, $open(url).await];
                $crate::contract::$module::$contract(stores).await;
                pooled.check_sessions();
            })+
        }
    };
}
