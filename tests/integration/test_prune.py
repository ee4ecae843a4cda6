# SPDX-License-Identifier: Apache-2.0
"""
prune: a plan changes nothing, --apply does exactly the plan, what is held, suspicious or not whole is seen, and a run
that is killed anywhere is gone on with by the next.
"""

import errno
import json
import os
import shutil
import signal
import time

from support import faults, gateway, rdb, remora, s3, tmpfs
from support.case import CAMPAIGN, Case, limit, share
from support.repository import Backup, grow_older, objects, seal, snapshot
from support.trees import tree

DAY = 24 * 3600


def id_time(backup_id):
    return time.strptime(backup_id[:16], "%Y%m%dT%H%M%SZ")


class PruneCase(Case):
    def dump(self, age):
        """A small dump whose backup's time is so many seconds ago."""
        path = self.folder / f"dump-{age}.rdb"
        path.write_bytes(rdb.dump(rdb.key(b"age", rdb.string(str(age).encode()))))
        os.utime(path, (self.began - age, self.began - age))
        return path

    def setUp(self):
        super().setUp()
        self.began = int(time.time())

    def history(self, repo, *ages):
        """Backups of these ages, in seconds: their ids, in the order of the ages."""
        return [self.backup(repo, "--rdb-file", self.dump(age)) for age in ages]

    def daily(self, repo, count):
        """One a day, the oldest first."""
        return self.history(repo, *[day * DAY for day in reversed(range(count))])

    def prune(self, repo, *words, status=remora.OK):
        """Its JSON."""
        return self.expect(status, repo.run("prune", *words, "--json")).json()

    def actions(self, result):
        return {b["id"]: b["action"] for b in result["backups"]}

    def kept(self, repo, *words):
        """What would stay by these rules, oldest first."""
        return [b["id"] for b in self.prune(repo, *words)["backups"] if b["action"] == "keep"]

    def hold(self, repo, backup_id):
        self.put_fact(repo, "holds", backup_id)

    def put_fact(self, repo, kind, backup_id):
        """As docs/FORMAT.md has it: that the object is there is the fact."""
        path = repo.path / "instances" / repo.instance / kind / f"{backup_id}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"id": backup_id}) + "\n")

    def make_suspicious(self, repo, backup_id):
        manifest = Backup(repo, backup_id).manifest
        manifest.write_bytes(seal({**json.loads(manifest.read_bytes()), "suspicious": True}))


