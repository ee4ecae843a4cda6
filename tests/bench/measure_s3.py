#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
measure_s3.py REMORA DUMP FOLDER: the S3 part of bench.sh. One dump into one RADOS Gateway (the S3_TEST_* variables of
tests/servers/rgw.sh) by remora, by the shell pipeline `zstd | aws s3 cp`, and by restic, in turn, RUNS times; `zstd -1`
alone beside them. CPU and memory are those of the command and its children; the gateway has the same CPUs, and its own
work is in the wall time of all of them.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # the tree stays as it was
import measure  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))
from support import s3  # noqa: E402

BUCKET = "remora-bench"
AWS = "/usr/bin/aws"  # Debian's, whatever else is in the PATH
BASE = "zstd -1"
PIPELINE = "zstd -1 | aws s3 cp"


def set_environment():
    """For all of the programs: this access key, and nothing of the machine's own."""
    for name in [n for n in os.environ if n.startswith(("AWS_", "REMORA_", "RESTIC_"))]:
        if name != "REMORA_LOG_LEVEL":
            del os.environ[name]
    os.environ.update({
        "AWS_ACCESS_KEY_ID": os.environ["S3_TEST_ACCESS_KEY"],
        "AWS_SECRET_ACCESS_KEY": os.environ["S3_TEST_SECRET_KEY"],
        "AWS_DEFAULT_REGION": s3.REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "RESTIC_PASSWORD": "bench",
        "RESTIC_REPOSITORY": f"s3:{os.environ['S3_TEST_HTTP']}/{BUCKET}/restic",
    })


class Row:
    """One command, and what it needed each time."""

    def __init__(self, name, command, first="true", stores=True):
        self.name, self.command, self.first, self.stores = name, command, first, stores
        self.runs, self.stored = [], 0


class Bench:
    def __init__(self, remora, dump, folder):
        endpoint = os.environ["S3_TEST_HTTP"]
        self.dump, self.raw = dump, measure.size_of(dump)
        self.client = s3.Client(endpoint, os.environ["S3_TEST_ACCESS_KEY"], os.environ["S3_TEST_SECRET_KEY"])
        self.client.make_bucket(BUCKET)
        self.compressed = Path(folder) / "zstd.out"
        words = f"--repo s3://{BUCKET}/remora --instance bench --s3-endpoint {endpoint}"
        backup = f"{remora} backup {words} --method file --rdb-file {dump} --progress never"
        init = f"{remora} init {words}"
        self.rows = [
            Row(BASE, f"zstd -q -f -1 -o {self.compressed} {dump}", stores=False),
            Row(PIPELINE, f"zstd -q -1 -c {dump} | {AWS} --endpoint-url {endpoint} s3 cp - s3://{BUCKET}/dump.zst"),
            Row("remora backup --level 1", f"{backup} --level 1", init),
            Row("remora backup --level 2", f"{backup} --level 2", init),
            Row("restic backup", f"restic --quiet --no-cache backup {dump}", "restic --quiet --no-cache init"),
        ]

    def empty_the_store(self):
        """The gateway keeps removed data for hours, and it is all in memory."""
        self.client.remove_all(BUCKET)
        subprocess.run(["radosgw-admin", "--conf", f"{os.environ['S3_TEST_DIR']}/ceph.conf", "gc", "process",
                        "--include-all"], check=True, capture_output=True)

    def stored_by(self, row):
        return sum(self.client.objects(BUCKET).values()) if row.stores else measure.size_of(self.compressed)

    def run(self):
        for number in range(measure.RUNS):
            for row in self.rows:
                self.empty_the_store()
                measure.run_once(row.first)
                os.sync()
                row.runs.append(measure.run_once(row.command))
                row.stored = self.stored_by(row)
                print(f"  {number + 1}/{measure.RUNS} {row.name}: {row.runs[-1][0]:.1f} s", file=sys.stderr, flush=True)

    def table(self):
        found = {row.name: measure.Measured(row.runs) for row in self.rows}
        print(f"\n{self.raw / 1e6:.0f} MB of dump to S3 (RADOS Gateway on this machine), {os.cpu_count()} CPUs "
              f"({measure.cpu_model()}), median of {measure.RUNS}")
        print(f"{'':26}{'wall s':>8}{'CPU s':>8}{'RSS MiB':>9}{'MB/s':>7}{'stored':>8}"
              f"   wall and CPU to {BASE}, to {PIPELINE}")
        for row in self.rows:
            m = found[row.name]
            ratios = ["" if row.name == other else f"{m.wall / found[other].wall:.2f}x {m.cpu / found[other].cpu:.2f}x"
                      for other in (BASE, PIPELINE)]
            print(f"{row.name:26}{m.wall:8.2f}{m.cpu:8.2f}{m.rss:9.1f}{self.raw / 1e6 / m.wall:7.0f}"
                  f"{row.stored / self.raw:8.1%}   {ratios[0]:14}{ratios[1]}".rstrip())


def main():
    remora, dump, folder = sys.argv[1:4]
    set_environment()
    shutil.rmtree(folder, ignore_errors=True)
    Path(folder).mkdir(parents=True)
    try:
        with open(dump, "rb") as f:
            while f.read(1 << 20):
                pass
        bench = Bench(remora, dump, folder)
        bench.run()
        bench.table()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
