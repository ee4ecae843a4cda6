# SPDX-License-Identifier: Apache-2.0
"""A server's data through remora and back: the same by every measure the server has."""

from support import data, remora
from support.case import Case, limit, per_server
from support.repository import Backup

# The least that a backup by bgsave needs (README.md, "Least privilege").
MINIMAL_ACL = ["-@all", "+ping", "+info", "+bgsave", "+lastsave", "+config|get", "+role"]


class RoundTrip(Case):
    def restore_and_compare(self, repo, server, before, *options):
        """The server ends, its dump is taken away, and a new one starts on what was restored."""
        server.stop()
        target = self.empty_folder("restored")
        self.expect(remora.OK, repo.run("restore", "--appendonly", "no", "--target", target))
        self.assertTrue((target / "dump.rdb").is_file())
        restored = self.server(*options, program=server.program, name="restored")
        self.expect_same(before, restored.fingerprint())

    def check_manifest(self, repo, backup_id, server, before):
        """What the manifest says is what the server says of itself."""
        shown = self.expect(remora.OK, repo.run("show", backup_id, "--json")).json()
        manifest = Backup(repo, backup_id).read_manifest()
        self.assertEqual(manifest, shown["manifest"])
        rdb = manifest["rdb"]
        databases = {d["db"]: (d["keys"], d["expires"]) for d in rdb["databases"]}
        self.assertEqual(before["keyspace"], databases)
        self.assertEqual(sum(keys for keys, _ in databases.values()), rdb["keys"])
        self.assertEqual(rdb["keys"], sum(rdb["types"].values()))
        self.assertEqual(1, rdb["functions"])
        self.assertEqual("good", rdb["crc_state"])
        self.assertEqual(server.program.kind, manifest["source"]["kind"])
        self.assertEqual(server.program.version, manifest["source"]["version"])
        self.assertEqual(server.info("server")["run_id"], manifest["source"]["run_id"])

    @per_server
    def test_every_type_over_tcp(self, program):
        server = self.server(program=program)
        data.fill_every_type(server, huge_bytes=100 << 20)
        before = server.fingerprint()
        repo = self.repository()
        backup_id = self.backup_server(repo, server)
        self.check_manifest(repo, backup_id, server, before)
        self.expect(remora.OK, repo.run("verify", backup_id))
        self.restore_and_compare(repo, server, before)

    @per_server
    def test_unix_socket_and_a_minimal_user(self, program):
        server = self.server(program=program)
        data.fill_every_type(server)
        server.call("ACL", "SETUSER", "bk", "on", ">se cret/:@", "resetkeys", "resetchannels", *MINIMAL_ACL)
        before = server.fingerprint()
        repo = self.repository()
        url = f"unix://bk:se%20cret%2F%3A%40@{server.socket}"
        self.backup(repo, "--redis-url", url, "--data-dir", server.data)
        self.restore_and_compare(repo, server, before)

    @per_server
    def test_tcp_and_a_minimal_user(self, program):
        server = self.server(program=program)
        data.fill_mixed(server, 2)
        server.call("ACL", "SETUSER", "bk", "on", ">secret", "resetkeys", "resetchannels", *MINIMAL_ACL)
        before = server.fingerprint()
        repo = self.repository()
        url = f"redis://bk:secret@127.0.0.1:{server.port}"
        self.backup(repo, "--redis-url", url, "--data-dir", server.data)
        self.restore_and_compare(repo, server, before)

    def test_password_of_the_default_user_from_a_file_and_from_the_environment(self):
        server = self.server("--requirepass", "swordfish", password="swordfish")
        data.fill_mixed(server, 1)
        repo = self.repository()
        password_file = self.folder / "password"
        password_file.write_text("swordfish\n")
        self.backup_server(repo, server, "--redis-password-file", password_file)
        self.backup_server(repo, server, env={"REDISCLI_AUTH": "swordfish"})
        self.backup(repo, "--redis-url", server.unix_url, "--data-dir", server.data,
                    env={"REMORA_REDIS_PASSWORD_FILE": str(password_file)})
        self.assertEqual(3, len(self.ids(repo)))

    @limit(180)
    @per_server
    def test_everyday_data(self, program):
        server = self.server(program=program)
        data.fill_mixed(server, 25)
        data.load_functions(server)
        before = server.fingerprint()
        repo = self.repository()
        self.check_manifest(repo, self.backup_server(repo, server), server, before)
        self.restore_and_compare(repo, server, before)

    @per_server
    def test_an_empty_server(self, program):
        server = self.server(program=program)
        before = server.fingerprint()
        repo = self.repository()
        self.backup_server(repo, server)
        self.restore_and_compare(repo, server, before)

    @per_server
    def test_access_times_and_frequencies_are_carried(self, program):
        """With an eviction policy the dump has an opcode before each key: IDLE or FREQ."""
        for policy in ("allkeys-lru", "allkeys-lfu"):
            with self.subTest(policy):
                server = self.server("--maxmemory-policy", policy, "--maxmemory", "1gb", program=program, name=policy)
                data.fill_every_type(server)
                before = server.fingerprint()
                repo = self.repository(f"repo-{policy}")
                self.backup_server(repo, server)
                server.stop()
                target = self.empty_folder(f"{policy}-restored")
                self.expect(remora.OK, repo.run("restore", "--appendonly", "no", "--target", target))
                restored = self.server("--maxmemory-policy", policy, program=program, name=f"{policy}-restored")
                self.expect_same(before, restored.fingerprint())

    def test_without_compression_and_without_a_checksum(self):
        """A dump whose CRC field is zero is taken, and said to be unprotected."""
        server = self.server("--rdbcompression", "no", "--rdbchecksum", "no")
        data.fill_every_type(server)
        before = server.fingerprint()
        repo = self.repository()
        result = self.expect(remora.OK, repo.run("backup", "--redis-url", server.url, "--data-dir", server.data))
        self.assertIn(b"checksum", result.err)
        rdb = Backup(repo, result.out.decode().strip()).read_manifest()["rdb"]
        self.assertEqual("disabled", rdb["crc_state"])
        self.expect(remora.OK, repo.run("verify"))
        self.restore_and_compare(repo, server, before)

    def test_another_dbfilename(self):
        server = self.server("--dbfilename", "cache.rdb")
        data.fill_mixed(server, 1)
        before = server.fingerprint()
        repo = self.repository()
        self.backup_server(repo, server)
        server.stop()
        target = self.empty_folder("other")
        self.expect(remora.OK, repo.run("restore", "--appendonly", "no", "--target", target, "--dbfilename",
                                        "cache.rdb"))
        self.assertFalse((target / "dump.rdb").exists())
        self.expect_same(before, self.server("--dbfilename", "cache.rdb", name="other").fingerprint())

    def test_a_replica_as_the_source(self):
        master = self.server(name="master")
        data.fill_mixed(master, 2)
        replica = self.server("--replicaof", f"127.0.0.1 {master.port}", name="replica")
        replica.wait_for("replication", "master_link_status", "up")
        before = master.fingerprint()
        repo = self.repository()
        backup_id = self.backup_server(repo, replica, "--allow-master", "no")
        self.assertEqual("replica", Backup(repo, backup_id).read_manifest()["source"]["role"])
        self.expect(remora.REFUSED, repo.run("backup", "--redis-url", master.url, "--data-dir", master.data,
                                             "--allow-master", "no"))
        self.assertEqual([backup_id], self.ids(repo))
        self.restore_and_compare(repo, replica, before)

    def test_method_file_of_an_older_dump(self):
        server = self.server()
        data.fill_every_type(server)
        before = server.fingerprint()
        server.call("SAVE")
        server.stop()
        repo = self.repository()
        from_file = self.backup(repo, "--rdb-file", server.dump)
        from_folder = self.backup(repo, "--method", "file", "--data-dir", server.data)
        for backup_id in (from_file, from_folder):
            self.assertEqual("file", Backup(repo, backup_id).read_manifest()["method"])
        self.restore_and_compare(repo, server, before)

    def test_config_get_denied(self):
        """Without CONFIG GET the dump's name is not known for certain: dump.rdb is taken, and the log says so."""
        server = self.server()
        data.fill_mixed(server, 1)
        server.call("ACL", "SETUSER", "bk", "on", ">secret", "-@all", "+ping", "+info", "+bgsave")
        repo = self.repository()
        words = ("--redis-url", f"redis://bk:secret@127.0.0.1:{server.port}", "--data-dir", server.data)
        self.expect(remora.OK, repo.run("backup", *words), "dbfilename")
