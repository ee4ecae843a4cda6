# SPDX-License-Identifier: Apache-2.0
"""The long-running agent: it works on time, and lives through whatever becomes of server, store and itself."""

import contextlib
import os
import signal
import time

from support import processes, remora
from support.agents import Agent
from support.case import CAMPAIGN, Case, limit, share
from support.repository import grow_older

QUICK = ("--repl-diskless-sync-delay", "0")
# One key a slot of 10 ms: a save of 1,000 takes 10 s.
SLOW = (*QUICK, "--rdb-key-save-delay", "10000")


class AgentCase(Case):
    def setUp(self):
        super().setUp()
        self.repo = self.repository()

    def agent(self, server, *words, **options):
        return Agent(self, self.repo, "--redis-url", server.unix_url, *words, **options)

    def fill(self, server, keys):
        with server.client() as client:
            for i in range(keys):
                client.call("SET", f"key:{i}", "x" * 100)

    def slots(self, kind="backup"):
        """The slots that were claimed, and those that are marked as done."""
        folder = self.repo.path / "instances" / self.repo.instance / "leases" / kind
        names = [p.name for p in folder.iterdir()] if folder.exists() else []
        return {n.split(".")[0] for n in names}, {n.split(".")[0] for n in names if n.endswith(".done.json")}

    def check_whole(self):
        for backup_id in self.ids(self.repo):
            self.expect(remora.OK, self.repo.run("verify", backup_id, "--record", "no"))

    def gone(self, pids):
        deadline = time.monotonic() + 5
        while any(os.path.exists(f"/proc/{pid}") for pid in pids):
            if time.monotonic() > deadline:
                self.fail("a child outlives the agent")
            time.sleep(0.05)


class OnTime(AgentCase):
    def test_schedules_fire(self):
        agent = self.agent(self.server(*QUICK), "--backup-schedule", "@every 5s", "--verify-schedule", "@every 6s",
                           "--prune-schedule", "@every 7s", "--keep-last", "3")
        for kind in ("backup", "verify", "prune"):
            agent.wait_for_successes(2, kind, 40)
        agent.wait_for_health("good")
        self.assertEqual((0, True), (agent.end()[0], "agent ended" in agent.log))
        self.assertGreaterEqual(len(self.ids(self.repo)), 2)
        claimed, done = self.slots()
        self.assertGreaterEqual(len(done), 2)
        self.assertLessEqual(len(claimed - done), 1)
        self.check_whole()

    def test_a_slot_that_was_done_is_not_done_again(self):
        server = self.server(*QUICK)
        first = self.agent(server, "--backup-schedule", "@every 1h")
        first.wait_for_successes(1)
        self.assertEqual(0, first.end()[0])
        second = self.agent(server, "--backup-schedule", "@every 1h", "--log-level", "debug")
        second.wait("it did not ask for the slot", lambda: "asked for a slot" in second.log)
        time.sleep(1)
        self.assertEqual(1, len(self.ids(self.repo)))
        self.assertEqual({}, second.kind()["failures"])

    def test_by_the_role_of_the_server(self):
        server = self.server(*QUICK)
        agent = self.agent(server, "--backup-schedule", "@every 1s", "--run-on", "replica")
        agent.wait("the role is not known", lambda: agent.status()["server"]["role"] == "master")
        time.sleep(3)
        self.assertIsNone(agent.kind()["last_attempt"])
        self.assertEqual("succeeded", agent.finish(agent.trigger()["id"])["state"])
        server.call("REPLICAOF", "127.0.0.1", 1)
        before = agent.kind()["last_attempt"]
        agent.wait("nothing is tried", lambda: agent.kind()["last_attempt"] != before, 30)

    def test_triggers(self):
        agent = self.agent(self.server(*SLOW))
        self.assertIsNone(agent.kind()["next"])
        first = agent.trigger()
        job = agent.finish(first["id"])
        self.assertEqual([job["backup_id"]], self.ids(self.repo))
        self.assertEqual(0, job["exit_status"])
        agent.wait("the backup is not shown", lambda: job["backup_id"] in str(agent.get("/api/v1/backups")))

    def test_options_of_the_command_line_reach_the_jobs(self):
        server = self.server(*QUICK, "--requirepass", "geheim", password="geheim")
        url = server.unix_url.replace("unix://", "unix://:geheim@")
        agent = Agent(self, self.repo, "--redis-url", url, "--tag", "a=1,2", "--tag", "b=3", "--level", "5")
        job = agent.finish(agent.trigger()["id"])
        self.assertEqual("succeeded", job["state"], job)
        shown = self.expect(remora.OK, self.repo.run("show", "latest", "--json")).json()
        self.assertEqual({"a": "1,2", "b": "3"}, shown["manifest"]["tags"])
        self.assertNotIn("geheim", agent.log)
        self.assertNotIn("geheim", open(f"/proc/{agent.process.pid}/cmdline", encoding="ascii").read())


