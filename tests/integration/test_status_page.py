# SPDX-License-Identifier: Apache-2.0
"""The status page in a real browser: that of made-up boards in each state, on a phone and on a desk, by day and by night,
by keyboard, without JavaScript, and while it changes; and that of a real agent through a bad night."""

import functools
import http.server
import os
import subprocess
import threading
import time
import unittest
from pathlib import Path

from support import browser
from support.agents import Agent
from support.case import REQUIRE_SERVERS, Case, run_folder

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
const grounds = new Map([[null, [255, 255, 255, 1]]]);
const behind = (e) => { if (!grounds.has(e))
        grounds.set(e, over(parse(getComputedStyle(e).backgroundColor), behind(e.parentElement)));
    return grounds.get(e); };
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
        self.reload_s = 30
        self.requests = 0
        self.broken = False
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/"

    def show(self, scene, later=0):
        self.page = demo(scene, later).replace('http-equiv="refresh" content="30"',
                                               f'http-equiv="refresh" content="{self.reload_s}"').encode()

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


@functools.lru_cache(maxsize=None)
def demo(*words):
    return subprocess.run([DEMO, *map(str, words)], check=True, capture_output=True, encoding="utf-8").stdout


def scenes():
    return demo().split()


class PageCase(Case):
    together = "browser"
    seconds = 120

    def setUp(self):
        super().setUp()
        self.need(browser.MISSING)
        self.browser = browser.shared(run_folder())

    def need(self, missing):
        if missing and REQUIRE_SERVERS:
            self.fail(missing)
        if missing:
            raise unittest.SkipTest(missing)

    def text(self, selector):
        """What is read there; "" where there is no such element."""
        return self.browser.run("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def ask_again(self):
        """The page asks at once, as it does when it becomes visible."""
        self.browser.run("document.dispatchEvent(new Event('visibilitychange'))")

    def wait(self, condition, seconds=20):
        until = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), until, "it did not come to that")
            time.sleep(0.05)


class StatusPage(PageCase):
    def setUp(self):
        super().setUp()
        self.pages = Pages()
        self.addCleanup(self.pages.close)

    def open(self, scene, width=1280, **look):
        self.pages.show(scene)
        self.browser.look(width, **look)
        self.browser.get(self.pages.url)

    def refresh(self, scene, later=0):
        """Back when the page has shown what it asked for."""
        self.pages.show(scene, later)
        before = self.text("#as-of")
        self.ask_again()
        self.wait(lambda: self.text("#as-of") != before)

    def test_every_state_can_be_read_on_every_screen(self):
        for scene in scenes():
            self.open(scene)
            # 640 is a desk's screen at 200 %, 320 one at 400 %.
            for width, scheme in ((320, "light"), (320, "dark"), (640, "light"), (1280, "dark"), (1280, "light")):
                with self.subTest(scene=scene, width=width, scheme=scheme):
                    self.browser.look(width, scheme=scheme)
                    self.check_screen(width)
            self.browser.run("document.documentElement.style.fontSize = '200%'")
            with self.subTest(scene=scene, text="200 %"):
                self.check_screen(1280)
            self.assertEqual([], self.browser.complaints(), scene)

    def check_screen(self, width):
        scroll_width, outside, texts = self.browser.run(
            f"return [document.documentElement.scrollWidth, (() => {{{OUTSIDE}}})(), (() => {{{CONTRASTS}}})()]")
        self.assertLessEqual(scroll_width, width)
        self.assertEqual([], outside)
        self.assertGreater(len(texts), 40)
        self.assertEqual([], [text for text in texts if text[0] < CONTRAST])

    def test_each_state_answers_on_the_first_screen(self):
        """Am I safe, what is wrong, what do I do: on a phone, before anything is scrolled."""
        for scene in scenes():
            if scene in ("crowded", "hostile"):  # their errors are longer than a screen
                continue
            self.pages.show(scene)
            self.browser.look(360, 740)
            self.browser.get(self.pages.url)
            below = self.browser.run("""return ["health-h", "safety", "cause", "advice"].filter((id) =>
                document.getElementById(id)?.getBoundingClientRect().bottom > innerHeight)""")
            self.assertEqual([], below, scene)
            wrong = scene in ("late", "failing", "server-down", "store-down", "suspicious")
            self.assertEqual([wrong, wrong or scene == "never"], [bool(self.text("#cause")), bool(self.text("#advice"))],
                             scene)

    def test_a_thumb_finds_what_can_be_pressed(self):
        self.open("failing", 360)
        sizes = self.browser.run("""return [...document.querySelectorAll("nav a, summary")]
            .map((e) => [e.id, e.getBoundingClientRect().height, e.getBoundingClientRect().width])""")
        self.assertEqual(4, len(sizes))
        self.assertEqual([], [size for size in sizes if size[1] < 44 or size[2] < 44])

    def test_what_is_heard_comes_in_the_order_that_is_seen(self):
        for width in (360, 640):
            self.open("failing", width)
            tops = self.browser.run("return [...document.querySelectorAll('h1, #health, #work, main h2, footer')]"
                                    ".map((e) => e.getBoundingClientRect().top)")
            self.assertEqual(sorted(tops), tops)
        self.refresh("server-down", 60)
        self.assertEqual("Server down: shop-cache - remora", self.browser.run(
            "return document.querySelector('#news[role=status]').textContent"))

    def test_on_paper_and_without_motion(self):
        self.browser.look(1280, scheme="dark", medium="print", motion="reduce")
        self.pages.show("running")
        self.browser.get(self.pages.url)
        self.assertEqual([0, "rgb(248, 248, 245)", False, True], self.browser.run(
            """return [document.getAnimations().length, getComputedStyle(document.documentElement).backgroundColor,
                document.querySelector("nav").checkVisibility(), document.querySelector("#backups").checkVisibility()]"""))
        self.assertEqual([], [text for text in self.browser.run(CONTRASTS) if text[0] < CONTRAST])

    def test_the_viewers_own_time_stands_by(self):
        moments = "return [...document.querySelectorAll('#figures .moment')].map((e) => e.innerText)"
        self.open("healthy")
        self.assertEqual("23 Nov 10:01 UTC", self.browser.run(moments)[0])
        self.browser.zone("Asia/Kolkata")
        self.open("healthy", 320)
        self.assertEqual("23 Nov 10:01 UTC (15:31 local)", self.browser.run(moments)[0])
        self.check_screen(320)
        self.refresh("healthy", 60)
        self.assertEqual("as of 10:43:10 UTC (16:13 local)", self.text("#as-of"))
        self.browser.zone("Pacific/Auckland")
        self.open("healthy")
        self.assertEqual("24 Nov 01:00", self.browser.run(moments)[1].split("(")[1].removesuffix(" local)"))

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
            self.assertIn("loaded anew every 30 seconds", self.text("footer"))

    def test_without_scripts_it_is_loaded_anew(self):
        self.pages.reload_s = 1
        self.open("healthy", scripts=False)
        self.pages.show("server-down")
        self.wait(lambda: "Server down" in self.text("#health"))
        self.open("healthy")  # with scripts: by the script alone
        requests = self.pages.requests
        time.sleep(2)
        self.assertEqual(requests, self.pages.requests)

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
        self.assertIn("5 minutes ago", self.browser.run("return document.getElementById('errors').innerText"))
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


