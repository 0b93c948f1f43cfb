//! Faults between the bot and Telegram that a test can inject.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::api_error::OTHER_POLL;

/// A fault of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An error as the Bot API words it: `{"ok":false,"error_code":…,"description":…}`.
    Api {
        /// The `error_code`, which is also the HTTP status.
        code: u16,
        /// The `description`.
        description: String,
        /// `parameters.retry_after`, in seconds.
        retry_after: Option<i64>,
    },
    /// A response that does not come from the Bot API, such as a proxy's error page.
    Body {
        /// The HTTP status.
        status: u16,
        /// The `Content-Type`.
        content_type: String,
        /// The body, sent as it is.
        body: String,
    },
    /// A response whose connection is closed before all bytes of its `Content-Length` are sent.
    CutOff,
    /// A response of valid JSON, padded with spaces to this many bytes.
    Huge {
        /// The length of the body.
        bytes: u64,
    },
    /// The connection is closed without a response, and the call has no effect.
    Closed,
    /// The call takes effect, and then the connection is closed without a response.
    LostAnswer,
    /// The call takes effect and is answered after this delay.
    Slow(Duration),
}

impl Fault {
    /// An error as the Bot API words it.
    pub fn api(code: u16, description: impl Into<String>) -> Self {
        Self::Api { code, description: description.into(), retry_after: None }
    }

    /// 401: the token was revoked.
    pub fn unauthorized() -> Self {
        Self::api(401, "Unauthorized")
    }

    /// 403: the person blocked the bot.
    pub fn blocked() -> Self {
        Self::api(403, "Forbidden: bot was blocked by the user")
    }

    /// 404: no such method, or no such bot.
    pub fn not_found() -> Self {
        Self::api(404, "Not Found")
    }

    /// 409: another program reads this bot's updates.
    pub fn conflict() -> Self {
        Self::api(409, OTHER_POLL)
    }

    /// 429: too many calls; Telegram asks to wait this many seconds.
    pub fn too_many_requests(retry_after_s: i64) -> Self {
        Self::Api {
            code: 429,
            description: format!("Too Many Requests: retry after {retry_after_s}"),
            retry_after: Some(retry_after_s),
        }
    }

    /// 500: an outage of Telegram.
    pub fn internal() -> Self {
        Self::api(500, "Internal Server Error")
    }

    /// 502 with an HTML page, as from a proxy in front of Telegram.
    pub fn bad_gateway() -> Self {
        Self::Body {
            status: 502,
            content_type: "text/html".into(),
            body: "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center>\
                   <h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>"
                .into(),
        }
    }

    /// 200 with a body that is not JSON.
    pub fn not_json() -> Self {
        Self::json("{\"ok\":true,\"result\":[}")
    }

    /// 200 with `{"ok":true}` and no result.
    pub fn no_result() -> Self {
        Self::json("{\"ok\":true}")
    }

    /// 200 with this body, declared as JSON.
    pub fn json(body: impl Into<String>) -> Self {
        Self::Body { status: 200, content_type: "application/json".into(), body: body.into() }
    }
}

/// The injected faults that no call has had yet.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    next: HashMap<String, VecDeque<Fault>>,
    always: HashMap<String, Fault>,
    every: Vec<Every>,
    due: Vec<Due>,
}

/// A fault of every nth call.
#[derive(Debug)]
struct Every {
    method: String,
    n: u64,
    calls: u64,
    fault: Fault,
}

/// A fault of the first call at some time or later.
#[derive(Debug)]
struct Due {
    method: String,
    at: Instant,
    fault: Fault,
}

/// Matches every method.
pub(crate) const ANY_METHOD: &str = "*";

impl Faults {
    pub(crate) fn add_next(&mut self, method: &str, fault: Fault) {
        self.next.entry(method.to_lowercase()).or_default().push_back(fault);
    }

    pub(crate) fn set_always(&mut self, method: &str, fault: Fault) {
        self.always.insert(method.to_lowercase(), fault);
    }

    pub(crate) fn add_every(&mut self, method: &str, n: u64, fault: Fault) {
        self.every.push(Every { method: method.to_lowercase(), n, calls: 0, fault });
    }

    pub(crate) fn add_due(&mut self, method: &str, at: Instant, fault: Fault) {
        self.due.push(Due { method: method.to_lowercase(), at, fault });
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Takes the fault for a new call of `method`, given in lower case. One-time faults are used up.
    pub(crate) fn of_call(&mut self, method: &str) -> Option<Fault> {
        // Counted even if another fault applies.
        let of_turn = self.take_every(method);
        self.take_next(method)
            .or_else(|| self.take_next(ANY_METHOD))
            .or_else(|| self.take_due(method))
            .or(of_turn)
            .or_else(|| self.always(method))
    }

    /// Takes the fault for a call of `method` that is waiting.
    pub(crate) fn of_waiting_call(&mut self, method: &str) -> Option<Fault> {
        self.take_next(method)
            .or_else(|| self.take_next(ANY_METHOD))
            .or_else(|| self.always(method))
    }

    fn always(&self, method: &str) -> Option<Fault> {
        self.always.get(method).or_else(|| self.always.get(ANY_METHOD)).cloned()
    }

    fn take_every(&mut self, method: &str) -> Option<Fault> {
        let mut found = None;
        for every in self.every.iter_mut().filter(|every| matches(&every.method, method)) {
            every.calls += 1;
            if every.calls.is_multiple_of(every.n) && found.is_none() {
                found = Some(every.fault.clone());
            }
        }
        found
    }

    fn take_due(&mut self, method: &str) -> Option<Fault> {
        let now = Instant::now();
        let is_due = |due: &Due| due.at <= now && matches(&due.method, method);
        let place = self.due.iter().position(is_due)?;
        Some(self.due.remove(place).fault)
    }

    fn take_next(&mut self, method: &str) -> Option<Fault> {
        let waiting = self.next.get_mut(method)?;
        let fault = waiting.pop_front();
        if waiting.is_empty() {
            self.next.remove(method);
        }
        fault
    }
}

/// Whether a fault of `method` applies to a call of `called`.
fn matches(method: &str, called: &str) -> bool {
    method == ANY_METHOD || method == called
}
