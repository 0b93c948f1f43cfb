use proptest::prelude::*;

use super::user;
use crate::{
    TelegramUser,
    message::{Buttons, MessageText, Part, TextLimit},
};

/// The text that Telegram reads from HTML, or why it refuses it. Written after the Bot API's "HTML
/// style" and independent of the parser: it knows no variables, no attributes and no limits.
fn as_telegram_reads(html: &str) -> Result<String, String> {
    let mut plain = String::new();
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while let Some(place) = rest.find(['<', '&']) {
        plain.push_str(&rest[..place]);
        let end = if rest[place..].starts_with('<') { '>' } else { ';' };
        let length = rest[place..].find(end).ok_or_else(|| format!("no {end} after {rest}"))?;
        let inner = &rest[place + 1..place + length];
        rest = &rest[place + length + 1..];
        if end == ';' {
            plain.push(match inner {
                "lt" => '<',
                "gt" => '>',
                "amp" => '&',
                "#34" => '"',
                _ => return Err(format!("entity {inner}")),
            });
        } else if let Some(name) = inner.strip_prefix('/') {
            if open.pop() != Some(name) {
                return Err(format!("</{name}>"));
            }
        } else {
            let name = inner.split(' ').next().unwrap();
            let attributes = &inner[name.len()..];
            if !attributes.matches('"').count().is_multiple_of(2) || attributes.contains('<') {
                return Err(format!("attributes of {inner}"));
            }
            open.push(name);
        }
    }
    plain.push_str(rest);
    if open.is_empty() { Ok(plain) } else { Err(format!("open: {open:?}")) }
}

fn any_user() -> impl Strategy<Value = TelegramUser> {
    let name = || prop_oneof![".{0,70}", "[<>&\"'{}|;#/ ]{0,8}", "\\PC{0,300}", "(😀){60,70}"];
    (name(), name(), prop_oneof!["[a-z_]{0,32}", ".{0,40}"])
        .prop_map(|(first, last, username)| user(&first, &last, &username))
}

/// Something that may stand in a text, right or wrong.
fn fragment() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "<b>",
        "</b>",
        "<i>",
        "</i>",
        "<code>",
        "</code>",
        "<pre>",
        "</pre>",
        "<a href=\"",
        "https://a.b/",
        "\">",
        "</a>",
        "<tg-emoji emoji-id=\"1\">",
        "</tg-emoji>",
        "<blockquote",
        " expandable",
        ">",
        "</blockquote>",
        "{first_name}",
        "{name|",
        "}",
        "{{",
        "}}",
        "&lt;",
        "&",
        "&#",
        "&#123;",
        "&#x1f600;",
        "\r\n",
        " ",
        "😀",
        "<span class=tg-spoiler>",
        "</span>",
        "<pre><code class='language-",
        "'>",
        "<tg-time unix=1 format=r>",
        "</tg-time>",
        "=",
        "|",
    ]);
    prop_oneof![4 => known.prop_map(str::to_owned), 1 => ".{0,5}", 1 => "[a-z]{1,9}"]
}

/// A text that is accepted if it is not empty.
fn accepted() -> impl Strategy<Value = String> {
    let fallback = prop_oneof![Just(String::new()), "\\|[a-z ]{0,9}", Just("|&lt;&#125;".into())];
    let variable = |names: &[&'static str]| {
        (prop::sample::select(names.to_vec()), fallback.clone())
            .prop_map(|(name, fallback)| format!("{{{name}{fallback}}}"))
    };
    let any = variable(&["first_name", "last_name", "name", "username", "language"]);
    // Four addresses with `{name}` may be longer than all addresses together.
    let short = variable(&["first_name", "username", "language"]);
    let text = "[^<>&{}\\pC\u{fffd}]{1,9}|&lt;|&#38;|\\{\\{|\\}\\}|😀|\n|->";
    let leaf = prop_oneof![text.prop_map(|it| it), any];
    let inline = leaf.prop_recursive(4, 24, 4, |part| {
        let tag = prop::sample::select(vec!["b", "em", "ins", "s", "tg-spoiler"]);
        (tag, prop::collection::vec(part, 0..4))
            .prop_map(|(tag, parts)| format!("<{tag}>{}</{tag}>", parts.concat()))
    });
    let link = (inline.clone(), short)
        .prop_map(|(text, it)| format!("<a href='https://a.b/?\"&x={it}'>{text}</a>"));
    let quote = inline.clone().prop_map(|it| format!("<blockquote expandable>{it}</blockquote>"));
    let code = "[a-z{]{1,5}".prop_map(|it| it.replace('{', "{{"));
    let code = code.prop_map(|it| format!("<pre><code class=\"language-{it}\">{it}</code></pre>"));
    prop::collection::vec(prop_oneof![3 => inline, 1 => link, 1 => quote, 1 => code], 1..6)
        .prop_map(|parts| parts.concat())
}

