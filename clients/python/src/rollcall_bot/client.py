"""The client: a bounded queue, and a thread that sends what is in it."""

import atexit
import json
import logging
import os
import threading
import time
from collections import deque
from typing import Any, Deque, List, NamedTuple, Optional, TypeVar

from . import frameworks
from .request import Response, Sender

log = logging.getLogger("rollcall_bot")

# The largest request, before it is packed. Rollcall takes 1,000 updates and 8 MiB.
MOST_UPDATES = 500
MOST_BYTES = 4 << 20
# How long updates are collected before they are sent, in seconds.
COLLECT_S = 1.0
# The first and the longest wait between two attempts, in seconds.
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
# The wait between attempts while the client is closed, in seconds.
END_WAIT_S = 0.5

F = TypeVar("F")


class Item(NamedTuple):
    """An update in the queue."""

    json: bytes
    bot_id: Optional[int]


class Rollcall:
    """Sends updates to Rollcall from a thread of its own. No method but the constructor and ``attach``
    raises an exception, and none but ``close`` waits.

    url: the address of Rollcall, such as ``http://127.0.0.1:8080``; by default that of the environment
    variable ROLLCALL_URL.

    key: a key with the scope ``ingest``; by default that of ROLLCALL_KEY.

    capacity: how many updates may wait. If more come while Rollcall is away, the oldest are dropped.

    Raises ValueError if the address or the key is missing or wrong.
    """

    def __init__(
        self, url: Optional[str] = None, key: Optional[str] = None, *, capacity: int = 10_000
    ) -> None:
        if capacity < 1:
            raise ValueError("expected a capacity of at least 1")
        self._sender = Sender(
            url or os.environ.get("ROLLCALL_URL", ""), key or os.environ.get("ROLLCALL_KEY", "")
        )
        self._capacity = capacity
        self._most_updates = MOST_UPDATES
        self._sent = self._dropped = 0
        self._reported = ""
        self._begin()
        atexit.register(self.close)

    def attach(self, framework: F) -> F:
        """Sends each update that an ``Application`` of python-telegram-bot or a ``Dispatcher`` of
        aiogram gets, before its handlers see it. Returns the framework.

        Raises TypeError if it is something else.
        """
        frameworks.attach(framework, self.send)
        return framework

    def send(self, update: Any, bot_id: Optional[int] = None) -> None:
        """Puts an update into the queue: a dict as Telegram sent it, or an update of a framework.

        bot_id: the bot that got it. Rollcall refuses it if the key is for another bot.
        """
        if self._process != os.getpid():
            self._begin()  # The process was forked, and has no thread.
        try:
            value = json.dumps(frameworks.raw(update), separators=(",", ":")).encode()
        except Exception as error:  # The bot goes on, whatever it was given.
            with self._changed:
                self._dropped += 1
            self._report("an update cannot be written as JSON (%s)" % type(error).__name__)
            return
        with self._changed:
            if self._closed:
                self._dropped += 1
                return
            if len(self._queue) >= self._capacity:
                self._queue.popleft()
                self._dropped += 1
                self._overflown += 1
            self._queue.append(Item(value, bot_id))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="rollcall", daemon=True)
                self._thread.start()
            self._changed.notify()

    @property
    def sent(self) -> int:
        """How many updates Rollcall has accepted."""
        return self._sent

    @property
    def dropped(self) -> int:
        """How many updates were dropped: the queue was full, Rollcall refused them, or the time at the
        end was too short."""
        return self._dropped

    def close(self, timeout: float = 5.0) -> None:
        """Sends what is left, for up to ``timeout`` seconds, and ends the thread. It happens by itself
        at the end of the program."""
        if self._process != os.getpid():
            return
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._deadline = time.monotonic() + timeout
            thread = self._thread
            self._changed.notify()
        atexit.unregister(self.close)
        if thread is not None:
            thread.join(timeout)
        with self._changed:
            left = len(self._queue) + self._in_flight
            self._queue.clear()
            self._dropped += left
        if left:
            log.warning("%d updates were not sent to Rollcall before the end", left)

    def _begin(self) -> None:
        self._process = os.getpid()
        self._queue: Deque[Item] = deque()
        self._changed = threading.Condition()
        self._thread: Optional[threading.Thread] = None
        self._closed = False
        self._deadline = 0.0
        self._in_flight = 0
        self._overflown = 0

    def _run(self) -> None:
        while True:
            items = self._next_batch()
            if not items:
                return
            self._deliver(items)

    def _next_batch(self) -> List[Item]:
        """Waits for updates; none once the client is closed and all are sent."""
        with self._changed:
            while not self._queue and not self._closed:
                self._changed.wait()
            until = time.monotonic() + COLLECT_S
            while len(self._queue) < self._most_updates and not self._closed:
                left = until - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            items: List[Item] = []
            size = 0
            while self._queue and len(items) < self._most_updates:
                item = self._queue[0]
                size += len(item.json) + 1
                if items and (size > MOST_BYTES or item.bot_id != items[0].bot_id):
                    break
                items.append(self._queue.popleft())
            self._in_flight = len(items)
            return items

    def _deliver(self, items: List[Item]) -> None:
        """Sends a batch until it is accepted or refused."""
        wait = FIRST_WAIT_S
        while items:
            response = self._sender.send([item.json for item in items], items[0].bot_id)
            if response.is_accepted:
                self._accepted(len(items))
                return
            if response.is_transient:
                self._report(response.reason)
                if not self._pause(wait, response.retry_after_s):
                    return
                wait = min(wait * 2, LONGEST_WAIT_S)
                continue
            items = self._refused(items, response)

    def _accepted(self, number: int) -> None:
        with self._changed:
            self._sent += number
            self._in_flight = 0
            overflown, self._overflown = self._overflown, 0
        if overflown:
            log.warning("%d updates were dropped, because too many waited for Rollcall", overflown)
        if self._reported:
            log.info("Rollcall accepts updates again")
            self._reported = ""

    def _refused(self, items: List[Item], response: Response) -> List[Item]:
        """Drops what Rollcall refuses; the rest, which is to be sent again."""
        self._report(response.reason)
        rest: List[Item] = []
        with self._changed:
            if response.element is not None and response.element < len(items):
                rest = items[: response.element] + items[response.element + 1 :]
            elif response.status == 413 and len(items) > 1:
                # Something between the bot and Rollcall takes less than Rollcall.
                self._most_updates = len(items) // 2
                rest, later = items[: self._most_updates], items[self._most_updates :]
                self._queue.extendleft(reversed(later))
                items = rest
            self._dropped += len(items) - len(rest)
            self._in_flight = len(rest)
        if response.status not in (400, 413):
            # A wrong key or address. The next updates will hardly fare better.
            self._pause(LONGEST_WAIT_S)
        return rest

    def _pause(self, wait_s: float, at_least_s: float = 0.0) -> bool:
        """Waits before the next attempt; whether there is time for one. When the client is closed, it
        waits no longer than it must."""
        until = time.monotonic() + max(wait_s, at_least_s)
        with self._changed:
            was_closed = self._closed
            while not self._closed:
                left = until - time.monotonic()
                if left <= 0:
                    return True
                self._changed.wait(left)
            if was_closed or at_least_s:
                left = self._deadline - time.monotonic()
                self._changed.wait(max(0.0, min(max(END_WAIT_S, at_least_s), left)))
            return time.monotonic() < self._deadline

    def _report(self, reason: str) -> None:
        """Logs a failure once, until updates are accepted again."""
        if reason != self._reported:
            self._reported = reason
            log.warning("updates do not reach Rollcall: %s", reason)
