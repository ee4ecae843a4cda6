# SPDX-License-Identifier: Apache-2.0
"""
Restores on which something fails: any one call, the disk that is full, the repository or what was staged damaged, file
systems that lack something. A failure says what it was, leaves nothing half, and the next run works.
"""

import errno
import os
import shutil
import signal
import subprocess

from support import faults, processes, remora, tmpfs
from support.case import CAMPAIGN, limit
from support.repository import Backup
from support.restores import (BY_FORCE, DISCARDING, LAYOUTS, MOVING, NEW, NOTHING, OLD_DATA, ONTO_NOTHING, STAGING,
                              RestoreCase, Scene)

# What a failing call on the target may end in, beside 0.
STATUS = {
    errno.EIO: {remora.UNEXPECTED, remora.USAGE, remora.REFUSED},
    errno.ENOSPC: {remora.NO_SPACE, remora.USAGE, remora.REFUSED},
    errno.EACCES: {remora.UNEXPECTED, remora.USAGE, remora.REFUSED},
    errno.EROFS: {remora.UNEXPECTED, remora.USAGE, remora.REFUSED},
}
RENAMES = ("renameat", "renameat2", "linkat", "unlinkat")
SPACE = ("openat", "write", "pwrite", "fsync", "ftruncate", "fallocate", "renameat", "renameat2", "linkat", "mkdirat")


