# SPDX-License-Identifier: Apache-2.0
"""Running agents: `remora agent` as a process with its HTTP side on a port of its own."""

import itertools
import json
import signal
import subprocess
import time
import urllib.error
import urllib.request

from . import processes, remora
from .servers import free_port

_numbers = itertools.count(1)
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Agent:
    """An agent of a repository; it ends with the test. ENV goes over the repository's own; None takes a variable out."""

    def __init__(self, case, repo, *words, env=None, wrapper=lambda w: w, token=True):
        self.case, self.repo, self.port = case, repo, free_port()
        self.log_path = case.folder / f"agent-{next(_numbers)}.log"
        self.words = ["agent", *repo.words, "--listen", f"127.0.0.1:{self.port}", *words]
        if token:
            token_file = case.folder / "token"
            token_file.write_text("secret-of-the-tests\n")
            self.words += ["--token-file", token_file]
        with open(self.log_path, "wb") as log:
            told = {name: value for name, value in {**repo.env, **(env or {})}.items() if value is not None}
            self.process = remora.start(*self.words, env=told, wrapper=wrapper, stdout=subprocess.DEVNULL, stderr=log)
        case.addCleanup(processes.end, self.process)
        self.wait("it does not serve HTTP", lambda: self.get("/healthz") is not None)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self):
        return self.log_path.read_text(errors="replace")

    def get(self, path):
        """The body, or None where nobody answers."""
        try:
            with _direct.open(self.url + path, timeout=5) as answer:
                return answer.read()
        except (urllib.error.URLError, OSError):
            return None

    def status(self):
        return json.loads(self.get("/api/v1/status"))

    def kind(self, name="backup"):
        return next(k for k in self.status()["schedules"] if k["kind"] == name)

    def trigger(self):
        """Ask for a backup. Returns the job."""
        request = urllib.request.Request(self.url + "/api/v1/backups", data=b"", method="POST",
                                         headers={"Authorization": "Bearer secret-of-the-tests"})
        with _direct.open(request, timeout=5) as answer:
            return json.load(answer)["job"]

    def job(self, job_id):
        return json.loads(self.get(f"/api/v1/jobs/{job_id}"))["job"]

    def finish(self, job_id, seconds=60, pause=0.05):
        """Wait for a job's end. Returns it."""
        return self.wait(f"job {job_id} does not end", lambda: self.ended(job_id), seconds, pause)

    def ended(self, job_id):
        job = self.job(job_id)
        return job if job["state"] in ("succeeded", "failed") else None

    def wait(self, complaint, look, seconds=20, pause=0.05):
        """Until look() is true; what it returned."""
        deadline = time.monotonic() + seconds
        while True:
            if self.process.poll() is not None:
                self.case.fail(f"the agent ended with {self.process.returncode}\n{self.log}")
            found = look()
            if found:
                return found
            if time.monotonic() > deadline:
                self.case.fail(f"{complaint} for {seconds} s\n{self.get('/api/v1/status')}\n{self.log}")
            time.sleep(pause)

    def wait_for_health(self, state, seconds=20):
        return self.wait(f"its health is not {state}", lambda: self.is_health(state), seconds)

    def is_health(self, state):
        health = self.status()["health"]
        return health["sentence"] if health["state"] == state else None

    def wait_for_successes(self, count, kind="backup", seconds=30):
        return self.wait(f"there are no {count} {kind} jobs", lambda: self.kind(kind)["successes"] >= count, seconds)

    def wait_for_running(self, phase=None, seconds=20):
        """A job that runs, in that phase. Returns it."""
        return self.wait("no job runs", lambda: self.running(phase), seconds)

    def running(self, phase=None):
        jobs = self.status()["running"]
        jobs = [j for j in jobs if j["state"] == "running" and phase in (None, j["progress"]["phase"])]
        return jobs[0] if jobs else None

    def end(self, how=signal.SIGTERM, seconds=30):
        """Its exit status, and how long it took."""
        began = time.monotonic()
        self.process.send_signal(how)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.case.fail(f"the agent did not end within {seconds} s\n{self.log}")
        return self.process.returncode, time.monotonic() - began

    def children(self):
        return processes.children(self.process.pid)

    def resident_kib(self):
        return self._in_proc("VmRSS")

    def threads(self):
        return self._in_proc("Threads")

    def _in_proc(self, name):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith(name + ":"))