class Plan(PruneCase):
    def test_changes_nothing(self):
        repo = self.repository()
        ids = self.daily(repo, 6)
        grow_older(repo.path, 30)
        before = tree(repo.path)
        for words in ([], ["--keep-last", 2], ["--keep-last", 1, "--min-good", 1], ["--keep-daily", 3, "--json"]):
            self.expect(remora.OK, repo.run("prune", *words))
        self.assertEqual(before, tree(repo.path))
        self.assertEqual(ids, self.ids(repo))

    def test_every_backup_has_its_reason(self):
        repo = self.repository()
        ids = self.daily(repo, 5)
        result = self.prune(repo, "--keep-last", 1, "--keep-daily", 2, "--min-good", 3)
        self.assertEqual(ids, [b["id"] for b in result["backups"]])
        day = [time.strftime("%Y-%m-%d", id_time(i)) for i in ids]
        self.assertEqual(["no rule keeps it", "no rule keeps it", "min-good 3", f"daily {day[3]}",
                          f"last 1, daily {day[4]}"], [b["reason"] for b in result["backups"]])
        self.assertEqual(["remove", "remove", "keep", "keep", "keep"], [b["action"] for b in result["backups"]])

    def test_the_rules_are_the_command_lines(self):
        repo = self.repository()
        hour = 3600
        ages = [400 * DAY, 370 * DAY, 60 * DAY, 31 * DAY, 30 * DAY, 8 * DAY, 7 * DAY, 2 * hour, hour, 0]
        ids = self.history(repo, *ages)
        for words, parts in ((["--keep-hourly", 3], "%Y%m%dT%H"), (["--keep-daily", 4], "%Y%m%d"),
                             (["--keep-weekly", 3], "%G-%V"), (["--keep-monthly", 3], "%Y%m"),
                             (["--keep-yearly", 2], "%Y")):
            newest = {}
            for backup_id in ids:
                newest[time.strftime(parts, id_time(backup_id))] = backup_id
            with self.subTest(words=words):
                self.assertEqual(sorted(newest.values())[-words[1]:], self.kept(repo, *words, "--min-good", 1))
        self.assertEqual(ids[-4:], self.kept(repo, "--keep-within", "7d"))
        self.assertEqual(ids[-2:], self.kept(repo, "--keep-last", 2, "--min-good", 1))

    def test_the_shape_of_the_json(self):
        repo = self.repository()
        ids = self.daily(repo, 2)
        result = self.prune(repo, "--keep-last", 1, "--min-good", 1, "--keep-within", "90m", "--expect-every", "2d")
        self.assertEqual(["command", "instance", "applied", "paused", "policy", "backups", "leftovers", "summary"],
                         list(result))
        self.assertEqual(("prune", "shop", False, None), tuple(result.values())[:4])
        self.assertEqual({"keep_last": 1, "keep_hourly": None, "keep_daily": None, "keep_weekly": None,
                          "keep_monthly": None, "keep_yearly": None, "keep_within_ms": 90 * 60000, "min_good": 1,
                          "expect_every_ms": 2 * DAY * 1000, "orphan_age_ms": DAY * 1000}, result["policy"])
        self.assertEqual({"id": ids[0], "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", id_time(ids[0])),
                          "action": "remove", "reason": "no rule keeps it"}, result["backups"][0])
        self.assertEqual({"kept": 1, "removed": 1, "held": 0, "not_yet": 0, "leftovers_removed": 0,
                          "leftovers_waiting": 0, "leftovers_not_yet": 0, "leftover_objects": 0}, result["summary"])
        applied = self.prune(repo, "--keep-last", 1, "--min-good", 1, "--apply")
        self.assertTrue(applied["applied"])
        left = self.prune(repo)["leftovers"]
        self.assertEqual([("id", "what", "action", "reason", "objects")], [tuple(one) for one in left])
        self.assertEqual((ids[0], "data", "keep"), tuple(left[0].values())[:3])
        self.assertIsNone(left[0]["objects"])  # they wait, and nobody counted them

    def test_text(self):
        repo = self.repository()
        ids = self.daily(repo, 4)
        lines = self.expect(remora.OK, repo.run("prune", "--keep-last", 3)).out.decode().splitlines()
        self.assertEqual(["ID", "TIME", "ACTION", "REASON"], lines[0].split())
        self.assertEqual([ids[0], "remove"], lines[1].split()[::2][:2])
        self.assertEqual("3 kept, 1 to be removed (a plan: --apply does it)", lines[-1])
        lines = self.expect(remora.OK, repo.run("prune", "--keep-last", 3, "--apply")).out.decode().splitlines()
        self.assertEqual("3 kept, 1 removed", lines[-1])
        lines = self.expect(remora.OK, repo.run("prune", "--keep-last", 3)).out.decode().splitlines()
        self.assertEqual("3 kept, 0 to be removed; leftovers: 0 to be removed, 1 waiting (a plan: --apply does it)",
                         lines[-1])
        self.assertIn(f"data      {ids[0]}  keep", "\n".join(lines))