/// What holds for a text, for every user.
fn check(text: &MessageText, user: &TelegramUser) -> Result<(), TestCaseError> {
    let canonical = text.to_string();
    let again = MessageText::parse(&canonical, TextLimit::Message);
    prop_assert_eq!(again.as_ref(), Ok(text), "{}", &canonical);

    let filled = text.for_user(user);
    let (html, plain) = (filled.html(), filled.plain());
    prop_assert_eq!(as_telegram_reads(&html), Ok(plain.clone()), "{}", &html);
    prop_assert!(html.len() <= text.max_html_bytes(), "{}", &html);
    let units = plain.encode_utf16().count();
    prop_assert!(units <= text.max_units() && text.max_units() <= 4096, "{}", units);
    prop_assert!(crate::is_visible(&plain), "{:?}", plain);

    let is_filled = !filled.parts().iter().any(|part| matches!(part, Part::Variable(_)));
    prop_assert!(is_filled || !filled.unfilled().is_empty());

    // U+FFFD stands for a character that was replaced, and is none of a source.
    let source = html.replace('{', "{{").replace('}', "}}").replace('\u{fffd}', "x");
    let parsed = MessageText::parse(&source, TextLimit::Message);
    let parsed = parsed.map_err(|error| TestCaseError::fail(format!("{source}: {error}")))?;
    let expected = plain.replace('\u{fffd}', "x");
    let again = parsed.for_user(user).plain();
    prop_assert_eq!(again.trim(), expected.trim());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(2000)))]

    #[test]
    fn any_text_is_parsed_or_refused(
        text in prop::collection::vec(fragment(), 0..20),
        user in any_user(),
    ) {
        let text = text.concat();
        match MessageText::parse(&text, TextLimit::Message) {
            Ok(text) => check(&text, &user)?,
            Err(error) => {
                prop_assert!(error.at <= text.chars().count());
                prop_assert!(error.picture(&text).ends_with('^'));
            }
        }
    }

    #[test]
    fn an_accepted_text_is_accepted_by_telegram_for_every_user(
        html in accepted(),
        user in any_user(),
    ) {
        // A character before it, so that it is not empty.
        let html = format!("x{html}");
        let text = MessageText::parse(&html, TextLimit::Message);
        if text.as_ref().is_err_and(|error| error.message.starts_with("expected at most 4,096")) {
            // Sixteen names may be too long.
            prop_assert!(html.matches("name").count() > 15, "{}", html);
            return Ok(());
        }
        let text = text.map_err(|error| TestCaseError::fail(format!("{html}: {error}")))?;
        check(&text, &user)?;
    }

    #[test]
    fn the_length_is_that_of_utf_16(text in "[^<>&{}\\pC\\s]{1,40}") {
        if let Ok(parsed) = MessageText::parse(&text, TextLimit::Message) {
            prop_assert_eq!(parsed.max_units(), text.encode_utf16().count());
            prop_assert_eq!(parsed.for_user(&user("", "", "")).plain(), text);
        } else {
            let is_text = crate::is_visible(&text) && !text.contains(['\u{fffc}', '\u{fffd}']);
            prop_assert!(!is_text, "{:?}", text);
        }
    }

    #[test]
    fn any_text_is_parsed_as_buttons_or_refused(
        text in "((A|[|=b]|😀| ){1,4}( = |=|)(https://a.b|tg://x|/start x|c)( \\| |\n|\r\n|\\|)){0,5}|.{0,40}"
    ) {
        match text.parse::<Buttons>() {
            Ok(buttons) => {
                let canonical = buttons.to_string();
                prop_assert_eq!(canonical.parse(), Ok(buttons), "{:?}", canonical);
            }
            Err(error) => prop_assert!(error.picture(&text).ends_with('^')),
        }
    }
}
