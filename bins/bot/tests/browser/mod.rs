//! A real browser: headless Chromium, by the WebDriver protocol (W3C) of chromedriver.

use std::{fs, os::unix::fs::MetadataExt, path::Path, process::Stdio, time::Duration};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStdout, Command},
    time::{Instant, sleep},
};

/// How long a page may take to show what is waited for.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// What an element is called in WebDriver's answers.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with one window. It has to be closed, since Chromium outlives chromedriver.
pub(crate) struct Browser {
    client: Client,
    /// The URL of the session.
    session: String,
    driver: Child,
    /// What chromedriver prints; it would end if nobody read that.
    _output: BufReader<ChildStdout>,
}

impl Browser {
    /// Opens a browser; `None`, and loudly so, where chromedriver is not installed.
    ///
    /// # Panics
    /// When it is not installed and `ROLLCALL_REQUIRE_BROWSER` is set to 1, or does not start.
    pub(crate) async fn open() -> Option<Self> {
        let driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        let mut driver = match driver {
            Ok(driver) => driver,
            Err(error) => {
                let is_required =
                    std::env::var("ROLLCALL_REQUIRE_BROWSER").is_ok_and(|it| it == "1");
                assert!(!is_required, "chromedriver cannot be started: {error}");
                eprintln!(
                    "SKIPPED: no browser tests, since chromedriver cannot be started: {error} \
                     (Debian: apt-get install chromium chromium-driver)"
                );
                return None;
            }
        };
        let mut output = BufReader::new(driver.stdout.take().unwrap());
        let port = port(&mut output).await;
        let mut browser = Self {
            client: Client::builder().no_proxy().build().unwrap(),
            session: format!("http://127.0.0.1:{port}/session"),
            driver,
            _output: output,
        };
        let mut arguments = vec![
            "--headless=new",
            "--disable-dev-shm-usage",
            "--lang=en-GB",
            "--window-size=1280,900",
            "--no-proxy-server",
            // A name that is not the machine's own, for what browsers do over http to others.
            "--host-resolver-rules=MAP 192.0.2.7 127.0.0.1",
        ];
        // Chromium's sandbox does not work for root.
        if fs::metadata("/proc/self").unwrap().uid() == 0 {
            arguments.push("--no-sandbox");
        }
        let capabilities = json!({ "alwaysMatch": {
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        }});
        let opened = browser.post("", json!({ "capabilities": capabilities })).await;
        browser.session.push_str(&format!("/{}", opened["sessionId"].as_str().unwrap()));
        Some(browser)
    }

    /// Closes it.
    pub(crate) async fn close(mut self) {
        self.call(Method::DELETE, "", None).await.unwrap();
        self.driver.kill().await.unwrap();
    }

    /// Goes to a page.
    pub(crate) async fn go(&self, url: &str) {
        self.post("/url", json!({ "url": url })).await;
    }

    /// The address of the page.
    pub(crate) async fn url(&self) -> String {
        let url = self.call(Method::GET, "/url", None).await.unwrap();
        url.as_str().unwrap().to_owned()
    }

    /// Waits until the page's address contains this.
    pub(crate) async fn comes_to(&self, part: &str) {
        self.until(&format!("the address has {part}"), async || self.url().await.contains(part))
            .await;
    }

    /// Clicks on what a CSS selector finds, once it is there.
    pub(crate) async fn click(&self, selector: &str) {
        let path = self.element(selector).await + "/click";
        self.post(&path, json!({})).await;
    }

    /// Clicks on the link or button with this text, once it is there.
    pub(crate) async fn press(&self, text: &str) {
        let path = format!(
            "//*[(self::a or self::button or self::summary) and contains(normalize-space(), \"{text}\")]"
        );
        let path = self.find("xpath", &path).await + "/click";
        self.post(&path, json!({})).await;
    }

    /// Writes into a field, in place of what is there.
    pub(crate) async fn fill(&self, selector: &str, text: &str) {
        let element = self.element(selector).await;
        self.post(&format!("{element}/clear"), json!({})).await;
        self.post(&format!("{element}/value"), json!({ "text": text })).await;
    }

    /// Types into a field, key by key, after what is there.
    pub(crate) async fn type_into(&self, selector: &str, text: &str) {
        let path = self.element(selector).await + "/value";
        self.post(&path, json!({ "text": text })).await;
    }

    /// Presses a key, wherever the focus is.
    pub(crate) async fn key(&self, key: &str) {
        let keys = json!([{ "type": "keyDown", "value": key }, { "type": "keyUp", "value": key }]);
        let actions = json!({ "actions": [{ "type": "key", "id": "keys", "actions": keys }] });
        self.post("/actions", actions).await;
    }