class Applied(PruneCase):
    def test_exactly_the_plan(self):
        repo = self.repository()
        self.daily(repo, 8)
        words = ["--keep-last", 2, "--keep-weekly", 2, "--min-good", 2]
        plan = self.prune(repo, *words)
        done = self.prune(repo, *words, "--apply")
        self.assertEqual(plan["backups"], done["backups"])
        self.assertEqual([i for i, action in self.actions(plan).items() if action == "keep"], self.ids(repo))
        self.assertGreater(plan["summary"]["removed"], 3)
        self.expect(remora.OK, repo.run("verify", "--all"))
        again = self.prune(repo, *words, "--apply")
        self.assertEqual(0, again["summary"]["removed"])
        self.assertEqual([], [one for one in again["leftovers"] if one["action"] != "keep"])

    def test_data_go_a_day_later(self):
        repo = self.repository()
        ids = self.daily(repo, 3)
        words = ["--keep-last", 1, "--min-good", 1, "--apply"]
        self.prune(repo, *words)
        self.assertEqual(3, len(list((repo.path / "instances/shop/data").iterdir())))
        grow_older(repo.path, 23)
        self.assertEqual(["keep", "keep"], [one["action"] for one in self.prune(repo, *words)["leftovers"]])
        grow_older(repo.path, 2)
        done = self.prune(repo, *words)
        self.assertEqual([("data", "remove", 2)] * 2,
                         [(one["what"], one["action"], one["objects"]) for one in done["leftovers"]])
        self.assertEqual({"leftovers_removed": 2, "leftover_objects": 4},
                         {k: done["summary"][k] for k in ("leftovers_removed", "leftover_objects")})
        self.prune(repo, *words)
        left = [str(path.relative_to(repo.path)) for path in objects(repo.path)]
        self.assertEqual([], [name for name in left if ids[0] in name or ids[1] in name])
        self.assertEqual([], self.prune(repo, *words)["leftovers"])
        self.expect(remora.OK, repo.run("verify", "--all"))

    def test_what_killed_backups_left(self):
        repo = self.repository()
        ids = self.daily(repo, 2)
        Backup(repo, ids[0]).manifest.unlink()
        self.assertEqual(["orphan"], [one["what"] for one in self.prune(repo, "--apply")["leftovers"]])
        self.assertTrue(Backup(repo, ids[0]).index.exists())
        grow_older(repo.path, 25)
        waiting, = self.prune(repo, "--orphan-age", "3d", "--apply")["leftovers"]
        self.assertEqual(("keep", 2), (waiting["action"], waiting["objects"]))
        gone, = self.prune(repo, "--apply")["leftovers"]
        self.assertEqual("remove", gone["action"])
        self.assertFalse(Backup(repo, ids[0]).index.exists())
        self.assertEqual(ids[1:], self.ids(repo))

    def test_held_ones_stay(self):
        repo = self.repository()
        ids = self.daily(repo, 4)
        self.hold(repo, ids[1])
        result = self.prune(repo, "--keep-last", 1, "--min-good", 1, "--apply")
        self.assertEqual("held", result["backups"][1]["reason"])
        self.assertEqual([ids[1], ids[3]], self.ids(repo))

    def test_never_fewer_whole_ones_than_min_good(self):
        repo = self.repository()
        ids = self.daily(repo, 7)
        for backup_id in (ids[6], ids[4]):
            Backup(repo, backup_id).segments()[0].unlink()  # the manifests are whole, the data not
        Backup(repo, ids[5]).manifest.write_bytes(b"{}\n")
        result = repo.run("prune", "--keep-last", 1, "--min-good", 3, "--apply", "--json")
        self.expect(remora.OK, result, "this backup is not whole", ids[6], ids[4])
        stays = {i for i, action in self.actions(result.json()).items() if action == "keep"}
        self.assertTrue({*ids[1:4], ids[6]} <= stays, stays)
        self.assertNotIn(ids[0], stays)
        for backup_id in ids[1:4]:
            self.expect(remora.OK, repo.run("verify", backup_id))

    def test_verified_ones_are_preferred(self):
        repo = self.repository()
        ids = self.daily(repo, 5)
        self.expect(remora.OK, repo.run("verify", ids[1]))
        self.assertEqual([ids[1], ids[4]], self.kept(repo, "--keep-last", 1, "--min-good", 2))


