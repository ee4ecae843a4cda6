# SPDX-License-Identifier: Apache-2.0
"""A real S3 store that stands still, dies, or is reached by a slow link in mid-upload; a gateway for those who stop it."""

import contextlib
import hashlib
import subprocess
import threading
import time
import uuid

from support import data, gateway, processes, proxy, remora, s3
from support.case import Case

# Segments of 1 MiB, two at a time.
SMALL_SEGMENTS = ["--memory", "24M", "--jobs", "2"]
RETRIED = "the store failed and was asked again"


class FaultCase(Case):
    def choose_gateway(self):
        return gateway.shared()

    def setUp(self):
        super().setUp()
        self.gateway = self.choose_gateway()
        self.repo = s3.Repository(self.gateway, prefix=f"it/{uuid.uuid4()}")
        self.addCleanup(self.gateway.client.remove_all, self.repo.bucket, self.repo.prefix)
        self.expect(remora.OK, self.repo.run("init"))

    def slow_link(self, bytes_per_second):
        link = proxy.SlowLink(self.gateway.port, bytes_per_second)
        self.addCleanup(link.close)
        return link

    def start_backup(self, link, *words):
        process = self.repo.through(link.url).start("backup", *SMALL_SEGMENTS, *words)
        self.addCleanup(processes.end, process)
        return process

    def wait_for_segments(self, process, count, seconds=60):
        deadline = time.monotonic() + seconds
        while len(self.repo.segments()) < count:
            self.assertIsNone(process.poll(), "the backup ended before anything was done to the store")
            self.assertLess(time.monotonic(), deadline, "no segment was stored")
            time.sleep(0.1)

    def expect_nothing_stored(self):
        self.assertEqual([], self.ids(self.repo))
        self.assertEqual({"remora.json", "instances/shop/instance.json"}, set(self.repo.objects()))


class S3Faults(FaultCase):
    """In mid-upload: a link of 2 MB/s, a dump that needs several seconds of it, and the first segments stored."""

    together = "private gateway"
    seconds = 240

    def choose_gateway(self):
        return gateway.private()

    def upload(self):
        """(a backup in its midst, the dump)"""
        dump = data.dump_file(self, 40)
        process = self.start_backup(self.slow_link(2_000_000), "--rdb-file", dump)
        self.wait_for_segments(process, 3)
        return process, dump

    def expect_whole(self, process, dump, *sentences):
        self.assertIsNone(process.poll(), "the backup was over before the store came back")
        stored = len(self.repo.segments())
        result = self.expect(remora.OK, remora.finish(process), *sentences)
        backup_id = result.out.decode().strip()
        self.assertLess(stored, len(self.repo.segments()), "the upload was over before the store came back")
        self.assertEqual([backup_id], self.ids(self.repo))
        self.expect(remora.OK, self.repo.run("verify", backup_id))
        restored = self.expect(remora.OK, self.repo.run("restore", "--stdout")).out
        self.assertEqual(hashlib.sha256(dump.read_bytes()).digest(), hashlib.sha256(restored).digest())
        return result

    def test_the_gateway_stands_still_for_30_s(self):
        """Less than the 60 s after which a request is given up: it is waited for."""
        process, dump = self.upload()
        self.gateway.pause()
        try:
            time.sleep(30)
        finally:
            self.gateway.go_on()
        self.expect_whole(process, dump)

    def test_the_gateway_is_killed_and_comes_back(self):
        process, dump = self.upload()
        self.gateway.kill()
        time.sleep(3)
        self.gateway.restart()
        self.expect_whole(process, dump, RETRIED)

    def test_the_gateway_is_killed_and_stays_away(self):
        """It ends within its patience, though what it stored cannot be taken back: nothing is listed."""
        dump = data.dump_file(self, 40)
        process = self.start_backup(self.slow_link(2_000_000), "--rdb-file", dump, "--retry-for", "4s")
        self.wait_for_segments(process, 3)
        self.gateway.kill()
        try:
            began = time.monotonic()
            self.expect(remora.STORAGE, remora.finish(process), "the store kept failing", "are left in the store")
            self.assertLess(time.monotonic() - began, 15, "4 s for the put, 4 s for the first removal, none for others")
        finally:
            self.gateway.restart()
        self.assertEqual([], self.ids(self.repo))
        self.expect(remora.NOT_FOUND, self.repo.run("restore", "--appendonly", "no", "--target", self.empty_folder()))


class Samples:
    """What the server held while a backup ran."""

    def __init__(self):
        self.used, self.omem, self.replication, self.seen_attached = [], [], [], []
        self.began, self.whole = time.monotonic(), 0.0

    def take(self, server):
        self.whole = time.monotonic() - self.began
        memory = server.info("memory")
        replicas = server.call("CLIENT", "LIST", "TYPE", "replica").decode().splitlines()
        self.used.append(int(memory["used_memory"]))
        self.replication.append(int(memory["mem_clients_slaves"]))
        self.omem.append(sum(int(line.split(" omem=")[1].split()[0]) for line in replicas))
        if replicas:
            self.seen_attached.append(time.monotonic())

    @property
    def attached_for(self):
        """Seconds between the first and the last time that the server had us as its replica."""
        return self.seen_attached[-1] - self.seen_attached[0] if self.seen_attached else 0


