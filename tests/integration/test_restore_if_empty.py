# SPDX-License-Identifier: Apache-2.0
"""remora restore as an init container: data in place stays in place, and an empty server is never a mistake."""

import json
import os
import signal
import time

from support import processes, rdb, remora
from support.restoring import APPENDONLY, S3_KEYS, START_EMPTY, RestoreCase, Trap, put
from support.trees import names, tree

OTHER_NAMES = ["--dbfilename", "shop.data", "--appenddirname", "shop-files", "--appendfilename", "shop.log"]

# What decides, by its name in the target.
DATA = {
    "dump.rdb": put("dump.rdb"),
    "shop.data": put("shop.data"),
    "appendonlydir": put("appendonlydir", "appendonly.aof.manifest"),
    "shop-files": put("shop-files", "other.manifest"),
    "appendonly.aof": put("appendonly.aof"),
    "shop.log": put("shop.log"),
    "left.aof": put("left.aof"),
    "nodes.conf": put("nodes.conf"),
    "saved": put("saved", content=rdb.dump()),
    "valkey": put("valkey", content=rdb.dump(magic=b"VALKEY080")),
    "old/monday": put("old", "monday", content=rdb.dump()),
}
# What may be data and may be not.
UNSURE = {
    "appendonlydir": put("appendonlydir", "appendonly.aof.1.base.rdb", content=rdb.dump()),
    "notes.txt": put("notes.txt", content=b"what is this?"),
    "some folder": put("some folder", "file"),
    "empty folder": lambda target: (target / "empty folder").mkdir(),
    "pipe": lambda target: os.mkfifo(target / "pipe"),
    "link": lambda target: (target / "link").symlink_to("/nowhere"),
    "temp-folder": lambda target: (target / "temp-folder").mkdir(),
}


def ignorable(target):
    for name in ("lost+found", "appendonlydir", "shop-files"):
        (target / name).mkdir()
    for name in ("redis.conf", "sentinel.conf", "users.acl", "temp-17.rdb", ".remora-tmp-1"):
        (target / name).write_bytes(rdb.dump())
    (target / "lost+found" / "dump.rdb").write_bytes(rdb.dump())