class Paused(PruneCase):
    """Nothing is expired, the exit status is 0, and it is said."""

    RULES = ["--keep-last", 1, "--min-good", 1]

    def expect_paused(self, repo, sentence, *words):
        before = self.ids(repo)
        result = self.expect(remora.OK, repo.run("prune", *words, "--apply", "--json"), "nothing is expired", sentence)
        self.assertIn(sentence, result.json()["paused"])
        self.assertEqual({i: "keep" for i in before}, self.actions(result.json()))
        text = self.expect(remora.OK, repo.run("prune", *words, "--apply")).out.decode()
        self.assertIn(f"nothing is expired: {result.json()['paused']}\n", text)
        self.assertEqual(before, self.ids(repo))

    def test_no_rule(self):
        repo = self.repository()
        self.daily(repo, 5)
        self.expect_paused(repo, "no rule was given")

    def test_no_backup(self):
        self.expect_paused(self.repository(), "there is no good backup", *self.RULES)

    def test_the_newest_is_older_than_expected(self):
        repo = self.repository()
        self.history(repo, 3 * DAY, 2 * DAY)
        self.expect_paused(repo, "one is expected every 1d00h", *self.RULES, "--expect-every", "24h")
        self.history(repo, 0)
        self.assertEqual(2, self.prune(repo, *self.RULES, "--expect-every", "24h", "--apply")["summary"]["removed"])

    def test_the_newest_is_suspicious_until_it_is_accepted(self):
        repo = self.repository()
        ids = self.daily(repo, 4)
        self.make_suspicious(repo, ids[3])
        self.expect_paused(repo, "is suspicious", *self.RULES)
        self.put_fact(repo, "accepted", ids[3])
        self.prune(repo, *self.RULES, "--apply")
        self.assertEqual(ids[3:], self.ids(repo))

    def test_a_good_one_after_the_suspicious_one(self):
        repo = self.repository()
        ids = self.daily(repo, 4)
        self.make_suspicious(repo, ids[1])
        self.assertEqual(ids[3:], self.kept(repo, *self.RULES))

    def test_leftovers_are_removed_all_the_same(self):
        repo = self.repository()
        ids = self.daily(repo, 2)
        Backup(repo, ids[0]).manifest.unlink()
        grow_older(repo.path, 25)
        self.expect(remora.OK, repo.run("prune", "--apply"))
        self.assertFalse(Backup(repo, ids[0]).index.exists())


class ExitStatus(PruneCase):
    def test_usage(self):
        repo = self.repository()
        self.expect(remora.USAGE, repo.run("prune", "--orphan-age", "23h"), "--orphan-age", "24h")
        self.expect(remora.USAGE, repo.run("prune", "--keep-last", "0"), "keep-last")
        self.expect(remora.USAGE, repo.run("prune", "latest"))
        self.expect(remora.USAGE, remora.run("prune", "--repo", f"file://{repo.path}"), "shop")

    def test_nothing_there(self):
        repo = self.repository()
        for path, instance, sentence in ((self.folder / "none", "shop", "remora init"), (repo.path, "shpo", "shop")):
            result = remora.run("prune", "--repo", f"file://{path}", "--instance", instance, "--apply")
            self.expect(remora.NOT_FOUND, result, sentence)

    def test_a_manifest_that_cannot_be_read_ends_all(self):
        """A disk that fails says nothing about the backup."""
        repo = self.repository()
        ids = self.daily(repo, 4)
        log = self.folder / "calls"
        self.expect(remora.OK, repo.run("prune", env=faults.environment(under=repo.path, log=log)))
        place = next(p for p in faults.read_log(log, repo.path) if p.path.endswith(f"backups/{ids[1]}.json"))
        result = repo.run("prune", "--keep-last", 1, "--min-good", 1, "--apply",
                          env=faults.environment(under=repo.path, place=place, what=errno.EIO))
        self.expect(remora.STORAGE, result)
        self.assertEqual(ids, self.ids(repo))

    def test_a_signal_between_two_removals(self):
        repo = self.repository()
        ids = self.daily(repo, 5)
        words = ["prune", "--keep-last", 1, "--min-good", 1, "--apply"]
        copy = remora.Repository(snapshot(repo.path, self.folder / "copy"))
        log = self.folder / "calls"
        self.expect(remora.OK, copy.run(*words, env=faults.environment(under=copy.path, log=log, changing=True)))
        places = [p for p in faults.read_log(log, copy.path) if p.call == "unlinkat" and "/backups/" in f"/{p.path}"]
        self.assertEqual(4, len(places))
        result = repo.run(*words, env=faults.environment(under=repo.path, place=places[1], what="term", changing=True))
        self.expect(remora.INTERRUPTED, result)
        self.assertEqual(ids[2:], self.ids(repo))
        self.expect(remora.OK, repo.run(*words))
        self.assertEqual(ids[4:], self.ids(repo))


