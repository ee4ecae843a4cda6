# SPDX-License-Identifier: Apache-2.0
"""`remora check` against real servers and folders: what it finds, how it ends, and that it changes nothing."""

import os

from support import data, processes, remora, servers, tmpfs
from support.case import per_server
from support.certificates import Certificates
from support.check_rows import AREAS, CheckCase


def picture(*folders):
    """Every name below the folders with its kind, size, mode and time, the folders' own times aside: a file that came
    and went moves those."""
    found = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            status = path.lstat()
            found[path] = (status.st_mode, status.st_size, status.st_ino, path.is_dir() or status.st_mtime_ns)
    return found


class Check(CheckCase):
    # ---- all is well ----

    @per_server
    def test_all_is_well(self, program):
        server = self.server("--rdbcompression", "no", program=program)
        server.call("SET", "key", "value")
        repo = self.repository()
        backup_id = self.backup_server(repo, server)
        target = self.empty_folder()
        saves = server.info("persistence")["rdb_saves"]
        before = picture(repo.path, server.data, target)
        rows = self.check(remora.OK, *repo.words, "--redis-url", server.url, "--data-dir", server.data, "--target",
                          target)
        self.assertEqual(before, picture(repo.path, server.data, target))
        self.assertEqual(saves, server.info("persistence")["rdb_saves"], "a check asked for a save")
        self.assertEqual(AREAS, {area for area, _ in rows})
        warnings = {name for (_, name), row in rows.items() if row["verdict"] != "ok"}
        self.assertLessEqual(warnings, {"overcommit"}, rows)
        self.expect_row(rows, "repository", "latest", "ok", backup_id)
        self.expect_row(rows, "server", "version", "ok", f"{program.kind} {program.version}")
        self.expect_row(rows, "server", "command-bgsave", "ok", "allowed")
        self.expect_row(rows, "server", "command-psync", "ok", "allowed")
        self.expect_row(rows, "disk", "same-folder", "ok", "fit")
        self.expect_row(rows, "target", "space", "ok", "latest backup")

    def test_only_what_was_given(self):
        repo = self.repository()
        server = self.server()
        for words, areas in ((repo.words, {"repository"}), (["--redis-url", server.url], {"server"}),
                             (["--redis-url", server.unix_url], {"server"}),
                             (["--target", self.empty_folder()], {"target"})):
            self.assertEqual(areas, {area for area, _ in self.check(remora.OK, *words)})
        rows = self.check(remora.OK, *repo.words[:2])
        self.expect_row(rows, "repository", "instance", "warn", "shop")
        self.expect(remora.USAGE, remora.run("check"), "--repo")
        self.expect(remora.USAGE, remora.run("check", "--instance", "shop"))

    # ---- the repository ----

    def test_no_repository_and_no_instance(self):
        repo = self.repository()
        rows = self.check(remora.NOT_FOUND, "--repo", self.folder / "nowhere", "--instance", "shop")
        self.assertEqual([("repository", "reachable")], self.failures(rows))
        self.assertFalse((self.folder / "nowhere").exists())
        rows = self.check(remora.NOT_FOUND, "--repo", self.empty_folder("plain"), "--instance", "shop")
        self.assertEqual([("repository", "marker")], self.failures(rows))
        self.assertEqual([], list((self.folder / "plain").iterdir()))
        before = picture(repo.path)
        rows = self.check(remora.NOT_FOUND, "--repo", repo.path, "--instance", "other")
        self.expect_row(rows, "repository", "instance", "fail", "shop")
        self.expect_row(rows, "repository", "writable", "warn")
        self.assertEqual(before, picture(repo.path))

    def test_a_repository_that_may_only_be_read(self):
        repo = self.repository()
        folders = [repo.path, *(p for p in repo.path.rglob("*") if p.is_dir())]
        for path in folders:
            os.chmod(path, 0o555)
        before = picture(repo.path)
        rows = self.check(remora.STORE_DENIED, *repo.words, wrapper=processes.powerless)
        self.assertEqual([("repository", "writable")], self.failures(rows))
        self.expect_row(rows, "repository", "marker", "ok")
        self.assertEqual(before, picture(repo.path))
        os.chmod(repo.path / "remora.json", 0)
        rows = self.check(remora.STORE_DENIED, *repo.words, wrapper=processes.powerless)
        self.assertEqual([("repository", "reachable")], self.failures(rows))

    def test_a_full_repository(self):
        volume = tmpfs.mount(self, "volume", "1m")
        repo = self.repository("volume/repo")
        tmpfs.fill(volume)
        rows = self.check(remora.NO_SPACE, *repo.words)
        self.assertEqual([("repository", "writable")], self.failures(rows))

    # ---- the server ----

    def test_nobody_answers(self):
        url = f"redis://127.0.0.1:{servers.free_port()}"
        rows = self.check(remora.SERVER, "--redis-url", url, "--data-dir", self.empty_folder("data"))
        self.assertEqual([("server", "reachable")], self.failures(rows))
        self.expect_row(rows, "disk", "folder", "ok")
        self.expect(remora.USAGE, remora.run("check", "--redis-url", "http://host"))

    def test_passwords(self):
        server = self.server("--requirepass", "correct-horse", password="correct-horse")
        host = f"127.0.0.1:{server.port}"
        for url in (f"redis://:wrong-battery@{host}", f"redis://nobody:wrong-battery@{host}", f"redis://{host}"):
            rows = self.check(remora.SERVER_DENIED, "--redis-url", url)
            self.assertEqual([("server", "auth")], self.failures(rows))
            self.expect_row(rows, "server", "reachable", "ok")
            self.assertNotIn("battery", str(rows))
        rows = self.check(remora.OK, "--redis-url", f"redis://:correct-horse@{host}")
        self.assertNotIn("correct-horse", str(rows))

    def test_tls(self):
        tls = Certificates(self.folder / "tls")
        server = self.server(tls=tls)
        words = ["--redis-url", server.tls_url]
        self.expect_row(self.check(remora.OK, *words, *tls.client_words()), "server", "reachable", "ok", "rediss://")
        for status, files, row in (
                (remora.SERVER, ["--tls-ca", tls.path("other-ca.crt")], "reachable"),
                (remora.SERVER_DENIED, tls.client_words(None), "auth"),
                (remora.USAGE, ["--tls-ca", self.folder / "absent"], "reachable")):
            self.assertEqual([("server", row)], self.failures(self.check(status, *words, *files)))

    @per_server
    def test_least_rights(self, program):
        server = self.server(program=program)
        server.call("ACL", "SETUSER", "saver", "on", ">secret", "resetkeys", "resetchannels", "-@all", "+ping", "+info",
                    "+bgsave", "+lastsave", "+config|get", "+role")
        server.call("ACL", "SETUSER", "reader", "on", ">secret", "resetkeys", "resetchannels", "-@all", "+ping",
                    "+psync", "+replconf")
        host = f"127.0.0.1:{server.port}"
        saver, reader = f"redis://saver:secret@{host}", f"redis://reader:secret@{host}"
        rows = self.check(remora.OK, "--redis-url", saver, "--data-dir", server.data)
        for name in ("command-info", "command-config-get", "command-role", "command-lastsave", "command-ping"):
            self.expect_row(rows, "server", name, "ok", "allowed")
        self.expect_row(rows, "server", "command-bgsave", "warn", "not known")
        rows = self.check(remora.OK, "--redis-url", reader)
        self.expect_row(rows, "server", "command-psync", "warn", "not known")
        self.expect_row(rows, "server", "command-info", "warn")
        server.call("ACL", "SETUSER", "saver", "+acl|dryrun")
        server.call("ACL", "SETUSER", "reader", "+acl|dryrun")
        rows = self.check(remora.OK, "--redis-url", saver, "--data-dir", server.data)
        self.expect_row(rows, "server", "command-bgsave", "ok", "allowed")
        rows = self.check(remora.SERVER_DENIED, "--redis-url", saver)
        self.assertEqual([("server", "command-psync"), ("server", "command-replconf")], self.failures(rows))
        self.assertEqual("ACL SETUSER saver +psync", rows["server", "command-psync"]["remedy"])
        rows = self.check(remora.SERVER_DENIED, "--redis-url", reader, "--data-dir", server.data)
        self.assertEqual([("server", "command-info"), ("server", "command-bgsave")], self.failures(rows))

    def test_a_renamed_command(self):
        server = self.server("--rename-command", "BGSAVE", "")
        rows = self.check(remora.SERVER_DENIED, "--redis-url", server.url, "--data-dir", server.data)
        self.expect_row(rows, "server", "command-bgsave", "fail", "no such command")

    def test_settings_that_matter(self):
        server = self.server("--appendonly", "yes", "--rdbchecksum", "no")
        rows = self.check(remora.OK, "--redis-url", server.url)
        self.expect_row(rows, "server", "appendonly", "warn", "EMPTY")
        self.expect_row(rows, "server", "rdbchecksum", "warn")
        self.expect_row(rows, "server", "rdbcompression", "warn")
        self.assertIn("rdbcompression no", rows["server", "rdbcompression"]["remedy"])

    def test_replicas(self):
        master = self.server()
        replica = self.server("--replicaof", f"127.0.0.1 {master.port}", name="replica")
        replica.wait_for("replication", "master_link_status", "up")
        self.expect_row(self.check(remora.OK, "--redis-url", replica.url), "server", "role", "ok", "replica")
        master.kill()
        replica.wait_for("replication", "master_link_status", "down")
        self.expect_row(self.check(remora.OK, "--redis-url", replica.url), "server", "role", "warn", "lost its master")

    # ---- its volume ----

    def test_a_full_volume(self):
        volume = tmpfs.mount(self, "volume", "8m")
        server = self.server(name="volume/data")
        server.call("SET", "key", os.urandom(1 << 20))
        server.call("SAVE")
        (server.data / "temp-4711.rdb").write_bytes(b"x")
        tmpfs.fill(volume)
        before = picture(volume)
        rows = self.check(remora.NO_SPACE, "--redis-url", server.url, "--data-dir", server.data)
        self.assertEqual([("disk", "space")], self.failures(rows))
        self.expect_row(rows, "disk", "leftovers", "warn", "temp-4711.rdb")
        self.assertEqual(before, picture(volume))

    def test_a_save_that_failed(self):
        server = self.server()
        server.call("SET", "key", "value")
        (server.data / "dump.rdb").mkdir()  # the rename of the new dump fails
        server.call("BGSAVE")
        server.wait_for("persistence", "rdb_last_bgsave_status", "err")
        rows = self.check(remora.SERVER, "--redis-url", server.url)
        self.assertEqual([("server", "last-save")], self.failures(rows))

    def test_another_servers_folder(self):
        server = self.server()
        server.call("SET", "key", "value")
        server.call("SAVE")
        other = self.empty_folder("other")
        rows = self.check(remora.USAGE, "--redis-url", server.url, "--data-dir", other)
        self.assertEqual([("disk", "same-folder")], self.failures(rows))
        (other / "dump.rdb").write_bytes(server.dump.read_bytes())
        os.utime(other / "dump.rdb", (1_000_000_000, 1_000_000_000))
        rows = self.check(remora.OK, "--redis-url", server.url, "--data-dir", other)
        self.expect_row(rows, "disk", "same-folder", "warn", "2001-09-09")

    def test_a_dump_that_may_not_be_read(self):
        server = self.server()
        server.call("SET", "key", "value")
        server.call("SAVE")
        os.chmod(server.dump, 0)
        rows = self.check(remora.USAGE, "--redis-url", server.url, "--data-dir", server.data,
                          wrapper=processes.powerless)
        self.assertEqual([("disk", "dump")], self.failures(rows))
        self.assertIn("runAsUser", rows["disk", "dump"]["remedy"])

    # ---- the target ----

    def test_data_in_the_target(self):
        target = self.empty_folder()
        (target / "dump.rdb").write_bytes(b"REDIS0011")
        before = picture(target)
        rows = self.check(remora.REFUSED, "--target", target)
        self.expect_row(rows, "target", "empty", "fail", "dump.rdb")
        self.assertEqual(before, picture(target))

    def test_a_target_that_is_too_small(self):
        volume = tmpfs.mount(self, "volume", "1m")
        repo = self.repository()
        self.backup(repo, "--rdb-file", data.dump_file(self, 5))
        rows = self.check(remora.NO_SPACE, *repo.words, "--target", volume)
        self.assertEqual([("target", "space")], self.failures(rows))
        self.assertEqual([], list(volume.iterdir()))

    def test_a_target_of_somebody_else(self):
        target = self.empty_folder()
        os.chmod(target, 0o555)
        rows = self.check(remora.USAGE, "--target", target, wrapper=processes.powerless)
        self.assertEqual([("target", "owner")], self.failures(rows))
        rows = self.check(remora.USAGE, "--target", self.folder / "absent")
        self.assertEqual([("target", "folder")], self.failures(rows))

    # ---- several ----

    def test_nothing_stops_at_the_first_failure_and_the_gravest_decides(self):
        target = self.empty_folder()
        (target / "dump.rdb").write_bytes(b"REDIS0011")
        url = f"redis://127.0.0.1:{servers.free_port()}"
        rows = self.check(remora.REFUSED, "--repo", self.folder / "nowhere", "--instance", "shop", "--redis-url", url,
                          "--data-dir", self.folder / "absent", "--target", target)
        self.assertEqual([("repository", "reachable"), ("server", "reachable"), ("disk", "folder"),
                          ("target", "empty")], self.failures(rows))