class RestoreIfEmpty(RestoreCase):
    """Data in place: nobody is asked, and nothing touched."""

    def test_data_stays_and_nobody_is_asked(self):
        for named, make in DATA.items():
            with self.subTest(named):
                target = self.empty_folder(f"target-{named.replace('/', '-')}")
                ignorable(target)
                make(target)
                trap = Trap(self)
                words = ["restore", "--target", target, *trap.words, *OTHER_NAMES]
                kept = self.untouched(target, lambda: remora.run(*words, "--if-empty", env=S3_KEYS))
                self.expect(remora.OK, kept)
                self.assertIn(f"({named}".encode(), kept.out)
                self.expect(remora.REFUSED, self.untouched(target, lambda: remora.run(*words, env=S3_KEYS)), named)
                self.assertFalse(trap.was_asked())

    def test_no_socket_is_made(self):
        target = self.empty_folder()
        put("dump.rdb")(target)
        trace = self.folder / "trace"

        def traced(command):
            return ["strace", "-f", "-e", "trace=%network", "-o", str(trace), *command]

        self.expect(remora.OK, remora.run("restore", "--target", target, *Trap(self).words, "--if-empty", env=S3_KEYS,
                                          wrapper=traced))
        self.assertEqual(["+++ exited with 0 +++"],
                         [line.split(None, 1)[1] for line in trace.read_text().splitlines()])

    def test_ten_runs_in_a_row_around_a_server_that_writes(self):
        self.fill()
        for layout, words in (("rdb", ["--appendonly", "no"]), ("aof", ["--appendonly", "yes"])):
            target = self.empty_folder(layout)
            self.expect(remora.OK, self.restore(target, "--if-empty", *words))
            self.check_restored(target, layout)

            def again():
                kept = self.expect(remora.OK, self.restore(target, "--if-empty", *words))
                self.assertTrue(kept.out.startswith(b"kept "), kept)
            for _ in range(10):
                self.untouched(target, again)
            server = self.server(*words, name=layout)
            server.call("SET", "after", "the restore")
            server.call("SAVE")
            self.untouched(target, again)
            server.call("SET", "much", "later")
            server.kill()
            self.untouched(target, again)
            server.start()
            self.assertEqual(b"the restore", server.call("GET", "after"))
            server.kill()

    def test_a_first_start_without_anything_is_data_too(self):
        """A server that started empty on purpose, and saved: its data is not replaced by older."""
        self.fill()
        for words in (["--appendonly", "no"], ["--appendonly", "yes"]):
            server = self.server(*words, name=words[1])
            server.call("SET", "new", "data")
            server.call("SAVE")
            server.stop()
            self.expect(remora.OK, self.untouched(server.data, lambda: self.restore(server.data, "--if-empty", *words)))

    def test_ignorable_names_stay(self):
        self.fill()
        target = self.empty_folder()
        ignorable(target)
        before = tree(target)
        self.expect(remora.OK, self.restore(target, "--if-empty", "--appendonly", "no",
                                             "--appenddirname", "shop-files"))
        self.check_restored(target)
        after = tree(target)
        self.assertEqual({}, {k: v for k, v in before.items() if k != "." and after.get(k) != v})

    def test_the_empty_folder_of_append_only_files_is_no_obstacle(self):
        self.fill()
        target = self.empty_folder()
        for name in ("appendonlydir", "lost+found"):
            (target / name).mkdir()
        self.expect(remora.OK, self.restore(target, "--if-empty", "--appendonly", "yes"))
        self.check_restored(target, "aof")

    def test_ignore(self):
        self.fill()
        target = self.empty_folder()
        for make in (put("notes.txt"), put("core.17"), put("some folder", "file")):
            make(target)
        words = ["--if-empty", "--appendonly", "no", "--ignore", "*.txt", "--ignore", "core.[0-9]*"]
        self.expect(remora.REFUSED, self.untouched(target, lambda: self.restore(target, *words)), "some folder")
        self.expect(remora.OK, self.restore(target, *words, "--ignore", "some*"))
        self.check_restored(target)

    def test_ignore_does_not_make_data_of_a_name_ignorable(self):
        target = self.empty_folder()
        put("dump.rdb")(target)
        kept = self.expect(remora.OK, self.untouched(
            target, lambda: self.restore(target, "--if-empty", "--appendonly", "no", "--ignore", "*")))
        self.assertIn(b"dump.rdb", kept.out)

    def test_what_may_be_data_is_named_and_refused(self):
        for named, make in UNSURE.items():
            with self.subTest(named):
                target = self.empty_folder(f"target-{named}")
                put("redis.conf", content=rdb.dump())(target)
                make(target)
                trap = Trap(self)
                for words in ([], ["--if-empty"], ["--if-empty", *START_EMPTY]):
                    run = ["restore", "--target", target, *trap.words, *words]
                    refused = self.untouched(target, lambda r=run: remora.run(*r, env=S3_KEYS))
                    self.expect(remora.REFUSED, refused, named)
                self.assertFalse(trap.was_asked())

    def test_what_cannot_be_read_is_refused(self):
        target = self.empty_folder()
        put("saved", content=rdb.dump())(target)
        put("closed", "saved", content=rdb.dump())(target)
        for name in ("saved", "closed"):
            with self.subTest(name):
                (target / name).chmod(0)
                (target / ("closed" if name == "saved" else "saved")).rename(self.folder / "away")
                self.expect(remora.REFUSED, self.restore(target, "--if-empty", "--appendonly", "no",
                                                         wrapper=processes.powerless), name, "cannot be read")
                (self.folder / "away").rename(target / ("closed" if name == "saved" else "saved"))

    def test_an_earlier_record_never_decides(self):
        """The data that a record speaks of is gone: it is restored again."""
        self.fill()
        target = self.empty_folder()
        words = ["--if-empty", "--appendonly", "no"]
        self.expect(remora.OK, self.restore(target, *words))
        record = json.loads((target / ".remora-restored.json").read_text())
        self.assertEqual((self.backup_id, "dump.rdb", "rdb"), (record["backup"], record["entry"], record["layout"]))
        (target / "dump.rdb").unlink()
        self.expect(remora.OK, self.restore(target, *words))
        self.check_restored(target)


