//! Unusual fields, and any JSON at all.

use proptest::prelude::*;

use super::*;

#[test]
fn an_impossible_time_is_ignored() {
    let read = |date: Value| {
        let update = read_kind("message", json!({"date": date, "from": ada()}));
        let at = update.interaction.unwrap().at.timestamp();
        (update.is_dated, at, update.fault.is_some())
    };
    let received = RECEIVED.parse::<DateTime<Utc>>().unwrap().timestamp();
    for date in [1, received, received + 60, received + 86_400] {
        assert_eq!(read(json!(date)), (true, date, false));
    }
    for date in [0, -1, i64::MIN, received + 86_401, 1 << 32, 1 << 53, i64::MAX] {
        assert_eq!(read(json!(date)), (false, received, false), "{date}");
    }
    for date in [json!(1e300), json!(1.5), json!("now"), json!(u64::MAX)] {
        assert_eq!(read(date.clone()), (false, received, true), "{date}");
    }
}

#[test]
fn half_a_surrogate_pair_spoils_only_its_text() {
    let update = read_text(
        r#"{"update_id":7,"message":{"date":1,"from":{"id":1815,"first_name":"Ada \ud83d",
        "last_name":"\ude80\u0000","username":"ad\ud83da","language_code":"e\ud83dn"},
        "chat":{"id":1815,"type":"private"},"text":"/start \ud83d"}}"#,
    );
    assert_eq!(update.fault, None);
    let profile = Profile::new(1815.try_into().unwrap(), "Ada \u{fffd}")
        .last_name("\u{fffd}")
        .username("ad\u{fffd}a")
        .language_code("e\u{fffd}n");
    assert_eq!(update.interaction.unwrap().profile, profile);
    assert_eq!(update.command.unwrap().command.name, "start");
    let update = read_text(
        r#"{"update_id":7,"callback_query":{"id":"\ud83d","data":"\ud83d","from":{"id":5},
        "message":{"message_id":1,"chat":{"id":5,"type":"\ud83d"}}}}"#,
    );
    assert_eq!(update.fault, None);
    assert_eq!(update.press.unwrap().data.as_deref(), Some("\u{fffd}"));
    assert_eq!(update.interaction.unwrap().chat.unwrap().kind, ChatKind::Other);
}

#[test]
fn other_fields_of_an_update_are_ignored() {
    for known in [
        json!({"update_id": 1, "shard": 3, "message": {"from": ada()}}),
        json!({"update_id": 1, "shard": {"from": {"id": 2}}, "message": {"from": ada()}}),
        json!({"update_id": 1, "message": {"from": ada()}, "shard": {"from": {"id": 2}}}),
    ] {
        let update = read_value(&known);
        assert_eq!(update.interaction.unwrap().telegram_id().get(), 1815);
        assert_eq!(update.fault, None);
    }
}

#[test]
fn only_kinds_with_a_user_are_asked_for() {
    let asked = serde_json::to_value(allowed_updates()).unwrap();
    let asked: Vec<&str> = asked.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(asked.len(), 22);
    assert!(ACTORLESS_KINDS.iter().all(|kind| !asked.contains(kind)));
}

fn any_json() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        "[a-z_]{1,8}",
        prop::sample::select(vec![
            "from",
            "user",
            "id",
            "boost",
            "source",
            "date",
            "chat",
            "text",
            "message",
            "type",
            "first_name",
            "sender_chat",
        ])
        .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6)
                .prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_with_an_update_id_moves_on(
        kind in prop::sample::select(
            KINDS.iter().map(|(kind, ..)| *kind).chain(["telepathy"]).collect::<Vec<_>>()
        ),
        content in any_json(),
        update_id in 1..i64::from(u32::MAX),
    ) {
        let update = read_value(&json!({"update_id": update_id, kind: content}));
        prop_assert_eq!(update.update_id, Some(update_id));
    }

    #[test]
    fn odd_names_hide_no_id(
        names in prop::collection::vec(r#"(\\u[0-9a-f]{4}|\\[nt"]|[a-z]){0,4}"#, 0..4),
        update_id in 1..i64::from(u32::MAX),
    ) {
        let fields: String = names.iter().map(|name| format!("\"{name}\":{{}},")).collect();
        let json = format!("{{{fields}\"update_id\":{update_id}}}");
        prop_assert_eq!(read_text(&json).update_id, Some(update_id));
    }

    #[test]
    fn no_text_is_too_odd(text in any::<String>()) {
        read_text(&text);
    }
}
