# SPDX-License-Identifier: Apache-2.0
"""Configuration files that are kept with a backup (--with-config) and written out again (--config-to)."""

import json
import os
import tarfile

from support import configs, remora
from support.case import Case, each
from support.data import small_dump_file
from support.repository import Backup, objects
from support.restoring import RestoreCase
from support.trees import tree

CONF, USERS = b"port 6379\n# a comment\nmaxmemory 1gb\n", b"user default on nopass ~* &* +@all\n"


class WithConfig(Case):
    def setUp(self):
        super().setUp()
        self.dump = small_dump_file(self)
        self.repo = self.repository()

    def write(self, *parts, content=CONF):
        path = self.folder.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def keep(self, *paths, words=()):
        """A backup of the dump with these files. Returns its id."""
        return self.backup(self.repo, "--rdb-file", self.dump, *words,
                           *(word for path in paths for word in ("--with-config", path)))

    def refused(self, path, *sentences):
        before = objects(self.repo.path)
        result = self.repo.run("backup", "--rdb-file", self.dump, "--with-config", path)
        self.expect(remora.USAGE, result, "--with-config", *sentences)
        self.assertEqual(before, objects(self.repo.path))

    def test_there_and_back(self):
        backup_id = self.keep(self.write("redis.conf"), self.write("users.acl", content=USERS),
                              self.write("empty.conf", content=b""))
        out = self.folder / "out"
        result = self.expect(remora.OK, self.repo.run("restore", "--config-to", out))
        self.assertIn(f"wrote 4 configuration files of {backup_id}", result.out.decode())
        self.assertEqual(CONF, (out / "files/redis.conf").read_bytes())
        self.assertEqual(USERS, (out / "files/users.acl").read_bytes())
        self.assertEqual(b"", (out / "files/empty.conf").read_bytes())
        self.assertEqual([0o600] * 4, [p.stat().st_mode & 0o777 for p in sorted((out / "files").iterdir())])
        index = dict(line.split("\t") for line in (out / "files/INDEX.txt").read_text().splitlines())
        self.assertEqual({p: str(self.folder / p) for p in ("redis.conf", "users.acl", "empty.conf")}, index)
        fields = Backup(self.repo, backup_id).read_manifest()["members"]["config"]
        self.assertEqual(1, fields["segments"])
        for level in ([], ["--quick"], ["--load"]):
            self.expect(remora.OK, self.repo.run("verify", *level))

    def test_links_of_a_config_map(self):
        self.write("map", "..2026_11_22", "redis.conf")
        os.symlink("..2026_11_22", self.folder / "map" / "..data")
        os.symlink("..data/redis.conf", self.folder / "map" / "redis.conf")
        found = configs.member(self.repo, self.keep(self.folder / "map" / "redis.conf"))
        self.assertEqual(CONF, found["files/redis.conf"])

    def test_names_that_occur_twice_are_numbered(self):
        paths = [self.write(name, "redis.conf", content=b"port %d\n" % n) for n, name in enumerate("abc", 1)]
        paths += [self.write("d", "redis.conf.2", content=b"port 4\n"), self.write("INDEX.txt", content=b"port 5\n"),
                  self.write("caf\u00e9.conf", content=b"port 6\n")]
        found = configs.member(self.repo, self.keep(*paths))
        index = dict(line.split("\t") for line in found["files/INDEX.txt"].decode().splitlines())
        self.assertEqual([str(p) for p in paths], list(index.values()))
        self.assertEqual(["redis.conf", "redis.conf.2", "redis.conf.3", "redis.conf.2.2", "INDEX.txt.2", "caf__.conf"],
                         list(index))
        for n, name in enumerate(index, 1):
            self.assertEqual(b"port %d\n" % n, found[f"files/{name}"])

    def test_what_is_no_file_of_that_kind_is_refused_at_once(self):
        os.mkfifo(self.folder / "pipe")
        self.refused(self.folder / "none.conf", "no such file")
        self.refused(self.folder, "no regular file")
        self.refused(self.folder / "pipe", "no regular file")
        self.refused("/dev/null", "no regular file")
        self.refused(self.write("large", content=b"#" * (4 << 20) + b"\n"), "larger than 4 MiB")
        self.refused(self.write("binary", content=b"requirepass\0"), "no text")

    def test_too_much_together(self):
        paths = [self.write(f"{n}.conf", content=(b"#" * 99 + b"\n") * 41_000) for n in range(5)]
        result = self.repo.run("backup", "--rdb-file", self.dump, *(w for p in paths for w in ("--with-config", p)))
        self.expect(remora.USAGE, result, "more than 16 mib together")
        backup_id = self.keep(*paths[:4], words=["--memory", "48M"])
        self.assertGreater(Backup(self.repo, backup_id).read_manifest()["members"]["config"]["segments"], 1)
        self.assertEqual(paths[3].read_bytes(), configs.member(self.repo, backup_id)["files/3.conf"])
        self.expect(remora.OK, self.repo.run("verify"))

    def test_a_server_that_is_gone(self):
        """A bare file needs no server: that is a note. A backup that needs it fails as it would without."""
        conf, gone = self.write("redis.conf"), "redis://127.0.0.1:1"
        found = configs.member(self.repo, self.keep(conf, words=["--redis-url", gone, "--method", "file"]))
        self.assertIn("server/config-get.refused.txt", found)
        result = self.repo.run("backup", "--redis-url", gone, "--with-config", conf)
        self.expect(remora.SERVER, result)

    def test_damage_is_found(self):
        backup_id = self.keep(self.write("redis.conf"))
        member = Backup(self.repo, backup_id).data / "config"
        for name in ("00000000.zst", "index"):
            good = (member / name).read_bytes()
            for bad in (good[:-1], good[:20] + bytes([good[20] ^ 1]) + good[21:], None):
                (member / name).chmod(0o644)
                (member / name).unlink() if bad is None else (member / name).write_bytes(bad)
                self.expect(remora.CORRUPT, self.repo.run("verify", "--record", "no"))
                self.expect(remora.CORRUPT, self.repo.run("restore", "--config-to", self.folder / "out"))
                self.assertFalse((self.folder / "out").exists())
                (member / name).write_bytes(good)
        self.expect(remora.OK, self.repo.run("verify"))

    def test_segments_concatenated_are_a_tar(self):
        """docs/FORMAT.md promises that no more than zstd and tar is needed."""
        backup_id = self.keep(self.write("redis.conf"))
        self.assertEqual({"files/INDEX.txt", "files/redis.conf"}, set(configs.member(self.repo, backup_id)))


