use proptest::prelude::*;
use serde_json::{Value, json};

use super::{kinds::KINDS, *};

const RECEIVED: &str = "2026-11-23T12:00:00.5Z";

fn our_name() -> Username {
    "our_bot".parse().unwrap()
}

const COMMANDS: &[&str] = &["start", "help"];

fn read_text(json: &str) -> Update<'_> {
    read(json, RECEIVED.parse().unwrap(), Some(&our_name()), COMMANDS)
}

/// Reads an update; its text lives as long as the tests.
fn read_value(update: &Value) -> Update<'static> {
    read_text(update.to_string().leak())
}

/// Reads an update of one kind.
fn read_kind(kind: &str, content: Value) -> Update<'static> {
    read_value(&json!({"update_id": 7, kind: content}))
}

fn ada() -> Value {
    json!({
        "id": 1815, "is_bot": false, "first_name": "Ada", "last_name": "Lovelace",
        "username": "ada", "language_code": "en", "is_premium": true
    })
}

fn whole_profile() -> Profile {
    Profile::new(1815.try_into().unwrap(), "Ada")
        .last_name("Lovelace")
        .username("ada")
        .language_code("en")
}

#[test]
fn every_kind_registers_its_actor() {
    for (kind, expected) in KINDS {
        let content = match *kind {
            "chat_boost" => json!({"boost": {"source": {"user": ada()}}}),
            "removed_chat_boost" => json!({"source": {"user": ada()}}),
            "stopped_message_generation" => {
                let mut chat = ada();
                chat["type"] = json!("private");
                json!({"chat": chat, "draft_id": 1})
            }
            "poll_answer" | "message_reaction" | "business_connection" | "managed_bot" => {
                json!({"user": ada()})
            }
            _ => json!({"from": ada()}),
        };
        let update = read_kind(kind, content);
        let interaction = update.interaction.unwrap_or_else(|| panic!("{kind}"));
        assert_eq!(interaction.profile, whole_profile(), "{kind}");
        assert_eq!(interaction.kind, *expected, "{kind}");
        assert_eq!(interaction.update_id, Some(7), "{kind}");
        assert_eq!(update.fault, None, "{kind}");
    }
}

#[test]
fn a_kind_that_nobody_knows_yet_is_recognised_by_its_shape() {
    for content in [
        json!({"from": ada()}),
        json!({"user": ada(), "novelty": [1, 2]}),
        json!({"boost": {"source": {"source": "premium", "user": ada()}}}),
        json!({"source": {"user": ada()}}),
    ] {
        let interaction = read_kind("telepathy", content).interaction.unwrap();
        assert_eq!(interaction.kind, InteractionKind::Other);
        assert_eq!(interaction.telegram_id().get(), 1815);
    }
}

#[test]
fn nobody_is_registered_for_what_nobody_did() {
    for (kind, content) in [
        ("channel_post", json!({"from": ada(), "text": "x"})),
        ("edited_channel_post", json!({"from": ada()})),
        ("poll", json!({"id": "1"})),
        ("message_reaction_count", json!({"chat": {"id": -1, "type": "channel"}})),
        ("message", json!({"from": ada(), "sender_chat": {"id": -1, "type": "channel"}})),
        ("message", json!({"from": {"id": 777000, "first_name": "Telegram"}})),
        ("message", json!({"from": {"id": 1087968824, "first_name": "Group"}})),
        ("poll_answer", json!({"user": {"id": 136817688, "first_name": "Channel"}})),
        ("poll_answer", json!({"voter_chat": {"id": -1, "type": "channel"}})),
        ("deleted_business_messages", json!({"chat": {"id": 1, "type": "private"}})),
        ("deleted_business_messages", json!({"from": ada(), "message_ids": [1]})),
        ("stopped_message_generation", json!({"chat": {"id": -1, "type": "group"}})),
        ("stopped_message_generation", json!({"draft_id": 1})),
        ("telepathy", json!({"chat": {"id": 1815, "type": "private", "first_name": "Ada"}})),
        (
            "telepathy",
            json!({"forward_origin": {"sender_user": ada()}, "new_chat_members": [ada()],
                   "reply_to_message": {"from": ada()}}),
        ),
    ] {
        let update = read_kind(kind, content);
        assert_eq!((update.interaction, update.fault), (None, None), "{kind}");
        assert_eq!(update.update_id, Some(7));
    }
}

