# SPDX-License-Identifier: Apache-2.0
"""verify --load: a backup is good when a real server loads it, and nothing is left of that server. verify --sample."""

import calendar
import os
import signal
import time
from pathlib import Path

from support import data, processes, rdb, remora, servers, tmpfs
from support.case import Case, per_server
from support.repository import Backup, objects
from support.resp import RespError

MAGIC = b"REDIS0010"  # what every server here can read
AUX = b"\xfa"
MODULE_AUX = b"\xf7\x81" + (0x1234567890ABCDEF).to_bytes(8, "big") + b"\x02\x02\x00"


def dump(*keys):
    return rdb.dump(*keys, magic=MAGIC)


def working_in(folder):
    """The process ids of those whose working folder is in that one."""
    found = []
    for name in os.listdir("/proc"):
        try:
            cwd = os.readlink(f"/proc/{name}/cwd") if name.isdigit() else ""
        except OSError:
            continue
        if cwd.startswith(f"{folder}/"):
            found.append(int(name))
    return found


class Load(Case):
    def setUp(self):
        super().setUp()
        self.repo = self.repository()
        self.temp = self.empty_folder("temp")

    def verify(self, *words, program=None, **options):
        program = program or servers.default()
        return self.repo.run("verify", "--load", "--temp-dir", self.temp, "--server-binary", program.path, *words,
                             **options)

    def one(self, result):
        """The only result of a run with --json."""
        results = result.json()["results"]
        self.assertEqual(1, len(results), result)
        return results[0]

    def expect_nothing_left(self, folder=None):
        folder = folder or self.temp
        self.assertEqual([], working_in(folder))
        self.assertEqual([], sorted(p.name for p in folder.iterdir()))

    def backup_dump(self, content, name="made.rdb"):
        path = self.folder / name
        path.write_bytes(content)
        return self.backup(self.repo, "--rdb-file", path)

    def fact(self, backup_id):
        return Backup(self.repo, backup_id).instance / "verified" / f"{backup_id}.json"


class Good(Load):
    @per_server
    def test_every_type_and_functions(self, program):
        server = self.server(program=program)
        data.fill_every_type(server)
        backup_id = self.backup_server(self.repo, server)
        result = self.one(self.expect(remora.OK, self.verify("--json", program=program)))
        self.assertEqual((backup_id, "load", True), (result["id"], result["level"], result["ok"]))
        self.assertEqual((f"{program.kind} {program.version}", 0), (result["server"], result["expired_keys"]))
        self.expect_nothing_left()

    def _fill_with_expiring(self, server):
        """What runs out within a second: 27 keys, and a hash where its fields may. Returns how many."""
        with server.client() as client:
            client.calls(("SET", f"lasting {n}", n) for n in range(50))
            client.calls(("SET", f"long {n}", n, "PX", 900_000) for n in range(10))
            client.calls(("SET", f"short {n}", n, "PX", 1500) for n in range(20))
            client.call("HSET", "hash", "field", "value")
            try:
                client.call("HPEXPIRE", "hash", 1500, "FIELDS", 1, "field")
                hashes = 1
            except RespError:
                hashes = 0
            client.call("SELECT", 5)
            client.calls(("SET", f"short {n}", n, "PX", 1500) for n in range(7))
        return 27 + hashes

    @per_server
    def test_keys_that_ran_out_since(self, program):
        server = self.server(program=program)
        gone = self._fill_with_expiring(server)
        backup_id = self.backup_server(self.repo, server)
        fields = Backup(self.repo, backup_id).read_manifest()["rdb"]
        self.assertEqual(88, fields["keys"])
        time.sleep(1.6)
        found = self.one(self.expect(remora.OK, self.verify("--json", program=program)))["expired_keys"]
        # The hash goes a moment after the server has loaded it.
        self.assertIn(found, (27, gone))
        result = self.expect(remora.OK, self.verify(program=program))
        self.assertRegex(result.out.decode(), rf"^{backup_id} ok load .* \({program.kind} {program.version}, "
                                              r"2[78] keys expired since the backup\)\n$")
        self.expect_nothing_left()

    def test_it_is_noted_and_outlives_a_lesser_result(self):
        backup_id = self.backup(self.repo, "--rdb-file", data.small_dump_file(self))
        self.expect(remora.OK, self.verify("--record", "no"))
        self.assertFalse(self.fact(backup_id).exists())
        self.expect(remora.OK, self.verify())
        loaded = self._listed()
        self.assertEqual(("load", loaded["time"]), (loaded["level"], loaded["load"]["time"]))
        self.assertEqual(str(servers.default()), loaded["load"]["server"])
        time.sleep(1.1)
        self.expect(remora.OK, self.repo.run("verify"))
        later = self._listed()
        self.assertEqual(("digests", loaded["load"]), (later["level"], later["load"]))
        self.assertNotEqual(loaded["time"], later["time"])
        table = self.expect(remora.OK, self.repo.run("list")).out.decode()
        self.assertRegex(table, r"digests \d+ s ago, load \d+ s ago")
        shown = self.expect(remora.OK, self.repo.run("show", backup_id)).out.decode()
        self.assertRegex(shown, rf"(?m)^loaded +{loaded['load']['time']}, by {servers.default()}$")

    def _listed(self):
        listed = self.expect(remora.OK, self.repo.run("list", "--json")).json()
        return listed["instances"][0]["backups"][0]["verified"]

    def test_the_repository_is_only_read_with_record_no(self):
        self.backup(self.repo, "--rdb-file", data.small_dump_file(self))
        before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in objects(self.repo.path)}
        self.expect(remora.OK, self.verify("--record", "no"))
        self.assertEqual(before, {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in objects(self.repo.path)})

    def test_the_program_of_the_path(self):
        bin_folder = self.empty_folder("bin")
        (bin_folder / "redis-server").symlink_to(servers.default().path)
        self.backup(self.repo, "--rdb-file", data.small_dump_file(self))
        result = self.repo.run("verify", "--load", "--json", env={"PATH": str(bin_folder), "TMPDIR": str(self.temp)})
        self.assertEqual(str(servers.default()), self.one(self.expect(remora.OK, result))["server"])
        self.expect_nothing_left()


