# SPDX-License-Identifier: Apache-2.0
"""A backup in which one byte is wrong, or missing, is known for damaged and never restored."""

import json
import shutil

from support import data, remora
from support.case import Case, limit, share
from support.repository import Backup, objects


class Damage(Case):
    """Each test works on one repository, whose objects it damages and mends one at a time."""

    def setUp(self):
        super().setUp()
        self.repo = self.repository()
        dump = data.small_dump_file(self)
        made = [self.backup(self.repo, "--rdb-file", dump, "--tag", "damage=me") for _ in range(2)]
        # Both carry the time of the dump: which of them is the later one is a matter of their random digits.
        self.older, self.damaged = (Backup(self.repo, backup_id) for backup_id in sorted(made))
        self.target = self.empty_folder()

    def check_found(self, what, statuses=(remora.CORRUPT,), restore=True):
        """verify says so, and restore refuses and leaves nothing that a server would load."""
        result = self.repo.run("verify", self.damaged.id, "--record", "no")
        self.assertIn(result.status, statuses, f"{what}\n{result}")
        if not restore:
            return
        result = self.repo.run("restore", "--appendonly", "no", "--target", self.target, "--backup", self.damaged.id)
        self.assertIn(result.status, statuses, f"{what}\n{result}")
        self.assertFalse((self.target / "dump.rdb").exists(), what)
        self.assertEqual([], [p.name for p in self.target.iterdir() if not p.name.startswith(".remora")], what)

    def flip(self, path, positions, statuses=(remora.CORRUPT,), every_restored=10):
        good = path.read_bytes()
        try:
            for count, at in enumerate(positions):
                bad = bytearray(good)
                bad[at] ^= 1 << self.random.randrange(8)
                path.write_bytes(bad)
                self.check_found(f"{path.name}: byte {at} of {len(good)}: {good[at]:02x} became {bad[at]:02x}",
                                 statuses, restore=count % every_restored == 0)
        finally:
            path.write_bytes(good)
        self.check_whole()

    def truncate(self, path, lengths, statuses=(remora.CORRUPT,)):
        good = path.read_bytes()
        try:
            for length in lengths:
                path.write_bytes(good[:length])
                self.check_found(f"{path.name}: {length} of {len(good)} bytes", statuses)
            path.write_bytes(good + b"\0")
            self.check_found(f"{path.name}: one byte more", statuses)
        finally:
            path.write_bytes(good)
        self.check_whole()

    def check_whole(self):
        self.expect(remora.OK, self.repo.run("verify", self.damaged.id, "--record", "no"))

    def lengths(self, path):
        size = path.stat().st_size
        return sorted({0, 1, size // 2, size - 1} | {self.random.randrange(size) for _ in range(share(4, 40))})

    def positions(self, path, most):
        """All, or that many: both ends and a seeded sample between them."""
        size = path.stat().st_size
        if size <= most:
            return range(size)
        return sorted({*range(16), *range(size - 16, size)} | {self.random.randrange(size) for _ in range(most)})

    @limit(300)
    def test_a_flipped_byte_in_the_manifest(self):
        self.flip(self.damaged.manifest, self.positions(self.damaged.manifest, share(150, 100_000)))

    def test_a_truncated_manifest(self):
        self.truncate(self.damaged.manifest, self.lengths(self.damaged.manifest))

    @limit(300)
    def test_a_flipped_byte_in_the_index(self):
        self.flip(self.damaged.index, self.positions(self.damaged.index, share(150, 100_000)))

    def test_a_truncated_index(self):
        self.truncate(self.damaged.index, self.lengths(self.damaged.index))

    @limit(300)
    def test_a_flipped_byte_in_a_segment(self):
        for segment in self.damaged.segments():
            self.flip(segment, self.positions(segment, share(40, 5000)))

    def test_a_truncated_segment(self):
        for segment in self.damaged.segments():
            self.truncate(segment, self.lengths(segment))

    @limit(300)
    def test_a_flipped_byte_in_a_marker(self):
        """The markers are objects of the repository, not of a backup: they say what it is, and carry no digest. What a
        reader needs of them is checked; a wrong letter in an id, a time or a name changes nothing, and then the
        backup is whole.
        """
        for path in (self.repo.path / "remora.json", self.damaged.instance / "instance.json"):
            good = path.read_bytes()
            fields = json.loads(good)
            told = [fields["id"], *(f'"{name}":"{fields[name]}"' for name in ("created", "name") if name in fields)]
            free = [range(good.index(text.encode()), good.index(text.encode()) + len(text)) for text in told]
            for at in range(len(good)):
                bad = bytearray(good)
                bad[at] ^= 1 << self.random.randrange(8)
                path.write_bytes(bad)
                statuses = (remora.CORRUPT, remora.UNSUPPORTED)
                if any(at in part for part in free) or at == len(good) - 1:
                    statuses += (remora.OK,)
                self.check_found(f"{path.name}: byte {at}: {chr(good[at])} became {bytes(bad[at:at + 1])}", statuses,
                                 restore=False)
            path.write_bytes(good)

    def test_a_truncated_marker(self):
        for path in (self.repo.path / "remora.json", self.damaged.instance / "instance.json"):
            good = path.read_bytes()
            for length in range(len(good) - 1):
                path.write_bytes(good[:length])
                self.check_found(f"{path.name}: {length} of {len(good)} bytes", restore=length % 10 == 0)
            path.write_bytes(good)

    def test_objects_that_are_missing(self):
        for path in (self.damaged.index, *self.damaged.segments()):
            away = self.folder / "away"
            shutil.move(path, away)
            self.check_found(f"{path.name} is missing")
            self.expect(remora.CORRUPT, self.repo.run("verify", self.damaged.id, "--quick"))
            shutil.move(away, path)
        shutil.rmtree(self.damaged.data)
        self.check_found("the data folder is missing")

    def test_segments_of_another_backup(self):
        """The same size and a good frame, but not the bytes of this one."""
        dump = data.dump_file(self, 40)
        first = Backup(self.repo, self.backup(self.repo, "--rdb-file", dump))
        self.damaged = Backup(self.repo, self.backup(self.repo, "--rdb-file", dump))
        segments = self.damaged.segments()
        self.assertGreater(len(segments), 3)
        good = [s.read_bytes() for s in segments]
        segments[0].write_bytes(good[1])
        segments[1].write_bytes(good[0])
        self.check_found("two segments changed places")
        segments[0].write_bytes(good[0])
        segments[1].write_bytes(good[1])
        segments[-1].unlink()
        self.check_found("the last segment is missing")
        segments[-1].write_bytes(good[-1])
        shutil.copy(self.older.index, self.damaged.index)
        self.check_found("the index of another backup")
        shutil.copy(first.index, self.damaged.index)
        self.check_whole()
        shutil.copy(first.manifest, self.damaged.manifest)
        self.check_found("the manifest of another backup")

    def test_damage_in_one_backup_leaves_the_others(self):
        """list shows it, latest passes over it and says so, --all checks the rest and fails."""
        manifest = self.damaged.manifest.read_bytes()
        self.damaged.manifest.write_bytes(manifest.replace(b"damage", b"DAMAGE"))
        listed = self.expect(remora.OK, self.repo.run("list", "--json")).json()["instances"][0]["backups"]
        self.assertEqual({self.older.id: False, self.damaged.id: True}, {b["id"]: bool(b["problem"]) for b in listed})
        self.assertIn(b"damaged", self.expect(remora.OK, self.repo.run("list")).out.lower())
        result = self.expect(remora.CORRUPT, self.repo.run("verify", "--all", "--json"))
        good = {r["id"]: r["ok"] for r in result.json()["results"]}
        self.assertEqual({self.older.id: True, self.damaged.id: False}, good)
        result = self.expect(remora.OK, self.repo.run("restore", "--appendonly", "no", "--target", self.target),
                             self.damaged.id)
        self.assertTrue((self.target / "dump.rdb").exists())

    def test_latest_does_not_pass_over_damaged_data(self):
        """A manifest that is whole makes it the latest: damage of its data is told, not hidden by an older backup."""
        segment = self.damaged.segments()[0]
        segment.write_bytes(segment.read_bytes()[:-1])
        self.check_found("latest", restore=False)
        self.expect(remora.CORRUPT, self.repo.run("restore", "--appendonly", "no", "--target", self.target))
        self.assertFalse((self.target / "dump.rdb").exists())

    def test_restore_to_stdout_of_a_damaged_backup_fails(self):
        segment = self.damaged.segments()[0]
        good = segment.read_bytes()
        for at in self.positions(segment, 10):
            bad = bytearray(good)
            bad[at] ^= 0x20
            segment.write_bytes(bad)
            self.expect(remora.CORRUPT, self.repo.run("restore", "--stdout"))

    def test_a_damaged_dump_is_not_backed_up(self):
        """Any flipped byte and any truncation of the source: exit 5, and nothing is left in the repository."""
        good = data.small_dump_file(self).read_bytes()
        before = sorted([self.older.id, self.damaged.id])
        broken = self.folder / "broken.rdb"
        for at in sorted({self.random.randrange(len(good)) for _ in range(share(40, 1000))}):
            bad = bytearray(good)
            bad[at] ^= 1 << self.random.randrange(8)
            broken.write_bytes(bad)
            result = self.repo.run("backup", "--rdb-file", broken)
            # The version in the head, or a type that nobody knows yet, can become one that is not supported.
            self.assertIn(result.status, (remora.CORRUPT, remora.UNSUPPORTED), f"byte {at}\n{result}")
        for length in sorted({0, 8, 9, len(good) - 1, len(good) - 8, len(good) - 9} |
                             {self.random.randrange(len(good)) for _ in range(share(10, 200))}):
            broken.write_bytes(good[:length])
            self.expect(remora.CORRUPT, self.repo.run("backup", "--rdb-file", broken))
        self.assertEqual(before, sorted(self.ids(self.repo)))
        data_folders = [p for p in (self.damaged.instance / "data").iterdir() if objects(p)]
        self.assertEqual(before, sorted(p.name for p in data_folders))
