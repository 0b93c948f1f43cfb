//! Which settings of the HTTP server are accepted, and how wrong ones are reported.

use super::*;

const TELEGRAM_API_URL: &str = "TELEGRAM_API_URL";

/// What the webhook's settings are with these variables, after TELEGRAM_API_URL.
fn webhook(variables: &[(&str, &str)]) -> Result<Option<String>, String> {
    let (api_url, variables) = variables.split_first().unwrap();
    let mut environment = [("", ""); 3];
    environment[..variables.len()].copy_from_slice(variables);
    let settings = HttpArguments::default()
        .settings(&environment.into(), &api_url.1.parse().unwrap())
        .map_err(|error| error.to_string())?;
    let address = settings.address.map(|address| address.to_string()).unwrap_or_default();
    Ok(settings.webhook.map(|webhook| format!("{address} {}", webhook.url.path())))
}

#[test]
fn updates_are_polled_where_there_is_no_webhook() {
    let telegram = (TELEGRAM_API_URL, "https://api.telegram.org");
    assert_eq!(webhook(&[telegram]), Ok(None));
    assert_eq!(webhook(&[telegram, (WEBHOOK_SECRET, "not even a secret")]), Ok(None));
    assert_eq!(webhook(&[telegram, (WEBHOOK_URL, ""), (LISTEN_ADDR, "off")]), Ok(None));
}

#[test]
fn a_webhook_has_an_address_and_a_secret() {
    let telegram = (TELEGRAM_API_URL, "https://api.telegram.org");
    let own = (TELEGRAM_API_URL, "http://localhost:8081");
    let url = (WEBHOOK_URL, "https://bot.example.org/under/a/path");
    let secret = (WEBHOOK_SECRET, "s3cret_of_sixteen-");
    let found = |text: &str| Ok(Some(text.to_owned()));
    assert_eq!(webhook(&[telegram, url, secret]), found("127.0.0.1:8080 /under/a/path"));
    let everywhere = (LISTEN_ADDR, "[::]:80");
    assert_eq!(webhook(&[telegram, url, secret, everywhere]), found("[::]:80 /under/a/path"));
    let plain = (WEBHOOK_URL, "http://localhost");
    assert_eq!(webhook(&[own, plain, secret]), found("127.0.0.1:8080 /"));
}

#[test]
fn wrong_webhook_settings_are_reported_without_secrets() {
    let telegram = (TELEGRAM_API_URL, "https://api.telegram.org");
    let url = (WEBHOOK_URL, "https://bot.example.org/private");
    let secret = (WEBHOOK_SECRET, "hunter2-hunter2-");
    for (variables, expected) in [
        (
            vec![telegram, (WEBHOOK_URL, "bot.example.org/private"), secret],
            "WEBHOOK_URL: it is not an address for updates; expected a URL such as https://bot.example.org/webhook",
        ),
        (
            vec![telegram, (WEBHOOK_URL, "http://bot.example.org/private"), secret],
            "WEBHOOK_URL: Telegram delivers updates only over https; expected a URL such as https://bot.example.org/webhook",
        ),
        (
            vec![telegram, (WEBHOOK_URL, "https://bot.example.org:8080/private"), secret],
            "WEBHOOK_URL: Telegram delivers updates only to the ports 443, 80, 88 and 8443; expected a URL such as https://bot.example.org/webhook",
        ),
        (
            vec![telegram, url],
            "WEBHOOK_SECRET is not set, but WEBHOOK_URL requires it; expected 16 to 256 characters of A-Z a-z 0-9 _ -",
        ),
        (
            vec![telegram, url, (WEBHOOK_SECRET, "hunter2!")],
            "WEBHOOK_SECRET: it is not a safe webhook secret; expected 16 to 256 characters of A-Z a-z 0-9 _ -, such as `openssl rand -hex 32` prints",
        ),
        (
            vec![telegram, url, secret, (LISTEN_ADDR, "off")],
            "LISTEN_ADDR is off, but WEBHOOK_URL requires it; expected an address such as 127.0.0.1:8080",
        ),
        (
            vec![telegram, (WEBHOOK_URL, "https://bot.example.org/metrics"), secret],
            "WEBHOOK_URL: its path is one of /metrics, /healthz, /readyz, /.well-known/security.txt, which the bot serves itself; expected another one, such as /webhook",
        ),
        (
            vec![telegram, (LISTEN_ADDR, "8080")],
            "LISTEN_ADDR: it is not an address to listen on; expected one such as 127.0.0.1:8080, localhost:8080, :8080, 0.0.0.0:8080 or [::1]:8080, or off",
        ),
    ] {
        assert_eq!(webhook(&variables), Err(expected.to_owned()));
    }
}

/// What is served with these variables.
fn http<const N: usize>(variables: [(&str, &str); N]) -> Result<HttpSettings, SettingError> {
    let telegram = "https://api.telegram.org".parse().unwrap();
    HttpArguments::default().settings(&variables.into(), &telegram)
}

#[test]
fn the_admin_is_where_a_browser_reaches_it() {
    let url =
        |settings: HttpSettings, listening: &str| settings.admin_url(listening.parse().unwrap());
    assert_eq!(url(http([]).unwrap(), "127.0.0.1:8080"), "http://127.0.0.1:8080/admin");
    assert_eq!(url(http([]).unwrap(), "0.0.0.0:80"), "http://127.0.0.1:80/admin");
    assert_eq!(url(http([]).unwrap(), "[::]:80"), "http://[::1]:80/admin");
    let public = http([(PUBLIC_URL, "https://example.org/rollcall/")]).unwrap();
    assert_eq!(url(public, "127.0.0.1:8080"), "https://example.org/rollcall/admin");
}

