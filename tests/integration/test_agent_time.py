# SPDX-License-Identifier: Apache-2.0
"""
The agent and time: clocks that jump or are wrong, its end in every phase of its work, secrets that change while it
runs, and jobs that stand still.
"""

import datetime
import json
import signal
import threading
import time
import urllib.error
import urllib.request

from support import faults, gateway, processes, remora, s3
from support.agents import Agent
from support.case import each, limit
from support.clock import Clock
from support.repository import grow_older, objects
from test_agent import QUICK, SLOW, AgentCase

HOUR = 3600


def slot_time(name):
    moment = datetime.datetime.strptime(name.split(".")[0], "%Y%m%dT%H%M%SZ")
    return moment.replace(tzinfo=datetime.timezone.utc).timestamp()


class TimeCase(AgentCase):
    def hanging(self, part, changing=True):
        """(the environment of an agent where the first call on this part of the instance never returns, the log)"""
        log = self.folder / f"calls-{part}"
        under = self.repo.path / "instances" / self.repo.instance / part
        return faults.environment(under=under, place=faults.Place(1, "", ""), what="hang", log=log,
                                  changing=changing), log

    def wait_for_hang(self, agent, log, seconds=40):
        agent.wait("nothing hangs", lambda: log.exists() and log.read_text().startswith("1 "), seconds)

    def check_nothing_half(self):
        """What is listed is whole; a backup succeeds; what is left goes with prune, a day later."""
        self.check_whole()
        dump = self.folder / "another.rdb"
        server = self.server(*QUICK, name="another")
        self.fill(server, 10)
        server.call("SAVE")
        dump.write_bytes(server.dump.read_bytes())
        self.expect(remora.OK, self.repo.run("backup", "--rdb-file", dump))
        ids = set(self.ids(self.repo))
        for _ in range(2):
            grow_older(self.repo.path, 50)
            self.expect(remora.OK, self.repo.run("prune", "--keep-last", "100", "--apply"))
        data = self.repo.path / "instances" / self.repo.instance / "data"
        self.assertEqual(ids, {p.name for p in data.iterdir()})
        self.assertEqual([], [p for p in objects(self.repo.path) if p.name.startswith(".tmp-")])


# ---- clocks ----------------------------------------------------------------------------------------------------------

