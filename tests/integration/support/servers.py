# SPDX-License-Identifier: Apache-2.0
"""Real servers: which are here, and private ones for a test."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from . import processes
from .resp import Client, RespError

TOP = Path(__file__).resolve().parents[3]
# What a full run needs: kind, major version.
WANTED = [("redis", 7), ("redis", 8), ("valkey", 8)]


class Program:
    """A server's program: kind is "redis" or "valkey", version its own."""

    def __init__(self, path, kind, version):
        self.path, self.kind, self.version = path, kind, version
        self.major = int(version.split(".")[0])
        self.name = f"{kind}_{version}".replace(".", "_")

    def __str__(self):
        return f"{self.kind} {self.version}"


def _identify(path):
    try:
        text = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"(Redis|Valkey) server v=([0-9.]+)", text)
    return Program(path, found[1].lower(), found[2]) if found else None


def _find():
    system = subprocess.run(["sh", str(TOP / "tests/servers/redis.sh"), "find"], capture_output=True, text=True,
                            check=False).stdout.strip()
    paths = [system] if system else []
    paths += [str(p) for p in sorted((TOP / "build/servers").glob("*/bin/*-server"))]
    programs = {}
    for path in paths:
        program = _identify(path)
        if program:
            programs.setdefault((program.kind, program.version), program)
    return sorted(programs.values(), key=lambda p: (p.kind, p.version))


AVAILABLE = _find()
MISSING = [w for w in WANTED if not any((p.kind, p.major) == w for p in AVAILABLE)]


def default():
    """The server for tests that need only one: Redis 7 where there is one."""
    for kind, major in WANTED:
        for program in AVAILABLE:
            if (program.kind, program.major) == (kind, major):
                return program
    raise RuntimeError("no redis-server here; run: sh tests/install-packages.sh test")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """
    A private server in the folder `data`, on a port of 127.0.0.1 and on a Unix socket; with tls (certificates.py) on a
    second port, too.
    """

    def __init__(self, program, data, *options, password=None, tls=None, command=lambda words: words):
        self.program, self.data, self.password = program, Path(data), password
        self.options, self.tls, self._command = options, tls, command
        self.data.mkdir(parents=True, exist_ok=True)
        self.socket = str(self.data) + ".socket"
        self.log_path = Path(str(self.data) + ".log")
        self.process = None
        self.start()

    def start(self, wait=True):
        """Returns when the data is loaded, or at once."""
        for _ in range(5):
            self.port = free_port()
            words = [self.program.path, "--port", self.port, "--bind", "127.0.0.1", "--unixsocket", self.socket,
                     "--dir", self.data, "--save", "", *self._debug_options(), *self._tls_options(), *self.options]
            with open(self.log_path, "ab") as log:
                self.process = processes.start(self._command([str(w) for w in words]), stdout=log, stderr=log)
            if not wait or self._wait_until_loaded():
                return
        raise RuntimeError(f"{self.program} did not start: {self.log_path.read_text()[-2000:]}")

    def _debug_options(self):
        """Before Redis 7 it needs no permission, and there is no such option."""
        return [] if self.program.kind == "redis" and self.program.major < 7 else ["--enable-debug-command", "local"]

    def _tls_options(self):
        if not self.tls:
            return []
        self.tls_port = free_port()
        return ["--tls-port", self.tls_port, *self.tls.server_options()]

    def _wait_until_loaded(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with self.client() as client:
                    if client.call("PING") == b"PONG":
                        return True
            except (OSError, RespError):
                time.sleep(0.02)
        processes.end(self.process)
        return False

    def client(self):
        client = Client(self.socket)
        if self.password:
            client.call("AUTH", self.password)
        return client

    def call(self, *words):
        with self.client() as client:
            return client.call(*words)

    def info(self, section="everything"):
        text = self.call("INFO", section).decode()
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)

    def config(self, name, value):
        self.call("CONFIG", "SET", name, value)

    def stop(self):
        """Without a save."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                pass
        self.kill()

    def kill(self):
        """SIGKILL, its children too (a save that goes on)."""
        saving = processes.children(self.process.pid) if self.process.poll() is None else []
        processes.end(self.process)
        for pid in saving:
            processes.kill_quietly(pid)
        try:
            os.unlink(self.socket)
        except OSError:
            pass

    def destroy(self):
        self.kill()
        shutil.rmtree(self.data, ignore_errors=True)

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    @property
    def tls_url(self):
        return f"rediss://127.0.0.1:{self.tls_port}"

    @property
    def unix_url(self):
        return f"unix://{self.socket}"

    @property
    def dump(self):
        return self.data / "dump.rdb"

    def keyspace(self):
        """{database: (keys, expires)}"""
        found = {}
        for name, text in self.info("keyspace").items():
            numbers = dict(part.split("=") for part in text.split(","))
            found[int(name[2:])] = (int(numbers["keys"]), int(numbers["expires"]))
        return found

    def fingerprint(self):
        """All that has to be the same after a restore: what DEBUG DIGEST covers, and what it leaves out."""
        with self.client() as client:
            functions = [_library(reply) for reply in client.call("FUNCTION", "LIST", "WITHCODE")]
            groups = {}
            for database in self.keyspace():
                client.call("SELECT", database)
                for key in _scan(client, "stream"):
                    groups[database, key] = _without_volatile(client.call("XINFO", "STREAM", key, "FULL", "COUNT", 0))
            return {
                "digest": client.call("DEBUG", "DIGEST"),
                "keyspace": self.keyspace(),
                "functions": sorted(functions),
                "streams": groups,
            }

    def wait_for(self, section, field, value, seconds=20):
        deadline = time.monotonic() + seconds
        while self.info(section).get(field) != value:
            if time.monotonic() > deadline:
                raise AssertionError(f"{field} of INFO {section} is {self.info(section).get(field)}, not {value}")
            time.sleep(0.01)


def _scan(client, kind):
    cursor = b"0"
    while True:
        cursor, keys = client.call("SCAN", cursor, "TYPE", kind, "COUNT", 1000)
        yield from keys
        if cursor == b"0":
            return


def _library(reply):
    """A library of FUNCTION LIST; the server tells its functions in no order."""
    fields = dict(zip(reply[::2], reply[1::2]))
    fields[b"functions"] = sorted(map(repr, fields[b"functions"]))
    return repr(sorted(fields.items()))


def _without_volatile(stream):
    """XINFO STREAM FULL without what depends on how the radix trees grew and on when it is asked."""
    fields = dict(zip(stream[::2], stream[1::2]))
    for name in (b"radix-tree-keys", b"radix-tree-nodes"):
        fields.pop(name, None)
    return repr(sorted(fields.items()))