class Killed(PruneCase):
    """At any call that changes the repository; then the next run."""

    RULES = ["--keep-last", 2, "--min-good", 2]

    def setUp(self):
        super().setUp()
        self.volume = tmpfs.mount(self, "volume", "50m")
        repo = self.repository()
        self.backups = self.daily(repo, 4)
        self.hold(repo, self.backups[0])
        self.fresh = repo.path
        self.aged = snapshot(repo.path, self.folder / "aged")  # removed a day ago, with an orphan besides
        repo = remora.Repository(self.aged)
        self.expect(remora.OK, repo.run("verify", self.backups[1]))
        orphan, = self.history(repo, 9 * DAY)
        Backup(repo, orphan).manifest.unlink()
        self.expect(remora.OK, repo.run("prune", *self.RULES, "--apply"))
        grow_older(self.aged, 25)
        self.kept = [self.backups[0], *self.backups[2:]]

    def copy(self, origin):
        shutil.rmtree(self.volume / "repo", ignore_errors=True)
        return remora.Repository(snapshot(origin, self.volume / "repo"))

    def apply(self, repo, **fault):
        env = faults.environment(under=repo.path, **fault) if fault else {}
        return repo.run("prune", *self.RULES, "--apply", env=env)

    def places(self, origin):
        repo, log = self.copy(origin), self.folder / "calls"
        log.unlink(missing_ok=True)
        self.expect(remora.OK, self.apply(repo, log=log, changing=True))
        return faults.read_log(log, repo.path)

    def check(self, repo):
        """What is listed is whole, and what stays by the rules is listed."""
        ids = self.ids(repo)
        self.assertTrue(set(self.kept) <= set(ids), ids)
        self.expect(remora.OK, repo.run("verify", "--quick", "--all"))

    def check_end(self, repo):
        """The next runs leave what an undisturbed one leaves."""
        self.expect(remora.OK, self.apply(repo))
        self.assertEqual(self.kept, self.ids(repo))
        for _ in range(2):
            grow_older(repo.path, 25)
            self.expect(remora.OK, self.apply(repo))
        left = [str(path.relative_to(repo.path)) for path in objects(repo.path)]
        strange = [name for name in left if "/shop/" in name and not any(i in name for i in self.kept)]
        self.assertEqual(["instances/shop/instance.json"], strange)
        self.assertEqual([], [name for name in left if "/expired/" in name])
        self.expect(remora.OK, repo.run("verify", "--all", "--record", "no"))

    def kill_everywhere(self, origin, least):
        """At every call in the campaign, at some of them in `make test`."""
        places = self.places(origin)
        self.assertGreater(len(places), least)
        places, cut = self.random.sample(places, min(share(8, len(places)), len(places))), 0
        for place in places:
            for what in ("kill", errno.EIO) if CAMPAIGN else (self.random.choice(["kill", "kill", errno.EIO]),):
                repo = self.copy(origin)
                with self.subTest(place=str(place), what=what):
                    result = self.apply(repo, place=place, what=what, changing=True)
                    self.assertIn(result.status, (-signal.SIGKILL,) if what == "kill" else (0, 1, 6), result)
                    cut += result.status != 0
                    self.check(repo)
                    self.check_end(repo)
        print(f"        {cut} runs, at {len(places)} places, did not come to their end", flush=True)

    @limit(1800 if CAMPAIGN else 180)
    def test_while_backups_go(self):
        self.kill_everywhere(self.fresh, 5)

    @limit(1800 if CAMPAIGN else 180)
    def test_while_data_go(self):
        self.kill_everywhere(self.aged, 8)

    @limit(600 if CAMPAIGN else 120)
    def test_again_and_again(self):
        """Each run is killed at a call of its own, however far the one before has come."""
        for origin in [self.fresh, self.aged] * share(1, 30):
            repo = self.copy(origin)
            for _ in range(5):
                place = faults.Place(self.random.randint(1, 8), "any", "")
                self.assertIn(self.apply(repo, place=place, what="kill", changing=True).status, (0, -signal.SIGKILL))
                self.check(repo)
            self.check_end(repo)


