//! A check of Telegram's HTML (Bot API, "HTML style"), for texts that come from the owner of the bot.
//! Telegram refuses a whole message for one wrong tag.

const PLAIN_TAGS: [&str; 12] =
    ["b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "pre", "code", "tg-spoiler"];
const ENTITIES: [&str; 4] = ["&amp;", "&lt;", "&gt;", "&quot;"];

/// Checks that Telegram accepts the HTML, and that it shows something.
///
/// # Errors
/// What is wrong, and what is expected instead.
pub(crate) fn check(html: &str) -> Result<(), String> {
    let (mut rest, mut open, mut has_text) = (html, Vec::new(), false);
    while let Some(at) = rest.find(['<', '>', '&']) {
        let (text, markup) = rest.split_at(at);
        has_text |= !text.trim().is_empty();
        rest = match markup.strip_prefix('<') {
            Some(tag) => {
                let (tag, after) = tag
                    .split_once('>')
                    .filter(|(tag, _)| !tag.contains('<'))
                    .ok_or("a tag is not closed; expected >, or &lt; for a plain <")?;
                change(&mut open, tag)?;
                after
            }
            None => {
                has_text = true;
                entity(markup)?
            }
        };
    }
    if let Some(tag) = open.pop() {
        return Err(format!("<{tag}> has no end; expected </{tag}>"));
    }
    match has_text || !rest.trim().is_empty() {
        true => Ok(()),
        false => Err("it shows nothing; expected a text".to_owned()),
    }
}

/// Opens or closes a tag.
fn change<'a>(open: &mut Vec<&'a str>, tag: &'a str) -> Result<(), String> {
    if let Some(name) = tag.strip_prefix('/') {
        return match open.pop() {
            Some(opened) if opened == name => Ok(()),
            Some(opened) => Err(format!("</{name}> ends <{opened}>; expected </{opened}>")),
            None => Err(format!("</{name}> has no beginning; expected <{name}> before it")),
        };
    }
    let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
    let is_supported = match (name, attributes) {
        ("a", link) => link
            .strip_prefix("href=\"")
            .and_then(|link| link.strip_suffix('"'))
            .is_some_and(|link| !link.is_empty() && !link.contains('"')),
        ("blockquote", "" | "expandable") | ("span", "class=\"tg-spoiler\"") => true,
        (name, "") => PLAIN_TAGS.contains(&name),
        _ => false,
    };
    if !is_supported {
        return Err(format!(
            "<{tag}> is not one of Telegram's tags; expected one such as <b>, <i>, <code> or \
             <a href=\"…\">, or &lt; for a plain <"
        ));
    }
    open.push(name);
    Ok(())
}

/// The HTML after an entity.
fn entity(markup: &str) -> Result<&str, String> {
    let known = ENTITIES.into_iter().find_map(|entity| markup.strip_prefix(entity));
    known.ok_or_else(|| match markup.starts_with('&') {
        true => "a plain & is not HTML; expected &amp;".to_owned(),
        false => "a plain > is not HTML; expected &gt;".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telegrams_html_is_accepted() {
        for html in [
            "Hello!",
            "<b>Hello</b>, <i><u>you</u></i> &amp; &lt;all&gt;",
            "<a href=\"https://example.org/?a=1\">shop</a>",
            "<blockquote expandable>long</blockquote>",
            "<span class=\"tg-spoiler\">secret</span>",
            "&amp;",
        ] {
            assert_eq!(check(html), Ok(()), "{html}");
        }
    }

    #[test]
    fn what_telegram_refuses_is_named() {
        for (html, named) in [
            ("<b>Hello", "<b> has no end; expected </b>"),
            ("Hello</b>", "</b> has no beginning"),
            ("<b><i>Hello</b></i>", "</b> ends <i>; expected </i>"),
            ("<h1>Hello</h1>", "<h1> is not one of Telegram's tags"),
            ("<B>Hello</B>", "<B> is not one"),
            ("<b class=\"x\">Hello</b>", "<b class=\"x\"> is not one"),
            ("<a>shop</a>", "<a> is not one"),
            ("<a href=shop>shop</a>", "<a href=shop> is not one"),
            ("<a href=\"<i>N</i>\">shop</a>", "a tag is not closed"),
            ("1 < 2", "a tag is not closed"),
            ("2 > 1", "a plain >"),
            ("Tom & Jerry", "a plain &"),
            ("&nbsp;", "a plain &"),
            ("", "it shows nothing"),
            (" \n <b> </b>", "it shows nothing"),
        ] {
            let error = check(html).unwrap_err();
            assert!(error.contains(named), "{html}: {error}");
            assert!(error.contains("expected"), "{html}: {error}");
        }
    }
}