class Several(AgentCase):
    def shop(self):
        """A master and two replicas, in step."""
        master = self.server(*QUICK)
        self.fill(master, 100)
        servers = [master]
        for name in ("one", "two"):
            replica = self.server(*QUICK, "--replicaof", f"127.0.0.1 {master.port}", name=name)
            replica.wait_for("replication", "master_link_status", "up")
            servers.append(replica)
        return servers

    def check_slots(self, agents, backups):
        """Every slot that was claimed has its backup, and each but the last ones is marked as done."""
        claimed, done = self.slots()
        self.assertEqual(len(done), backups, f"{sorted(claimed)} {sorted(done)}\n" + "\n".join(a.log for a in agents))
        self.assertEqual([], sorted(claimed - done)[:-1])

    @limit(180)
    def test_each_slot_is_done_once(self):
        agents = [self.agent(server, "--backup-schedule", "@every 3s") for server in self.shop()]
        agents[0].wait("there are no 6 backups", lambda: len(self.ids(self.repo)) >= 6, 60)
        for agent in agents:
            self.assertEqual(0, agent.end()[0])
        self.check_slots(agents, len(self.ids(self.repo)))
        self.check_whole()

    @limit(180)
    def test_one_follows_another_that_was_killed(self):
        servers = self.shop()
        servers[0].config("rdb-key-save-delay", 100000)  # the backup of the first never ends
        words = ["--backup-schedule", "@every 1h", "--stall-timeout", "5s"]
        first = self.agent(servers[0], *words)
        first.wait_for_running("saving", 40)
        slot = max(self.slots()[0])
        others = [self.agent(server, *words) for server in servers[1:]]
        time.sleep(1)
        first.end(signal.SIGKILL)
        others[0].wait("nobody followed", lambda: slot in self.slots()[1], 30)
        for agent in others:
            self.assertEqual(0, agent.end()[0])
        self.assertEqual(1, len(self.ids(self.repo)))


class ThroughTrouble(AgentCase):
    def test_server_not_up_at_start(self):
        server = self.server(*QUICK)
        server.kill()
        agent = self.agent(server, "--backup-schedule", "@every 5s")
        self.assertIn("server", agent.wait_for_health("server-down").lower())
        time.sleep(6)
        self.assertIsNone(agent.kind()["last_attempt"], "a backup was tried before the server was seen")
        server.start()
        agent.wait_for_successes(1)
        agent.wait_for_health("good")

    def test_server_restarts_in_mid_backup(self):
        server = self.server(*SLOW)
        self.fill(server, 1500)
        agent = self.agent(server, "--backup-schedule", "@every 1h")
        agent.wait_for_running("saving")
        server.kill()
        job = agent.wait("no failure is seen", lambda: sum(agent.kind()["failures"].values()), 60)
        self.assertEqual({"8": 1}, agent.kind()["failures"], job)
        agent.wait_for_health("server-down")
        server.options = QUICK
        server.start()
        agent.wait_for_health("failing")
        agent.wait_for_successes(1, seconds=60)  # the first pause is 30 s
        agent.wait_for_health("good")
        self.assertEqual(1, agent.kind()["retries"])
        self.assertEqual(1, len(self.ids(self.repo)))

    @limit(180)
    def test_store_gone_and_back(self):
        agent = self.agent(self.server(*QUICK), "--backup-schedule", "@every 5s")
        agent.wait_for_successes(1)
        away = self.repo.path.with_name("away")
        self.repo.path.rename(away)
        agent.wait_for_health("store-down", 60)
        self.assertIn(b"ready", agent.get("/readyz"))
        time.sleep(5)
        before = agent.kind()["successes"]
        away.rename(self.repo.path)
        agent.wait_for_successes(before + 1, seconds=90)
        agent.wait_for_health("good", 60)

    def test_repository_made_after_the_start(self):
        repo = remora.Repository(self.folder / "later", "shop")
        agent = Agent(self, repo, "--redis-url", self.server(*QUICK).unix_url, "--backup-schedule", "@every 1s")
        self.assertIn("init", agent.wait_for_health("store-down"))
        self.expect(remora.OK, repo.run("init"))
        agent.wait_for_successes(1, seconds=60)

    def test_credentials_that_come_later(self):
        secret = self.folder / "password"
        secret.write_text("wrong\n")
        server = self.server(*QUICK, "--requirepass", "right", password="right")
        agent = self.agent(server, "--backup-schedule", "@every 1s", "--redis-password-file", secret)
        self.assertIn("denies", agent.wait_for_health("server-down"))
        secret.write_text("right\n")
        agent.process.send_signal(signal.SIGHUP)
        agent.wait_for_successes(1)
        self.assertIn("SIGHUP", agent.log)

    def test_a_job_that_hangs_is_stopped(self):
        server = self.server(*SLOW)
        self.fill(server, 3000)
        agent = self.agent(server, "--backup-schedule", "@every 1h", "--stall-timeout", "4s")
        agent.wait_for_running("saving")
        stopped = [server.process.pid, *processes.children(server.process.pid)]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            job = agent.wait("the job goes on", lambda: sum(agent.kind()["failures"].values()), 40)
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        self.assertTrue(job)
        self.assertIn("no progress", str(agent.status()["errors"]))
        self.assertEqual([], agent.children())


