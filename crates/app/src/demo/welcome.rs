//! The box at the end of the demo's start.

/// The width of the box. The longest usual link fits into a terminal of 80 columns.
const WIDTH: usize = 79;

/// The box with the link, which has a line of its own without borders, so that it can be copied.
/// Without a link there is no web admin.
pub(super) fn welcome(link: Option<&str>, is_verbose: bool) -> String {
    let mut lines = match link {
        Some(link) => vec![
            "Open this link to sign in to the web admin as the bot's owner:",
            "",
            link,
            "",
            "It works any number of times, until you press Ctrl-C.",
        ],
        None => vec!["There is no web admin, because LISTEN_ADDR is off. Press Ctrl-C to stop."],
    };
    if !is_verbose {
        lines.push("To watch the chats here, start the demo with --verbose.");
    }
    let title = "─ Rollcall demo ";
    let border = "─".repeat(WIDTH - 2 - title.chars().count());
    let bottom = "─".repeat(WIDTH - 2);
    let text: String =
        lines.iter().map(|line| format!(" {line}").trim_end().to_owned() + "\n").collect();
    format!("\n╭{title}{border}╮\n{text}╰{bottom}╯\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_has_a_line_of_its_own_that_fits_into_a_terminal() {
        let link = format!("http://127.0.0.1:65535/admin/link/{}", "x".repeat(43));
        let text = welcome(Some(&link), false);
        assert!(text.lines().any(|line| line.trim() == link), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        let borders: Vec<usize> = text
            .lines()
            .filter(|it| it.starts_with(['╭', '╰']))
            .map(|it| it.chars().count())
            .collect();
        assert_eq!(borders, [WIDTH, WIDTH]);
    }

    #[test]
    fn a_demo_without_a_web_admin_explains_itself() {
        let text = welcome(None, true);
        assert!(text.contains("LISTEN_ADDR is off") && !text.contains("link"), "{text}");
        assert!(!text.contains("--verbose"), "{text}");
        assert!(welcome(None, false).contains("--verbose"));
    }
}
