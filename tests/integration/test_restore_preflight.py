# SPDX-License-Identifier: Apache-2.0
"""What is settled before the first byte: whose the files will be, and whether the server could read them."""

import os
import shutil
import subprocess

from support import data, processes, rdb, remora, servers, tmpfs
from support.case import each
from support.restoring import APPENDONLY, ENTRY, RestoreCase
from support.trees import names

ARBITRARY = 1000650000  # as OpenShift gives a namespace


class Volume:
    """A case of Kubernetes: who runs remora and the server, and whose the volume is."""

    def __init__(self, remora_ids, server_ids, folder, wanted, mode, words=()):
        self.remora_ids, self.server_ids = remora_ids, server_ids
        self.folder, self.wanted, self.mode, self.words = folder, wanted, mode, words


# The ids are (uid, gid, other groups...); folder is (uid, gid, mode); wanted is (uid, gid) of what is restored.
VOLUMES = {
    "root_for_999": Volume((0, 0), (999, 999), (999, 999, 0o755), (999, 999), 0o600),
    "root_for_root": Volume((0, 0), (0, 0), (0, 0, 0o755), (0, 0), 0o600),
    "root_by_owner": Volume((0, 0), (1001, 1001), (1001, 1001, 0o755), (1001, 1001), 0o600,
                            ("--owner", "1001:1001")),
    "root_with_fsgroup": Volume((0, 0), (1001, 0, 1001), (0, 1001, 0o2775), (0, 1001), 0o660),
    "official_999": Volume((999, 999), (999, 999), (999, 999, 0o755), (999, 999), 0o600),
    "alpine_999_1000": Volume((999, 1000), (999, 1000), (999, 1000, 0o700), (999, 1000), 0o600),
    "official_with_fsgroup": Volume((999, 999, 2000), (999, 999, 2000), (0, 2000, 0o2775), (999, 2000), 0o660),
    "bitnami_1001": Volume((1001, 0, 1001), (1001, 0, 1001), (0, 1001, 0o2775), (1001, 1001), 0o660),
    "two_uids_one_fsgroup": Volume((999, 999, 3000), (1001, 0, 3000), (0, 3000, 0o2775), (999, 3000), 0o660),
    "arbitrary": Volume((ARBITRARY, 0, ARBITRARY), (ARBITRARY, 0, ARBITRARY), (0, ARBITRARY, 0o2775),
                        (ARBITRARY, ARBITRARY), 0o660),
    "arbitrary_and_its_own": Volume((ARBITRARY, 0), (ARBITRARY, 0), (ARBITRARY, 0, 0o755), (ARBITRARY, 0), 0o600),
}


class OwnerCase(RestoreCase):
    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("other users can be taken by root only")
        self.fill()
        self.open_to_all()

    def volume(self, uid, gid, mode, name="data"):
        target = self.folder / name
        target.mkdir(parents=True, exist_ok=True)
        os.chown(target, uid, gid)
        target.chmod(mode)
        return target


class RestoreOwner(OwnerCase):
    """The server under its own user reads it, saves, rewrites, and starts again."""

    def check_modes(self, target, volume, layout):
        found = {}
        for path in [target / ENTRY[layout], *(target / ENTRY[layout]).glob("*"), target / ".remora-lock",
                     target / ".remora-restored.json"]:
            info = path.lstat()
            mode = volume.mode if not path.is_dir() else 0o2770 if volume.mode == 0o660 else 0o700
            found[path.name] = (info.st_uid, info.st_gid, oct(info.st_mode & 0o7777))
            self.assertEqual((*volume.wanted, oct(mode)), found[path.name], path)

    @each(layout=["rdb", "aof"], who=list(VOLUMES))
    def test_owner(self, layout, who):
        volume = VOLUMES[who]
        (self.folder / "pod").mkdir(mode=0o777)
        (self.folder / "pod").chmod(0o777)
        target = self.volume(*volume.folder, name="pod/data")
        self.expect(remora.OK, self.restore(target, *APPENDONLY[layout], *volume.words,
                                            wrapper=processes.as_user(*volume.remora_ids)))
        self.check_modes(target, volume, layout)
        self.check_restored(target, layout)
        server = self.server(*APPENDONLY[layout], name="pod/data", command=processes.as_user(*volume.server_ids))
        self.assertTrue(server.keyspace())
        before = server.fingerprint()
        server.call("SET", "later", "x")
        server.call("SAVE")
        server.call("BGREWRITEAOF")
        server.wait_for("persistence", "aof_rewrite_scheduled", "0")
        server.wait_for("persistence", "aof_rewrite_in_progress", "0")
        self.assertEqual("ok", server.info("persistence")["aof_last_bgrewrite_status"])
        server.stop()
        server.start()
        self.assertEqual(1, server.call("DEL", "later"))
        self.expect_same(before, server.fingerprint())

    @each(umask=["0077", "0000"])
    def test_whatever_the_umask(self, umask):
        target = self.volume(999, 999, 0o755)
        wrapped = processes.as_user(999, 999)
        self.expect(remora.OK, self.restore(target, *APPENDONLY["aof"], wrapper=lambda command: [
            "sh", "-c", 'umask "$0" && exec "$@"', umask, *wrapped(command)]))
        self.check_modes(target, VOLUMES["official_999"], "aof")