#[test]
fn a_webhook_keeps_out_of_the_admin() {
    let with = |path: &str, prefix: &str| {
        let webhook = format!("https://example.org{path}");
        let public = format!("https://example.org{prefix}");
        let secret = (WEBHOOK_SECRET, "s3cret_of_sixteen");
        http([(WEBHOOK_URL, &webhook), (PUBLIC_URL, &public), secret]).map(drop)
    };
    assert!(with("/admin", "").is_err() && with("/x/admin/users", "/x").is_err());
    assert_eq!(with("/administration", ""), Ok(()));
    assert_eq!(with("/admin", "/x"), Ok(()));
}

#[test]
fn proxies_are_addresses_and_networks() {
    let proxies = |text: &str| http([(TRUSTED_PROXIES, text)]).map(|it| it.trusted_proxies);
    let shown = |text| {
        let proxies = proxies(text).unwrap();
        proxies.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        shown("127.0.0.1, 10.0.0.0/8,::ffff:192.0.2.1,::ffff:10.0.0.0/104,fd00::/8,::/0,"),
        ["127.0.0.1/32", "10.0.0.0/8", "192.0.2.1/32", "10.0.0.0/8", "fd00::/8", "::/0"]
    );
    assert_eq!(shown("localhost,192.0.2.1"), ["127.0.0.1/32", "::1/128", "192.0.2.1/32"]);
    for wrong in [
        "proxy.example.org",
        "127.0.0.1:8080",
        "[::1]",
        "http://127.0.0.1",
        "10.0.0.0/33",
        "127.0.0.1 10.0.0.1",
        "*",
    ] {
        let message = format!(
            "TRUSTED_PROXIES: {wrong:?} is not an address or a network; expected such as 127.0.0.1,10.0.0.0/8,fd00::/8"
        );
        let proxies = proxies(&format!("::1,{wrong}"));
        assert_eq!(proxies.unwrap_err().to_string(), message);
    }
}

#[test]
fn one_header_names_the_client() {
    let header = |name| http([(FORWARDED_HEADER, name)]).map(|it| it.forwarded_header);
    assert_eq!(header(""), Ok(ForwardedHeader::XForwardedFor));
    assert_eq!(header("X-Forwarded-For"), Ok(ForwardedHeader::XForwardedFor));
    assert_eq!(header("forwarded"), Ok(ForwardedHeader::Forwarded));
    for wrong in ["x-real-ip", "forwarded,x-forwarded-for", "both"] {
        let message = "FORWARDED_HEADER: unknown header; expected x-forwarded-for or forwarded";
        assert_eq!(header(wrong).unwrap_err().to_string(), message);
    }
}

#[test]
fn an_address_to_listen_on_is_no_url() {
    for wrong in ["http://127.0.0.1:8080", "example.org:8080", "127.0.0.1", "8080"] {
        let error = http([(LISTEN_ADDR, wrong)]).unwrap_err().to_string();
        let expected = "LISTEN_ADDR: it is not an address to listen on; expected one such as";
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn a_second_factor_is_required_where_that_is_on() {
    let required = |text: &str| {
        let settings = http([(REQUIRE_SECOND_FACTOR, text)]);
        settings.map(|it| it.requires_second_factor).map_err(|error| error.to_string())
    };
    assert_eq!([required(""), required("off"), required(" on ")], [Ok(false), Ok(false), Ok(true)]);
    assert_eq!(
        required("yes"),
        Err("REQUIRE_SECOND_FACTOR: \"yes\" is not valid; expected on or off".to_owned())
    );
}

#[test]
fn networks_of_the_admin_are_read_as_those_of_proxies() {
    let networks = |text: &str| http([(ADMIN_ALLOW, text)]).map(|it| it.admin_networks);
    assert_eq!(networks("").unwrap(), []);
    assert_eq!(networks("10.0.0.0/8, ::1").unwrap().len(), 2);
    assert_eq!(
        networks("10.0.0.0/8, office").unwrap_err().to_string(),
        "ADMIN_ALLOW: \"office\" is not an address or a network; expected such as 127.0.0.1,10.0.0.0/8,fd00::/8"
    );
}

#[test]
fn metrics_have_an_address_apart_or_none() {
    let address = |text: &str| http([(METRICS_ADDR, text)]).map(|it| it.metrics_address);
    assert_eq!(address(""), Ok(None));
    assert_eq!(address("off"), Ok(None));
    for text in ["127.0.0.1:9090", "localhost:9090", " :9090 "] {
        assert_eq!(address(text), Ok("127.0.0.1:9090".parse().ok()));
    }
    for text in ["127.0.0.1:8080", "localhost:8080", ":8080"] {
        assert_eq!(
            address(text).unwrap_err().to_string(),
            "METRICS_ADDR: it is the same as LISTEN_ADDR; expected another address, or nothing to serve /metrics at LISTEN_ADDR"
        );
    }
    assert!(
        address("9090").unwrap_err().to_string().starts_with("METRICS_ADDR: it is not an address")
    );
}

#[test]
fn https_without_trusted_proxies_is_warned_of() {
    let warning =
        |url, proxies| http([(PUBLIC_URL, url), (TRUSTED_PROXIES, proxies)]).unwrap().warning();
    assert!(warning("https://example.org", "").unwrap().contains("TRUSTED_PROXIES is not set"));
    assert_eq!(warning("https://example.org", "127.0.0.1"), None);
    assert_eq!(warning("http://example.org", ""), None);
}
