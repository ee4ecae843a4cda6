# SPDX-License-Identifier: Apache-2.0
"""An exported backup comes into a repository: from a file or a pipe, and nothing in it is believed."""

import io
import json
import os
import signal
import subprocess
import tarfile
import time
import unicodedata

from support import data, processes, remora, servers, tmpfs
from support.case import CAMPAIGN, Case, limit, share
from support.repository import Backup, seal
from support.servers import Server

SMALL_SEGMENTS = ["--memory", "24M", "--jobs", "2"]  # of 1 MiB


class ImportCase(Case):
    def setUp(self):
        super().setUp()
        self.source = self.repository("a")

    def exported(self, dump=None):
        """(the backup's id, its tar)"""
        backup_id = self.backup(self.source, *SMALL_SEGMENTS, "--rdb-file", dump or data.small_dump_file(self))
        path = self.folder / f"{backup_id}.tar"
        self.expect(remora.OK, self.source.run("export", backup_id, path))
        return backup_id, path

    def entries(self, path):
        with tarfile.open(path) as tar:
            return [(m.name, tar.extractfile(m).read()) for m in tar.getmembers()]

    def pack(self, entries, change=lambda info: None):
        path = self.folder / "changed.tar"
        with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
            for name, content in entries:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                change(info)
                tar.addfile(info, io.BytesIO(content) if info.isreg() else None)
        return path

    def expect_same_backup(self, target, backup_id):
        """Byte for byte, whatever the names of the instances."""
        left, right = Backup(self.source, backup_id).content(), Backup(target, backup_id).content()
        self.assertEqual(list(left), list(right))
        self.assertTrue(left == right, "what was imported has other bytes")

    def expect_refused(self, target, path, *sentences, status=remora.CORRUPT):
        """With one sentence, and nothing is listed."""
        result = self.expect(status, target.run("import", path), *sentences)
        errors = [line for line in result.err.decode().splitlines() if " error " in line]
        self.assertEqual(1, len(errors), result)
        self.assertEqual([], self.ids(target))


class RoundTrip(ImportCase):
    def test_file_into_another_instance_and_onto_a_server(self):
        server = self.server("--rdbcompression", "no")
        data.fill_every_type(server)
        before = server.fingerprint()
        backup_id = self.backup_server(self.source, server)
        server.stop()
        path = self.folder / "b.tar"
        self.expect(remora.OK, self.source.run("export", "latest", path))
        target = remora.Repository(self.folder / "b", "other")
        self.expect(remora.NOT_FOUND, target.run("import", path))
        result = self.expect(remora.OK, target.run("import", path, "--create"))
        self.assertEqual(f"{backup_id}\n", result.out.decode())
        self.expect_same_backup(target, backup_id)
        self.expect(remora.OK, target.run("verify"))
        folder = self.empty_folder()
        self.expect(remora.OK, target.run("restore", "--target", folder, "--appendonly", "no"))
        restored = Server(servers.default(), folder)
        self.addCleanup(restored.destroy)
        self.expect_same(before, restored.fingerprint())

    def test_down_a_pipe_and_once_more(self):
        backup_id, _ = self.exported(data.dump_file(self, 40))
        target = self.repository("b")
        for action in ("imported", "there"):
            source = self.source.start("export", "latest", "-")
            self.addCleanup(processes.end, source)
            result = self.expect(remora.OK, target.run("import", "-", "--json", stdin=source.stdout))
            source.stdout.close()
            self.assertEqual(0, source.wait(60))  # nobody closed the pipe before its end
            answer = result.json()
            self.assertEqual(("import", "shop", backup_id, action),
                             tuple(answer[k] for k in ("command", "instance", "id", "action")))
        self.expect_same_backup(target, backup_id)

    def test_unpacked_it_is_a_repository(self):
        backup_id, path = self.exported()
        folder = self.empty_folder("unpacked")
        subprocess.run(["tar", "xf", path, "-C", folder], check=True)
        target = self.repository("b")
        self.expect(remora.USAGE, target.run("import", folder), "remora copy")
        self.expect(remora.OK, remora.run("copy", "--repo", folder, "--instance", "shop", "--to-repo", target.path))
        self.expect_same_backup(target, backup_id)

    def test_fifo_that_nobody_writes_to_ends_with_the_first_signal(self):
        target = self.repository("b")
        self.exported()
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        process = target.start("import", fifo)
        self.addCleanup(processes.end, process)
        time.sleep(1)  # it has come to the FIFO long since, and cannot pass it
        process.send_signal(signal.SIGINT)
        self.expect(remora.INTERRUPTED, remora.finish(process, timeout=20), "SIGINT")
        self.assertEqual([], self.ids(target))

    def test_tags_of_a_stranger_reach_no_terminal_raw(self):
        entries = self.entries(self.exported()[1])
        name, content = entries[2]
        fields = json.loads(content)
        fields["tags"] = {"a\x1b[2J": "x\nverified         now, full\x9b1m\x7f", "plain": "s\u00e4ge"}
        path = self.pack([*entries[:2], (name, seal(fields)), *entries[3:]])
        target = self.repository("b")
        self.expect(remora.OK, target.run("import", path))
        out = self.expect(remora.OK, target.run("show", "latest")).out.decode()
        self.assertIn("tag              a?[2J=x?verified         now, full??1m?\n", out)
        self.assertIn("plain=s\u00e4ge\n", out)
        self.assertEqual([], [c for c in out if c != "\n" and unicodedata.category(c) == "Cc"])
        shown = self.expect(remora.OK, target.run("show", "latest", "--json")).json()
        self.assertEqual(fields["tags"], shown["manifest"]["tags"])

    def test_bounded_memory(self):
        _, path = self.exported(data.dump_file(self, 40))
        target = self.repository("b")
        result, peak = remora.peak_rss_kib("import", *target.words, path, "--memory", "32M")
        self.expect(remora.OK, result)
        self.assertLess(peak, 32 << 10)


