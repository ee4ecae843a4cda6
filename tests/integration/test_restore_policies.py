# SPDX-License-Identifier: Apache-2.0
"""--if-no-repo, --if-no-backup, --if-unreachable: a server never starts empty by mistake, and denied is denied."""

import os
import shutil
import signal
import time

from support import processes, remora, servers
from support.repository import Backup
from support.restoring import S3_KEYS, START_EMPTY, RestoreCase, Store, s3_words


class RestorePolicies(RestoreCase):
    """Which of the three policies lets a server start empty, for what."""

    def check(self, words, statuses, **options):
        """The status by no policy, --if-no-repo, --if-no-backup, --if-unreachable start-empty; nothing is written."""
        policies = [[], *(START_EMPTY[n:n + 2] for n in (0, 2, 4))]
        for policy, status in zip(policies, statuses):
            with self.subTest(policy):
                target = self.empty_folder("-".join(["target", *policy]))
                shown = self.untouched(target, lambda t=target, p=policy: remora.run(
                    "restore", *words, "--target", t, "--if-empty", "--appendonly", "no", *p, **options))
                self.expect(status, shown)
                if status == remora.OK:
                    self.assertIn(b"starts empty", shown.out)
                    self.assertIn(policy[0].encode(), shown.out)

    def test_no_repository(self):
        self.check(remora.Repository(self.folder / "nowhere").words,
                   [remora.NOT_FOUND, remora.OK, remora.NOT_FOUND, remora.NOT_FOUND])
        self.assertFalse((self.folder / "nowhere").exists())

    def test_a_folder_that_is_no_repository(self):
        self.empty_folder("bare")
        self.check(remora.Repository(self.folder / "bare").words,
                   [remora.NOT_FOUND, remora.OK, remora.NOT_FOUND, remora.NOT_FOUND])

    def test_no_such_instance(self):
        self.check(remora.Repository(self.repo.path, "other").words,
                   [remora.NOT_FOUND, remora.OK, remora.NOT_FOUND, remora.NOT_FOUND])

    def test_an_instance_that_was_not_named(self):
        """Whose data would it be that is not there?"""
        target = self.empty_folder()
        for repo, status in ((self.repo.path, remora.USAGE), (self.folder / "nowhere", remora.NOT_FOUND),
                             (self.empty_folder("bare"), remora.NOT_FOUND)):
            self.expect(status, self.untouched(target, lambda r=repo: remora.run(
                "restore", "--repo", r, "--target", target, "--appendonly", "no", *START_EMPTY)))

    def test_a_marker_that_is_gone(self):
        """Where there are backups, a missing marker is a loss, not a beginning."""
        self.fill()
        for marker in (self.repo.path / "instances" / "shop" / "instance.json", self.repo.path / "remora.json"):
            with self.subTest(marker.name):
                marker.rename(self.folder / "away")
                target = self.empty_folder(f"target-{marker.name}")
                self.expect(remora.NOT_FOUND, self.untouched(target, lambda t=target: self.restore(
                    t, "--appendonly", "no", *START_EMPTY)), "backups of instance", "remora init")
                (self.folder / "away").rename(marker)

    def test_a_backup_that_was_named(self):
        """Who asks for one wants that one: nothing stands in for it."""
        named = ["--backup", "20200101T000000Z-abcdef"]
        for words in (remora.Repository(self.folder / "nowhere").words, self.repo.words):
            self.check([*words, *named], [remora.NOT_FOUND] * 4)

    def test_an_instance_without_anything(self):
        self.check(self.repo.words, [remora.NOT_FOUND, remora.NOT_FOUND, remora.OK, remora.NOT_FOUND])

    def never(self, status=remora.NOT_FOUND):
        self.check(self.repo.words, [status] * 4)
        target = self.empty_folder("all-policies")
        self.expect(status, self.untouched(target, lambda: self.restore(target, "--appendonly", "no", *START_EMPTY)))

    def test_only_a_damaged_manifest(self):
        backup = Backup(self.repo, self.fill())
        backup.manifest.write_bytes(backup.manifest.read_bytes()[:-40])
        self.never()

    def test_only_an_empty_manifest(self):
        backup = Backup(self.repo, self.fill())
        backup.manifest.write_bytes(b"")
        shutil.rmtree(backup.data)
        self.never()

    def test_only_data(self):
        Backup(self.repo, self.fill()).manifest.unlink()
        self.never()

    def test_only_log(self):
        log = self.repo.path / "instances" / "shop" / "log" / ("a" * 40)
        log.mkdir(parents=True)
        (log / "timeline.json").write_text("{}")
        self.never()

    def test_a_damaged_backup(self):
        """There is one, and its data is not whole: 5, and nothing is left of what was written of it."""
        backup = Backup(self.repo, self.fill())
        segment = backup.segments()[0]
        content = bytearray(segment.read_bytes())
        content[len(content) // 2] ^= 1
        segment.write_bytes(content)
        target = self.empty_folder()
        self.expect(remora.CORRUPT, self.restore(target, "--if-empty", "--appendonly", "no", *START_EMPTY),
                    "--backup ID")
        self.assertEqual([".remora-lock"], [p.name for p in target.iterdir()])

    def test_a_backup_that_was_named(self):
        """It was expected to be there: no policy makes up for it."""
        for make in (lambda: None, self.fill):
            make()
            target = self.empty_folder()
            self.expect(remora.NOT_FOUND, self.untouched(target, lambda t=target: self.restore(
                t, "--appendonly", "no", *START_EMPTY, "--backup", "20200101T000000Z-abcdef")))
            target.rmdir()

    def test_out_of_reach(self):
        """A file where the repository should be, and a store that nobody serves."""
        path = self.folder / "file"
        path.write_text("x")
        statuses = [remora.STORAGE, remora.STORAGE, remora.STORAGE, remora.OK]
        self.check(remora.Repository(path / "below").words, statuses)

    def test_a_store_that_nobody_serves(self):
        self.check(s3_words(servers.free_port()), [remora.STORAGE, remora.STORAGE, remora.STORAGE, remora.OK],
                   env=S3_KEYS)

    def test_a_store_that_fails(self):
        self.check(Store(self, 503, "SlowDown").words, [remora.STORAGE, remora.STORAGE, remora.STORAGE, remora.OK],
                   env=S3_KEYS)

    def test_a_store_that_denies(self):
        for code in ("AccessDenied", "InvalidAccessKeyId", "ExpiredToken"):
            with self.subTest(code):
                target = self.empty_folder(code)
                self.expect(remora.STORE_DENIED, self.untouched(target, lambda t=target, c=code: remora.run(
                    "restore", *Store(self, 403, c).words, "--target", t, "--appendonly", "no", *START_EMPTY,
                    env=S3_KEYS)))

    def test_a_bucket_that_is_not_there(self):
        self.check(Store(self, 404, "NoSuchBucket").words,
                   [remora.NOT_FOUND, remora.OK, remora.NOT_FOUND, remora.NOT_FOUND], env=S3_KEYS)

    def test_denied_is_denied(self):
        """A folder of somebody else's, at each depth: never taken for nothing there."""
        self.fill()
        self.open_to_all()
        instance = self.repo.path / "instances" / "shop"
        for path in (self.repo.path, self.repo.path / "instances", instance, instance / "backups"):
            with self.subTest(path.name):
                path.chmod(0o700)
                for policy in (START_EMPTY, [*START_EMPTY[:4], "--if-unreachable", "wait:20s"]):
                    target = self.empty_folder()
                    os.chown(target, 1001, 1001)
                    began = time.monotonic()
                    self.expect(remora.STORE_DENIED, self.untouched(target, lambda t=target, p=policy: self.restore(
                        t, "--if-empty", "--appendonly", "no", *p, wrapper=self.other_user())), "permission")
                    self.assertLess(time.monotonic() - began, 5, "it waited, and for what?")
                    target.rmdir()
                path.chmod(0o755)

    def test_denied_data_of_an_empty_instance(self):
        """That there is no backup holds only when all of the listing could be read."""
        self.fill()
        instance = self.repo.path / "instances" / "shop"
        for manifest in (instance / "backups").iterdir():
            manifest.unlink()
        self.open_to_all()
        (instance / "data").chmod(0o700)
        target = self.empty_folder()
        os.chown(target, 1001, 1001)
        self.expect(remora.STORE_DENIED, self.untouched(target, lambda: self.restore(
            target, "--appendonly", "no", *START_EMPTY, wrapper=self.other_user())))

    def other_user(self):
        if os.geteuid() != 0:
            self.skipTest("another user can be taken by root only")
        return processes.as_user(1001, 1001)


class RestoreWaits(RestoreCase):
    """--if-unreachable wait:"""

    def setUp(self):
        super().setUp()
        self.fill()
        self.away = self.folder / "away"
        self.repo.path.rename(self.away)
        self.repo.path.write_text("nothing is mounted here yet")

    def test_until_the_repository_appears(self):
        target = self.empty_folder()
        words = ["restore", "--target", target, "--if-empty", "--appendonly", "no", "--if-unreachable", "wait:60s"]
        process = remora.start(*self.repo.words, *words)
        self.addCleanup(processes.end, process)
        time.sleep(1)
        self.assertIsNone(process.poll())
        self.repo.path.unlink()
        self.away.rename(self.repo.path)
        self.expect(remora.OK, remora.finish(process, words), "waiting for it")
        self.check_restored(target)

    def test_until_the_time_is_up(self):
        target = self.empty_folder()
        began = time.monotonic()
        self.expect(remora.STORAGE, self.untouched(target, lambda: self.restore(
            target, "--appendonly", "no", *START_EMPTY, "--if-unreachable", "wait:2s")))
        self.assertGreaterEqual(time.monotonic() - began, 2)
        self.assertLess(time.monotonic() - began, 10)

    def test_until_it_is_told_to_stop(self):
        target = self.empty_folder()
        process = self.repo.start("restore", "--target", target, "--appendonly", "no", "--if-unreachable", "wait:60s")
        self.addCleanup(processes.end, process)
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        self.expect(remora.INTERRUPTED, remora.finish(process, timeout=10))

    def test_nonsense(self):
        target = self.empty_folder()
        for policy in ("wait", "wait:", "wait:soon", "start"):
            self.expect(remora.USAGE, self.restore(target, "--appendonly", "no", "--if-unreachable", policy),
                        "--if-unreachable")
