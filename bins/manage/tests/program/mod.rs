//! The program `manage`, as a user runs it.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

/// Runs a command in a folder; answers its exit code, standard output and standard error.
pub(crate) fn run(
    folder: &Path,
    arguments: &[&str],
    input: &[u8],
    settings: &[(&str, &str)],
) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_manage"));
    command.args(arguments).env_clear().envs(settings.iter().copied()).current_dir(folder);
    answer(command, input)
}

/// Runs a program to its end.
pub(crate) fn answer(mut command: Command, input: &[u8]) -> (i32, String, String) {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = piped.spawn().unwrap();
    // It may have ended without reading.
    drop(process.stdin.take().unwrap().write_all(input));
    let output = process.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().expect("an exit code"), text(output.stdout), text(output.stderr))
}
