//! Which user did what, and when.

use super::*;

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
fn an_unknown_kind_is_recognised_by_its_shape() {
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
fn updates_without_an_actor_register_no_user() {
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
fn text_commands_and_other_messages_are_distinguished() {
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
fn the_time_is_that_of_the_update_or_the_second_of_receipt() {
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
fn an_invalid_part_becomes_the_fault_and_the_rest_is_used() {
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
fn an_update_without_a_number_registers_no_user() {
    let update = read_value(&json!({"update_id": "x", "message": {"from": ada()}}));
    assert_eq!(update.update_id, None);
    assert_eq!(update.fault.as_deref(), Some("it has no update_id"));
    assert_eq!(update.interaction, None);
    assert!(read_text("[]").fault.is_some());
    assert!(read_text("").fault.is_some());
}

#[test]
fn the_user_who_stops_an_answer_is_the_one_of_the_private_chat() {
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
