# SPDX-License-Identifier: Apache-2.0
"""
Everything at once on one repository: prunes, backups, copies in and out, restores, verifies, holds and releases, many of
them killed at random moments. Between the storms a day passes for what is stored, so that data really go. What is listed
is whole at all times, what is held stays, and in the end nothing is left over.
"""

import random
import signal
import threading
import time
from pathlib import Path

from support import data, gateway, remora, s3
from support.case import CAMPAIGN, Case, each, limit, share
from support.repository import grow_older

RULES = ["--keep-last", 3, "--min-good", 2, "--orphan-age", "24h"]
SECONDS = 5  # of one storm
KILLED = 0.3  # of the runs
SMALL = ["--memory", "24M", "--jobs", 1, "--shrink-guard", 0]  # several segments a backup
LATER = 25  # hours


class Yard:
    """A repository, and how a day passes in it."""

    def __init__(self, repo, later, env=None):
        self.repo, self.later, self.env = repo, later, env or {}

    def start(self, verb, *words, **options):
        return self.repo.start(verb, *words, env=self.env, **options)

    def run(self, verb, *words, **options):
        return self.repo.run(verb, *words, env=self.env, **options)


class Storm:
    """Some kinds of runs, each in a thread of its own, one after the other until time is up."""

    def __init__(self, test, yard, seed):
        self.test, self.yard, self.seed = test, yard, seed
        self.until = time.monotonic() + SECONDS
        self.wrong, self.counts, self.killed = [], {}, 0
        self.lock = threading.Lock()
        self.threads = []

    def kind(self, name, words, good, done=None):
        """WORDS(random) gives a command line, or None for nothing to do; GOOD are the exit statuses that may be."""
        thread = threading.Thread(target=self._loop, args=(name, words, good, done))
        self.threads.append(thread)

    def run(self):
        for thread in self.threads:
            thread.start()
        for thread in self.threads:
            thread.join()
        self.test.assertEqual([], self.wrong)

    def _loop(self, name, words, good, done):
        chance = random.Random(f"{self.seed} {name}")
        while time.monotonic() < self.until:
            line = words(chance)
            if line is None:
                time.sleep(0.05)
                continue
            process = self.yard.start(*line)
            if chance.random() < KILLED:
                time.sleep(chance.random() * 0.3)
                process.kill()
            result = remora.finish(process, line)
            with self.lock:
                self.counts[name] = self.counts.get(name, 0) + 1
                self.killed += result.status == -signal.SIGKILL
                if result.status not in (*good, -signal.SIGKILL):
                    self.wrong.append(str(result))
            if done is not None:
                done(line, result)


