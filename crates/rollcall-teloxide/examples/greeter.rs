//! A teloxide bot that greets its users, and knows whether they are new.
//!
//! ```sh
//! TELOXIDE_TOKEN=… cargo run -p rollcall-teloxide --example greeter
//! ```
//!
//! `TELOXIDE_API_URL` names another server of the Bot API. With Telegram's own, teloxide needs one of its
//! TLS features.

use std::{env, error::Error};

use rollcall::Rollcall;
use rollcall_teloxide::{RecordedBot, Recorder, Registered};
use teloxide::{error_handlers::LoggingErrorHandler, prelude::*};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let database = env::var("DATABASE_URL").unwrap_or_else(|_| "sqlite://greeter.db".to_owned());
    let recorder = Recorder::new(Rollcall::open(&database).await?);
    let bot = recorder.bot(Bot::from_env());

    let handler = recorder.handler().branch(Update::filter_message().endpoint(greet));
    Dispatcher::builder(bot.clone(), handler)
        .default_handler(async |_| {})
        .build()
        .dispatch_with_listener(recorder.listener(bot.inner().clone()), LoggingErrorHandler::new())
        .await;

    recorder.rollcall().close().await;
    Ok(())
}

async fn greet(bot: RecordedBot<Bot>, message: Message, by: Registered) -> ResponseResult<()> {
    let Some(user) = by.user else { return Ok(()) };
    let greeting = if by.is_new { "Welcome" } else { "Welcome back" };
    bot.send_message(message.chat.id, format!("{greeting}, {}!", user.first_name)).await?;
    Ok(())
}
