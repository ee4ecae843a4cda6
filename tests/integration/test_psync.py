# SPDX-License-Identifier: Apache-2.0
"""Backups over the replication protocol: every way in, every framing, and what happens when it breaks off."""

import os
import signal
import time
import unittest

from support import data, processes, remora, servers
from support.case import Case, limit, per_server
from support.certificates import Certificates
from support.repository import Backup, objects

# The least that a backup by psync needs (README.md, "Least privilege").
MINIMAL_ACL = ["resetkeys", "resetchannels", "-@all", "+ping", "+psync", "+replconf"]
SECRET = "correct-horse-battery"
AT_ONCE = ["--repl-diskless-sync-delay", "0"]


class PsyncCase(Case):
    def psync(self, repo, url, *words, **options):
        return repo.run("backup", "--method", "psync", "--redis-url", url, *words, **options)

    def restore_and_compare(self, repo, backup_id, program, before, name):
        target = self.empty_folder(name)
        self.expect(remora.OK, repo.run("restore", "--appendonly", "no", "--target", target, "--backup", backup_id))
        restored = self.server(program=program, name=name)
        self.expect_same(before, restored.fingerprint())
        restored.destroy()

    def check_manifest(self, repo, backup_id, server, diskless):
        """The point in the stream is what the server says of itself; nothing was written in between."""
        manifest = Backup(repo, backup_id).read_manifest()
        source, aux = manifest["source"], manifest["rdb"]["aux"]
        self.assertEqual("psync", manifest["method"])
        self.assertEqual(server.info("replication")["master_replid"], source["repl_id"])
        self.assertEqual(aux["repl_id"], source["repl_id"])
        self.assertEqual(aux["repl_offset"], source["repl_offset"])
        self.assertEqual("good", manifest["rdb"]["crc_state"])
        if diskless:
            self.assertFalse(server.dump.exists(), "a diskless transfer has written a dump")

    def wait_until_gone(self, server, seconds=10):
        deadline = time.monotonic() + seconds
        while b"flags=S" in server.call("CLIENT", "LIST"):
            self.assertLess(time.monotonic(), deadline, "the server still sees a replica")
            time.sleep(0.02)

    def expect_nothing_stored(self, repo):
        self.assertEqual([], self.ids(repo))
        left = [str(p) for p in objects(repo.path) if "/data/" in str(p)]
        self.assertEqual([], left)


