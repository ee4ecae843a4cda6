# SPDX-License-Identifier: Apache-2.0
"""remora ended at any moment: what is listed is whole. (Of a restore: test_kill_restore.py.)"""

import signal
import time

from support import data, processes, remora
from support.case import CAMPAIGN, Case, limit, share
from support.repository import Backup, objects

# The system calls that change what others see of a run: it is killed as it enters the Nth of each.
CALLS = ["openat", "write", "fsync", "fdatasync", "rename", "renameat", "renameat2", "linkat", "unlink", "unlinkat",
         "mkdirat", "mkdir", "ftruncate", "flock"]
# Those that can fail on a file system; before main() the loader makes others too.
FAILING = ["fsync", "fdatasync", "rename", "renameat", "renameat2", "linkat", "unlinkat", "mkdirat", "ftruncate",
           "flock",
           "pwrite64", "fallocate", "getdents64"]


class KillCase(Case):
    def setUp(self):
        super().setUp()
        self.dump = data.dump_file(self, 40)
        self.repo = self.repository()

    def timed(self, *words):
        """How long a run takes that is not killed."""
        began = time.monotonic()
        self.expect(remora.OK, self.repo.run(*words))
        return time.monotonic() - began

    def tell(self, killed, runs):
        print(f"        {killed} of {runs} runs did not come to their end", flush=True)

    def kill_within(self, seconds, *words):
        process = self.repo.start(*words)
        time.sleep(self.random.random() * seconds)
        process.kill()
        return remora.finish(process, words).status

    def check_listed(self, checked):
        """Every backup that list shows is whole; those in `checked` were seen to be."""
        for backup_id in set(self.ids(self.repo)) - checked:
            self.expect(remora.OK, self.repo.run("verify", backup_id, "--record", "no"))
            checked.add(backup_id)


class AtRandomMoments(KillCase):
    @limit(1800 if CAMPAIGN else 120)
    def test_sigkill_of_a_backup(self):
        seconds = self.timed("backup", "--rdb-file", self.dump)
        checked, killed, runs = set(), 0, 0
        while killed < share(10, 100):
            killed += self.kill_within(seconds, "backup", "--rdb-file", self.dump) == -signal.SIGKILL
            runs += 1
            self.check_listed(checked)
        self.tell(killed, runs)
        self.backup(self.repo, "--rdb-file", self.dump)
        self.check_listed(checked)