class RestoreOwnerRefused(OwnerCase):
    """Refused before a byte is written, exit status 2, and the sentence names the setting that cures it."""

    def refused(self, target, ids, *sentences, words=()):
        self.expect(remora.USAGE, self.untouched(target, lambda: self.restore(
            target, *APPENDONLY["rdb"], *words, wrapper=processes.as_user(*ids))), *sentences)

    def test_not_writable(self):
        self.refused(self.volume(999, 999, 0o755), (1001, 1001), "runAsUser: 999", "fsGroup: 999")
        self.refused(self.volume(999, 999, 0o755), (1001, 999), "runAsUser: 999")
        self.refused(self.volume(0, 2000, 0o2775), (1001, 1001), "fsGroup: 2000")

    def test_writable_and_not_the_servers(self):
        self.refused(self.volume(999, 999, 0o777), (1001, 1001), "runAsUser: 999", "fsGroup")
        self.refused(self.volume(999, 1001, 0o757), (1001, 1001), "runAsUser: 999")

    def test_owner_without_being_root(self):
        self.refused(self.volume(1001, 1001, 0o755), (1001, 1001), "runAsUser: 999", words=["--owner", "999:999"])
        for owner in ("redis", "999", "999:", ":999", "-1:999", "4294967295:0"):
            self.refused(self.volume(1001, 1001, 0o755), (1001, 1001), "UID:GID", words=["--owner", owner])

    def test_what_force_could_not_move(self):
        target = self.volume(0, 2000, 0o3775)
        (target / "dump.rdb").write_bytes(rdb.dump())
        os.chown(target / "dump.rdb", 999, 2000)
        self.refused(target, (1001, 1001, 2000), "runAsUser: 999", words=["--force"])
        target = self.volume(0, 2000, 0o2775, name="second")
        (target / "appendonlydir").mkdir()
        (target / "appendonlydir" / "appendonly.aof.manifest").write_text("")
        os.chown(target / "appendonlydir", 999, 2000)
        (target / "appendonlydir").chmod(0o755)
        self.refused(target, (1001, 1001, 2000), "runAsUser: 999", words=["--force"])

    def test_is_said_before_the_repository_is_asked(self):
        target = self.volume(999, 999, 0o755)
        nowhere = remora.Repository(self.folder / "nowhere")
        self.expect(remora.USAGE, nowhere.run("restore", "--target", target, *APPENDONLY["rdb"],
                                              wrapper=processes.as_user(1001, 1001)))

    def test_data_in_place_is_kept_by_whoever_looks(self):
        """A pod that may not write there can start on what is there all the same."""
        target = self.volume(999, 999, 0o755)
        (target / "dump.rdb").write_bytes(rdb.dump())
        self.expect(remora.OK, self.untouched(target, lambda: self.restore(
            target, "--if-empty", *APPENDONLY["rdb"], wrapper=processes.as_user(1001, 1001))))


class RestoreReadOnlyRoot(OwnerCase):
    """Nothing but the target is written to: not /tmp, not the home, not the repository."""

    def read_only(self, target, ids):
        script = ('mount --bind "$0" "$0" && mount -o remount,bind,ro / && ! touch "$1/x" 2>/dev/null && '
                  'touch "$0/.remora-x" && rm "$0/.remora-x" && shift && exec "$@"')

        def wrap(command):
            return ["unshare", "--mount", "sh", "-c", script, str(target), str(self.folder),
                    *processes.as_user(*ids)(command)]
        if subprocess.run(wrap(["true"]), capture_output=True, check=False).returncode != 0:
            self.skipTest("no root file system can be made read-only here")
        return wrap

    @each(layout=["rdb", "aof", "single-aof"])
    def test_read_only_root(self, layout):
        for ids, folder in (((0, 0), (0, 0, 0o755)), ((999, 999), (999, 999, 0o755)),
                            ((1001, 0, 1001), (0, 1001, 0o2775))):
            target = self.volume(*folder, name=f"target-{ids[0]}")
            env = {"TMPDIR": str(self.folder / "nowhere"), "HOME": "/nonexistent"}
            self.expect(remora.OK, self.restore(target, "--if-empty", *APPENDONLY[layout],
                                                wrapper=self.read_only(target, ids), env=env))
            self.check_restored(target, layout)

    def test_a_target_that_is_read_only_itself(self):
        target = self.volume(0, 0, 0o755)
        inner = target / "inner"
        inner.mkdir()
        script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
        self.expect(remora.USAGE, self.untouched(target, lambda: self.restore(
            inner, *APPENDONLY["rdb"], wrapper=lambda c: ["unshare", "--mount", "sh", "-c", script, str(inner), *c])),
            "read-only")