class Bad(Load):
    def test_a_damaged_segment(self):
        backup_id = self.backup(self.repo, "--rdb-file", data.small_dump_file(self))
        segment = Backup(self.repo, backup_id).segments()[0]
        content = bytearray(segment.read_bytes())
        content[len(content) // 2] ^= 1
        segment.write_bytes(content)
        result = self.expect(remora.CORRUPT, self.verify(), "segment 0", "sha-256")
        self.assertTrue(result.out.startswith(f"{backup_id} DAMAGED: ".encode()), result)
        self.assertFalse(self.fact(backup_id).exists())
        self.expect_nothing_left()

    def test_what_only_a_server_can_tell(self):
        """A packed value that is none: every digest and the checksum are good."""
        backup_id = self.backup_dump(dump(rdb.key(b"key", rdb.string(b"this is no ziplist"), kind=13)))
        self.expect(remora.OK, self.repo.run("verify"))
        result = self.expect(remora.CORRUPT, self.verify(), "a server does not load it")
        self.assertTrue(result.out.startswith(f"{backup_id} DAMAGED: ".encode()), result)
        result = self.one(self.verify("--json"))
        self.assertEqual(("corrupt", None), (result["code"], result["server"]))
        self.assertNotIn("load\"", self.fact(backup_id).read_text())
        self.expect_nothing_left()

    def test_a_dump_of_a_newer_server(self):
        newer = [p for p in servers.AVAILABLE if (p.kind, p.major) == ("redis", 8)]
        older = [p for p in servers.AVAILABLE if (p.kind, p.major) in (("redis", 7), ("valkey", 8))]
        if not newer or not older:
            self.skipTest("there is no Redis 8, or nothing older, here")
        server = self.server(program=newer[-1])
        server.call("SET", "key", "value")
        self.backup_server(self.repo, server)
        for program in older:
            result = self.expect(remora.UNSUPPORTED, self.verify(program=program),
                                 "Can't handle RDB format version 12", "--server-binary")
            self.assertIn(b" NOT CHECKED: ", result.out)
        self.expect(remora.OK, self.verify(program=newer[-1]))
        self.expect_nothing_left()

    def test_a_dump_that_needs_a_module(self):
        self.backup_dump(dump(MODULE_AUX, rdb.key(b"key", rdb.string(b"value"))))
        self.expect(remora.UNSUPPORTED, self.verify(), "needs the module", "without --load")
        self.expect_nothing_left()


class CannotCheck(Load):
    def test_no_server_program(self):
        self.backup(self.repo, "--rdb-file", data.small_dump_file(self))
        empty = self.empty_folder("bin")
        self.expect(remora.USAGE, self.repo.run("verify", "--load", env={"PATH": str(empty)}), "install one",
                    "--server-binary")
        for program in ("/no/such/program", str(self.repo.path), "/etc/hostname"):
            self.expect(remora.USAGE, self.repo.run("verify", "--load", "--server-binary", program), program)
        result = self.repo.run("verify", "--load", "--server-binary", "/bin/false", "--temp-dir", self.temp)
        self.expect(remora.SERVER, result, "status 1")
        self.expect_nothing_left()

    def test_no_temporary_folder(self):
        self.backup(self.repo, "--rdb-file", data.small_dump_file(self))
        self.expect(remora.USAGE, self.verify("--temp-dir", "/no/such/folder"), "--temp-dir", "/no/such/folder")

    def test_too_little_space(self):
        small = tmpfs.mount(self, "small", "1m")
        self.backup_dump(dump(*(rdb.key(b"key %d" % n, rdb.string(self.random.randbytes(60)))
                                    for n in range(20_000))))
        self.expect(remora.NO_SPACE, self.verify("--temp-dir", small), "--temp-dir", "free")
        self.expect_nothing_left(small)

    def test_too_little_memory(self):
        used = AUX + rdb.string(b"used-mem") + rdb.string(b"%d" % (1 << 50))
        self.backup_dump(rdb.dump(rdb.key(b"key", rdb.string(b"value")), magic=MAGIC + used))
        self.expect(remora.NO_SPACE, self.verify(), "memory limit")
        self.expect_nothing_left()

    def test_options_that_exclude_each_other(self):
        for words in (("--load", "--quick"), ("--sample", "2", "--all"), ("--sample", "2", "latest")):
            self.expect(remora.USAGE, self.repo.run("verify", *words), "exclude each other")
        self.expect(remora.USAGE, self.repo.run("verify", "--sample", "0"))


class Ended(Load):
    """A server that loads for minutes; somebody has enough of it."""

    def setUp(self):
        super().setUp()
        self.backup_dump(dump(*(rdb.key(b"key %d" % n, rdb.string(b"value")) for n in range(5000))))
        self.slow = self.folder / "slow-server"
        self.slow.write_text(f'#!/bin/sh\nexec "{servers.default().path}" "$@" --key-load-delay 50000\n')
        self.slow.chmod(0o755)

    def start(self):
        process = self.repo.start("verify", "--load", "--temp-dir", self.temp, "--server-binary", self.slow)
        self.addCleanup(processes.end, process)
        deadline = time.monotonic() + 20
        while not any(b"--key-load-delay" in self._command(pid) for pid in working_in(self.temp)):
            self.assertLess(time.monotonic(), deadline, "no server was started")
            time.sleep(0.01)
        time.sleep(0.3)
        return process

    @staticmethod
    def _command(pid):
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return b""

    def test_by_a_signal(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            process = self.start()
            began = time.monotonic()
            process.send_signal(number)
            self.expect(remora.INTERRUPTED, remora.finish(process))
            self.assertLess(time.monotonic() - began, 5)
            self.expect_nothing_left()

    def test_killed__the_server_goes_and_the_next_run_tidies_up(self):
        process = self.start()
        process.kill()
        process.communicate()
        deadline = time.monotonic() + 10
        while working_in(self.temp):
            self.assertLess(time.monotonic(), deadline, "the server outlived us")
            time.sleep(0.01)
        left = list(self.temp.iterdir())
        self.assertEqual(1, len(left))
        os.utime(left[0], (time.time() - 3600,) * 2)
        self.expect(remora.OK, self.verify())
        self.expect_nothing_left()

    def test_the_server_is_killed(self):
        process = self.start()
        for pid in working_in(self.temp):
            processes.kill_quietly(pid)
        self.expect(remora.NO_SPACE, remora.finish(process), "signal 9", "memory")
        self.expect_nothing_left()


class Sample(Load):
    def setUp(self):
        super().setUp()
        self.made = [self._backup_of(day) for day in (1, 2, 3, 17, 29, 30, 31)]

    def _backup_of(self, day):
        path = self.folder / "dump.rdb"
        path.write_bytes(dump(rdb.key(b"key", rdb.string(b"value %d" % day))))
        when = calendar.timegm((2026, 1, day, 12, 0, 0))
        os.utime(path, (when, when))
        return self.backup(self.repo, "--rdb-file", path)

    def verified(self, n, *words, status=remora.OK):
        result = self.expect(status, self.repo.run("verify", "--json", "--sample", n, *words))
        return [r["id"] for r in result.json()["results"]]

    def pick(self, *numbers):
        return [self.made[n] for n in numbers]

    def test_over_all_ages(self):
        self.assertEqual(sorted(self.made), self.made)
        self.assertEqual(self.pick(6), self.verified(1))
        self.assertEqual(self.pick(0, 6), self.verified(2))
        self.assertEqual(self.pick(0, 3, 6), self.verified(3, "--quick"))
        self.assertEqual(self.pick(0, 3, 6), self.verified(3))
        self.assertEqual(self.made, self.verified(7))
        self.assertEqual(self.made, self.verified(10000))

    def test_with_load(self):
        picked = self.verified(2, "--load", "--temp-dir", self.temp, "--server-binary", servers.default().path)
        self.assertEqual(self.pick(0, 6), picked)
        self.assertEqual(self.pick(0, 6), [b for b in self.made if self.fact(b).exists()])
        self.expect_nothing_left()

    def test_damaged_manifests_are_told_and_do_not_count(self):
        Backup(self.repo, self.made[3]).manifest.write_text("{")
        Backup(self.repo, self.made[6]).manifest.write_text("{")
        self.assertEqual(self.pick(0, 3, 5, 6), self.verified(2, status=remora.CORRUPT))

    def test_nothing_to_choose_from(self):
        empty = self.repository("empty")
        result = self.expect(remora.OK, empty.run("verify", "--json", "--sample", 3))
        self.assertEqual([], result.json()["results"])
