# SPDX-License-Identifier: Apache-2.0
"""What every test has: a folder of its own, servers that end with it, its own random choices, and a time limit."""

import fcntl
import functools
import itertools
import os
import pickle
import random
import shutil
import tempfile
import unittest
from pathlib import Path

from . import remora, servers
from .servers import Server

SEED = int(os.environ.get("SEED") or 1)
CAMPAIGN = bool(os.environ.get("CAMPAIGN"))
REQUIRE_SERVERS = bool(os.environ.get("REQUIRE_SERVERS"))
_made = {}


def run_folder():
    """One for each of the processes that share a run."""
    path = Path(os.environ.get("INTEGRATION_FOLDER") or tempfile.gettempdir()) / f"process-{os.getpid()}"
    path.mkdir(mode=0o755, exist_ok=True)
    return path


def once_a_run(name, make):
    """
    What MAKE(folder) returned (it has to be fit for pickle) when the first of all tests wanted NAME; nobody changes
    it. The folder, new, is for what it makes there. Other processes wait meanwhile.
    """
    if name not in _made:
        folder = _shared_folder(name)
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        with open(folder / "lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not was_made(name):
                shutil.rmtree(folder / "made", ignore_errors=True)
                (folder / "made").mkdir(mode=0o755)
                (folder / "half").write_bytes(pickle.dumps(make(folder / "made")))
                (folder / "half").rename(folder / "whole")
            _made[name] = pickle.loads((folder / "whole").read_bytes())
    return _made[name]


def was_made(name):
    return (_shared_folder(name) / "whole").exists()


def _shared_folder(name):
    return Path(os.environ.get("INTEGRATION_FOLDER") or run_folder()) / "shared" / name


def per_server(method):
    """The test is run once with each server of servers.WANTED; it gets the program."""
    method.per_server = True
    return method


def each(**axes):
    """The test is run once for each combination of these values, as a test of its own; it gets them as keywords."""
    def mark(method):
        method.axes = axes
        return method
    return mark


def limit(seconds):
    """The test may take longer than others."""
    def mark(method):
        method.seconds = seconds
        return method
    return mark


def share(test, campaign):
    """How many times: in `make test`, and in `make campaign`."""
    return campaign if CAMPAIGN else test


class Case(unittest.TestCase):
    seconds = 120
    together = None  # see run.py
    alone = False
    maxDiff = 2000

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        for name, method in list(cls.__dict__.items()):
            if hasattr(method, "axes"):
                delattr(cls, name)
                for values in itertools.product(*method.axes.values()):
                    setattr(cls, "__".join([name, *map(str, values)]), _with_values(method, values))
        for name, method in list(cls.__dict__.items()):
            if getattr(method, "per_server", False):
                delattr(cls, name)
                for wanted in servers.WANTED:
                    setattr(cls, f"{name}__{wanted[0]}_{wanted[1]}", _with_server(method, wanted))

    def setUp(self):
        self.random = random.Random(f"{SEED} {self.id()}")
        self.folder = Path(tempfile.mkdtemp(prefix="t-", dir=run_folder()))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def server(self, *options, program=None, name="data", **more):
        server = Server(program or servers.default(), self.folder / name, *options, **more)
        self.addCleanup(server.destroy)
        return server

    def repository(self, name="repo", instance="shop"):
        """A repository with one instance, made by init."""
        repo = remora.Repository(self.folder / name, instance)
        self.expect(remora.OK, repo.run("init"))
        return repo

    def empty_folder(self, name="target"):
        path = self.folder / name
        path.mkdir()
        return path

    def expect(self, status, result, *sentences):
        """The exit status, and words that stderr must have. Returns the result."""
        self.assertEqual(status, result.status, result)
        for words in sentences:
            self.assertIn(words.lower(), result.err.decode(errors="replace").lower(), result)
        if status != remora.OK:
            self.assertTrue(result.err.strip(), f"failed without a word: {result}")
        return result

    def expect_same(self, before, after):
        """Two fingerprints of servers."""
        for part, value in before.items():
            self.assertEqual(value, after[part], f"{part} differs after the restore")

    def backup(self, repo, *words, **options):
        """A backup that has to succeed. Returns its id."""
        return self.expect(remora.OK, repo.run("backup", *words, **options)).out.decode().strip()

    def backup_server(self, repo, server, *words, **options):
        return self.backup(repo, "--redis-url", server.url, "--data-dir", server.data, *words, **options)

    def ids(self, repo):
        """What `list` shows as whole."""
        listed = self.expect(remora.OK, repo.run("list", "--json")).json()
        backups = [b for i in listed["instances"] for b in i["backups"]]
        self.assertEqual([], [b for b in backups if b["problem"]], "list shows damaged backups")
        return [b["id"] for b in backups]


def _with_values(method, values):
    @functools.wraps(method)
    def test(self, *args):
        return method(self, *args, **dict(zip(method.axes, values)))

    del test.axes
    return test


def _with_server(method, wanted):
    kind, major = wanted
    found = [p for p in servers.AVAILABLE if (p.kind, p.major) == wanted]

    @functools.wraps(method)
    def test(self):
        if found:
            return method(self, found[-1])
        text = f"there is no {kind} {major} here (sh tests/servers/newer-servers.sh)"
        if REQUIRE_SERVERS:
            self.fail(text)
        raise unittest.SkipTest(text)

    del test.per_server
    return test
