use proptest::prelude::*;

use super::*;

fn pairs(url: &str) -> Vec<(String, String)> {
    serde_urlencoded::from_str(url).unwrap()
}

/// The filter to which the form leads, when it has sent these fields.
fn sent(url: &str) -> String {
    changed_list(&pairs(&format!("form=1&{url}"))).unwrap().unwrap().text
}

fn fields(text: &str) -> Fields {
    Fields::of(&text.parse().unwrap())
}

#[test]
fn the_form_shows_the_parts_of_the_filter() {
    let it = fields(
        "ada lovelace lang:de,ru -source:* -reachable bot joined:2026-01-01..2026-02-01 seen<7d \
         days:2..9 tag:vip",
    );
    assert_eq!((&*it.search, &*it.lang, &*it.source), ("ada lovelace", "de,ru", NONE));
    assert_eq!((&*it.state, &*it.kind), ("-reachable", "bot"));
    assert_eq!(
        (&*it.joined.from, &*it.joined.to, &*it.joined.range),
        ("2026-01-01", "2026-02-01", "")
    );
    assert_eq!((&*it.seen.from, &*it.seen.range), ("", "<7d"));
    assert_eq!((&*it.min_days, &*it.max_days), ("2", "9"));
    assert_eq!(fields("(bot or -bot)").kind, EVERY_KIND);
    assert_eq!(fields("days>=2 days<=9").max_days, "9");
    assert_eq!(fields("joined>=2026-01-01 joined<=2026-02-01").joined.to, "2026-02-01");
    assert_eq!(fields("seen>=14d").seen.range, ">=14d");
    for other in
        ["", "tag:vip", "-lang:de", "-ada", "lang:de or reachable", "blocked_at<7d", "-bot"]
    {
        assert_eq!(fields(other), Fields::default(), "{other}");
    }
}

#[test]
fn the_form_edits_the_text() {
    for (url, text) in [
        ("", ""),
        ("lang=de", "lang:de"),
        ("lang=de,ru&state=blocked", "lang:de,ru blocked"),
        ("lang=(none)&source=(none)", "-lang:* -source:*"),
        ("q=van+der", "\"van der\""),
        ("q=bot", "\"bot\""),
        ("kind=any", "bot or -bot"),
        ("joined=<7d", "joined<7d"),
        ("joined=<7d&joined_from=2026-01-01", "joined<7d"),
        (
            "joined=dates&joined_from=2026-01-01&joined_to=2026-01-31",
            "joined:2026-01-01..2026-01-31",
        ),
        ("seen_to=2026-01-31", "seen<=2026-01-31"),
        ("min_days=5", "days>=5"),
        ("min_days=5&max_days=5", "days:5"),
        // What the form has no field for stays, and the rest is replaced at its place.
        ("filter=tag:vip+lang:de+-bot&lang=ru", "tag:vip lang:ru -bot"),
        ("filter=lang:de+tag:vip&lang=", "tag:vip"),
        ("filter=lang:de+tag:vip+lang:ru&lang=fr", "lang:fr tag:vip"),
        ("filter=tag:a+or+tag:b&state=reachable", "(tag:a or tag:b) reachable"),
        (
            "filter=joined%3E=2026-01-01+x+joined%3C=2026-02-01&q=x&joined_from=2026-01-05",
            "joined>=2026-01-05 x",
        ),
        ("filter=seen%3C7d+bot&kind=any&seen=<7d", "seen<7d (bot or -bot)"),
        ("filter=-tag:vip+ada+lovelace&q=grace", "-tag:vip grace"),
    ] {
        assert_eq!(sent(&url.replace('<', "%3C")), text, "{url}");
    }
    assert_eq!(changed_list(&pairs("filter=lang:de&lang=ru")).unwrap(), None);
}

#[test]
fn the_form_keeps_the_order_and_the_zone_and_leads_to_the_first_page() {
    let list = pairs("form=1&lang=de&seen=%3C7d&sort=id&zone=Europe/Berlin&at=in1.1");
    let list = changed_list(&list).unwrap().unwrap();
    assert_eq!(list.url(), "filter=lang%3Ade+seen%3C7d&zone=Europe%2FBerlin&sort=id");
}

