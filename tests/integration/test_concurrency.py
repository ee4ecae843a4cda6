# SPDX-License-Identifier: Apache-2.0
"""A server that is busy or that fails while it is backed up: what is listed is the save that was asked for, or nothing.
"""

import filecmp
import os
import shutil
import signal
import time

from support import data, processes, remora, tmpfs
from support.case import Case, per_server
from support.repository import Backup, objects

KEYS = 2000
# Per key, in microseconds: a save of KEYS keys then takes two seconds.
SLOW = 1000


class ServerCase(Case):
    def slow_server(self, program, *options, name="data"):
        server = self.server(*options, program=program, name=name)
        with server.client() as client:
            client.calls(("SET", f"key:{n}", f"value {n}") for n in range(KEYS))
        server.config("rdb-key-save-delay", SLOW)
        return server

    def start_backup(self, repo, server, *words):
        words = ["--redis-url", server.url, "--data-dir", server.data, *words]
        process = repo.start("backup", *words)
        self.addCleanup(processes.end, process)
        return process

    def restored(self, repo, program, *options, backup_id="latest"):
        target = self.empty_folder("restored")
        self.expect(remora.OK, repo.run("restore", "--appendonly", "no", "--target", target, "--backup", backup_id))
        return self.server(*options, program=program, name="restored")

    def nothing_listed(self, repo):
        """No backup, and nothing left of one."""
        self.assertEqual([], self.ids(repo))
        self.assertEqual([], [p for p in objects(repo.path) if p.name not in ("remora.json", "instance.json")])


class Busy(ServerCase):
    @per_server
    def test_a_save_is_running_already(self, program):
        """A running save began before ours was asked for: it may lack what was written since, and is not taken."""
        server = self.slow_server(program)
        server.config("save", "1 1")
        server.call("SET", "makes it save", 1)
        server.wait_for("persistence", "rdb_bgsave_in_progress", "1")
        server.config("save", "")
        server.call("SET", "written in between", "must be in the backup")
        repo = self.repository()
        process = self.start_backup(repo, server)
        time.sleep(0.3)
        server.config("rdb-key-save-delay", 0)
        self.expect(remora.OK, remora.finish(process))
        self.assertEqual("2", server.info("persistence")["rdb_saves"])
        restored = self.restored(repo, program)
        self.assertEqual(b"must be in the backup", restored.call("GET", "written in between"))

    @per_server
    def test_a_server_that_saves_all_the_time(self, program):
        server = self.slow_server(program)
        server.config("rdb-key-save-delay", 100)
        server.config("save", "1 1")
        repo = self.repository()
        process = self.start_backup(repo, server)
        began = time.monotonic()
        count = 0
        while process.poll() is None and time.monotonic() - began < 60:
            server.call("SET", "written all the time", count)
            count += 1
            time.sleep(0.01)
        self.expect(remora.OK, remora.finish(process))
        self.expect(remora.OK, repo.run("verify"))

    @per_server
    def test_an_aof_rewrite_is_running(self, program):
        server = self.slow_server(program, "--appendonly", "yes")
        server.call("BGREWRITEAOF")
        server.wait_for("persistence", "aof_rewrite_in_progress", "1")
        server.call("SET", "written in between", "must be in the backup")
        repo = self.repository()
        process = self.start_backup(repo, server)
        time.sleep(0.3)
        server.config("rdb-key-save-delay", 0)
        backup_id = self.expect(remora.OK, remora.finish(process)).out.decode().strip()
        source = Backup(repo, backup_id).read_manifest()["source"]
        self.assertEqual("yes", source["config"]["appendonly"])
        restored = self.restored(repo, program)
        self.assertEqual(b"must be in the backup", restored.call("GET", "written in between"))

    @per_server
    def test_a_diskless_sync_to_a_replica_is_running(self, program):
        """INFO shows it as a save in progress, but it leaves no file."""
        server = self.slow_server(program, "--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0")
        server.call("SAVE")
        replica = self.server("--replicaof", f"127.0.0.1 {server.port}", program=program, name="replica")
        server.wait_for("persistence", "rdb_bgsave_in_progress", "1")
        server.call("SET", "written in between", "must be in the backup")
        repo = self.repository()
        process = self.start_backup(repo, server)
        time.sleep(0.3)
        server.config("rdb-key-save-delay", 0)
        self.expect(remora.OK, remora.finish(process))
        replica.stop()
        restored = self.restored(repo, program)
        self.assertEqual(b"must be in the backup", restored.call("GET", "written in between"))

    @per_server
    def test_the_next_save_renames_over_the_dump_in_mid_read(self, program):
        server = self.server("--rdbcompression", "no", program=program)
        data.fill_mixed(server, 40)
        repo = self.repository()
        process = self.start_backup(repo, server, "--jobs", 1, "--level", 6)
        self.stop_when_reading(process, server.dump)
        old = self.folder / "old.rdb"
        shutil.copy(server.dump, old)
        server.call("FLUSHALL", "SYNC")
        server.call("SET", "the new dump", "is another")
        server.call("SAVE")
        self.assertNotEqual(old.stat().st_size, server.dump.stat().st_size)
        process.send_signal(signal.SIGCONT)
        result = self.expect(remora.OK, remora.finish(process))
        Backup(repo, result.out.decode().strip()).unpack(self.folder / "backup.rdb")
        self.assertTrue(filecmp.cmp(old, self.folder / "backup.rdb", shallow=False))

    def stop_when_reading(self, process, path):
        deadline = time.monotonic() + 60
        while str(path) not in processes.open_files(process.pid):
            self.assertIsNone(process.poll(), "the backup ended before it was seen to read the dump")
            self.assertLess(time.monotonic(), deadline)
        process.send_signal(signal.SIGSTOP)
        self.assertIn(str(path), processes.open_files(process.pid))

    def test_a_file_that_is_written_into_while_it_is_read_is_refused(self):
        dump = self.folder / "dump.rdb"
        shutil.copy(data.dump_file(self, 40), dump)
        repo = self.repository()
        process = repo.start("backup", "--rdb-file", dump, "--jobs", 1, "--level", 6)
        self.addCleanup(processes.end, process)
        self.stop_when_reading(process, dump)
        with open(dump, "ab") as f:
            f.write(b"more")
        process.send_signal(signal.SIGCONT)
        self.assertIn(remora.finish(process).status, (remora.REFUSED, remora.CORRUPT))
        self.nothing_listed(repo)


