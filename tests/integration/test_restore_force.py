# SPDX-License-Identifier: Apache-2.0
"""remora restore onto existing data: only by --force, only while no server serves it, and the old data is not lost."""

import shutil
import signal

from support import rdb, remora
from support.case import each
from support.restoring import APPENDONLY, ENTRY, START_EMPTY, RestoreCase, Trap, S3_KEYS
from support.trees import names, tree

LAYOUTS = ["rdb", "aof", "single-aof"]


class ForceCase(RestoreCase):
    def setUp(self):
        super().setUp()
        self.fill()

    def live(self, appendonly="no", name="target"):
        """A server with data of its own."""
        server = self.server("--appendonly", appendonly, name=name)
        with server.client() as client:
            client.calls(("SET", f"old {n}", "value") for n in range(10))
        server.call("SAVE")
        return server

    def replaced(self, target):
        """The one folder that the old data was moved to."""
        folders = list((target / ".remora-replaced").iterdir())
        self.assertEqual(1, len(folders))
        self.assertRegex(folders[0].name, r"^\d{8}T\d{6}Z$")
        return folders[0]


class RestoreForce(ForceCase):
    @each(old=["no", "yes"], new=LAYOUTS)
    def test_replaces(self, old, new):
        """The new data is what a server starts on, and the old what it starts on when it is moved back."""
        server = self.live(old)
        before = server.fingerprint()
        server.stop()
        target = server.data
        self.assertEqual(["appendonlydir", "dump.rdb"] if old == "yes" else ["dump.rdb"], names(target))
        was = {k: v for k, v in tree(target).items() if k != "."}
        self.expect(remora.REFUSED, self.untouched(target, lambda: self.restore(target, *APPENDONLY[new])), "--force")
        result = self.expect(remora.OK, self.restore(target, *APPENDONLY[new], "--force"))
        self.check_restored(target, new)
        self.assertEqual([ENTRY[new]], names(target))
        away = self.replaced(target)
        self.assertIn(str(away).encode(), result.out)
        moved = {k: v for k, v in tree(away).items() if k != "."}
        without_ctime = [{k: v[:5] + v[6:] for k, v in t.items()} for t in (was, moved)]
        self.assertEqual(*without_ctime)
        server.options = ("--appendonly", "no" if new == "rdb" else "yes")
        server.start()
        self.assertEqual(0, server.call("EXISTS", "old 1"))
        self.assertTrue(server.keyspace())
        server.stop()
        shutil.copytree(away, self.folder / "back")
        self.expect_same(before, self.server("--appendonly", old, name="back").fingerprint())

    @each(old=["no", "yes"])
    def test_discard(self, old):
        server = self.live(old)
        server.stop()
        result = self.expect(remora.OK, self.restore(server.data, *APPENDONLY["aof"], "--force", "--discard"))
        self.check_restored(server.data, "aof")
        self.assertFalse((server.data / ".remora-replaced").exists())
        self.assertNotIn(b"replaced", result.out)

    def test_discard_leaves_what_earlier_runs_replaced(self):
        server = self.live()
        server.stop()
        earlier = server.data / ".remora-replaced" / "20200101T000000Z"
        earlier.mkdir(parents=True)
        (earlier / "dump.rdb").write_bytes(b"old")
        self.expect(remora.OK, self.restore(server.data, *APPENDONLY["rdb"], "--force", "--discard"))
        self.assertEqual([earlier], list(earlier.parent.iterdir()))

    def test_what_may_be_data_moves_too_and_the_rest_stays(self):
        target = self.empty_folder()
        for name in ("notes.txt", "nodes.conf", "left.aof", "redis.conf", "users.acl", "kept.txt"):
            (target / name).write_text(name)
        (target / "appendonlydir").mkdir()
        (target / "appendonlydir" / "appendonly.aof.1.base.rdb").write_bytes(rdb.dump())
        self.expect(remora.OK, self.restore(target, *APPENDONLY["aof"], "--force", "--ignore", "kept.*"))
        self.check_restored(target, "aof")
        self.assertEqual(["appendonlydir", "kept.txt", "redis.conf", "users.acl"], names(target))
        self.assertEqual(["appendonlydir", "left.aof", "nodes.conf", "notes.txt"], names(self.replaced(target)))

    def test_twice_in_a_second(self):
        """Each keeps what it replaced."""
        server = self.live()
        server.stop()
        for _ in range(3):
            self.expect(remora.OK, self.restore(server.data, *APPENDONLY["rdb"], "--force"))
        kept = sorted((server.data / ".remora-replaced").rglob("dump.rdb*"))
        self.assertEqual(3, len(kept), kept)

    def test_of_an_empty_folder(self):
        target = self.empty_folder()
        self.expect(remora.OK, self.restore(target, *APPENDONLY["rdb"], "--force"))
        self.check_restored(target)
        self.assertFalse((target / ".remora-replaced").exists())

    def test_usage(self):
        target = self.empty_folder()
        self.expect(remora.USAGE, self.restore(target, *APPENDONLY["rdb"], "--force", "--if-empty"))
        self.expect(remora.USAGE, self.restore(target, *APPENDONLY["rdb"], "--discard"))

    def test_nothing_to_put_in_its_place(self):
        """No backup, or none that is whole: what is there stays where it is, and nobody says that it starts empty."""
        server = self.live()
        server.stop()
        fresh = self.repository("fresh")
        self.expect(remora.REFUSED, self.untouched(server.data, lambda: fresh.run(
            "restore", "--target", server.data, *APPENDONLY["rdb"], "--force", *START_EMPTY)), "nothing to restore")
        self.expect(remora.NOT_FOUND, self.untouched(server.data, lambda: fresh.run(
            "restore", "--target", server.data, *APPENDONLY["rdb"], "--force")))
        segment = next(self.repo.path.rglob("*.zst"))
        segment.write_bytes(segment.read_bytes()[:-5])
        was = (server.data / "dump.rdb").read_bytes()
        self.expect(remora.CORRUPT, self.restore(server.data, *APPENDONLY["rdb"], "--force"))
        self.assertEqual(["dump.rdb"], names(server.data))
        self.assertEqual(was, (server.data / "dump.rdb").read_bytes())


