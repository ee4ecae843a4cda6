# SPDX-License-Identifier: Apache-2.0
"""Thousands of backups in one instance of a real S3 store: what they cost to list and to plan over is told to the
request, and is no more memory than a few of them take."""

import math
import subprocess
import time
import uuid

from support import gateway, proxy, remora, s3
from support.case import Case, limit, share

MIB = 1024
MOST = 64 * MIB
PAGE = 1000  # objects that one request lists
FOLDER_PAGE = 990  # folders: the gateway tells a few less, since it finds the last one of a page once more
# Every Nth backup has a verified fact.
VERIFIED = 10
HELD = 3
# The marker of the repository, the store's clock, and the marker of the instance.
OPEN = 3


def pages(count, page=PAGE):
    return max(1, math.ceil(count / page))


class Many(Case):
    def setUp(self):
        super().setUp()
        self.gateway = gateway.shared()
        self.repo = s3.Repository(self.gateway, prefix=f"it/{uuid.uuid4()}")
        self.addCleanup(self.gateway.client.remove_all, self.repo.bucket, self.repo.prefix)
        self.log = proxy.RequestLog(self.gateway.port)
        self.addCleanup(self.log.close)

    def fill(self, count):
        """That many backups, an hour apart."""
        tool = remora.TOOLS / "torture/fill_repo"
        done = subprocess.run([tool, "--repo", f"s3://{self.repo.bucket}/{self.repo.prefix}", "--instance",
                               self.repo.instance, "--s3-endpoint", self.repo.endpoint, "--count", str(count),
                               "--verified", str(VERIFIED)], env=remora.environment(**self.repo.env),
                              capture_output=True, text=True, timeout=300, check=False)
        self.assertEqual(0, done.returncode, done.stderr)
        print(f"        fill: {done.stdout.strip()}", flush=True)

    def measure(self, most_requests, *words):
        """Run it through the log: its result, and what it asked of the store."""
        self.log.take()
        began = time.monotonic()
        result, peak = remora.peak_rss_kib(*words, *self.repo.through(self.log.url).words, env=remora.environment(
            **self.repo.env))
        took, requests = time.monotonic() - began, self.log.take()
        print(f"        {' '.join(map(str, words))}: {took:.1f} s, {len(requests)} requests (at most "
              f"{most_requests}), {peak / MIB:.1f} MiB resident", flush=True)
        self.assertEqual(remora.OK, result.status, result)
        self.assertLessEqual(len(requests), most_requests, requests[:3] + requests[-20:])
        self.assertLessEqual(peak, MOST)
        return result, requests

    def expect_only_small_objects_read(self, requests):
        for method, target in requests:
            self.assertIn(method, ("GET", "HEAD"), target)
            self.assertNotIn(".zst", target)

    @limit(share(300, 900))
    def test_list_and_the_plan_of_prune(self):
        count = share(1000, 5000)
        self.fill(count)
        ids = self.ids(self.repo)
        self.assertEqual(count, len(ids))
        for held in ids[:HELD]:
            self.expect(remora.OK, self.repo.run("hold", held))
        verified = count // VERIFIED
        # The manifests, and the facts of four kinds: verified, holds, and no accepted or expired.
        listings = pages(count) + pages(verified) + pages(HELD) + 1 + 1
        with self.subTest("list"):
            result, requests = self.measure(OPEN + listings + count + verified, "list", "--json")
            listed = result.json()["instances"][0]["backups"]
            self.assertEqual(ids, [b["id"] for b in listed])
            self.assertEqual(ids[:HELD], [b["id"] for b in listed if b["held"]])
            self.assertEqual(verified, sum(b["verified"] is not None for b in listed))
            self.expect_only_small_objects_read(requests)
        with self.subTest("list as text"):
            self.measure(OPEN + listings + count + verified, "list")
        began = time.monotonic()
        self.expect(remora.OK, self.repo.run("list"))
        print(f"        list, without the log between: {time.monotonic() - began:.1f} s", flush=True)
        with self.subTest("show"):
            # The listing of "latest", its manifest for that, for the facts and as it is stored, and four facts: one
            # that is not there is asked for in two ways, since the answer to HEAD does not say what is missing.
            self.measure(OPEN + pages(count) + 3 + 2 * 4, "show", "latest", "--json")
        with self.subTest("prune"):
            # The same without the text of the verified facts; three backups are looked at (manifest, index, segments);
            # and for what is left of others the clock, once more all listings, the folders of data and the probes;
            # for the leases the clock and a listing.
            looked_at = 3 * 3
            left = 1 + listings + pages(count, FOLDER_PAGE) + 1 + 2
            result, requests = self.measure(OPEN + listings + count + looked_at + left, "prune", "--keep-daily", "7",
                                            "--keep-last", "3", "--json")
            removed = sum(b["action"] == "remove" for b in result.json()["backups"])
            self.assertGreater(removed, count // 2)
            self.expect_only_small_objects_read(requests)
            self.assertEqual(ids, self.ids(self.repo))
