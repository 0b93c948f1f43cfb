"""The client against a server whose responses the tests choose."""

import gzip
import json
import logging
import socket
import subprocess
import sys
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest import mock

from rollcall_bot import Rollcall, client

OK = (200, {}, b'{"registered": 1}')


def refused(status, reason, headers=None, **fields):
    return status, headers or {}, json.dumps({"error": reason, **fields}).encode()


class Server:
    """Answers the requests in turn, the last answer again and again."""

    def __init__(self, *answers, port=0):
        self.answers = list(answers) or [OK]
        self.requests = []
        self.times = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers["Content-Encoding"] == "gzip":
                    body = gzip.decompress(body)
                server.times.append(time.monotonic())
                server.requests.append((self.path, dict(self.headers), json.loads(body)))
                answer = server.answers[0] if len(server.answers) == 1 else server.answers.pop(0)
                status, headers, body = answer
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = "http://127.0.0.1:%d" % self.http.server_port
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def ids(self):
        return [[update["update_id"] for update in updates] for _, _, updates in self.requests]

    def close(self):
        self.http.shutdown()
        self.http.server_close()


def wait_until(is_so):
    end = time.monotonic() + 20
    while not is_so():
        if time.monotonic() > end:
            raise AssertionError("it did not happen")
        time.sleep(0.005)


def update(update_id):
    return {"update_id": update_id, "message": {"text": "\u00e4"}}


