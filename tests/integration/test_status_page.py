# SPDX-License-Identifier: Apache-2.0
"""The status page of the agent in a real browser: how each state looks on a phone and on a desk, by day and by night,
by keyboard, without JavaScript, and while it changes."""

import http.server
import os
import subprocess
import threading
import time
import unittest
from pathlib import Path

from support import browser
from support.case import REQUIRE_SERVERS, Case

DEMO = os.environ.get("PAGE_DEMO") or str(Path(__file__).parents[2] / "build/release/tests/torture/page_demo")
TAB = "\ue004"
CONTRAST = 4.5  # to one, for text of any size

# Every visible text with its colour on what is painted behind it: [contrast, text].
CONTRASTS = """
const known = new Map(), canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
const parse = (css) => {
    if (!known.has(css)) {
        canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = css; canvas.fillRect(0, 0, 1, 1);
        const d = canvas.getImageData(0, 0, 1, 1).data;
        known.set(css, [d[0], d[1], d[2], d[3] / 255]);
    }
    return known.get(css); };
const over = (top, base) => [0, 1, 2].map((i) => top[i] * top[3] + base[i] * (1 - top[3])).concat(1);
const light = (c) => { const [r, g, b] = c.slice(0, 3).map((v) => { v /= 255;
    return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const behind = (e) => { const layers = []; for (; e; e = e.parentElement) layers.push(getComputedStyle(e).backgroundColor);
    return layers.reverse().map(parse).reduce((base, top) => over(top, base), [255, 255, 255, 1]); };
const found = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
    const e = walker.currentNode.parentElement, text = walker.currentNode.data.trim();
    if (!text || e.closest("script, style, noscript, title, desc") || !e.checkVisibility()) continue;
    const style = getComputedStyle(e), base = behind(e);
    const top = over(parse(e.closest("svg") ? style.fill : style.color), base);
    const [a, b] = [light(top), light(base)].sort((x, y) => y - x);
    found.push([(a + 0.05) / (b + 0.05), text.slice(0, 60)]);
}
return found;
"""

# What reaches over the right edge of the window.
OUTSIDE = """
return [...document.body.querySelectorAll("*")].filter((e) => e.checkVisibility() && !e.closest(".skip, .unseen, thead"))
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML.slice(0, 120));
"""


class Pages(http.server.ThreadingHTTPServer):
    """Serves the page of a scene as the agent does, with its policy."""
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answers)
        self.policy = demo("policy").strip()
        self.show("healthy")
        self.requests = 0
        self.broken = False
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/"

    def show(self, scene, later=0):
        self.page = demo(scene, later).encode()

    def close(self):
        self.shutdown()
        self.server_close()


class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests += 1
        if self.server.broken:
            self.close_connection = True
            return
        found = self.path in ("/", "/favicon.ico")
        page = self.server.page if self.path == "/" else b""
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", self.server.policy)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_):
        pass


def demo(*words):
    return subprocess.run([DEMO, *map(str, words)], check=True, capture_output=True, encoding="utf-8").stdout


def scenes():
    return demo().split()


