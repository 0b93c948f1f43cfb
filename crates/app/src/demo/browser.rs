//! Opening the sign-in link in the browser of a desktop.

use std::process::Stdio;

use tokio::process::Command;

use crate::environment::Environment;

/// Whether a browser has a screen to open on. A server without one has neither variable.
pub(super) fn has_screen(environment: &Environment) -> bool {
    let is_set = |name| environment.get(name).is_some();
    cfg!(target_os = "macos") || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}

/// Opens a URL with the first program of the desktop that can. Returns whether one could.
pub(super) async fn open(url: &str) -> bool {
    for command in open::commands(url) {
        let mut command = Command::from(command);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // Ctrl-C stops the demo, and leaves the browser open.
        command.process_group(0);
        match command.status().await {
            Ok(status) if status.success() => return true,
            Ok(status) => log::debug!(status:% = status; "a program did not open the browser"),
            Err(error) => log::debug!(error:% = error; "cannot start a program for the browser"),
        }
    }
    false
}

#[cfg(all(test, not(target_os = "macos")))]
mod tests {
    use super::*;

    #[test]
    fn a_server_without_a_screen_has_no_browser() {
        for (variables, expected) in [
            ([("DISPLAY", ""), ("WAYLAND_DISPLAY", "")], false),
            ([("DISPLAY", ":0"), ("WAYLAND_DISPLAY", "")], true),
            ([("DISPLAY", ""), ("WAYLAND_DISPLAY", "wayland-0")], true),
        ] {
            assert_eq!(has_screen(&variables.into()), expected, "{variables:?}");
        }
    }
}
