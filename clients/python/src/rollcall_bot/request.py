"""One request to Rollcall, and what its response means."""

import gzip
import http.client
import json
import urllib.error
import urllib.request
from typing import Any, List, NamedTuple, Optional
from urllib.parse import urlsplit

TIMEOUT_S = 30.0
# Smaller bodies are sent as they are.
PACK_FROM_BYTES = 1024


class Response(NamedTuple):
    """What became of a request."""

    # The HTTP status; 0 without a response.
    status: int
    # Why the updates were not accepted, for the log.
    reason: str = ""
    # How long to wait at least, in seconds.
    retry_after_s: float = 0.0
    # The place of the update that is refused, if it is one only.
    element: Optional[int] = None

    @property
    def is_accepted(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_transient(self) -> bool:
        """Whether the same request may be accepted later."""
        return self.status in (0, 408, 429) or self.status >= 500


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would pass the key on to another address."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Sender:
    """Sends batches to one address with one key."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
            raise ValueError(
                "expected the address of Rollcall, such as http://127.0.0.1:8080, as url or in "
                "ROLLCALL_URL"
            )
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError("expected a key of `manage api-keys create`, as key or in ROLLCALL_KEY")
        self._url = url.rstrip("/") + "/ingest"
        self._headers = {
            "Authorization": "Bearer " + key,
            "Content-Type": "application/json",
            "User-Agent": "rollcall-bot-python",
        }
        self._opener = urllib.request.build_opener(NoRedirects)

    def send(self, updates: List[bytes], bot_id: Optional[int]) -> Response:
        """Sends updates, each as JSON, in their order."""
        body = b"[" + b",".join(updates) + b"]"
        headers = dict(self._headers)
        if bot_id is not None:
            headers["Rollcall-Bot-Id"] = str(bot_id)
        if len(body) >= PACK_FROM_BYTES:
            body = gzip.compress(body, 6)
            headers["Content-Encoding"] = "gzip"
        request = urllib.request.Request(self._url, data=body, headers=headers, method="POST")
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as response:
                response.read()
                return Response(response.status)
        except urllib.error.HTTPError as error:
            return refusal(error)
        except (OSError, http.client.HTTPException) as error:
            cause = getattr(error, "reason", None) or error
            return Response(0, "no response (%s)" % (str(cause) or type(cause).__name__))


def refusal(error: urllib.error.HTTPError) -> Response:
    """Reads the response to a request that was not accepted."""
    try:
        body = json.loads(error.read(64 << 10))
    except (ValueError, OSError, http.client.HTTPException):
        body = None
    if not isinstance(body, dict):
        body = {}
    reason = body.get("error") or error.reason
    element = body.get("element")
    try:
        wait = max(0.0, float(error.headers.get("Retry-After", "0")))
    except ValueError:
        wait = 0.0  # A date; the ordinary wait has to do.
    return Response(
        error.code,
        "HTTP status %d, %s" % (error.code, reason),
        min(wait, 3600.0),
        element if isinstance(element, int) and element >= 0 else None,
    )
