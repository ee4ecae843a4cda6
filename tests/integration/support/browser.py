# SPDX-License-Identifier: Apache-2.0
"""Chromium without a window, driven by chromedriver over plain HTTP and JSON (the WebDriver protocol)."""

import base64
import json
import os
import shutil
import socket
import time
import urllib.error
import urllib.request

from . import processes

CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")
MISSING = None if CHROMIUM and DRIVER else "there is no chromium with chromedriver here " \
    "(sh tests/install-packages.sh browser)"


class BrowserError(Exception):
    pass


def _free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Driver:
    """One chromedriver; its browsers and it end with the test."""

    def __init__(self, folder):
        self.folder = folder
        self.port = _free_port()
        # A group of its own: what the driver starts is ended with it. HOME: the browser writes below it.
        self.log = open(folder / "chromedriver.log", "wb")
        self.process = processes.start([DRIVER, f"--port={self.port}", "--allowed-ips=127.0.0.1"], stdout=self.log,
                                       stderr=self.log, start_new_session=True,
                                       env={**os.environ, "HOME": str(folder), "TMPDIR": str(folder)})
        self._wait()

    def _wait(self):
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                if self.call("GET", "/status")["ready"]:
                    return
            except OSError:
                time.sleep(0.1)
        raise BrowserError("chromedriver did not answer within 30 s")

    def call(self, method, path, body=None):
        """The value of the answer."""
        data = None if method == "GET" else json.dumps(body or {}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, method=method,
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error)["value"]
            raise BrowserError(f"{value['error']}: {value['message']}") from None

    def close(self):
        try:
            os.killpg(self.process.pid, 9)
        except ProcessLookupError:
            pass
        processes.end(self.process)
        self.log.close()


class Browser:
    """One session: a browser with a profile of its own."""

    def __init__(self, driver):
        self.driver = driver
        arguments = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                     "--no-first-run", "--disable-background-networking"]
        if os.geteuid() == 0:
            arguments.append("--no-sandbox")  # Chromium asks for it as root
        options = {"binary": CHROMIUM, "args": arguments}
        capabilities = {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options,
                                        "goog:loggingPrefs": {"browser": "ALL"}}}
        self.id = driver.call("POST", "/session", {"capabilities": capabilities})["sessionId"]

    def _call(self, method, path, body=None):
        return self.driver.call(method, f"/session/{self.id}{path}", body)

    def devtools(self, command, **parameters):
        return self._call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def look(self, width, height=800, scheme="light", scripts=True, medium="", motion="no-preference"):
        """How the next pages are shown."""
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                      mobile=width < 600)
        self.devtools("Emulation.setEmulatedMedia", media=medium, features=[
            {"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": motion}])
        self.devtools("Emulation.setScriptExecutionDisabled", value=not scripts)

    def zone(self, name):
        """Where in the world the next pages are read."""
        self.devtools("Emulation.setTimezoneOverride", timezoneId=name)

    def get(self, url):
        self._call("POST", "/url", {"url": url})

    def run(self, script, *arguments):
        """What the function body returns; it runs from outside of the page, whose policy does not hold for it."""
        return self._call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def press(self, key):
        self._call("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": [
            {"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]}]})

    def complaints(self):
        """What the console said since the last time: also each violation of a policy."""
        return [f"{entry['level']}: {entry['message']}" for entry in self._call("POST", "/se/log", {"type": "browser"})]

    def screenshot(self, whole=False):
        """A PNG of what is visible, or of the whole page."""
        if not whole:
            return base64.b64decode(self._call("GET", "/screenshot"))
        shot = self.devtools("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return base64.b64decode(shot["data"])

    def close(self):
        self._call("DELETE", "")


# ---- one for all tests of a process ----------------------------------------------------------------------------------

_kept = []


def shared(folder):
    """The browser of this process, as a new one would be but for its cache; it ends with stop_all()."""
    if not _kept:
        driver = Driver(folder)
        _kept.append(driver)
        _kept.append(Browser(driver))
    browser = _kept[1]
    browser.zone("UTC")
    browser.look(1280)
    browser.get("about:blank")
    browser.complaints()
    return browser


def stop_all():
    """Its processes; with them its session ends."""
    if _kept:
        _kept[0].close()
    _kept.clear()