class Races(Case):
    together = "clocked gateway"

    def setUp(self):
        super().setUp()
        self.dumps = [data.dump_file(self, 3), data.dump_file(self, 4)]
        self.source = self.server()
        data.fill_mixed(self.source, 2)
        self.held = set()  # holds that were confirmed and not given back
        self.total, self.killed = {}, 0

    def yard(self, store):
        if store == "file":
            repo = self.repository()
            return Yard(repo, lambda: grow_older(repo.path, LATER))
        place = gateway.clocked()
        repo = s3.Repository(place)
        v2 = store == "rgw_without_create_only"  # libs3's clients cannot follow another clock
        yard = Yard(repo, lambda: place.leap(LATER), {"REMORA_S3_SIGNATURE": "v2", **place.faked} if v2 else {})
        self.expect(remora.OK, yard.run("init"))
        return yard

    @limit(3600 if CAMPAIGN else 300)
    @each(store=["file", "rgw", "rgw_without_create_only"])
    def test_nothing_listed_is_ever_broken(self, store):
        yard = self.yard(store)
        other = self.repository("other")
        for dump in self.dumps:
            self.expect(remora.OK, yard.run("backup", "--rdb-file", dump, *SMALL))
        for number in range(share(2, 40)):
            self.storm(yard, other, number)
            self.check(yard)
            yard.later()
        print(f"        {store}: {self.total}, {self.killed} killed", flush=True)
        self.check(yard)
        self.end_clean(yard)

    def listed(self, yard):
        listed = self.expect(remora.OK, yard.run("list", "--json")).json()
        backups = [b for i in listed["instances"] for b in i["backups"]]
        self.assertEqual([], [b for b in backups if b["problem"]], "list shows damaged backups")
        return [b["id"] for b in backups]

    def storm(self, yard, other, number):
        storm = Storm(self, yard, f"{self.random.random()} {number}")
        ids = [*self.listed(yard)]
        ok, gone = remora.OK, remora.NOT_FOUND
        storm.kind("prune 1", lambda r: ["prune", *RULES, "--apply"], [ok])
        storm.kind("prune 2", lambda r: ["prune", *RULES, "--apply"], [ok])
        storm.kind("backup", self.backup_words, [ok])
        storm.kind("restore", lambda r: ["restore", "--stdout", "--backup", r.choice([*ids, "latest"])], [ok, gone])
        storm.kind("verify", lambda r: ["verify", "--all"], [ok])
        storm.kind("hold", lambda r: self.hold_or_release(r, ids), [ok, gone, remora.LOCKED], self.note_hold)
        storm.kind("delete", lambda r: ["delete", r.choice(ids)] if r.random() < 0.3 else None,
                   [ok, gone, remora.REFUSED])
        storm.kind("copy out", lambda r: ["copy", "--all", "--to-repo", f"file://{other.path}"], [ok])
        # Back again, under the same ids: what is being removed may not be put where its data are about to go.
        back = remora.Repository(other.path, yard.repo.instance)
        storm.kind("copy in", lambda r: self.copy_in(r, yard, back), [ok, gone, remora.LOCKED])
        storm.yard = Both(yard, back)
        storm.run()
        self.killed += storm.killed
        for name, count in storm.counts.items():
            self.total[name] = self.total.get(name, 0) + count

    def copy_in(self, chance, yard, back):
        ids = sorted(p.stem for p in (Path(back.path) / "instances" / back.instance / "backups").glob("*.json"))
        if not ids:
            return None
        words = yard.repo.words
        to = ["--to-repo", words[words.index("--repo") + 1]]
        if "--s3-endpoint" in words:
            to += ["--to-s3-endpoint", words[words.index("--s3-endpoint") + 1]]
        return [Both.BACK, "copy", chance.choice(ids), *to]

    def backup_words(self, chance):
        """Of a dump, whose id has its time, or of the server, whose id is the newest."""
        if chance.random() < 0.5:
            return ["backup", "--rdb-file", chance.choice(self.dumps), *SMALL]
        return ["backup", "--redis-url", self.source.url, *SMALL]

    def hold_or_release(self, chance, ids):
        """One thread does both, so that it knows what holds."""
        if self.held and chance.random() < 0.4:
            chosen = chance.choice(sorted(self.held))
            self.held.discard(chosen)  # from the moment it may be given back
            return ["release", chosen]
        return ["hold", chance.choice(ids)]

    def note_hold(self, line, result):
        if line[0] == "hold" and result.status == remora.OK:
            self.held.add(line[1])

    def check(self, yard):
        """After a storm: all that is listed is whole, all that is held is listed."""
        ids = self.listed(yard)
        self.assertGreaterEqual(len(ids), 2)
        self.expect(remora.OK, yard.run("verify", "--all", "--record", "no"))
        self.assertEqual([], sorted(self.held - set(ids)), "held, and gone")

    def end_clean(self, yard):
        """When all is quiet, two prunes a day apart leave nothing but what is listed."""
        for backup_id in self.listed(yard):
            self.expect(remora.OK, yard.run("release", backup_id))
        self.held.clear()
        for _ in range(3):
            self.expect(remora.OK, yard.run("prune", *RULES, "--apply"))
            yard.later()
        left = self.expect(remora.OK, yard.run("prune", *RULES, "--json")).json()
        self.assertEqual([], left["leftovers"])
        self.assertEqual([], [b for b in left["backups"] if b["action"] != "keep"])
        self.check(yard)


class Both:
    """The repository, and for lines that begin with BACK the other one."""

    BACK = "from the other one"

    def __init__(self, yard, back):
        self.yard, self.back = yard, back

    def start(self, *line):
        if line[0] != self.BACK:
            return self.yard.start(*line)
        env = {**getattr(self.yard.repo, "env", {}), **self.yard.env}
        return self.back.start(*line[1:], env=env)
