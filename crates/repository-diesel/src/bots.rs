use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rollcall_domain::TelegramId;
use rollcall_repository::{BotRepository, RepositoryError};

use crate::{
    base::{
        connection::{AnyConnection, either},
        database::Database,
        error::Failure,
        schema::bot_identity,
        timestamp::UtcMicros,
    },
    row::user::telegram_id,
};

/// The bot that a database belongs to, in the table `bot_identity`.
#[derive(Clone, Debug)]
pub struct DieselBotRepository {
    database: Database,
}

impl DieselBotRepository {
    /// The repository in `database`, which must be migrated.
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl BotRepository for DieselBotRepository {
    async fn claim(
        &self,
        bot: TelegramId,
        at: DateTime<Utc>,
    ) -> Result<TelegramId, RepositoryError> {
        self.database
            .write("claim the database", move |connection| claim(connection, bot, at))
            .await
    }

    async fn owner(&self) -> Result<Option<TelegramId>, RepositoryError> {
        self.database.read("read which bot owns the database", owner).await
    }
}

fn claim(
    connection: &mut AnyConnection,
    bot: TelegramId,
    at: DateTime<Utc>,
) -> Result<TelegramId, Failure> {
    // Does not read first: a bot that cannot write has to notice that when it starts.
    let row = (
        bot_identity::only_row.eq(1),
        bot_identity::telegram_id.eq(bot.get()),
        bot_identity::claimed_at.eq(UtcMicros::from(at)),
    );
    let insert = diesel::insert_into(bot_identity::table).values(row);
    either!(connection => insert.on_conflict_do_nothing().execute(connection)?);
    Ok(owner(connection)?.unwrap_or(bot))
}

fn owner(connection: &mut AnyConnection) -> Result<Option<TelegramId>, Failure> {
    let id = bot_identity::table
        .select(bot_identity::telegram_id)
        .first::<i64>(connection)
        .optional()?;
    id.map(|id| telegram_id("bot_identity", id)).transpose()
}
