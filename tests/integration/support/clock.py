# SPDX-License-Identifier: Apache-2.0
"""Wall clocks of single processes and their children, which can be put forward and back while they run (libfaketime).
The clocks that never jump stay as they are."""

import itertools
import unittest
from pathlib import Path

_numbers = itertools.count(1)


def environment(path):
    """For a process that is to follow the offset in this file."""
    found = next(Path("/usr/lib").rglob("libfaketimeMT.so.1"), None)
    if found is None:
        _missing()
    return {"LD_PRELOAD": str(found), "FAKETIME_TIMESTAMP_FILE": str(path), "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def _missing():
    from .case import REQUIRE_SERVERS
    text = "there is no libfaketime here (sh tests/install-packages.sh rgw)"
    if REQUIRE_SERVERS:
        raise AssertionError(text)
    raise unittest.SkipTest(text)


class Clock:
    """One that differs from the machine's by so many seconds. Times of files stay the machine's: a store has a clock of
    its own."""

    def __init__(self, folder, seconds=0):
        self.path = folder / f"clock-{next(_numbers)}"
        self.set(seconds)

    def set(self, seconds):
        new = self.path.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n")
        new.rename(self.path)  # who looks there sees the one or the other

    @property
    def env(self):
        return {**environment(self.path), "FAKETIME_NO_CACHE": "1", "NO_FAKE_STAT": "1"}
