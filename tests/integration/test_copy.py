# SPDX-License-Identifier: Apache-2.0
"""Backups go from one repository into another: whole, resumed after any end, and never half listed."""

import json
import os
import shutil
import signal
import time
import uuid

from support import data, gateway, processes, remora, s3, servers, tmpfs
from support.case import CAMPAIGN, Case, limit, share
from support.repository import Backup, objects, seal
from support.servers import Server

SMALL_SEGMENTS = ["--memory", "24M", "--jobs", "2"]  # of 1 MiB


class CopyCase(Case):
    def to(self, repo):
        """The words that name a target."""
        return ["--to-repo", f"file://{repo.path}", "--to-instance", repo.instance]

    def copy(self, source, target, *words):
        """What became of each backup, by id; it has to succeed."""
        result = self.expect(remora.OK, source.run("copy", *words, *self.to(target), "--json"))
        return {b["id"]: b for b in result.json()["backups"]}

    def expect_same_backup(self, source, target, backup_id):
        """Byte for byte."""
        left, right = Backup(source, backup_id).content(), Backup(target, backup_id).content()
        self.assertEqual(list(left), list(right))
        self.assertTrue(left == right, "the copy has other bytes")


class BetweenFolders(CopyCase):
    def test_text_and_json(self):
        source, target = self.repository("a"), self.repository("b", "other")
        backup_id = self.backup(source, "--rdb-file", data.small_dump_file(self))
        result = self.expect(remora.OK, source.run("copy", *self.to(target)))
        self.assertRegex(result.out.decode(), rf"^{backup_id} copied [0-9.]+ [KM]iB\n$")
        result = self.expect(remora.OK, source.run("copy", backup_id, *self.to(target)))
        self.assertEqual(f"{backup_id} there\n", result.out.decode())
        shutil.rmtree(target.path / "instances/other/backups")
        answer = self.expect(remora.OK, source.run("copy", *self.to(target), "--json")).json()
        self.assertEqual({"command": "copy", "instance": "shop",
                          "to": {"repository": f"file://{target.path}", "instance": "other"},
                          "backups": [{"id": backup_id, "action": "copied", "segments": 1, "skipped": 0,
                                       "bytes": Backup(source, backup_id).segments()[0].stat().st_size}]}, answer)
        self.expect_same_backup(source, target, backup_id)

    def test_usage(self):
        source = self.repository("a")
        backup_id = self.backup(source, "--rdb-file", data.small_dump_file(self))
        missing = remora.Repository(self.folder / "b")
        self.expect(remora.USAGE, source.run("copy"), "--to-repo is missing")
        self.expect(remora.USAGE, source.run("copy", *self.to(source)), "source and target are the same")
        self.expect(remora.USAGE, source.run("copy", backup_id, "--all", *self.to(missing)), "--all")
        self.expect(remora.USAGE, source.run("copy", "x", *self.to(missing)), "latest")
        self.expect(remora.USAGE, source.run("copy", "--to-repo", "ftp://x"), "--to-repo")
        self.expect(remora.NOT_FOUND, source.run("copy", *self.to(missing)), "--to-repo")
        self.expect(remora.NOT_FOUND, source.run("copy", "20200101T000000Z-abcdef", "--to-instance", "b", "--create",
                                                 "--to-repo", source.path), "has no backup")
        self.expect(remora.USAGE, source.run("copy", "--memory", "16M", *self.to(missing), "--create"), "--memory at")
        self.assertEqual([], self.ids(missing))
        self.expect(remora.OK, source.run("copy", *self.to(missing), "--create"))
        self.assertEqual([backup_id], self.ids(missing))

    def test_another_backup_under_the_id_is_never_overwritten(self):
        source, target = self.repository("a"), self.repository("b")
        backup_id = self.backup(source, "--rdb-file", data.small_dump_file(self))
        manifest = Backup(target, backup_id).manifest
        manifest.parent.mkdir(parents=True)
        manifest.write_bytes(b"another")
        for words in ([], ["--all"]):
            self.expect(remora.REFUSED, source.run("copy", *words, *self.to(target)), "another backup")
        self.assertEqual(b"another", manifest.read_bytes())

    def test_all_20_the_oldest_first_and_a_damaged_one_is_told(self):
        source, target = self.repository("a"), self.repository("b")
        ids = sorted(self.backup(source, "--rdb-file", data.small_dump_file(self)) for _ in range(20))
        self.copy(source, target, ids[7])
        hurt = Backup(source, ids[3]).segments()[0]
        content = bytearray(hurt.read_bytes())
        content[len(content) // 2] ^= 1
        hurt.write_bytes(content)
        result = self.expect(remora.CORRUPT, source.run("copy", "--all", *self.to(target)), "1 of 20", ids[3])
        lines = result.out.decode().splitlines()
        self.assertEqual(ids, [line.split()[0] for line in lines])
        self.assertEqual(["there" if i == 7 else "DAMAGED:" if i == 3 else "copied" for i in range(20)],
                         [line.split()[1] for line in lines])
        self.assertEqual(ids[:3] + ids[4:], self.ids(target))
        result = source.run("copy", "--all", "--json", *self.to(target))
        self.assertEqual(remora.CORRUPT, result.status)
        found = {b["id"]: b for b in json.loads(result.out)["backups"]}
        self.assertEqual({"there", "damaged"}, {b["action"] for b in found.values()})
        self.assertEqual("corrupt", found[ids[3]]["code"])
        self.expect(remora.OK, target.run("verify", "--all"))

    def test_a_full_disk_and_then_room(self):
        source = self.repository("a")
        self.backup(source, *SMALL_SEGMENTS, "--rdb-file", data.dump_file(self, 40))
        mounted = tmpfs.mount(self, "small", "64M")
        target = remora.Repository(mounted / "repo")
        self.expect(remora.OK, target.run("init"))
        tmpfs.fill(mounted, 3 << 20)
        self.expect(remora.NO_SPACE, source.run("copy", *self.to(target)), "no space left")
        self.assertEqual([], self.ids(target))
        left = len(list(mounted.rglob("*.zst")))
        self.assertGreater(left, 0)
        (mounted / "filler").unlink()
        result, = self.copy(source, target).values()
        self.assertGreaterEqual(result["skipped"], left - 2)
        self.expect(remora.OK, target.run("verify"))

    def test_a_source_that_may_not_be_written(self):
        source, target = self.repository("a"), self.repository("b")
        backup_id = self.backup(source, "--rdb-file", data.small_dump_file(self))
        for path in [source.path, *source.path.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        before = {p: p.stat().st_mtime_ns for p in source.path.rglob("*")}
        try:
            self.expect(remora.OK, source.run("copy", *self.to(target), wrapper=processes.powerless))
        finally:
            for path in [source.path, *source.path.rglob("*")]:
                path.chmod(0o755)
        self.assertEqual(before, {p: p.stat().st_mtime_ns for p in source.path.rglob("*")})
        self.expect_same_backup(source, target, backup_id)

    def test_accepted_goes_along(self):
        source, target = self.repository("a"), self.repository("b")
        backup_id = self.backup(source, "--rdb-file", data.small_dump_file(self))
        manifest = Backup(source, backup_id).manifest
        manifest.write_bytes(seal({**json.loads(manifest.read_bytes()), "suspicious": True}))
        fact = source.path / f"instances/shop/accepted/{backup_id}.json"
        self.copy(source, target, backup_id)
        self.expect(remora.NOT_FOUND, target.run("show", "latest"))
        fact.parent.mkdir()
        fact.write_text('{"id":"' + backup_id + '"}\n')
        self.assertEqual("there", self.copy(source, target, "--all")[backup_id]["action"])
        self.expect(remora.OK, target.run("show", "latest"))
        self.assertEqual(fact.read_bytes(), (target.path / f"instances/shop/accepted/{backup_id}.json").read_bytes())


class Killed(CopyCase):
    def setUp(self):
        super().setUp()
        self.source, self.target = self.repository("a"), self.repository("b")
        self.backup_id = self.backup(self.source, *SMALL_SEGMENTS, "--rdb-file", data.dump_file(self, 40))
        self.count = len(Backup(self.source, self.backup_id).segments())

    def start(self):
        process = self.source.start("copy", "--jobs", "2", *self.to(self.target))
        self.addCleanup(processes.end, process)
        return process

    def wait_for_segments(self, process, count):
        while len(self.stored()) < count and process.poll() is None:
            time.sleep(0.001)

    def stored(self):
        return {p.name: p.stat().st_mtime_ns for p in Backup(self.target, self.backup_id).segments()}

    @limit(1800 if CAMPAIGN else 120)
    def test_at_random_moments_and_gone_on_with(self):
        """What is there is not put again, but for one segment a worker."""
        began = time.monotonic()
        self.copy(self.source, self.target)
        seconds = time.monotonic() - began
        killed = resumed = 0
        for number in range(share(15, 200)):
            shutil.rmtree(self.target.path / "instances/shop/data")
            Backup(self.target, self.backup_id).manifest.unlink(missing_ok=True)
            process = self.start()
            if number % 2 == 0:
                time.sleep(self.random.random() * seconds)
            else:
                self.wait_for_segments(process, self.random.randrange(3, self.count))
            process.kill()
            killed += remora.finish(process).status == -signal.SIGKILL
            before = self.stored()
            if self.ids(self.target) == []:
                result = self.copy(self.source, self.target)[self.backup_id]
                again = [name for name, when in self.stored().items() if before.get(name, when) != when]
                self.assertLessEqual(len(again), 2)
                self.assertEqual(self.count, result["segments"] + result["skipped"])
                self.assertLessEqual(len(before) - 2, result["skipped"])
                resumed += result["skipped"] > 0
            self.assertEqual([self.backup_id], self.ids(self.target))
            self.expect_same_backup(self.source, self.target, self.backup_id)
        print(f"        {killed} copies were killed, {resumed} gone on with", flush=True)
        self.assertGreater(killed, 3)
        self.assertGreater(resumed, 0)

    def test_interrupted_and_gone_on_with(self):
        process = self.start()
        self.wait_for_segments(process, 3)
        process.send_signal(signal.SIGTERM)
        status = remora.finish(process).status
        self.assertIn(status, (remora.OK, remora.INTERRUPTED))
        if status == remora.INTERRUPTED:
            self.assertEqual([], self.ids(self.target))
            self.assertGreater(self.copy(self.source, self.target)[self.backup_id]["skipped"], 0)
        self.expect_same_backup(self.source, self.target, self.backup_id)

    def test_old_remains(self):
        """Up to 23 h they are gone on with; older ones are prune's."""
        self.copy(self.source, self.target)
        copied = Backup(self.target, self.backup_id)
        copied.manifest.unlink()
        old = time.time() - 22.9 * 3600
        for path in objects(copied.data):
            os.utime(path, (old, old))
        result = self.copy(self.source, self.target)[self.backup_id]
        self.assertIn(result["segments"], (1, 2))
        copied.manifest.unlink()
        old = time.time() - 23.1 * 3600
        for path in objects(copied.data):
            os.utime(path, (old, old))
        for words in ([], ["--all"]):
            self.expect(remora.LOCKED, self.source.run("copy", *words, *self.to(self.target)), "remora prune --apply")
        self.assertEqual([], self.ids(self.target))

    def test_a_removal_under_way(self):
        note = self.target.path / f"instances/shop/expired/{self.backup_id}.json"
        note.parent.mkdir()
        note.write_text("{}\n")
        self.expect(remora.LOCKED, self.source.run("copy", *self.to(self.target)), "is being removed")
        self.assertEqual([], self.ids(self.target))

    @limit(600 if CAMPAIGN else 120)
    def test_several_at_once(self):
        for _ in range(share(5, 50)):
            shutil.rmtree(self.target.path / "instances/shop/data", ignore_errors=True)
            Backup(self.target, self.backup_id).manifest.unlink(missing_ok=True)
            for result in [remora.finish(p) for p in [self.start() for _ in range(3)]]:
                self.expect(remora.OK, result)
            self.expect_same_backup(self.source, self.target, self.backup_id)


class ThroughS3(CopyCase):
    """From a folder into a bucket of a real store, and back into another folder."""

    seconds = 240  # the first one starts the gateway

    def setUp(self):
        super().setUp()
        self.gateway = gateway.shared()
        self.bucket = s3.Repository(self.gateway, prefix=f"it/{uuid.uuid4()}", instance="far")
        self.addCleanup(self.gateway.client.remove_all, self.bucket.bucket, self.bucket.prefix)
        self.source = self.repository("a")

    def into_bucket(self, *words, **options):
        return self.source.start("copy", "--to-repo", f"s3://{self.bucket.bucket}/{self.bucket.prefix}",
                                 "--to-instance", "far", "--to-s3-endpoint", self.bucket.endpoint, "--create", *words,
                                 env=self.bucket.env, **options)

    def test_there_and_back_onto_a_server(self):
        server = self.server("--rdbcompression", "no")
        data.fill_every_type(server)
        before = server.fingerprint()
        backup_id = self.backup_server(self.source, server)
        server.stop()
        self.expect(remora.OK, remora.finish(self.into_bucket()))
        self.assertEqual([backup_id], self.ids(self.bucket))
        self.expect(remora.OK, self.bucket.run("verify"))
        back = self.repository("c")
        self.expect(remora.OK, self.bucket.run("copy", "--all", "--to-repo", back.path, "--to-instance", "shop"))
        self.expect_same_backup(self.source, back, backup_id)
        target = self.empty_folder()
        self.expect(remora.OK, back.run("restore", "--target", target, "--appendonly", "no"))
        restored = Server(servers.default(), target)
        self.addCleanup(restored.destroy)
        self.expect_same(before, restored.fingerprint())

    @limit(1800 if CAMPAIGN else 240)
    def test_killed_at_random_moments_and_gone_on_with(self):
        backup_id = self.backup(self.source, *SMALL_SEGMENTS, "--rdb-file", data.dump_file(self, 40))
        count = len(Backup(self.source, backup_id).segments())
        began = time.monotonic()
        self.expect(remora.OK, remora.finish(self.into_bucket()))
        seconds = time.monotonic() - began
        resumed, runs = 0, 0
        while resumed < share(2, 25) and runs < share(40, 400):
            runs += 1
            self.gateway.client.remove_all(self.bucket.bucket, f"{self.bucket.prefix}/instances/far/")
            process = self.into_bucket()
            self.addCleanup(processes.end, process)
            time.sleep(seconds * (0.2 + 0.7 * self.random.random()))
            process.kill()
            remora.finish(process)
            stored = len(self.bucket.segments())
            if not any("/backups/" in key for key in self.bucket.objects()):
                result = self.expect(remora.OK, remora.finish(self.into_bucket("--json"))).json()["backups"][0]
                self.assertEqual(count, result["segments"] + result["skipped"])
                self.assertLessEqual(stored - 2, result["skipped"])
                resumed += result["skipped"] > 0
            self.expect(remora.OK, self.bucket.run("verify", "--record", "no"))
        print(f"        {resumed} of {runs} copies were gone on with", flush=True)
        self.assertGreater(resumed, 0)

    def test_two_at_once(self):
        backup_id = self.backup(self.source, *SMALL_SEGMENTS, "--rdb-file", data.dump_file(self, 40))
        for result in [remora.finish(p) for p in [self.into_bucket() for _ in range(2)]]:
            self.expect(remora.OK, result)
        self.assertEqual([backup_id], self.ids(self.bucket))
        self.expect(remora.OK, self.bucket.run("verify"))

    def test_read_only_credentials_on_the_source(self):
        bucket = f"it-{uuid.uuid4()}"
        name, key = self.gateway.add_user()
        self.addCleanup(self.gateway.remove_user, name)
        self.gateway.client.make_bucket(bucket)
        self.addCleanup(self.gateway.client.remove_bucket, bucket)
        self.gateway.client.set_policy(bucket, {
            "Effect": "Allow", "Principal": {"AWS": [f"arn:aws:iam:::user/{name}"]},
            "Action": ["s3:GetObject", "s3:ListBucket"],
            "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]})
        owners = s3.Repository(self.gateway, bucket=bucket)
        self.expect(remora.OK, owners.run("init"))
        backup_id = self.backup(owners, "--rdb-file", data.small_dump_file(self))
        before = owners.objects()
        reader = owners.changed(key=key)
        self.expect(remora.STORE_DENIED, reader.run("backup", "--rdb-file", data.small_dump_file(self)))
        back = self.repository("c")
        self.expect(remora.OK, reader.run("copy", "--to-repo", back.path))
        self.assertEqual([backup_id], self.ids(back))
        # Into another bucket with a key of its own for that.
        key_file = self.folder / "key"
        key_file.write_text(f"{self.bucket.access_key}\n{self.bucket.secret_key}\n")
        self.expect(remora.OK, reader.run("copy", "--to-repo", f"s3://{self.bucket.bucket}/{self.bucket.prefix}",
                                          "--to-instance", "far", "--create", "--to-s3-access-key-file", key_file))
        self.assertEqual([backup_id], self.ids(self.bucket))
        self.expect(remora.STORE_DENIED, reader.run("copy", "--to-repo", f"s3://{bucket}/{owners.prefix}",
                                                    "--to-instance", "far", "--create"))
        self.assertEqual(before, owners.objects())
