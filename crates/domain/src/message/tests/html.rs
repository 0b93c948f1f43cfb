use super::{error, parsed, user};
use crate::message::{Element, MessageText, Part, TextLimit};

/// The HTML that is sent to a user without any name.
fn sent(html: &str) -> String {
    parsed(html).for_user(&user("", "", "")).html()
}

#[test]
fn the_examples_of_the_bot_api_are_sent_with_the_same_meaning() {
    for (html, expected) in [
        ("<b>bold</b>, <strong>bold</strong>", "<b>bold</b>, <b>bold</b>"),
        ("<i>italic</i>, <em>italic</em>", "<i>italic</i>, <i>italic</i>"),
        ("<u>underline</u>, <ins>underline</ins>", "<u>underline</u>, <u>underline</u>"),
        ("<s>strike</s>, <strike>strike</strike>", "<s>strike</s>, <s>strike</s>"),
        ("<del>strikethrough</del>", "<s>strikethrough</s>"),
        ("<span class=\"tg-spoiler\">spoiler</span>", "<tg-spoiler>spoiler</tg-spoiler>"),
        ("<tg-spoiler>spoiler</tg-spoiler>", "<tg-spoiler>spoiler</tg-spoiler>"),
        (
            "<b>bold <i>italic bold <s>italic bold strikethrough <span class=\"tg-spoiler\">italic \
             bold strikethrough spoiler</span></s> <u>underline italic bold</u></i> bold</b>",
            "<b>bold <i>italic bold <s>italic bold strikethrough <tg-spoiler>italic bold \
             strikethrough spoiler</tg-spoiler></s> <u>underline italic bold</u></i> bold</b>",
        ),
        (
            "<a href=\"http://www.example.com/\">inline URL</a>",
            "<a href=\"http://www.example.com/\">inline URL</a>",
        ),
        (
            "<a href=\"tg://user?id=123456789\">inline mention of a user</a>",
            "<a href=\"tg://user?id=123456789\">inline mention of a user</a>",
        ),
        (
            "<tg-emoji emoji-id=\"5368324170671202286\">👍</tg-emoji>",
            "<tg-emoji emoji-id=\"5368324170671202286\">👍</tg-emoji>",
        ),
        (
            "<tg-time unix=\"1647531900\" format=\"wDT\">22:45 tomorrow</tg-time>",
            "<tg-time unix=\"1647531900\" format=\"wDT\">22:45 tomorrow</tg-time>",
        ),
        (
            "<tg-time unix=\"1647531900\" format=\"t\">22:45</tg-time>",
            "<tg-time unix=\"1647531900\" format=\"t\">22:45</tg-time>",
        ),
        (
            "<tg-time unix=\"1647531900\" format=\"r\">22:45</tg-time>",
            "<tg-time unix=\"1647531900\" format=\"r\">22:45</tg-time>",
        ),
        (
            "<tg-time unix=\"1647531900\">22:45 tomorrow</tg-time>",
            "<tg-time unix=\"1647531900\">22:45 tomorrow</tg-time>",
        ),
        ("<code>inline fixed-width code</code>", "<code>inline fixed-width code</code>"),
        ("<pre>fixed-width\n  block</pre>", "<pre>fixed-width\n  block</pre>"),
        (
            "<pre><code class=\"language-python\">print(1)</code></pre>",
            "<pre><code class=\"language-python\">print(1)</code></pre>",
        ),
        (
            "<blockquote>Block quotation started\nThe last line</blockquote>",
            "<blockquote>Block quotation started\nThe last line</blockquote>",
        ),
        (
            "<blockquote expandable>Expandable\nThe last line</blockquote>",
            "<blockquote expandable>Expandable\nThe last line</blockquote>",
        ),
    ] {
        assert_eq!(sent(html), expected, "{html}");
        assert_eq!(parsed(expected), parsed(html), "{html}");
    }
}

#[test]
fn spelling_that_telegram_also_accepts_is_accepted() {
    for (html, expected) in [
        ("<B>a</b>", "<b>a</b>"),
        ("<b >a</b\n>", "<b>a</b>"),
        ("<A HREF='https://example.org'>a</A>", "<a href=\"https://example.org\">a</a>"),
        ("<a  href = \"https://example.org\" >a</a>", "<a href=\"https://example.org\">a</a>"),
        ("<span class=tg-spoiler>a</span>", "<tg-spoiler>a</tg-spoiler>"),
        ("<tg-emoji emoji-id=5>👍</tg-emoji>", "<tg-emoji emoji-id=\"5\">👍</tg-emoji>"),
        ("<blockquote expandable=\"\">a</blockquote>", "<blockquote expandable>a</blockquote>"),
        ("<pre><code>a</code></pre>", "<pre>a</pre>"),
        ("<b></b>a", "<b></b>a"),
        ("a > b -> c", "a &gt; b -&gt; c"),
        ("it's \"so\"", "it's \"so\""),
        ("<b>a <code>b</code></b>", "<b>a <code>b</code></b>"),
        (
            "<blockquote><b>a</b> <code>b</code></blockquote>",
            "<blockquote><b>a</b> <code>b</code></blockquote>",
        ),
    ] {
        assert_eq!(sent(html), expected, "{html}");
    }
}

