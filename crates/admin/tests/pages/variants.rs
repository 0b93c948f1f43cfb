//! Broadcasts with several messages.

use rollcall_domain::{Arm, BroadcastContent, BroadcastState, RecipientState};
use rollcall_service::BroadcastChange;
use rollcall_testkit::ThrowAwayDatabase;

use super::{
    broadcasts::{send_until, site},
    compose::{NEW, submit},
    *,
};

/// A right form with two variants and a test.
const FIELDS: [(&str, &str); 9] = [
    ("name", "Sale"),
    ("text", "Our <b>sale</b> begins!"),
    ("buttons", "Shop = /start sale"),
    ("text_b", "Save 20%,\r\n{first_name}"),
    ("buttons_b", ""),
    ("winner", "presses"),
    ("test_part", "50"),
    ("after", "90"),
    ("unit", "minutes"),
];

fn with(change: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    let kept = FIELDS.into_iter().filter(|(name, _)| change.iter().all(|(it, _)| it != name));
    kept.chain(change.iter().copied()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn variants_are_written_seen_and_copied() {
    let site = site(ThrowAwayDatabase::sqlite(), 3).await;
    let token = site.sign_in(Role::Owner).await;
    let form = site.get(NEW, &token).await.main();
    assert!(form.contains("Add a variant") && !form.contains("text_b"), "{form}");
    let more = submit(&site, &token, &[("do", "variant"), ("text", "Hi")]).await.main();
    assert!(more.contains("<legend>Variant B</legend>"), "{more}");
    let seen = submit(&site, &token, &with(&[("do", "preview")])).await.main();
    for part in [
        "<h3>Variant A</h3>",
        "Our <b>sale</b> begins!",
        "<h3>Variant B</h3>",
        "Save 20%,\n&lt;Person&gt; ",
    ] {
        assert!(seen.contains(part), "{part}: {seen}");
    }
    assert!(!seen.contains("<p class=\"wrong\">"), "{seen}");

    submit(&site, &token, &with(&[("do", "save")])).await;
    let stored = site.broadcasts.list(None, 1).await.unwrap().remove(0).0;
    let experiment = &stored.plan.experiment;
    let test = experiment.test.unwrap();
    assert_eq!((test.part.to_string().as_str(), test.by.name()), ("50%", "presses"));
    assert_eq!(test.after.num_minutes(), 90);
    let texts = [(String::new(), "Save 20%,\n{first_name}".to_owned())].into();
    let buttons = "Shop = /start sale".to_owned();
    assert_eq!(experiment.others, [BroadcastContent::Text { texts, buttons, picture: None }]);
    let sentence = "50% of the recipients test the variants. The one with the most presses wins 1 h \
                    30 min after the last of their messages";
    for page in ["", "/start"] {
        let page = site.get(&format!("/admin/broadcasts/{}{page}", stored.id), &token).await.main();
        assert!(page.contains(sentence) && page.contains("<h3>Variant B</h3>"), "{page}");
    }
    let copy = site.get(&format!("{NEW}?copy={}", stored.id), &token).await.main();
    for part in ["Save 20%,\n{first_name}", "value=\"90\"", "<option selected>minutes"] {
        assert!(copy.contains(part), "{part}: {copy}");
    }
    // An empty variant is left out, and the test needs a second one.
    let refused = submit(&site, &token, &with(&[("do", "save"), ("text_b", "")])).await;
    assert_eq!(refused.status, 400);
    assert!(refused.main().contains("A test needs at least two variants."));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_variant_is_shown_at_its_field() {
    let site = site(ThrowAwayDatabase::sqlite(), 3).await;
    let token = site.sign_in(Role::Owner).await;
    for (field, typed, id, message) in [
        ("text_b", "<b>x", "text_b0", "&#60;b&#62; is not closed"),
        ("buttons_b", "Shop", "buttons_b", "line 1"),
        ("buttons", "Shop = https://example.org", "winner", "variant A has no button"),
        ("winner", "clicks", "winner", "Choose one of these."),
        ("test_part", "51", "test_part", "from 1% to 50%."),
        ("after", "0", "after", "Expected a number from 1 to 1000."),
        ("after", "1000", "after", "shorter than the time limit"),
    ] {
        let mut fields = with(&[("do", "save"), (field, typed)]);
        if typed == "1000" {
            fields.retain(|(name, _)| *name != "unit");
            fields.push(("unit", "hours"));
        }
        let refused = submit(&site, &token, &fields).await;
        assert_eq!(refused.status, 400, "{field}={typed}");
        let refused = refused.main();
        let place = refused.find(&format!("id=\"{id}-wrong\"")).unwrap();
        let wrong: String = refused[place..].chars().take(300).collect();
        assert!(wrong.to_lowercase().contains(&message.to_lowercase()), "{field}: {wrong}");
    }
    assert!(site.broadcasts.list(None, 1).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_picks_the_winner_and_sees_what_became_of_each() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let site = site(database, 40).await;
        let token = site.sign_in(Role::Owner).await;
        submit(&site, &token, &with(&[("do", "save")])).await;
        let id = site.broadcasts.list(None, 1).await.unwrap().remove(0).0.id;
        let (path, pick) =
            (format!("/admin/broadcasts/{id}"), format!("/admin/broadcasts/{id}/pick"));
        let draft = site.get(&path, &token).await.main();
        assert!(!draft.contains("Pick the winner"), "{draft}");
        let early = site.post(&pick, &token, "variant=B").await;
        assert!(early.main().contains("a winner is picked while it is being sent"));

        site.broadcasts.change(id, BroadcastChange::Start, None).await.unwrap();
        send_until(&site, id, |it| it.tested_at.is_some()).await;
        let testing = site.get(&path, &token).await.main();
        assert!(testing.contains("value=\"B\">Variant B</button>"), "{testing}");
        assert!(testing.contains("the others wait."), "{testing}");
        for variant in ["C", "x", ""] {
            let wrong = site.post(&pick, &token, &format!("variant={variant}")).await;
            assert!(wrong.status.is_client_error(), "{variant}: {}", wrong.status);
        }
        let viewer = site.sign_in(Role::Viewer).await;
        assert_eq!(site.post(&pick, &viewer, "variant=B").await.status, 403);
        assert!(!site.get(&path, &viewer).await.main().contains("Pick the winner"));
        let picked = site.post(&pick, &token, "variant=B").await;
        assert_eq!(picked.location(), format!("{path}?done=pick"));
        send_until(&site, id, |it| it.state == BroadcastState::Finished).await;

        let page = site.get(&path, &token).await.main();
        assert!(page.contains("The winner is B (an owner picked it)"), "{page}");
        assert!(!page.contains("Pick the winner"), "{page}");
        let arms = site.broadcasts.arm_sums(id).await.unwrap();
        let rest = arms.of(Arm::Winner, RecipientState::Sent);
        assert!(rest > 0, "{arms:?}");
        let row = format!("<th scope=\"row\">Winner: B</th><td class=\"number\">{rest}</td>");
        assert!(page.contains(&row), "{row}: {page}");
        let twice = site.post(&pick, &token, "variant=A").await.main();
        assert!(twice.contains("is decided: it is B"), "{twice}");
    }
}
