//! Several bots on one PostgreSQL database, by webhook, compared with one: with the server alone, and with
//! a standby that each commit waits for. Neighbouring updates go to different bots, as behind a load
//! balancer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use anyhow::{Result, ensure};
use reqwest::Client;
use rollcall_simulator::Simulator;
use tokio::time::sleep;

use crate::{
    cpu::server_cpu_seconds,
    database::Databases,
    end_to_end::{Mode, RunningBot, UPDATES_PER_RUN, WEBHOOK_SECRET, bot},
    ingest::message,
    report::Pairs,
};

/// How many bots are compared with one.
const BOTS: [usize; 2] = [2, 4];
/// How many requests each bot gets at once: as many as Telegram sends unless it is asked otherwise.
const CONNECTIONS: usize = 40;
/// How long the standby keeps commits waiting.
const DELAY: &str = "25ms";

/// Measures one bot and several alternately, each for `seconds`.
pub(crate) async fn run(databases: &Databases, runs: usize, seconds: f64) -> Result<()> {
    let bot = bot()?;
    let Some(primary) = databases.server() else { return Ok(()) };
    let database = primary.database();
    let mut next = 1;
    let mut measure = async |how: &str| -> Result<()> {
        for bots in BOTS {
            let title = format!("PostgreSQL {how}: one bot by webhook (limit), and {bots}");
            let mut pairs = Pairs::new(title, "updates/s");
            for _ in 0..runs {
                let mut rates = Vec::new();
                for bots in [1, bots] {
                    rates.push(rate(&bot, bots, database.url(), next, seconds).await?);
                    next += UPDATES_PER_RUN;
                }
                let [(one, one_cpu), (several, cpu)] = [rates[0], rates[1]];
                let note = format!("{one_cpu:.0} and {cpu:.0} µs CPU of the server per update");
                pairs.add(one, several, note);
            }
            pairs.print();
        }
        Ok(())
    };
    measure("alone").await?;
    let standby = primary.standby();
    standby.set("recovery_min_apply_delay", DELAY);
    primary.await_standbys(1);
    let measured = measure(&format!("with a standby {DELAY} away")).await;
    primary.await_standbys(0);
    measured
}

/// How many updates a second some bots confirm, and the server's processor time for each.
async fn rate(
    bot: &std::path::Path,
    bots: usize,
    database: &str,
    first: i64,
    seconds: f64,
) -> Result<(f64, f64)> {
    let (mut processes, mut telegrams) = (Vec::new(), Vec::new());
    for _ in 0..bots {
        let telegram = Simulator::builder().record_limit(0).start().await?;
        processes.push(RunningBot::start(bot, &telegram, database, Mode::Webhook).await?);
        telegrams.push(telegram);
    }
    let client = Client::new();
    for process in &processes {
        while client.get(format!("{}/readyz", process.url)).send().await.map(|it| it.status()).ok()
            != Some(reqwest::StatusCode::OK)
        {
            sleep(Duration::from_millis(20)).await;
        }
    }
    let next = Arc::new(AtomicI64::new(first));
    let send = async |seconds: f64| {
        let turn = AtomicI64::new(0);
        crate::rate::rate(CONNECTIONS * bots, seconds, |calls| {
            let turn = turn.fetch_add(1, Ordering::Relaxed).unsigned_abs() as usize;
            let url = format!("{}/hook", processes[turn % bots].url);
            let (client, next) = (client.clone(), Arc::clone(&next));
            async move {
                while calls.go_on() {
                    let id = next.fetch_add(1, Ordering::Relaxed);
                    let request = client.post(&url).body(message(id));
                    let request = request.header("content-type", "application/json");
                    let request = request.header("x-telegram-bot-api-secret-token", WEBHOOK_SECRET);
                    let response = request.send().await?;
                    ensure!(response.status() == 200, "{}", response.text().await?);
                    response.bytes().await?;
                    calls.count();
                }
                Ok(())
            }
        })
        .await
    };
    // All users are registered.
    send(2.0).await?;
    let (sent, cpu) = (next.load(Ordering::Relaxed), server_cpu_seconds(database)?);
    let rate = send(seconds).await?;
    let sent = next.load(Ordering::Relaxed) - sent;
    let cpu_us = (server_cpu_seconds(database)? - cpu) / sent as f64 * 1e6;
    for process in processes {
        process.end().await?;
    }
    Ok((rate, cpu_us))
}