class CallsThatFail(RestoreCase):
    def fail_everywhere(self, scenes, most, prepare=None, words=None):
        failed, runs, seen = 0, 0, {}
        for scene in scenes:
            make = (lambda scene=scene: prepare(scene)) if prepare else None
            places = self.places(scene, changing=False, prepare=make, words=words and words(scene))
            for error in STATUS:
                fitting = [p for p in places if error != errno.ENOSPC or p.call in SPACE]
                for place in self.some(fitting, most):
                    target = make() if make else self.target(scene)
                    with self.subTest(scene=str(scene), place=str(place), error=errno.errorcode[error]):
                        result = self.restore(target, words(scene) if words else scene.words, place=place, what=error)
                        failed += self.check_failed(scene, target, error, result)
                        key = f"{errno.errorcode[error]}:{result.status}"
                        seen[key] = seen.get(key, 0) + 1
                    runs += 1
        self.tell(failed, runs, **{"exit statuses": seen})
        self.assertGreater(failed, runs // 4)

    def check_failed(self, scene, target, error, result):
        self.assertIn(result.status, STATUS[error] | {remora.OK}, result)
        before = self.state(scene, target)
        if result.status == remora.OK:
            self.assertEqual(NEW, before, f"done, but it is not there\n{result}")
        else:
            self.assertTrue(result.err.strip())
        self.check_after(scene, target)
        return result.status != remora.OK

    @limit(7200 if CAMPAIGN else 120)
    def test_onto_nothing(self):
        self.fail_everywhere(ONTO_NOTHING, 4)

    @limit(7200 if CAMPAIGN else 120)
    def test_onto_old_data(self):
        self.fail_everywhere(BY_FORCE, 2)

    @limit(7200 if CAMPAIGN else 120)
    def test_onto_old_data_that_is_discarded(self):
        self.fail_everywhere(DISCARDING, 2)

    @limit(7200 if CAMPAIGN else 120)
    def test_when_old_data_is_half_moved(self):
        """What an init container finds then must never be taken for the data of a server, or for none."""
        templates = {}

        def half_moved(scene):
            if str(scene) not in templates:
                moves = [p for p in self.places(scene) if p.call in ("renameat", "renameat2")
                         and not p.path.startswith(".remora-")]
                templates[str(scene)] = self.target(scene)
                result = self.restore(templates[str(scene)], scene.words, place=moves[1], what="kill", changing=True)
                self.assertEqual(-signal.SIGKILL, result.status)
                self.assertEqual(MOVING, self.state(scene, templates[str(scene)]))
            return self.copy(templates[str(scene)])

        self.fail_everywhere([Scene(layout, "aof") for layout in LAYOUTS], 3, prepare=half_moved,
                             words=lambda scene: scene.if_empty)


class FullDisk(RestoreCase):
    """Each phase of a restore on a small volume."""

    def make_volume(self):
        return tmpfs.mount(self, "volume", f"{(len(self.dump) >> 20) + 3}m")

    def fill(self):
        self.fills = getattr(self, "fills", 0) + 1
        filler = self.volume / f"filler-{self.fills}"
        with open(filler, "wb", buffering=0) as f:
            for size in (65536, 4096):
                try:
                    while True:
                        f.write(b"\0" * size)
                except OSError:
                    pass
        return filler

    def stopped_at(self, scene, target, place, always=None):
        """It stands still at that place: the disk fills meanwhile; then it goes on to its end."""
        env = faults.environment(under=target, place=place, what="stop", changing=True, always=always)
        words = ["--target", target, "--jobs", 1, *scene.words]
        process = self.repo.start("restore", *words, env=env)
        self.addCleanup(processes.end, process)
        self.assertTrue(faults.wait_until_stopped(process), str(place))
        filler = self.fill()
        process.send_signal(signal.SIGCONT)
        return remora.finish(process, words), filler

    def check_full(self, scene, target, result, filler):
        self.expect(remora.NO_SPACE, result)
        self.assertRegex(result.err.decode(), "(?i)no space left|enlarge the volume|inodes")
        self.assertEqual(OLD_DATA if scene.old else NOTHING, self.state(scene, target))
        filler.unlink()
        self.expect(remora.OK, self.restore(target, scene.words))
        self.assertEqual(NEW, self.state(scene, target))
        shutil.rmtree(target)

    def test_before_anything(self):
        for scene in ONTO_NOTHING + BY_FORCE:
            with self.subTest(scene=str(scene)):
                target, filler = self.target(scene), self.fill()
                result = self.restore(target, scene.words)
                self.assertEqual([], [p.name for p in target.iterdir() if p.name.startswith(".remora-")])
                self.check_full(scene, target, result, filler)

    def test_at_each_phase(self):
        """Each time another program takes the room that was there a moment ago."""
        for scene in ONTO_NOTHING + [Scene(layout, "rdb") for layout in LAYOUTS]:
            places = self.places(scene)
            for phase, find in self.phases(scene):
                if scene.old and not CAMPAIGN and self.random.random() < 0.5:
                    continue
                with self.subTest(scene=str(scene), phase=phase):
                    place = next(p for p in places if find(p))
                    target = self.target(scene)
                    always = f"fallocate:{errno.EOPNOTSUPP}" if phase == "the dump" else None
                    result, filler = self.stopped_at(scene, target, place, always)
                    self.check_full(scene, target, result, filler)

    @staticmethod
    def phases(scene):
        yield "the lock", lambda p: p.path == ".remora-lock"
        yield "the room of the dump", lambda p: p.call == "fallocate"
        yield "the plan", lambda p: p.call == "openat" and p.path.startswith(f"{STAGING}/.remora-tmp-")
        yield "the dump", lambda p: p.call == "pwrite"
        if scene.layout == "aof":
            yield "the increment and the manifest", lambda p: p.call == "openat" and p.path.endswith(".incr.aof")
        yield "ready", lambda p: p.call == "fsync" and p.path == STAGING + "/entry"

    def test_the_record_does_not_fit(self):
        """The data is in place then: a warning."""
        for scene in ONTO_NOTHING:
            place = next(p for p in self.places(scene) if p.call == "openat" and p.path.startswith(".remora-tmp-"))
            target = self.target(scene)
            result, filler = self.stopped_at(scene, target, place)
            self.expect(remora.OK, result)
            self.assertEqual(NEW, self.state(scene, target))
            self.assertFalse((target / STAGING).exists())
            filler.unlink()
            shutil.rmtree(target)

    def test_no_inodes(self):
        for scene in ONTO_NOTHING:
            for inodes in range(2, 16):
                name = f"inodes-{scene.layout}-{inodes}"
                volume = tmpfs.mount(self, name, f"8m,nr_inodes={inodes}")
                result = self.restore(volume, scene.words)
                if result.status == remora.OK:
                    self.assertEqual(NEW, self.state(scene, volume))
                    break
                self.expect(remora.NO_SPACE, result, "inodes")
                self.assertLessEqual({p.name for p in volume.iterdir()}, {".remora-lock"})
            self.assertIn(inodes, range(6, 15))


class Damage(RestoreCase):
    def damages(self):
        """What happens to the repository, and back."""
        backup = Backup(self.repo, self.backup_id)
        for name, path in (("segment", backup.segments()[1]), ("index", backup.index)):
            content = path.read_bytes()
            flipped = bytearray(content)
            flipped[len(content) // 2] ^= 1
            for what, damaged in (("flipped", bytes(flipped)), ("truncated", content[:-1]), ("empty", b""),
                                  ("missing", None)):
                path.unlink()
                if damaged is not None:
                    path.write_bytes(damaged)
                yield f"{name} {what}"
                path.write_bytes(content)

    def test_of_the_backup(self):
        for scene in ONTO_NOTHING + BY_FORCE:
            for damage in self.damages():
                if not CAMPAIGN and self.random.random() < 0.5:
                    continue
                with self.subTest(scene=str(scene), damage=damage):
                    target = self.target(scene)
                    self.expect(remora.CORRUPT, self.restore(target, scene.words, jobs=2), "nothing was restored")
                    self.assertEqual(OLD_DATA if scene.old else NOTHING, self.state(scene, target))
                    self.assertFalse((target / STAGING).exists())
                    shutil.rmtree(target)

    def test_of_the_backup_when_it_is_resumed(self):
        for scene in ONTO_NOTHING + self.few(BY_FORCE, 2):
            with self.subTest(scene=str(scene)):
                target = self.half_staged(scene)
                segment = Backup(self.repo, self.backup_id).segments()[-1]
                content = segment.read_bytes()
                segment.write_bytes(content[:-1])
                self.expect(remora.CORRUPT, self.restore(target, scene.words))
                self.assertEqual(OLD_DATA if scene.old else NOTHING, self.state(scene, target))
                self.assertFalse((target / STAGING).exists())
                segment.write_bytes(content)
                self.expect(remora.OK, self.restore(target, scene.words))
                self.assertEqual(NEW, self.state(scene, target))
                shutil.rmtree(target)

    def half_staged(self, scene):
        """All but the last segment is there."""
        last = [p for p in self.places(scene) if p.call == "pwrite"][-1]
        target = self.target(scene)
        self.assertEqual(-signal.SIGKILL,
                         self.restore(target, scene.words, place=last, what="kill", changing=True).status)
        return target

    def staged_dump(self, target):
        entry = target / STAGING / "entry"
        return entry / "appendonly.aof.1.base.rdb" if entry.is_dir() else entry

    def damage_staged(self, target):
        """(name, how many of the segments that were there are still good: None where that is open)."""
        dump, journal = self.staged_dump(target), target / STAGING / "journal"
        good = self.segments - 1
        content, lines = dump.read_bytes(), journal.read_bytes()

        def flip(at):
            changed = bytearray(content)
            changed[at] ^= 0x40
            dump.write_bytes(changed)

        yield "a byte at the begin flipped", good - 1, lambda: flip(0)
        yield "a byte at the end flipped", good - 1, lambda: flip(len(content) - 1)
        yield "the dump is all zeros", 0, lambda: dump.write_bytes(bytes(len(content)))
        yield "the dump cut short", good - 1, lambda: os.truncate(dump, len(content) - 1)
        yield "the dump is empty", 0, lambda: os.truncate(dump, 0)
        yield "the dump longer than it can be", 0, lambda: dump.write_bytes(content + bytes(len(self.dump)))
        yield "the dump gone", 0, dump.unlink
        yield "the dump a link", 0, lambda: (dump.unlink(), dump.symlink_to("/etc/passwd"))
        yield "the journal garbage", 0, lambda: journal.write_bytes(self.random.randbytes(5000))
        yield "the journal torn", good - 1, lambda: journal.write_bytes(lines[:-5])
        yield "the journal empty", 0, lambda: journal.write_bytes(b"")
        yield "the journal gone", 0, journal.unlink
        yield "the journal of wrong checksums", 0, lambda: journal.write_bytes(
            b"".join(line[:-8] + b"00000000" for line in lines.splitlines(True)).replace(b"0" * 8, b"0" * 8 + b"\n"))
        yield "the journal says too much", good, lambda: journal.write_bytes(
            lines + b"%d 0123456789abcdef\n99999999999999999999 0123456789abcdef\n" % (self.segments - 1))
        yield "the plan garbage", 0, lambda: (target / STAGING / "plan").write_bytes(self.random.randbytes(200))
        yield "the plan gone", 0, (target / STAGING / "plan").unlink

    def test_of_what_was_staged(self):
        scenes = ONTO_NOTHING + [Scene(layout, "aof") for layout in LAYOUTS]
        for scene in self.few(scenes, 2):
            template = self.half_staged(scene)
            count = len(list(self.damage_staged(template)))
            for number in range(count):
                target = self.copy(template)
                name, good, damage = list(self.damage_staged(target))[number]
                with self.subTest(scene=str(scene), damage=name):
                    damage()
                    log = self.folder / "fetched"
                    env = faults.environment(under=self.repo.path, log=log)
                    self.expect(remora.OK, self.repo.run("restore", "--target", target, *scene.words, env=env))
                    opened = {p.path for p in faults.read_log(log, self.repo.path) if ".zst" in p.path}
                    log.unlink()
                    self.assertEqual(NEW, self.state(scene, target))
                    self.assertEqual(self.segments - good, len(opened))
                shutil.rmtree(target)
            shutil.rmtree(template)


class FileSystems(RestoreCase):
    """The same on each: whole, cut off at the calls that bring data in, and gone on with."""

    def restore_here(self, most):
        killed, self.ways = 0, set()
        for scene in self.few(ONTO_NOTHING, 2) + self.few(BY_FORCE, 3):
            places = self.places(scene)
            self.ways |= {p.call for p in places if p.path == f"{STAGING}/entry"}
            for place in self.some(places, most, RENAMES):
                target = self.target(scene)
                with self.subTest(scene=str(scene), place=str(place)):
                    result = self.restore(target, scene.words, place=place, what="kill", changing=True)
                    self.assertEqual(-signal.SIGKILL, result.status)
                    self.check_after(scene, target)
                    killed += 1
        self.tell(killed, killed)

    def mount(self, name, *words):
        path = self.empty_folder(name)
        done = subprocess.run([str(w) for w in words] + [str(path)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.skipTest(f"{words[0]} does not work here: {done.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "--lazy", path], capture_output=True, check=False)
        return path

    def image(self, size, *mkfs):
        path = self.folder / "image"
        with open(path, "wb") as f:
            f.truncate(size)
        subprocess.run([*mkfs, str(path)], capture_output=True, check=True)
        return path

    def take(self, volume):
        self.volume = volume

    @limit(7200 if CAMPAIGN else 120)
    def test_ext4(self):
        self.take(self.mount("ext4", "mount", "-o", "loop", self.image(96 << 20, "mkfs.ext4", "-q", "-F")))
        self.restore_here(2)

    @limit(7200 if CAMPAIGN else 120)
    def test_overlay(self):
        base = tmpfs.mount(self, "base", "96m")
        for name in ("lower", "upper", "work"):
            (base / name).mkdir()
        self.take(self.mount("overlay", "mount", "-t", "overlay", "overlay", "-o",
                             f"lowerdir={base}/lower,upperdir={base}/upper,workdir={base}/work"))
        self.restore_here(2)

    @limit(7200 if CAMPAIGN else 120)
    def test_overlay_with_old_data_in_the_lower_layer(self):
        base = tmpfs.mount(self, "base", "96m")
        for name in ("lower", "upper", "work"):
            (base / name).mkdir()
        for layout in LAYOUTS:
            scene = Scene(layout, "rdb")
            scene.prepare(base / "lower" / layout)
        volume = self.mount("overlay", "mount", "-t", "overlay", "overlay", "-o",
                            f"lowerdir={base}/lower,upperdir={base}/upper,workdir={base}/work")
        for layout in LAYOUTS:
            scene = Scene(layout, "rdb")
            self.expect(remora.OK, self.restore(volume / layout, scene.words))
            self.assertEqual(NEW, self.state(scene, volume / layout))

    @limit(7200 if CAMPAIGN else 120)
    def test_fuse_without_rename_flags(self):
        """bindfs knows links, but no RENAME_NOREPLACE."""
        self.take(self.mount("bindfs", "bindfs", tmpfs.mount(self, "base", "96m")))
        self.restore_here(2)
        self.assertLessEqual({"renameat2", "linkat", "unlinkat"}, self.ways)

    @limit(7200 if CAMPAIGN else 120)
    def test_fuse_without_links(self):
        """exFAT in user space: neither links nor RENAME_NOREPLACE, and owners that are the mount's."""
        image = self.image(96 << 20, "mkfs.exfat")
        device = subprocess.run(["losetup", "--find", "--show", image], capture_output=True, text=True, check=False)
        if device.returncode != 0:
            self.skipTest(f"no loop device here: {device.stderr.strip()}")
        self.addCleanup(subprocess.run, ["losetup", "--detach", device.stdout.strip()], check=False)
        self.take(self.mount("exfat", "mount.exfat-fuse", "-o", "umask=0077", device.stdout.strip()))
        self.restore_here(2)
        self.assertLessEqual({"renameat2", "linkat", "renameat"}, self.ways)

    @limit(7200 if CAMPAIGN else 120)
    def test_without_rename_flags(self):
        self.always = f"renameat2:{errno.EINVAL}"
        self.restore_here(2)

    @limit(7200 if CAMPAIGN else 120)
    def test_without_rename_flags_and_links(self):
        self.always = f"renameat2:{errno.EINVAL},linkat:{errno.EPERM}"
        self.restore_here(2)
