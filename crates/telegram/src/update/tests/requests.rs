//! Commands, button presses, migrations and other events.

use super::*;

#[test]
fn a_command_has_the_place_of_its_message() {
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
fn a_text_has_the_place_of_its_message() {
    let chat = json!({"id": 1815, "type": "private", "first_name": "Ada"});
    let read = |kind: &str, rest: Value| {
        let mut message = json!({"message_id": 1, "date": 1, "from": ada(), "chat": chat});
        message.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        let update = read_kind(kind, message);
        assert!(update.interaction.is_some());
        assert_eq!(update.fault, None);
        update.text.map(|it| (it.text, it.chat.id, it.from.chat_id, it.from.topic))
    };
    let text = |topic| Some(("Hi".to_owned(), 1815, 1815, topic));
    assert_eq!(read("message", json!({"text": "Hi"})), text(None));
    let thread = json!({"text": "Hi", "message_thread_id": 7, "is_topic_message": true});
    assert_eq!(read("message", thread), text(Some(Topic::Thread(7))));
    // It is not known whether the text will be answered, so this is no fault.
    let odd = json!({"text": "Hi", "message_thread_id": "x", "is_topic_message": true});
    assert_eq!(read("message", odd), text(None));
    assert_eq!(read("message", json!({"text": "/help"})), None);
    assert_eq!(read("message", json!({"photo": []})), None);
    assert_eq!(read("edited_message", json!({"text": "Hi", "edit_date": 2})), None);
}

#[test]
fn a_command_is_read_once_for_all_its_uses() {
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
        undelivered: false,
        payload: json!({"update_id": 7, "message": {
            "from": ada(), "chat": {"id": 1815, "type": "private"}, "text": text
        }})
        .to_string(),
    };
    let meaning = |text: &str| {
        let interaction = reread(&quarantined(text), COMMANDS, &button_family).interaction.unwrap();
        (interaction.command, interaction.event)
    };
    let start = Some(Event::Start("ad_1".parse().unwrap()));
    assert_eq!(meaning("/START  ad_1"), (Some("start"), start));
    assert_eq!(meaning("/start@our_bot ad_1"), (None, None));
    assert_eq!(meaning("/start@other_bot ad_1"), (None, None));
}

