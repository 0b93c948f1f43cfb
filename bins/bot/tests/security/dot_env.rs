//! A `.env` that another user of the machine may have written does not choose the bot's settings.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    process::Command,
};

#[test]
fn the_bot_reads_no_settings_that_others_can_write() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("bot");
    fs::create_dir(&folder).unwrap();
    let output = || {
        let mut bot = Command::new(env!("CARGO_BIN_EXE_bot"));
        let output = bot.env_clear().current_dir(&folder).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap().replace(folder.to_str().unwrap(), "FOLDER")
    };
    let missing = output();
    assert!(missing.contains("TELEGRAM_BOT_TOKEN"), "{missing}");
    let settings = "TELEGRAM_BOT_TOKEN=hunter2\n";
    // In a directory above, where others may be able to write.
    fs::write(root.path().join(".env"), settings).unwrap();
    assert_eq!(output(), missing);

    let file = folder.join(".env");
    fs::write(&file, settings).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o646)).unwrap();
    assert_eq!(
        output(),
        "error: the file FOLDER/.env is not used, because every user of this machine can change \
         it (mode 0646); `chmod o-w FOLDER/.env` prevents that\n"
    );
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let invalid = output();
    assert!(invalid.contains("TELEGRAM_BOT_TOKEN") && invalid != missing, "{invalid}");
}
