# SPDX-License-Identifier: Apache-2.0
"""The memory of a run does not depend on the size of the dump: resident at most what --memory says."""

from support import data, remora
from support.case import CAMPAIGN, Case, limit, share

MIB = 1024
# What the C library and the kernel round up.
MARGIN = 2 * MIB


class Memory(Case):
    def measure(self, repo, most, *words):
        result, peak = remora.peak_rss_kib(*repo.words, *words)
        self.assertEqual(remora.OK, result.status, result)
        print(f"        {' '.join(map(str, words))}: {peak / MIB:.1f} MiB resident", flush=True)
        self.assertLessEqual(peak, most * MIB + MARGIN)

    @limit(900 if CAMPAIGN else 180)
    def test_of_every_verb(self):
        dump = data.dump_file(self, share(200, 1000))
        repo = self.repository()
        self.measure(repo, 64, "backup", "--rdb-file", dump, "--jobs", 2)
        self.measure(repo, 32, "backup", "--rdb-file", dump, "--jobs", 2, "--memory", "32M")
        self.measure(repo, 64, "backup", "--rdb-file", dump, "--jobs", 2, "--level", 9)
        self.measure(repo, 64, "verify")
        self.measure(repo, 64, "restore", "--appendonly", "no", "--target", self.empty_folder())

    @limit(300)
    def test_with_one_huge_value(self):
        """A value is never held in memory, however long it is."""
        server = self.server()
        piece = self.random.randbytes(1 << 20)
        with server.client() as client:
            for at in range(200):
                client.call("SETRANGE", "huge", at << 20, piece)
        server.call("SAVE")
        repo = self.repository()
        self.measure(repo, 64, "backup", "--rdb-file", server.dump, "--jobs", 2)
        self.measure(repo, 64, "verify")
