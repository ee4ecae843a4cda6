#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""measure.py REMORA DUMP FOLDER: the measuring part of bench.sh."""

import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

RUNS = int(os.environ.get("RUNS") or 3)


class Measured:
    """The medians of some runs of one command."""

    def __init__(self, runs):
        self.wall, self.cpu, self.rss = (statistics.median(values) for values in zip(*runs))


def run_once(command):
    """(wall seconds, CPU seconds, MiB) of a shell command and all its children; it has to succeed."""
    # A fork of this process would carry this process's memory into the figure: a shell that was exec'd does not.
    began = time.monotonic()
    process = subprocess.Popen(["sh", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"bench: {command}: exit status {process.returncode}\n{errors.decode(errors='replace')}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def measure(command, prepare=lambda: None):
    runs = []
    for _ in range(RUNS):
        prepare()
        os.sync()
        runs.append(run_once(command))
    return Measured(runs)


def size_of(path):
    return sum(p.stat().st_size for p in Path(path).rglob("*") if p.is_file()) if Path(path).is_dir() \
        else Path(path).stat().st_size


class Bench:
    def __init__(self, remora, dump, folder):
        self.remora, self.dump, self.folder = remora, dump, Path(folder)
        self.raw = size_of(dump)
        self.rows = []

    def fresh(self, name):
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def row(self, name, measured, stored=None, beside=None):
        self.rows.append((name, measured, stored, beside))
        print(f"  {name}: {measured.wall:.1f} s", file=sys.stderr, flush=True)

    def compress(self):
        out = self.folder / "zstd.out"
        for options in ("-1", "-1 -T2", "-3"):
            measured = measure(f"zstd -q -f {options} -o {out} {self.dump}")
            self.row(f"zstd {options}", measured, size_of(out))
        measured = measure(f"zstd -q -f -1 -o {out} {self.dump} && sync {out}")
        self.row("zstd -1, then fsync", measured, size_of(out))
        repo = self.folder / "repo"

        def prepare():
            self.fresh("repo")
            run_once(f"{self.remora} init --repo {repo} --instance bench")

        for options in ("--level 1", "--level 1 --jobs 1", "--level 2", "--level 3"):
            measured = measure(f"{self.remora} backup --repo {repo} --instance bench --method file --rdb-file {self.dump} "
                               f"--progress never {options}", prepare)
            self.row(f"remora backup {options}", measured, size_of(repo / "instances/bench/data"), "zstd -1")
        prepare()
        run_once(f"{self.remora} backup --repo {repo} --instance bench --rdb-file {self.dump}")
        run_once(f"zstd -q -f -1 -o {out} {self.dump}")
        return repo, out

    def decompress(self, repo, compressed):
        target = self.folder / "target"
        words = f"--repo {repo} --instance bench --progress never"
        baseline = "zstd -d | dd conv=fsync"
        self.row(baseline, measure(f"zstd -dc {compressed} | dd of={target}/dump.rdb bs=1M conv=fsync iflag=fullblock "
                                   "status=none", lambda: self.fresh("target")))
        for options in ("", " --jobs 1"):
            self.row(f"remora restore{options}", measure(f"{self.remora} restore {words} --appendonly no --target {target}{options}",
                                                         lambda: self.fresh("target")), beside=baseline)
        self.row("zstd -t", measure(f"zstd -q -t {compressed}"))
        self.row("remora verify", measure(f"{self.remora} verify {words} --record no"), beside="zstd -t")
        self.row("remora inspect", measure(f"{self.remora} inspect {words}"), beside="remora verify")

    def late_store(self, repo):
        """What several requests at once win back where each takes 20 ms longer."""
        print("\nreading it all from a store that answers late:", flush=True)
        subprocess.run([os.environ.get("BENCH_READ") or "build/release/tests/bench/bench_read", repo, "bench", "20"],
                       check=True)

    def table(self):
        measured = {name: m for name, m, _, _ in self.rows}
        print(f"\n{self.raw / 1e6:.0f} MB of dump, {os.cpu_count()} CPUs ({cpu_model()}), median of {RUNS}")
        print(f"{'':36}{'wall s':>8}{'CPU s':>8}{'RSS MiB':>9}{'MB/s':>7}{'stored':>8}   {'to the base: wall, CPU'}")
        for name, m, stored, beside in self.rows:
            ratio = ""
            if beside:
                ratio = f"{m.wall / measured[beside].wall:.2f}x {m.cpu / measured[beside].cpu:.2f}x of {beside}"
            part = f"{stored / self.raw:.1%}" if stored else ""
            print(f"{name:36}{m.wall:8.2f}{m.cpu:8.2f}{m.rss:9.1f}{self.raw / 1e6 / m.wall:7.0f}{part:>8}   {ratio}")


def cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        for line in f:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def main():
    remora, dump, folder = sys.argv[1:4]
    shutil.rmtree(folder, ignore_errors=True)
    Path(folder).mkdir(parents=True)
    bench = Bench(remora, dump, folder)
    try:
        with open(dump, "rb") as f:
            while f.read(1 << 20):
                pass
        repo, compressed = bench.compress()
        bench.decompress(repo, compressed)
        bench.table()
        bench.late_store(repo)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