class RoundTrip(PsyncCase):
    @limit(240)
    @per_server
    def test_every_way_in(self, program):
        """{diskless, disk-backed} x {TCP, Unix socket, TLS with a user of few rights}"""
        tls = Certificates(self.folder / "tls")
        server = self.server(*AT_ONCE, program=program, tls=tls)
        data.fill_every_type(server)
        server.call("ACL", "SETUSER", "bk", "on", f">{SECRET}", *MINIMAL_ACL)
        before = server.fingerprint()
        repo = self.repository()
        ways = {
            "tcp": (server.url, [], {}),
            "unix": (server.unix_url, [], {}),
            "tls": (f"rediss://bk@127.0.0.1:{server.tls_port}", tls.client_words(), {"REDISCLI_AUTH": SECRET}),
        }
        for diskless in ("yes", "no"):
            server.config("repl-diskless-sync", diskless)
            for way, (url, words, env) in ways.items():
                with self.subTest(diskless=diskless, way=way):
                    result = self.expect(remora.OK, self.psync(repo, url, *words, env=env))
                    backup_id = result.out.decode().strip()
                    self.check_manifest(repo, backup_id, server, diskless == "yes")
                    self.expect(remora.OK, repo.run("verify", backup_id))
                    self.restore_and_compare(repo, backup_id, program, before, f"{way}-{diskless}")
                    self.wait_until_gone(server)

    @limit(240)
    @per_server
    def test_everyday_data_within_the_memory(self, program):
        server = self.server(*AT_ONCE, program=program)
        data.fill_mixed(server, 60)
        data.load_functions(server)
        before = server.fingerprint()
        repo = self.repository()
        spool = self.empty_folder("spool")
        result, peak = remora.peak_rss_kib("backup", *repo.words, "--redis-url", server.url, "--spool-dir", spool)
        self.assertEqual(remora.OK, result.status)
        self.assertLess(peak, 64 << 10)
        backup_id = result.out.decode().strip()
        self.assertEqual([], os.listdir(spool))
        manifest = Backup(repo, backup_id).read_manifest()
        self.assertEqual("psync", manifest["method"])
        self.assertEqual((server.program.kind, server.program.version, "master", server.info("server")["run_id"]),
                         tuple(manifest["source"][name] for name in ("kind", "version", "role", "run_id")))
        self.restore_and_compare(repo, backup_id, program, before, "restored")

    @per_server
    def test_from_a_replica(self, program):
        master = self.server(*AT_ONCE, program=program, name="master")
        data.fill_mixed(master, 2)
        replica = self.server("--replicaof", f"127.0.0.1 {master.port}", *AT_ONCE, program=program, name="replica")
        replica.wait_for("replication", "master_link_status", "up")
        master.call("SELECT", 0)
        with master.client() as client:
            client.call("SELECT", 5)
            client.call("SET", "in another database", "value")
            client.call("WAIT", 1, 5000)
        before = master.fingerprint()
        repo = self.repository()
        for diskless in ("yes", "no"):
            replica.config("repl-diskless-sync", diskless)
            backup_id = self.expect(remora.OK, self.psync(repo, replica.url, "--allow-master",
                                                          "no")).out.decode().strip()
            source = Backup(repo, backup_id).read_manifest()["source"]
            self.assertEqual("replica", source["role"])
            self.assertEqual(master.info("replication")["master_replid"], source["repl_id"])
            self.restore_and_compare(repo, backup_id, program, before, f"restored-{diskless}")
        self.expect(remora.REFUSED, self.psync(repo, master.url, "--allow-master", "no"), "is a master")

    def test_hash_field_ttls_of_valkey_9(self):
        """Valkey 9 gives up the transfer for replicas that do not say that they understand these."""
        found = [p for p in servers.AVAILABLE if p.kind == "valkey" and p.major >= 9]
        if not found:
            raise unittest.SkipTest("there is no Valkey 9 here")
        server = self.server(*AT_ONCE, program=found[-1])
        with server.client() as client:
            client.call("HSET", "hash", "kept", 1, "expires", 2)
            client.call("HPEXPIREAT", "hash", data.YEAR_2100_MS, "FIELDS", 1, "expires")
        before = server.fingerprint()
        repo = self.repository()
        for diskless in ("yes", "no"):
            server.config("repl-diskless-sync", diskless)
            backup_id = self.expect(remora.OK, self.psync(repo, server.url)).out.decode().strip()
            self.assertEqual("valkey", Backup(repo, backup_id).read_manifest()["rdb"]["kind"])
            self.restore_and_compare(repo, backup_id, found[-1], before, f"restored-{diskless}")

    def test_server_before_6_2(self):
        """It knows no rdb-only: it would go on with its stream."""
        found = [p for p in servers.AVAILABLE if p.kind == "redis" and p.major < 7]
        if not found:
            raise unittest.SkipTest("there is no Redis 6 here")
        server = self.server(*AT_ONCE, program=found[0])
        data.fill_mixed(server, 2)
        keys = sum(n for n, _ in server.keyspace().values())
        repo = self.repository()
        for diskless in ("yes", "no"):
            server.config("repl-diskless-sync", diskless)
            backup_id = self.expect(remora.OK, self.psync(repo, server.url)).out.decode().strip()
            self.assertEqual(keys, Backup(repo, backup_id).read_manifest()["rdb"]["keys"])
            self.wait_until_gone(server)


