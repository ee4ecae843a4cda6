#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
run.py [NAME...]: the integration tests, or those whose names have one of the NAMEs in them. A line a test; the last
line is "integration: N passed, N failed, N skipped". The exit status is 1 when one failed.

Environment: REMORA (the program, else build/remora), SEED (of all random choices, else the clock), CAMPAIGN=1 (the full
figures), REQUIRE_SERVERS=1 (a server that is not here is a failure), TMPDIR; the S3_TEST_* variables of
tests/servers/rgw.sh name the S3 server for the tests that need one, else they start one.

The tests mount small file systems of their own: the run gives itself a mount namespace first (and, without being root,
a user namespace), so that nothing of them is seen outside or left behind.
"""

import importlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True  # the tree stays as it was
NAMESPACE_MARK = "INTEGRATION_NAMESPACE"


class TimeIsUp(BaseException):
    """No `except Exception` of a test swallows it."""


class Report(unittest.TestResult):
    """A line a test, as soon as it is known."""

    def __init__(self):
        super().__init__()
        self.passed = 0

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()
        method = getattr(test, test._testMethodName)
        signal.setitimer(signal.ITIMER_REAL, getattr(method, "seconds", test.seconds))

    def stopTest(self, test):
        signal.setitimer(signal.ITIMER_REAL, 0)
        super().stopTest(test)

    def _line(self, verdict, test, text=""):
        name = ".".join(test.id().split(".")[-2:]) if "." in test.id() else test.id()
        print(f"{verdict:8}{name}  {time.monotonic() - self.began:.1f} s{text}", flush=True)

    def addSuccess(self, test):
        self.passed += 1
        self._line("ok", test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._line("SKIPPED", test, f": {reason}")

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self._show(test, error)

    def addError(self, test, error):
        super().addError(test, error)
        self._show(test, error)

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self._show(test, error)

    def _show(self, test, error):
        self._line("FAILED", test)
        for line in "".join(traceback.format_exception(*error)).splitlines():
            print(f"    | {line}", flush=True)


def enter_namespace():
    """Start anew in a mount namespace, where the system lets us."""
    if os.environ.get(NAMESPACE_MARK):
        return
    os.environ[NAMESPACE_MARK] = "none"
    words = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    if shutil.which("unshare") and subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
        os.environ[NAMESPACE_MARK] = "own"
        os.execvp("unshare", [*words, sys.executable, str(Path(__file__).resolve()), *sys.argv[1:]])


def wanted_tests(names):
    suite = unittest.TestSuite()
    for path in sorted(HERE.glob("test_*.py")):
        module = importlib.import_module(path.stem)
        for group in unittest.defaultTestLoader.loadTestsFromModule(module):
            for test in group:
                if not names or any(name in test.id() for name in names):
                    suite.addTest(test)
    return suite


def on_alarm(*_):
    raise TimeIsUp("the test took longer than it may")


def run(names):
    sys.path.insert(0, str(HERE))
    from support import remora, servers
    if not os.access(remora.PROGRAM, os.X_OK):
        sys.exit(f"run.py: there is no program {remora.PROGRAM}: run make first")
    print(f"SEED={os.environ['SEED']}; servers: {', '.join(map(str, servers.AVAILABLE)) or 'none'}", flush=True)
    report = Report()
    suite = wanted_tests(names)
    signal.signal(signal.SIGALRM, on_alarm)
    for test in suite:
        try:
            test.run(report)
        except TimeIsUp:
            report.addError(test, sys.exc_info())
            test.doCleanups()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    if servers.MISSING:
        print("NOT TESTED WITH: " + ", ".join(f"{kind} {major}" for kind, major in servers.MISSING)
              + " (run: make servers)", flush=True)
    failed = len(report.failures) + len(report.errors)
    print(f"integration: {report.passed} passed, {failed} failed, {len(report.skipped)} skipped", flush=True)
    return 1 if failed or not report.testsRun else 0


def main():
    enter_namespace()
    os.environ["SEED"] = os.environ.get("SEED") or str(int(time.time()))
    folder = tempfile.mkdtemp(prefix="remora-it-")
    os.chmod(folder, 0o755)
    os.environ["INTEGRATION_FOLDER"] = folder
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return run(sys.argv[1:])
    finally:
        if "support.gateway" in sys.modules:
            sys.modules["support.gateway"].stop_all()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
