# SPDX-License-Identifier: Apache-2.0
"""
Restores that are cut off or fail somewhere: scenes (what is in the target, how it is restored), what may be there
afterwards, and what the next run has to make of it.
"""

import hashlib
import json
import os
import shutil
import subprocess

from . import data, faults, remora, tmpfs
from .case import CAMPAIGN, Case, share

# By layout: the options, and the one entry.
LAYOUTS = {
    "rdb": (["--appendonly", "no"], "dump.rdb"),
    "aof": (["--appendonly", "yes"], "appendonlydir"),
    "single-aof": (["--layout", "single-aof"], "appendonly.aof"),
}
OLD = {
    "rdb": {"dump.rdb": b"REDIS0011 the old data", "nodes.conf": b"the old nodes", "copy": b"REDIS0011 an older copy"},
    "aof": {"dump.rdb": b"REDIS0011 a stale twin", "appendonlydir/appendonly.aof.1.base.rdb": b"REDIS0011 the old base",
            "appendonlydir/appendonly.aof.1.incr.aof": b"*1\r\n$4\r\nPING\r\n",
            "appendonlydir/appendonly.aof.manifest": b"file appendonly.aof.1.base.rdb seq 1 type b\n"
                                                     b"file appendonly.aof.1.incr.aof seq 1 type i\n"},
}
MANIFEST = (b"file appendonly.aof.1.base.rdb seq 1 type b\n"
            b"file appendonly.aof.1.incr.aof seq 1 type i\n")
NEW, OLD_DATA, MOVING, NOTHING = "the new data", "the old data", "old data half moved", "nothing"
STAGING, REPLACED = ".remora-restore", ".remora-replaced"


def digest(content):
    return f"{len(content)}:{hashlib.sha256(content).hexdigest()[:12]}"


