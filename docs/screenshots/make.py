#!/usr/bin/env python3
"""Makes the pictures in this folder: each page of the web admin, light, dark and on a phone.

    docs/screenshots/make.py [FOLDER]

Needs chromium and chromedriver, and fonts for names in all scripts (Debian: apt-get install chromium
chromium-driver fonts-noto-core fonts-droid-fallback fonts-nanum), and builds `manage` and `bot` if need be. The people are made up, in temporary databases. With SITE=http://host:port,
OWNER=name:password it takes pictures of a site that runs already.
"""

import base64
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PASSWORD = "correct horse battery"
# Name, width, height, scheme.
LOOKS = [("light", 1280, 860, "light"), ("dark", 1280, 860, "dark"), ("phone", 390, 844, "light")]


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else HERE)
    folder.mkdir(parents=True, exist_ok=True)
    if "SITE" in os.environ:
        name, password = os.environ["OWNER"].split(":", 1)
        with Browser() as browser:
            pictures(browser, os.environ["SITE"], name, password, folder)
        return
    with tempfile.TemporaryDirectory() as temporary, Site(temporary) as site, Browser() as browser:
        pictures(browser, site.url, "ada", PASSWORD, folder)
    with tempfile.TemporaryDirectory() as temporary, Site(temporary, 0) as site, Browser() as browser:
        first_pictures(browser, site.url, "ada", PASSWORD, folder)
    with tempfile.TemporaryDirectory() as temporary, Site(temporary, 60, 3) as site, Browser() as browser:
        young_pictures(browser, site.url, "ada", PASSWORD, folder)
    with Demo() as demo, Browser() as browser:
        broadcast_pictures(browser, demo, folder)


def pictures(browser, site, name, password, folder):
    """Goes through the pages in each look."""
    page = lambda path: browser.go(site + "/admin" + path)
    for look, width, height, scheme in LOOKS:
        browser.look(width, height, scheme)

        def picture(of, whole=False):
            browser.save(folder / f"{of}-{look}.png", whole)

        browser.forget()
        page("/sign-in")
        picture("sign-in")
        sign_in(browser, name, password)
        browser.wait(".charts")
        picture("dashboard", whole=True)
        if look != "phone":
            browser.look(1280, 720, scheme)
            page("")
            browser.wait(".charts")
            picture("readme")
            browser.look(width, height, scheme)
        page("/figures")
        picture("definitions")
        page("/users")
        browser.wait("#results")
        picture("users")
        page("/users?filter=reachable+joined%3C90d+days%3E%3D5+(lang:en+or+lang:ru)&sort=-active_days")
        picture("filters")
        user = browser.script("return document.querySelector('tbody th a').getAttribute('href')")
        browser.go(site + user)
        browser.script("document.querySelector('#note-text').value = 'Asked for games in Czech.'")
        browser.click("#note .primary")
        browser.wait("#note .message")
        browser.go(site + user)
        picture("user")
        page("/delete?all=1&filter=blocked+seen%3C30d+lang:ru")
        picture("delete")
        page("/audit")
        picture("audit")
        page("/admins")
        picture("admins")
        page("/account")
        picture("account")
        page("/account/second-factor")
        picture("second-factor")


def first_pictures(browser, site, name, password, folder):
    """What somebody sees before anybody has written to the bot."""
    for look, width, height, scheme in LOOKS:
        browser.look(width, height, scheme)
        browser.forget()
        browser.go(site + "/admin")
        sign_in(browser, name, password)
        browser.wait(".account")
        browser.save(folder / f"first-{look}.png")


def young_pictures(browser, site, name, password, folder):
    """The dashboard of a bot in its first days."""
    for look, width, height, scheme in LOOKS:
        browser.look(width, height, scheme)
        browser.forget()
        browser.go(site + "/admin")
        sign_in(browser, name, password)
        browser.wait(".charts")
        browser.save(folder / f"young-{look}.png", whole=True)


