//! Signing in and out.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_leads_to_the_requested_page() {
    let site = Site::with_people(3).await;
    let wanted = site.request(&Method::GET, "/admin/users?q=%D0%96&reach=blocked", None, "").await;
    let page = site.request(&Method::GET, &wanted.location(), None, "").await;
    assert!(page.body.contains(r#"name="next" value="/admin/users?q=%D0%96&#38;reach=blocked""#));

    let form = |password: &str, next: &str| format!("name=owner&password={password}&next={next}");
    let sign_in = "/admin/sign-in";
    let wrong = site.request(&Method::POST, sign_in, None, &form("wrong", "/admin/audit")).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert!(wrong.body.contains("The name or password is wrong."));
    assert!(wrong.body.contains(r#"value="/admin/audit""#), "the wanted page is kept");
    assert!(!wrong.body.contains("wrong\""), "the password is not");

    let right = site.request(&Method::POST, sign_in, None, &form(PASSWORD, "/admin/audit")).await;
    assert_eq!((right.status, right.location().as_str()), (StatusCode::SEE_OTHER, "/admin/audit"));
    let elsewhere = form(PASSWORD, "//evil.example/admin");
    let right = site.request(&Method::POST, sign_in, None, &elsewhere).await;
    assert_eq!(right.location(), "/admin");
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_slowed_down_by_account_and_address() {
    let site = Site::with_people(1).await;
    let guess = async |name: &str, address: &str| {
        let form = format!("name={name}&password=guess");
        let headers = [("x-forwarded-for", address)];
        let post = Method::POST;
        site.request_with(&post, "/admin/sign-in", None, &form, &headers).await
    };
    for _ in 0..5 {
        assert_eq!(guess("owner", "198.51.100.1").await.status, StatusCode::UNAUTHORIZED);
    }
    let slowed = guess("owner", "198.51.100.1").await;
    assert_eq!(slowed.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(slowed.header("retry-after").as_deref(), Some("30"));
    assert!(slowed.body.contains("Try again in 30 seconds."));
    assert_eq!(guess("owner", "198.51.100.2").await.status, StatusCode::UNAUTHORIZED);
    let (there, not) = (guess("viewer", "198.51.100.3").await, guess("no", "198.51.100.3").await);
    assert_eq!(
        there.body.replace("viewer", "no"),
        not.body,
        "it does not reveal which accounts exist"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_from_the_bot_is_used_up_by_its_button_only() {
    let site = Site::with_people(1).await;
    let link = site.admins.create_link(id(site::OWNER)).await.unwrap().unwrap();
    let path = format!("/admin/link/{}", link.as_str());
    for _ in 0..2 {
        let page = site.request(&Method::GET, &path, None, "").await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains(&format!(r#"method="post" action="{path}""#)));
    }
    let signed_in = site.request(&Method::POST, &path, None, "").await;
    assert_eq!(signed_in.location(), "/admin");
    let token = signed_in.token();
    assert!(site.get("/admin/users", &token).await.body.contains("telegram:7"));
    let again = site.request(&Method::POST, &path, None, "").await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED);
    assert!(again.body.contains("This link no longer works"));
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_the_session_and_everywhere_all_of_them() {
    let site = Site::with_people(1).await;
    let tokens = [site.sign_in(Role::Viewer).await, site.sign_in(Role::Viewer).await];
    let out = site.request(&Method::POST, "/admin/sign-out", Some(&tokens[0]), "").await;
    assert_eq!(out.location(), "/admin/sign-in");
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(site.get("/admin/users", &tokens[0]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(site.get("/admin/users", &tokens[1]).await.status, StatusCode::OK);
    site.request(&Method::POST, "/admin/sign-out-everywhere", Some(&tokens[1]), "").await;
    assert_eq!(site.get("/admin/users", &tokens[1]).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_on_another_site_finds_the_session() {
    let site = Site::with_people(1).await;
    let headers = [("sec-fetch-site", "cross-site")];
    let path = "/admin/users?q=a&reach=blocked";
    let answer = site.request_with(&Method::GET, path, None, "", &headers).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body.contains(r#"content="0;url=/admin/users?q=a&#38;reach=blocked""#));
}
