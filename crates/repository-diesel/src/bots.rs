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
            .write("claim the database", move |connection| {
                let owner = claim(connection, bot, at, true)?;
                let own = bot_identity::table.filter(bot_identity::telegram_id.eq(bot.get()));
                let waiting = own.filter(bot_identity::has_run.eq(false));
                diesel::update(waiting).set(bot_identity::has_run.eq(true)).execute(connection)?;
                Ok(owner)
            })
            .await
    }

    async fn reserve(
        &self,
        bot: TelegramId,
        at: DateTime<Utc>,
    ) -> Result<TelegramId, RepositoryError> {
        self.database
            .write("reserve the database", move |connection| claim(connection, bot, at, false))
            .await
    }

    async fn owner(&self) -> Result<Option<TelegramId>, RepositoryError> {
        self.database.read("read which bot owns the database", owner).await
    }

    async fn has_run(&self) -> Result<bool, RepositoryError> {
        self.database
            .read("read whether the bot has run", |connection| {
                let has_run = bot_identity::table.select(bot_identity::has_run);
                Ok(has_run.first(connection).optional()?.unwrap_or_default())
            })
            .await
    }
}

fn claim(
    connection: &mut AnyConnection,
    bot: TelegramId,
    at: DateTime<Utc>,
    has_run: bool,
) -> Result<TelegramId, Failure> {
    // Does not read first: a bot that cannot write has to notice that when it starts.
    let row = (
        bot_identity::only_row.eq(1),
        bot_identity::telegram_id.eq(bot.get()),
        bot_identity::claimed_at.eq(UtcMicros::from(at)),
        bot_identity::has_run.eq(has_run),
    );
    let insert = diesel::insert_into(bot_identity::table).values(row);
    either!(connection => insert.on_conflict_do_nothing().execute(connection)?);
    Ok(owner(connection)?.unwrap_or(bot))
}

pub(crate) fn owner(connection: &mut AnyConnection) -> Result<Option<TelegramId>, Failure> {
    let id = bot_identity::table
        .select(bot_identity::telegram_id)
        .first::<i64>(connection)
        .optional()?;
    id.map(|id| telegram_id("bot_identity", id)).transpose()
}
