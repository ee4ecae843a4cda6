# SPDX-License-Identifier: Apache-2.0
"""What the tests of restores in front of a server share."""

import http.server
import select
import shutil
import signal
import socket
import threading

from . import data, processes
from .case import Case
from .trees import names, tree

APPENDONLY = {"rdb": ["--appendonly", "no"], "aof": ["--appendonly", "yes"], "single-aof": ["--layout", "single-aof"]}
ENTRY = {"rdb": "dump.rdb", "aof": "appendonlydir", "single-aof": "appendonly.aof"}
START_EMPTY = [word for name in ("no-repo", "no-backup", "unreachable") for word in (f"--if-{name}", "start-empty")]


def put(*parts, content=b""):
    """Makes that file in a target."""
    def make(target):
        path = target.joinpath(*parts)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return make


class Trap:
    """An address that must not be asked: whoever connects is noticed, and gets no answer."""

    def __init__(self, case):
        self._socket = socket.create_server(("127.0.0.1", 0))
        case.addCleanup(self._socket.close)
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"

    def was_asked(self):
        return bool(select.select([self._socket], [], [], 0)[0])

    @property
    def words(self):
        """Everything that could be asked over a network, there."""
        return ["--repo", "s3://bucket/prefix", "--instance", "shop", "--s3-endpoint", f"http://{self.address}",
                "--redis-url", f"redis://{self.address}", "--live-peers", self.address]


class Store:
    """An S3 store that has one answer to everything."""

    def __init__(self, case, status, code):
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>".encode()

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        case.addCleanup(server.server_close)
        case.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.words = s3_words(server.server_address[1])


def s3_words(port):
    return ["--repo", "s3://bucket/prefix", "--instance", "shop", "--s3-endpoint", f"http://127.0.0.1:{port}",
            "--retry-for", "1s"]


S3_KEYS = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"}


class RestoreCase(Case):
    """A repository, and with fill() in it one backup of every type."""

    def setUp(self):
        super().setUp()
        self.folder.chmod(0o755)
        self.dump = data.small_dump_file(self)
        self.repo = self.repository()

    def fill(self):
        self.backup_id = self.backup(self.repo, "--rdb-file", self.dump)
        return self.backup_id

    def open_to_all(self):
        """Any user may read the repository, which is else for the one that made it."""
        for path in [self.repo.path, *self.repo.path.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)

    def restore(self, target, *words, **options):
        return self.repo.run("restore", "--target", target, *words, **options)

    def untouched(self, target, run):
        """Do it; not a byte, a mode or a time in the target is another afterwards. Returns what it returned."""
        before = tree(target)
        result = run()
        self.assertEqual(before, tree(target), result)
        return result

    def check_restored(self, target, layout="rdb", dump=None):
        entry = target / ENTRY[layout]
        if layout == "aof":
            self.assertEqual(["appendonly.aof.1.base.rdb", "appendonly.aof.1.incr.aof", "appendonly.aof.manifest"],
                             sorted(p.name for p in entry.iterdir()))
            entry = entry / "appendonly.aof.1.base.rdb"
        self.assertEqual((dump or self.dump).read_bytes(), entry.read_bytes())
        self.assertFalse((target / ".remora-restore").exists())

    def make_ready(self, name, layout="rdb", *words, prepare=lambda target: None):
        """A target whose restore was killed when all was staged, before its one rename."""
        places = [("renameat2", 1), *(("renameat", n) for n in range(1, 9))]
        for call, number in places:
            target = self.empty_folder(name)
            prepare(target)
            before = names(target)
            result = self.restore(target, *APPENDONLY[layout], *words,
                                  wrapper=processes.at_call(call, "signal=KILL", number))
            if result.status == -signal.SIGKILL and (target / ".remora-restore" / "ready").exists():
                self.assertEqual(before, names(target))
                return target
            shutil.rmtree(target)
        raise AssertionError(f"no kill left a restore in layout {layout} ready")
