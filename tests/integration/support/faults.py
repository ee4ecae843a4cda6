# SPDX-License-Identifier: Apache-2.0
"""A program ended, stopped or failed at one call on the files of a folder: faults.c, steered."""

import os
import subprocess
from pathlib import Path

from . import processes
from .case import once_a_run

SOURCE = Path(__file__).resolve().with_name("faults.c")


def library():
    """Built once a run."""
    def make(folder):
        path = folder / "faults.so"
        subprocess.run([os.environ.get("CC", "cc"), "-std=c11", "-D_GNU_SOURCE", "-O2", "-fPIC", "-shared", "-o", path,
                        SOURCE], check=True)
        return path

    return once_a_run("faults", make)


class Place:
    """The Nth of the calls of a run, with its name and the path from the folder on."""

    def __init__(self, number, call, path):
        self.number, self.call, self.path = number, call, path

    def __str__(self):
        return f"{self.number} {self.call} {self.path}"


def environment(under=None, place=None, what=None, log=None, changing=False, always=None):
    """The variables for one run. `what`: "kill", "tear", "term", "stop", "hang" or an
    errno."""
    env = {"LD_PRELOAD": str(library())}
    for name, value in (("UNDER", under), ("AT", place and place.number), ("DO", what), ("LOG", log),
                        ("CALLS", changing and "changing"), ("ALWAYS", always)):
        if value:
            env[f"FAULT_{name}"] = str(value)
    return env


def read_log(path, under):
    places = []
    for line in Path(path).read_text(errors="surrogateescape").splitlines() if Path(path).exists() else []:
        number, call, name = line.split(" ", 2)
        places.append(Place(int(number), call, name.removeprefix(str(under)).lstrip("/")))
    return places


def wait_until_stopped(process):
    """False: it ended instead."""
    found = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    if found.si_code == os.CLD_STOPPED:
        return True
    processes.end(process)
    return False