class RestoreReady(RestoreCase):
    """A restore that was cut off when only the rename was missing."""

    def test_it_is_finished_offline(self):
        self.fill()
        for layout in APPENDONLY:
            with self.subTest(layout):
                target = self.make_ready(layout, layout)
                trap = Trap(self)
                result = self.expect(remora.OK, remora.run("restore", "--target", target, *trap.words, "--if-empty",
                                                           *APPENDONLY[layout], "--json", env=S3_KEYS))
                self.assertEqual(("finished", self.backup_id), (result.json()["outcome"], result.json()["id"]))
                self.assertFalse(trap.was_asked())
                self.check_restored(target, layout)

    def test_another_backup_was_named(self):
        small = self.folder / "small.rdb"
        small.write_bytes(rdb.dump(rdb.key(b"k", rdb.string(b"v"))))
        other = self.backup(self.repo, "--rdb-file", small)
        self.fill()
        target = self.make_ready("target", "rdb", "--backup", self.backup_id)
        self.expect(remora.OK, self.restore(target, "--if-empty", "--appendonly", "no", "--backup", other))
        self.check_restored(target, dump=small)

    def test_another_layout_was_asked_for(self):
        """The server reads something else by now: what lies ready would leave it empty."""
        self.fill()
        target = self.make_ready("target", "rdb")
        self.expect(remora.OK, self.restore(target, "--if-empty", "--appendonly", "yes"))
        self.assertEqual(["appendonlydir"], names(target))
        self.check_restored(target, "aof")

    def test_data_came_meanwhile(self):
        """The pod started without it: what the server wrote since stays, and the rest of the restore goes."""
        self.fill()
        target = self.make_ready("target", "rdb")
        put("dump.rdb", content=b"the server's own")(target)
        self.expect(remora.OK, remora.run("restore", "--target", target, *Trap(self).words, "--if-empty", env=S3_KEYS))
        self.assertEqual(b"the server's own", (target / "dump.rdb").read_bytes())
        self.assertFalse((target / ".remora-restore").exists())

    def test_without_ready_it_goes_on(self):
        """Killed before: the next one fetches what is missing, or begins anew."""
        self.fill()
        for number in (1, 2, 3):
            target = self.empty_folder(f"target-{number}")
            killed = self.restore(target, "--appendonly", "yes",
                                  wrapper=processes.at_call("fsync", "signal=KILL", number))
            self.assertEqual(-signal.SIGKILL, killed.status)
            self.assertEqual([], names(target))
            self.expect(remora.OK, self.restore(target, "--if-empty", "--appendonly", "yes"))
            self.check_restored(target, "aof")


class RestoreOrdinal(RestoreCase):
    def test_by_the_host_name(self):
        self.fill()
        trap = Trap(self)
        for pod in ("redis-1", "redis-10", "my-redis-00001"):
            target = self.empty_folder(pod)
            result = self.untouched(target, lambda t=target, p=pod: remora.run(
                "restore", "--target", t, *trap.words, "--only-ordinal", "0", "--if-empty", "--appendonly", "no",
                env=S3_KEYS, wrapper=processes.as_pod(p)))
            self.expect(remora.OK, result)
            self.assertIn(f"pod {int(pod.rpartition('-')[2])}".encode(), result.out)
        self.assertFalse(trap.was_asked())
        target = self.empty_folder("redis-0")
        self.expect(remora.OK, self.restore(target, "--only-ordinal", "0", "--appendonly", "no",
                                            wrapper=processes.as_pod("redis-0")))
        self.check_restored(target)

    def test_by_the_pod_index(self):
        """It wins over the host name, and comes from the environment as the downward API gives it."""
        self.fill()
        target = self.empty_folder()
        words = ["--only-ordinal", "2", "--appendonly", "no"]
        self.expect(remora.OK, self.untouched(target, lambda: self.restore(
            target, *words, "--pod-index", "1", wrapper=processes.as_pod("redis-2"))))
        self.expect(remora.OK, self.restore(target, *words, env={"REMORA_POD_INDEX": "2"},
                                            wrapper=processes.as_pod("redis-1")))
        self.check_restored(target)

    def test_a_host_name_without_a_number(self):
        target = self.empty_folder()
        for pod in ("redis", "redis-x", "redis-1a"):
            self.expect(remora.USAGE, self.untouched(target, lambda p=pod: self.restore(
                target, "--only-ordinal", "0", "--appendonly", "no", wrapper=processes.as_pod(p))), pod, "--pod-index")


