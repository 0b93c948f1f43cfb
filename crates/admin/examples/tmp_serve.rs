#![allow(warnings)]
#[path = "../tests/stand_in/mod.rs"]
mod stand_in;
use std::net::SocketAddr;
use rollcall_domain::*;
use rollcall_repository_diesel::*;
use rollcall_service::*;
#[tokio::main]
async fn main() {
    let url = std::env::args().nth(1).unwrap();
    let database = Database::open(url.parse().unwrap()).await.unwrap();
    database.migrate().await.unwrap();
    let storage = DieselUserRepository::new(database.clone());
    let users = UserService::new(storage.clone(), SystemClock);
    let directory = DirectoryService::new(stand_in::StandIn { users: storage, notes: Default::default() }, SystemClock);
    let admins = AdminService::new(DieselAdminRepository::new(database), SystemClock, Default::default());
    for role in Role::ALL { let _ = admins.create_account(&role.name().parse().unwrap(), "correct-horse", role, None).await; }
    let router = rollcall_admin::Admin::new(Default::default(), admins, directory, users, SystemClock);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:18080").await.unwrap();
    axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await.unwrap();
}