class Refused(ImportCase):
    def test_packed_by_others(self):
        """In the same order it is as good as ours; in another it is refused with the way out."""
        backup_id, path = self.exported(data.dump_file(self, 40))
        entries = self.entries(path)
        target = self.repository("b")
        self.expect_refused(target, self.pack(entries[::-1]), "remora export", "remora copy")
        self.expect_refused(target, self.pack(entries[:4] + entries[5:6] + entries[4:5] + entries[6:]), "remora copy")
        folder = self.empty_folder("unpacked")
        subprocess.run(["tar", "xf", path, "-C", folder], check=True)
        names = [name for name, _ in entries]
        packed = self.folder / "packed.tar"
        subprocess.run(["tar", "cf", packed, "--no-recursion", "-C", folder, "instances", "instances/shop", *names],
                       check=True)  # folders among them
        self.expect(remora.OK, target.run("import", packed))
        self.expect_same_backup(target, backup_id)

    def test_damaged(self):
        _, path = self.exported(data.dump_file(self, 40))
        entries = self.entries(path)
        target = self.repository("b")
        for number, (name, content) in enumerate(entries[2:], 2):
            if number > 6 and number % 10:
                continue
            changed = bytearray(content)
            changed[self.random.randrange(len(content))] ^= 1 << self.random.randrange(8)
            with self.subTest(entry=name):
                self.expect_refused(target, self.pack([*entries[:number], (name, bytes(changed)),
                                                       *entries[number + 1:]]))
        whole = path.read_bytes()
        cut = self.folder / "cut.tar"
        for _ in range(share(10, 200)):
            cut.write_bytes(whole[:self.random.randrange(len(whole) - 20480)])
            self.expect_refused(target, cut)
        cut.write_bytes(b"")
        self.expect_refused(target, cut)
        cut.write_bytes(self.random.randbytes(100_000))
        self.expect_refused(target, cut)
        self.expect(remora.OK, target.run("import", path))

    def test_hostile(self):
        _, path = self.exported()
        entries = self.entries(path)
        target = self.repository("b")
        first, rest = entries[0], entries[1:]

        def link(info):
            if info.name == first[0]:
                info.type, info.linkname, info.size = tarfile.SYMTYPE, "/etc/passwd", 0

        self.expect_refused(target, self.pack(entries, link), "remora.json")
        for name in ("/etc/passwd", "../x", "a/../../x", "notes.txt"):
            with self.subTest(name=name):
                self.expect_refused(target, self.pack([first, (name, b"x"), *rest]), name.lstrip("/"))
                self.expect_refused(target, self.pack([*entries, (name, b"x")]), name.lstrip("/"))
        self.expect_refused(target, self.pack([first, first, *rest]), "remora.json")
        self.expect_refused(target, self.pack([*entries, entries[-1]]), entries[-1][0])
        self.expect_refused(target, self.pack([(first[0], b" " * (9 << 20)), *rest]), "remora.json", "bytes")
        self.expect_refused(target, self.pack([(first[0], first[1].replace(b"[]", b'["set"]')), *rest]), "newer",
                            status=remora.UNSUPPORTED)

    def test_usage(self):
        target = self.repository("b")
        self.expect(remora.NOT_FOUND, target.run("import", self.folder / "none.tar"), "none.tar")
        self.expect(remora.CORRUPT, target.run("import", "-"))  # stdin is /dev/null


class Killed(ImportCase):
    def wait_for_segments(self, process, target, backup_id, count):
        while len(Backup(target, backup_id).segments()) < count and process.poll() is None:
            time.sleep(0.001)

    @limit(1800 if CAMPAIGN else 120)
    def test_at_random_moments_and_gone_on_with(self):
        backup_id, path = self.exported(data.dump_file(self, 40))
        count = len(Backup(self.source, backup_id).segments())
        began = time.monotonic()
        self.expect(remora.OK, self.repository("first").run("import", path))
        seconds = time.monotonic() - began
        resumed = 0
        for number in range(share(8, 100)):
            target = self.repository(f"target-{number}")
            process = target.start("import", path)
            self.addCleanup(processes.end, process)
            if number % 2 == 0:
                time.sleep(self.random.random() * seconds)
            else:  # by what is stored: most of that time may be gone before the first is
                self.wait_for_segments(process, target, backup_id, self.random.randrange(3, count))
            process.kill()
            remora.finish(process)
            stored = len(Backup(target, backup_id).segments())
            if not self.ids(target):
                result = self.expect(remora.OK, target.run("import", path, "--json")).json()
                self.assertEqual(count, result["segments"] + result["skipped"])
                self.assertLessEqual(stored - 2, result["skipped"])
                resumed += result["skipped"] > 0
            self.expect_same_backup(target, backup_id)
        print(f"        {resumed} imports were gone on with", flush=True)
        self.assertGreater(resumed, 0)

    def test_a_full_disk_and_then_room(self):
        _, path = self.exported(data.dump_file(self, 40))
        mounted = tmpfs.mount(self, "small", "64M")
        target = remora.Repository(mounted / "repo")
        self.expect(remora.OK, target.run("init"))
        tmpfs.fill(mounted, 3 << 20)
        self.expect_refused(target, path, "no space left", status=remora.NO_SPACE)
        os.unlink(mounted / "filler")
        self.expect(remora.OK, target.run("import", path))
        self.expect(remora.OK, target.run("verify"))
