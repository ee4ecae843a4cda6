# SPDX-License-Identifier: Apache-2.0
"""
The agent on real stores and servers: a gateway that stands still or dies, several agents of one instance on it with and
without create-only, failovers, and what an agent with nothing to do costs.
"""

import re
import signal
import subprocess
import threading
import time
import uuid

from support import data, gateway, processes, proxy, remora, s3
from support.agents import Agent
from support.case import Case, each, limit, per_server, share

QUICK = ("--repl-diskless-sync-delay", "0")
EVERY = ("--backup-schedule", "@every 5s")
PATHS = ("/healthz", "/readyz", "/metrics", "/", "/api/v1/status")


class StoreCase(Case):
    seconds = 240  # the first one starts the gateway
    kept_for_itself = False  # the gateway, to be stopped

    def setUp(self):
        super().setUp()
        self.gateway = gateway.private() if self.kept_for_itself else gateway.shared()
        self.repo = s3.Repository(self.gateway, prefix=f"it/{uuid.uuid4()}")
        self.addCleanup(self.gateway.client.remove_all, self.repo.bucket, self.repo.prefix)
        self.expect(remora.OK, self.repo.run("init"))

    def agent(self, server, *words, **options):
        return Agent(self, self.repo, "--redis-url", server.unix_url, *words, **options)

    def slots(self, kind="backup"):
        """The slots that were claimed, and those that are marked as done."""
        names = [key.rsplit("/", 1)[1] for key in self.repo.objects() if f"/leases/{kind}/" in key]
        return {n.split(".")[0] for n in names}, {n.split(".")[0] for n in names if n.endswith(".done.json")}

    def check_whole(self, *words):
        for backup_id in self.ids(self.repo):
            self.expect(remora.OK, self.repo.run("verify", backup_id, "--record", "no", *words))


class Watch(threading.Thread):
    """Asks an agent for all that it answers, again and again: what was no 200, and the longest that one took."""

    def __init__(self, agent):
        super().__init__(daemon=True)
        self.agent, self.worst, self.refused, self.rounds = agent, 0.0, [], 0
        self._over = threading.Event()

    def run(self):
        while not self._over.is_set():
            for path in PATHS:
                began = time.monotonic()
                if self.agent.get(path) is None:
                    self.refused.append(path)
                self.worst = max(self.worst, time.monotonic() - began)
            self.rounds += 1
            self._over.wait(0.1)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self.join()

    def judge(self, case, name):
        answers = self.rounds * len(PATHS)
        print(f"# {name}: the slowest of {answers} answers took {self.worst * 1000:.0f} ms", flush=True)
        case.assertEqual([], self.refused)
        case.assertLess(self.worst, 1.0)