def broadcast_pictures(browser, demo, folder):
    """Writing a broadcast, starting it, watching it go out, and its result."""
    page = lambda path: browser.go(demo.admin + path)

    def form(pairs, pressed, click):
        page("/broadcasts/new")
        browser.wait("#text0")
        if pressed:
            browser.script("document.querySelector('[aria-labelledby=try] details').open = true")
            browser.click("[aria-labelledby=try] button[value=variant]")
            browser.wait("#text_b0")
        for selector, text in pairs:
            browser.put(selector, text)
        browser.click(click)

    sale = [("#text0", "Hello {first_name|friend},\n\n<b>our spring sale begins</b>: 20% off "
                       "<a href=\"https://example.org\">everything</a> until Sunday."),
            ("#buttons", "Open the shop = https://example.org\nRemind me = press:I will! | No, thanks = press"),
            ("#filter", "seen<120d"), ("#category", "promo"), ("#name", "Spring sale")]
    second = [("#text_b0", "<b>20% off everything</b>, this week only. See you, {first_name|friend}!"),
              ("#winner", "presses"), ("#test-part", "30")]
    browser.look(1280, 860, "light")
    browser.go(demo.link)
    browser.click("form .primary")
    browser.wait(".charts")
    # A broadcast that is finished, and what its recipients did.
    form([*sale, *second], True, "button[value=save]")
    browser.wait(".head .state")
    result = browser.script("return location.pathname").split("/")[-1]
    page(f"/broadcasts/{result}/start")
    browser.click("button[value=now]")
    demo.wait("SELECT COUNT(*) FROM broadcasts WHERE tested_at IS NOT NULL")
    demo.respond(result)
    page(f"/broadcasts/{result}")
    browser.click("[aria-labelledby=pick] button[value=B]")
    demo.wait("SELECT COUNT(*) FROM broadcasts WHERE state = 'finished'")
    # Some users have opted out since, and some have blocked the bot.
    demo.change("INSERT OR IGNORE INTO opt_outs (telegram_id, category, at) "
                "SELECT telegram_id, 'promo', '2026-01-01 00:00:00.000000' FROM telegram_users "
                "WHERE telegram_id % 23 = 0")
    # One that takes long, at 25 messages a second.
    rate = [("#rate", "25"), ("#name", "Last days of the sale")]
    form([*sale[:4], *rate], False, "button[value=save]")
    browser.wait(".head .state")
    going = browser.script("return location.pathname").split("/")[-1]
    for look, width, height, scheme in LOOKS:
        browser.look(width, height, scheme)
        form([*sale], False, "#preview + .row button")
        browser.wait("#preview .bubble")
        browser.wait("#audience p")
        browser.save(folder / f"compose-{look}.png", whole=True)
        page(f"/broadcasts/{going}/start")
        browser.wait(".figure")
        browser.save(folder / f"start-broadcast-{look}.png", whole=True)
    page(f"/broadcasts/{going}/start")
    browser.click("button[value=now]")
    browser.wait(".head .state")
    # The rate is known after some seconds.
    time.sleep(20)
    for look, width, height, scheme in LOOKS:
        browser.look(width, height, scheme)
        page(f"/broadcasts/{going}")
        browser.wait("#progress .pace")
        browser.save(folder / f"sending-{look}.png", whole=True)
        page(f"/broadcasts/{result}")
        browser.wait(".outcome-table")
        browser.save(folder / f"result-{look}.png", whole=True)
        page("/broadcasts")
        browser.wait(".broadcasts")
        browser.save(folder / f"broadcasts-{look}.png")


def sign_in(browser, name, password):
    browser.type("#name", name)
    browser.type("#password", password)
    browser.click("form .primary")


