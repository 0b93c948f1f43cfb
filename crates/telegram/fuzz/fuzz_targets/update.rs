//! Every input is read as an update without a panic. The result has the input's `update_id`, and its
//! user has an id that the storage accepts.
//!
//! `cargo +nightly fuzz run update`, in `crates/telegram`; on a stable toolchain
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none update`.
#![no_main]

use chrono::DateTime;
use libfuzzer_sys::fuzz_target;
use rollcall_domain::{QuarantinedUpdate, TelegramId};
use rollcall_telegram::reread;
use serde_json::Value;

fuzz_target!(|json: &str| {
    let update = QuarantinedUpdate {
        update_id: 1,
        received_at: DateTime::UNIX_EPOCH,
        reason: String::new(),
        registered: false,
        telegram_id: None,
        payload: json.to_owned(),
        undelivered: false,
    };
    let read = reread(&update, &["start"], &|data| data.starts_with("p").then_some("settings"));
    if let Ok(Value::Object(fields)) = serde_json::from_str(json) {
        let update_id = fields.get("update_id").and_then(Value::as_i64);
        assert_eq!(read.update_id, update_id);
    }
    if let Some(interaction) = read.interaction {
        assert!(interaction.telegram_id() <= TelegramId::MAX);
        assert_eq!(interaction.update_id, read.update_id);
    }
});