class StoreAway(StoreCase):
    kept_for_itself = True
    together = "private gateway of the agents"

    def setUp(self):
        super().setUp()
        self.addCleanup(self.gateway.go_on)

    def recovers(self, agent, backups):
        """By itself: the slots that come get their backups."""
        agent.wait_for_successes(backups, seconds=90)
        agent.wait_for_health("good", 60)
        self.check_whole("--quick")

    def is_away(self, agent, seconds):
        """What the agent says of it, for so long at least, and how soon."""
        with Watch(agent) as watch:
            began = time.monotonic()
            sentence = agent.wait_for_health("store-down", 100)
            self.assertRegex(sentence, "The repository cannot be used: .*; check ")
            self.assertEqual("down", agent.status()["store"]["state"])
            time.sleep(max(0, seconds - (time.monotonic() - began)))
            self.assertTrue(agent.is_health("store-down"))
        return watch

    @limit(360)
    @each(signature=("v4", "v2"))
    def test_it_stands_still_while_nothing_is_done(self, signature):
        agent = self.agent(self.server(*QUICK), *EVERY, "--retry-for", "4s", "--s3-signature", signature)
        agent.wait_for_successes(1, seconds=60)
        agent.wait_for_health("good")
        self.gateway.pause()
        watch = self.is_away(agent, share(3, 60))
        before = agent.kind()["successes"]
        self.gateway.go_on()
        self.recovers(agent, before + 2)
        watch.judge(self, "the store stood still")

    @limit(360)
    def test_it_dies_while_nothing_is_done(self):
        agent = self.agent(self.server(*QUICK), *EVERY, "--retry-for", "4s")
        agent.wait_for_successes(1, seconds=60)
        agent.wait_for_health("good")
        self.gateway.kill()
        try:
            watch = self.is_away(agent, share(3, 60))
            before = agent.kind()["successes"]
        finally:
            self.gateway.restart()
        self.recovers(agent, before + 2)
        watch.judge(self, "the store was dead")

    def storing(self, *words):
        """An agent in the midst of storing a backup, by a link of 2 MB/s, with a few segments stored."""
        link = proxy.SlowLink(self.gateway.port, 2_000_000)
        self.addCleanup(link.close)
        agent = Agent(self, self.repo.through(link.url), "--rdb-file", data.dump_file(self, 40), "--memory", "24M",
                      "--jobs", "2", *words)
        agent.wait_for_running("storing", 60)
        agent.wait("no segment is stored", lambda: len(self.repo.segments()) >= 2, 60)
        return agent

    @limit(360)
    def test_it_stands_still_and_dies_in_mid_backup_that_has_time(self):
        """One that stalls is waited for for 60 s, one that fails is asked again for --retry-for: the job succeeds."""
        agent = self.storing("--backup-schedule", "@every 1h")
        with Watch(agent) as watch:
            self.gateway.pause()
            time.sleep(share(3, 45))
            self.gateway.kill()
            self.gateway.restart()
        agent.wait_for_successes(1, seconds=200)
        watch.judge(self, "the store was away in mid-backup")
        self.assertEqual({}, agent.kind()["failures"])
        self.recovers(agent, 1)
        self.assertEqual(1, len(self.ids(self.repo)))

    @limit(360)
    def test_it_dies_in_mid_backup_that_has_none(self):
        agent = self.storing("--backup-schedule", "@every 20s", "--retry-for", "2s")
        self.gateway.kill()
        try:
            with Watch(agent) as watch:
                agent.wait("the job goes on", lambda: sum(agent.kind()["failures"].values()), 60)
                agent.wait_for_health("store-down", 60)
        finally:
            self.gateway.restart()
        self.assertLessEqual({"6"}, set(agent.kind()["failures"]), agent.log)
        self.assertEqual([], self.ids(self.repo), "half of a backup is listed")
        self.recovers(agent, 1)
        watch.judge(self, "the store died in mid-backup")


class ShopCase(StoreCase):
    """Three agents beside a master and two replicas."""

    def shop(self):
        master = self.server(*QUICK)
        with master.client() as client:
            for i in range(100):
                client.call("SET", f"key:{i}", "x" * 100)
        servers = [master]
        for name in ("one", "two"):
            replica = self.server(*QUICK, "--replicaof", f"127.0.0.1 {master.port}", name=name)
            replica.wait_for("replication", "master_link_status", "up")
            servers.append(replica)
        return servers

    def end_all(self, agents):
        """Those that still run. Ended at the same time, so that none goes on alone."""
        for agent in agents:
            agent.process.send_signal(signal.SIGTERM)
        for agent in agents:
            self.assertEqual(0, agent.process.wait(60), agent.log)

    def check_slots(self, agents, exactly):
        """Each slot that was claimed has its backup, but for the last one, which the end may have taken away."""
        claimed, done = self.slots()
        backups, logs = len(self.ids(self.repo)), "\n".join(a.log for a in agents)
        self.assertEqual([], sorted(claimed - done)[:-1], logs)
        if exactly:
            self.assertEqual(len(done), backups, logs)
        else:
            self.assertGreaterEqual(backups, len(done), logs)
        self.check_whole("--quick")


