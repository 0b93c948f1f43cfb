use crate::message::{ButtonTarget, Buttons};

fn parsed(text: &str) -> Buttons {
    text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn error(text: &str) -> String {
    text.parse::<Buttons>().map_or_else(|error| error.to_string(), |it| panic!("{text:?}: {it}"))
}

#[test]
fn each_line_is_a_row_of_buttons() {
    let buttons = parsed(
        "Shop = https://example.org/shop?a=b\r\n\r\n  Help=tg://resolve?domain=help |  Go on = \
         /start spring_sale  \n",
    );
    let rows: Vec<Vec<(&str, String)>> = buttons
        .rows()
        .iter()
        .map(|row| row.iter().map(|it| (it.text(), it.target().url("shop_bot").unwrap())).collect())
        .collect();
    let url = |url: &str| url.to_owned();
    assert_eq!(
        rows,
        [
            vec![("Shop", url("https://example.org/shop?a=b"))],
            vec![
                ("Help", url("tg://resolve?domain=help")),
                ("Go on", url("https://t.me/shop_bot?start=spring_sale")),
            ],
        ]
    );
    assert_eq!(
        buttons.to_string(),
        "Shop = https://example.org/shop?a=b\nHelp = tg://resolve?domain=help | Go on = /start \
         spring_sale"
    );
}

#[test]
fn there_may_be_no_buttons() {
    for text in ["", "\n \r\n"] {
        assert!(parsed(text).is_empty());
        assert_eq!(parsed(text), Buttons::default());
    }
}

#[test]
fn a_text_may_have_the_signs_that_separate() {
    let buttons = parsed("1+1=2 = https://a.b/?x=https://c.d | A|B = https://a.b");
    let texts: Vec<&str> = buttons.rows()[0].iter().map(|it| it.text()).collect();
    assert_eq!(texts, ["1+1=2", "A|B"]);
    let url = ButtonTarget::Url("https://a.b/?x=https://c.d".to_owned());
    assert_eq!(buttons.rows()[0][0].target(), &url);
}

#[test]
fn a_button_may_be_answered_by_the_bot() {
    let text = "Yes = press:See you: there = soon! | No=PRESS\nGo on = /start a";
    let buttons = parsed(text);
    let targets: Vec<_> = buttons.numbered().map(|(n, it)| (n, it.target().clone())).collect();
    let notice = Some("See you: there = soon!".to_owned());
    let start = ButtonTarget::Start("a".parse().unwrap());
    let expected = [ButtonTarget::Press(notice), ButtonTarget::Press(None), start];
    assert_eq!(targets, [1, 2, 3].into_iter().zip(expected).collect::<Vec<_>>());
    assert_eq!(
        buttons.to_string(),
        "Yes = press:See you: there = soon! | No = press\nGo on = /start a"
    );
    assert_eq!(parsed(&buttons.to_string()), buttons);
    assert_eq!(buttons.get(2).unwrap().text(), "No");
    assert_eq!((buttons.get(0), buttons.get(4)), (None, None));
    assert!(buttons.numbered().all(|(_, it)| it.target().counts_presses()));
    assert!(!parsed("A = https://a.b").get(1).unwrap().target().counts_presses());
}

#[test]
fn a_wrong_button_is_refused_at_its_place() {
    const ADDRESS: &str = "expected an address that begins with http://, https:// or tg://, /start and a payload, or press";
    for (text, message) in [
        (
            "A = https://a.b\n\nShop",
            "line 3, column 1: expected a text and an address, such as Shop = https://example.org"
                .to_owned(),
        ),
        ("A = https://a.b | B =  a.b", format!("line 1, column 24: {ADDRESS}")),
        ("ж =", format!("line 1, column 4: {ADDRESS}")),
        (
            "A = https://a",
            "line 1, column 5: expected a host such as example.org after '://'".to_owned(),
        ),
        (
            " = https://a.b",
            "line 1, column 2: expected the text of the button before '='".to_owned(),
        ),
        (
            "\u{3164} = https://a.b",
            "line 1, column 1: expected the text of the button before '='".to_owned(),
        ),
        (
            "A = https://a.b |B = https://a.b",
            "line 1, column 17: expected a blank on both sides of '|'; in an address, %7C stands \
             for it"
                .to_owned(),
        ),
        (
            "A | = https://a.b",
            "line 1, column 1: expected a text and an address, such as Shop = https://example.org"
                .to_owned(),
        ),
        ("A |= https://a.b", "line 1, column 3: expected a blank on both sides of '|'".to_owned()),
        (
            "A = https://a.b B",
            "line 1, column 5: expected an address without blanks; write %20 for a blank"
                .to_owned(),
        ),
        (
            "A = https://a.b | ",
            "line 1, column 19: expected a text and an address, such as Shop = https://example.org"
                .to_owned(),
        ),
        (
            "A = /start",
            "line 1, column 5: expected a payload after '/start': 1 to 64 of A-Z, a-z, 0-9, _ and -"
                .to_owned(),
        ),
        (
            "A = /start a b",
            "line 1, column 5: expected a payload after '/start': 1 to 64 of A-Z, a-z, 0-9, _ and -"
                .to_owned(),
        ),
        ("A = press:", "line 1, column 11: expected a text after 'press:', or only 'press'".to_owned()),
        ("A = press x", format!("line 1, column 5: {ADDRESS}")),
        (
            "A = press: a |B = https://a.b",
            "line 1, column 14: expected a blank on both sides of '|'".to_owned(),
        ),
        (
            &format!("A = press:{}", "x".repeat(201)),
            "line 1, column 11: expected a text of at most 200 characters; this has 201".to_owned(),
        ),
        (
            "Hi {first_name} = https://a.b",
            "line 1, column 4: expected no brace; buttons have no variables".to_owned(),
        ),
        (
            "A\tB = https://a.b",
            "line 1, column 2: expected text; this is a control character or a byte that is not \
             UTF-8"
                .to_owned(),
        ),
        (
            &format!("{} = https://a.b", "x".repeat(65)),
            "line 1, column 1: expected a text of at most 64 characters; this has 65".to_owned(),
        ),
    ] {
        assert_eq!(error(text), message, "{text:?}");
    }
}

#[test]
fn there_are_at_most_8_buttons_in_a_row_and_100_in_all() {
    let button = "A = https://a.b";
    let row = |count: usize| vec![button; count].join(" | ");
    parsed(&row(8));
    assert_eq!(error(&row(9)), "line 1, column 145: expected at most 8 buttons in a row");
    let rows = |count: usize| vec![row(5); count].join("\n");
    parsed(&rows(20));
    assert_eq!(error(&rows(21)), "line 21, column 1: expected at most 100 buttons");
    assert_eq!(error(&"\n".repeat(65_536)), "line 1, column 1: expected at most 65,535 bytes");
}

#[test]
fn buttons_that_are_too_large_for_telegram_are_refused() {
    let row = format!("A = https://example.org/{}", "x".repeat(2000));
    parsed(&vec![row.clone(); 4].join("\n"));
    assert_eq!(
        error(&vec![row; 5].join("\n")),
        "line 5, column 1: expected fewer buttons, or shorter texts and addresses; Telegram refuses \
         more than about 9,000 bytes in all"
    );
}
