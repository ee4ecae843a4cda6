# SPDX-License-Identifier: Apache-2.0
"""What people say about a backup: hold, release, accept, and how list, show and latest reflect it."""

import json

from support import data, remora
from support.case import Case
from support.repository import Backup, seal

MISSING = "20200101T000000Z-abcdef"


class Facts(Case):
    def setUp(self):
        super().setUp()
        self.repo = self.repository()
        dump = data.small_dump_file(self)
        ids = sorted(self.backup(self.repo, "--rdb-file", dump) for _ in range(2))  # of one second: by their digits
        self.older, self.newer = (Backup(self.repo, each) for each in ids)

    def run_ok(self, *words):
        return self.expect(remora.OK, self.repo.run(*words))

    def listed(self, backup):
        found = self.run_ok("list", "--json").json()["instances"][0]["backups"]
        return next(b for b in found if b["id"] == backup.id)

    def row(self, backup):
        """Its line of the list."""
        lines = self.run_ok("list").out.decode().splitlines()
        return next(line for line in lines if line.startswith(backup.id))

    def shown(self, backup):
        return self.run_ok("show", backup.id, "--json").json()

    def suspect(self, backup):
        backup.manifest.chmod(0o600)
        backup.manifest.write_bytes(seal(backup.read_manifest() | {"suspicious": True}))

    def latest(self):
        return self.run_ok("show", "latest", "--json").json()["manifest"]["id"]

    def fact(self, folder, backup):
        return json.loads((backup.instance / folder / f"{backup.id}.json").read_bytes())

    def test_held_is_seen_everywhere_until_released(self):
        self.assertFalse(self.listed(self.older)["held"])
        held = self.run_ok("hold", self.older.id, "--reason", "before the migration", "--json").json()
        self.assertEqual({"command": "hold", "id": self.older.id, "instance": "shop", "held": True, "changed": True},
                         held)
        fact = self.fact("holds", self.older)
        self.assertEqual({"id", "time", "reason", "tool"}, set(fact))
        self.assertEqual((self.older.id, "before the migration"), (fact["id"], fact["reason"]))
        self.assertTrue(self.listed(self.older)["held"])
        self.assertTrue(self.row(self.older).endswith("held"))
        self.assertFalse(self.listed(self.newer)["held"])
        shown = self.shown(self.older)
        self.assertTrue(shown["held"])
        self.assertEqual("before the migration", shown["hold"]["reason"])
        self.assertIsNone(shown["acceptance"])
        text = self.run_ok("show", self.older.id).out.decode()
        self.assertRegex(text, r"\nheld +kept from prune and delete since 20\S+Z: before the migration\n")
        again = self.run_ok("hold", self.older.id, "--reason", "another").out.decode()
        self.assertEqual(f"{self.older.id} is held already\n", again)
        self.assertEqual(fact, self.fact("holds", self.older))
        self.assertEqual(f"{self.older.id} is not held any more\n", self.run_ok("release", self.older.id).out.decode())
        self.assertFalse(self.listed(self.older)["held"])
        released = self.run_ok("release", self.older.id, "--json").json()
        self.assertEqual({"command": "release", "id": self.older.id, "instance": "shop", "held": False,
                          "changed": False}, released)

    def test_hold_latest_holds_what_is_the_latest_now(self):
        self.suspect(self.newer)
        result = self.run_ok("hold", "latest")
        self.assertEqual(f"{self.older.id} is held\n", result.out.decode())
        self.assertIn(self.newer.id.encode(), result.err)  # passed over, and named
        self.assertTrue(self.listed(self.older)["held"])

    def test_suspicious_is_never_the_latest_until_accepted(self):
        self.suspect(self.newer)
        self.assertEqual(self.older.id, self.latest())
        self.assertTrue(self.listed(self.newer)["suspicious"])
        self.assertTrue(self.row(self.newer).endswith("suspicious"))
        accepted = self.run_ok("accept", self.newer.id, "--reason", "the cache was emptied", "--json").json()
        self.assertEqual({"command": "accept", "id": self.newer.id, "instance": "shop", "suspicious": True,
                          "accepted": True, "changed": True}, accepted)
        self.assertEqual(self.newer.id, self.latest())
        self.assertTrue(self.row(self.newer).endswith("suspicious accepted"))
        self.assertEqual("the cache was emptied", self.shown(self.newer)["acceptance"]["reason"])
        text = self.run_ok("show", "latest").out.decode()
        self.assertRegex(text, r"\naccepted +yes since 20\S+Z: the cache was emptied\n")
        self.assertIn("is accepted already", self.run_ok("accept", self.newer.id).out.decode())
        self.assertEqual("the cache was emptied", self.fact("accepted", self.newer)["reason"])

    def test_the_restored_latest_is_the_accepted_one(self):
        self.suspect(self.newer)
        for words, wanted in (([], self.older), (["accept", self.newer.id], self.newer)):
            if words:
                self.run_ok(*words)
            told = self.run_ok("restore", "--appendonly", "no", "--target", self.empty_folder(wanted.id), "--json")
            self.assertEqual(wanted.id, told.json()["id"])

    def test_accept_of_a_good_backup_says_that_there_is_nothing_to_do(self):
        self.assertIn("is not suspicious", self.run_ok("accept", self.newer.id).out.decode())
        self.assertFalse((self.newer.instance / "accepted").exists())

    def test_a_note_beside_a_manifest_means_nothing_to_readers_and_warns_a_holder(self):
        before = self.listed(self.newer), self.shown(self.newer), self.latest()
        notes = self.newer.instance / "expired"
        notes.mkdir()
        (notes / f"{self.newer.id}.json").write_text("{}")
        self.assertEqual(before, (self.listed(self.newer), self.shown(self.newer), self.latest()))
        self.assertNotRegex(self.row(self.newer), "remov|expire")
        self.expect(remora.LOCKED, self.repo.run("hold", self.newer.id), self.newer.id, "the hold stays")
        self.assertTrue(self.listed(self.newer)["held"])

    def test_what_is_not_there(self):
        for verb in ("hold", "accept"):
            self.expect(remora.NOT_FOUND, self.repo.run(verb, MISSING), MISSING)
        self.assertEqual([], list(self.newer.instance.glob("holds/*.json")))
        self.run_ok("release", MISSING)
        for verb in ("release", "accept"):  # too grave for "latest", or without sense
            self.expect(remora.USAGE, self.repo.run(verb, "latest"), "latest")
        for verb in ("hold", "release", "accept"):
            self.expect(remora.USAGE, self.repo.run(verb))
            self.expect(remora.USAGE, self.repo.run(verb, "yesterday"), "yesterday")
        self.expect(remora.USAGE, self.repo.run("hold", self.newer.id, "--reason", "two\nlines"), "reason")

    def test_a_damaged_backup_is_listed_so_and_can_be_held(self):
        self.newer.manifest.chmod(0o600)
        self.newer.manifest.write_bytes(b"{}")
        self.run_ok("hold", self.newer.id)
        self.assertTrue(self.row(self.newer).endswith("damaged held"))
        listed = self.listed(self.newer)
        self.assertEqual(("damaged", True), (listed["state"], listed["held"]))
        self.assertTrue(listed["problem"])
        self.expect(remora.CORRUPT, self.repo.run("accept", self.newer.id), self.newer.id)
        self.older.manifest.chmod(0o600)
        self.older.manifest.write_bytes(seal(self.older.read_manifest() | {"requires": ["encryption-1"]}))
        self.assertEqual("unsupported", self.listed(self.older)["state"])
        self.assertTrue(self.row(self.older).endswith("unsupported"))
