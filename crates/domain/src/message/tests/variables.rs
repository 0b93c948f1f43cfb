use super::{error, parsed, user};
use crate::message::{Element, Link, LinkPart, Part, Placeholder, Variable};

fn plain(html: &str, first_name: &str, last_name: &str, username: &str) -> String {
    parsed(html).for_user(&user(first_name, last_name, username)).plain()
}

#[test]
fn a_variable_stands_for_a_part_of_the_profile() {
    let text = "{first_name}/{last_name}/{name}/{username}/{language}.";
    assert_eq!(plain(text, "Ada", "Lovelace", "ada_l"), "Ada/Lovelace/Ada Lovelace/ada_l/de.");
    assert_eq!(plain("{name}.", "", "Lovelace", ""), "Lovelace.");
}

#[test]
fn a_fallback_stands_in_for_an_absent_or_invisible_value() {
    for name in ["", " ", "\u{3164}", "\u{200b}\u{2800}", "\u{fffc}"] {
        assert_eq!(plain("Hi {first_name|friend}!", name, "", ""), "Hi friend!", "{name:?}");
        assert_eq!(plain("{ name | my friend }", name, name, ""), "my friend", "{name:?}");
    }
    assert_eq!(plain("{first_name|friend}", " Ada ", "", ""), "Ada");
}

#[test]
fn a_variable_without_value_and_fallback_is_unfilled() {
    let text = parsed(
        "Hi {first_name} {last_name|}{username|you} <a \
         href=\"https://example.org/{username}\">x</a> {first_name}",
    );
    let filled = text.for_user(&user("", "", ""));
    assert_eq!(filled.unfilled(), [Variable::FirstName, Variable::Username]);
    assert_eq!(filled.plain(), "Hi  you x ");
    assert_eq!(filled.html(), "Hi  you <a href=\"https://example.org/\">x</a> ");
    assert_eq!(
        filled.parts().last(),
        Some(&Part::Variable(Placeholder { variable: Variable::FirstName, fallback: None }))
    );
    assert_eq!(text.for_user(&user("Ada", "", "ada")).unfilled(), []);
    let all = [Variable::FirstName, Variable::LastName, Variable::Username];
    assert_eq!(text.variables(), all);
}

#[test]
fn a_value_is_text_and_never_html() {
    let text = parsed("<b>{first_name}</b> {last_name}.");
    let filled = text.for_user(&user("<i>&amp;\"", "{username}", "ada"));
    assert_eq!(filled.html(), "<b>&lt;i&gt;&amp;amp;\"</b> {username}.");
    assert_eq!(filled.plain(), "<i>&amp;\" {username}.");
}

#[test]
fn a_value_does_not_steer_the_text_around_it() {
    assert_eq!(plain("Hi {first_name}!", "A\n\u{202e}b", "", ""), "Hi A\u{fffd}\u{fffd}b!");
}

#[test]
fn a_value_in_an_address_is_percent_encoded() {
    let text =
        parsed("<a href=\"https://example.org/?n={first_name|a friend}&l={language}\">x</a>");
    assert_eq!(
        text.for_user(&user("A&\"ж/", "", "")).html(),
        "<a href=\"https://example.org/?n=A%26%22%D0%B6%2F&amp;l=de\">x</a>"
    );
    let filled = text.for_user(&user("", "", ""));
    let Some(Part::Open(Element::Link(link))) = filled.parts().first() else { panic!() };
    assert_eq!(link.url(), "https://example.org/?n=a%20friend&l=de");
    assert!(link.parts().iter().all(|part| matches!(part, LinkPart::Text(_))));
}

#[test]
fn a_variable_cannot_change_where_a_link_leads() {
    let expected = "expected variables only after the host, such as \
                    https://example.org/?user={username}";
    for href in ["https://example.org{username}", "https://{username}.example.org/"] {
        assert_eq!(
            error(&format!("<a href=\"{href}\">x</a>")),
            format!("line 1, column 9: {expected}")
        );
    }
    assert_eq!(
        error("<a href=\"{username}\">x</a>"),
        "line 1, column 9: expected an address that begins with http://, https:// or tg://"
    );
    for href in ["https://t.me/{username}", "tg://resolve?domain={username}"] {
        parsed(&format!("<a href=\"{href}\">x</a>"));
    }
    assert_eq!(
        Link::new(Vec::new()),
        Err("expected an address that begins with http://, https:// or tg://")
    );
}

