#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
run.py [NAME...]: the integration tests, or those whose names have one of the NAMEs in them. A line a test, with the
time that it took and what of it the processors worked; the last line is "integration: N passed, N failed, N skipped".
The exit status is 1 when one failed.

Several processes share the tests: much of a test is waiting, so there are two a CPU. They take one test after the
other, first those that may take longest. A class says what else counts: `together`, a name, for tests that are run one
after the other by one process, because they share what it would cost much to have twice; `alone` for tests that
measure what the load of others would change: they are run when all others are over, one at a time.

Environment: REMORA (the program, else build/remora), SEED (of all random choices, else the clock), CAMPAIGN=1 (the full
figures), REQUIRE_SERVERS=1 (a server that is not here is a failure), JOBS (how many processes share the tests; else two
a CPU, at most 4), TMPDIR; the S3_TEST_* variables of tests/servers/rgw.sh name the S3 server for the tests that need
one, else the first of those tests starts one for all.

The tests mount small file systems of their own: the run gives itself a mount namespace first (and, without being root,
a user namespace), so that nothing of them is seen outside or left behind.
"""

import importlib
import multiprocessing
import os
import resource
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
# The limits are those of a test that has a CPU of its own.
PATIENCE = 3


def said_of(test, what):
    """What a test says of itself, or its class of all its tests."""
    return getattr(getattr(test, test._testMethodName), what, getattr(test, what, None))


def time_limit(test):
    return said_of(test, "seconds")


def processor_time():
    """Seconds, of this process and of those that it has seen the end of."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


class TimeIsUp(BaseException):
    """No `except Exception` of a test swallows it."""


class Report(unittest.TestResult):
    """A line a test, as soon as it is known."""

    def __init__(self):
        super().__init__()
        self.passed = 0

    def startTest(self, test):
        super().startTest(test)
        self.began, self.worked = time.monotonic(), processor_time()
        signal.setitimer(signal.ITIMER_REAL, PATIENCE * time_limit(test))

    def stopTest(self, test):
        signal.setitimer(signal.ITIMER_REAL, 0)
        super().stopTest(test)

    def _line(self, verdict, test, text=""):
        name = ".".join(test.id().split(".")[-2:]) if "." in test.id() else test.id()
        # One write, so that the lines of two processes do not mix.
        took, worked = time.monotonic() - self.began, processor_time() - self.worked
        sys.stdout.write(f"{verdict:8}{name}  {took:.1f} s, cpu {worked:.1f} s{text}\n")
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
    for path in sorted(HERE.glob("test_*.py")):
        module = importlib.import_module(path.stem)
        for group in unittest.defaultTestLoader.loadTestsFromModule(module):
            yield from (test for test in group if not names or any(name in test.id() for name in names))


def in_turns(tests):
    """Lists of tests, each for one process, first those that may take longest."""
    turns, shared = [], {}
    for test in tests:
        if name := said_of(test, "together"):
            shared.setdefault(name, []).append(test)
        else:
            turns.append([test])
    return sorted([*shared.values(), *turns], key=lambda turn: sum(map(time_limit, turn)), reverse=True)


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


def work(turns, order, results):
    """One process of several: takes the next turn until there is none."""
    report = Report()
    try:
        while (number := order.get()) is not None:
            run_tests(turns[number], report)
    finally:
        stop_kept()
    results.put((report.passed, len(report.failures) + len(report.errors), len(report.skipped)))


def run_shared(turns, jobs):
    """By JOBS processes: (passed, failed, skipped). One that ends before its time is a failure."""
    context = multiprocessing.get_context("fork")
    order, results = context.Queue(), context.Queue()
    for number in [*range(len(turns)), *[None] * jobs]:
        order.put(number)
    workers = [context.Process(target=work, args=(turns, order, results)) for _ in range(jobs)]
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
    from support import gateway, remora, servers
    if not os.access(remora.PROGRAM, os.X_OK):
        sys.exit(f"run.py: there is no program {remora.PROGRAM}: run make first")
    tests = list(wanted_tests(names))
    turns = in_turns(test for test in tests if not said_of(test, "alone"))
    alone = [[test] for test in tests if said_of(test, "alone")]
    jobs = min(int(os.environ.get("JOBS") or min(4, 2 * len(os.sched_getaffinity(0)))), len(turns))
    print(f"SEED={os.environ['SEED']}; servers: {', '.join(map(str, servers.AVAILABLE)) or 'none'}; processes: {jobs}",
          flush=True)
    began = time.monotonic()
    gateway.keep_for_the_run()
    try:
        parts = [run_shared(turns, jobs)] if turns else []
        parted = time.monotonic()
        if alone:
            parts.append(run_shared(alone, 1))
    finally:
        gateway.end_run()
    passed, failed, skipped = map(sum, zip(*parts)) if parts else (0, 0, 0)
    print(f"{parted - began:.0f} s together, {time.monotonic() - parted:.0f} s alone", flush=True)
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
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