class S3Throttled(FaultCase):
    """
    A store of 200 kB/s while the server is written to a hundred times as fast: what it holds back for us is bounded.
    Over a Unix socket: the buffers of TCP would take in most of the dump.
    """

    seconds = 180
    RATE = 200_000
    WRITTEN = 20_000_000  # bytes a second
    BOUND = 8 << 20
    DISKLESS = ["--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0"]
    DISK_BACKED = ["--repl-diskless-sync", "no"]

    def make_server(self, *options):
        """About 8 MB of dump, of which a third is stored."""
        server = self.server("--rdbcompression", "no", *options)
        data.fill_mixed(server, 7)
        return server

    @contextlib.contextmanager
    def writes(self, server):
        """The same 200 keys, over and over: the data does not grow."""
        ended = threading.Event()
        writer = threading.Thread(target=self.write, args=(server, ended))
        writer.start()
        try:
            yield
        finally:
            ended.set()
            writer.join()

    def write(self, server, ended):
        """An evenly spread stream of SETs; one that the server keeps waiting makes up for it."""
        value = "x" * 4000
        with server.client() as client:
            began, written = time.monotonic(), 0
            while not ended.is_set():
                client.calls(("SET", f"key:{n}", value) for n in range(200))
                written += 200 * len(value)
                ended.wait(max(0.0, began + written / self.WRITTEN - time.monotonic()))

    def backup_under_load(self, server, rate, *words):
        """Returns (result, samples). Nothing is listed before it is over."""
        samples = Samples()
        with self.writes(server):
            before = int(server.info("memory")["used_memory"])
            written = int(server.info("stats")["total_net_input_bytes"])
            process = self.start_backup(self.slow_link(rate), "--redis-url", server.unix_url, *words)
            while process.poll() is None:
                samples.take(server)
                if len(samples.used) % 20 == 0:
                    listed = self.ids(self.repo)
                    self.assertTrue(not listed or self.has_ended(process), "a backup is listed before it is whole")
                time.sleep(0.2)
            written = int(server.info("stats")["total_net_input_bytes"]) - written
        self.assertGreater(written, 4 * self.BOUND, "the server was hardly written to")
        self.assertLess(max(samples.used) - before, self.BOUND)
        self.assertLess(max(samples.omem), self.BOUND)
        self.assertLess(max(samples.replication), self.BOUND)
        return remora.finish(process), samples

    def has_ended(self, process):
        """Between the manifest and the end of the process there is next to nothing."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        return process.returncode is not None

    def expect_whole(self, result, keys):
        self.expect(remora.OK, result)
        backup_id = result.out.decode().strip()
        self.assertEqual([backup_id], self.ids(self.repo))
        self.expect(remora.OK, self.repo.run("verify", backup_id))
        shown = self.expect(remora.OK, self.repo.run("show", backup_id, "--json")).json()
        self.assertIn(shown["manifest"]["rdb"]["keys"], range(keys, keys + 201))

    def keys(self, server):
        return sum(n for n, _ in server.keyspace().values())

    def test_a_spool_that_takes_all(self):
        """The server is done with us long before the store is."""
        server = self.make_server(*self.DISKLESS)
        keys = self.keys(server)
        result, samples = self.backup_under_load(server, self.RATE, "--spool-dir", self.empty_folder("spool"))
        self.assertLess(samples.attached_for, samples.whole / 2, "the server had to wait")
        self.assertNotIn(b"server_waited=", result.err)
        self.expect_whole(result, keys)

    def wait_for_the_store(self, *options):
        server = self.make_server(*options)
        keys = self.keys(server)
        result, samples = self.backup_under_load(server, self.RATE, "--spool-dir", self.empty_folder("spool"),
                                                 "--spool-size", "1M")
        self.assertGreater(samples.attached_for, samples.whole / 3, "the server did not have to wait")
        self.assertIn(b"server_waited=", result.err)
        self.expect_whole(result, keys)

    def test_a_spool_that_is_too_small__diskless(self):
        self.wait_for_the_store(*self.DISKLESS)

    def test_a_spool_that_is_too_small__disk_backed(self):
        self.wait_for_the_store(*self.DISK_BACKED)

    def test_a_server_that_loses_patience(self):
        server = self.make_server(*self.DISKLESS, "--repl-timeout", "2")
        result, _ = self.backup_under_load(server, self.RATE // 2, "--spool-dir", self.empty_folder("spool"),
                                           "--spool-size", "1M")
        self.expect(remora.SERVER, result, "in mid-transfer", "--spool-size")
        self.expect_nothing_stored()