class Failing(ServerCase):
    def finish_in_bounded_time(self, process, seconds=30):
        began = time.monotonic()
        result = remora.finish(process, timeout=seconds)
        self.assertLess(time.monotonic() - began, seconds)
        return result

    @per_server
    def test_the_server_is_killed_in_mid_save(self, program):
        server = self.slow_server(program)
        repo = self.repository()
        process = self.start_backup(repo, server)
        server.wait_for("persistence", "rdb_bgsave_in_progress", "1")
        server.kill()
        self.expect(remora.SERVER, self.finish_in_bounded_time(process))
        self.nothing_listed(repo)

    @per_server
    def test_the_server_is_killed_and_restarted_in_mid_save(self, program):
        """LASTSAVE of the new one is "now": that is no proof of a save."""
        server = self.slow_server(program)
        repo = self.repository()
        process = self.start_backup(repo, server)
        server.wait_for("persistence", "rdb_bgsave_in_progress", "1")
        port = server.port
        server.kill()
        again = self.server("--port", port, program=program, name="again")
        self.assertEqual(b"PONG", again.call("PING"))
        self.expect(remora.SERVER, self.finish_in_bounded_time(process))
        self.nothing_listed(repo)

    @per_server
    def test_the_saving_child_is_killed(self, program):
        """As the kernel does it when memory runs out."""
        server = self.slow_server(program)
        repo = self.repository()
        process = self.start_backup(repo, server)
        server.wait_for("persistence", "rdb_bgsave_in_progress", "1")
        for pid in processes.children(server.process.pid):
            processes.kill_quietly(pid)
        self.expect(remora.SERVER, self.finish_in_bounded_time(process), "MISCONF")
        self.nothing_listed(repo)

    @per_server
    def test_the_save_is_given_up_by_a_flushall(self, program):
        """The server ends the child on purpose, and its status stays "ok"."""
        server = self.slow_server(program)
        server.call("SAVE")
        time.sleep(1.1)
        repo = self.repository()
        process = self.start_backup(repo, server)
        server.wait_for("persistence", "rdb_bgsave_in_progress", "1")
        server.call("FLUSHALL")
        server.wait_for("persistence", "rdb_bgsave_in_progress", "0")
        self.assertEqual("ok", server.info("persistence")["rdb_last_bgsave_status"])
        self.expect(remora.SERVER, self.finish_in_bounded_time(process))
        self.nothing_listed(repo)

    @per_server
    def test_the_save_runs_out_of_space(self, program):
        """There was room when it was asked for, and then there was not."""
        volume = tmpfs.mount(self, "volume", "24m")
        server = self.server("--save", "3600 1", program=program, name="volume/data")
        with server.client() as client:
            client.calls(("SET", f"key:{n}", self.random.randbytes(4000)) for n in range(1000))
        server.config("rdb-key-save-delay", 1000)
        repo = self.repository()
        process = self.start_backup(repo, server)
        server.wait_for("persistence", "rdb_bgsave_in_progress", "1")
        tmpfs.fill(volume, leave=64 << 10)
        result = self.finish_in_bounded_time(process)
        self.assertIn(result.status, (remora.SERVER, remora.NO_SPACE), result)
        self.assertIn(b"MISCONF", result.err)
        self.nothing_listed(repo)

    @per_server
    def test_no_room_for_a_save_is_known_before_it_is_asked_for(self, program):
        """A save that fails would make the server refuse writes: it must not be tried."""
        volume = tmpfs.mount(self, "volume", "24m")
        server = self.server("--save", "3600 1", program=program, name="volume/data")
        with server.client() as client:
            client.calls(("SET", f"key:{n}", self.random.randbytes(4000)) for n in range(2000))
        tmpfs.fill(volume, leave=4 << 20)
        repo = self.repository()
        self.expect(remora.NO_SPACE, self.finish_in_bounded_time(self.start_backup(repo, server)), "MISCONF")
        self.assertEqual("0", server.info("persistence")["rdb_saves"])
        self.assertEqual(b"OK", server.call("SET", "writes", "still work"))
        self.nothing_listed(repo)

    @per_server
    def test_the_server_may_not_write_its_folder(self, program):
        server = self.server("--save", "3600 1", program=program, command=processes.powerless)
        server.call("SET", "key", "value")
        os.chmod(server.data, 0o555)
        self.addCleanup(os.chmod, server.data, 0o755)
        repo = self.repository()
        self.expect(remora.SERVER, self.finish_in_bounded_time(self.start_backup(repo, server)), "MISCONF")
        self.nothing_listed(repo)

    @per_server
    def test_the_data_folder_is_not_the_servers(self, program):
        """There is a dump in it, and a whole one: but not this server's."""
        other = self.server(program=program, name="other")
        other.call("SET", "whose", "other")
        other.call("SAVE")
        server = self.server(program=program)
        server.call("SET", "whose", "mine")
        repo = self.repository()
        for folder in (other.data, self.empty_folder("empty")):
            result = repo.run("backup", "--redis-url", server.url, "--data-dir", folder)
            self.assertIn(result.status, (remora.USAGE, remora.SERVER), result)
            self.assertIn(str(folder).encode(), result.err)
        self.nothing_listed(repo)

    def test_a_save_that_takes_longer_than_the_timeout(self):
        server = self.slow_server(None)
        server.config("rdb-key-save-delay", 20_000)
        repo = self.repository()
        began = time.monotonic()
        result = self.finish_in_bounded_time(self.start_backup(repo, server, "--timeout", "2s"))
        self.expect(remora.SERVER, result, "--timeout")
        self.assertLess(time.monotonic() - began, 10)
        self.nothing_listed(repo)

    def test_a_server_that_is_loading(self):
        """It says LOADING; the backup waits, and is then of the whole."""
        server = self.slow_server(None)
        server.call("SAVE")
        server.stop()
        server.options = ("--key-load-delay", "500")
        repo = self.repository()
        server.start(wait=False)
        while not os.path.exists(server.socket):
            time.sleep(0.01)
        result = repo.run("backup", "--redis-url", server.unix_url, "--data-dir", server.data)
        backup_id = self.expect(remora.OK, result).out.decode().strip()
        self.assertEqual(KEYS, Backup(repo, backup_id).read_manifest()["rdb"]["keys"])
