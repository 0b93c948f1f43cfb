//! What can go wrong between the bot and Telegram, on demand.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// A way for a call to go wrong.
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
    /// An answer that the Bot API would not give, such as a proxy's page.
    Body {
        /// The HTTP status.
        status: u16,
        /// The `Content-Type`.
        content_type: String,
        /// The body, sent as it is.
        body: String,
    },
    /// An answer whose `Content-Length` promises more than comes before the connection is closed.
    CutOff,
    /// An answer of valid JSON which is mostly blank and this many bytes long.
    Huge {
        /// The length of the body.
        bytes: u64,
    },
    /// The connection is closed without an answer, and the call has no effect.
    Closed,
    /// The call takes effect, and then the connection is closed without an answer.
    LostAnswer,
    /// The call takes effect and is answered, this much later.
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

    /// 409: somebody else reads this bot's updates.
    pub fn conflict() -> Self {
        Self::api(409, crate::methods::OTHER_POLL)
    }

    /// 429: too many calls; Telegram asks to wait this many seconds.
    pub fn too_many_requests(retry_after_s: i64) -> Self {
        Self::Api {
            code: 429,
            description: format!("Too Many Requests: retry after {retry_after_s}"),
            retry_after: Some(retry_after_s),
        }
    }

    /// 500: Telegram's own trouble.
    pub fn internal() -> Self {
        Self::api(500, "Internal Server Error")
    }

    /// 502 with a page of HTML, as a proxy in front of Telegram answers.
    pub fn bad_gateway() -> Self {
        Self::Body {
            status: 502,
            content_type: "text/html".into(),
            body: "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center>\
                   <h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>"
                .into(),
        }
    }

    /// 200 with a body that is no JSON.
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

/// The faults that wait for their call.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    next: HashMap<String, VecDeque<Fault>>,
    always: HashMap<String, Fault>,
}

/// Stands for every method.
pub(crate) const ANY_METHOD: &str = "*";

impl Faults {
    pub(crate) fn add_next(&mut self, method: &str, fault: Fault) {
        self.next.entry(method.to_lowercase()).or_default().push_back(fault);
    }

    pub(crate) fn set_always(&mut self, method: &str, fault: Fault) {
        self.always.insert(method.to_lowercase(), fault);
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The fault that strikes a call of `method` (in lower case) now; one given for once is used up.
    pub(crate) fn strike(&mut self, method: &str) -> Option<Fault> {
        if self.next.is_empty() && self.always.is_empty() {
            return None;
        }
        self.strike_next(method)
            .or_else(|| self.strike_next(ANY_METHOD))
            .or_else(|| self.always.get(method).cloned())
            .or_else(|| self.always.get(ANY_METHOD).cloned())
    }

    fn strike_next(&mut self, method: &str) -> Option<Fault> {
        let waiting = self.next.get_mut(method)?;
        let fault = waiting.pop_front();
        if waiting.is_empty() {
            self.next.remove(method);
        }
        fault
    }
}