#[test]
fn braces_are_doubled() {
    let text = "{{a}} {{{first_name|x}}} {{first_name}} <a href=\"https://a.b/{{x}}\">y</a>";
    let filled = parsed(text).for_user(&user("Ada", "", ""));
    assert_eq!(filled.html(), "{a} {Ada} {first_name} <a href=\"https://a.b/{x}\">y</a>");
    assert_eq!(parsed(text).to_string(), text);
}

#[test]
fn a_fallback_is_text_with_entities() {
    let text = "{first_name|&lt;b&gt; &amp; &#123;x&#125; &#124;}";
    assert_eq!(plain(text, "", "", ""), "<b> & {x} |");
    assert_eq!(parsed(text).to_string(), text);
    assert_eq!(plain("{first_name|\"x\"}", "", "", ""), "\"x\"");
}

#[test]
fn a_wrong_variable_is_refused_at_its_place() {
    for (html, message) in [
        (
            "Hi\n  {firstname}",
            "line 2, column 4: unknown variable 'firstname'; did you mean 'first_name'?",
        ),
        ("{User_Name}", "line 1, column 2: unknown variable 'User_Name'; did you mean 'username'?"),
        (
            "{city}",
            "line 1, column 2: unknown variable 'city'; expected one of first_name, last_name, \
             name, username, language; write {{ for a brace",
        ),
        ("a {", "line 1, column 3: expected a variable such as {first_name}; write {{ for a brace"),
        ("{}", "line 1, column 1: expected a variable such as {first_name}; write {{ for a brace"),
        (
            "{\"a\": 1}",
            "line 1, column 1: expected a variable such as {first_name}; write {{ for a brace",
        ),
        ("a }", "line 1, column 3: there is no '{' for this '}'; write }} for a brace"),
        ("{name", "line 1, column 6: expected '}' or '|' and a fallback after '{name'"),
        ("{name:x}", "line 1, column 6: expected '}' or '|' and a fallback after '{name'"),
        ("a {name|b", "line 1, column 3: a variable is not closed; expected '}' after it"),
        (
            "{name|{username}}",
            "line 1, column 7: expected '}' after the fallback; in a fallback, &#123; stands for a \
             '{'",
        ),
        (
            "{username|name|x}",
            "line 1, column 15: expected one fallback; in a fallback, &#124; stands for a '|'",
        ),
        (
            "{name|<b>x</b>}",
            "line 1, column 7: expected '}' before a tag; in a fallback, &lt; stands for a '<'",
        ),
        (
            "{name|a & b}",
            "line 1, column 9: expected an entity such as &lt;; write &amp; for an '&'",
        ),
        (
            "<tg-time unix=\"{name}\">x</tg-time>",
            "line 1, column 15: expected no variable here; they can stand in the text and in href",
        ),
    ] {
        assert_eq!(error(html), message, "{html:?}");
    }
}

#[test]
fn a_text_is_empty_for_no_user() {
    let message = "line 1, column 1: expected a visible character or a fallback, such as \
                   {first_name|friend}; the text is empty for users without a value";
    for html in ["{first_name}", "<b>{name|}</b> {username| }", "{name|&#8203;}"] {
        assert_eq!(error(html), message, "{html}");
    }
    parsed("{first_name|friend}");
    parsed("{first_name}!");
}

#[test]
fn the_longest_names_fit() {
    for (html, units) in [
        ("a{first_name}", 129),
        ("a{last_name}", 129),
        ("a{name}", 258),
        ("a{username}", 33),
        ("a{language}", 36),
        ("a<a href=\"https://a.b/{name}\">b</a>", 2),
    ] {
        assert_eq!(parsed(html).max_units(), units, "{html}");
    }
    let fallback = "x".repeat(200);
    assert_eq!(parsed(&format!("{{name|{fallback}}}{{username|{fallback}}}")).max_units(), 457);
    assert_eq!(
        error(&format!("{}{{first_name}}", "x".repeat(4000))),
        "line 1, column 4001: expected at most 4,096 characters, of which an emoji counts as two; \
         this text has 4,128 with the longest names"
    );
    let longest = "😀".repeat(64);
    assert_eq!(plain("{name}.", &longest, &longest, ""), format!("{longest} {longest}."));
}

#[test]
fn a_value_longer_than_any_on_telegram_is_cut() {
    let shown = plain("{first_name}.", &"😀".repeat(65), "", "");
    assert_eq!(shown, format!("{}….", "😀".repeat(63)));
    let shown = plain("{username}.", "", "", &"x".repeat(255));
    assert_eq!(shown, format!("{}….", "x".repeat(31)));
}
