# SPDX-License-Identifier: Apache-2.0
"""Every failure has its exit status: operators and podFailurePolicy read it."""

import fcntl
import json
import os
import socket
import threading

from support import data, processes, rdb, remora, servers, tmpfs
from support.case import Case
from support.repository import Backup, objects


def make_file(path, content=b""):
    """In a new folder."""
    path.parent.mkdir()
    path.write_bytes(content)


class ExitStatus(Case):
    def setUp(self):
        super().setUp()
        self.dump = data.small_dump_file(self)

    def untouched(self, repo):
        """No backup, and nothing left of one."""
        self.assertEqual([], self.ids(repo))
        self.assertEqual([], [p for p in objects(repo.path) if p.name not in ("remora.json", "instance.json")])

    # ---- 2: usage and configuration ----

    def test_2_usage(self):
        repo = self.repository()
        target = self.empty_folder()
        url = f"file://{repo.path}"
        for words in (
                ["no-such-command"],
                ["backup", "--no-such-option"],
                ["--repo", url, "--instance", "shop", "backup"],
                ["--repo", url, "--instance", "shop", "backup", "--rdb-file"],
                ["--repo", url, "--instance", "shop", "backup", "--rdb-file", self.dump, "--level", "nine"],
                ["--repo", url, "--instance", "shop", "backup", "--rdb-file", self.dump, "--level", "99"],
                ["--repo", url, "--instance", "shop", "backup", "--rdb-file", self.dump, "--jobs", "0"],
                ["--repo", url, "--instance", "shop", "backup", "--rdb-file", self.dump, "--memory", "1K"],
                ["--repo", url, "--instance", "shop", "backup", "--rdb-file", self.dump, "--tag", "no-equals-sign"],
                ["--repo", url, "--instance", "shop", "backup", "--rdb-file", self.dump, "--tag", "a=b\nverified=now"],
                ["--repo", url, "--instance", "shop", "backup", "--rdb-file", self.dump, "--tag", "a\x1b[2J=b"],
                ["--repo", url, "--instance", "shop", "backup", "--rdb-file", self.folder / "absent"],
                ["--repo", url, "--instance", "shop", "backup", "--rdb-file", target],
                ["--repo", url, "--instance", "../shop", "backup", "--rdb-file", self.dump],
                ["--repo", url, "--instance", "shop", "backup", "--method", "bgsave", "--rdb-file", self.dump, "more"],
                ["--repo", url, "--instance", "shop", "restore"],
                ["--repo", url, "--instance", "shop", "restore", "--appendonly", "no", "--target",
                 self.folder / "absent"],
                ["--repo", url, "--instance", "shop", "restore", "--appendonly", "no", "--target", target, "--stdout"],
                ["--repo", url, "--instance", "shop", "restore", "--appendonly", "no", "--target", target, "--layout",
                 "tape"],
                ["--repo", url, "--instance", "shop", "restore", "--appendonly", "no", "--target", target,
                 "--dbfilename", "a/b"],
                ["--repo", url, "--instance", "shop", "backup", "--redis-url", "http://host", "--data-dir", target],
                ["--instance", "shop", "list"],
                ["--repo", "ftp://host/folder", "--instance", "shop", "list"],
        ):
            with self.subTest(words=words):
                self.expect(remora.USAGE, remora.run(*words))
        self.untouched(repo)
        self.assertEqual([], list(target.iterdir()))

    def test_2_instance_is_never_guessed_and_the_names_are_told(self):
        repo = self.repository(instance="shop-cache")
        target = self.empty_folder()
        self.expect(remora.OK, remora.run("init", "--repo", repo.path, "--instance", "sessions"))
        for verb in (["list"], ["verify"], ["show", "latest"], ["backup", "--rdb-file", self.dump],
                     ["restore", "--appendonly", "no", "--target", target]):
            self.expect(remora.USAGE, remora.run("--repo", repo.path, *verb), "shop-cache", "sessions")

    def test_2_restore_to_a_terminal(self):
        repo = self.repository()
        self.backup(repo, "--rdb-file", self.dump)
        try:
            master, slave = os.openpty()
        except OSError as error:
            self.skipTest(f"no terminal can be made here: {error}")
        self.addCleanup(os.close, master)
        self.addCleanup(os.close, slave)
        process = repo.start("restore", "--stdout", stdout=slave)
        self.expect(remora.USAGE, remora.finish(process))

    def test_2_the_dump_may_not_be_read(self):
        server = self.server()
        server.call("SET", "key", "value")
        server.call("SAVE")
        os.chmod(server.dump, 0)
        repo = self.repository()
        for words in (["--rdb-file", server.dump], ["--redis-url", server.url, "--data-dir", server.data]):
            self.expect(remora.USAGE, repo.run("backup", *words, wrapper=processes.powerless), "runAsUser")
        self.assertEqual("1", server.info("persistence")["rdb_saves"])
        self.untouched(repo)

    # ---- 3: not found ----

    def test_3_not_found(self):
        repo = self.repository()
        target = self.empty_folder()
        nowhere = remora.Repository(self.folder / "nowhere")
        self.expect(remora.NOT_FOUND, nowhere.run("list"))
        self.expect(remora.NOT_FOUND, nowhere.run("backup", "--rdb-file", self.dump))
        self.expect(remora.NOT_FOUND, nowhere.run("restore", "--appendonly", "no", "--target", target))
        self.assertFalse(nowhere.path.exists(), "a mistyped repository was made")
        typo = remora.Repository(repo.path, "shpo")
        for words in (["list"], ["verify"], ["restore", "--appendonly", "no", "--target", target],
                      ["backup", "--rdb-file", self.dump]):
            self.expect(remora.NOT_FOUND, typo.run(*words), "shop")
        for words in (["show", "latest"], ["verify"], ["restore", "--appendonly", "no", "--target", target],
                      ["show", "20200101T000000Z-abcdef"], ["verify", "20200101T000000Z-abcdef"],
                      ["restore", "--appendonly", "no", "--target", target, "--backup", "20200101T000000Z-abcdef"]):
            self.expect(remora.NOT_FOUND, repo.run(*words))
        result = self.expect(remora.OK, repo.run("list"))
        self.assertTrue(result.err.strip(), "an empty list is said in words")
        self.assertEqual([], list(target.iterdir()))

    def test_3_create_makes_what_is_missing(self):
        repo = remora.Repository(self.folder / "new")
        self.backup(repo, "--rdb-file", self.dump, "--create")
        self.expect(remora.OK, repo.run("verify"))

    # ---- 4: refused ----

    def test_4_a_target_with_data(self):
        repo = self.repository()
        self.backup(repo, "--rdb-file", self.dump)
        for count, make in enumerate((
                lambda t: (t / "dump.rdb").write_bytes(b"anything"),
                lambda t: (t / "dump.rdb").symlink_to("elsewhere"),
                lambda t: (t / "old.rdb").write_bytes(rdb.dump()),
                lambda t: make_file(t / "deep" / "backup", rdb.dump(magic=b"VALKEY080")),
                lambda t: (t / "appendonly.aof").write_bytes(b""),
                lambda t: make_file(t / "appendonlydir" / "appendonly.aof.manifest"),
                lambda t: make_file(t / "appendonlydir" / "appendonly.aof.1.base.rdb"),
                lambda t: (t / "nodes.conf").write_text(""),
                lambda t: (t / "what is this").write_text("?"),
        )):
            with self.subTest(count):
                target = self.empty_folder(f"target-{count}")
                make(target)
                before = [(p, p.lstat().st_mtime_ns) for p in sorted(target.rglob("*"))]
                result = self.expect(remora.REFUSED, repo.run("restore", "--appendonly", "no", "--target", target))
                named = [p.name for p, _ in before if p.name.encode() in result.err]
                self.assertTrue(named, f"it does not name what is there: {result}")
                self.assertEqual(before, [(p, p.lstat().st_mtime_ns) for p in sorted(target.rglob("*"))])

    def test_4_is_decided_before_the_repository_is_asked(self):
        target = self.empty_folder()
        (target / "dump.rdb").write_bytes(b"data")
        nowhere = remora.Repository(self.folder / "nowhere")
        self.expect(remora.REFUSED, nowhere.run("restore", "--appendonly", "no", "--target", target))

    def test_4_a_second_restore(self):
        repo = self.repository()
        self.backup(repo, "--rdb-file", self.dump)
        target = self.empty_folder()
        self.expect(remora.OK, repo.run("restore", "--appendonly", "no", "--target", target))
        before = (target / "dump.rdb").stat()
        self.expect(remora.REFUSED, repo.run("restore", "--appendonly", "no", "--target", target), "dump.rdb")
        self.assertEqual(before.st_mtime_ns, (target / "dump.rdb").stat().st_mtime_ns)

    def test_the_restored_file_is_the_servers(self):
        """Readable by nobody else; as root it gets the owner of the target."""
        repo = self.repository()
        self.backup(repo, "--rdb-file", self.dump)
        target = self.empty_folder()
        owner = (os.getuid(), os.getgid())
        if os.geteuid() == 0:
            try:
                os.chown(target, 12345, 54321)
                owner = (12345, 54321)
            except OSError:
                pass  # a user namespace with one user
        result = self.expect(remora.OK, repo.run("restore", "--appendonly", "no", "--target", target), "appendonly")
        self.assertIn(str(target / "dump.rdb").encode(), result.out)
        found = (target / "dump.rdb").stat()
        self.assertEqual((*owner, 0o600), (found.st_uid, found.st_gid, found.st_mode & 0o777))

    def test_ignorable_names_are_no_obstacle(self):
        repo = self.repository()
        self.backup(repo, "--rdb-file", self.dump)
        target = self.empty_folder()
        for name in ("lost+found", "appendonlydir"):
            (target / name).mkdir()
        for name in ("redis.conf", "users.acl", "temp-1234.rdb"):
            (target / name).write_text("x")
        self.expect(remora.OK, repo.run("restore", "--appendonly", "no", "--target", target))

    # ---- 6 and 7: storage ----

    def test_6_the_repository_is_no_folder(self):
        path = self.folder / "file"
        path.write_text("x")
        for repo in (remora.Repository(path), remora.Repository(path / "below")):
            self.expect(remora.STORAGE, repo.run("list"), str(path))
            self.expect(remora.STORAGE, repo.run("backup", "--rdb-file", self.dump), str(path))

    def test_7_without_permission(self):
        repo = self.repository()
        self.backup(repo, "--rdb-file", self.dump)
        target = self.empty_folder()
        instance = repo.path / "instances" / "shop"
        for path in (repo.path, instance / "backups", instance / "data"):
            with self.subTest(path):
                os.chmod(path, 0)
                try:
                    words = ["restore", "--appendonly", "no", "--target", target]
                    self.expect(remora.STORE_DENIED, repo.run(*words, wrapper=processes.powerless), "permission")
                    if path.name != "data":
                        self.expect(remora.STORE_DENIED, repo.run("list", wrapper=processes.powerless))
                finally:
                    os.chmod(path, 0o755)
        os.chmod(instance / "data", 0o555)
        self.expect(remora.STORE_DENIED, repo.run("backup", "--rdb-file", self.dump, wrapper=processes.powerless))
        os.chmod(instance / "data", 0o755)
        self.assertEqual(1, len(self.ids(repo)))
        self.assertEqual([], [p for p in target.iterdir() if not p.name.startswith(".remora-")])

    def test_7_is_found_out_before_the_server_is_asked_for_anything(self):
        repo = self.repository()
        server = self.server()
        instance = repo.path / "instances" / "shop"
        os.chmod(instance, 0o555)
        try:
            for words in (["--data-dir", server.data], ["--method", "psync"]):
                self.expect(remora.STORE_DENIED,
                            repo.run("backup", "--redis-url", server.url, *words, wrapper=processes.powerless),
                            "cannot be written to", "permission")
        finally:
            os.chmod(instance, 0o755)
        asked = server.info("commandstats")
        self.assertEqual([], [name for name in asked if name in ("cmdstat_bgsave", "cmdstat_psync")])
        self.untouched(repo)

    # ---- 8 and 9: the server ----

    def test_8_no_server(self):
        repo = self.repository()
        port = servers.free_port()
        for url in (f"redis://127.0.0.1:{port}", f"unix://{self.folder}/no-socket"):
            self.expect(remora.SERVER, repo.run("backup", "--redis-url", url, "--data-dir", self.folder), url)
        self.untouched(repo)

    def test_8_a_server_that_never_answers(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        repo = self.repository()
        url = f"redis://127.0.0.1:{listener.getsockname()[1]}"
        self.expect(remora.SERVER, repo.run("backup", "--redis-url", url, "--data-dir", self.folder, "--timeout", "3s",
                                            timeout=40))

    def test_8_something_that_is_no_server(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def answer():
            try:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(1000)
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            except OSError:
                pass

        threading.Thread(target=answer, daemon=True).start()
        repo = self.repository()
        url = f"redis://127.0.0.1:{listener.getsockname()[1]}"
        self.expect(remora.SERVER, repo.run("backup", "--redis-url", url, "--data-dir", self.folder, "--timeout", "5s"))

    def test_9_denied(self):
        server = self.server("--requirepass", "right", password="right")
        server.call("ACL", "SETUSER", "limited", "on", ">secret", "-@all", "+ping", "+info")
        repo = self.repository()
        host = f"127.0.0.1:{server.port}"
        for url in (f"redis://{host}", f"redis://:wrong@{host}", f"redis://nobody:secret@{host}",
                    f"redis://limited:secret@{host}"):
            with self.subTest(url):
                self.expect(remora.SERVER_DENIED, repo.run("backup", "--redis-url", url, "--data-dir", server.data))
        self.assertEqual("0", server.info("persistence")["rdb_saves"])
        self.untouched(repo)

    # ---- 10: no space ----

    def test_10_the_repository_is_full(self):
        volume = tmpfs.mount(self, "volume", "12m")
        repo = self.repository("volume/repo")
        self.expect(remora.NO_SPACE, repo.run("backup", "--rdb-file", data.dump_file(self, 40)))
        self.untouched(repo)
        self.backup(repo, "--rdb-file", self.dump)
        self.expect(remora.OK, repo.run("verify"))
        tmpfs.fill(volume)
        self.expect(remora.NO_SPACE, repo.run("backup", "--rdb-file", self.dump))
        self.assertEqual(1, len(self.ids(repo)))
        self.expect(remora.OK, repo.run("verify", "--record", "no"))

    def test_10_the_target_is_too_small(self):
        volume = tmpfs.mount(self, "volume", "12m")
        repo = self.repository()
        self.backup(repo, "--rdb-file", data.dump_file(self, 40))
        self.expect(remora.NO_SPACE, repo.run("restore", "--appendonly", "no", "--target", volume))
        self.assertEqual([], [p for p in volume.iterdir() if p.name != ".remora-lock"])

    # ---- 11: locked ----

    def test_11_another_restore_has_the_lock(self):
        repo = self.repository()
        self.backup(repo, "--rdb-file", self.dump)
        target = self.empty_folder()
        with open(target / ".remora-lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.expect(remora.LOCKED, repo.run("restore", "--appendonly", "no", "--target", target))
            self.assertEqual([".remora-lock"], [p.name for p in target.iterdir()])
        self.expect(remora.OK, repo.run("restore", "--appendonly", "no", "--target", target))

    def test_two_backups_at_once_are_both_whole(self):
        repo = self.repository()
        runs = [repo.start("backup", "--rdb-file", data.dump_file(self, 40)) for _ in range(3)]
        for process in runs:
            self.expect(remora.OK, remora.finish(process))
        self.assertEqual(3, len(self.ids(repo)))
        self.expect(remora.OK, repo.run("verify", "--all"))

    # ---- 13: unsupported ----

    def test_13_a_dump_from_the_future(self):
        repo = self.repository()
        unknown_type = self.folder / "type.rdb"
        unknown_type.write_bytes(rdb.dump(rdb.key(b"known", rdb.string(b"v")), rdb.key(b"k", b"\x01\x02\x03", kind=99),
                                          magic=b"REDIS0099"))
        self.expect(remora.UNSUPPORTED, repo.run("backup", "--rdb-file", unknown_type), "--allow-unparsed")
        self.untouched(repo)
        backup_id = self.backup(repo, "--rdb-file", unknown_type, "--allow-unparsed")
        self.expect(remora.OK, repo.run("verify", backup_id))
        target = self.empty_folder()
        self.expect(remora.OK, repo.run("restore", "--appendonly", "no", "--target", target))
        self.assertEqual(unknown_type.read_bytes(), (target / "dump.rdb").read_bytes())
        damaged = bytearray(unknown_type.read_bytes())
        damaged[-12] ^= 1
        unknown_type.write_bytes(damaged)
        self.expect(remora.CORRUPT, repo.run("backup", "--rdb-file", unknown_type, "--allow-unparsed"))

    def test_a_newer_dump_of_known_types_is_proven_like_any_other(self):
        repo = self.repository()
        path = self.folder / "newer.rdb"
        path.write_bytes(rdb.dump(rdb.key(b"k", rdb.string(b"v")), magic=b"REDIS0099"))
        found = Backup(repo, self.backup(repo, "--rdb-file", path)).read_manifest()["rdb"]
        self.assertEqual((99, True, 1, "good"), (found["version"], found["parsed"], found["keys"], found["crc_state"]))

    def test_5_a_file_that_is_no_dump(self):
        repo = self.repository()
        path = self.folder / "file"
        for content in (b"", b"REDIS", b"just text\n" * 100, b"REDIS00xx" + bytes(100),
                        rdb.dump(rdb.key(b"k", rdb.string(b"v"))) + b"trailing"):
            path.write_bytes(content)
            self.expect(remora.CORRUPT, repo.run("backup", "--rdb-file", path))
        self.untouched(repo)

    # ---- how failures are told ----

    def test_a_failure_in_json(self):
        result = remora.run("--repo", self.folder / "nowhere", "--instance", "shop", "list", "--json")
        self.expect(remora.NOT_FOUND, result)
        told = result.json()
        self.assertEqual("list", told["command"])
        self.assertEqual(("not-found", 3), (told["error"]["code"], told["error"]["exit_status"]))
        self.assertIn(str(self.folder), told["error"]["message"])

    def test_logs_in_json(self):
        result = remora.run("--repo", self.folder / "nowhere", "--instance", "shop", "list", "--log-format", "json")
        self.expect(remora.NOT_FOUND, result)
        for line in result.err.splitlines():
            self.assertIsInstance(json.loads(line), dict)

    def test_help_names_every_status_and_option(self):
        text = self.expect(remora.OK, remora.run("help")).out.decode()
        for status in range(14):
            self.assertRegex(text, rf"(?m)^\s*{status}\s")
        for verb in ("init", "backup", "restore", "list", "show", "verify", "version", "help"):
            self.assertIn(verb, text)
            own = self.expect(remora.OK, remora.run("help", verb)).out
            self.assertEqual(own, self.expect(remora.OK, remora.run(verb, "--help")).out)
        self.assertIn("zstd", self.expect(remora.OK, remora.run("version")).out.decode())
        self.assertIn("version", self.expect(remora.OK, remora.run("version", "--json")).json())

    def test_options_before_and_after_the_command_and_from_the_environment(self):
        repo = self.repository()
        env = {"REMORA_REPO": str(repo.path), "REMORA_INSTANCE": "shop", "REMORA_TAG": "a=1,b=2"}
        first = self.expect(remora.OK, remora.run("backup", f"--rdb-file={self.dump}", env=env)).out.decode().strip()
        shown = self.expect(remora.OK, remora.run("show", first, "--json", env=env)).json()
        self.assertEqual({"a": "1", "b": "2"}, shown["manifest"]["tags"])
        self.expect(remora.OK, remora.run("--json", "list", env=env | {"REMORA_INSTANCE": "shop"}))
        self.expect(remora.NOT_FOUND, remora.run("list", "--instance", "other", env=env), "shop")
