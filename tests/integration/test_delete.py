# SPDX-License-Identifier: Apache-2.0
"""delete: one backup goes, unless it is held or the last good one; its data stay for a day."""

import json

from support import data, remora
from support.case import Case
from support.repository import Backup, seal

MISSING = "20200101T000000Z-abcdef"


class Delete(Case):
    def setUp(self):
        super().setUp()
        self.repo = self.repository()
        dump = data.small_dump_file(self)
        ids = sorted(self.backup(self.repo, "--rdb-file", dump) for _ in range(2))
        self.older, self.newer = (Backup(self.repo, each) for each in ids)

    def delete(self, status, backup, *words):
        return self.expect(status, self.repo.run("delete", backup.id, *words))

    def note(self, backup):
        return json.loads((backup.instance / "expired" / f"{backup.id}.json").read_bytes())

    def data_of(self, backup):
        return sorted(p for p in (backup.instance / "data" / backup.id).rglob("*") if p.is_file())

    def test_manifest_goes_and_data_stay(self):
        kept = self.data_of(self.older)
        out = self.delete(remora.OK, self.older).out.decode()
        self.assertRegex(out, rf"^{self.older.id} is removed; its data go with the first `remora prune --apply` after")
        self.assertEqual([self.newer.id], self.ids(self.repo))
        self.assertTrue(kept)
        self.assertEqual(kept, self.data_of(self.older))
        self.assertEqual("delete", self.note(self.older)["reason"])

    def test_json_and_reason(self):
        told = self.delete(remora.OK, self.newer, "--reason", "a customer asked", "--json").json()
        self.assertEqual({"command", "id", "instance", "removed", "data_until"}, set(told))
        self.assertEqual((self.newer.id, True), (told["id"], told["removed"]))
        self.assertEqual("a customer asked", self.note(self.newer)["reason"])

    def test_held_is_refused_also_with_force(self):
        self.expect(remora.OK, self.repo.run("hold", self.older.id))
        for words in ([], ["--force"]):
            self.assertIn("is held", self.delete(remora.REFUSED, self.older, *words).err.decode())
        self.expect(remora.OK, self.repo.run("release", self.older.id))
        self.delete(remora.OK, self.older)

    def test_last_good_one_is_refused_unless_forced(self):
        self.delete(remora.OK, self.older)
        self.assertIn("last good one", self.delete(remora.REFUSED, self.newer).err.decode())
        self.assertEqual([self.newer.id], self.ids(self.repo))
        self.delete(remora.OK, self.newer, "--force")
        self.assertEqual([], self.ids(self.repo))

    def test_suspicious_and_damaged_ones_are_no_good_ones(self):
        self.newer.manifest.chmod(0o600)
        self.newer.manifest.write_bytes(seal(self.newer.read_manifest() | {"suspicious": True}))
        self.delete(remora.REFUSED, self.older)
        self.expect(remora.OK, self.repo.run("accept", self.newer.id))
        self.delete(remora.OK, self.older)
        self.newer.manifest.write_bytes(b"{}\n")
        self.delete(remora.OK, self.newer)

    def test_not_there(self):
        missing = self.expect(remora.NOT_FOUND, self.repo.run("delete", MISSING))
        self.assertIn("has no backup", missing.err.decode())
        self.delete(remora.OK, self.older)
        self.assertIn("was removed already", self.delete(remora.NOT_FOUND, self.older).err.decode())
        self.expect(remora.USAGE, self.repo.run("delete", "latest"))
