//! A simulated Telegram for development: prints the settings that a bot needs, and runs until Ctrl-C.
//!
//! `cargo run -p rollcall-simulator --example serve [updates per second]`; without a number, no
//! updates are sent.

use rollcall_simulator::{Crowd, Simulator};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rate: Option<u32> = std::env::args().nth(1).map(|rate| rate.parse()).transpose()?;
    let telegram = Simulator::builder().record_limit(0).start().await?;
    println!("TELEGRAM_API_URL={} TELEGRAM_BOT_TOKEN={}", telegram.url(), telegram.token());
    let crowd = rate.map(|rate| Crowd::load(1).per_second(rate).start(&telegram));
    std::future::pending::<()>().await;
    drop(crowd);
    Ok(())
}
