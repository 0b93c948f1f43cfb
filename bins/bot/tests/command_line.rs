//! The bot's command line: completions, manual pages, addresses, and errors as `manage` has them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

fn bot(folder: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bot"));
    command.args(arguments).env_clear().envs(settings.iter().copied()).current_dir(folder);
    command
}

/// Runs the bot to its end; answers its exit code, standard output and standard error.
fn run(folder: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> (i32, String, String) {
    let output = bot(folder, arguments, settings).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn completions_and_manual_pages_need_no_token_and_no_settings() {
    let folder = tempfile::tempdir().unwrap();
    // It would stop a bot.
    fs::write(folder.path().join(".env"), "TELEGRAM_BOT_TOKEN").unwrap();
    for (shell, sign) in [
        ("bash", "complete -F _bot"),
        ("elvish", "edit:completion:arg-completer[bot]"),
        ("fish", "complete -c bot"),
        ("powershell", "-CommandName 'bot'"),
        ("zsh", "#compdef bot"),
    ] {
        let (code, script, error) = run(folder.path(), &["completions", shell], &[]);
        assert_eq!((code, error.as_str()), (0, ""), "{shell}");
        assert!(script.contains(sign) && script.contains("take-over"), "{shell}");
    }
    let (code, printed, error) = run(folder.path(), &["man", "man"], &[]);
    assert_eq!((code, error.as_str()), (0, ""));
    assert_eq!(printed, "Wrote 3 pages to man. Read the first with: man man/bot.1\n");
    let page = fs::read_to_string(folder.path().join("man/bot.1")).unwrap();
    assert!(page.contains("TELEGRAM_BOT_TOKEN") && page.contains("bot\\-completions(1)"), "{page}");
    let mut created: Vec<_> = fs::read_dir(folder.path()).unwrap().flatten().collect();
    created.retain(|entry| entry.file_name() != ".env" && entry.file_name() != "man");
    assert!(created.is_empty(), "{created:?}");
}

#[test]
fn wrong_settings_and_arguments_read_as_those_of_manage() {
    let folder = tempfile::tempdir().unwrap();
    let address = "it is not an address to listen on; expected one such as 127.0.0.1:8080, \
                   localhost:8080, :8080, 0.0.0.0:8080 or [::1]:8080, or off";
    let token = ("TELEGRAM_BOT_TOKEN", "1234567890:abcdefghijklmnopqrstuvwxyz_ABCDEFGH");
    for (arguments, settings, setting) in [
        (&["--listen-addr", "example.org:80"][..], &[token][..], "LISTEN_ADDR"),
        (&[], &[token, ("LISTEN_ADDR", "8080")], "LISTEN_ADDR"),
        (&["--demo"], &[("LISTEN_ADDR", ":x")], "LISTEN_ADDR"),
        (&["--metrics-addr", "localhost"], &[token], "METRICS_ADDR"),
    ] {
        let (code, printed, error) = run(folder.path(), arguments, settings);
        let expected = format!("error: {setting}: {address}\n");
        assert_eq!((code, printed.as_str(), error.as_str()), (1, "", expected.as_str()));
    }
    let (code, _, error) = run(folder.path(), &["run"], &[]);
    assert!(code == 2 && error.starts_with("error: unrecognized subcommand 'run'"), "{error}");
    let coloured = [("CLICOLOR_FORCE", "1")];
    let (code, _, error) = run(folder.path(), &[], &coloured);
    let label = "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m TELEGRAM_BOT_TOKEN is not set; ";
    assert!(code == 1 && error.starts_with(label), "{error:?}");
    let (_, _, error) = run(folder.path(), &[], &[coloured[0], ("NO_COLOR", "1")]);
    assert!(error.starts_with("error: TELEGRAM_BOT_TOKEN is not set; "), "{error:?}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was created");
}

/// Nothing answers for Telegram, and the bot waits; its log shows where it listens.
#[test]
fn the_bot_listens_at_short_addresses() {
    let folder = tempfile::tempdir().unwrap();
    for address in [":0", "localhost:0"] {
        let settings = [
            ("TELEGRAM_BOT_TOKEN", "1234567890:abcdefghijklmnopqrstuvwxyz_ABCDEFGH"),
            ("TELEGRAM_API_URL", "http://127.0.0.1:9"),
            ("LISTEN_ADDR", "off"),
            ("METRICS_ADDR", address),
        ];
        let mut command = bot(folder.path(), &[], &settings);
        let mut bot = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(bot.stderr.take().unwrap()).lines().map_while(Result::ok);
        let listens = lines.find(|line| line.contains("metrics, healthz and readyz are at "));
        bot.kill().unwrap();
        bot.wait().unwrap();
        let listens = listens.unwrap();
        assert!(listens.contains(" are at 127.0.0.1:"), "{listens}");
    }
}