class AtTheEnd(AgentCase):
    def test_sigterm_when_idle(self):
        agent = self.agent(self.server())  # a schedule would have it make up for its last slot
        agent.wait("the store is not known", lambda: agent.status()["store"]["state"] == "up")
        status, seconds = agent.end()
        self.assertEqual(0, status)
        self.assertLess(seconds, 3)

    def test_sigterm_while_server_and_store_are_away(self):
        server = self.server()
        os.kill(server.process.pid, signal.SIGSTOP)
        try:
            agent = self.agent(server, "--backup-schedule", "@every 1s")
            time.sleep(1)
            status, seconds = agent.end()
        finally:
            os.kill(server.process.pid, signal.SIGCONT)
        self.assertEqual(0, status)
        self.assertLess(seconds, 4)

    def test_sigterm_in_mid_backup_that_takes_too_long(self):
        server = self.server(*SLOW)
        self.fill(server, 3000)
        agent = self.agent(server, "--backup-schedule", "@every 1h", "--grace", "7s")
        agent.wait_for_running("saving")
        children = agent.children()
        self.assertEqual(1, len(children))
        status, seconds = agent.end()
        self.assertEqual(0, status)
        self.assertGreater(seconds, 1.5, "the job was not given its time")
        self.assertLess(seconds, 8)
        self.gone(children)
        self.assertEqual([], self.ids(self.repo))
        claimed, done = self.slots()
        self.assertEqual((1, 0), (len(claimed), len(done)))

    def test_sigterm_in_mid_backup_that_still_succeeds(self):
        server = self.server(*SLOW)
        self.fill(server, 300)
        agent = self.agent(server, "--backup-schedule", "@every 1h", "--grace", "30s")
        agent.wait_for_running("saving")
        status, seconds = agent.end()
        self.assertEqual(0, status)
        self.assertLess(seconds, 20)
        self.assertEqual(1, len(self.ids(self.repo)))
        claimed, done = self.slots()
        self.assertEqual(claimed, done)

    def test_second_sigterm_stops_the_job_at_once(self):
        server = self.server(*SLOW)
        self.fill(server, 3000)
        agent = self.agent(server, "--backup-schedule", "@every 1h", "--grace", "60s")
        agent.wait_for_running("saving")
        agent.process.send_signal(signal.SIGTERM)
        time.sleep(1.5)
        status, seconds = agent.end()
        self.assertEqual(0, status)
        self.assertLess(seconds, 5)

    def test_sigkill_in_mid_backup(self):
        server = self.server(*SLOW)
        self.fill(server, 1000)
        agent = self.agent(server, "--backup-schedule", "@every 5s", "--stall-timeout", "10s")
        agent.wait_for_running("saving")
        children = agent.children()
        agent.end(signal.SIGKILL)
        self.gone(children)
        server.wait_for("persistence", "rdb_bgsave_in_progress", "0", 30)
        server.config("rdb-key-save-delay", 0)
        again = self.agent(server, "--backup-schedule", "@every 5s", "--stall-timeout", "10s")
        again.wait_for_successes(1, seconds=40)
        self.check_whole()