class Rights(PsyncCase):
    @per_server
    def test_minimal_user_and_what_it_lacks(self, program):
        """The ACL is a file of the server's here. What INFO and CONFIG would have told is then not known."""
        acl = self.folder / "users.acl"
        rules = " ".join(MINIMAL_ACL)
        acl.write_text(f"user default on nopass ~* &* +@all\nuser bk on >{SECRET} {rules}\n"
                       f"user no-psync on >{SECRET} {rules} -psync\nuser no-replconf on >{SECRET} {rules} -replconf\n"
                       f"user with-role on >{SECRET} {rules} +role\n")
        server = self.server("--aclfile", acl, *AT_ONCE, program=program)
        server.call("SET", "key", "value")
        repo = self.repository()
        env = {"REDISCLI_AUTH": SECRET}
        url = f"redis://{{}}@127.0.0.1:{server.port}"
        backup_id = self.expect(remora.OK, self.psync(repo, url.format("bk"), env=env)).out.decode().strip()
        manifest = Backup(repo, backup_id).read_manifest()
        self.assertEqual(1, manifest["rdb"]["keys"])
        self.assertEqual("", manifest["source"]["version"])
        self.assertNotIn("config", manifest["source"])
        self.assertEqual(server.info("replication")["master_replid"], manifest["source"]["repl_id"])
        self.expect(remora.OK, repo.run("show", backup_id))
        self.expect(remora.SERVER_DENIED, self.psync(repo, url.format("no-psync"), env=env), "+psync")
        self.expect(remora.SERVER_DENIED, self.psync(repo, url.format("no-replconf"), env=env), "+replconf")
        self.expect(remora.SERVER_DENIED, self.psync(repo, url.format("bk"), env={"REDISCLI_AUTH": "wrong"}),
                    "wrong password")
        self.expect(remora.REFUSED, self.psync(repo, url.format("bk"), "--allow-master", "no", env=env), "+role")
        self.expect(remora.REFUSED, self.psync(repo, url.format("with-role"), "--allow-master", "no", env=env),
                    "is a master")
        self.assertEqual([backup_id], self.ids(repo))

    def test_it_is_seen_as_no_reachable_replica(self):
        """A Sentinel lists replicas by their address: there is none to be listed."""
        server = self.server(*AT_ONCE, "--rdb-key-save-delay", "20000")
        with server.client() as client:
            client.calls(("SET", n, n) for n in range(100))
        repo = self.repository()
        process = repo.start("backup", "--redis-url", server.url)
        self.addCleanup(processes.end, process)
        server.wait_for("replication", "connected_slaves", "1")
        line = server.info("replication")["slave0"]
        self.assertTrue(line.startswith("ip=,port=0,"), line)
        self.expect(remora.OK, remora.finish(process))


class Tls(PsyncCase):
    def test_certificates(self):
        """Whom to trust, for which name, and who we are."""
        folder = self.folder / "tls"
        tls = Certificates(folder)
        server = self.server(*AT_ONCE, tls=tls)
        server.call("SET", "key", "value")
        repo = self.repository()
        url = server.tls_url
        both = ["--tls-ca", tls.path("ca.crt"), "--tls-cert", tls.path("client.pem")]
        self.expect(remora.OK, self.psync(repo, url, *tls.client_words()))
        self.expect(remora.OK, self.psync(repo, url, *both))
        self.expect(remora.OK, self.psync(repo, f"rediss://localhost:{server.tls_port}", *both))
        self.expect(remora.OK, self.psync(repo, url, *both, "--tls-server-name", "redis.test"))
        self.expect(remora.OK, repo.run("backup", *both, "--redis-url", url, "--data-dir", server.data))
        self.assertEqual(5, len(self.ids(repo)))
        refused = [
            (remora.SERVER, both[2:], "--tls-ca"),
            (remora.SERVER, ["--tls-ca", tls.path("other-ca.crt"), *both[2:]], "not signed by a CA that is trusted"),
            (remora.SERVER, [*both, "--tls-server-name", "redis.example"], 'not for "redis.example"'),
            (remora.SERVER_DENIED, tls.client_words(None), "--tls-cert"),
            (remora.SERVER_DENIED, tls.client_words("stranger"), "does not take the client certificate"),
            (remora.USAGE, ["--tls-ca", folder / "nowhere"], "nowhere"),
            (remora.USAGE, ["--tls-ca", tls.path("client.key")], "no certificate"),
            (remora.USAGE, ["--tls-ca", tls.path("ca.crt"), "--tls-cert", tls.path("client.crt")], "no key"),
            (remora.USAGE, ["--tls-ca", tls.path("ca.crt"), "--tls-key", tls.path("client.key")], "certificate"),
        ]
        for status, words, sentence in refused:
            with self.subTest(sentence):
                self.expect(status, self.psync(repo, url, *words), sentence)
        self.expect(remora.USAGE, self.psync(repo, server.url, *both), "rediss://")
        self.expect(remora.SERVER, self.psync(repo, f"rediss://127.0.0.1:{server.port}", *both, "--timeout", "8s"),
                    "TLS")
        self.assertEqual(5, len(self.ids(repo)))

    def test_another_name_and_an_expired_certificate(self):
        folder = self.folder / "tls"
        words = ["--tls-ca", folder / "ca.crt"]
        repo = self.repository()
        named = self.server(*AT_ONCE, tls=Certificates(folder, "named", "no"), name="named")
        self.expect(remora.SERVER, self.psync(repo, named.tls_url, *words), "--tls-server-name")
        self.expect(remora.OK, self.psync(repo, named.tls_url, *words, "--tls-server-name", "redis.test"))
        expired = self.server(*AT_ONCE, tls=Certificates(folder, "expired", "no"), name="expired")
        self.expect(remora.SERVER, self.psync(repo, expired.tls_url, *words), "expired")

    def test_tls_1_2(self):
        """There the server's refusal comes within the handshake."""
        tls = Certificates(self.folder / "tls")
        server = self.server(*AT_ONCE, "--tls-protocols", "TLSv1.2", tls=tls)
        repo = self.repository()
        self.expect(remora.OK, self.psync(repo, server.tls_url, *tls.client_words()))
        self.expect(remora.SERVER_DENIED, self.psync(repo, server.tls_url, *tls.client_words(None)), "--tls-cert")

    def test_no_secret_in_any_output(self):
        tls = Certificates(self.folder / "tls")
        server = self.server("--requirepass", SECRET, *AT_ONCE, password=SECRET, tls=tls)
        server.call("SET", "key", "value")
        repo = self.repository()
        password_file = self.folder / "password"
        password_file.write_text(SECRET)
        ways = [
            ([f"rediss://:{SECRET}@127.0.0.1:{server.tls_port}", *tls.client_words()], {}),
            ([f"redis://default:{SECRET}@127.0.0.1:{server.port}"], {}),
            ([server.tls_url, *tls.client_words(), "--redis-password-file", password_file], {}),
            ([server.tls_url, *tls.client_words()], {"REDISCLI_AUTH": SECRET}),
            ([f"rediss://:{SECRET}@127.0.0.1:{server.tls_port}"], {}),
        ]
        for words, env in ways:
            result = self.psync(repo, *words, "--log-level", "debug", "--json", env=env)
            self.assertNotIn(SECRET.encode(), result.out + result.err, words)
        self.assertEqual(4, len(self.ids(repo)))
        for path in objects(repo.path):
            self.assertNotIn(SECRET.encode(), path.read_bytes())
        server.kill()
        for words, env in ways:
            result = self.psync(repo, *words, "--log-level", "debug", "--json", env=env)
            self.assertEqual(remora.SERVER, result.status, result)
            self.assertNotIn(SECRET.encode(), result.out + result.err, words)