#[test]
fn bots_register_as_bots() {
    let robot = json!({"id": 5, "is_bot": true, "first_name": "Robot"});
    let interaction = read_kind("message", json!({"from": robot})).interaction.unwrap();
    let expected = Profile::new(5.try_into().unwrap(), "Robot").is_bot(true);
    assert_eq!(interaction.profile, expected);
}

#[test]
fn messages_are_told_apart() {
    for (text, kind) in [
        (json!("/start x"), InteractionKind::Command),
        (json!("hello /start"), InteractionKind::Text),
        (json!(""), InteractionKind::Text),
        (Value::Null, InteractionKind::Message),
    ] {
        let interaction = read_kind("message", json!({"from": ada(), "text": text})).interaction;
        assert_eq!(interaction.unwrap().kind, kind);
    }
}

#[test]
fn the_time_is_the_updates_own_or_the_second_of_receipt() {
    let time = |kind, mut content: Value| {
        content["from"] = ada();
        read_kind(kind, content).interaction.unwrap().at.to_rfc3339()
    };
    let own = "2023-11-14T22:13:20+00:00";
    let receipt = "2026-11-23T12:00:00+00:00";
    assert_eq!(time("message", json!({"date": 1_700_000_000})), own);
    assert_eq!(time("edited_message", json!({"date": 1, "edit_date": 1_700_000_000})), own);
    assert_eq!(time("edited_message", json!({"date": 1})), receipt);
    assert_eq!(time("business_connection", json!({"date": 1})), receipt);
    assert_eq!(time("callback_query", json!({"message": {"date": 1}})), receipt);
    assert_eq!(time("inline_query", json!({})), receipt);
    assert_eq!(time("message", json!({"date": i64::MAX})), receipt);
}

#[test]
fn the_chat_is_known() {
    let chat = |kind, mut content: Value| {
        content["from"] = ada();
        read_kind(kind, content).interaction.unwrap().chat
    };
    let group = json!({"id": -5, "type": "supergroup", "title": "x"});
    let expected = Some(Chat { id: -5, kind: ChatKind::Supergroup });
    assert_eq!(chat("message", json!({"chat": group})), expected);
    assert_eq!(chat("callback_query", json!({"message": {"chat": group}})), expected);
    assert_eq!(chat("callback_query", json!({"inline_message_id": "x"})), None);
    let odd = json!({"id": 5, "type": "hologram"});
    assert_eq!(chat("message", json!({"chat": odd})), Some(Chat { id: 5, kind: ChatKind::Other }));
}

#[test]
fn what_is_odd_is_told_and_the_rest_is_used() {
    let known = |content: Value| {
        let update = read_kind("message", content);
        assert!(update.fault.is_some());
        update.interaction.map(|interaction| interaction.profile)
    };
    let id_alone = Some(Profile::of_id(1815.try_into().unwrap()));
    assert_eq!(known(json!({"from": {"id": 1815, "first_name": 5}})), id_alone);
    assert_eq!(known(json!({"from": {"id": "1815"}})), None);
    assert_eq!(known(json!({"from": {"id": -1}})), None);
    assert_eq!(known(json!({"from": "Ada"})), None);
    assert_eq!(known(json!({"from": ada(), "date": "today"})), Some(whole_profile()));
    assert_eq!(known(json!({"from": ada(), "text": ["x"]})), Some(whole_profile()));
    assert_eq!(known(json!({"from": ada(), "text": "/start", "date": 1})), Some(whole_profile()));
    let no_thread = json!({"from": ada(), "text": "/start", "chat": {"id": -5},
        "is_topic_message": true, "message_thread_id": "x"});
    assert_eq!(known(no_thread), Some(whole_profile()));
    assert_eq!(known(json!("garbage")), None);
    assert_eq!(known(json!([1])), None);

    // An id without a name is no fault: other servers of the Bot API are as brief.
    let brief = read_kind("message", json!({"from": {"id": 1815}}));
    assert_eq!((brief.interaction.map(|it| it.profile), brief.fault), (id_alone, None));
}

