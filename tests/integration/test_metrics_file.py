# SPDX-License-Identifier: Apache-2.0
"""--metrics-file, as the textfile collector of a node reads it, and what a run tells whoever started it."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import time

from support import data, remora
from support.case import Case

SAMPLE = re.compile(r'^([a-z_]+)\{([^}]*)\} (\S+)$')
SECRET = "wJalrXUtnFEMI-hunter2"


def samples(path):
    """{(name, labels): value} of a file; every line is one, or a comment."""
    found = {}
    for line in path.read_text().splitlines():
        if not line.startswith("#"):
            name, labels, value = SAMPLE.match(line).groups()
            assert (name, labels) not in found, line
            found[name, labels] = float(value)
    return found


class MetricsFile(Case):
    def setUp(self):
        super().setUp()
        self.dump = data.small_dump_file(self)
        self.repo = self.repository()
        self.collected = self.empty_folder("collected")

    def file(self, kind="backup"):
        return self.collected / f"{kind}.prom"

    def run_with_file(self, kind, *words, **options):
        return self.repo.run(kind, *words, "--metrics-file", self.file(kind), **options)

    def good_backup(self):
        return self.expect(remora.OK, self.run_with_file("backup", "--rdb-file", self.dump))

    def value(self, name, kind="backup", **labels):
        """None when it is not there."""
        text = ",".join(f'{k}="{v}"' for k, v in {"remora_instance": "shop", "kind": kind, **labels}.items())
        return samples(self.file(kind)).get((f"remora_{name}", text))

    def expect_promtool(self, path):
        with path.open("rb") as text:
            done = subprocess.run(["promtool", "check", "metrics"], stdin=text, capture_output=True, text=True,
                                  check=False)
        self.assertEqual((0, "", ""), (done.returncode, done.stdout, done.stderr))

    def test_a_success_is_told_with_what_was_made(self):
        before = time.time()
        shown = json.loads(self.expect(remora.OK, self.run_with_file("backup", "--rdb-file", self.dump,
                                                                     "--json")).out)
        self.expect_promtool(self.file())
        self.assertTrue(before <= self.value("job_last_attempt_timestamp_seconds")
                        <= self.value("job_last_success_timestamp_seconds") <= time.time())
        self.assertEqual(1, self.value("job_successes_total"))
        self.assertEqual(shown["keys"], self.value("latest_backup_keys"))
        self.assertEqual(shown["raw_size"], self.value("latest_backup_raw_bytes"))
        self.assertEqual(shown["stored_size"], self.value("latest_backup_stored_bytes"))
        self.assertGreater(self.value("storage_sent_bytes_total"), shown["stored_size"])
        self.assertGreater(self.value("storage_request_duration_seconds_count", operation="put"), 0)
        self.assertEqual(["backup.prom"], os.listdir(self.collected))

    def test_files_of_all_kinds_lie_together(self):
        """The collector refuses a folder in which two files have the same sample."""
        self.good_backup()
        self.expect(remora.OK, self.run_with_file("verify"))
        pruned = self.run_with_file("prune", "--keep-last", "1")
        self.assertIsNotNone(self.value("last_verified_timestamp_seconds", "verify"))
        failed = sum(v for (name, _), v in samples(self.file("prune")).items() if name == "remora_job_failures_total")
        self.assertEqual((1, 0) if pruned.status == 0 else (0, 1),
                         (self.value("job_successes_total", "prune"), failed), pruned)
        together = [key for kind in ("backup", "verify", "prune") for key in samples(self.file(kind))]
        self.assertEqual(len(together), len(set(together)))
        for kind in ("backup", "verify", "prune"):
            self.expect_promtool(self.file(kind))

    def test_a_quick_verify_has_read_nothing(self):
        self.good_backup()
        self.expect(remora.OK, self.run_with_file("verify", "--quick"))
        self.assertEqual(1, self.value("job_successes_total", "verify"))
        self.assertIsNone(self.value("last_verified_timestamp_seconds", "verify"))

    def test_a_failure_keeps_the_last_success(self):
        self.good_backup()
        was = {name: self.value(name) for name in ("job_last_success_timestamp_seconds", "latest_backup_keys",
                                                   "latest_backup_snapshot_timestamp_seconds")}
        attempt = self.value("job_last_attempt_timestamp_seconds")
        damaged = self.folder / "damaged.rdb"
        damaged.write_bytes(self.dump.read_bytes()[:-3])
        for times in (1, 2):
            self.expect(remora.CORRUPT, self.run_with_file("backup", "--rdb-file", damaged))
            self.assertEqual(was, {name: self.value(name) for name in was})
            self.assertEqual(times, self.value("job_failures_total", exit="corrupt"))
        self.assertEqual(1, self.value("job_successes_total"))
        self.assertGreater(self.value("job_last_attempt_timestamp_seconds"), attempt)
        self.expect_promtool(self.file())
        self.good_backup()
        self.assertEqual(2, self.value("job_successes_total"))
        self.assertEqual(2, self.value("job_failures_total", exit="corrupt"))
        self.assertGreater(self.value("job_last_success_timestamp_seconds"), was["job_last_success_timestamp_seconds"])

    def test_a_suspicious_backup_is_told_until_a_good_one_follows(self):
        self.good_backup()
        self.assertEqual(0, self.value("newest_backup_suspicious"))
        latest = self.value("latest_backup_snapshot_timestamp_seconds")
        empty = self.server(name="empty")
        empty.call("SAVE")
        self.expect(remora.OK, self.run_with_file("backup", "--rdb-file", empty.dump))
        self.assertEqual(1, self.value("newest_backup_suspicious"))
        self.assertEqual(latest, self.value("latest_backup_snapshot_timestamp_seconds"))
        damaged = self.folder / "damaged.rdb"
        damaged.write_bytes(b"no dump at all")
        self.assertNotEqual(0, self.run_with_file("backup", "--rdb-file", damaged).status)
        self.assertEqual(1, self.value("newest_backup_suspicious"))
        self.expect_promtool(self.file())
        self.good_backup()
        self.assertEqual(0, self.value("newest_backup_suspicious"))

    def test_what_is_not_ours_in_the_file_is_not_believed(self):
        self.file().write_text('remora_job_successes_total{remora_instance="shop",kind="backup"} 7e9\n'
                               'remora_job_last_success_timestamp_seconds{remora_instance="shop",kind="backup"} '
                               '99999999999.000\nother_metric 1\n\x00\xff')
        damaged = self.folder / "damaged.rdb"
        damaged.write_bytes(b"no dump at all")
        self.assertNotEqual(0, self.run_with_file("backup", "--rdb-file", damaged).status)
        self.assertIsNone(self.value("job_last_success_timestamp_seconds"))
        self.assertEqual(0, self.value("job_successes_total"))
        self.assertNotIn("other", self.file().read_text())

    def test_a_path_that_cannot_be_written_is_a_warning(self):
        link = self.collected / "link.prom"
        link.symlink_to(self.folder / "elsewhere")
        folder = self.collected / "folder.prom"
        folder.mkdir()
        for path in (self.folder / "none/backup.prom", link, folder, self.dump / "backup.prom"):
            done = self.repo.run("backup", "--rdb-file", self.dump, "--metrics-file", path)
            self.expect(remora.OK, done, "metrics of this run could not be written", str(path))
            self.assertTrue(done.out.strip(), "the id")
            self.expect(remora.NOT_FOUND, self.repo.run("verify", "20200101T000000Z-000000", "--metrics-file", path),
                        "metrics of this run could not be written")
        self.assertTrue(link.is_symlink())
        self.assertFalse((self.folder / "elsewhere").exists())
        self.assertEqual({"link.prom", "folder.prom"}, set(os.listdir(self.collected)))

    def test_a_run_that_names_no_instance_leaves_the_file(self):
        self.good_backup()
        was = self.file().read_bytes()
        words = ["backup", "--repo", f"file://{self.repo.path}", "--rdb-file", self.dump, "--metrics-file", self.file()]
        for more in ([], ["--instance", "../shop"], ["--instance", "sh\u00f6p"]):
            self.expect(remora.USAGE, remora.run(*words, *more), "metrics of this run could not be written")
            self.assertEqual(was, self.file().read_bytes())

    def test_the_variable_is_for_the_commands_that_have_the_option(self):
        env = {"REMORA_METRICS_FILE": str(self.file())}
        self.expect(remora.OK, self.repo.run("list", env=env))
        self.assertFalse(self.file().exists())
        self.expect(remora.OK, self.repo.run("backup", "--rdb-file", self.dump, env=env))
        self.assertEqual(1, self.value("job_successes_total"))

    def test_a_collector_of_another_user_reads_it(self):
        before = os.umask(0o077)
        try:
            self.good_backup()
        finally:
            os.umask(before)
        self.assertEqual(0o644, stat.S_IMODE(self.file().stat().st_mode))

    def test_a_reader_never_meets_half_a_file(self):
        """While runs replace it."""
        self.good_backup()
        whole = set(samples(self.file()))
        running = [self.repo.start("verify", "--quick", "--metrics-file", self.file("verify"),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(6)]
        looks = 0
        while any(p.poll() is None for p in running):
            if self.file("verify").exists():
                text = self.file("verify").read_text()
                self.assertTrue(text.endswith("\n") and "remora_storage_received_bytes_total{" in text)
                looks += 1
        self.assertEqual([0] * 6, [p.returncode for p in running])
        self.assertGreater(looks, 0)
        self.assertEqual(whole, set(samples(self.file())))


def dead_endpoint():
    """A URL of this machine where nobody listens."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{s.getsockname()[1]}"


