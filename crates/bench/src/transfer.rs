//! The speed of exports, compared with the database's own dump of the same columns, and the speed of
//! imports.

use std::{path::Path, process::Stdio};

use anyhow::{Context, Result};
use rollcall_testkit::ThrowAwayDatabase;
use tokio::process::Command;

use crate::{
    database::Databases,
    report::Pairs,
    statistics::{Run, manage, run_program},
};

const COLUMNS: &str = "telegram_id, first_name, last_name, username, language_code, is_bot, \
                       created_at, updated_at, last_seen, has_private_chat, obstacle, blocked_at, \
                       unblocked_at, source";

pub(crate) async fn run(databases: &Databases, users: i64, runs: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let files = ["csv", "jsonl"].map(|format| folder.path().join(format!("users.{format}")));
    for (name, database) in databases.of_each_kind() {
        println!("{name}: export of {users} users, rows/s");
        let load = ["demo-data", "--users", &users.to_string(), "--days", "365"];
        manage(database.url(), &load).await?;
        for file in &files {
            let path = file.to_str().context("the path is not UTF-8")?;
            let title = format!("{name}: export, {}", extension(file));
            let mut pairs = Pairs::new(title, "rows/s");
            for _ in 0..runs {
                let limit = run_program(&mut dump(&database)).await?;
                let arguments = ["export", "--force", "--output", path];
                let ours = manage(database.url(), &arguments).await?;
                let rate = |run: &Run| users as f64 / run.elapsed.as_secs_f64();
                let note = format!("at most {:.0} MiB", ours.max_resident_mib);
                pairs.add(rate(&limit), rate(&ours), note);
            }
            pairs.print();
        }
    }
    for file in &files {
        for (name, database) in databases.of_each_kind() {
            manage(database.url(), &["migrate"]).await?;
            let path = file.to_str().context("the path is not UTF-8")?;
            for what in ["created", "unchanged"] {
                let Run { elapsed, max_resident_mib } =
                    manage(database.url(), &["import", path]).await?;
                println!(
                    "{name}: import, {}, all {what}: {:.0} rows/s, at most {max_resident_mib:.0} MiB",
                    extension(file),
                    users as f64 / elapsed.as_secs_f64()
                );
            }
        }
    }
    Ok(())
}

fn extension(file: &Path) -> std::borrow::Cow<'_, str> {
    file.extension().unwrap_or_default().to_string_lossy()
}

/// The database's own client, which discards the rows that it writes.
fn dump(database: &ThrowAwayDatabase) -> Command {
    let select = format!("SELECT {COLUMNS} FROM telegram_users ORDER BY telegram_id");
    let mut command = match database.file() {
        Some(file) => {
            let mut command = Command::new("sqlite3");
            command.args(["-csv", "-header"]).arg(file).arg(select);
            command
        }
        None => {
            let mut command = Command::new("psql");
            let copy = format!("COPY ({select}) TO STDOUT (FORMAT csv, HEADER)");
            command.args(["--dbname", database.url(), "--command", &copy]);
            command
        }
    };
    command.stdout(Stdio::null());
    command
}
