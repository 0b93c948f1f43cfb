//! A bot of your own: it greets users, takes votes, and keeps a table of its users correct.
//!
//! ```sh
//! TELEGRAM_BOT_TOKEN=… cargo run -p rollcall-bot --example own_bot
//! ```

use std::{env, error::Error};

use rollcall::{Context, HandlerError, Reply, Rollcall, Router, Telegram};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut telegram = Telegram::new(&env::var("TELEGRAM_BOT_TOKEN")?)?;
    if let Ok(url) = env::var("TELEGRAM_API_URL") {
        telegram = telegram.api_url(&url)?;
    }
    let database = env::var("DATABASE_URL").unwrap_or_else(|_| "sqlite://own_bot.db".to_owned());
    let rollcall = Rollcall::open(&database).await?;

    let users = rollcall.clone();
    let router = Router::new()
        .command("start", start)
        .command("stats", move |cx| stats(cx, users.clone()))
        .callback("vote:", vote)
        .text(echo);
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    rollcall.run(telegram, router, stop).await?;
    rollcall.close().await;
    Ok(())
}

async fn start(cx: Context) -> Result<(), HandlerError> {
    let name = &cx.user().first_name;
    let greeting = if cx.is_new() { "Welcome" } else { "Welcome back" };
    let reply = Reply::text(format!("{greeting}, {name}! Tea or coffee?"));
    Ok(cx.reply(reply.button("Tea", "vote:tea").button("Coffee", "vote:coffee")).await?)
}

async fn stats(cx: Context, users: Rollcall) -> Result<(), HandlerError> {
    Ok(cx.reply(format!("I know {} users.", users.stats().await?.total_users)).await?)
}

async fn vote(cx: Context) -> Result<(), HandlerError> {
    cx.answer("Thank you!").await?;
    Ok(cx.edit(format!("You prefer {}.", cx.argument())).await?)
}

async fn echo(cx: Context) -> Result<(), HandlerError> {
    Ok(cx.reply(format!("You wrote: {}", cx.argument())).await?)
}
