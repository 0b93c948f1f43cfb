use super::*;

fn read(url: &str) -> Query {
    Query::read(&serde_urlencoded::from_str::<Vec<(String, String)>>(url).unwrap())
}

#[test]
fn reading_a_query_string_and_writing_it_changes_nothing() {
    for url in [
        "",
        "q=%D0%96%D1%83%D0%BA+%26+%3Cb%3E",
        "language=%28none%29&source=spring_sale",
        "reach=blocked&first=30d&last_from=2026-01-01&last_to=2026-02-28",
        "min_days=2&max_days=9&bot=no&sort=-last_seen&at=ln20000.7",
        "first_from=2026-11-01&first_to=2026-11-30&sort=first_seen",
    ] {
        assert_eq!(read(url).url(), url);
        assert_eq!(read(&read(url).url()), read(url));
    }
}

#[test]
fn an_unknown_order_or_place_is_ignored() {
    assert_eq!(read("sort=name&at=x&bot=&color=red&first_from="), Query::default());
    assert!(read("q=++").is_everybody());
}

#[test]
fn an_invalid_filter_is_reported() {
    for (url, expected) in [
        ("q=@", "Search: “@”: expected a name, a @username or an id; there is nothing"),
        ("q=%00", "Search: “\u{fffd}”: expected text; it has a U+0000 or bytes"),
        ("q=%ED%A0%80", "Search: “\u{fffd}\u{fffd}\u{fffd}”: expected text"),
        ("language=%00", "Language: “\u{fffd}”: expected text"),
        ("source=a+b", "Source: “a b”: expected the payload of a deep link"),
        ("reach=x", "State: “x”: expected one of reachable, unreachable, blocked."),
        ("first=1", "First seen: “1”: expected one of today, yesterday, 7d, 28d, 30d, 90d,"),
        ("first_from=yesterday", "First seen, from: “yesterday”: expected a day such as"),
        ("last_to=-262143-01-01", "Last seen, to: “-262143-01-01”: expected a day"),
        ("min_days=-1", "Active days, at least: “-1”: expected a whole number"),
        ("max_days=99999999999", "Active days, at most: “99999999999”: expected a whole"),
        ("bot=maybe", "Kind of account: “maybe”: expected one of yes, no."),
        ("q=a&q=b", "Search: “b”: expected only once."),
        ("bot=%E2%80%AEon", "Kind of account: “\u{fffd}on”: expected"),
    ] {
        let query = read(url);
        let words: Vec<String> = query.invalid.iter().map(InvalidFilter::message).collect();
        assert!(words.len() == 1 && words[0].starts_with(expected), "{url}: {words:?}");
        assert!(!query.is_everybody(), "{url}");
        // Links keep it, except those that set it.
        assert_eq!(read(&query.url()).invalid, query.invalid, "{url}");
        assert_eq!(read(&query.url_sorted_by(SortKey::Id)).invalid, query.invalid, "{url}");
    }
    let long = format!("language={}", "x".repeat(10_000));
    assert!(read(&long).invalid[0].message().len() < 200);
    assert_eq!(read("first_from=x&bot=no").url_of_first_seen(Days::default()), "bot=no");
}

#[test]
fn strict_reading_refuses_what_would_let_more_users_match() {
    let read = |url: &str| {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(url).unwrap();
        Query::read_strictly(&pairs, &["until", "all"])
    };
    for fine in ["", "q=+ada+&reach=blocked&until=x&all=1", "min_days=2&bot=&first=7d&sort=x"] {
        assert!(read(fine).is_ok(), "{fine}");
    }
    for odd in ["reach=x", "first_from=yesterday", "q=@", "q=a&q=b", "min_days=x", "at=x"] {
        assert!(read(odd).is_err(), "{odd}");
    }
    let Err(Failure::Invalid(reason)) = read("langauge=en") else { panic!("it was accepted") };
    assert_eq!(reason, "There is no filter “langauge”. Nothing was done.");
}

#[test]
fn presets_move_with_the_day_and_dates_do_not() {
    let today: NaiveDate = "2026-11-23".parse().unwrap();
    let days = |url: &str| {
        let days = read(url).filter(today).first_seen;
        let text = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
        format!("{}..{}", text(days.first), text(days.last))
    };
    assert_eq!(days("first=today"), "2026-11-23..");
    assert_eq!(days("first=7d"), "2026-11-17..");
    assert_eq!(days("first_to=2026-01-31"), "..2026-01-31");
    assert_eq!(days("first=yesterday"), "2026-11-22..2026-11-22");
    assert_eq!(days("first=all"), "..");
    assert_eq!(days(""), "..");
}

#[test]
fn a_preset_and_dates_never_apply_together() {
    let today: NaiveDate = "2026-11-23".parse().unwrap();
    for name in ["first", "last"] {
        let old = format!("{name}=7d&{name}_from=2020-01-01&{name}_to=2026-11-23");
        let query = read(&old);
        assert_eq!(query.url(), format!("{name}=7d"));
        assert_eq!(query.filter(today), read(&format!("{name}=7d")).filter(today));
        assert_eq!(query.without_dates, [name]);
        // What is done to all of them needs one answer to the question which users are meant.
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(&old).unwrap();
        assert!(Query::read_strictly(&pairs, &[]).is_err());
        // Dates say that they are dates; nothing is chosen without them.
        let dates = read(&format!("{name}=dates&{name}_from=2026-01-01"));
        assert_eq!(dates.url(), format!("{name}_from=2026-01-01"));
        assert!(dates.without_dates.is_empty());
        assert!(read(&format!("{name}=dates")).is_everybody());
    }
    // The other period is untouched.
    let both = read("first=7d&last_from=2026-01-01");
    assert_eq!(both.url(), "first=7d&last_from=2026-01-01");
    // A date that cannot be read is reported first.
    let invalid = read("first=7d&first_from=x&first_to=2026-01-01");
    assert_eq!(invalid.url(), "first=7d&first_from=x&first_to=2026-01-01");
    assert_eq!(invalid.invalid.len(), 1);
}

#[test]
fn none_differs_from_any() {
    let today = NaiveDate::default();
    assert_eq!(read("language=(none)").filter(today).language.as_deref(), Some(""));
    assert_eq!(read("language=").filter(today).language, None);
    assert_eq!(read("source=(none)").filter(today).source.as_deref(), Some(""));
    assert_eq!(read("source=-").filter(today).source.as_deref(), Some("-"));
}