class Clocks(TimeCase):
    def claims(self):
        """The names of claims of backups: SLOT.json, or SLOT.N.json."""
        folder = self.repo.path / "instances" / self.repo.instance / "leases/backup"
        return [p.name for p in folder.iterdir() if p.name.endswith(".json") and ".done." not in p.name]

    def check_ages(self, agent):
        """What people and Prometheus are shown is no age below nothing."""
        for line in agent.get("/metrics").decode().splitlines():
            if not line.startswith("#"):
                self.assertGreaterEqual(float(line.rsplit(" ", 1)[1]), 0, line)
        status = agent.status()
        self.assertNotRegex(status["health"]["sentence"], r"-\d")
        self.assertNotRegex(agent.get("/").decode(), r">\s*-\d")

    def check_calm(self, agent):
        self.assertEqual({}, agent.kind()["failures"])
        self.check_ages(agent)
        self.assertEqual(0, agent.end()[0])
        self.check_whole()

    def test_an_hour_forward(self):
        clock = Clock(self.folder)
        agent = self.agent(self.server(*QUICK), "--backup-schedule", "@every 5s", env=clock.env)
        agent.wait_for_successes(2)
        jumped = time.time()
        clock.set(HOUR)
        before = agent.kind()["successes"]
        agent.wait_for_successes(before + 3, seconds=60)
        between = [n for n in self.claims() if jumped + 10 < slot_time(n) < jumped + HOUR - 5]
        self.assertEqual([], between, "slots that never came were made up for")
        self.check_calm(agent)

    @limit(180)
    def test_an_hour_back_and_on_through_the_same_time(self):
        """Slots that were not run yet, then ones that were: it goes on with both."""
        clock = Clock(self.folder)
        agent = self.agent(self.server(*QUICK), "--backup-schedule", "@every 4s", env=clock.env)
        agent.wait_for_successes(2)
        clock.set(-HOUR)
        before = agent.kind()["successes"]
        agent.wait_for_successes(before + 6, seconds=60)
        self.assertEqual([], [n for n in self.claims() if n.count(".") > 1], "a slot was done twice")
        self.check_ages(agent)
        clock.set(-HOUR - 20)
        agent.wait("it stands still since the clock was put back",
                   lambda: len([n for n in self.claims() if n.endswith(".1.json")]) >= 2, 60)
        clock.set(0)
        before = agent.kind()["successes"]
        agent.wait_for_successes(before + 2, seconds=60)
        self.check_calm(agent)

    def test_a_daily_slot_is_not_done_again(self):
        clock = Clock(self.folder)
        agent = self.agent(self.server(*QUICK), "--backup-schedule", "@every 24h", env=clock.env)
        agent.wait_for_successes(1)
        midnight = time.time() // (24 * HOUR) * 24 * HOUR
        clock.set(int(midnight - HOUR - time.time()))
        time.sleep(2)
        clock.set(int(midnight + 5 - time.time()))  # it comes again
        time.sleep(3)
        self.assertLessEqual(agent.kind()["successes"], 2)  # yesterday's slot was not done by anybody
        self.assertEqual([], [n for n in self.claims() if n.count(".") > 1])
        self.check_calm(agent)

    def test_neither_watchdog_nor_grace_is_touched(self):
        clock = Clock(self.folder)
        server = self.server(*SLOW)
        self.fill(server, 600)
        agent = self.agent(server, "--backup-schedule", "@every 24h", "--stall-timeout", "5m", "--grace", "7s",
                           env=clock.env)
        agent.wait_for_running("saving")
        clock.set(HOUR)
        time.sleep(1.5)
        clock.set(-HOUR)
        agent.wait_for_successes(1, seconds=60)
        self.assertEqual({}, agent.kind()["failures"])
        server.config("rdb-key-save-delay", 100000)
        agent.trigger()
        agent.wait_for_running("saving")
        stopped = threading.Timer(1, lambda: clock.set(-3 * HOUR))
        stopped.start()
        self.addCleanup(stopped.join)
        status, seconds = agent.end()
        self.assertEqual(0, status)
        self.assertLess(seconds, 9)

    @limit(180)
    def test_wrong_clocks_beside_a_right_one(self):
        """One is fast by more than slots are apart, one is slow by an hour: each slot of the right clock is done in its
        time, and nobody does more than one job a slot."""
        server = self.server(*QUICK)
        self.fill(server, 10)
        words = ["--backup-schedule", "@every 5s"]
        began = time.monotonic()
        fast = self.agent(server, *words, env=Clock(self.folder, 20).env)
        slow = self.agent(server, *words, env=Clock(self.folder, -HOUR).env)
        fast.wait_for_successes(5, seconds=60)  # from now on it is ahead of the slots of the right one
        first = time.time()
        right = self.agent(server, *words)
        right.wait_for_successes(4, seconds=90)
        slow.wait_for_successes(4, seconds=60)
        runs = [agent.kind()["successes"] for agent in (fast, slow, right)]
        self.assertLessEqual(max(runs), (time.monotonic() - began) / 5 + 2)
        for agent in (fast, slow, right):
            self.check_calm(agent)
        in_time = [n for n in self.claims()
                   if n.endswith(".1.json") and first - 5 <= slot_time(n) <= time.time()]
        self.assertGreaterEqual(len(in_time), 3, sorted(self.claims()))


# ---- the end, in each phase ------------------------------------------------------------------------------------------

