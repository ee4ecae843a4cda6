#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
run.py [NAME...]: the integration tests, or those whose names have one of the NAMEs in them. A line a test; the last
line is "integration: N passed, N failed, N skipped". The exit status is 1 when one failed.

Environment: REMORA (the program, else build/remora), SEED (of all random choices, else the clock), CAMPAIGN=1 (the full
figures), REQUIRE_SERVERS=1 (a server that is not here is a failure), JOBS (how many processes share the tests, each
class of them as a whole; else one a CPU, at most 2), TMPDIR; the S3_TEST_* variables of
tests/servers/rgw.sh name the S3 server for the tests that need one, else they start one.

The tests mount small file systems of their own: the run gives itself a mount namespace first (and, without being root,
a user namespace), so that nothing of them is seen outside or left behind.
"""

import importlib
import multiprocessing
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


def time_limit(test):
    return getattr(getattr(test, test._testMethodName), "seconds", test.seconds)


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
        signal.setitimer(signal.ITIMER_REAL, time_limit(test))

    def stopTest(self, test):
        signal.setitimer(signal.ITIMER_REAL, 0)
        super().stopTest(test)

    def _line(self, verdict, test, text=""):
        name = ".".join(test.id().split(".")[-2:]) if "." in test.id() else test.id()
        # One write, so that the lines of two processes do not mix.
        sys.stdout.write(f"{verdict:8}{name}  {time.monotonic() - self.began:.1f} s{text}\n")
        sys.stdout.flush()

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
        lines = "".join(traceback.format_exception(*error)).splitlines()
        self._line("FAILED", test, "".join(f"\n    | {line}" for line in lines))


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
    """A list of tests for each class that has any, first those with a test that may take longest."""
    groups = []
    for path in sorted(HERE.glob("test_*.py")):
        module = importlib.import_module(path.stem)
        for group in unittest.defaultTestLoader.loadTestsFromModule(module):
            tests = [test for test in group if not names or any(name in test.id() for name in names)]
            if tests:
                groups.append(tests)
    return sorted(groups, key=lambda tests: max(map(time_limit, tests)), reverse=True)


def on_alarm(*_):
    raise TimeIsUp("the test took longer than it may")


def run_tests(tests, report):
    signal.signal(signal.SIGALRM, on_alarm)
    for test in tests:
        try:
            test.run(report)
        except TimeIsUp:
            report.addError(test, sys.exc_info())
            test.doCleanups()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)


def stop_kept():
    """What the tests of this process shared."""
    for name in ("support.gateway", "support.browser"):
        if name in sys.modules:
            sys.modules[name].stop_all()


def work(groups, turns, results):
    """One process of several: takes the next class until there is none."""
    report = Report()
    try:
        while (turn := turns.get()) is not None:
            run_tests(groups[turn], report)
    finally:
        stop_kept()
    results.put((report.passed, len(report.failures) + len(report.errors), len(report.skipped)))


def run_shared(groups, jobs):
    """By JOBS processes: (passed, failed, skipped). One that ends before its time is a failure."""
    context = multiprocessing.get_context("fork")
    turns, results = context.Queue(), context.Queue()
    for turn in [*range(len(groups)), *[None] * jobs]:
        turns.put(turn)
    workers = [context.Process(target=work, args=(groups, turns, results)) for _ in range(jobs)]
    for worker in workers:
        worker.start()
    try:
        for worker in workers:
            worker.join()
    except BaseException:
        for worker in workers:
            worker.terminate()
            worker.join()
        raise
    whole = [worker.exitcode == 0 for worker in workers]
    told = [results.get() for ended_well in whole if ended_well]
    passed, failed, skipped = (sum(figures) for figures in zip(*told)) if told else (0, 0, 0)
    return passed, failed + whole.count(False), skipped


def run(names):
    sys.path.insert(0, str(HERE))
    from support import remora, servers
    if not os.access(remora.PROGRAM, os.X_OK):
        sys.exit(f"run.py: there is no program {remora.PROGRAM}: run make first")
    groups = wanted_tests(names)
    jobs = min(int(os.environ.get("JOBS") or min(2, len(os.sched_getaffinity(0)))), len(groups))
    print(f"SEED={os.environ['SEED']}; servers: {', '.join(map(str, servers.AVAILABLE)) or 'none'}; processes: {jobs}",
          flush=True)
    passed, failed, skipped = run_shared(groups, jobs)
    if servers.MISSING:
        print("NOT TESTED WITH: " + ", ".join(f"{kind} {major}" for kind, major in servers.MISSING)
              + " (run: make servers)", flush=True)
    print(f"integration: {passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 1 if failed or not passed + skipped else 0


def on_end(*_):
    raise KeyboardInterrupt  # the one that unittest does not take for a failure of the test it meets


def main():
    enter_namespace()
    os.environ["SEED"] = os.environ.get("SEED") or str(int(time.time()))
    folder = tempfile.mkdtemp(prefix="remora-it-")
    os.chmod(folder, 0o755)
    os.environ["INTEGRATION_FOLDER"] = folder
    signal.signal(signal.SIGTERM, on_end)
    try:
        return run(sys.argv[1:])
    except KeyboardInterrupt:
        return 130
    finally:
        stop_kept()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