#[test]
fn an_invalid_value_is_one_value_of_its_field() {
    for (url, text) in [
        ("lang=de+or+bot", "lang:\"de or bot\""),
        ("lang=de)", "lang:\"de)\""),
        ("source=a+b", "source:\"a b\""),
        ("lang=%22", "lang:\"\\\"\""),
        ("state=bot", "state:\"bot\""),
        ("kind=x", "kind:\"x\""),
        ("joined=x", "joined:\"x\""),
        ("joined=<7d+or+bot", "joined:\"<7d or bot\""),
        ("seen_from=yesterday", "seen>=yesterday"),
        ("seen_from=2026-01-01..2026-02-01", "seen>=\"2026-01-01..2026-02-01\""),
        ("joined_from=2026-02-01&joined_to=2026-01-01", "joined:2026-02-01..2026-01-01"),
        ("min_days=5+or+bot", "days>=\"5 or bot\""),
        ("min_days=3&max_days=2", "days:3..2"),
        ("q=@", "\"@\""),
        // What is wrong already stays as it is.
        ("filter=langg:de&lang=ru", "langg:de"),
        ("filter=lang:de+or&lang=ru", "lang:de or"),
        ("filter=not&state=blocked", "not"),
    ] {
        let text_of_form = sent(&url.replace('<', "%3C"));
        assert_eq!(text_of_form, text, "{url}");
        // It lists no users, or those with this very value.
        if let Ok(filter) = text_of_form.parse::<Filter>() {
            assert!(
                matches!(filter.node(), Node::Term(Term::Language(_) | Term::Source(_))),
                "{url}"
            );
        }
    }
    for odd in ["lang=de&lang=ru", "filter=a&filter=b&lang=de", "filter=a&zone=x&lang=de"] {
        assert!(changed_list(&pairs(&format!("form=1&{odd}"))).is_err(), "{odd}");
    }
}

#[test]
fn the_calendar_replaces_the_days_of_joining_only() {
    let day = |text: &str| text.parse().unwrap();
    let days = Days::between(day("2026-01-01"), day("2026-01-31"));
    let query = Query::of_filter("joined<7d lang:de (a or b)".to_owned());
    assert_eq!(
        with_first_days(&query, days).text,
        "joined:2026-01-01..2026-01-31 lang:de (a or b)"
    );
    assert_eq!(with_first_days(&query, Days::default()).text, "lang:de (a or b)");
}

const PARTS: [&str; 26] = [
    "ada",
    "\"van der\"",
    "-ada",
    "lang:de",
    "lang:de,pt*",
    "-lang:*",
    "-lang:de",
    "source:ads_*",
    "-source:*",
    "reachable",
    "-reachable",
    "blocked",
    "-blocked",
    "bot",
    "-bot",
    "(bot or -bot)",
    "joined:2026-01-01",
    "joined:2026-01-01..2026-02-01",
    "joined>=7d",
    "seen<7d",
    "seen>2026-01-01",
    "days>=5",
    "days:2..9",
    "-days:1",
    "tag:vip",
    "(a or lang:de)",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(500)))]

    #[test]
    fn an_unchanged_form_changes_nothing(parts in prop::collection::vec(prop::sample::select(PARTS.to_vec()), 0..8)) {
        let filter: Filter = parts.join(" ").parse().unwrap();
        let fields = Fields::of(&filter);
        prop_assert_eq!(fields.applied_to(&filter), filter.to_string());
    }

    #[test]
    fn what_the_form_sets_it_shows(
        parts in prop::collection::vec(prop::sample::select(PARTS.to_vec()), 0..8),
        others in prop::collection::vec(prop::sample::select(PARTS.to_vec()), 0..8),
    ) {
        let [filter, other]: [Filter; 2] = [parts, others].map(|it| it.join(" ").parse().unwrap());
        let wanted = Fields::of(&other);
        let set: Filter = wanted.applied_to(&filter).parse().unwrap();
        prop_assert_eq!(Fields::of(&set), wanted);
        // The parts without a field are those of before, in their order.
        let without_field = |filter: &Filter| -> Vec<Node> {
            let parts = filter.parts().iter().filter(|part| Slot::of(part).is_none());
            parts.cloned().collect()
        };
        prop_assert_eq!(without_field(&set), without_field(&filter));
    }

    #[test]
    fn no_text_of_a_field_becomes_another_part(text in "[-a-z0-9()\"\\\\:<>=,.*@% ]{0,20}|.{0,10}", field in 0_usize..9) {
        let mut fields = Fields::default();
        *[&mut fields.lang, &mut fields.source, &mut fields.state, &mut fields.kind, &mut fields.search,
            &mut fields.joined.range, &mut fields.seen.from, &mut fields.min_days, &mut fields.max_days][field]
            = text.trim().to_owned();
        let filter = fields.applied_to(&Filter::everyone());
        if let Ok(filter) = filter.parse::<Filter>() {
            let is_everyone = filter.is_everyone();
            let slots: Vec<_> = filter.parts().iter().map(Slot::of).collect();
            prop_assert!(slots.len() == 1 && slots[0].is_some() || is_everyone, "{text:?}: {filter}");
            prop_assert!(!is_everyone || text.trim().is_empty() || text == DATES, "{text:?}");
        }
    }
}