class CommandLine(AgentCase):
    def test_mistakes_are_told_at_once(self):
        whole = ["--redis-url", "redis://127.0.0.1:1", "--listen", "127.0.0.1:0"]
        for words, sentence in (
                (["--backup-schedule", "61 * * * *"], "--backup-schedule"),
                (["--verify-schedule", "@every"], "--verify-schedule"),
                (["--prune-schedule", "0 0 30 2 *"], "--prune-schedule"),
                (["--prune-schedule", "@daily", "--orphan-age", "1h"], "--orphan-age"),
                (["--time-zone", "Mars/Olympus"], "time zone"),
                (["--time-zone", "../../etc/passwd"], "time zone"),
                (["--run-on", "mistress"], "--run-on"),
                (["--run-on", "ordinal=x"], "--run-on"),
                (["--data-dir", "/x", "--rdb-file", "/y"], "--data-dir"),
                (["--method", "bgsave"], "--data-dir"),
                (["--redis-password-file", self.folder / "nowhere"], "--redis-password-file"),
                (["--listen", "nonsense"], "--listen"),
                (["--tag", "WRONG"], "--tag"),
                (["--prune-schedule", "@daily"], "--keep-last"),
                (["--with-config", self.folder], "--with-config"),
                (["--memory", "1M"], "memory"),
                (["--run-on", "master", "--allow-master", "no"], "--allow-master"),
                (["--instance", "a/b"], "--instance"),
                (["--repo", "ftp://host/x"], "--repo"),
        ):
            with self.subTest(words=words):
                began = time.monotonic()
                self.expect(remora.USAGE, self.repo.run("agent", *whole, *words, timeout=20), sentence)
                self.assertLess(time.monotonic() - began, 5)
        self.expect(remora.USAGE, remora.run("agent", "--repo", self.repo.path, *whole), "--instance")
        self.expect(remora.USAGE, self.repo.run("agent", "--listen", "127.0.0.1:0", "--run-on", "master", "--rdb-file",
                                                "/x"), "--redis-url")


class ForYears(AgentCase):
    """RSS may rise while caches of the libraries fill, then no more; a job is a process that leaves nothing."""

    def small_dump(self):
        server = self.server(name="source")
        self.fill(server, 10)
        server.call("SAVE")
        dump = self.folder / "dump.rdb"
        dump.write_bytes(server.dump.read_bytes())
        server.kill()
        return dump

    def figures(self, agent):
        agent.wait("a job still runs", lambda: not agent.status()["running"])
        return agent.resident_kib(), len(processes.open_files(agent.process.pid)), agent.threads()

    def soak(self, agent, jobs, job):
        """That many jobs, by job(number); the figures of the first quarter's end and of the end must be alike."""
        began = time.monotonic()
        for number in range(jobs + 1):
            if number == jobs // 4:
                early = self.figures(agent)
            job(number)
        late = self.figures(agent)
        print(f"        {jobs} jobs in {time.monotonic() - began:.0f} s: {early[0]} KiB, {early[1]} descriptors and "
              f"{early[2]} threads, then {late[0]}, {late[1]} and {late[2]}", flush=True)
        self.assertLess(late[0], early[0] + 2048)
        self.assertLessEqual(late[1], early[1] + 2)
        agent.wait("there are more threads than before", lambda: agent.threads() <= early[2])  # a catalogue has helpers
        self.assertEqual([], agent.children())

    @limit(3600 if CAMPAIGN else 300)
    def test_memory_and_descriptors_stay(self):
        agent = Agent(self, self.repo, "--rdb-file", self.small_dump(), "--prune-schedule", "@every 30s",
                      "--keep-last", "5", "--min-good", "1")

        def job(number):
            agent.finish(agent.trigger()["id"], pause=0.01)
            if number % 50 == 49:  # a day passes: else what prune may not remove yet becomes ever more
                with contextlib.suppress(FileNotFoundError):  # prune is at it
                    grow_older(self.repo.path, 30)

        self.soak(agent, share(100, 10000), job)
        self.assertEqual({}, agent.kind()["failures"])

    @limit(3600 if CAMPAIGN else 300)
    def test_nor_do_they_grow_while_jobs_fail(self):
        """In turns of five jobs: all is well; the server is away; the store is away."""
        server = self.server(*QUICK)
        self.fill(server, 10)
        agent = self.agent(server, "--prune-schedule", "@every 5s", "--keep-last", "5", "--min-good", "1",
                           "--retry-for", "1s")
        away = self.repo.path.with_name("away")
        ended = {"succeeded": 0, "failed": 0}

        def job(number):
            if number % 15 == 5:
                server.kill()
            elif number % 15 == 10:
                server.start()
                self.repo.path.rename(away)
            elif number % 15 == 0 and number > 0:
                away.rename(self.repo.path)
            ended[agent.finish(agent.trigger()["id"], pause=0.01)["state"]] += 1

        self.soak(agent, share(45, 3000), job)
        self.assertGreater(min(ended.values()), share(10, 900))