class BadNight(PageCase):
    """A real agent and its server and repository."""

    def headline(self):
        return self.text("#health-h")

    def wait_for_headline(self, words, seconds=60):
        """By the page alone: what it asks for is what the agent knows."""
        def stands():
            self.ask_again()
            return self.headline() == words
        self.wait(stands, seconds)

    def check_clean(self, agent):
        """Nothing was said on the console, no policy was violated, and nobody else was asked for anything."""
        self.assertEqual([], self.browser.complaints())
        asked = self.browser.run("return performance.getEntriesByType('resource').map((e) => e.name)")
        self.assertEqual({agent.url + "/"}, set(asked))

    def test_from_the_first_backup_to_the_worst(self):
        found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        self.need(None if found else "there is no libfaketime here (sh tests/install-packages.sh rgw)")
        clock = self.folder / "clock"
        clock.write_text("+0\n")
        server = self.server("--repl-diskless-sync-delay", "0", "--rdb-key-save-delay", "1000")
        server.call("DEBUG", "POPULATE", 6000, "key", 100)  # a save of 6 s, which tells of every 1,024 keys
        # Of replicas alone: the schedule makes the backup late and does not make up for it.
        repo = self.repository()
        agent = Agent(self, repo, "--redis-url", server.unix_url, "--backup-schedule", "@every 1h",
                      "--run-on", "replica", "--method", "bgsave", "--data-dir", server.data,
                      env={"LD_PRELOAD": str(found[0]), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1",
                           "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
        self.browser.get(agent.url + "/")

        self.wait_for_headline("No backup yet")
        self.assertIn("There is no good backup yet", self.text("#safety"))
        self.assertIn("remora trigger", self.text("#advice code"))

        agent.trigger()
        self.wait(lambda: self.ask_again() or self.text("#work-l").lower() == "backup")
        shares = set()
        def is_half_done():
            self.ask_again()
            value = self.browser.run("return document.querySelector('#work progress')?.getAttribute('value')")
            shares.update([float(value)] if value else [])
            return self.headline() == "Healthy"
        self.wait(is_half_done, 60)
        self.assertGreaterEqual(len(shares), 2, "no progress was seen")
        self.assertEqual("", self.text("#cause") + self.text("#advice"))
        self.assertIn("Nothing is running", self.text("#work"))
        self.check_clean(agent)

        clock.write_text("+3h\n")
        self.wait_for_headline("Late")
        self.assertIn("none came in time", self.text("#cause"))
        self.assertIn("The last good backup is 3 hours old", self.text("#safety"))
        self.assertIn("remora trigger", self.text("#advice"))
        clock.write_text("+0\n")
        self.wait_for_headline("Healthy")

        server.kill()
        self.wait_for_headline("Server down")
        self.assertIn("The server cannot be used: ", self.text("#cause"))
        self.assertIn("The last good backup is", self.text("#safety"))
        self.assertIn("Start the server", self.text("#advice"))
        self.check_clean(agent)

        repo.path.rename(self.folder / "away")
        agent.trigger()  # it meets the loss before the next look at the repository is due
        self.wait_for_headline("Repository down", 100)
        self.assertIn("The repository cannot be used: ", self.text("#cause"))
        self.assertIn("Bring the store back", self.text("#advice"))
        self.assertIn("down", self.text("#store dl"))
        self.check_clean(agent)

        self.browser.look(360, 740, scripts=False)
        self.browser.get(agent.url + "/")
        self.assertEqual("Repository down", self.headline())
        self.assertEqual([], self.browser.complaints())