def tree(folder, skip=()):
    """{path: digest} of the files below it; `skip`: beginnings of names at the top."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and not name.startswith(tuple(skip)):
            found[name] = digest(path.read_bytes())
    return found


class Scene:
    """A restore in one layout, onto nothing or (with --force) onto old data."""

    def __init__(self, layout, old=None, discard=False):
        self.layout, self.old, self.discard = layout, old, discard
        self.layout_words, self.entry = LAYOUTS[layout]
        self.words = [*self.layout_words, *(["--force"] if old else []), *(["--discard"] if discard else [])]
        self.if_empty = [*self.layout_words, "--if-empty"]
        self.old_tree = {name: digest(content) for name, content in OLD[old].items()} if old else {}

    def __str__(self):
        onto = f" onto {self.old}" if self.old else ""
        return self.layout + onto + (" --discard" if self.discard else "")

    def prepare(self, target):
        target.mkdir()
        for name, content in OLD[self.old].items() if self.old else ():
            (target / name).parent.mkdir(exist_ok=True)
            (target / name).write_bytes(content)

    def new_tree(self, dump):
        if self.layout != "aof":
            return {self.entry: digest(dump)}
        return {f"{self.entry}/appendonly.aof.1.base.rdb": digest(dump),
                f"{self.entry}/appendonly.aof.1.incr.aof": digest(b""),
                f"{self.entry}/appendonly.aof.manifest": digest(MANIFEST)}


ONTO_NOTHING = [Scene(layout) for layout in LAYOUTS]
BY_FORCE = [Scene(layout, old) for layout in LAYOUTS for old in OLD]
DISCARDING = [Scene(layout, "aof", discard=True) for layout in LAYOUTS]
SCENES = ONTO_NOTHING + BY_FORCE + DISCARDING


class RestoreCase(Case):
    """Each with a repository that holds one backup, of a few small segments."""

    always = None  # calls that never work: FAULT_ALWAYS

    def setUp(self):
        super().setUp()
        dump = data.dump_file(self, 2)
        self.dump = dump.read_bytes()
        self.repo = self.repository()
        self.backup_id = self.backup(self.repo, "--rdb-file", dump, "--memory", "22M", "--jobs", 1)
        self.segments = len(list((self.repo.path / "instances").rglob("*.zst")))
        self.assertGreaterEqual(self.segments, 3)
        self.volume = self.make_volume()  # where targets are made
        self.made = 0

    def make_volume(self):
        """A process that is killed leaves the same everywhere: where nothing waits for a disk, it takes less time."""
        return tmpfs.mount(self, "volume", "200m")

    def target(self, scene):
        self.made += 1
        target = self.volume / f"target-{self.made}"
        scene.prepare(target)
        return target

    def copy(self, target):
        """Hard links stay what they are."""
        self.made += 1
        copy = self.volume / f"copy-{self.made}"
        subprocess.run(["cp", "-a", target, copy], check=True)
        return copy

    # ---- runs ----

    def restore(self, target, words, jobs=1, **fault):
        env = faults.environment(under=target, always=self.always, **fault) if fault or self.always else {}
        return self.repo.run("restore", "--target", target, "--jobs", jobs, *words, env=env)

    def places(self, scene, changing=True, prepare=None, words=None):
        """All calls of a whole run. `prepare` makes the target otherwise than the scene."""
        target = prepare() if prepare else self.target(scene)
        log = self.folder / f"calls-{self.made}"
        self.expect(remora.OK, self.restore(target, words or scene.words, log=log, changing=changing))
        self.assertEqual(NEW, self.state(scene, target))
        shutil.rmtree(target)
        found = faults.read_log(log, target)
        self.assertGreater(len(found), 10)
        return found

    def some(self, places, most, always=()):
        """Some of them in `make test`, all in the campaign; of those with the calls `always` half in any case."""
        most = min(share(most, len(places)), len(places))
        preferred = [p for p in places if p.call in always]
        chosen = self.random.sample(preferred, min((most + 1) // 2, len(preferred)))
        rest = [p for p in places if p not in chosen]
        return sorted(chosen + self.random.sample(rest, most - len(chosen)), key=lambda p: p.number)

    def few(self, scenes, most):
        """So many of them in `make test`, all in the campaign."""
        return scenes if CAMPAIGN else self.random.sample(scenes, most)

    def read_ready(self, target):
        try:
            return json.loads((target / STAGING / "ready").read_text())
        except (OSError, ValueError):
            return None

    def has_ready_entry(self, target):
        return self.read_ready(target) is not None and os.path.lexists(target / STAGING / "entry")

    # ---- what may be there ----

    def replaced(self, target):
        """What was moved away, of all times."""
        found = {}
        for folder in (target / REPLACED).iterdir() if (target / REPLACED).exists() else ():
            found.update(tree(folder))
        return found

    def check_kept(self, scene, target):
        """A later replacement moved other files of the same names: each file of the old data lies there somewhere."""
        kept = [tree(folder) for folder in (target / REPLACED).iterdir()]
        self.assertTrue(any(scene.old_tree.items() <= found.items() for found in kept), "old data is lost")

    def state(self, scene, target):
        """What a server that was started now would find: never a half of anything."""
        visible = tree(target, [".remora-"])
        if visible == scene.new_tree(self.dump):
            if scene.old and not scene.discard:
                self.check_kept(scene, target)
            return NEW
        if not scene.old:
            self.assertEqual({}, visible)
            return NOTHING
        if visible == scene.old_tree:
            return OLD_DATA
        self.assertTrue(self.has_ready_entry(target), f"half of the old data, and nothing ready: {visible}")
        away = self.replaced(target)
        self.assertEqual(scene.old_tree, {**away, **visible}, "old data is lost")
        return MOVING

    # ---- what the next run has to do ----

    def check_again(self, scene, target, before):
        """The same command once more."""
        result = self.restore(target, scene.words)
        if scene.old or before != NEW:
            self.expect(remora.OK, result)
        else:
            self.expect(remora.REFUSED, result)
        self.check_over(scene, target, NEW)

    def check_if_empty(self, scene, target, before):
        """What an init container does."""
        committed = before == MOVING or self.has_ready_entry(target)
        self.expect(remora.OK, self.restore(target, scene.if_empty))
        self.assertFalse((target / STAGING).exists())
        self.check_over(scene, target, OLD_DATA if before == OLD_DATA and not committed else NEW)

    def check_over(self, scene, target, wanted):
        self.assertEqual(wanted, self.state(scene, target))

    def check_after(self, scene, target):
        """After a run that did not come to its end: the next run on what that one left; one of the two kinds of it in
        `make test`, both in the campaign."""
        before = self.state(scene, target)
        kinds = [self.check_again, self.check_if_empty]
        copies = [target, *([self.copy(target)] if CAMPAIGN else [])]
        for check, copy in zip(self.random.sample(kinds, 2), copies):
            check(scene, copy, before)
            shutil.rmtree(copy)
        return before

    def tell(self, ended, runs, **more):
        text = "".join(f"; {name} {value}" for name, value in more.items())
        print(f"        {ended} of {runs} runs did not come to their end{text}", flush=True)
