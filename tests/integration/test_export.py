# SPDX-License-Identifier: Apache-2.0
"""One backup as one tar: what other programs make of it, what a server makes of it, and what becomes of bad ones."""

import array
import fcntl
import io
import os
import shutil
import signal
import subprocess
import tarfile
import termios
import time

from support import data, faults, gateway, processes, remora, tmpfs
from support.case import CAMPAIGN, Case, limit, per_server, share
from support.repository import Backup, objects, seal
from support.s3 import Repository as S3Repository


class ExportCase(Case):
    def setUp(self):
        super().setUp()
        self.repo = self.repository()

    def make_backup(self, megabytes=2):
        """Of a few segments."""
        self.dump_file = data.dump_file(self, megabytes)
        self.backup_id = self.backup(self.repo, "--rdb-file", self.dump_file, "--memory", "22M", "--jobs", 1)

    @property
    def dump(self):
        """Not kept: a started process has been as large as this one for a moment."""
        return self.dump_file.read_bytes()

    def export(self, name="backup.tar", *words, which="latest"):
        path = self.folder / name
        self.expect(remora.OK, self.repo.run("export", which, path, *words))
        return path

    def restore(self, tar, *words, **options):
        return remora.run("restore", "--from", tar, *words, **options)

    def wanted_names(self, backup_id):
        """In the order that docs/FORMAT.md promises."""
        backup = Backup(self.repo, backup_id)
        files = [self.repo.path / "remora.json", backup.instance / "instance.json", backup.manifest]
        for member in sorted(p for p in backup.data.iterdir() if p.is_dir()):
            files += [member / "index", *sorted(member.glob("*.zst"))]
        return [str(f.relative_to(self.repo.path)) for f in files]


