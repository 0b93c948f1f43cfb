//! Every input is parsed as the text of a message and as buttons, or refused, without a panic. The
//! canonical form of a text parses to the same text, and so does that of buttons. Every user's text
//! fits the limit.
//!
//! `cargo +nightly fuzz run message`, in `crates/domain`; on a stable toolchain
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none message`.
#![no_main]

use chrono::DateTime;
use libfuzzer_sys::fuzz_target;
use rollcall_domain::{Buttons, MessageText, TelegramUser, TextLimit};

fuzz_target!(|text: &str| {
    if let Ok(buttons) = text.parse::<Buttons>() {
        let canonical = buttons.to_string();
        assert_eq!(canonical.parse(), Ok(buttons), "{canonical}");
    }
    let limit = TextLimit::Caption;
    let Ok(parsed) = MessageText::parse(text, limit) else { return };
    let canonical = parsed.to_string();
    assert_eq!(MessageText::parse(&canonical, limit).as_ref(), Ok(&parsed), "{canonical}");

    let mut user = TelegramUser::new(1.try_into().expect("an id"), DateTime::UNIX_EPOCH);
    for name in ["", "<&\"{}", text] {
        name.clone_into(&mut user.first_name);
        let filled = parsed.for_user(&user);
        let units = filled.plain().encode_utf16().count();
        assert!(units <= parsed.max_units() && units <= limit.units(), "{units}");
        assert!(rollcall_domain::is_visible(&filled.plain()), "{filled:?}");
    }
});