#[test]
fn an_update_without_a_number_is_passed_over() {
    let update = read_value(&json!({"update_id": "x", "message": {"from": ada()}}));
    assert_eq!(update.update_id, None);
    assert_eq!(update.fault.as_deref(), Some("it has no update_id"));
    assert_eq!(update.interaction, None);
    assert!(read_text("[]").fault.is_some());
    assert!(read_text("").fault.is_some());
}

#[test]
fn the_person_who_stops_an_answer_is_the_one_of_the_private_chat() {
    let chat = json!({"id": 1815, "type": "private", "first_name": "Ada", "username": "ada"});
    let stopped = json!({"chat": chat, "message_thread_id": 1_i64 << 33, "draft_id": 9});
    let update = read_kind("stopped_message_generation", stopped);
    let interaction = update.interaction.unwrap();
    // A chat has no language, so what is known of it stays.
    let expected = Profile::new(1815.try_into().unwrap(), "Ada").username("ada");
    assert_eq!(interaction.profile, expected);
    assert_eq!(interaction.kind, InteractionKind::StoppedMessageGeneration);
    assert_eq!(interaction.chat, Some(Chat { id: 1815, kind: ChatKind::Private }));
    assert_eq!((update.command, update.press, update.fault), (None, None, None));
}

#[test]
fn a_command_brings_the_place_that_its_message_is_in() {
    let place = |chat: Value, rest: Value| {
        let mut message = json!({"message_id": 1, "date": 1, "from": ada(), "text": "/help"});
        message["chat"] = chat;
        message.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        let update = read_kind("message", message);
        assert_eq!(update.fault, None);
        let CommandMessage { command, chat, from } = update.command.unwrap();
        assert_eq!((command.name, chat.id), ("help", from.chat_id));
        (from.chat_id, from.topic)
    };
    let private = json!({"id": 1815, "type": "private", "first_name": "Ada"});
    let forum = json!({"id": -5, "type": "supergroup", "is_forum": true});
    let direct = json!({"id": -6, "type": "supergroup", "is_direct_messages": true});
    let thread = |id: i64| json!({"message_thread_id": id, "is_topic_message": true});
    let large = 1 << 40;

    assert_eq!(place(private.clone(), json!({})), (1815, None));
    assert_eq!(place(private, thread(large)), (1815, Some(Topic::Thread(large))));
    assert_eq!(place(forum.clone(), thread(7)), (-5, Some(Topic::Thread(7))));
    // Replies have a thread too, in the general topic and where there are no topics.
    assert_eq!(place(forum, json!({"message_thread_id": 7})), (-5, None));
    let topic = json!({"direct_messages_topic": {"topic_id": large, "user": ada()}});
    assert_eq!(place(direct, topic), (-6, Some(Topic::DirectMessages(large))));
    let far = json!({"id": -(1_i64 << 51), "type": "supergroup"});
    assert_eq!(place(far, json!({})), (-(1 << 51), None));
}

#[test]
fn a_command_is_read_once_for_all_that_it_means() {
    let read = |text: &str, chat: &str| {
        let chat = json!({"id": 1815, "type": chat});
        read_kind("message", json!({"from": ada(), "chat": chat, "text": text}))
    };
    let ad = Command { name: "start", argument: "ad_1".to_owned() };
    for text in ["/start ad_1", "/Start ad_1", "/START  ad_1", "/start\tad_1", "/start\n\nad_1 "]
        .into_iter()
        .chain(["/start@our_bot ad_1", "/START@OUR_BOT\t ad_1"])
    {
        let update = read(text, "private");
        let interaction = update.interaction.unwrap();
        assert_eq!(update.command.map(|it| it.command), Some(ad.clone()), "{text:?}");
        assert_eq!(interaction.command, Some("start"), "{text:?}");
        assert_eq!(interaction.event, Some(Event::Start("ad_1".parse().unwrap())), "{text:?}");
        // In a group it is a command too, but no source.
        let update = read(text, "group");
        let interaction = update.interaction.unwrap();
        assert!(update.command.is_some());
        assert_eq!((interaction.command, interaction.event), (Some("start"), None), "{text:?}");
    }
    for text in ["/start@other_bot ad_1", "/start@@our_bot ad_1", "/start@ ad_1", "/x ad_1"] {
        let update = read(text, "private");
        let interaction = update.interaction.unwrap();
        assert_eq!(update.command, None, "{text}");
        assert_eq!((interaction.command, interaction.event), (None, None), "{text}");
        assert_eq!((interaction.kind, update.fault), (InteractionKind::Command, None), "{text}");
    }
}