class AtSystemCalls(KillCase):
    """The same with a small dump, at the Nth of a kind of system call: killed as it enters it, or the call fails."""

    def setUp(self):
        Case.setUp(self)
        self.dump = data.small_dump_file(self)
        self.repo = self.repository()

    def inject(self, place, what, *words):
        call, number = place

        def traced(command):
            return ["strace", "-f", "-qq", "-e", f"trace={call}", "-e", f"inject={call}:{what}:when={number}",
                    "-o", "/dev/null", *command]

        return self.repo.run(*words, wrapper=traced)

    def killed_at(self, place, *words):
        """False: it does not come to so many of that call (in one thread)."""
        result = self.inject(place, "signal=KILL", *words)
        self.assertIn(result.status, (0, -signal.SIGKILL), result)
        return result.status != 0

    def places(self, calls, *words):
        """(call, N) for each one that a whole run makes; of many, the first ones, the last ones and some between."""
        trace = self.folder / "calls"

        def traced(command):
            return ["strace", "-f", "-qq", "-e", f"trace={','.join(calls)}", "-o", str(trace), *command]

        self.expect(remora.OK, self.repo.run(*words, wrapper=traced))
        counts = {}
        for line in trace.read_text().splitlines():
            call = line.split(None, 1)[1].split("(", 1)[0]
            if call in calls:
                counts[call] = counts.get(call, 0) + 1
        places = []
        for call, count in counts.items():
            most = share(8, 1000)
            numbers = set(range(1, count + 1))
            if count > most:
                numbers = {1, 2, count - 1, count} | set(self.random.sample(range(1, count + 1), most - 4))
            places += [(call, n) for n in sorted(numbers)]
        return places

    @limit(1800 if CAMPAIGN else 180)
    def test_backup_killed(self):
        words = ["backup", "--rdb-file", self.dump]
        checked, killed = set(), 0
        places = self.places(CALLS, *words)
        for place in places:
            killed += self.killed_at(place, *words)
            self.check_listed(checked)
        self.tell(killed, len(places))
        self.assertGreater(killed, 10)
        self.backup(self.repo, "--rdb-file", self.dump)

    @limit(1800 if CAMPAIGN else 180)
    def test_init_killed(self):
        killed = 0
        original = self.repo
        places = self.places(CALLS, "init", "--instance", "another")
        for call, number in places:
            self.repo = remora.Repository(self.folder / f"repo-{call}-{number}")
            killed += self.killed_at((call, number), "init")
            self.expect(remora.OK, self.repo.run("init"))
            self.backup(self.repo, "--rdb-file", self.dump)
            self.repo = original
        self.tell(killed, len(places))
        self.assertGreater(killed, 3)

    def check_failed(self, error, result):
        """Done all the same, or an exit status that says what it was."""
        wanted = {"EIO": (0, remora.UNEXPECTED, remora.USAGE, remora.STORAGE), "ENOSPC": (0, remora.NO_SPACE),
                  "EACCES": (0, remora.STORE_DENIED)}
        self.assertIn(result.status, wanted[error], result)
        return result.status != 0

    @limit(1800 if CAMPAIGN else 180)
    def test_backup_when_a_call_fails(self):
        words = ["backup", "--rdb-file", self.dump]
        checked, failed = set(), 0
        places = self.places(FAILING, *words)
        for error in ("EIO", "ENOSPC", "EACCES"):
            for place in places:
                before = set(self.ids(self.repo))
                result = self.inject(place, f"error={error}", *words)
                failed += self.check_failed(error, result)
                self.check_listed(checked)
                if result.status == 0:
                    self.assertEqual(len(before) + 1, len(checked), f"{place} {error}: done, but not listed")
        self.tell(failed, 3 * len(places))
        self.assertGreater(failed, 20)


class BySignal(KillCase):
    """SIGTERM and SIGINT: exit 12, and it cleans up after itself."""

    def stopped_run(self, number, *words):
        """Signal it when it has begun to work with data."""
        process = self.repo.start(*words)
        self.addCleanup(processes.end, process)
        deadline = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < deadline:
            if any(str(self.dump) == p or p.endswith(".zst")
                   for p in processes.open_files(process.pid)):
                break
        process.send_signal(number)
        began = time.monotonic()
        result = remora.finish(process, words, timeout=20)
        self.assertLess(time.monotonic() - began, 5)
        return self.expect(remora.INTERRUPTED, result)

    def test_backup(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            self.stopped_run(number, "backup", "--rdb-file", self.dump, "--level", 6)
            self.assertEqual([], self.ids(self.repo))
            self.assertEqual([], [p for p in objects(self.repo.path) if p.name not in ("remora.json", "instance.json")])
        self.backup(self.repo, "--rdb-file", self.dump)

    def test_while_the_server_saves(self):
        server = self.server()
        with server.client() as client:
            client.calls(("SET", n, n) for n in range(1000))
        server.config("rdb-key-save-delay", 10_000)
        process = self.repo.start("backup", "--redis-url", server.url, "--data-dir", server.data)
        self.addCleanup(processes.end, process)
        server.wait_for("persistence", "rdb_bgsave_in_progress", "1")
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        self.expect(remora.INTERRUPTED, remora.finish(process))
        self.assertLess(time.monotonic() - began, 3)
        self.assertEqual([], self.ids(self.repo))

    def test_verify(self):
        self.backup(self.repo, "--rdb-file", self.dump)
        self.stopped_run(signal.SIGTERM, "verify")
        backup = Backup(self.repo, self.ids(self.repo)[0])
        self.assertFalse((backup.instance / "verified" / f"{backup.id}.json").exists())