class Site:
    """`manage runserver` on a database of made-up people."""

    def __init__(self, folder, people=5000, days=None):
        self.people, self.days = people, days
        self.environment = {**os.environ, "DATABASE_URL": f"sqlite://{folder}/demo.db"}
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        subprocess.run(["cargo", "build", "--quiet", "--bin", "manage"], cwd=ROOT, check=True)
        manage = str(pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug/manage")
        run = lambda *arguments, **more: subprocess.run(
            [manage, *arguments], env=self.environment, check=True, **more)
        run("migrate", stdout=subprocess.DEVNULL)
        if self.people:
            days = ["--days", str(self.days)] if self.days else []
            run("demo-data", "--users", str(self.people), *days, stdout=subprocess.DEVNULL)
        for name, role in [("ada", "owner"), ("grace", "editor"), ("emmy", "viewer")]:
            run("createsuperuser", "--name", name, "--role", role,
                input=PASSWORD.encode() + b"\n", stdout=subprocess.DEVNULL)
        self.server = subprocess.Popen(
            [manage, "runserver", "--listen", f"127.0.0.1:{self.port}"],
            env=self.environment, stdout=subprocess.DEVNULL)
        wait_for(self.port)
        return self

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait()


class Demo:
    """`bot --demo`: a bot that sends to users of a simulated Telegram."""

    def __enter__(self):
        subprocess.run(["cargo", "build", "--quiet", "--bin", "bot"], cwd=ROOT, check=True)
        bot = str(pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug/bot")
        environment = {**os.environ, "LISTEN_ADDR": f"127.0.0.1:{free_port()}"}
        self.server = subprocess.Popen([bot, "--demo"], env=environment, text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.link = None
        for line in self.server.stdout:
            if found := re.search(r"temporary: sqlite:(?://)?(\S+)\.", line):
                self.file = found[1]
            if "/link/" in line:
                self.link = line.strip()
                break
        if self.link is None:
            raise SystemExit("the demo has ended")
        self.admin = self.link.split("/link/")[0]
        # What it prints later is not read, and must not keep it waiting.
        threading.Thread(target=self.server.stdout.read, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.send_signal(signal.SIGINT)
        self.server.wait()

    def change(self, *statements):
        with contextlib.closing(sqlite3.connect(self.file, timeout=30)) as database, database:
            for statement in statements:
                database.execute(statement)

    def wait(self, query):
        """Until a query counts something."""
        with contextlib.closing(sqlite3.connect(self.file, timeout=30)) as database:
            for _ in range(600):
                if database.execute(query).fetchone()[0]:
                    return
                time.sleep(0.1)
        raise SystemExit(f"nothing of: {query}")

    def respond(self, broadcast):
        """Some recipients of variants press buttons, block the bot and opt out, of B more than of A."""
        responses = [("A pressed", 41), ("B pressed", 63), ("A button 2", 29), ("B button 2", 48),
                     ("A blocked", 3), ("B blocked", 2), ("A opted_out", 4), ("B opted_out", 5),
                     ("winner pressed", 212), ("winner button 2", 168), ("winner blocked", 4),
                     ("winner opted_out", 7), ("pressed", 316), ("blocked", 9)]
        self.change(*(f"INSERT INTO broadcast_responses (broadcast, response, users) VALUES "
                      f"({broadcast}, '{response}', {users}) ON CONFLICT DO UPDATE SET users = excluded.users"
                      for response, users in responses),
                    f"UPDATE broadcasts SET opt_outs = 16 WHERE id = {broadcast}")


class Browser:
    """Chromium, by the WebDriver protocol."""

    def __enter__(self):
        port = free_port()
        self.driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL)
        wait_for(port)
        self.base = f"http://127.0.0.1:{port}/session"
        arguments = ["--headless=new", "--no-sandbox", "--hide-scrollbars", "--lang=en",
                     "--force-device-scale-factor=1"]
        options = {"goog:chromeOptions": {"args": arguments}}
        answer = self.call("", {"capabilities": {"alwaysMatch": options}})
        self.base += "/" + answer["sessionId"]
        # Away from the page that a new browser still opens.
        self.go("about:blank")
        return self

    def __exit__(self, *_):
        self.call("", method="DELETE")
        self.driver.terminate()
        self.driver.wait()

    def call(self, path, body=None, method="POST"):
        data = json.dumps(body if body is not None else {}).encode() if method == "POST" else None
        request = urllib.request.Request(self.base + path, data, method=method,
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{path}: {error.read().decode()[:500]}") from error

    def devtools(self, command, **parameters):
        return self.call("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def look(self, width, height, scheme):
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height,
                      deviceScaleFactor=1, mobile=width < 600)
        self.devtools("Emulation.setEmulatedMedia",
                      features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.devtools("Emulation.setTimezoneOverride", timezoneId="Europe/Prague")

    def forget(self):
        self.call("/cookie", method="DELETE")

    def go(self, url):
        self.call("/url", {"url": url})

    def element(self, selector):
        answer = self.call("/element", {"using": "css selector", "value": selector})
        return next(iter(answer.values()))

    def type(self, selector, text):
        self.call(f"/element/{self.element(selector)}/value", {"text": text})

    def put(self, selector, text):
        """Writes into a field, or chooses an option, in place of what is there."""
        self.script(f"const it = document.querySelector({json.dumps(selector)}); "
                    f"it.value = {json.dumps(text)}")

    def click(self, selector):
        self.call(f"/element/{self.element(selector)}/click")

    def wait(self, selector):
        """Until the page has this."""
        for _ in range(200):
            if self.script(f"return document.querySelector({json.dumps(selector)}) !== null"):
                return
            time.sleep(0.05)
        raise SystemExit(f"there is no {selector}")

    def script(self, script):
        return self.call("/execute/sync", {"script": script, "args": []})

    def save(self, path, whole=False):
        """Of what the window shows, or of the whole page."""
        width, height = self.script(
            "const it = document.documentElement; return [it.clientWidth, it.scrollHeight]")
        clip = {"clip": dict(x=0, y=0, width=width, height=height, scale=1)} if whole else {}
        picture = self.devtools("Page.captureScreenshot", format="png",
                                captureBeyondViewport=whole, **clip)
        path.write_bytes(base64.b64decode(picture["data"]))
        wide = self.script("return document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            print(f"{path.name}: {wide} pixels wider than the window", file=sys.stderr)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port}")


if __name__ == "__main__":
    main()