class Ends(TimeCase):
    def check_end(self, agent, grace, *words, how=signal.SIGTERM):
        children = agent.children()
        status, seconds = agent.end(how)
        self.assertEqual(0, status, agent.log)
        self.assertLess(seconds, grace + 3, agent.log)
        self.gone(children)
        for word in words:
            self.assertIn(word, agent.log)

    def test_while_the_server_loads(self):
        server = self.server("--key-load-delay", "5000", "--loading-process-events-interval-bytes", "1024")
        self.fill(server, 3000)
        server.call("SAVE")
        server.kill()
        server.start(wait=False)
        agent = self.agent(server, "--backup-schedule", "@every 1s")
        self.assertIn("load", agent.wait_for_health("server-down").lower())
        self.check_end(agent, 1)
        self.assertEqual(set(), self.slots()[0])

    def test_while_another_save_is_waited_for(self):
        server = self.server(*SLOW)
        self.fill(server, 3000)
        server.call("BGSAVE")
        agent = self.agent(server, "--backup-schedule", "@every 1h", "--data-dir", server.data, "--grace", "3s")
        agent.wait_for_running("waiting")
        self.check_end(agent, 3)
        self.assertNotIn("killed", agent.log)
        self.check_nothing_half()

    @each(part=["data", "backups"])
    def test_while_the_store_hangs(self, part):
        """As it stores segments, and as it publishes: the job cannot even clean up after itself."""
        env, log = self.hanging(part)
        agent = self.agent(self.server(*QUICK), "--backup-schedule", "@every 1h", "--grace", "2s", env=env)
        self.wait_for_hang(agent, log)
        self.check_end(agent, 2, "killed")
        self.assertEqual([], self.ids(self.repo))
        self.check_nothing_half()

    def test_while_a_slot_is_claimed(self):
        env, log = self.hanging("leases")
        agent = self.agent(self.server(*QUICK), "--backup-schedule", "@every 1h", "--grace", "20s", env=env)
        self.wait_for_hang(agent, log)
        self.assertEqual("succeeded", agent.finish(agent.trigger()["id"])["state"])  # nobody waits for the claim
        self.check_end(agent, 3, "hangs")
        self.check_nothing_half()

    def test_while_a_backup_is_verified(self):
        server = self.server(*QUICK)
        self.backup(self.repo, "--redis-url", server.unix_url)
        env, log = self.hanging("data", changing=False)
        agent = self.agent(server, "--verify-schedule", "@every 1h", "--grace", "2s", env=env)
        self.wait_for_hang(agent, log)
        self.check_end(agent, 2)
        self.assertEqual(1, len(self.ids(self.repo)))
        self.check_nothing_half()

    def test_while_prune_removes_and_a_trigger_waits(self):
        server = self.server(*QUICK)
        for _ in range(3):
            self.backup(self.repo, "--redis-url", server.unix_url)
        env, log = self.hanging("expired")
        agent = self.agent(server, "--prune-schedule", "@every 1h", "--keep-last", "1", "--min-good", "1",
                           "--grace", "2s", env=env)
        self.wait_for_hang(agent, log)
        job = agent.trigger()
        client = remora.start("trigger", "--url", agent.url, "--token-file", self.folder / "token")
        self.addCleanup(processes.end, client)
        time.sleep(1)
        self.assertEqual("queued", agent.job(job["id"])["state"])
        agent.process.send_signal(signal.SIGTERM)
        ended = agent.finish(job["id"])
        self.assertEqual(("failed", remora.INTERRUPTED), (ended["state"], ended["exit_status"]))
        self.check_end(agent, 2)
        self.expect(remora.INTERRUPTED, remora.finish(client), "the agent is ending")
        self.assertEqual(3, len(self.ids(self.repo)))
        self.check_nothing_half()

    def test_by_sigint_and_what_kubernetes_is_told(self):
        """In a mount namespace where there is a /dev/termination-log."""
        dev = self.empty_folder("dev")
        for name in ("null", "urandom", "termination-log"):
            (dev / name).touch()

        def with_log(command):
            script = ('mount --make-rprivate / && for f in null urandom; do mount --bind /dev/$f "$0/$f"; done && '
                      'mount --rbind "$0" /dev && exec "$@"')
            return ["unshare", "--mount", "sh", "-c", script, str(dev), *map(str, command)]

        server = self.server(*SLOW)
        self.fill(server, 3000)
        agent = self.agent(server, "--backup-schedule", "@every 1h", "--grace", "2s", wrapper=with_log)
        agent.wait_for_running("saving")
        self.check_end(agent, 2, how=signal.SIGINT)
        told = (dev / "termination-log").read_text()
        self.assertIn("asked to end", told)
        self.assertIn("backup", told)
        failed = self.repo.run("agent", "--listen", "nonsense", "--redis-url", server.unix_url, wrapper=with_log)
        self.expect(remora.USAGE, failed, "--listen")
        self.assertIn("--listen", (dev / "termination-log").read_text())


# ---- secrets that change ---------------------------------------------------------------------------------------------