class Trouble(PsyncCase):
    def start_slow(self, *words, delay=1000, keys=20_000):
        """A server whose saving child takes its time, and a backup that is in the midst of it."""
        server = self.server(*AT_ONCE, "--rdbcompression", "no")
        server.call("DEBUG", "POPULATE", keys, "key", 1000)
        server.config("rdb-key-save-delay", delay)
        repo = self.repository()
        process = repo.start("backup", "--redis-url", server.url, *words)
        self.addCleanup(processes.end, process)
        server.wait_for("persistence", "rdb_bgsave_in_progress", "1")
        time.sleep(0.5)
        return server, repo, process

    def test_the_server_is_killed_in_mid_transfer(self):
        server, repo, process = self.start_slow()
        server.kill()
        self.expect(remora.SERVER, remora.finish(process), "in mid-transfer")
        self.expect_nothing_stored(repo)

    def test_the_saving_child_is_killed_in_mid_transfer(self):
        server, repo, process = self.start_slow()
        for pid in processes.children(server.process.pid):
            os.kill(pid, signal.SIGKILL)
        self.expect(remora.SERVER, remora.finish(process), "closed the connection")
        self.expect_nothing_stored(repo)
        server.config("rdb-key-save-delay", 0)
        self.expect(remora.OK, self.psync(repo, server.url))

    def test_a_signal_in_mid_transfer(self):
        server, repo, process = self.start_slow()
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        self.expect(remora.INTERRUPTED, remora.finish(process))
        self.assertLess(time.monotonic() - began, 3)
        self.expect_nothing_stored(repo)
        self.wait_until_gone(server)

    def test_a_signal_while_the_server_delays(self):
        server = self.server("--repl-diskless-sync-delay", "60")
        repo = self.repository()
        process = repo.start("backup", "--redis-url", server.url)
        self.addCleanup(processes.end, process)
        server.wait_for("replication", "connected_slaves", "1")
        process.send_signal(signal.SIGTERM)
        self.expect(remora.INTERRUPTED, remora.finish(process))
        self.expect(remora.SERVER, self.psync(repo, server.url, "--timeout", "2s"), "--timeout")
        self.expect_nothing_stored(repo)

    def test_a_replica_without_its_master_is_waited_for(self):
        master_port = servers.free_port()
        replica = self.server("--replicaof", f"127.0.0.1 {master_port}", *AT_ONCE, name="replica")
        repo = self.repository()
        self.expect(remora.SERVER, self.psync(repo, replica.url, "--timeout", "2s"), "connected with its master")
        process = repo.start("backup", "--redis-url", replica.url)
        self.addCleanup(processes.end, process)
        time.sleep(1)
        replica.call("REPLICAOF", "NO", "ONE")
        self.expect(remora.OK, remora.finish(process), "trying again")

    def test_a_save_that_always_fails(self):
        """The transfer over the disk, whose folder cannot be written to: three forks, and no more."""
        server = self.server(*AT_ONCE, "--repl-diskless-sync", "no", command=processes.powerless)
        server.call("SET", "key", "value")
        repo = self.repository()
        server.data.chmod(0o555)
        self.addCleanup(server.data.chmod, 0o755)
        forks = int(server.info("stats")["total_forks"])
        self.expect(remora.SERVER, self.psync(repo, server.url), "3 tries failed", "saving child")
        self.assertEqual(forks + 3, int(server.info("stats")["total_forks"]))

    @limit(240)
    def test_a_slow_store_and_a_spool(self):
        """Compression takes long: the server has long sent everything, and the backup goes on from the spool."""
        server = self.server(*AT_ONCE, "--rdbcompression", "no")
        data.fill_mixed(server, 48)
        before = server.fingerprint()
        repo = self.repository()
        spool = self.empty_folder("spool")
        process = repo.start("backup", "--redis-url", server.url, "--level", "10", "--jobs", "1", "--spool-dir", spool)
        self.addCleanup(processes.end, process)
        server.wait_for("replication", "connected_slaves", "1")
        self.wait_until_gone(server, 30)
        self.assertIsNone(process.poll(), "the backup is over: nothing was slow")
        result = self.expect(remora.OK, remora.finish(process), "spooled=")
        self.restore_and_compare(repo, result.out.decode().strip(), server.program, before, "restored")

    @limit(240)
    def test_a_standing_reader_costs_the_server_nothing(self):
        """SIGSTOP to all of remora while someone writes: no output buffer grows, and the backup is that of its moment."""
        server = self.server(*AT_ONCE, "--rdbcompression", "no", "--repl-backlog-size", "1mb")
        data.fill_mixed(server, 100)
        keys = sum(n for n, _ in server.keyspace().values())
        repo = self.repository()
        process = repo.start("backup", "--redis-url", server.url, "--spool-dir", self.empty_folder("spool"))
        self.addCleanup(processes.end, process)
        server.wait_for("replication", "connected_slaves", "1")
        process.send_signal(signal.SIGSTOP)
        try:
            server.call("EVAL", "for i=1,30 do redis.call('SET', 'new:'..i, string.rep('x', 1000000)) end", 0)
            time.sleep(2)
            info = server.info("memory")
            self.assertLess(int(info["mem_clients_slaves"]), 4 << 20)
            self.assertLess(int(info["mem_total_replication_buffers"]), 4 << 20)
            self.assertIn(b"flags=S", server.call("CLIENT", "LIST"))
        finally:
            process.send_signal(signal.SIGCONT)
        backup_id = self.expect(remora.OK, remora.finish(process)).out.decode().strip()
        found = Backup(repo, backup_id).read_manifest()["rdb"]["keys"]
        self.assertIn(found, range(keys, keys + 31))
        self.expect(remora.OK, repo.run("verify", backup_id))

    def test_spool_options(self):
        server = self.server(*AT_ONCE)
        repo = self.repository()
        self.expect(remora.USAGE, self.psync(repo, server.url, "--spool-dir", self.folder / "nowhere"), "--spool-dir")
        self.expect(remora.USAGE, self.psync(repo, server.url, "--spool-size", "1k"), "--spool-size")
        self.expect(remora.OK, self.psync(repo, server.url, "--spool-dir", self.folder, "--spool-size", "1M"))
