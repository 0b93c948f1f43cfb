//! The CPU time of processes.

use std::fs;

use anyhow::{Context, Result};

/// The CPU time that a process has used so far.
pub(crate) fn cpu_seconds(id: u32) -> Result<f64> {
    let [user, system, ..] = cpu_times(id)?;
    Ok(user + system)
}

/// The same with that of its children that have ended.
fn cpu_seconds_with_ended(id: u32) -> Result<f64> {
    Ok(cpu_times(id)?.iter().sum())
}

/// utime, stime, cutime and cstime of a process, in seconds.
fn cpu_times(id: u32) -> Result<[f64; 4]> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    // After the name in parentheses: they are the 14th to 17th fields.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split(' ').collect();
    let mut times = [0.0; 4];
    for (time, field) in times.iter_mut().zip(&fields[12..]) {
        *time = field.parse::<f64>()? / 100.0;
    }
    Ok(times)
}

/// The processor time that a throw-away PostgreSQL server and its processes have used so far.
pub(crate) fn server_cpu_seconds(url: &str) -> Result<f64> {
    let (_, folder) = url.split_once("host=").context("a server with a socket in a folder")?;
    let folder = folder.split('&').next().unwrap_or_default();
    let lines = fs::read_to_string(format!("{folder}/data/postmaster.pid"))?;
    let server: u32 = lines.lines().next().context("the server's process")?.parse()?;
    let children = fs::read_to_string(format!("/proc/{server}/task/{server}/children"))?;
    // Those that have ended count for the server.
    let mut seconds = cpu_seconds_with_ended(server)?;
    for child in children.split_whitespace() {
        // One may have ended since.
        seconds += cpu_seconds_with_ended(child.parse()?).unwrap_or_default();
    }
    Ok(seconds)
}
