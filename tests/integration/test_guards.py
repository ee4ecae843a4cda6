# SPDX-License-Identifier: Apache-2.0
"""
The guards at backup time against real servers: a data set that shrank, memory for a save's copies, room on the volume.
Each is a story that someone lost data or a server by.
"""

import os
import time

from support import processes, remora, tmpfs
from support.case import Case, each, per_server
from support.repository import Backup, seal

MANY, FEW = 1000, 10
REFUSED_MEMORY = ["--memory-guard", "refuse"]


def fill(server, count, size=8):
    server.call("EVAL", "for i = 1, ARGV[1] do redis.call('SET', 'key:' .. i, string.rep('v', ARGV[2])) end", 0, count,
                size)


def next_second():
    """Ids are ordered by the second."""
    time.sleep(1.1)


def with_memory_limit(limit):
    """A wrapper: the command sees a cgroup with that limit, by either version's files; it is not held to it."""
    script = ('mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup && mkdir /sys/fs/cgroup/memory && '
              'echo "$0" >/sys/fs/cgroup/memory.max && echo "$0" >/sys/fs/cgroup/memory/memory.limit_in_bytes && '
              'exec "$@"')
    return lambda command: ["unshare", "--mount", "sh", "-c", script, str(limit), *map(str, command)]


class Guards(Case):
    def told(self, repo, server, *words):
        """What a backup that has to succeed says, as JSON, with stderr."""
        result = self.expect(remora.OK, repo.run("backup", "--redis-url", server.url, *words, "--json"))
        return result.json(), result.err.decode()

    def manifest(self, repo, backup_id):
        shown = self.expect(remora.OK, repo.run("show", backup_id, "--json")).json()
        return shown["manifest"]

    def entries(self, repo):
        listed = self.expect(remora.OK, repo.run("list", "--json")).json()
        return {b["id"]: b for i in listed["instances"] for b in i["backups"]}

    def restored_keys(self, repo, name, backup="latest", program=None):
        """Restore it and start a server on it: how many keys that has."""
        target = self.empty_folder(name)
        self.expect(remora.OK, repo.run("restore", "--target", target, "--appendonly", "no", "--backup", backup))
        server = self.server(name=name, program=program)
        keys = server.call("DBSIZE")
        server.destroy()
        return keys


