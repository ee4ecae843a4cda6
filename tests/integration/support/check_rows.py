# SPDX-License-Identifier: Apache-2.0
"""`remora check` and the rows that it tells."""

from . import remora
from .case import Case

AREAS = {"repository", "server", "disk", "target"}


class CheckCase(Case):
    def check(self, status, *words, **options):
        """Run it in both forms, which have to agree. Returns {(area, check): row}."""
        result = self.expect(status, remora.run("check", *words, "--json", **options))
        told = result.json()
        self.assertEqual({"command", "rows"}, set(told))
        self.assertEqual("check", told["command"])
        rows = {}
        for row in told["rows"]:
            self.assertEqual({"area", "check", "verdict", "finding", "remedy"}, set(row))
            self.assertIn(row["area"], AREAS)
            self.assertIn(row["verdict"], {"ok", "warn", "fail"})
            self.assertTrue(row["finding"])
            self.assertEqual(row["verdict"] == "ok", row["remedy"] == "", row)
            self.assertNotIn((row["area"], row["check"]), rows)
            rows[row["area"], row["check"]] = row
        self.assertEqual(status != remora.OK, "fail" in {r["verdict"] for r in rows.values()})
        text = self.expect(status, remora.run("check", *words, **options)).out.decode()
        for area, name in rows:
            self.assertRegex(text, rf"(?m)^{area} +{name} +{rows[area, name]['verdict']} ")
        return rows

    def expect_row(self, rows, area, name, verdict, words=""):
        self.assertIn((area, name), rows)
        row = rows[area, name]
        self.assertEqual(verdict, row["verdict"], row)
        self.assertIn(words.lower(), row["finding"].lower(), row)

    def failures(self, rows):
        return [key for key, row in rows.items() if row["verdict"] == "fail"]
