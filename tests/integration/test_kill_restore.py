# SPDX-License-Identifier: Apache-2.0
"""
A restore that is killed at any call, in every layout and onto old data: what a server would find is the whole new data,
the whole old data, or nothing; and the next run, whichever it is, ends in whole data and loses none.
"""

import shutil
import signal
import time

from support import faults, remora
from support.case import CAMPAIGN, limit, share
from support.restores import (BY_FORCE, DISCARDING, MOVING, NEW, NOTHING, OLD_DATA, ONTO_NOTHING, SCENES, STAGING,
                              RestoreCase)

RENAMES = ("renameat", "renameat2", "linkat")


class Killing(RestoreCase):
    def kill_at(self, scene, target, place, words=None, what="kill", jobs=1):
        """True: it was killed. With several workers a run may make fewer calls than another."""
        words = scene.words if words is None else words
        result = self.restore(target, words, jobs=jobs, place=place, what=what, changing=True)
        self.assertIn(result.status, (0, -signal.SIGKILL), result)
        return result.status != 0

    def kill_everywhere(self, scenes, most):
        killed, runs, states = 0, 0, {}
        for scene in scenes:
            for place in self.some(self.places(scene), most, RENAMES):
                for what in ("kill", "tear") if place.call in ("write", "pwrite") else ("kill",):
                    target = self.target(scene)
                    with self.subTest(scene=str(scene), place=str(place), what=what):
                        killed += self.kill_at(scene, target, place, what=what)
                        before = self.check_after(scene, target)
                        states[before] = states.get(before, 0) + 1
                    runs += 1
        self.tell(killed, runs, **{"left": states})
        self.assertEqual(killed, runs)
        return states


