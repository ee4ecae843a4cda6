# SPDX-License-Identifier: Apache-2.0
"""
Real S3 servers: Ceph's RADOS Gateway, as tests/servers/rgw.sh starts it. shared() is the one that the S3_TEST_*
variables name, else one of this run; private() is one more, to be stopped and killed; clocked() one whose clock can be
put forward. They are started when they are first asked for and kept for all tests. The shared one is there for all
processes of a run, whichever of them starts it: it ends when the last of them does. The others are a process's own,
and ended by stop_all().
"""

import os
import shutil
import signal
import subprocess
import time
import unittest
import uuid
from pathlib import Path

from . import clock, s3
from .case import REQUIRE_SERVERS, once_a_run, run_folder, was_made
from .servers import TOP

SCRIPT = ["sh", str(TOP / "tests/servers/rgw.sh")]
PROGRAMS = ("radosgw", "ceph-mon", "ceph-osd", "ceph", "monmaptool", "radosgw-admin")
_kept = {}
_pipe = []  # its end for reading, and the other one, to which nobody writes


def keep_for_the_run():
    """Before the processes of a run are forked: a shared gateway ends when all of them have, however they do."""
    _pipe.extend(os.pipe())


class Gateway:
    """One running gateway: its addresses, its access key, and its process."""

    def __init__(self, variables, holder=None):
        self.folder = Path(variables["S3_TEST_DIR"])
        self.http, self.https = variables["S3_TEST_HTTP"], variables["S3_TEST_HTTPS"]
        self.ca, self.other_ca = variables["S3_TEST_CA"], variables["S3_TEST_OTHER_CA"]
        self.access_key, self.secret_key = variables["S3_TEST_ACCESS_KEY"], variables["S3_TEST_SECRET_KEY"]
        self._holder = holder
        self.client = s3.Client(self.http, self.access_key, self.secret_key)
        self.client.make_bucket(s3.BUCKET)

    @property
    def port(self):
        return int(self.http.rsplit(":", 1)[1])

    def signal(self, number):
        """To the gateway's process, not to what holds its data."""
        os.kill(int((self.folder / "rgw.pid").read_text()), number)

    def pause(self):
        self.signal(signal.SIGSTOP)

    def go_on(self):
        self.signal(signal.SIGCONT)

    def kill(self):
        self.signal(signal.SIGKILL)

    def restart(self):
        """After a kill; what was stored is still there."""
        subprocess.run([*SCRIPT, "restart-gateway", str(self.folder)], check=True, capture_output=True, timeout=100)

    def add_user(self):
        """Another user, who may do nothing yet: (its name, (access key, secret key))."""
        name = f"it{uuid.uuid4().hex[:18]}"
        key = name.upper(), f"the/secret+of/{name}"
        self._admin("create", f"--uid={name}", f"--display-name={name}", f"--access-key={key[0]}",
                    f"--secret-key={key[1]}")
        return name, key

    def remove_user(self, name):
        self._admin("rm", f"--uid={name}")

    def _admin(self, *words):
        done = subprocess.run(["radosgw-admin", "--conf", str(self.folder / "ceph.conf"), "user", *words],
                              capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"radosgw-admin user {words[0]}: {done.stderr[-500:]}")

    def stop(self):
        if self._holder is not None:
            self._holder.stdin.close()
            self._holder.wait(60)


def _make_shared(_folder):
    """The variables of a gateway that reads the run's pipe, in place of one of ours."""
    if not _pipe:
        raise RuntimeError("nobody called keep_for_the_run()")
    return _variables(_launch(_pipe[0]))


class Clocked(Gateway):
    """One whose time passes in leaps: what is stored grows older at once."""

    clock = None  # the file that it follows
    hours = 0

    def leap(self, hours):
        self.hours += hours
        self.clock.write_text(f"+{self.hours}h\n")
        time.sleep(2.5)  # it looks there once a second

    @property
    def faked(self):
        """For clients that cannot cope with another clock: the environment in which they have the same."""
        return {**clock.environment(self.clock), "FAKETIME_CACHE_DURATION": "1"}


def _start_clocked():
    clock = run_folder() / "rgw-clock"
    clock.write_text("+0\n")
    clocked = _start(Clocked, RGW_CLOCK=str(clock))
    clocked.clock = clock
    return clocked


def _launch(stdin, **more):
    """The script keeps the gateway while its command, cat, reads: when who writes is gone, the pipe is closed."""
    return subprocess.Popen([*SCRIPT, "run", "sh", "-c", "env | grep ^S3_TEST_; echo whole; exec cat"], stdin=stdin,
                            stdout=subprocess.PIPE, text=True, env={**os.environ, **more})


def _start(kind=Gateway, **more):
    holder = _launch(subprocess.PIPE, **more)
    return kind(_variables(holder), holder)


def _variables(holder):
    variables = {}
    for line in holder.stdout:
        if line == "whole\n":
            return variables
        name, equals, value = line.rstrip("\n").partition("=")
        if equals and name.startswith("S3_TEST_"):
            variables[name] = value
    raise RuntimeError(f"rgw.sh could not start a gateway: exit status {holder.wait()}")


def _get(name, begin=_start):
    missing = [p for p in PROGRAMS if shutil.which(p) is None]
    if missing and name not in _kept:
        text = f"there is no {missing[0]} here (sh tests/install-packages.sh rgw)"
        if REQUIRE_SERVERS:
            raise AssertionError(text)
        raise unittest.SkipTest(text)
    if name not in _kept:
        _kept[name] = begin()
    return _kept[name]


def shared():
    if "shared" not in _kept and os.environ.get("S3_TEST_HTTP"):
        _kept["shared"] = Gateway(os.environ)
    return _get("shared", lambda: Gateway(once_a_run("gateway", _make_shared)))


def private():
    return _get("private")


def clocked():
    return _get("clocked", _start_clocked)


def stop_all():
    """Those of this process."""
    while _kept:
        _kept.popitem()[1].stop()


def end_run(seconds=60):
    """When the processes of the run have ended: returns when the shared gateway has, too, and left nothing."""
    os.close(_pipe[1])
    if was_made("gateway"):
        folder = Path(once_a_run("gateway", _make_shared)["S3_TEST_DIR"])
        deadline = time.monotonic() + seconds
        while folder.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
    os.close(_pipe[0])