#[test]
fn a_deep_link_of_a_broadcast_names_its_button_and_keeps_its_payload() {
    let read = |text: &str, chat: i64, kind: &str| {
        let chat = json!({"id": chat, "type": kind});
        let update =
            read_kind("message", json!({"from": ada(), "chat": chat, "date": 1, "text": text}));
        let interaction = update.interaction.unwrap();
        let command = update.command.unwrap().command.argument;
        (interaction.event, interaction.pressed, command)
    };
    let start = |payload: &str| Some(Event::Start(payload.parse().unwrap()));
    let button = |broadcast, button| Some(BroadcastButton { broadcast, button });
    let private = |text: &str| read(text, 1815, "private");
    assert_eq!(private("/start ad--b12_3"), (start("ad"), button(12, 3), "ad".to_owned()));
    assert_eq!(private("/start ad_1"), (start("ad_1"), None, "ad_1".to_owned()));
    for odd in ["ad--b12", "ad--b0_1", "ad--b12_3x"] {
        assert_eq!(private(&format!("/start {odd}")), (start(odd), None, odd.to_owned()));
    }
    let no_payload = "a b--b12_3";
    assert_eq!(private(&format!("/start {no_payload}")), (None, None, no_payload.to_owned()));
    let in_group = read("/start ad--b12_3", -5, "group");
    assert_eq!(in_group, (None, None, "ad--b12_3".to_owned()));
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
fn the_family_of_a_known_button_is_noted() {
    let button = |content: Value| {
        let mut query = json!({"id": "77", "from": ada()});
        query.as_object_mut().unwrap().extend(content.as_object().unwrap().clone());
        read_kind("callback_query", query).interaction.unwrap().used()
    };
    let settings = Some(Used::Button("settings"));
    assert_eq!(button(json!({"data": "p/lang"})), settings);
    assert_eq!(button(json!({"data": "p/lang", "id": null})), settings);
    for content in
        [json!({"data": "q/lang"}), json!({"data": "settings"}), json!({"data": 7}), json!({})]
    {
        assert_eq!(button(content.clone()), None, "{content}");
    }
    // A command with the same text is no button.
    let text = json!({"from": ada(), "chat": {"id": 1815, "type": "private"}, "text": "/start"});
    let used = read_kind("message", text).interaction.unwrap().used();
    assert_eq!(used, Some(Used::Command("start")));
}

#[test]
fn a_button_press_has_the_message_of_the_button() {
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
    let expected = |data: Option<&str>, message| ButtonPress {
        id: "77".to_owned(),
        data: data.map(str::to_owned),
        message,
        text: None,
        buttons: None,
    };
    let update = press(json!({"data": "1/p", "message": message}));
    assert_eq!(update.press, Some(expected(Some("1/p"), Some(at(31, None)))));
    assert_eq!(update.fault, None);
    let mut with_text = message.clone();
    with_text["text"] = json!("lang:de\nUsers");
    let text = press(json!({"data": "1/p", "message": with_text}));
    assert_eq!(text.press.unwrap().text.as_deref(), Some("lang:de\nUsers"));
    with_text["text"] = json!(7);
    let odd = press(json!({"data": "1/p", "message": with_text}));
    assert_eq!(odd.press, Some(expected(Some("1/p"), Some(at(31, None)))));
    assert_eq!(odd.fault, None);
    // The buttons stay as Telegram shows them.
    let mut with_buttons = message.clone();
    with_buttons["reply_markup"] = json!({"inline_keyboard": [[{"text": "A", "later": 1}]]});
    let buttons = press(json!({"data": "1/p", "message": with_buttons})).press.unwrap().buttons;
    let buttons: Value = serde_json::from_str(&buttons.unwrap()).unwrap();
    assert_eq!(buttons, with_buttons["reply_markup"]);
    // In a topic, and with numbers that are long.
    let mut in_topic = message.clone();
    in_topic["message_id"] = json!(1_i64 << 40);
    in_topic["message_thread_id"] = json!(1_i64 << 41);
    in_topic["is_topic_message"] = json!(true);
    let thread = press(json!({"data": "1/p", "message": in_topic}));
    assert_eq!(
        thread.press,
        Some(expected(Some("1/p"), Some(at(1 << 40, Some(Topic::Thread(1 << 41))))))
    );
    let mut direct = message.clone();
    direct["direct_messages_topic"] = json!({"topic_id": 1_i64 << 41});
    let direct = press(json!({"data": "1/p", "message": direct}));
    let topic = Some(Topic::DirectMessages(1 << 41));
    assert_eq!(direct.press, Some(expected(Some("1/p"), Some(at(31, topic)))));
    // Below a message of inline mode, of a game, and of somebody's business.
    let inline = press(json!({"data": "1/p", "inline_message_id": "x"}));
    assert_eq!(inline.press, Some(expected(Some("1/p"), None)));
    let game = press(json!({"game_short_name": "x", "message": message}));
    assert_eq!(game.press, Some(expected(None, Some(at(31, None)))));
    let mut of_business = message.clone();
    of_business["business_connection_id"] = json!("x");
    let business = press(json!({"data": "1/p", "message": of_business}));
    assert_eq!(business.press, Some(expected(Some("1/p"), None)));
    // An invalid field becomes the fault, and the press is read nevertheless.
    let odd = press(json!({"data": 7, "message": {"message_id": "x", "chat": {"id": 1815}}}));
    assert_eq!(odd.press, Some(expected(None, None)));
    assert!(odd.fault.is_some());
    assert_eq!(read_kind("message", json!({"id": "77", "from": ada()})).press, None);
}

#[test]
fn blocking_and_deep_links_are_events() {
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