#[test]
fn entities_stand_for_characters() {
    let text = parsed("&lt;&gt;&amp;&quot;&#8212;&#x2014;&#X2014;&#128512;&#123;");
    let text = text.for_user(&user("", "", ""));
    assert_eq!(text.plain(), "<>&\"———😀{");
    assert_eq!(text.html(), "&lt;&gt;&amp;\"———😀{");
}

#[test]
fn an_ampersand_in_an_address_needs_no_entity() {
    for href in [
        "https://example.org/?a=1&b=2",
        "https://example.org/?a=1&amp;b=2",
        "https://example.org/?a=1&#38;b=2",
    ] {
        assert_eq!(
            sent(&format!("<a href=\"{href}\">a</a>")),
            "<a href=\"https://example.org/?a=1&amp;b=2\">a</a>"
        );
    }
    assert_eq!(
        sent("<a href=\"https://example.org/?a=1&lt=2&copy=3&#x=4\">a</a>"),
        "<a href=\"https://example.org/?a=1&amp;lt=2&amp;copy=3&amp;#x=4\">a</a>"
    );
}

#[test]
fn a_line_break_is_one_character_and_blanks_at_both_ends_are_dropped() {
    let text = parsed("\r\n \ta\r\nb\rc\n\n");
    assert_eq!(text.parts(), [Part::Text("a\nb\nc".to_owned())]);
    assert_eq!(text.max_units(), 5);
}

#[test]
fn an_error_names_its_place_and_what_is_expected() {
    for (html, message) in [
        ("<storng>a</storng>", "line 1, column 1: unknown tag <storng>; did you mean <strong>?"),
        ("a\nb <spoiler>c", "line 2, column 3: unknown tag <spoiler>; did you mean <tg-spoiler>?"),
        ("a<br>b", "line 1, column 2: unknown tag <br>; expected a line break in the text"),
        (
            "é <video>",
            "line 1, column 3: unknown tag <video>; expected one of b, strong, i, em, u, ins, s, \
             strike, del, tg-spoiler, span, a, tg-emoji, tg-time, code, pre, blockquote; write \
             &lt; for a '<'",
        ),
        ("a\n<b>c", "line 2, column 1: <b> is not closed; expected </b>"),
        (
            "<b>a\n<i>b</b></i>",
            "line 2, column 5: expected </i>, not </b>; <i> was opened in line 2, column 1",
        ),
        (
            "<strong>a</b>",
            "line 1, column 10: expected </strong>, not </b>; <strong> was opened in line 1, \
             column 1",
        ),
        ("a</b>", "line 1, column 2: there is no <b> before </b>"),
        ("<b>a</>", "line 1, column 5: expected </b>, not </>; <b> was opened in line 1, column 1"),
        ("<b>a</b", "line 1, column 5: expected '>' after '</b'"),
        ("<b", "line 1, column 3: expected '>' after '<b'"),
        ("<b/>", "line 1, column 3: expected '>' after '<b'"),
        ("a < b", "line 1, column 3: expected a tag such as <b>; write &lt; for a '<'"),
        ("<>", "line 1, column 1: expected a tag such as <b>; write &lt; for a '<'"),
        ("<", "line 1, column 1: expected a tag such as <b>; write &lt; for a '<'"),
        ("a & b", "line 1, column 3: expected an entity such as &lt;; write &amp; for an '&'"),
        ("AT&T", "line 1, column 3: expected an entity such as &lt;; write &amp; for an '&'"),
        ("a &lt b", "line 1, column 6: expected ';' after '&lt'"),
        (
            "a&nbsp;b",
            "line 1, column 2: unknown entity '&nbsp;'; expected &lt;, &gt;, &amp;, &quot; or the \
             number of a character, such as &#160;",
        ),
        (
            "&#0;",
            "line 1, column 1: unknown entity '&#0;'; expected &lt;, &gt;, &amp;, &quot; or the \
             number of a character, such as &#160;",
        ),
        (
            "a\u{1b}",
            "line 1, column 2: expected text; this is a control character or a byte that is not \
             UTF-8",
        ),
        ("", "line 1, column 1: expected a text with at least one visible character"),
        (" \r\n\t ", "line 1, column 1: expected a text with at least one visible character"),
        (
            "\u{200b}\u{3164}",
            "line 1, column 1: expected a text with at least one visible character",
        ),
        ("\u{fffc}", "line 1, column 1: expected a text with at least one visible character"),
        ("<b> </b>", "line 1, column 1: expected a text with at least one visible character"),
    ] {
        assert_eq!(error(html), message, "{html:?}");
    }
}