class RestoreForWhichServer(RestoreCase):
    """Could the server read it? Status 13 with nothing written when it could not."""

    def dump_of(self, kind, major):
        found = [p for p in servers.AVAILABLE if (p.kind, p.major) == (kind, major)]
        if not found:
            self.skipTest(f"there is no {kind} {major} here (sh tests/servers/newer-servers.sh)")
        server = self.server(program=found[-1])
        server.call("SET", "a", "b")
        server.call("SAVE")
        self.backup_id = self.backup(self.repo, "--rdb-file", server.dump)
        return found[-1]

    def refused(self, *sentences, words):
        target = self.empty_folder()
        self.expect(remora.UNSUPPORTED, self.untouched(target, lambda: self.restore(
            target, *APPENDONLY["rdb"], *words)), *sentences)
        target.rmdir()

    def taken(self, *words):
        target = self.empty_folder()
        result = self.expect(remora.OK, self.restore(target, *APPENDONLY["rdb"], *words))
        self.assertEqual(["dump.rdb"], names(target))
        shutil.rmtree(target)
        return result.err.decode()

    def test_a_dump_of_redis_8(self):
        program = self.dump_of("redis", 8)
        for version in ("7.0.15", "redis-7.2", "6.2.14", "valkey-8.1", "valkey:8.1-alpine"):
            self.refused("refuses this dump", "RDB version 12", "Redis 7.4 or later",
                         words=["--server-version", version])
        self.refused("Redis 7.0", words=["--server-binary", servers.default().path])
        for words in (["--server-version", "redis-7.4"], ["--server-version", "redis-8.0.2"],
                      ["--server-binary", program.path]):
            self.assertNotIn("is not known", self.taken(*words))
        self.assertIn("a server of unknown version", self.taken())
        self.assertIn("Redis or Valkey 8.0.0", self.taken("--server-version", "8.0"))

    def test_it_is_so(self):
        """The server that is said to refuse a dump does, and the one that is said to read it does."""
        self.dump_of("redis", 8)
        target = self.empty_folder()
        self.expect(remora.OK, self.restore(target, *APPENDONLY["rdb"]), "unknown version")
        with self.assertRaises(RuntimeError):
            self.server(name="target")

    def test_a_dump_of_valkey_8(self):
        self.dump_of("valkey", 8)
        self.refused("Redis 7.2 or later", words=["--server-binary", servers.default().path])
        for version in ("valkey-8.0", "redis-7.2"):
            self.taken("--server-version", version)

    def test_the_running_server_tells_its_version(self):
        """Its word counts like an option's; what an option says wins."""
        self.dump_of("redis", 8)
        running = self.server(name="running")
        self.refused("Redis 7.0", words=["--redis-url", running.url])
        self.taken("--redis-url", running.url, "--server-version", "8.0")

    def test_databases(self):
        """The dump has keys in database 15."""
        self.fill()
        conf = self.folder / "redis.conf"
        for text, ok in (("databases 4\n", False), ("databases 16\n", True), ("databases 4\ndatabases 100\n", True),
                         ("cluster-enabled yes\n", False)):
            conf.write_text(text)
            words = ["--redis-conf", conf, "--server-version", "7.0"]
            if ok:
                self.assertNotIn("is not known", self.taken(*words))
            else:
                self.refused("database 15", "databases 16", words=words)
        conf.write_text("# silent\n")
        self.assertIn("how many the server has is not known", self.taken("--redis-conf", conf))
        running = self.server("--databases", "8", name="running")
        self.refused("only 8", words=["--redis-url", running.url])

    def test_no_sense(self):
        target = self.empty_folder()
        self.fill()
        for words in (["--server-version", "new"], ["--server-version", "8"], ["--server-binary", "/bin/true"],
                      ["--server-binary", self.folder / "absent"], ["--redis-conf", self.folder / "absent"],
                      ["--layout", "rdb", "--appendonly", "yes"], ["--layout", "aof", "--appendonly", "no"],
                      ["--layout", "aof", "--server-version", "6.2"], ["--appenddirname", "dump.rdb"],
                      ["--dbfilename", ".remora-lock"], ["--appendfilename", ".."]):
            more = [] if "--layout" in words else APPENDONLY["rdb"]
            self.expect(remora.USAGE, self.untouched(target, lambda w=words, m=more: self.restore(target, *m, *w)))

    def test_too_large_for_the_volume(self):
        """Told before anything is written: the status is another test's (test_exit_status.py)."""
        self.backup(self.repo, "--rdb-file", data.dump_file(self, 40))
        volume = tmpfs.mount(self, "volume", "12m")
        self.expect(remora.NO_SPACE, self.untouched(volume, lambda: self.restore(volume, *APPENDONLY["aof"])),
                    "12.0 MiB free", "the restore needs", "enlarge the volume")