class AtEveryCall(Killing):
    @limit(7200 if CAMPAIGN else 120)
    def test_onto_nothing(self):
        states = self.kill_everywhere(ONTO_NOTHING, 12)
        self.assertEqual({NOTHING, NEW}, set(states))

    @limit(7200 if CAMPAIGN else 120)
    def test_onto_old_data(self):
        states = self.kill_everywhere(BY_FORCE, 8)
        self.assertEqual({OLD_DATA, MOVING, NEW}, set(states))

    @limit(7200 if CAMPAIGN else 120)
    def test_onto_old_data_that_is_discarded(self):
        states = self.kill_everywhere(DISCARDING, 6)
        self.assertEqual({OLD_DATA, MOVING, NEW}, set(states))

    @limit(7200 if CAMPAIGN else 120)
    def test_the_run_that_goes_on_is_killed_too(self):
        """From a dump that is half there, and from old data that is half moved."""
        killed, runs = 0, 0
        for scene in self.few(ONTO_NOTHING, 2) + self.few(BY_FORCE, 3):
            cuts = ["pwrite"] + (["renameat"] if scene.old else [])
            for call in cuts:
                first = self.middle(self.places(scene), call)
                for place in self.some(self.places(scene, prepare=lambda: self.cut(scene, first)), 4, RENAMES):
                    target = self.cut(scene, first)
                    with self.subTest(scene=str(scene), first=str(first), place=str(place)):
                        killed += self.kill_at(scene, target, place)
                        self.check_after(scene, target)
                    runs += 1
        self.tell(killed, runs)
        self.assertEqual(killed, runs)

    def test_what_was_half_moved_is_finished_in_any_pod(self):
        """Also where --only-ordinal says that there is nothing to do: a server would start on half of its data."""
        for scene in BY_FORCE:
            pod = [*scene.if_empty, "--only-ordinal", 0, "--pod-index", 1]
            target = self.cut(scene, self.middle(self.places(scene), "renameat"))
            self.assertEqual(MOVING, self.state(scene, target))
            away = self.repo.path.rename(self.folder / "away")
            self.assertIn("restored", self.expect(remora.OK, self.restore(target, pod)).out.decode())
            self.assertEqual(NEW, self.state(scene, target))
            self.assertIn("nothing to do here", self.expect(remora.OK, self.restore(target, pod)).out.decode())
            away.rename(self.repo.path)

    def cut(self, scene, place):
        target = self.target(scene)
        self.assertTrue(self.kill_at(scene, target, place))
        return target

    def middle(self, places, call):
        """The one in the middle; of renames, the second of those that move old data."""
        if call == "pwrite":
            found = [p for p in places if p.call == call]
            return found[len(found) // 2]
        return [p for p in places if p.call in RENAMES and not p.path.startswith(".remora-")][1]


class AtRandomMoments(Killing):
    """With two workers, where no two runs are the same."""

    @limit(7200 if CAMPAIGN else 120)
    def test_at_random_calls(self):
        killed, runs = 0, 0
        for scene in SCENES:
            places = self.places(scene)
            for _ in range(share(1, 40)):
                target, place = self.target(scene), self.random.choice(places)
                with self.subTest(scene=str(scene), place=str(place)):
                    killed += self.kill_at(scene, target, place, jobs=2)
                    self.check_after(scene, target)
                runs += 1
        self.tell(killed, runs)
        self.assertGreater(killed, runs // 2)

    @limit(7200 if CAMPAIGN else 120)
    def test_at_random_times(self):
        timed, killed, runs = self.target(SCENES[0]), 0, 0
        seconds = time.monotonic()
        self.expect(remora.OK, self.restore(timed, SCENES[0].words, jobs=2))
        seconds = time.monotonic() - seconds
        shutil.rmtree(timed)
        while killed < share(10, 500):
            scene = SCENES[runs % len(SCENES)]
            target = self.target(scene)
            words = ["--target", target, "--jobs", 2, *scene.words]
            process = self.repo.start("restore", *words)
            time.sleep(self.random.random() * seconds)
            process.kill()
            killed += remora.finish(process, words).status == -signal.SIGKILL
            with self.subTest(scene=str(scene), run=runs):
                self.check_after(scene, target)
            runs += 1
        self.tell(killed, runs)


class Resumed(Killing):
    def fetched(self, target, words, jobs=1, status=remora.OK):
        """Run it: how many segments it reads from the repository."""
        log = self.folder / f"fetched-{self.made}"
        env = faults.environment(under=self.repo.path, log=log)
        result = self.repo.run("restore", "--target", target, "--jobs", jobs, *words, env=env)
        self.expect(status, result)
        opened = {p.path for p in faults.read_log(log, self.repo.path) if p.call == "openat" and ".zst" in p.path}
        log.unlink()
        return len(opened), result

    def test_what_is_there_is_not_fetched_again(self):
        for scene in ONTO_NOTHING + self.few(BY_FORCE, 2):
            with self.subTest(scene=str(scene)):
                target = self.target(scene)
                self.assertEqual(self.segments, self.fetched(target, scene.words)[0])
                shutil.rmtree(target)
                writes = [p for p in self.places(scene) if p.call == "pwrite"]
                self.assertEqual(self.segments, len(writes))
                for done in (0, 1, self.segments // 2, self.segments - 1):
                    target = self.target(scene)
                    self.assertTrue(self.kill_at(scene, target, writes[done]))
                    again, result = self.fetched(target, scene.words, jobs=1 + done % 2)
                    self.assertEqual(self.segments - done, again)
                    self.assertIn(f"segments_there={done} segments={self.segments}", result.err.decode())
                    self.assertEqual(NEW, self.state(scene, target))
                    shutil.rmtree(target)

    def test_one_that_is_killed_again_and_again_comes_to_its_end(self):
        """One segment a run, as in a pod that never lives long."""
        for scene in ONTO_NOTHING:
            target, runs = self.target(scene), 0
            while len(writes := self.writes_left(scene, target)) > 1:
                self.assertTrue(self.kill_at(scene, target, writes[1]))
                self.assertEqual(NOTHING, self.state(scene, target))
                runs += 1
            self.assertEqual(self.segments - 1, runs)
            self.expect(remora.OK, self.restore(target, scene.words))
            self.assertEqual(NEW, self.state(scene, target))
            shutil.rmtree(target)

    def writes_left(self, scene, target):
        return [p for p in self.places(scene, prepare=lambda: self.copy(target)) if p.call == "pwrite"]

    def test_one_that_was_ready_is_finished_without_the_repository(self):
        for scene in ONTO_NOTHING:
            target = self.target(scene)
            rename = [p for p in self.places(scene) if p.path.endswith(f"{STAGING}/entry")][-1]
            self.assertTrue(self.kill_at(scene, target, rename))
            self.assertEqual(NOTHING, self.state(scene, target))
            away = self.repo.path.rename(self.folder / "away")
            other = "20200101T000000Z-abcdef"
            self.expect(remora.NOT_FOUND, self.restore(target, [*scene.words, "--backup", other]))
            self.expect(remora.OK, self.restore(target, [*scene.words, "--backup", self.backup_id]))
            self.assertEqual(NEW, self.state(scene, target))
            self.expect(remora.REFUSED, self.restore(target, scene.words))
            away.rename(self.repo.path)
            shutil.rmtree(target)


class BySignal(Killing):
    """SIGTERM and SIGINT: exit 12 at once. What is staged stays, for the next run to go on from; never `ready`."""

    def test_while_it_writes(self):
        for scene in ONTO_NOTHING + BY_FORCE:
            with self.subTest(scene=str(scene)):
                writes = [p for p in self.places(scene) if p.call == "pwrite"]
                target = self.target(scene)
                began = time.monotonic()
                result = self.restore(target, scene.words, place=writes[2], what="term", changing=True)
                self.expect(remora.INTERRUPTED, result)
                self.assertLess(time.monotonic() - began, 5)
                self.assertEqual(OLD_DATA if scene.old else NOTHING, self.state(scene, target))
                self.assertTrue((target / STAGING / "plan").exists())
                self.assertFalse((target / STAGING / "ready").exists())
                self.assertIn("segments_there=", self.expect(remora.OK, self.restore(target, scene.words)).err.decode())
                self.assertEqual(NEW, self.state(scene, target))
                shutil.rmtree(target)

    @limit(7200 if CAMPAIGN else 120)
    def test_at_any_call(self):
        stopped, runs = 0, 0
        for scene in ONTO_NOTHING + BY_FORCE:
            for place in self.some(self.places(scene), 3):
                target = self.target(scene)
                with self.subTest(scene=str(scene), place=str(place)):
                    result = self.restore(target, scene.words, place=place, what="term", changing=True)
                    if result.status == remora.OK:
                        self.assertEqual(NEW, self.state(scene, target))
                    else:
                        self.expect(remora.INTERRUPTED, result)
                        self.assertFalse((target / STAGING / "ready").exists())
                        stopped += 1
                    self.check_after(scene, target)
                runs += 1
        self.tell(stopped, runs)
        self.assertGreater(stopped, 0)