#[test]
fn a_broken_attribute_is_refused() {
    for (html, message) in [
        ("<a>x</a>", "line 1, column 1: expected <a href=\"https://example.org\">"),
        ("<a hrf=\"x\">x</a>", "line 1, column 4: <a> has no 'hrf'; did you mean 'href'?"),
        ("<a target=\"_blank\">x</a>", "line 1, column 4: <a> has no 'target'; expected href"),
        ("<b id=\"1\">x</b>", "line 1, column 4: <b> has no attributes; expected '>', not 'id'"),
        ("<a \"x\">x</a>", "line 1, column 4: expected '>' after '<a'"),
        ("<a href=>x</a>", "line 1, column 9: expected href=\"…\", with quotes"),
        ("<a href=https://a.b>x</a>", "line 1, column 9: expected href=\"…\", with quotes"),
        (
            "<a href=\"https://a.b>x</a>",
            "line 1, column 9: the value of 'href' is not closed; expected another \" after it",
        ),
        (
            "<a href='https://a.b\">x",
            "line 1, column 9: the value of 'href' is not closed; expected another ' after it",
        ),
        (
            "<a href=\"https://a.b\" href=\"https://a.b\">x</a>",
            "line 1, column 23: expected 'href' only once",
        ),
        ("<span>x</span>", "line 1, column 1: expected <span class=\"tg-spoiler\">"),
        ("<span class=\"red\">x</span>", "line 1, column 13: expected class=\"tg-spoiler\""),
        (
            "<tg-emoji emoji-id=\"smile\">x</tg-emoji>",
            "line 1, column 20: expected the number of a custom emoji",
        ),
        (
            "<tg-emoji emoji-id=\"9223372036854775808\">x</tg-emoji>",
            "line 1, column 20: expected the number of a custom emoji",
        ),
        (
            "<tg-emoji emoji-id=\"5\"></tg-emoji>",
            "line 1, column 24: expected an emoji before </tg-emoji>",
        ),
        (
            "<tg-time unix=\"tomorrow\">x</tg-time>",
            "line 1, column 15: expected a time in seconds since 1970, such as 1647531900",
        ),
        (
            "<tg-time unix=\"1\" format=\"rt\">x</tg-time>",
            "line 1, column 26: expected r, or any of w, d or D, and t or T, in this order, such as \
             wDT",
        ),
        (
            "<code class=\"language-python\">x</code>",
            "line 1, column 1: expected <pre><code class=\"language-…\">; <code> alone has no \
             language",
        ),
        (
            "<pre><code class=\"python\">x</code></pre>",
            "line 1, column 18: expected a class such as language-python",
        ),
    ] {
        assert_eq!(error(html), message, "{html:?}");
    }
}

#[test]
fn an_address_that_telegram_would_drop_is_refused() {
    const SCHEME: &str = "expected an address that begins with http://, https:// or tg://";
    const HOST: &str = "expected a host such as example.org after '://'";
    for (url, expected) in [
        ("", SCHEME),
        ("example.org", SCHEME),
        ("mailto:ada@example.org", SCHEME),
        ("javascript://example.org", SCHEME),
        ("https://", HOST),
        ("https://localhost/", HOST),
        ("https://example..org", HOST),
        ("https://ex&ample.org", HOST),
        ("https://ada@example.org", HOST),
        ("https://example.org:0/", "expected a port from 1 to 65535 after ':'"),
        ("https://example.org:+80/", "expected a port from 1 to 65535 after ':'"),
        ("https://example.org/a b", "expected an address without blanks; write %20 for a blank"),
        ("tg://", "expected a word after 'tg://', such as tg://user?id=1"),
        ("tg://a.b", "expected a word after 'tg://', such as tg://user?id=1"),
    ] {
        let html = format!("<a href=\"{url}\">x</a>");
        assert_eq!(error(&html), format!("line 1, column 9: {expected}"), "{url}");
    }
    for url in ["HTTPS://Example.org", "http://пример.рф/путь", "https://example.org:8080?a#b"]
    {
        parsed(&format!("<a href=\"{url}\">x</a>"));
    }
    let long = format!("<a href=\"https://example.org/{}\">x</a>", "x".repeat(2048));
    assert_eq!(error(&long), "line 1, column 9: expected an address of at most 2,048 bytes");
}