class OnS3(PruneCase):
    """The same in a bucket."""

    seconds = 180  # the first one starts the gateway

    RULES = ["--keep-last", 2, "--min-good", 2]

    def setUp(self):
        super().setUp()
        self.gateway = gateway.shared()

    def repository(self, name="repo", instance="shop", **more):
        repo = s3.Repository(self.gateway, instance=instance, **more)
        self.addCleanup(self.gateway.client.remove_all, repo.bucket, repo.prefix)
        self.expect(remora.OK, repo.run("init"))
        return repo

    def test_plan_and_apply(self):
        repo = self.repository()
        ids = self.daily(repo, 5)
        before = repo.objects()
        plan = self.prune(repo, *self.RULES)
        self.assertEqual(before, repo.objects())
        done = self.prune(repo, *self.RULES, "--apply")
        self.assertEqual(plan["backups"], done["backups"])
        self.assertEqual(ids[3:], self.ids(repo))
        left = self.prune(repo, *self.RULES, "--apply")
        self.assertEqual([(i, "data", "keep") for i in ids[:3]],
                         [(one["id"], one["what"], one["action"]) for one in left["leftovers"]])
        self.expect(remora.OK, repo.run("verify", "--all"))

    def test_two_at_once(self):
        repo = self.repository()
        ids = self.daily(repo, 8)
        runs = [repo.start("prune", *self.RULES, "--apply") for _ in range(3)]
        for process in runs:
            self.expect(remora.OK, remora.finish(process))
        self.assertEqual(ids[6:], self.ids(repo))

    def test_who_may_not_remove(self):
        """Every removal is denied: 7 in the end, and nothing is changed but notes."""
        bucket, (name, key) = f"it-{os.getpid()}-{self.random.getrandbits(32):x}", self.gateway.add_user()
        self.addCleanup(self.gateway.remove_user, name)
        self.gateway.client.make_bucket(bucket)
        self.addCleanup(self.gateway.client.remove_bucket, bucket)
        repo = self.repository(bucket=bucket, prefix="p")
        ids = self.daily(repo, 4)
        self.gateway.client.set_policy(bucket, {
            "Effect": "Allow", "Principal": {"AWS": [f"arn:aws:iam:::user/{name}"]},
            "Action": ["s3:ListBucket", "s3:GetObject", "s3:PutObject"],
            "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]})
        weak = s3.Repository(self.gateway, bucket=bucket, prefix="p", key=key)
        result = self.expect(remora.STORE_DENIED, weak.run("prune", *self.RULES, "--apply", "--json"), "denied")
        self.assertEqual(["not-yet", "not-yet", "keep", "keep"], list(self.actions(result.json()).values()))
        self.assertEqual(ids, self.ids(repo))
        self.expect(remora.OK, weak.run("prune", *self.RULES))
        self.expect(remora.OK, weak.run("prune", "--keep-last", 9, "--apply"))
        self.prune(repo, *self.RULES, "--apply")
        self.assertEqual(ids[2:], self.ids(repo))