class RestoreForceWhileItRuns(ForceCase):
    def force(self, server):
        return self.restore(server.data, *APPENDONLY["rdb"], "--force", "--redis-url", server.url)

    def test_refused_while_the_server_runs(self):
        server = self.live()
        for url in (server.url, server.unix_url, f"redis://:any@127.0.0.1:{server.port}"):
            self.expect(remora.REFUSED, self.untouched(server.data, lambda u=url: self.restore(
                server.data, *APPENDONLY["rdb"], "--force", "--redis-url", u)), "is running", "stop it")
        server.stop()
        self.expect(remora.OK, self.force(server))
        self.check_restored(server.data)

    def test_refused_while_it_is_stopped_by_a_signal(self):
        server = self.live()
        server.process.send_signal(signal.SIGSTOP)
        self.expect(remora.REFUSED, self.untouched(server.data, lambda: self.force(server)), "is running")
        server.process.send_signal(signal.SIGCONT)

    def test_refused_with_a_password(self):
        server = self.server("--requirepass", "right", password="right", name="target")
        server.call("SET", "a", "b")
        server.call("SAVE")
        self.expect(remora.REFUSED, self.untouched(server.data, lambda: self.force(server)), "is running")

    def ready(self, server):
        """The forced restore was killed at its first move."""
        def copy(target):
            shutil.copytree(server.data, target, dirs_exist_ok=True)
        return self.make_ready("ready", "rdb", "--force", prepare=copy)

    def test_a_replacement_that_lies_ready_waits_for_the_server_to_stop(self):
        server = self.live()
        target = self.ready(server)
        words = [*APPENDONLY["rdb"], "--redis-url", server.url]
        for more in ([], ["--if-empty"], ["--force"]):
            self.expect(remora.REFUSED, self.untouched(target, lambda m=more: self.restore(target, *words, *m)),
                        "is running")
        server.stop()
        self.expect(remora.OK, self.restore(target, *words, "--if-empty"))
        self.check_restored(target)
        self.assertEqual(["dump.rdb"], names(self.replaced(target)))

    def test_a_replacement_that_lies_ready_is_finished_offline(self):
        server = self.live()
        server.stop()
        target = self.ready(server)
        shutil.rmtree(self.repo.path)
        self.expect(remora.OK, self.restore(target, "--if-empty"), "without the repository")
        self.check_restored(target)
        self.assertEqual(["dump.rdb"], names(self.replaced(target)))


class RestoreDryRun(ForceCase):
    """--dry-run: what would be done, and nothing of it."""

    def plan(self, target, *words, **options):
        result = self.untouched(target, lambda: self.restore(target, "--dry-run", *words, **options))
        return self.expect(remora.OK, result).out.decode()

    def test_into_an_empty_folder(self):
        for layout in LAYOUTS:
            target = self.empty_folder(layout)
            told = self.plan(target, *APPENDONLY[layout])
            self.assertIn("plan: restore into an empty folder\n", told)
            self.assertIn(f"backup: {self.backup_id} (", told)
            self.assertIn(f"entry: {target}/{ENTRY[layout]}\n", told)
            self.assertIn(f"layout: {layout} ({APPENDONLY[layout][0]}", told)
            self.assertIn("owner: 0:0 mode 0600\n" if target.stat().st_uid == 0 else "mode", told)

    def test_onto_data(self):
        server = self.live()
        server.stop()
        told = self.plan(server.data, *APPENDONLY["aof"], "--force")
        self.assertIn("plan: move what is there (dump.rdb) away, then restore\n", told)
        self.assertIn("then delete the old data", self.plan(server.data, *APPENDONLY["aof"], "--force", "--discard"))
        self.expect(remora.REFUSED, self.untouched(server.data, lambda: self.restore(
            server.data, *APPENDONLY["aof"], "--dry-run")), "dump.rdb")

    def test_of_what_lies_ready(self):
        target = self.make_ready("target")
        trap = Trap(self)
        result = self.untouched(target, lambda: remora.run("restore", "--target", target, "--dry-run", *trap.words,
                                                           *APPENDONLY["rdb"], env=S3_KEYS))
        self.assertIn(b"plan: finish what an earlier run had ready", self.expect(remora.OK, result).out)
        self.assertFalse(trap.was_asked())

    def test_of_data_beside_what_lies_ready(self):
        """Even the remains of an interrupted restore stay."""
        target = self.make_ready("target")
        (target / "dump.rdb").write_bytes(b"data")
        self.assertIn("kept", self.plan(target, "--if-empty"))

    def test_refuses_what_the_run_would_refuse(self):
        target = self.empty_folder()
        peer = self.server(name="peer")
        peer.call("SET", "a", "b")
        for status, words in (
                (remora.REFUSED, ["--live-peers", f"127.0.0.1:{peer.port}"]),
                (remora.NOT_FOUND, ["--backup", "20200101T000000Z-abcdef"]),
                (remora.UNSUPPORTED, ["--server-version", "6.2.14"]),
                (remora.USAGE, ["--dbfilename", "a/b"])):
            self.expect(status, self.untouched(target, lambda w=words: self.restore(
                target, *APPENDONLY["rdb"], "--dry-run", *w)))