#[test]
fn the_addressee_of_our_commands_is_noted() {
    let addressee = |text: &str| {
        let message = json!({"from": ada(), "chat": {"id": -5, "type": "group"}, "text": text});
        read_kind("message", message).addressee.map(Username::into_string)
    };
    assert_eq!(addressee("/help@other_bot").as_deref(), Some("other_bot"));
    assert_eq!(addressee("/help@our_bot").as_deref(), Some("our_bot"));
    for text in ["/help", "/x@other_bot", "/help@", "/help@not-a-name", "hi /help@other_bot"] {
        assert_eq!(addressee(text), None, "{text}");
    }
}

#[test]
fn without_a_known_name_an_addressed_command_is_not_ours() {
    let quarantined = |text: &str| QuarantinedUpdate {
        update_id: 7,
        received_at: RECEIVED.parse().unwrap(),
        reason: String::new(),
        registered: false,
        telegram_id: None,
        payload: json!({"update_id": 7, "message": {
            "from": ada(), "chat": {"id": 1815, "type": "private"}, "text": text
        }})
        .to_string(),
    };
    let meaning = |text: &str| {
        let interaction = reread(&quarantined(text), COMMANDS).interaction.unwrap();
        (interaction.command, interaction.event)
    };
    let start = Some(Event::Start("ad_1".parse().unwrap()));
    assert_eq!(meaning("/START  ad_1"), (Some("start"), start));
    assert_eq!(meaning("/start@our_bot ad_1"), (None, None));
    assert_eq!(meaning("/start@other_bot ad_1"), (None, None));
}

#[test]
fn a_group_that_became_a_supergroup_is_noted() {
    let read = |kind: &str, chat: i64, rest: Value| {
        let mut message = json!({"chat": {"id": chat, "type": "group"}, "date": 1});
        message.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        let update = read_kind(kind, message);
        (update.migration, update.interaction.is_some(), update.fault.is_some())
    };
    let expected = Some(Migration { from: -5, to: -1_001_234_567_890 });
    let there = json!({"from": ada(), "migrate_to_chat_id": -1_001_234_567_890_i64});
    assert_eq!(read("message", -5, there), (expected, true, false));
    // By an anonymous admin, who cannot be registered.
    let back = json!({"migrate_from_chat_id": -5, "sender_chat": {"id": -1_001_234_567_890_i64}});
    assert_eq!(read("message", -1_001_234_567_890, back), (expected, false, false));
    let odd = json!({"from": ada(), "migrate_to_chat_id": "x"});
    assert_eq!(read("message", -5, odd), (None, true, true));
    let edited = json!({"from": ada(), "migrate_to_chat_id": -1});
    assert_eq!(read("edited_message", -5, edited), (None, true, false));
    assert_eq!(read("message", -5, json!({"from": ada()})), (None, true, false));
}