class ClientTest(unittest.TestCase):
    def setUp(self):
        for name, seconds in [("COLLECT_S", 0.05), ("FIRST_WAIT_S", 0.01), ("LONGEST_WAIT_S", 0.02)]:
            patch = mock.patch.object(client, name, seconds)
            patch.start()
            self.addCleanup(patch.stop)

    def start(self, *answers, **options):
        self.server = Server(*answers)
        self.addCleanup(self.server.close)
        rollcall = Rollcall(self.server.url, "key", **options)
        self.addCleanup(rollcall.close, 0)
        return rollcall

    def test_updates_go_in_batches_in_their_order(self):
        rollcall = self.start()
        for number in range(1200):
            rollcall.send(update(number), bot_id=7)
        wait_until(lambda: rollcall.sent == 1200)
        self.assertEqual([len(ids) for ids in self.server.ids()], [500, 500, 200])
        self.assertEqual(sum(self.server.ids(), []), list(range(1200)))
        path, headers, updates = self.server.requests[0]
        self.assertEqual((path, headers["Authorization"]), ("/ingest", "Bearer key"))
        self.assertEqual((headers["Content-Encoding"], headers["Rollcall-Bot-Id"]), ("gzip", "7"))
        self.assertEqual(updates[0], update(0))

    def test_each_bot_has_its_own_request(self):
        rollcall = self.start()
        for number, bot in enumerate([7, 7, 8, None]):
            rollcall.send(update(number), bot)
        wait_until(lambda: rollcall.sent == 4)
        self.assertEqual(self.server.ids(), [[0, 1], [2], [3]])

    def test_it_waits_as_long_as_the_server_asks(self):
        rollcall = self.start(refused(429, "too many", {"Retry-After": "1"}), refused(503, "later"), OK)
        with self.assertLogs("rollcall_bot", logging.WARNING) as logs:
            rollcall.send(update(1))
            wait_until(lambda: rollcall.sent == 1)
        self.assertEqual(self.server.ids(), [[1], [1], [1]])
        first, second, _ = self.server.times
        self.assertGreaterEqual(second - first, 1.0)
        self.assertEqual(
            [record.getMessage() for record in logs.records],
            [
                "updates do not reach Rollcall: HTTP status 429, too many",
                "updates do not reach Rollcall: HTTP status 503, later",
            ],
        )

    def test_nothing_is_lost_while_the_server_is_away(self):
        rollcall = self.start()
        self.server.close()
        with self.assertLogs("rollcall_bot", logging.WARNING) as logs:
            for number in range(3):
                rollcall.send(update(number))
            wait_until(lambda: logs.records)
            back = Server(port=self.server.http.server_port)
            self.addCleanup(back.close)
            wait_until(lambda: rollcall.sent == 3)
        self.assertEqual(back.ids(), [[0, 1, 2]])
        self.assertEqual(len(logs.records), 1)
        self.assertIn("Connection refused", logs.output[0])

    def test_the_oldest_are_dropped_if_too_many_wait(self):
        rollcall = self.start(refused(503, "later"), capacity=10)
        with self.assertLogs("rollcall_bot", logging.WARNING) as logs:
            rollcall.send(update(0))
            wait_until(lambda: self.server.requests)
            for number in range(1, 16):
                rollcall.send(update(number))
            self.server.answers = [OK]
            wait_until(lambda: rollcall.sent == 11)
        self.assertEqual(self.server.ids()[-1], list(range(6, 16)))
        self.assertEqual(rollcall.dropped, 5)
        self.assertIn("5 updates were dropped", logs.output[-1])

    def test_a_wrong_key_is_logged_once_with_the_reason(self):
        rollcall = self.start(refused(401, "unknown or revoked key"), refused(401, "unknown or revoked key"), OK)
        with self.assertLogs("rollcall_bot", logging.WARNING) as logs:
            for number in range(3):
                rollcall.send(update(number))
                wait_until(lambda: len(self.server.requests) == number + 1)
            wait_until(lambda: rollcall.sent == 1)
        self.assertEqual(len(logs.records), 1)
        self.assertIn("401, unknown or revoked key", logs.output[0])
        self.assertEqual(rollcall.dropped, 2)

    def test_one_update_that_is_none_does_not_stop_the_others(self):
        rollcall = self.start(refused(400, "it has no update_id", element=1), OK)
        with self.assertLogs("rollcall_bot", logging.WARNING):
            for number in range(3):
                rollcall.send(update(number))
            wait_until(lambda: rollcall.sent == 2)
        self.assertEqual(self.server.ids(), [[0, 1, 2], [0, 2]])
        self.assertEqual(rollcall.dropped, 1)

    def test_a_proxy_that_takes_little_gets_small_requests(self):
        rollcall = self.start(refused(413, "too large"), OK)
        with self.assertLogs("rollcall_bot", logging.WARNING):
            for number in range(10):
                rollcall.send(update(number))
            wait_until(lambda: rollcall.sent == 10)
        self.assertEqual([len(ids) for ids in self.server.ids()], [10, 5, 5])
        self.assertEqual(sum(self.server.ids()[1:], []), list(range(10)))

    def test_a_redirect_is_not_followed(self):
        rollcall = self.start((302, {"Location": "/elsewhere"}, b""))
        with self.assertLogs("rollcall_bot", logging.WARNING):
            rollcall.send(update(1))
            wait_until(lambda: rollcall.dropped == 1)
        self.assertEqual([path for path, _, _ in self.server.requests], ["/ingest"])

    def test_what_is_not_json_is_dropped_and_the_bot_goes_on(self):
        rollcall = self.start()
        with self.assertLogs("rollcall_bot", logging.WARNING):
            rollcall.send({"update_id": object()})
        rollcall.send(update(2))
        wait_until(lambda: rollcall.sent == 1)
        self.assertEqual(rollcall.dropped, 1)

    def test_closing_sends_what_is_left(self):
        rollcall = self.start(refused(503, "later"), OK)
        rollcall.send(update(1))
        rollcall.close()
        self.assertEqual(rollcall.sent, 1)
        rollcall.send(update(2))
        self.assertEqual(rollcall.dropped, 1)

    def test_closing_ends_in_time(self):
        listener = socket.create_server(("127.0.0.1", 0))  # It accepts, and never answers.
        self.addCleanup(listener.close)
        rollcall = Rollcall("http://127.0.0.1:%d" % listener.getsockname()[1], "key")
        for number in range(3):
            rollcall.send(update(number))
        begun = time.monotonic()
        with self.assertLogs("rollcall_bot", logging.WARNING) as logs:
            rollcall.close(0.3)
        self.assertLess(time.monotonic() - begun, 2)
        self.assertEqual(rollcall.dropped, 3)
        self.assertIn("3 updates were not sent", logs.output[-1])

    def test_a_program_that_ends_sends_what_is_left(self):
        self.start()
        program = (
            "from rollcall_bot import Rollcall\n"
            "Rollcall(%r, 'key').send({'update_id': 5})" % self.server.url
        )
        subprocess.run([sys.executable, "-c", program], check=True, timeout=20)
        self.assertEqual(self.server.ids(), [[5]])

    def test_a_forked_process_has_a_queue_of_its_own(self):
        rollcall = self.start()
        rollcall.send(update(1))
        wait_until(lambda: rollcall.sent == 1)
        program = (
            "import os\n"
            "from rollcall_bot import Rollcall\n"
            "rollcall = Rollcall(%r, 'key')\n"
            "rollcall.send({'update_id': 2})\n"
            "rollcall.send({'update_id': 3 if os.fork() == 0 else 4})\n" % self.server.url
        )
        subprocess.run([sys.executable, "-c", program], check=True, timeout=20)
        wait_until(lambda: len(sum(self.server.ids(), [])) >= 4)
        self.assertEqual(sorted(sum(self.server.ids(), [])), [1, 2, 3, 4])

    def test_wrong_settings_are_named(self):
        for url in ["", "rollcall.example.org", "ftp://example.org", "http://"]:
            with self.assertRaisesRegex(ValueError, "address of Rollcall.*ROLLCALL_URL"):
                Rollcall(url, "key")
        for key in ["", "two words", "k\n", "\u00e4"]:
            with self.assertRaisesRegex(ValueError, "key.*ROLLCALL_KEY"):
                Rollcall("http://127.0.0.1:8080", key)
        with self.assertRaisesRegex(TypeError, "expected an Application .* not dict"):
            Rollcall("http://127.0.0.1:8080", "key").attach({})

    def test_sending_takes_no_time(self):
        rollcall = self.start(refused(503, "later"))
        begun = time.monotonic()
        for number in range(2000):
            rollcall.send(update(number))
        self.assertLess((time.monotonic() - begun) / 2000, 0.001)


if __name__ == "__main__":
    unittest.main()
