use proptest::prelude::*;

use super::{
    filter::{Node, all, any, negated},
    *,
};
use crate::{Language, RecipientState, SearchTerm, TelegramId};

fn parsed(text: &str) -> Filter {
    text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn error(text: &str) -> String {
    text.parse::<Filter>().map_or_else(|error| error.to_string(), |it| panic!("{text:?}: {it}"))
}

#[test]
fn a_filter_is_printed_in_its_canonical_form() {
    for (text, canonical) in [
        ("", ""),
        ("  ", ""),
        (
            "lang:de,ru reachable source:ads_* (tag:vip or days>=5) seen<14d -tag:test",
            "lang:de,ru reachable source:ads_* (tag:vip or days>=5) seen<14d -tag:test",
        ),
        ("a and b OR c", "a b or c"),
        ("a (b c)", "a b c"),
        ("(a or b) or c", "a or b or c"),
        ("((a or b))", "a or b"),
        ("not not a", "a"),
        ("- a".trim_start_matches("- "), "a"),
        ("--a", "a"),
        ("NOT (a b)", "-(a b)"),
        ("-(a)", "-a"),
        ("LANG:DE", "lang:DE"),
        ("days=5 days>4 days<6 days:2..5", "days:5 days>=5 days<=5 days:2..5"),
        ("seen<2w", "seen<14d"),
        ("joined=2026-01-31", "joined:2026-01-31"),
        ("joined:2026-01-01..2026-02-01", "joined:2026-01-01..2026-02-01"),
        ("used:/Schedule,settings", "used:/schedule,settings"),
        ("used:/schedule<14d used:/schedule>=3", "used:/schedule<14d used:/schedule>=3"),
        ("used:/schedule>=2026-01-01", "used:/schedule>=2026-01-01"),
        ("zone:europe/berlin zone:EUROPE/*", "zone:Europe/Berlin zone:Europe/*"),
        ("team:tor botlang:DE has:note", "team:TOR botlang:de has:note"),
        ("name:\"van der\" name:ada", "name:\"van der\" name:\"ada\""),
        ("@Ada_L @ada* @*", "@Ada_L @ada* @*"),
        ("broadcast:12:failed,13", "broadcast:12:failed,13"),
        ("Broadcast:012:Sent -broadcast:12:UNKNOWN", "broadcast:12 -broadcast:12:unknown"),
        ("pressed:12,013", "pressed:12,13"),
        ("Opted_Out:promo,news -capped:promo", "opted_out:promo,news -capped:promo"),
        ("id:1,2", "id:1,2"),
        ("random:10%:seed random:0.5%:a", "random:10%:seed random:0.50%:a"),
        ("\"bot\" \"or\" bot", "\"bot\" \"or\" bot"),
        ("\"a \\\" \\\\ b\"", "\"a \\\" \\\\ b\""),
        ("\"-x\" \"@x\" a-b o'neil", "\"-x\" \"@x\" a-b o'neil"),
        ("lang:\"a b\"*", "lang:\"a b\"*"),
        ("\"ada\"", "ada"),
        ("source:* -lang:*", "source:* -lang:*"),
    ] {
        assert_eq!(parsed(text).to_string(), canonical, "{text:?}");
        assert_eq!(parsed(canonical), parsed(text), "{text:?}");
    }
}

#[test]
fn or_binds_weaker_than_a_blank_and_minus_strongest() {
    assert_eq!(parsed("-a b or c d"), parsed("((-a) b) or (c d)"));
    assert_ne!(parsed("a b or c"), parsed("a (b or c)"));
    assert_ne!(parsed("-a b"), parsed("-(a b)"));
}

#[test]
fn an_error_points_at_its_place_and_says_what_is_expected() {
    for (text, message) in [
        ("langg:de", "character 1: unknown field 'langg'; did you mean 'lang'?"),
        ("reachable sen<14d", "character 11: unknown field 'sen'; did you mean 'seen'?"),
        ("a (b", "character 3: there is no ')' for this '('"),
        ("a) b", "character 2: there is no '(' for this ')'"),
        ("()", "character 2: expected a term"),
        ("a or", "character 5: expected a term after 'or'"),
        ("or a", "character 1: expected a term; to search for the word, write \"or\""),
        ("a -", "character 3: expected a term directly after '-'"),
        ("a - b", "character 3: expected a term directly after '-'"),
        ("not", "character 4: expected a term after 'not'"),
        ("é \"a", "character 3: a quote is not closed; expected another \" after the text"),
        ("\"\"", "character 1: there is nothing between the quotes; expected a text"),
        ("lang:", "character 6: expected a value after 'lang:'"),
        ("lang:de,", "character 9: expected a language such as en, pt-br or pt*"),
        ("lang<de", "character 5: 'lang' cannot be compared; expected ':' and a value after it"),
        ("reachable:yes", "character 10: 'reachable' takes no value; expected the word alone"),
        (
            "lang:de reachable<5",
            "character 18: 'reachable' takes no value; expected the word alone",
        ),
        ("bot=1", "character 4: 'bot' takes no value; expected the word alone"),
        (
            "blocked<7d",
            "character 8: 'blocked' takes no value; expected the word alone, or a day such as \
             blocked_at<7d",
        ),
        ("not:x", "character 4: expected a blank after 'not'; a text with a sign needs quotes"),
        ("or=x", "character 3: expected a blank after 'or'; a text with a sign needs quotes"),
        (
            "days=>5",
            "character 6: expected a value, not '>'; the comparisons are <, <=, > and >=, and a \
             text with one of :<>= needs quotes",
        ),
        (
            "lang::de",
            "character 6: expected a value, not ':'; the comparisons are <, <=, > and >=, and a \
             text with one of :<>= needs quotes",
        ),
        (
            "used:/a:<3d",
            "character 9: expected a value, not '<'; the comparisons are <, <=, > and >=, and a \
             text with one of :<>= needs quotes",
        ),
        (
            "used:/a,/b<3d",
            "character 9: expected one command before a comparison; join several by `or`",
        ),
        ("days>=5..7", "character 7: expected one number after a comparison; a range follows ':'"),
        ("days:5..x", "character 9: expected a number such as 5, or a range such as 2..5"),
        ("seen<1d..2d", "character 6: expected one day after a comparison; a range follows ':'"),
        (
            "joined:2026-01-01..",
            "character 20: expected a range of two days, such as 2026-01-01..2026-01-31",
        ),
        (
            "joined:..2026-01-01",
            "character 8: expected a range of two days, such as 2026-01-01..2026-01-31",
        ),
        ("days>=x", "character 7: expected a number such as 5, or a range such as 2..5"),
        (
            "days:5..2",
            "character 6: the range ends before it begins; expected the smaller number first",
        ),
        ("days<0", "character 6: no number is less than 0; expected 1 or more"),
        (
            "days>4294967295",
            "character 6: no number is more than 4294967295; expected a smaller one",
        ),
        (
            "days >= 5",
            "character 6: expected a field directly before this sign, such as days>=5; a text \
             with one of :<>= needs quotes",
        ),
        (
            "joined:2026-02-01..2026-01-01",
            "character 8: the range ends before it begins; expected the earlier day first",
        ),
        (
            "joined:2026-02-30",
            "character 8: expected a day such as 2026-01-31, a range such as \
             2026-01-01..2026-01-31, or an age such as <14d",
        ),
        (
            "seen:14d",
            "character 6: expected <, <=, > or >= before an age: <14d means within the last 14 \
             days",
        ),
        ("tag:VIP", "character 5: expected a name of 1 to 32 of a-z, 0-9, _ and -"),
        ("zone:Mars/Base", "character 6: expected a time zone such as Europe/Berlin or Europe/*"),
        ("botlang:fr", "character 9: expected a language of the bot: en, ru, de"),
        ("id:0", "character 4: expected the Telegram id of a user, such as 1815"),
        (
            "random:0%:x",
            "character 8: expected a share from 0.01% to 100% and a seed, such as \
             random:10%:seed",
        ),
        ("has:tag", "character 5: expected has:note"),
        ("pressed:12:failed", "character 9: expected the number of a broadcast, such as 12"),
        (
            "broadcast:12,0",
            "character 14: expected the number of a broadcast, such as 12, or a number and a state, such as \
             12:failed; the states are queued, claimed, sent, failed, unreachable, skipped, unknown",
        ),
        (
            "broadcast:12:gone",
            "character 11: expected the number of a broadcast, such as 12, or a number and a state, such as \
             12:failed; the states are queued, claimed, sent, failed, unreachable, skipped, unknown",
        ),
        (
            "broadcast:+12",
            "character 11: expected the number of a broadcast, such as 12, or a number and a state, such as \
             12:failed; the states are queued, claimed, sent, failed, unreachable, skipped, unknown",
        ),
        (
            "broadcast:12:",
            "character 11: expected the number of a broadcast, such as 12, or a number and a state, such as \
             12:failed; the states are queued, claimed, sent, failed, unreachable, skipped, unknown",
        ),
        ("@a.b", "character 2: expected a username after '@': up to 32 of A-Z, a-z, 0-9 and _"),
        ("a\0", "character 2: expected text; this is a U+0000 or a byte that is not UTF-8"),
    ] {
        assert_eq!(error(text), message, "{text:?}");
    }
}

#[test]
fn a_filter_has_bounds() {
    assert!(error(&"x".repeat(4097)).starts_with("character 1: expected at most 4096 bytes"));
    assert!("x ".repeat(200).parse::<Filter>().is_ok());
    assert_eq!(error(&"x ".repeat(201)), "character 401: expected at most 200 terms");
    // Its canonical form is stored, and must fit as well.
    let long = format!("name:{} ", "a".repeat(90)).repeat(42);
    assert!(long.len() < MAX_FILTER_BYTES && error(&long).contains("in full form; this has 41"));
    let nested = |depth: usize| format!("{}x{}", "(".repeat(depth), ")".repeat(depth));
    assert!(nested(50).parse::<Filter>().is_ok());
    assert!(error(&nested(51)).contains("at most 50 deep"));
    assert!(error(&format!("{}x", "-".repeat(4000))).contains("at most 50 deep"));
}

#[test]
fn ages_are_days_before_today() {
    let day = |text: &str| text.parse().ok();
    let today = day("2026-11-27").unwrap();
    for (text, first, last) in [
        ("seen<14d", day("2026-11-14"), None),
        ("seen<=14d", day("2026-11-13"), None),
        ("seen>14d", None, day("2026-11-12")),
        ("seen>=14d", None, day("2026-11-13")),
        ("seen<1d", day("2026-11-27"), None),
        ("joined<2026-01-01", None, day("2025-12-31")),
        ("joined<=2026-01-01", None, day("2026-01-01")),
        ("joined>2026-01-01", day("2026-01-02"), None),
        ("joined:2026-01-01", day("2026-01-01"), day("2026-01-01")),
    ] {
        let Filter(Node::Term(Term::Day(_, range))) = parsed(text) else { panic!("{text}") };
        assert_eq!(range.days(today), crate::Days { first, last }, "{text}");
    }
}

#[test]
fn a_share_is_stable_and_about_as_large_as_stated() {
    let share = |parts, seed| Share::new(parts, seed).unwrap();
    let ids = || (1..=100_000_i64).map(|id| TelegramId::try_from(700_000_000 + id * 13).unwrap());
    for seed in ["seed", "a", "B-2_x"] {
        let small: Vec<bool> = ids().map(|id| share(1000, seed).contains(id)).collect();
        let count = small.iter().filter(|it| **it).count();
        assert!((9_000..11_000).contains(&count), "{seed}: {count}");
        let nested = ids().zip(&small).all(|(id, it)| !it || share(2000, seed).contains(id));
        assert!(nested);
        assert!(ids().all(|id| share(10_000, seed).contains(id)));
    }
    // Two seeds are independent: about 1% are in both of two shares of 10%.
    let both = ids().filter(|id| share(1000, "a").contains(*id) && share(1000, "b").contains(*id));
    let both = both.count();
    assert!((700..1_300).contains(&both), "{both}");
}

#[test]
fn bots_and_terms_are_found_anywhere_in_a_filter() {
    assert!(parsed("lang:de (a or -bot)").names_bots() && !parsed("a \"bot\"").names_bots());
    assert_eq!(parsed("lang:de (a or b) -(c bot)").terms().count(), 5);
}

#[test]
fn segments_are_replaced_by_their_filters_and_bots_are_left_out() {
    let name = |text: &str| text.parse::<LabelName>().unwrap();
    let segments = [
        ("de", "lang:de"),
        ("old", "-segment:de days>=9 or bot"),
        ("loop", "segment:again"),
        ("again", "-segment:loop"),
    ];
    let segments = segments.map(|(label, text)| (name(label), parsed(text))).into();
    let selected = |text: &str| {
        Selection::new(&parsed(text), &segments, chrono_tz::Tz::UTC, chrono::DateTime::UNIX_EPOCH)
    };
    let text = |text: &str| selected(text).unwrap().node().to_string();
    assert_eq!(text(""), "-bot");
    assert_eq!(text("a or b"), "(a or b) -bot");
    assert_eq!(text("a -bot"), "a -bot");
    assert_eq!(text("segment:de,old"), "(lang:de -bot or -(lang:de -bot) days>=9 or bot) -bot");
    assert_eq!(selected("-segment:gone"), Err(SelectionError::UnknownSegment(name("gone"))));
    assert_eq!(selected("segment:loop"), Err(SelectionError::Cycle(name("loop"))));
    let names = vec!["de"; 1000].join(",");
    assert_eq!(selected(&format!("segment:{names}")), Err(SelectionError::TooLarge));
    let values = vec!["a*"; 1000].join(",");
    assert_eq!(selected(&format!("source:{values}")), Err(SelectionError::TooLarge));
    let mut doubled: std::collections::BTreeMap<_, _> = [(name("s0"), parsed("a b c d"))].into();
    for level in 1..20 {
        let below = vec![format!("segment:s{}", level - 1); 4].join(" or ");
        doubled.insert(name(&format!("s{level}")), parsed(&below));
    }
    let deep = parsed("segment:s19");
    let zone = chrono_tz::Tz::UTC;
    let selection = Selection::new(&deep, &doubled, zone, chrono::DateTime::UNIX_EPOCH);
    assert_eq!(selection, Err(SelectionError::TooLarge));
}

#[test]
fn days_are_those_of_the_time_zone() {
    let at = |text: &str| text.parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let zone = chrono_tz::Tz::Europe__Berlin;
    let late = at("2026-11-27T23:30:00Z");
    let filter = parsed("joined<1d");
    let selection = Selection::new(&filter, &[].into(), zone, late).unwrap();
    let range = DayRange::YoungerThan(1);
    assert_eq!(selection.moments(range), (Some(at("2026-11-27T23:00:00Z")), None));
    let day = "2026-11-27".parse().unwrap();
    assert_eq!(
        selection.moments(DayRange::Between(day, day)),
        (Some(at("2026-11-26T23:00:00Z")), Some(at("2026-11-27T23:00:00Z")))
    );
}

#[test]
fn the_summary_of_a_filter_has_no_names() {
    assert_eq!(parsed("").summary(), "all users");
    let filter = parsed("lang:de -(lovelace or @ada* or name:\"ada l\") id:1");
    assert_eq!(filter.summary(), "lang:de -(name:\"…\" or name:\"…\" or name:\"…\") id:1");
}

#[test]
fn each_example_of_a_field_is_a_filter() {
    for field in FIELDS {
        assert_eq!(parsed(field.example).to_string(), field.example);
    }
}

#[test]
fn a_filter_has_the_parts_that_each_user_must_meet() {
    let texts = |text: &str| -> Vec<String> {
        parsed(text).parts().iter().map(Node::text_among_others).collect()
    };
    assert_eq!(texts(""), Vec::<String>::new());
    assert_eq!(texts("lang:de"), ["lang:de"]);
    assert_eq!(texts("lang:de and (reachable -bot)"), ["lang:de", "reachable", "-bot"]);
    assert_eq!(texts("a (b or c) -(d e)"), ["a", "(b or c)", "-(d e)"]);
    assert_eq!(texts("a b or c"), ["(a b or c)"]);
    let filter = parsed("lang:de (a or b) seen<7d");
    assert_eq!(filter.without_part(0).to_string(), "(a or b) seen<7d");
    assert_eq!(filter.without_part(0).without_part(1).to_string(), "a or b");
    assert_eq!(filter.without_part(3), filter);
    assert!(parsed("a or b").without_part(0).is_everyone());
}

#[test]
fn people_and_bots_are_no_condition() {
    for (text, conditions) in [
        ("bot or -bot", &[][..]),
        ("(-bot or bot) lang:de", &["lang:de"]),
        ("lang:de", &["lang:de", "-bot"]),
        ("-(bot or -bot)", &["-(bot or -bot)"]),
        ("bot or -bot or lang:de", &["bot or -bot or lang:de"]),
    ] {
        let (zone, now) = (chrono_tz::Tz::UTC, chrono::DateTime::UNIX_EPOCH);
        let selection = Selection::new(&parsed(text), &[].into(), zone, now).unwrap();
        let texts: Vec<String> = selection.conditions().iter().map(Node::to_string).collect();
        assert_eq!(texts, conditions, "{text}");
    }
}

#[test]
fn in_quotes_a_value_is_itself() {
    for value in ["de or bot", "\"", "\\", "a\" or bot \"", "x*", "a,b", "-", "("] {
        let filter = parsed(&format!("lang:{}", quoted_in_filter(value)));
        assert_eq!(filter, Filter::with(Term::Language(vec![Pattern::exactly(value)])), "{value}");
    }
}

fn pattern(text: &'static str) -> impl Strategy<Value = Pattern> {
    (text, any_bool()).prop_map(|(text, is_beginning)| Pattern { text, is_beginning })
}

fn any_bool() -> impl Strategy<Value = bool> {
    prop::bool::ANY
}

fn some<T: std::fmt::Debug>(one: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    prop::collection::vec(one, 1..4)
}

fn names() -> impl Strategy<Value = Vec<LabelName>> {
    some("[a-z0-9_-]{1,32}".prop_map(|name| name.parse().unwrap()))
}

fn day() -> impl Strategy<Value = chrono::NaiveDate> {
    (0_i64..3_000_000).prop_map(|day| {
        chrono::NaiveDate::from_ymd_opt(1, 1, 1).unwrap() + chrono::TimeDelta::days(day)
    })
}

fn days() -> impl Strategy<Value = DayRange> {
    prop_oneof![
        (day(), day()).prop_map(|(a, b)| DayRange::Between(a.min(b), a.max(b))),
        day().prop_map(DayRange::Before),
        day().prop_map(DayRange::Until),
        day().prop_map(DayRange::After),
        day().prop_map(DayRange::Since),
        (0_u32..=36_500).prop_map(DayRange::YoungerThan),
        (0_u32..=36_500).prop_map(DayRange::NotOlderThan),
        (0_u32..=36_500).prop_map(DayRange::OlderThan),
        (0_u32..=36_500).prop_map(DayRange::NotYoungerThan),
    ]
}

fn numbers() -> impl Strategy<Value = NumberRange> {
    (any_number(), any_number())
        .prop_map(|(a, b)| NumberRange { least: a.min(b), greatest: a.max(b) })
}

fn any_number() -> impl Strategy<Value = u32> {
    prop_oneof![0_u32..10, proptest::num::u32::ANY, Just(u32::MAX)]
}

fn search() -> impl Strategy<Value = SearchTerm> {
    let text = prop_oneof![".{1,20}", "[-@a-z\"\\\\():<>=,* ]{1,10}", "(?i)(or|and|not|bot)"];
    text.prop_filter_map("nothing to search for", |text| crate::read_search(&text).ok())
}

fn used() -> impl Strategy<Value = Use> {
    "/?[a-z0-9_]{1,32}".prop_map(|text| Use::new(&text).unwrap())
}

fn term() -> impl Strategy<Value = Term> {
    let payload = || pattern("[A-Za-z0-9_-]{1,64}");
    let language = prop_oneof![pattern("[a-z-]{1,35}"), pattern(".{1,10}")];
    let language = language.prop_filter("text", |it| !it.text.contains(['\0', '\u{fffd}']));
    let zone = prop::sample::select(vec![
        Pattern::exactly("Europe/Berlin"),
        Pattern::beginning("America/"),
        Pattern::beginning(""),
    ]);
    let simple = prop::sample::select(vec![
        Term::Reachable,
        Term::Blocked,
        Term::Bot,
        Term::Note,
        Term::BotLanguage(vec![Language::German, Language::English]),
        Term::Team(vec!["TOR".to_owned(), "VGK".to_owned()]),
    ]);
    let field = prop::sample::select(DayField::ALL.to_vec());
    let id = (1_i64..1 << 52).prop_map(|id| TelegramId::try_from(id).unwrap());
    let of_broadcast = (1..=i64::MAX, prop::sample::select(RecipientState::ALL.to_vec()))
        .prop_map(|(broadcast, state)| OfBroadcast { broadcast, state });
    let share = (1_u16..=10_000, "[A-Za-z0-9_-]{1,32}")
        .prop_map(|(parts, seed)| Share::new(parts, &seed).unwrap());
    prop_oneof![
        simple,
        some(language).prop_map(Term::Language),
        some(payload()).prop_map(Term::Source),
        some(payload()).prop_map(Term::Started),
        names().prop_map(Term::Tag),
        names().prop_map(Term::Group),
        names().prop_map(Term::Segment),
        (field, days()).prop_map(|(field, days)| Term::Day(field, days)),
        numbers().prop_map(Term::ActiveDays),
        some(used()).prop_map(Term::Used),
        (used(), days()).prop_map(|(name, days)| Term::UsedOn(name, days)),
        (used(), numbers()).prop_map(|(name, days)| Term::UsedDays(name, days)),
        some(of_broadcast).prop_map(Term::Broadcast),
        some(1..=i64::MAX).prop_map(Term::Pressed),
        names().prop_map(Term::OptedOut),
        names().prop_map(Term::Capped),
        some(zone).prop_map(Term::Zone),
        search().prop_map(Term::Name),
        search().prop_map(Term::Search),
        pattern("[A-Za-z0-9_]{1,32}").prop_map(Term::Username),
        some(id).prop_map(Term::Id),
        share.prop_map(Term::Random),
    ]
}

fn filter() -> impl Strategy<Value = Filter> {
    let node = term().prop_map(Node::Term).prop_recursive(4, 24, 4, |part| {
        prop_oneof![
            prop::collection::vec(part.clone(), 1..4).prop_map(all),
            prop::collection::vec(part.clone(), 1..4).prop_map(any),
            part.prop_map(negated),
        ]
    });
    node.prop_map(Filter)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(2000)))]

    #[test]
    fn a_printed_filter_parses_to_an_equal_one(filter in filter()) {
        let text = filter.to_string();
        prop_assume!(text.len() <= MAX_FILTER_BYTES);
        let again: Filter = text.parse().map_err(|error| {
            TestCaseError::fail(format!("{text:?}: {error}"))
        })?;
        prop_assert_eq!(&again, &filter, "{}", text);
        prop_assert_eq!(again.to_string(), text);
    }

    #[test]
    fn the_parts_of_a_filter_are_the_filter(filter in filter(), place in 0_usize..6) {
        let texts: Vec<String> = filter.parts().iter().map(Node::text_among_others).collect();
        let text = texts.join(" ");
        prop_assume!(text.len() <= MAX_FILTER_BYTES);
        prop_assert_eq!(text.parse::<Filter>(), Ok(filter.clone()), "{}", text);
        let mut others = texts;
        if place < others.len() {
            others.remove(place);
        }
        let others: Filter = others.join(" ").parse().unwrap();
        prop_assert_eq!(filter.without_part(place), others, "{}", text);
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in "[-a-z0-9()\"\\\\:<>=,.*@% ]{0,80}|.{0,40}") {
        if let Ok(filter) = text.parse::<Filter>() {
            let canonical = filter.to_string();
            prop_assert_eq!(canonical.parse::<Filter>(), Ok(filter), "{}", canonical);
        }
    }
}