class Several(ShopCase):
    """By Signature v2 there are no create-only puts: a slot may get more than one backup, and never none."""

    @limit(500)
    @each(signature=("v4", "v2"))
    def test_each_slot_is_done(self, signature):
        agents = [self.agent(server, *EVERY, "--s3-signature", signature) for server in self.shop()]
        agents[0].wait("there are no 5 slots", lambda: len(self.slots()[1]) >= share(5, 40), 400)
        failures = [agent.kind()["failures"] for agent in agents]
        self.end_all(agents)
        self.check_slots(agents, signature == "v4")
        self.assertEqual([{}] * 3, failures)

    @limit(300)
    @each(signature=("v4", "v2"))
    def test_one_follows_a_claimer_that_was_killed(self, signature):
        servers = self.shop()
        servers[0].config("rdb-key-save-delay", 100000)  # the backup of the first never ends
        words = ["--backup-schedule", "@every 1h", "--stall-timeout", "6s", "--s3-signature", signature]
        first = self.agent(servers[0], *words)
        first.wait_for_running("saving", 60)
        slot = max(self.slots()[0])
        others = [self.agent(server, *words) for server in servers[1:]]
        others[0].wait("it did not ask", lambda: others[0].status()["store"]["state"] == "up", 60)
        first.end(signal.SIGKILL)
        others[0].wait("nobody followed", lambda: slot in self.slots()[1], 90)
        self.end_all(others)
        self.check_slots([first, *others], signature == "v4")


class Failover(ShopCase):
    """The master becomes a replica of one of its replicas."""

    def promote(self, servers, new, old):
        servers[new].call("REPLICAOF", "NO", "ONE")
        for number, server in enumerate(servers):
            if number != new:
                server.call("REPLICAOF", "127.0.0.1", servers[new].port)
        servers[old].wait_for("replication", "master_link_status", "up", 60)

    def backups_since(self, agent, count):
        agent.wait("no backup comes", lambda: agent.kind()["successes"] >= count, 90)

    @limit(500)
    def test_the_master_backs_up_whoever_it_is(self):
        servers = self.shop()
        agents = [self.agent(server, *EVERY, "--run-on", "master") for server in servers]
        for new, old in ((1, 0), *share([], [(2, 1), (0, 2)] * 5)):
            self.backups_since(agents[old], agents[old].kind()["successes"] + 2)
            self.promote(servers, new, old)
            agents[old].wait("its role is not known", lambda: agents[old].status()["server"]["role"] == "replica", 60)
            agents[old].wait("a job runs yet", lambda: not agents[old].status()["running"], 60)
            before = agents[old].kind()["successes"]
            self.backups_since(agents[new], agents[new].kind()["successes"] + 2)
            self.assertEqual(before, agents[old].kind()["successes"])
        self.assertIsNone(agents[2].kind()["last_attempt"] if share(True, False) else None)
        self.end_all(agents)
        self.check_slots(agents, False)

    @limit(500)
    def test_the_replicas_back_up_and_no_slot_is_lost(self):
        """In mid-backup, too: the job of a replica that becomes the master fails or not, its slot gets a backup."""
        servers = self.shop()
        for server in servers:
            server.config("rdb-key-save-delay", 20000)  # a backup takes 2 s
        words = ["--run-on", "replica", "--stall-timeout", "10s"]
        agents = [self.agent(server, *EVERY, *words) for server in servers]
        self.assertEqual("master", agents[0].wait("no role", lambda: agents[0].status()["server"]["role"], 60))
        runner = agents[0].wait("no job runs", lambda: next((n for n, a in enumerate(agents) if a.running()), None), 90)
        self.assertNotEqual(0, runner)
        slot = max(self.slots()[0])
        self.promote(servers, runner, 0)
        agents[0].wait("the slot was lost", lambda: slot in self.slots()[1], 120)
        count = len(self.slots()[1])
        agents[0].wait("no slot is done after it", lambda: len(self.slots()[1]) >= count + 2, 120)
        agents[runner].wait("its role is not known", lambda: agents[runner].status()["server"]["role"] == "master", 60)
        agents[0].wait("the old master, now a replica, does nothing", lambda: agents[0].kind()["successes"] >= 1, 120)
        self.end_all(agents)
        self.check_slots(agents, False)