    /// What the page shows where a selector finds it.
    pub(crate) async fn texts(&self, selector: &str) -> Vec<String> {
        let script =
            "return [...document.querySelectorAll(arguments[0])].map((it) => it.innerText)";
        let texts = self.script(script, json!([selector])).await;
        texts.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
    }

    /// Waits until what a selector finds shows this.
    pub(crate) async fn shows(&self, selector: &str, text: &str) {
        let what = format!("{selector} shows {text:?}");
        self.until(&what, async || {
            self.texts(selector).await.iter().any(|shown| shown.contains(text))
        })
        .await;
    }

    /// Waits until what a selector finds shows exactly these.
    pub(crate) async fn shows_all(&self, selector: &str, texts: &[&str]) {
        let what = format!("{selector} shows {texts:?}");
        self.until(&what, async || self.texts(selector).await == texts).await;
    }

    /// Whether the page has something.
    pub(crate) async fn has(&self, selector: &str) -> bool {
        !self.texts(selector).await.is_empty()
    }

    /// Runs a script on the page, also where the page itself may run none.
    pub(crate) async fn script(&self, script: &str, arguments: Value) -> Value {
        self.post("/execute/sync", json!({ "script": script, "args": arguments })).await
    }

    /// Sends a command of Chromium's own protocol.
    pub(crate) async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.post("/goog/cdp/execute", json!({ "cmd": command, "params": parameters })).await
    }

    /// Makes the window as wide as this, as on a phone.
    pub(crate) async fn be_wide(&self, width: u32) {
        let size =
            json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// What is wrong with the layout of the page: cells of a row that are not level, elements outside
    /// their card, and texts that are cut off.
    pub(crate) async fn layout_faults(&self) -> Vec<Value> {
        let faults = self.script(include_str!("layout.js"), json!([])).await;
        faults.as_array().unwrap().clone()
    }

    /// Lets pages run scripts, or not.
    pub(crate) async fn run_scripts(&self, may: bool) {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": !may })).await;
    }

    /// Presses a button by which a file is downloaded, into an empty folder; answers the file's name
    /// and text once it is whole.
    pub(crate) async fn download(&self, button: &str, folder: &Path) -> (String, String) {
        let behavior = json!({ "behavior": "allow", "downloadPath": folder });
        self.devtools("Browser.setDownloadBehavior", behavior).await;
        self.press(button).await;
        // Until it is whole, a file has another ending.
        let whole = || {
            let names = fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name());
            let mut names = names.map(|name| name.into_string().unwrap());
            names.find(|name| name.starts_with("users-") && !name.ends_with(".crdownload"))
        };
        self.until("a file is downloaded", async || whole().is_some()).await;
        let name = whole().unwrap();
        let text = fs::read_to_string(folder.join(&name)).unwrap();
        (name, text)
    }

    /// Forgets who is signed in.
    pub(crate) async fn forget(&self) {
        self.devtools("Network.clearBrowserCookies", json!({})).await;
    }

    /// What the browser has complained of since it was last asked.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", json!({ "type": "browser" })).await;
        log.as_array()
            .unwrap()
            .iter()
            .map(|it| it["message"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Waits until something holds.
    pub(crate) async fn until(&self, what: &str, holds: impl AsyncFn() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !holds().await {
            if Instant::now() > end {
                let page = self.texts("body").await.concat();
                panic!("never: {what}, at {}:\n{page}", self.url().await);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn element(&self, selector: &str) -> String {
        self.find("css selector", selector).await
    }

    /// The path of an element, once it is there.
    async fn find(&self, using: &str, value: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let body = json!({ "using": using, "value": value });
            match self.call(Method::POST, "/element", Some(body)).await {
                Ok(found) => return format!("/element/{}", found[ELEMENT].as_str().unwrap()),
                Err(error) if Instant::now() > end => {
                    let page = self.texts("body").await.concat();
                    panic!("there is no {value} at {}: {error}\n{page}", self.url().await);
                }
                Err(_) => sleep(LOOK_EVERY).await,
            }
        }
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.call(Method::POST, path, Some(body)).await.unwrap_or_else(|error| {
            panic!("{path}: {error}");
        })
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, String> {
        let request = self.client.request(method, format!("{}{path}", self.session));
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let answer = request.send().await.unwrap();
        let is_fine = answer.status().is_success();
        let mut answer: Value = answer.json().await.unwrap();
        let value = answer["value"].take();
        if is_fine { Ok(value) } else { Err(value["message"].as_str().unwrap().to_owned()) }
    }
}

/// The port that chromedriver says it listens on.
async fn port(output: &mut BufReader<ChildStdout>) -> u16 {
    let mut line = String::new();
    loop {
        line.clear();
        assert!(output.read_line(&mut line).await.unwrap() > 0, "chromedriver does not start");
        let port = line.split("successfully on port ").nth(1);
        if let Some(port) = port.and_then(|it| it.trim().trim_end_matches('.').parse().ok()) {
            return port;
        }
    }
}
