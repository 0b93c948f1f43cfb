//! Rollcall in your own bot: open a database and register its users.

use rollcall_domain::{Profile, SystemClock};
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::UserService;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "sqlite://example.db".to_owned());

    let database = Database::open(url.parse()?).await?;
    database.migrate().await?;
    let users = UserService::new(DieselUserRepository::new(database), SystemClock);

    let ada = Profile::new(1815.try_into()?, "Ada").last_name("Lovelace").username("ada");
    let registration = users.get_or_create_user(&ada).await?;
    println!("{} is {}", registration.user, if registration.created { "new" } else { "known" });
    Ok(())
}
