//! What a path of the Bot API addresses (Bot API, "Making requests").

use crate::client::BotToken;

/// What a path addresses.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// A method.
    Method(&'a str),
    /// A file, by its path at Telegram.
    File(&'a str),
    /// Something of another bot.
    WrongToken,
    /// Nothing.
    Unknown,
}

/// Reads a path.
pub(super) fn route<'a>(path: &'a str, token: &BotToken) -> Route<'a> {
    let (rest, is_file) = match (path.strip_prefix("/file/bot"), path.strip_prefix("/bot")) {
        (Some(rest), _) => (rest, true),
        (None, Some(rest)) => (rest, false),
        (None, None) => return Route::Unknown,
    };
    let Some((given, rest)) = rest.split_once('/') else { return Route::Unknown };
    // Some clients encode the colon.
    let is_own =
        token.is(given) || token.is(&given.replacen("%3A", ":", 1).replacen("%3a", ":", 1));
    match (is_own, is_file) {
        (false, _) => Route::WrongToken,
        (true, true) => Route::File(rest),
        (true, false) if rest.bytes().all(|it| it.is_ascii_alphanumeric()) && !rest.is_empty() => {
            Route::Method(rest)
        }
        (true, false) => Route::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_token_opens_methods_and_files() {
        let token = "123:hunter2".parse().unwrap();
        for (path, expected) in [
            ("/bot123:hunter2/getMe", Route::Method("getMe")),
            ("/bot123%3Ahunter2/SENDMESSAGE", Route::Method("SENDMESSAGE")),
            ("/file/bot123:hunter2/photos/a b.jpg", Route::File("photos/a b.jpg")),
            ("/bot123:hunter3/getMe", Route::WrongToken),
            ("/bot123:hunter/getMe", Route::WrongToken),
            ("/bot:/getMe", Route::WrongToken),
            ("/file/bot5:x/photos/a.jpg", Route::WrongToken),
            ("/bot123:hunter2", Route::Unknown),
            ("/bot123:hunter2/", Route::Unknown),
            ("/bot123:hunter2/test/getMe", Route::Unknown),
            ("/bot123:hunter2/../getMe", Route::Unknown),
            ("/", Route::Unknown),
            ("/metrics", Route::Unknown),
        ] {
            assert_eq!(route(path, &token), expected, "{path}");
        }
    }
}