class ByOrdinal(Case):
    """One pod of several, by its number."""

    def agent(self, name, wrapper=lambda w: w, **env):
        repo = self.repository(name)
        server = self.server(*QUICK, name=f"data-{name}")
        return Agent(self, repo, "--redis-url", server.unix_url, "--backup-schedule", "@every 1s", "--run-on",
                     "ordinal=1", env=env, wrapper=wrapper)

    def check(self, chosen, other):
        chosen.wait_for_successes(1)
        other.wait("it does not know its server", lambda: other.status()["server"]["state"] == "up")
        time.sleep(3)
        self.assertIsNone(other.kind()["last_attempt"])
        self.assertIsNone(other.kind()["next"])

    def test_by_the_environment(self):
        self.check(self.agent("one", REMORA_POD_INDEX="1"), self.agent("two", REMORA_POD_INDEX="2"))

    def test_by_the_host_name(self):
        as_pod = processes.as_pod
        self.check(self.agent("one", as_pod("shop-1")), self.agent("two", as_pod("shop-11")))


class NewerServers(Case):
    @per_server
    def test_schedule_and_trigger(self, program):
        """By the replication protocol: no data folder is given."""
        repo, server = self.repository(), self.server(*QUICK, program=program)
        server.call("SET", "key", "value")
        agent = Agent(self, repo, "--redis-url", server.url, "--backup-schedule", "@every 1h")
        agent.wait_for_successes(1)
        job = agent.finish(agent.trigger()["id"])
        self.assertEqual("succeeded", job["state"], job)
        told = agent.status()["server"]
        self.assertEqual((program.kind, program.version, "master"), (told["kind"], told["version"], told["role"]))
        self.assertIn(program.version, agent.get("/").decode())
        shown = self.expect(remora.OK, repo.run("show", job["backup_id"], "--json")).json()
        self.assertEqual("psync", shown["manifest"]["method"])
        self.assertEqual(2, len(self.ids(repo)))


class WithNothingToDo(StoreCase):
    BACKUPS = 700

    def requests(self, agent):
        """{operation: how many}"""
        found = re.findall(r'^remora_storage_request_duration_seconds_count\{.*operation="(\w+)"\} (\d+)',
                           agent.get("/metrics").decode(), re.MULTILINE)
        return {name: int(count) for name, count in found}

    def settled(self, agent):
        """The same when no more come."""
        agent.wait("it is not read yet", lambda: self.requests(agent) == (time.sleep(1), self.requests(agent))[1], 60)
        return self.requests(agent)

    @limit(300)
    def test_what_it_asks_of_the_store(self):
        """A reading of the catalogue costs the same, however many backups there are."""
        words = ["--repo", f"s3://{self.repo.bucket}/{self.repo.prefix}", "--instance", self.repo.instance,
                 "--s3-endpoint", self.repo.endpoint, "--count", self.BACKUPS, "--verified", "1"]
        subprocess.run([remora.TOOLS / "torture/fill_repo", *map(str, words)], env=remora.environment(**self.repo.env),
                       check=True, capture_output=True, timeout=200)
        agent = self.agent(self.server(*QUICK))
        agent.wait_for_health("good", 100)
        first = self.settled(agent)
        agent.process.send_signal(signal.SIGHUP)
        agent.wait("nothing is asked", lambda: self.requests(agent)["list"] >= first["list"] + 5, 60)
        again = {name: count - first.get(name, 0) for name, count in self.settled(agent).items()}
        print(f"# {self.BACKUPS} backups: first {first}, then {again} more", flush=True)
        self.assertGreaterEqual(first["get"], 2 * self.BACKUPS)
        self.assertLessEqual(sum(again.values()), 12)
