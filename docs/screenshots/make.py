#!/usr/bin/env python3
"""Makes the pictures in this folder: each page of the web admin, light, dark and on a phone.

    docs/screenshots/make.py [FOLDER]

Needs chromium and chromedriver, and fonts for names in all scripts (Debian: apt-get install chromium
chromium-driver fonts-noto-core fonts-droid-fallback fonts-nanum), and builds `manage` if need be. The people are made up, in a temporary database. With SITE=http://host:port,
OWNER=name:password it takes pictures of a site that runs already.
"""

import base64
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
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