#[test]
fn formatting_that_telegram_would_drop_is_refused() {
    let nested = "cannot stand in <a>; expected it before or after";
    for (html, message) in [
        ("<code><b>x</b></code>", "column 7: expected only text in <code>, not <b>".to_owned()),
        ("<pre><i>x</i></pre>", "column 6: expected only text in <pre>, not <i>".to_owned()),
        ("<pre>x<code>y</code></pre>", "column 7: expected <code> directly after <pre>".to_owned()),
        (
            "<pre><code class=\"language-c\">x</code>\n</pre>",
            "column 39: expected </pre> directly after </code>; else Telegram ignores the language"
                .to_owned(),
        ),
        (
            "<blockquote>a<b><blockquote>b</blockquote></b></blockquote>",
            "column 17: <blockquote> cannot stand in another one; expected </blockquote>"
                .to_owned(),
        ),
        (
            "<a href=\"https://a.b\"><b><a href=\"https://a.b\">x</a></b></a>",
            format!("column 26: <a> {nested}"),
        ),
        ("<a href=\"https://a.b\"><code>x</code></a>", format!("column 23: <code> {nested}")),
        (
            "<a href=\"https://a.b\"><blockquote>x</blockquote></a>",
            format!("column 23: <blockquote> {nested}"),
        ),
    ] {
        assert_eq!(error(html), format!("line 1, {message}"), "{html:?}");
    }
}

#[test]
fn the_length_is_that_of_utf_16_without_tags() {
    for (html, units) in [
        ("abc", 3),
        ("é", 1),
        ("e\u{301}", 2),
        ("😀", 2),
        ("👩‍🚀", 5),
        ("❤\u{fe0f}", 2),
        ("&amp;&#128512;", 3),
        ("<b>a</b><a href=\"https://example.org/long\">b</a>", 2),
    ] {
        assert_eq!(parsed(html).max_units(), units, "{html}");
    }
}

#[test]
fn a_text_that_is_too_long_is_refused_where_the_limit_is_passed() {
    parsed(&"x".repeat(4096));
    parsed(&"😀".repeat(2048));
    assert_eq!(
        error(&format!("<b>{}</b>\n{}", "😀".repeat(2000), "x".repeat(96))),
        "line 2, column 96: expected at most 4,096 characters, of which an emoji counts as two; \
         this text has 4,097"
    );
    let caption = |length: usize| MessageText::parse(&"x".repeat(length), TextLimit::Caption);
    assert!(caption(1024).is_ok());
    let error = caption(1025).unwrap_err();
    assert_eq!((error.line, error.column, error.at), (1, 1025, 1024));
}

#[test]
fn blanks_at_the_ends_do_not_count() {
    parsed(&format!("\n\n{}\n\n", "x".repeat(4096)));
}

#[test]
fn a_source_that_is_too_large_is_refused() {
    let error = error(&"<b></b>".repeat(10_000));
    assert_eq!(error, "line 1, column 1: expected at most 65,535 bytes");
}

#[test]
fn limits_of_telegram_that_are_not_documented_hold() {
    let bold = "<b>x</b>\n";
    parsed(&bold.repeat(100));
    assert_eq!(
        error(&bold.repeat(101)),
        "line 101, column 1: expected at most 100 elements in a text"
    );

    let link = format!("<a href=\"https://example.org/{}\">x</a>\n", "x".repeat(1980));
    parsed(&link.repeat(4));
    let addresses = "expected addresses of at most 8,000 bytes in all, with the longest names";
    let personal = "<a href=\"https://example.org/{first_name}\">x</a>\n";
    parsed(&personal.repeat(6));
    assert_eq!(error(&link.repeat(5)), format!("line 5, column 1: {addresses}"));
    assert_eq!(error(&personal.repeat(7)), format!("line 7, column 1: {addresses}"));
}

#[test]
fn html_that_is_too_large_for_the_server_of_the_bot_api_is_refused() {
    // An `&` is five bytes in HTML, and addresses do not count as characters.
    let link = format!("<a href=\"https://a.b/?{}\">x</a>", "&".repeat(1600));
    let text = format!("{}{}", link.repeat(4), "&".repeat(4092).replace('&', "&amp;"));
    assert_eq!(
        error(&text),
        "line 1, column 1: expected at most 32,768 bytes of HTML; this text has 52,576"
    );
}

#[test]
fn a_picture_points_at_the_place() {
    let html = "Dear friends,\n<b>we are <i>open</b>";
    let error = MessageText::parse(html, TextLimit::Message).unwrap_err();
    assert_eq!(error.picture(html), format!("<b>we are <i>open</b>\n{}^", " ".repeat(17)));
}

#[test]
fn the_parts_are_in_the_order_of_reading() {
    assert_eq!(
        parsed("a <b>b<i>c</i></b>").parts(),
        [
            Part::Text("a ".to_owned()),
            Part::Open(Element::Bold),
            Part::Text("b".to_owned()),
            Part::Open(Element::Italic),
            Part::Text("c".to_owned()),
            Part::Close,
            Part::Close,
        ]
    );
}