class StatusPage(Case):
    seconds = 120

    def setUp(self):
        super().setUp()
        if browser.MISSING:
            if REQUIRE_SERVERS:
                self.fail(browser.MISSING)
            raise unittest.SkipTest(browser.MISSING)
        self.pages = Pages()
        self.addCleanup(self.pages.close)
        driver = browser.Driver(self.folder)
        self.addCleanup(driver.close)
        self.browser = browser.Browser(driver)
        self.addCleanup(self.browser.close)

    def open(self, scene, width=1280, **look):
        self.pages.show(scene)
        self.browser.look(width, **look)
        self.browser.get(self.pages.url)

    def refresh(self, scene, later=0):
        """The page asks again at once, as it does when it becomes visible; back when it has shown the answer."""
        self.pages.show(scene, later)
        before = self.browser.run("document.dispatchEvent(new Event('visibilitychange'));"
                                  "return document.getElementById('as-of').textContent")
        self.wait(lambda: self.browser.run("return document.getElementById('as-of').textContent") != before)

    def wait(self, condition, seconds=20):
        until = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), until, "it did not come to that")
            time.sleep(0.05)

    def test_every_state_can_be_read_on_every_screen(self):
        for scene in scenes():
            self.open(scene)
            for width in (320, 1280):
                for scheme in ("light", "dark"):
                    with self.subTest(scene=scene, width=width, scheme=scheme):
                        self.browser.look(width, scheme=scheme)
                        self.check_screen(width)

    def check_screen(self, width):
        self.assertEqual([], self.browser.complaints())
        self.assertLessEqual(self.browser.run("return document.documentElement.scrollWidth"), width)
        self.assertEqual([], self.browser.run(OUTSIDE))
        texts = self.browser.run(CONTRASTS)
        self.assertGreater(len(texts), 40)
        self.assertEqual([], [text for text in texts if text[0] < CONTRAST])

    def test_no_server_word_becomes_markup(self):
        self.open("hostile")
        self.assertEqual([], self.browser.complaints())
        self.assertEqual([0, 1, 1], self.browser.run(
            "return ['img', 'script', 'style'].map((name) => document.querySelectorAll(name).length)"))
        self.assertIn("<img src=x onerror=alert(1)>", self.browser.run("return document.querySelector('h1').textContent"))
        # And were there a hole: the policy lets no script of another digest run.
        self.browser.run("const s = document.createElement('script'); s.textContent = 'window.broken = 1';"
                         "document.body.append(s)")
        self.assertIsNone(self.browser.run("return window.broken ?? null"))
        self.assertIn("Content Security Policy", "".join(self.browser.complaints()))

    def test_headings_and_landmarks_are_in_order(self):
        for scene in ("healthy", "never"):
            self.open(scene)
            levels = self.browser.run("return [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map((h) => +h.tagName[1])")
            self.assertEqual([1], [level for level in levels if level == 1])
            self.assertTrue(all(b <= a + 1 for a, b in zip(levels, levels[1:])), levels)
            roles = {node["role"]["value"] for node in
                     self.browser.devtools("Accessibility.getFullAXTree")["nodes"] if not node["ignored"]}
            self.assertLessEqual({"banner", "main", "contentinfo", "navigation", "region", "status", "table"}, roles)

    def test_tab_reaches_all_and_shows_where_it_is(self):
        for scheme in ("light", "dark"):
            self.open("failing", scheme=scheme)
            wanted = self.browser.run("return [...document.querySelectorAll('a[href], summary, button, input, "
                                      "[tabindex=\"0\"]')].map((e) => e.id)")
            self.assertEqual(["skip", "errors-more", "to-status", "to-backups", "to-metrics"], wanted)
            for name in wanted:
                self.browser.press(TAB)
                at = self.browser.run("""const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();
                    return [e.id, s.outlineStyle, parseFloat(s.outlineWidth), r.left >= 0 && r.width > 0 && r.height > 0]""")
                self.assertEqual([name, "solid", 3, True], at)

    def test_without_scripts_it_says_the_same(self):
        words = "return document.querySelector('main').innerText"
        for scene in ("healthy", "running", "store-down"):
            self.open(scene)
            live = self.browser.run(words)
            self.open(scene, scripts=False)
            self.assertEqual(live, self.browser.run(words))
            self.assertIn("Reload the page", self.browser.run("return document.querySelector('footer').innerText"))
        requests = self.pages.requests
        time.sleep(6)
        self.assertEqual(requests, self.pages.requests, "a script has run")

    def test_live_changes_come_in_place(self):
        self.open("failing", 320)
        self.browser.run("""document.getElementById('errors-older').open = true;
            const more = document.getElementById('errors-more'); more.focus(); scrollTo(0, more.offsetTop - 100)""")
        time.sleep(0.3)
        self.browser.run("""window.mark = 1; window.shifts = [];
            new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map((e) => e.value)))
                .observe({type: 'layout-shift'})""")
        before = self.browser.run("return scrollY")
        self.refresh("failing", 60)
        self.assertEqual([1, "errors-more", True, before], self.browser.run(
            "return [window.mark, document.activeElement.id, document.getElementById('errors-older').open, scrollY]"))
        self.assertIn("5 min ago", self.browser.run("return document.getElementById('errors').innerText"))
        time.sleep(0.3)
        self.assertEqual([], self.browser.run("return window.shifts"))
        self.assertEqual([], self.browser.complaints())

    def test_a_job_that_starts_moves_nothing(self):
        tops = "return ['figures', 'timeline', 'jobs'].map((id) => document.getElementById(id).getBoundingClientRect().top)"
        for width in (320, 1280):
            self.open("healthy", width)
            idle = self.browser.run(tops)
            self.refresh("running", 30)
            self.assertEqual("backup", self.browser.run("return document.getElementById('work-l').textContent"))
            self.assertEqual(idle, self.browser.run(tops))

    def test_selected_words_are_not_taken_away(self):
        self.open("failing")
        self.browser.run("getSelection().selectAllChildren(document.querySelector('#errors li p + p'))")
        words = self.browser.run("return String(getSelection())")
        self.refresh("healthy", 60)
        self.assertIn("MISCONF", words)
        self.assertEqual(words, self.browser.run("return String(getSelection())"))
        self.assertIn("Healthy", self.browser.run("return document.getElementById('health').innerText"))

    def test_an_agent_that_is_gone_is_told(self):
        told = "return document.getElementById('link').innerText"
        self.open("healthy")
        self.assertEqual("", self.browser.run(told))
        self.pages.broken = True
        self.wait(lambda: "has not answered since" in self.browser.run(told))  # by itself, after a few seconds
        self.assertEqual([], [text for text in self.browser.run(CONTRASTS) if text[0] < CONTRAST])
        self.pages.broken = False
        self.wait(lambda: self.browser.run(told) == "")