class Shrink(Guards):
    @per_server
    def test_an_emptied_primary_never_becomes_the_latest(self, program):
        """A restart on an empty volume, a FLUSHALL: the tiny backup must not replace what there is."""
        repo, server = self.repository(), self.server(program=program)
        fill(server, MANY)
        good = self.backup_server(repo, server)
        server.call("FLUSHALL")
        server.call("SET", "only", "one")
        told, log = self.told(repo, server, "--data-dir", server.data)
        self.assertIs(True, told["suspicious"])
        self.assertEqual(["shrink"], [g["guard"] for g in told["guards"]])
        self.assertRegex(told["guards"][0]["text"], rf"keys is 1, .* {good} is {MANY}:")
        self.assertRegex(log, rf"warn .*suspicious.* keys=1 last_good={good} last_good_keys={MANY}")
        entries = self.entries(repo)
        self.assertIs(True, entries[told["id"]]["suspicious"])
        self.assertIs(False, entries[good]["suspicious"])
        self.assertIn("suspicious", self.expect(remora.OK, repo.run("list")).out.decode())
        self.assertEqual(MANY, self.restored_keys(repo, "restored", program=program))
        self.assertEqual(1, self.restored_keys(repo, "by-id", told["id"], program))

    @each(method=["bgsave", "psync", "file"])
    def test_every_method_is_measured(self, method):
        repo, server = self.repository(), self.server("--repl-diskless-sync-delay", "0")
        fill(server, MANY)
        self.backup_server(repo, server)
        server.call("FLUSHALL")
        server.call("SAVE")
        words = {"bgsave": ["--redis-url", server.url, "--data-dir", server.data], "psync": ["--redis-url", server.url],
                 "file": ["--rdb-file", server.dump]}[method]
        told = self.expect(remora.OK, repo.run("backup", *words, "--json")).json()
        self.assertEqual(method, told["method"])
        self.assertIs(True, told["suspicious"])
        self.assertEqual(told["guards"], self.manifest(repo, told["id"])["guards"])

    def test_a_reborn_master_and_the_replica_that_follows_it(self):
        """The master comes back empty, its replica synchronizes to that: a backup of the replica is suspicious too."""
        repo, at_once = self.repository(), ["--repl-diskless-sync-delay", "0"]
        master = self.server(*at_once)
        replica = self.server("--replicaof", "127.0.0.1", str(master.port), *at_once, name="replica")
        fill(master, MANY)
        master.call("WAIT", 1, 20000)
        self.assertIs(False, self.told(repo, replica)[0]["suspicious"])
        master.kill()
        reborn = self.server(*at_once, name="reborn")
        replica.call("REPLICAOF", "127.0.0.1", reborn.port)
        deadline = time.monotonic() + 30
        while replica.call("DBSIZE") > 0 or replica.info("replication")["master_link_status"] != "up":
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)
        told, _ = self.told(repo, replica, "--allow-master", "no")
        self.assertEqual(0, told["keys"])
        self.assertIs(True, told["suspicious"])
        self.assertEqual(MANY, self.restored_keys(repo, "restored"))

    def test_small_ones_stay_suspicious_until_one_is_accepted(self):
        repo, server = self.repository(), self.server()
        fill(server, MANY)
        good = self.backup_server(repo, server)
        server.call("FLUSHALL")
        fill(server, FEW)
        first, _ = self.told(repo, server, "--data-dir", server.data)
        next_second()
        second, log = self.told(repo, server, "--data-dir", server.data)
        self.assertEqual([True, True], [first["suspicious"], second["suspicious"]])
        self.assertIn(f"last_good={good} ", log, "it has to be measured by the last good one")
        self.expect(remora.OK, repo.run("accept", second["id"]))
        next_second()
        third, _ = self.told(repo, server, "--data-dir", server.data)
        self.assertEqual((False, []), (third["suspicious"], third["guards"]))
        self.assertEqual(FEW, self.restored_keys(repo, "restored"))
        server.call("FLUSHALL")
        next_second()
        fourth, log = self.told(repo, server, "--data-dir", server.data)
        self.assertIs(True, fourth["suspicious"])
        self.assertIn(f"last_good={third['id']} last_good_keys={FEW}", log)

    @each(method=["bgsave", "psync"])
    def test_refused_where_that_is_asked_for(self, method):
        repo, server = self.repository(), self.server("--repl-diskless-sync-delay", "0")
        words = ["--redis-url", server.url] + (["--data-dir", server.data] if method == "bgsave" else [])
        fill(server, MANY)
        good = self.backup(repo, *words)
        before = sorted(p for p in repo.path.rglob("*") if p.is_file())
        server.call("FLUSHALL")
        self.expect(remora.REFUSED, repo.run("backup", *words, "--on-shrink", "refuse"), str(MANY), good,
                    "remora accept")
        self.assertEqual([good], self.ids(repo))
        self.assertEqual(before, sorted(p for p in repo.path.rglob("*") if p.is_file()), "segments were left behind")
        fill(server, MANY)
        self.backup(repo, *words, "--on-shrink", "refuse")

    def test_by_its_own_percentage_and_not_at_all(self):
        repo, server = self.repository(), self.server()
        words = ["--redis-url", server.url, "--data-dir", server.data]
        fill(server, 10)
        self.backup(repo, *words)
        server.call("FLUSHALL")
        fill(server, 5)
        marks = {}
        for percent in ("50", "51", "0", "1"):
            told = self.expect(remora.OK, repo.run("backup", *words, "--shrink-guard", percent, "--json")).json()
            marks[percent] = told["suspicious"]
            # Only the first counts: what follows is measured by it or not at all.
            (repo.path / "instances/shop/backups" / f"{told['id']}.json").unlink()
        self.assertEqual({"50": False, "51": True, "0": False, "1": False}, marks)

    def test_nothing_to_go_by(self):
        """The first backup ever, and one after an empty one."""
        repo, server = self.repository(), self.server()
        words = ["--redis-url", server.url, "--data-dir", server.data]
        for _ in range(2):
            told = self.expect(remora.OK, repo.run("backup", *words, "--json")).json()
            self.assertEqual((0, False, []), (told["keys"], told["suspicious"], told["guards"]))

    def test_a_store_that_fails_costs_no_save(self):
        repo, server = self.repository(), self.server()
        self.backup_server(repo, server)
        saves = server.info("persistence")["rdb_saves"]
        os.chmod(repo.path / "instances/shop/backups", 0)
        self.addCleanup(os.chmod, repo.path / "instances/shop/backups", 0o755)
        for words in (["--data-dir", server.data], []):
            self.expect(remora.STORE_DENIED,
                        repo.run("backup", "--redis-url", server.url, *words, wrapper=processes.powerless),
                        "--shrink-guard")
        self.assertEqual(saves, server.info("persistence")["rdb_saves"])
        self.assertEqual("0", server.info("stats")["sync_full"])

    def test_a_manifest_of_a_newer_remora_stands_in_no_backups_way(self):
        repo, server = self.repository(), self.server()
        backup_id = self.backup_server(repo, server)
        path = repo.path / "instances/shop/backups" / f"{backup_id}.json"
        fields = Backup(repo, backup_id).read_manifest()
        path.write_bytes(seal(fields | {"requires": ["a-thing-of-tomorrow"]}))
        result = repo.run("backup", "--redis-url", server.url, "--data-dir", server.data)
        self.expect(remora.OK, result, "has nothing to go by", "a-thing-of-tomorrow")