#[test]
fn a_press_is_told_with_the_message_below_which_the_button_is() {
    let message = json!({"message_id": 31, "chat": {"id": 1815, "type": "private"}, "date": 0});
    let press = |content: Value| {
        let mut query = json!({"id": "77", "from": ada(), "chat_instance": "-1"});
        for (name, value) in content.as_object().unwrap() {
            query[name] = value.clone();
        }
        read_kind("callback_query", query)
    };
    let chat = Chat { id: 1815, kind: ChatKind::Private };
    let at = |message_id: i64, topic| {
        let destination = Destination { chat_id: chat.id, topic };
        (chat, MessagePlace { destination, message_id })
    };
    let told = |data: Option<&str>, message| ButtonPress {
        id: "77".to_owned(),
        data: data.map(str::to_owned),
        message,
    };
    let update = press(json!({"data": "1/p", "message": message}));
    assert_eq!(update.press, Some(told(Some("1/p"), Some(at(31, None)))));
    assert_eq!(update.fault, None);
    // In a topic, and with numbers that are long.
    let mut in_topic = message.clone();
    in_topic["message_id"] = json!(1_i64 << 40);
    in_topic["message_thread_id"] = json!(1_i64 << 41);
    in_topic["is_topic_message"] = json!(true);
    let thread = press(json!({"data": "1/p", "message": in_topic}));
    assert_eq!(
        thread.press,
        Some(told(Some("1/p"), Some(at(1 << 40, Some(Topic::Thread(1 << 41))))))
    );
    let mut direct = message.clone();
    direct["direct_messages_topic"] = json!({"topic_id": 1_i64 << 41});
    let direct = press(json!({"data": "1/p", "message": direct}));
    let topic = Some(Topic::DirectMessages(1 << 41));
    assert_eq!(direct.press, Some(told(Some("1/p"), Some(at(31, topic)))));
    // Below a message of inline mode, of a game, and of somebody's business.
    let inline = press(json!({"data": "1/p", "inline_message_id": "x"}));
    assert_eq!(inline.press, Some(told(Some("1/p"), None)));
    let game = press(json!({"game_short_name": "x", "message": message}));
    assert_eq!(game.press, Some(told(None, Some(at(31, None)))));
    let mut of_business = message.clone();
    of_business["business_connection_id"] = json!("x");
    let business = press(json!({"data": "1/p", "message": of_business}));
    assert_eq!(business.press, Some(told(Some("1/p"), None)));
    // What is odd is told, and the press is one all the same.
    let odd = press(json!({"data": 7, "message": {"message_id": "x", "chat": {"id": 1815}}}));
    assert_eq!(odd.press, Some(told(None, None)));
    assert!(odd.fault.is_some());
    assert_eq!(read_kind("message", json!({"id": "77", "from": ada()})).press, None);
}

#[test]
fn blocking_and_deep_links_are_told() {
    let event = |kind, chat_kind: &str, mut content: Value| {
        content["from"] = ada();
        content["chat"] = json!({"id": 1815, "type": chat_kind});
        read_kind(kind, content).interaction.unwrap().event
    };
    let member = |status: &str| json!({"new_chat_member": {"status": status}});
    assert_eq!(event("my_chat_member", "private", member("kicked")), Some(Event::Blocked));
    assert_eq!(event("my_chat_member", "private", member("member")), Some(Event::Unblocked));
    assert_eq!(event("my_chat_member", "group", member("kicked")), None);
    assert_eq!(event("chat_member", "private", member("kicked")), None);

    let start = |payload: &str| Some(Event::Start(payload.parse().unwrap()));
    let text = |text: &str| event("message", "private", json!({ "text": text }));
    assert_eq!(text("/start ad-1_X"), start("ad-1_X"));
    assert_eq!(text("/start@our_bot ad"), start("ad"));
    for plain in ["/start", "/start a b", "/start ü", "/started x", "/help x", "start x"] {
        assert_eq!(text(plain), None, "{plain}");
    }
    assert_eq!(event("message", "group", json!({"text": "/start x"})), None);
}

#[test]
fn a_time_that_cannot_be_is_none() {
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
fn a_text_that_was_cut_in_half_costs_nothing() {
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
fn other_fields_of_an_update_are_passed_over() {
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
fn what_is_asked_for_is_what_registers() {
    let asked = allowed_updates();
    assert_eq!(asked.len(), 22);
    assert!(NOBODYS.iter().all(|kind| !asked.contains(kind)));
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
            KINDS.iter().map(|(kind, _)| *kind).chain(["telepathy"]).collect::<Vec<_>>()
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
