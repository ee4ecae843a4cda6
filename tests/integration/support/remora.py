# SPDX-License-Identifier: Apache-2.0
"""Running remora."""

import json
import os
import subprocess
import sys
from pathlib import Path

from . import processes
from .servers import TOP

PROGRAM = os.environ.get("REMORA") or str(TOP / "build/remora")
TOOLS = Path(os.environ.get("REMORA_TOOLS") or TOP / "build/release/tests")

# Exit statuses, by the words of README.md.
OK, UNEXPECTED, USAGE, NOT_FOUND, REFUSED, CORRUPT, STORAGE, STORE_DENIED = range(8)
SERVER, SERVER_DENIED, NO_SPACE, LOCKED, INTERRUPTED, UNSUPPORTED = range(8, 14)


class Result:
    """What a run left: its exit status, and what it wrote."""

    def __init__(self, words, status, out, err):
        self.words, self.status, self.out, self.err = words, status, out, err

    def json(self):
        return json.loads(self.out)

    def __str__(self):
        return (f"$ remora {' '.join(map(str, self.words))}\nexit status {self.status}\n"
                f"--- stdout\n{_text(self.out)}\n--- stderr\n{_text(self.err)}")


def _text(data):
    return data[:4000].decode(errors="replace")


def environment(**extra):
    """The environment without anything that remora reads, so that the caller's settings stay out."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("REMORA", "AWS_")) and k != "REDISCLI_AUTH"}
    env["AWS_EC2_METADATA_DISABLED"] = "true"  # the machine may have one that hands out keys
    env.update(extra)
    return env


def command(words, wrapper=lambda w: w):
    return wrapper([PROGRAM, *map(str, words)])


def start(*words, wrapper=lambda w: w, env=None, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options):
    return processes.start(command(words, wrapper), env=environment(**(env or {})), stdout=stdout, stderr=stderr,
                           **options)


def finish(process, words=(), timeout=240):
    """Wait for a started one."""
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        processes.end(process)
        raise AssertionError(f"remora {' '.join(map(str, words))} was still running after {timeout} s") from None
    return Result(words, process.returncode, out or b"", err or b"")


def run(*words, timeout=240, **options):
    return finish(start(*words, **options), words, timeout)


# What a process once had of its parent counts as its own until it is another program: so the parent has to be small.
LAUNCHER = """
import os, sys
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
os.write(int(sys.argv[1]), str(usage.ru_maxrss).encode())
sys.exit(os.waitstatus_to_exitcode(status) % 256)
"""


def peak_rss_kib(*words, **options):
    """Run it to its end: (Result, the most memory that was resident, in KiB; below some 10 MiB it cannot be told)."""
    told, tell = os.pipe()
    try:
        process = start(*words, stderr=subprocess.DEVNULL, pass_fds=[tell],
                        wrapper=lambda w: [sys.executable, "-I", "-S", "-c", LAUNCHER, str(tell), *w], **options)
        result = finish(process, words, timeout=600)
        return result, int(os.read(told, 100))
    finally:
        os.close(told)
        os.close(tell)


class Repository:
    """A repository in a folder with one instance: the words that name it, and remora's verbs on it."""

    def __init__(self, path, instance="shop"):
        self.path, self.instance = Path(path), instance

    @property
    def words(self):
        return ["--repo", f"file://{self.path}", "--instance", self.instance]

    @property
    def env(self):
        """What has to be in the environment of who uses it."""
        return {}

    def run(self, verb, *words, **options):
        return run(verb, *self.words, *words, **options)

    def start(self, verb, *words, **options):
        return start(verb, *self.words, *words, **options)