class RestoreAtOnce(RestoreCase):
    def test_two_runs_on_one_target(self):
        self.fill()
        target = self.empty_folder()
        words = ["restore", "--target", target, "--if-empty", "--appendonly", "no"]
        first = self.repo.start(*words, wrapper=processes.at_call("renameat2", "delay_enter=4000000"))
        self.addCleanup(processes.end, first)
        deadline = time.monotonic() + 20
        while not (target / ".remora-restore" / "ready").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        self.expect(remora.LOCKED, self.untouched(target, lambda: self.repo.run(*words)), ".remora-lock")
        self.expect(remora.OK, remora.finish(first, words))
        self.check_restored(target)


class RestoreOutcomes(RestoreCase):
    """The one JSON object: the same fields whatever came of it."""

    FIELDS = {"command", "outcome", "target", "reason", "id", "layout", "entry", "bytes", "replaced", "duration_ms",
              "config_to", "config_files"}

    def outcome(self, target, *words, repo=None):
        repo = repo or self.repo
        told = self.expect(remora.OK, repo.run("restore", "--target", target, "--json", *words)).json()
        self.assertEqual(self.FIELDS, set(told))
        self.assertEqual(("restore", str(target)), (told["command"], told["target"]))
        self.assertIsInstance(told["duration_ms"], int)
        return {k: v for k, v in told.items() if v is not None and k not in ("command", "target", "duration_ms")}

    def check(self, outcome, told, *more):
        self.assertEqual({"outcome", *more}, set(told))
        self.assertEqual(outcome, told["outcome"])
        if "id" in more:
            self.assertEqual((self.backup_id, self.dump.stat().st_size), (told["id"], told["bytes"]))

    def test_all_of_them(self):
        entry = ("id", "layout", "entry", "bytes")
        no = ["--appendonly", "no"]
        target = self.empty_folder()
        self.check("start-empty", self.outcome(target, *no, *START_EMPTY), "reason")
        self.check("not-here", self.outcome(target, *no, "--only-ordinal", "0", "--pod-index", "1"), "reason")
        self.fill()
        self.check("planned", self.outcome(target, *no, "--dry-run"), "reason", *entry)
        self.check("restored", self.outcome(target, *no), *entry)
        self.check("kept", self.outcome(target, *no, "--if-empty"), "reason")
        self.check("kept", self.outcome(target, *no, "--if-empty", "--dry-run"), "reason")
        forced = self.outcome(target, *no, "--force")
        self.check("restored", forced, *entry, "replaced")
        self.assertTrue((target / forced["replaced"] / "dump.rdb").exists())
        self.check("restored", self.outcome(target, *no, "--force", "--discard"), *entry)
        self.check("finished", self.outcome(self.make_ready("ready"), *no), *entry)

    def test_a_refusal(self):
        target = self.empty_folder()
        put("dump.rdb")(target)
        told = self.expect(remora.REFUSED, self.restore(target, "--json")).json()
        self.assertEqual("restore", told["command"])
        self.assertEqual(remora.REFUSED, told["error"]["exit_status"])
        self.assertIn("dump.rdb", told["error"]["message"])