class Secrets(TimeCase):
    def test_password_of_the_server(self):
        secret = self.folder / "password"
        secret.write_text("first\n")
        server = self.server(*QUICK, "--requirepass", "first", password="first")
        agent = self.agent(server, "--redis-password-file", secret)
        self.assertEqual("succeeded", agent.finish(agent.trigger()["id"])["state"])
        server.config("requirepass", "second")
        server.password = "second"
        self.assertEqual(remora.SERVER_DENIED, agent.finish(agent.trigger()["id"])["exit_status"])
        secret.write_text("second\n")
        self.assertEqual("succeeded", agent.finish(agent.trigger()["id"])["state"])
        agent.wait("the server is not seen", lambda: agent.status()["server"]["state"] == "up")

    def post(self, agent, token):
        request = urllib.request.Request(agent.url + "/api/v1/backups", data=b"", method="POST",
                                         headers={"Authorization": f"Bearer {token}"})
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
                return answer.status, json.load(answer)["job"]["id"]
        except urllib.error.HTTPError as error:
            return error.code, None

    def test_token(self):
        agent = self.agent(self.server(*QUICK))
        status, job = self.post(agent, "secret-of-the-tests")
        self.assertEqual(202, status)
        agent.finish(job)
        (self.folder / "token").write_text("another-secret-of-them\n")
        self.assertEqual(401, self.post(agent, "secret-of-the-tests")[0])
        status, job = self.post(agent, "another-secret-of-them")
        self.assertEqual((202, "succeeded"), (status, agent.finish(job)["state"]))
        self.assertEqual(2, len(self.ids(self.repo)))

    @limit(300)
    @each(how=["option", "shared"])
    def test_access_key_of_the_store(self, how):
        store = gateway.shared()
        repo = s3.Repository(store)
        self.addCleanup(store.client.remove_all, repo.bucket, repo.prefix)
        self.expect(remora.OK, repo.run("init"))
        path, env = self.folder / "key", {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}

        def write(secret):
            text = {"option": f"{store.access_key}\n{secret}\n",
                    "shared": f"[default]\naws_access_key_id = {store.access_key}\naws_secret_access_key = {secret}\n"}
            path.write_text(text[how])

        words = ["--s3-access-key-file", path] if how == "option" else []
        if how == "shared":
            env.update(AWS_SHARED_CREDENTIALS_FILE=str(path), AWS_CONFIG_FILE="/dev/null")
        write("wrong")
        agent = Agent(self, repo, "--redis-url", self.server(*QUICK).unix_url, "--retry-for", "5s", *words, env=env)
        agent.wait("it is not denied", lambda: agent.status()["store"]["state"] == "denied", 60)
        self.assertEqual(remora.STORE_DENIED, agent.finish(agent.trigger()["id"])["exit_status"])
        write(store.secret_key)
        agent.process.send_signal(signal.SIGHUP)
        agent.wait("it is still denied", lambda: agent.status()["store"]["state"] == "up", 60)
        self.assertEqual("succeeded", agent.finish(agent.trigger()["id"])["state"])
        write("wrong-again")
        self.assertEqual(remora.STORE_DENIED, agent.finish(agent.trigger()["id"])["exit_status"])
        agent.wait_for_health("store-down", 60)


# ---- jobs that stand still -------------------------------------------------------------------------------------------

class Stalls(TimeCase):
    """test_agent.py has the one whose server stands still."""

    def check_stopped(self, agent, kind):
        agent.wait("the job goes on", lambda: sum(agent.kind(kind)["failures"].values()), 60)
        agent.wait("the error is not told", lambda: "no progress" in str(agent.status()["errors"]))
        self.assertEqual([], agent.children())

    def test_the_store_stands_still(self):
        env, log = self.hanging("data")
        agent = self.agent(self.server(*QUICK), "--backup-schedule", "@every 1h", "--stall-timeout", "3s", env=env)
        self.wait_for_hang(agent, log)
        self.check_stopped(agent, "backup")
        self.assertEqual(0, agent.end()[0])
        self.check_nothing_half()

    def test_the_gateway_stands_still(self):
        """Whether the job could clean up in its ten seconds or not: the next one works."""
        store = gateway.private()
        self.repo = s3.Repository(store)
        self.addCleanup(store.client.remove_all, self.repo.bucket, self.repo.prefix)
        self.expect(remora.OK, self.repo.run("init"))
        server = self.server(*SLOW)
        self.fill(server, 300)
        agent = self.agent(server, "--stall-timeout", "12s", env=self.repo.env)
        agent.trigger()
        agent.wait_for_running("saving")
        store.pause()
        try:
            self.check_stopped(agent, "backup")
        finally:
            store.go_on()
        job = agent.finish(agent.trigger()["id"])
        self.assertEqual("succeeded", job["state"], f"{job}\n{agent.log}")

    def test_verify_stands_still(self):
        server = self.server(*QUICK)
        self.backup(self.repo, "--redis-url", server.unix_url)
        env, log = self.hanging("data", changing=False)
        agent = self.agent(server, "--verify-schedule", "@every 1h", "--stall-timeout", "3s", env=env)
        self.wait_for_hang(agent, log)
        self.check_stopped(agent, "verify")
        self.check_whole()