class Memory(Guards):
    """The limits are given where the real one is too far away."""

    def resident(self, server):
        return int(server.info("memory")["used_memory_rss"])

    @each(method=["bgsave", "psync"])
    def test_each_policy_just_below_and_far_above(self, method):
        repo, server = self.repository(), self.server("--repl-diskless-sync-delay", "0")
        fill(server, MANY, 20000)
        words = ["--redis-url", server.url] + (["--data-dir", server.data] if method == "bgsave" else [])
        # Just what is resident: no room for any copy. The server needs no more meanwhile than it has.
        short = ["--server-memory", self.resident(server)]
        saves = server.info("persistence")["rdb_saves"]
        self.expect(remora.NO_SPACE, repo.run("backup", *words, *short, *REFUSED_MEMORY), "--server-memory", "resident",
                    "was not asked to save")
        self.assertEqual(saves, server.info("persistence")["rdb_saves"])
        self.assertEqual("0", server.info("stats")["sync_full"])
        self.assertEqual("0", server.info("stats")["total_forks"])
        self.assertEqual([], self.ids(repo))
        result = self.expect(remora.OK, repo.run("backup", *words, *short, "--json"), "may not hold the copies")
        told = result.json()
        self.assertEqual(["memory"], [g["guard"] for g in told["guards"]])
        self.assertIs(False, told["suspicious"])
        self.assertEqual(told["guards"], self.manifest(repo, told["id"])["guards"])
        self.assertIn("memory guard", self.expect(remora.OK, repo.run("show", told["id"])).out.decode())
        for more in (["--memory-guard", "off", *short], [*REFUSED_MEMORY, "--server-memory", "1T"], REFUSED_MEMORY):
            told = self.expect(remora.OK, repo.run("backup", *words, *more, "--json")).json()
            self.assertEqual([], told["guards"])

    def test_worst_case_is_only_said(self):
        repo, server = self.repository(), self.server()
        fill(server, MANY, 20000)
        limit = int(self.resident(server) * 1.3)
        result = repo.run("backup", "--redis-url", server.url, "--data-dir", server.data, *REFUSED_MEMORY,
                          "--server-memory", limit, "--json")
        self.expect(remora.OK, result, "not for a copy of everything")
        self.assertEqual([], result.json()["guards"])

    def test_what_the_last_save_copied_is_expected_again(self):
        """A server that writes a lot while it saves: the next save needs as much, whatever a tenth would be."""
        repo, server = self.repository(), self.server("--rdb-key-save-delay", "200")
        fill(server, MANY, 20000)
        server.call("BGSAVE")
        deadline = time.monotonic() + 60
        while server.info("persistence")["rdb_bgsave_in_progress"] == "1":
            self.assertLess(time.monotonic(), deadline)
            fill(server, MANY, 20000)
        copied = int(server.info("persistence")["rdb_last_cow_size"])
        limit = self.resident(server) + copied
        self.assertGreater(copied, int(server.info("memory")["used_memory"]) // 10)
        server.config("rdb-key-save-delay", "0")
        self.expect(remora.NO_SPACE, repo.run("backup", "--redis-url", server.url, "--data-dir", server.data,
                                              *REFUSED_MEMORY, "--server-memory", limit), "the last one copied")

    def test_the_limit_of_a_container_that_is_shared(self):
        """Nobody says how much the server may have: remora sees it in its own container, and goes by that limit."""
        repo, server = self.repository(), self.server()
        fill(server, MANY, 20000)
        words = ["--redis-url", server.url, "--data-dir", server.data, *REFUSED_MEMORY]
        self.backup(repo, *words)
        limit = self.resident(server) + (1 << 20)
        for url in (server.url, server.unix_url):
            words[1] = url
            self.expect(remora.NO_SPACE, repo.run("backup", *words, wrapper=with_memory_limit(limit)),
                        "the container that remora shares with it")
        self.expect(remora.OK, repo.run("backup", *words, "--server-memory", "1T", wrapper=with_memory_limit(limit)))
        self.expect(remora.OK, repo.run("backup", *words, wrapper=with_memory_limit(1 << 40)))

    def test_a_sidecars_own_limit_is_not_the_servers(self):
        """Containers of a pod count their processes apart: the server's number is another process here."""
        repo = self.repository()
        apart = self.server(command=lambda words: ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", *words])
        fill(apart, MANY, 20000)
        self.assertEqual("1", apart.info("server")["process_id"])
        self.backup(repo, "--redis-url", apart.url, "--data-dir", apart.data, *REFUSED_MEMORY,
                    wrapper=with_memory_limit(8 << 20))

    def test_check_judges_by_the_same_rule(self):
        server = self.server()
        fill(server, MANY, 20000)
        for limit, verdict in ((self.resident(server), "warn"), (1 << 40, "ok")):
            rows = self.expect(remora.OK, remora.run("check", "--redis-url", server.url, "--server-memory", limit,
                                                     "--json")).json()["rows"]
            row = next(r for r in rows if r["check"] == "memory")
            self.assertEqual(verdict, row["verdict"], row)
            self.assertIn("--server-memory", row["finding"])

    def test_a_user_who_may_not_ask(self):
        """The least rights of psync have no INFO: the guard cannot judge, says so, and stands in no way."""
        repo, server = self.repository(), self.server("--repl-diskless-sync-delay", "0")
        server.call("ACL", "SETUSER", "bk", "on", ">secret", "resetkeys", "resetchannels", "-@all", "+ping", "+psync",
                    "+replconf")
        url = server.url.replace("://", "://bk:secret@")
        self.expect(remora.OK, repo.run("backup", "--redis-url", url, *REFUSED_MEMORY, "--server-memory", "2M"),
                    "the memory guard cannot judge")


class Space(Guards):
    """A volume that has room for one dump, and no more."""

    def setUp(self):
        super().setUp()
        self.volume = tmpfs.mount(self, "volume", "16m")
        self.repo = self.repository()
        self.victim = self.server(name="volume/data")
        fill(self.victim, MANY, 5000)
        self.victim.config("rdbcompression", "no")
        self.victim.call("SAVE")

    def words(self, *more):
        return ["--redis-url", self.victim.url, "--data-dir", self.victim.data, *more]

    def saves(self):
        return self.victim.info("persistence")["rdb_saves"]

    def test_refused_before_the_save(self):
        tmpfs.fill(self.volume, leave=1 << 20)
        saves = self.saves()
        self.expect(remora.NO_SPACE, self.repo.run("backup", *self.words()), "MISCONF", "1.2 times the last dump")
        self.assertEqual(saves, self.saves())
        self.assertEqual([], self.ids(self.repo))
        self.victim.call("SET", "writes", "go on")

    def test_warned_about_and_it_fits_after_all(self):
        """Less than 1.2 times the last dump is free, and the next one is much smaller."""
        tmpfs.fill(self.volume, leave=1 << 20)
        self.victim.call("FLUSHALL")
        told, log = self.told(self.repo, self.victim, "--data-dir", self.victim.data, "--space-guard", "warn")
        self.assertEqual(["space"], [g["guard"] for g in told["guards"]])
        self.assertIn("1.2 times the last dump", told["guards"][0]["text"])
        self.assertIn("may have no room", log)
        self.assertEqual(told["guards"], self.manifest(self.repo, told["id"])["guards"])

    def test_warned_about_and_it_does_not_fit(self):
        tmpfs.fill(self.volume, leave=1 << 20)
        saves = self.saves()
        self.expect(remora.NO_SPACE, self.repo.run("backup", *self.words("--space-guard", "warn")), "may have no room",
                    "no room for one")
        self.assertNotEqual(saves, self.saves())
        self.assertEqual([], self.ids(self.repo))

    def test_not_looked_at(self):
        tmpfs.fill(self.volume, leave=1 << 20)
        self.victim.call("FLUSHALL")
        told, log = self.told(self.repo, self.victim, "--data-dir", self.victim.data, "--space-guard", "off")
        self.assertEqual([], told["guards"])
        self.assertNotIn("may have no room", log)

    def test_psync_needs_no_room_there(self):
        tmpfs.fill(self.volume, leave=1 << 20)
        self.victim.config("repl-diskless-sync-delay", "0")
        told, _ = self.told(self.repo, self.victim)
        self.assertEqual(("psync", []), (told["method"], told["guards"]))

    def test_nothing_is_found_where_there_is_room(self):
        told, _ = self.told(self.repo, self.victim, "--data-dir", self.victim.data, "--space-guard", "warn")
        self.assertEqual([], told["guards"])