class Export(ExportCase):
    def test_to_a_file_and_down_a_pipe_with_any_jobs_the_same_bytes(self):
        self.make_backup()
        result = self.expect(remora.OK, self.repo.run("export", self.backup_id, self.folder / "one.tar", "--json"))
        one = (self.folder / "one.tar").read_bytes()
        told = result.json()
        self.assertEqual(("export", self.backup_id, str(self.folder / "one.tar"), len(one)),
                         (told["command"], told["id"], told["file"], told["bytes"]))
        time.sleep(1.1)  # another second: nothing of today is in it
        for jobs in (1, 2, 4):
            piped = self.expect(remora.OK, self.repo.run("export", "latest", "-", "--jobs", jobs))
            self.assertEqual(one, piped.out)
        self.assertEqual(0o600, (self.folder / "one.tar").stat().st_mode & 0o777)
        self.assertEqual([], [p.name for p in self.folder.iterdir() if "remora-tmp" in p.name])

    def test_tar_and_bsdtar_read_it(self):
        self.make_backup()
        path = self.export()
        names = self.wanted_names(self.backup_id)
        for program in ("tar", "bsdtar"):
            listed = subprocess.run([program, "tf", path], capture_output=True, text=True, check=True)
            self.assertEqual((names, ""), (listed.stdout.splitlines(), listed.stderr))
            folder = self.empty_folder(program)
            subprocess.run([program, "xf", path, "-C", folder], check=True)
            for name in names:
                self.assertEqual((self.repo.path / name).read_bytes(), (folder / name).read_bytes(), name)
            unpacked = remora.Repository(folder)
            self.assertEqual([self.backup_id], self.ids(unpacked))
            self.expect(remora.OK, unpacked.run("verify"))
        with tarfile.open(path) as tar:
            for entry in tar:
                self.assertEqual((True, 0o644, 0, 0), (entry.isreg(), entry.mode, entry.uid, entry.gid))

    def test_an_unpacked_one_that_tar_packed_again(self):
        """Folders in it are passed over, and the blocks behind its end as well."""
        self.make_backup()
        folder = self.empty_folder("unpacked")
        subprocess.run(["tar", "xf", self.export(), "-C", folder], check=True)
        for n, words in enumerate((["--format=gnu"], ["--format=pax"], ["--format=ustar", "-b", "200"])):
            again = self.folder / f"again-{n}.tar"
            subprocess.run(["tar", "cf", again, *words, "-C", folder, "remora.json", "instances"], check=True)
            self.assertEqual(self.dump, self.expect(remora.OK, self.restore(again, "--stdout")).out)

    def test_what_is_there_is_not_overwritten(self):
        self.make_backup()
        path = self.folder / "taken.tar"
        path.write_text("mine")
        self.expect(remora.REFUSED, self.repo.run("export", "latest", path), "is there already")
        self.assertEqual("mine", path.read_text())
        self.expect(remora.USAGE, self.repo.run("export", "latest", self.folder / "no" / "such.tar"))
        self.expect(remora.USAGE, self.repo.run("export", "latest", "-", "--json"), "exclude each other")
        self.expect(remora.USAGE, self.repo.run("export", "newest", self.folder / "x.tar"), "newest")
        self.expect(remora.NOT_FOUND, self.repo.run("export", "20200101T000000Z-abcdef", self.folder / "x.tar"))
        self.assertFalse((self.folder / "x.tar").exists())

    def test_not_onto_a_terminal(self):
        self.make_backup()
        ours, terminal = os.openpty()
        try:
            self.expect(remora.USAGE, self.repo.run("export", "latest", "-", stdout=terminal), "terminal")
        finally:
            os.close(ours)
            os.close(terminal)

    def test_a_reader_that_goes_away(self):
        self.make_backup()
        ours, theirs = os.pipe()
        os.close(ours)
        try:
            result = self.repo.run("export", "latest", "-", stdout=theirs)
        finally:
            os.close(theirs)
        self.expect(remora.INTERRUPTED, result, "reader of the pipe went away")
        self.assertNotIn(b"did not finish", result.err)

    def wait_until_full(self, pipe):
        """And what writes into it asleep."""
        until = time.monotonic() + 20
        while array.array("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0] < fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ):
            self.assertLess(time.monotonic(), until, "the pipe never filled up")
            time.sleep(0.02)
        time.sleep(0.2)

    def test_stdout_that_nobody_reads_ends_with_the_first_signal(self):
        """The tar and the dump: a writer that sleeps in a full pipe wakes up and leaves."""
        self.make_backup()
        for words in (["export", "latest", "-"], ["restore", "--stdout"]):
            for number in (signal.SIGTERM, signal.SIGINT):
                fifo = self.folder / f"fifo-{words[0]}-{number}"
                os.mkfifo(fifo)
                ours = os.open(fifo, os.O_RDWR)
                theirs = os.open(fifo, os.O_WRONLY)
                process = self.repo.start(*words, stdout=theirs)
                self.addCleanup(processes.end, process)
                os.close(theirs)
                try:
                    self.wait_until_full(ours)
                    process.send_signal(number)
                    result = remora.finish(process, words, 20)
                finally:
                    os.close(ours)
                self.expect(remora.INTERRUPTED, result, signal.Signals(number).name, "did not finish")

    def test_every_damage_is_found_and_leaves_no_file(self):
        self.make_backup()
        backup = Backup(self.repo, self.backup_id)
        path = self.folder / "bad.tar"
        segments = backup.segments()
        for victim in [backup.manifest, backup.index, *self.random.sample(segments, share(2, len(segments)))]:
            good = victim.read_bytes()
            flipped = bytearray(good)
            flipped[self.random.randrange(len(good))] ^= 1 << self.random.randrange(8)
            for bad in (bytes(flipped), good[:-1], good + b"x", None):
                with self.subTest(victim=victim.name, bytes=bad and len(bad)):
                    if bad is None:
                        victim.unlink()
                    else:
                        victim.write_bytes(bad)
                    status = remora.NOT_FOUND if (victim, bad) == (backup.manifest, None) else remora.CORRUPT
                    self.expect(status, self.repo.run("export", self.backup_id, path), self.backup_id)
                    self.assertEqual([], list(self.folder.glob("*bad.tar*")) + list(self.folder.glob(".bad.tar*")))
                    piped = self.repo.run("export", self.backup_id, "-")
                    self.expect(status, piped)
                    cut = self.folder / "piped.tar"
                    cut.write_bytes(piped.out)
                    self.expect(remora.CORRUPT, self.restore(cut, "--stdout"))
            victim.write_bytes(good)
        self.export("good.tar")

    def test_a_full_disk_leaves_nothing(self):
        self.make_backup()
        volume = tmpfs.mount(self, "small", "400k")
        path = volume / "backup.tar"
        self.expect(remora.NO_SPACE, self.repo.run("export", "latest", path))
        self.assertEqual([], list(volume.iterdir()))

    @limit(600 if CAMPAIGN else 120)
    def test_killed_at_any_call(self):
        """Under its name it is there whole, or not at all; the next run works, and leaves nothing else."""
        self.make_backup()
        whole = self.export().read_bytes()
        volume = tmpfs.mount(self, "volume", "100m")
        path, log = volume / "backup.tar", self.folder / "calls"
        self.expect(remora.OK, self.repo.run("export", "latest", path,
                                             env=faults.environment(under=volume, log=log, changing=True)))
        path.unlink()
        places = faults.read_log(log, volume)
        self.assertGreater(len(places), 5)
        chosen = places if CAMPAIGN else places[:4] + places[-6:]
        killed = 0
        for place in chosen:
            for what in ("kill", "tear"):
                with self.subTest(place=str(place), what=what):
                    result = self.repo.run("export", "latest", path,
                                           env=faults.environment(under=volume, place=place, what=what, changing=True))
                    killed += result.status == -signal.SIGKILL
                    if path.exists():
                        self.assertEqual(whole, path.read_bytes())
                        path.unlink()
                    self.expect(remora.OK, self.repo.run("export", "latest", path))
                    self.assertEqual([path], list(volume.iterdir()))
                    self.assertEqual(whole, path.read_bytes())
                    path.unlink()
        print(f"        {killed} of {2 * len(chosen)} runs were killed", flush=True)
        self.assertGreater(killed, 5)

    def test_asked_to_stop(self):
        self.make_backup()
        volume = tmpfs.mount(self, "volume", "100m")
        path, log = volume / "backup.tar", self.folder / "calls"
        self.expect(remora.OK, self.repo.run("export", "latest", path, env=faults.environment(under=volume, log=log)))
        path.unlink()
        writes = [p for p in faults.read_log(log, volume) if "write" in p.call]
        self.assertGreater(len(writes), 2)
        for place in writes[:2]:
            self.expect(remora.INTERRUPTED, self.repo.run(
                "export", "latest", path, env=faults.environment(under=volume, place=place, what="term")))
            self.assertEqual([], list(volume.iterdir()))

    def test_memory_is_bounded(self):
        self.make_backup(40)
        for memory in (64, 32):
            words = ["export", *self.repo.words, "latest", self.folder / f"{memory}.tar", "--memory", f"{memory}M",
                     "--jobs", 4]
            result, peak = remora.peak_rss_kib(*words)
            self.assertEqual(remora.OK, result.status)
            print(f"        --memory {memory}M: {peak / 1024:.1f} MiB resident", flush=True)
            self.assertLess(peak, memory * 1024)


class RestoreFrom(ExportCase):
    @per_server
    def test_a_server_starts_on_it(self, program):
        server = self.server(program=program)
        data.fill_every_type(server)
        before = server.fingerprint()
        self.backup_server(self.repo, server)
        path = self.export()
        server.stop()
        shutil.rmtree(self.repo.path)  # nothing but the file is left
        target = self.empty_folder("restored")
        self.expect(remora.OK, self.restore(path, "--target", target, "--appendonly", "no"))
        self.expect_same(before, self.server(program=program, name="restored").fingerprint())

    def test_every_layout_and_way(self):
        self.make_backup()
        path = self.export()
        shutil.rmtree(self.repo.path)
        self.assertEqual(self.dump, self.expect(remora.OK, self.restore(path, "--stdout")).out)
        target = self.empty_folder("rdb")
        planned = self.expect(remora.OK, self.restore(path, "--target", target, "--appendonly", "no", "--dry-run"))
        self.assertIn(self.backup_id, planned.out.decode())
        self.assertEqual([], list(target.iterdir()))
        words = ["--target", target, "--appendonly", "no"]
        told = self.expect(remora.OK, self.restore(path, *words, "--json")).json()
        self.assertEqual(("restored", self.backup_id), (told["outcome"], told["id"]))
        self.assertEqual(self.dump, (target / "dump.rdb").read_bytes())
        self.expect(remora.REFUSED, self.restore(path, *words))
        self.assertEqual("kept", self.expect(remora.OK, self.restore(path, *words, "--if-empty", "--json")).json()[
            "outcome"])
        self.expect(remora.OK, self.restore(path, *words, "--force"))
        folder = self.empty_folder("aof")
        self.expect(remora.OK, self.restore(path, "--target", folder, "--appendonly", "yes"))
        self.assertEqual(self.dump, (folder / "appendonlydir" / "appendonly.aof.1.base.rdb").read_bytes())

    def test_names_on_the_command_line_have_to_match(self):
        self.make_backup()
        path = self.export()
        for words in (["--instance", "shop"], ["--backup", self.backup_id], ["--backup", "latest"]):
            self.expect(remora.OK, self.restore(path, "--stdout", *words))
        self.expect(remora.NOT_FOUND, self.restore(path, "--stdout", "--instance", "other"), "other", "shop")
        self.expect(remora.NOT_FOUND, self.restore(path, "--stdout", "--backup", "20200101T000000Z-abcdef"))
        self.expect(remora.NOT_FOUND, self.restore(self.folder / "none.tar", "--stdout"), "none.tar")
        self.expect(remora.USAGE, self.restore(path, "--stdout", *self.repo.words), "--repo", "exclude each other")
        refused = self.expect(remora.NOT_FOUND, self.restore(path, "--stdout", "--instance", "other"),
                              "--instance shop", "leave it out")
        self.assertNotIn(b"remora init", refused.err)
        for name, words in (("other", ["REMORA_INSTANCE"]), ("shop", [])):  # of the repository that is not asked
            result = self.expect(remora.OK, self.restore(path, "--stdout", env={"REMORA_INSTANCE": name}), *words)
            self.assertEqual(self.dump, result.out)
            self.assertEqual(bool(words), b"REMORA_INSTANCE" in result.err)
        result = self.restore(path, "--stdout", env={"REMORA_REPO": "s3://nowhere/at-all"})
        self.expect(remora.OK, result, "not asked")
        self.assertEqual(self.dump, result.out)

    def test_no_policy_lets_a_server_start_empty(self):
        policies = ["--if-no-repo", "start-empty", "--if-no-backup", "start-empty", "--if-unreachable", "start-empty"]
        target = self.empty_folder()
        for name, status in (("none.tar", remora.NOT_FOUND), ("torn.tar", remora.CORRUPT)):
            if status == remora.CORRUPT:
                (self.folder / name).write_bytes(b"no tar at all")
            self.expect(status, self.restore(self.folder / name, "--target", target, "--appendonly", "no", "--instance",
                                             "shop", *policies))
            self.assertEqual([], list(target.iterdir()))

    def test_a_suspicious_one_is_restored_with_a_warning(self):
        self.make_backup()
        backup = Backup(self.repo, self.backup_id)
        backup.manifest.write_bytes(seal({**backup.read_manifest(), "suspicious": True}))
        self.expect(remora.NOT_FOUND, self.repo.run("export", "latest", self.folder / "latest.tar"))
        result = self.restore(self.export(which=self.backup_id), "--stdout")
        self.expect(remora.OK, result, "suspicious")
        self.assertEqual(self.dump, result.out)

    def test_needs_no_network(self):
        self.make_backup()
        path = self.export()
        result = self.restore(path, "--stdout", wrapper=lambda words: ["unshare", "--net", *words])
        self.expect(remora.OK, result)
        self.assertEqual(self.dump, result.out)


def entry(name, content=b"", kind=tarfile.REGTYPE, link="", size=None):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    info.size = len(content) if size is None else size
    return info.tobuf(tarfile.PAX_FORMAT) + content + b"\0" * (-len(content) % 512)


class HostileTars(ExportCase):
    """Each in place of, before or behind a good backup's entries: one sentence, exit status 5, and nothing written."""

    def setUp(self):
        super().setUp()
        self.make_backup()
        self.good = self.export().read_bytes()
        self.assertEqual(b"\0" * 1024, self.good[-1024:])

    def check_refused(self, content, *words):
        path, target = self.folder / "hostile.tar", self.folder / "target"
        path.write_bytes(content)
        target.mkdir(exist_ok=True)
        for options in (["--stdout"], ["--target", target, "--appendonly", "no"]):
            result = self.expect(remora.CORRUPT, self.restore(path, *options), *words)
            self.assertEqual(1, len([line for line in result.err.splitlines() if b" error " in line]), result)
            if options == ["--stdout"]:
                self.assertEqual(b"", result.out)
        self.assertEqual([], [p for p in target.rglob("*") if p.is_file() and not p.name.startswith(".remora-")])

    def test_entries_that_no_export_has(self):
        evil = {
            "absolute": entry("/etc/cron.d/evil", b"x"),
            "..\"": entry("../../evil", b"x"),
            "part \".\"": entry("a/./b", b"x"),
            "symbolic link": entry("instances/link", kind=tarfile.SYMTYPE, link="/etc"),
            "hard link": entry("hard", kind=tarfile.LNKTYPE, link="remora.json"),
            "device": entry("fifo", kind=tarfile.FIFOTYPE),
            "occurs twice": entry("remora.json", b"{}"),
            "file and a folder": entry("remora.json/below", b"x"),
            "control character": entry("new\nline", b"x"),
            "cut off": entry("huge", size=1 << 40),
        }
        body = self.good[:-1024]
        for words, bad in evil.items():
            with self.subTest(words):
                self.check_refused(body + bad + b"\0" * 1024, words)
                if words not in ("cut off", "occurs twice", "file and a folder"):
                    self.check_refused(bad + self.good, words)

    def test_cut_off(self):
        for at in [0, 511, 512, 1024, len(self.good) // 2, len(self.good) - 1024, len(self.good) - 512,
                   len(self.good) - 1, *(self.random.randrange(len(self.good)) for _ in range(share(10, 300)))]:
            with self.subTest(at):
                self.check_refused(self.good[:at])

    def test_compressed(self):
        for program, advice in (("gzip", "gzip -d"), ("zstd", "zstd -d"), ("bzip2", "bzip2 -d"), ("xz", "xz -d")):
            if shutil.which(program):
                packed = subprocess.run([program, "-c"], input=self.good, stdout=subprocess.PIPE, check=True).stdout
                self.check_refused(packed, "decompress it first", advice)

    def test_other_bytes_anywhere(self):
        """No bit of what a restore relies on can change unseen: refused, or the very same dump."""
        path = self.folder / "flipped.tar"
        same = 0
        for _ in range(share(40, 1000)):
            flipped = bytearray(self.good)
            flipped[self.random.randrange(len(flipped))] ^= 1 << self.random.randrange(8)
            path.write_bytes(flipped)
            result = self.restore(path, "--stdout")
            if result.status == remora.OK:
                self.assertEqual(self.dump, result.out)
                same += 1
            else:
                self.assertIn(result.status, (remora.CORRUPT, remora.NOT_FOUND, remora.UNSUPPORTED), result)
        print(f"        {same} changes did not matter", flush=True)

    def test_a_tar_of_other_things(self):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            for name, content in (("README", b"hello"), ("src/main.c", b"int main;")):
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
        path = self.folder / "other.tar"
        path.write_bytes(buffer.getvalue())
        self.expect(remora.NOT_FOUND, self.restore(path, "--stdout"), "is not a repository")


class FromS3(ExportCase):
    seconds = 180  # the first one starts the gateway

    def repository(self, name="repo", instance="shop"):
        repo = S3Repository(gateway.shared(), instance=instance)
        self.addCleanup(repo.client.remove_all, repo.bucket, repo.prefix)
        self.expect(remora.OK, repo.run("init"))
        return repo

    def test_export_and_restore(self):
        self.make_backup(10)
        path = self.export("backup.tar", "--jobs", 4)
        with tarfile.open(path) as tar:
            names = {e.name: e.size for e in tar}
        self.assertEqual(self.repo.objects(), names)
        self.assertEqual(path.read_bytes(), self.expect(remora.OK, self.repo.run("export", "latest", "-")).out)
        result = self.restore(path, "--stdout", wrapper=lambda words: ["unshare", "--net", *words])
        self.expect(remora.OK, result)
        self.assertEqual(self.dump, result.out)
        segment = max(name for name in names if name.endswith(".zst"))
        self.repo.client.call("DELETE", f"/{self.repo.bucket}/{self.repo.prefix}/{segment}")
        self.expect(remora.CORRUPT, self.repo.run("export", "latest", self.folder / "bad.tar"), "missing")
        self.assertFalse((self.folder / "bad.tar").exists())
