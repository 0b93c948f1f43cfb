//! A Telegram to develop against: prints the settings that a bot needs, and runs until Ctrl-C.
//!
//! `cargo run -p rollcall-simulator --example serve [updates a second]`; without a number nobody
//! writes.

use rollcall_simulator::{Crowd, Simulator};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pace: Option<u32> = std::env::args().nth(1).map(|pace| pace.parse()).transpose()?;
    let telegram = Simulator::builder().record_limit(0).start().await?;
    println!("TELEGRAM_API_URL={} TELEGRAM_BOT_TOKEN={}", telegram.url(), telegram.token());
    let crowd = pace.map(|pace| Crowd::load(1).per_second(pace).start(&telegram));
    std::future::pending::<()>().await;
    drop(crowd);
    Ok(())
}