class StoreAway(Case):
    def setUp(self):
        super().setUp()
        self.dump = data.small_dump_file(self)
        self.file = self.folder / "backup.prom"
        self.words = ["backup", "--repo", "s3://bucket-of-nobody/prefix", "--instance", "shop", "--rdb-file",
                      self.dump, "--metrics-file", self.file]
        self.env = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1"}

    def test_failures_and_retries_are_counted_and_no_secret_is_told(self):
        self.expect(remora.STORAGE, remora.run(*self.words, "--s3-endpoint", dead_endpoint(),
                                                       "--retry-for", "2s", env=self.env))
        found = samples(self.file)
        shop = 'remora_instance="shop",kind="backup"'
        self.assertEqual(1, found["remora_job_failures_total", f'{shop},exit="storage"'])
        retries = found["remora_storage_retries_total", shop]
        self.assertGreater(retries, 0)
        failures = sum(v for (name, _), v in found.items() if name == "remora_storage_failures_total")
        requests = sum(v for (name, _), v in found.items() if name == "remora_storage_request_duration_seconds_count")
        self.assertEqual((retries + 1, retries + 1), (failures, requests))
        text = self.file.read_text()
        for word in (SECRET, "AKIA", "bucket-of-nobody", "127.0.0.1", str(self.folder)):
            self.assertNotIn(word, text)

    def test_a_run_that_is_asked_to_stop_is_counted(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(60)
            endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
            process = remora.start(*self.words, "--s3-endpoint", endpoint, env=self.env)
            listener.accept()[0].close()  # it is under way, and will ask again
            process.send_signal(signal.SIGTERM)
        self.expect(remora.INTERRUPTED, remora.finish(process))
        self.assertEqual(1, samples(self.file)["remora_job_failures_total",
                                               'remora_instance="shop",kind="backup",exit="interrupted"'])


class Telling(Case):
    def told(self, *words, status=remora.OK):
        """The lines that a run tells whoever started it."""
        reader, writer = os.pipe()
        with os.fdopen(reader, "rb") as lines:
            process = remora.start(*words, env={"REMORA_TELL_FD": str(writer)}, pass_fds=[writer])
            os.close(writer)
            self.expect(status, remora.finish(process))
            return [json.loads(line) for line in lines]

    def test_the_last_line_is_what_the_repository_was_asked(self):
        repo = self.repository()
        dump = data.small_dump_file(self)
        file = self.folder / "backup.prom"
        for times in (1, 2):
            storage = self.told("backup", *repo.words, "--rdb-file", dump, "--metrics-file", file)[-1]["storage"]
            for name, call in storage["calls"].items():
                self.assertEqual(call["count"], sum(call["buckets"]), name)
            self.assertGreater(storage["calls"]["put"]["count"], 2)
            self.assertGreater(storage["bytes_put"], 0)
            counted = samples(file)
            shop = 'remora_instance="shop",kind="backup"'
            if times == 1:
                self.assertEqual(storage["bytes_put"], counted["remora_storage_sent_bytes_total", shop])
                self.assertEqual(storage["calls"]["put"]["count"],
                                 counted["remora_storage_request_duration_seconds_count",
                                         f'{shop},operation="put"'])
            else:
                self.assertGreater(counted["remora_storage_sent_bytes_total", shop], storage["bytes_put"])

    def test_a_failed_run_tells_it_too(self):
        repo = self.repository()
        storage = self.told("verify", *repo.words, status=remora.NOT_FOUND)[-1]["storage"]
        self.assertGreater(storage["calls"]["get"]["count"], 0)

    def test_a_reader_that_went_away_is_no_failure(self):
        repo = self.repository()
        reader, writer = os.pipe()
        os.close(reader)
        process = remora.start("backup", *repo.words, "--rdb-file", data.small_dump_file(self),
                               env={"REMORA_TELL_FD": str(writer)}, pass_fds=[writer])
        os.close(writer)
        self.expect(remora.OK, remora.finish(process))