class ConfigTo(RestoreCase):
    def setUp(self):
        super().setUp()
        self.conf = self.folder / "redis.conf"
        self.conf.write_bytes(CONF)
        self.out = self.folder / "out"

    def fill(self):
        self.backup_id = self.backup(self.repo, "--rdb-file", self.dump, "--with-config", self.conf)
        return self.backup_id

    def config_to(self, *words, out=None):
        return self.repo.run("restore", "--config-to", out or self.out, *words)

    def all_but_the_store(self):
        """Whoever opens a store in a folder tries there what the file system can do."""
        return {name: entry for name, entry in tree(self.folder).items() if name != self.repo.path.name}

    def check_written(self):
        self.assertEqual(CONF, (self.out / "files/redis.conf").read_bytes())

    def test_with_a_target(self):
        self.fill()
        target = self.empty_folder()
        plan = self.expect(remora.OK, self.restore(target, "--appendonly", "no", "--config-to", self.out, "--dry-run"))
        self.assertIn("configuration: 2 files", plan.out.decode())
        self.assertFalse(self.out.exists())
        result = self.restore(target, "--appendonly", "no", "--config-to", self.out, "--json")
        self.assertEqual(2, self.expect(remora.OK, result).json()["config_files"])
        self.check_restored(target)
        self.check_written()
        # Once more, as an init container does it: there is data, so nothing happens, whatever is in the folder.
        before = tree(self.out)
        result = self.restore(target, "--appendonly", "no", "--config-to", self.out, "--if-empty")
        self.expect(remora.OK, result)
        self.assertEqual(before, tree(self.out))
        words = ["--appendonly", "no", "--config-to", self.folder / "other", "--if-empty", "--json"]
        result = self.restore(target, *words)
        self.assertIsNone(self.expect(remora.OK, result).json()["config_files"])
        self.assertFalse((self.folder / "other").exists())

    def test_alone(self):
        backup_id = self.fill()
        plan = self.expect(remora.OK, self.config_to("--dry-run"))
        self.assertIn("configuration: 2 files", plan.out.decode())
        self.assertFalse(self.out.exists())
        said = json.loads(self.expect(remora.OK, self.config_to("--json", "--backup", backup_id)).out)
        wanted = {"outcome": "config", "id": backup_id, "config_files": 2, "bytes": None}
        self.assertLessEqual(wanted.items(), said.items())
        self.check_written()

    def test_never_over_anything(self):
        self.fill()
        self.out.mkdir()
        (self.out / "redis.conf").write_bytes(b"live")
        linked = self.folder / "linked"
        linked.symlink_to(self.empty_folder("behind"))
        dangling = self.folder / "dangling"
        dangling.symlink_to(self.folder / "nowhere")
        target = self.empty_folder()
        for out, words in ((self.out, "not empty"), (self.conf, "no folder"), (linked, "symbolic link"),
                           (dangling, "symbolic link"), (f"{linked}/", "symbolic link"),
                           (f"{linked}//./", "symbolic link"), (f"{dangling}/", "symbolic link")):
            for more in ([], ["--target", target, "--appendonly", "no"], ["--dry-run"]):
                before = tree(self.folder)
                self.expect(remora.REFUSED, self.config_to(*more, out=out), words)
                self.assertEqual(before, tree(self.folder))
        result = self.restore(target, "--appendonly", "no", "--config-to", target)
        self.expect(remora.REFUSED, result, "it is the target")
        self.expect(remora.USAGE, self.config_to("--stdout"), "exclude each other")

    def test_a_backup_without_any(self):
        super().fill()
        target = self.empty_folder()
        self.expect(remora.NOT_FOUND, self.config_to(), "without --with-config")
        self.untouched(target, lambda: self.expect(
            remora.NOT_FOUND, self.restore(target, "--appendonly", "no", "--config-to", self.out)))
        self.assertFalse(self.out.exists())

    def test_what_an_earlier_run_had_ready(self):
        self.fill()
        target = self.make_ready("ready")
        self.expect(remora.OK, self.restore(target, "--appendonly", "no", "--config-to", self.out, "--if-empty"))
        self.check_restored(target)
        self.check_written()

    def test_an_earlier_run_that_had_it_ready_and_a_store_that_is_gone(self):
        self.fill()
        target = self.make_ready("ready")
        self.repo.path.rename(self.folder / "away")
        result = self.restore(target, "--appendonly", "no", "--config-to", self.out, "--if-empty")
        self.expect(remora.NOT_FOUND, result, "was restored to", "--config-to dir")
        self.check_restored(target)

    @each(entry=["absolute", "up", "link", "hard-link", "through-link", "twice", "device", "control", "garbage", "cut",
                 "huge"])
    def test_a_hostile_member(self, entry):
        """With digests that are right: whoever may write to the repository can make such a one."""
        outside = self.folder / "outside"
        evil = {
            "absolute": lambda: configs.tar_of((str(outside), b"evil")),
            "up": lambda: configs.tar_of(("files/../../outside", b"evil")),
            "link": lambda: configs.tar_of(("files", b"", {"type": tarfile.SYMTYPE, "linkname": "/etc"})),
            "hard-link": lambda: configs.tar_of(("x", b"", {"type": tarfile.LNKTYPE, "linkname": str(self.conf)})),
            "through-link": lambda: configs.tar_of(
                ("d", b"", {"type": tarfile.SYMTYPE, "linkname": str(self.folder)}), ("d/outside", b"evil")),
            "twice": lambda: configs.tar_of(("a", b"1"), ("a", b"2")),
            "device": lambda: configs.tar_of(("null", b"", {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 3})),
            "control": lambda: configs.tar_of(("a\x1b[2Jb", b"1")),
            "garbage": lambda: os.urandom(5000),
            "cut": lambda: configs.tar_of(("good.conf", CONF), ("large", b"x" * 9000))[:4000],
            "huge": lambda: b"\0" * (17 << 20),
        }[entry]()
        if entry not in ("garbage", "cut", "huge"):
            evil = configs.tar_of(("good.conf", CONF))[:1024] + evil
        backup_id = self.fill()
        configs.forge(self.repo, backup_id, evil)
        target = self.empty_folder()
        before = self.all_but_the_store()
        for words in ([], ["--dry-run"], ["--target", target, "--appendonly", "no"]):
            self.expect(remora.CORRUPT, self.config_to(*words), "the configuration files")
        self.expect(remora.CORRUPT, self.repo.run("verify"))
        self.assertEqual(before, self.all_but_the_store())

    def test_a_good_member_of_another_writer(self):
        """What the hostile ones are held against: the forging itself is not what is refused."""
        configs.forge(self.repo, self.fill(), configs.tar_of(("files/redis.conf", CONF)))
        self.expect(remora.OK, self.config_to())
        self.check_written()
