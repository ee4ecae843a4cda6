# SPDX-License-Identifier: Apache-2.0
"""docs/FORMAT.md: what lies in the repository, read and written without remora."""

import datetime
import filecmp
import hashlib
import json
import re
import subprocess

from support import data, processes, remora
from support.case import Case
from support.repository import Backup, is_sealed, objects, seal


class Format(Case):
    def test_segments_through_zstd_are_the_dump(self):
        dump = data.dump_file(self, 40)
        repo = self.repository()
        for words in (["--level", 1], ["--level", 3, "--jobs", 1], ["--level", 6, "--jobs", 2, "--memory", "32M"]):
            backup = Backup(repo, self.backup(repo, "--rdb-file", dump, *words))
            backup.unpack(self.folder / "unpacked.rdb")
            self.assertTrue(filecmp.cmp(dump, self.folder / "unpacked.rdb", shallow=False), words)

    def test_manifest_and_index_say_what_is_there(self):
        dump = data.dump_file(self, 40)
        repo = self.repository()
        backup = Backup(repo, self.backup(repo, "--rdb-file", dump, "--tag", "reason=test", "--tag", "by=hand"))
        self.assertTrue(is_sealed(backup.manifest.read_bytes()))
        manifest = backup.read_manifest()
        member = manifest["members"]["rdb"]
        self.assertEqual(backup.id, manifest["id"])
        self.assertEqual([], manifest["requires"])
        self.assertEqual({"reason": "test", "by": "hand"}, manifest["tags"])
        self.assertEqual(dump.stat().st_size, member["raw_size"])
        self.assertEqual(sum(s.stat().st_size for s in backup.segments()), member["stored_size"])
        self.assertEqual(backup.index.stat().st_size, member["index_size"])
        self.assertEqual(hashlib.sha256(backup.index.read_bytes()).hexdigest(), member["index_sha256"])
        offset = 0
        with open(dump, "rb") as f:
            for number, (segment, line) in enumerate(zip(backup.segments(), backup.read_index(), strict=True)):
                stored = segment.read_bytes()
                raw = subprocess.run(["zstd", "-dc"], input=stored, capture_output=True, check=True).stdout
                self.assertEqual(f"{line['n']:08d}.zst", segment.name)
                self.assertEqual((number, offset, len(raw), len(stored), hashlib.sha256(stored).hexdigest()),
                                 tuple(line[name] for name in ("n", "off", "raw", "stored", "sha256")))
                self.assertEqual(f.read(len(raw)), raw)
                offset += len(raw)
        self.assertEqual(dump.stat().st_size, offset)
        self.assertEqual(member["segments"], number + 1)

    def test_nothing_else_lies_in_the_repository(self):
        repo = self.repository()
        backup_id = self.backup(repo, "--rdb-file", data.small_dump_file(self))
        names = {str(p.relative_to(repo.path)) for p in objects(repo.path)}
        self.assertEqual({"remora.json", "instances/shop/instance.json", f"instances/shop/backups/{backup_id}.json",
                          f"instances/shop/data/{backup_id}/rdb/index",
                          f"instances/shop/data/{backup_id}/rdb/00000000.zst"}, names)
        self.expect(remora.OK, repo.run("verify"))
        self.assertEqual({f"instances/shop/verified/{backup_id}.json"},
                         {str(p.relative_to(repo.path)) for p in objects(repo.path)} - names)

    def forge_backups(self, repo, count):
        """Backups by the document: manifests with other ids and times, sealed anew, and data folders for them."""
        original = Backup(repo, self.backup(repo, "--rdb-file", data.small_dump_file(self)))
        fields = original.read_manifest()
        first = datetime.datetime(2020, 1, 1)
        ids = []
        for n in range(count):
            time = first + datetime.timedelta(hours=n)
            backup = Backup(repo, f"{time:%Y%m%dT%H%M%SZ}-{n:06x}")
            uuid = hashlib.md5(str(n).encode()).hexdigest()
            fields |= {"id": backup.id, "uuid": f"{uuid[:8]}-{uuid[8:12]}-4{uuid[13:16]}-8{uuid[17:20]}-{uuid[20:]}"}
            backup.manifest.write_bytes(seal(fields))
            backup.member.mkdir(parents=True)
            for path in objects(original.member):
                (backup.member / path.name).hardlink_to(path)
            ids.append(backup.id)
        return ids, original

    def test_list_of_2000_backups_reads_small_objects_only(self):
        repo = self.repository()
        ids, original = self.forge_backups(repo, 2000)
        trace = self.folder / "trace"

        def traced(words):
            return ["strace", "-f", "-qq", "-e", "trace=openat,open,openat2", "-o", str(trace), *words]

        result = self.expect(remora.OK, repo.run("list", "--json", wrapper=traced))
        listed = result.json()["instances"][0]["backups"]
        self.assertEqual(ids + [original.id], sorted(b["id"] for b in listed))
        self.assertEqual([], [b for b in listed if b["problem"]])
        opened = re.findall(r'open(?:at2?)?\((?:\w+, )?"([^"]*)"', trace.read_text())
        self.assertGreater(len(opened), 2000)
        self.assertEqual([], [name for name in opened if name.endswith((".zst", "/index", "index"))
                              or "/data/" in name or name.endswith("/data")])
        self.expect(remora.OK, repo.run("verify", ids[1000]))
        self.expect(remora.OK, repo.run("list"))

    def test_a_forged_manifest_with_unknown_fields_is_read_and_one_that_requires_more_is_not(self):
        repo = self.repository()
        backup = Backup(repo, self.backup(repo, "--rdb-file", data.small_dump_file(self)))
        fields = backup.read_manifest()
        backup.manifest.write_bytes(seal(fields | {"of_a_later_version": {"any": ["thing"]}}))
        self.expect(remora.OK, repo.run("verify"))
        backup.manifest.write_bytes(seal(fields | {"requires": ["encryption-1"]}))
        target = self.empty_folder()
        self.expect(remora.UNSUPPORTED, repo.run("verify", backup.id), "encryption-1")
        self.expect(remora.UNSUPPORTED, repo.run("restore", "--appendonly", "no", "--target", target, "--backup",
                                                 backup.id))
        self.assertEqual([], list(target.iterdir()))

    def test_a_marker_that_requires_more_stops_every_command(self):
        repo = self.repository()
        self.backup(repo, "--rdb-file", data.small_dump_file(self))
        marker = repo.path / "remora.json"
        fields = json.loads(marker.read_text())
        marker.write_bytes(seal(fields | {"requires": ["set"]}) if "sha256" in fields
                           else json.dumps(fields | {"requires": ["set"]}).encode() + b"\n")
        target = self.empty_folder()
        for words in (["list"], ["verify"], ["show", "latest"], ["restore", "--appendonly", "no", "--target", target],
                      ["backup", "--rdb-file", data.small_dump_file(self)]):
            self.expect(remora.UNSUPPORTED, repo.run(*words), "set")
        self.assertEqual([], list(target.iterdir()))

    def test_restore_to_stdout_is_the_dump(self):
        dump = data.dump_file(self, 40)
        repo = self.repository()
        self.backup(repo, "--rdb-file", dump)
        with open(self.folder / "piped.rdb", "wb") as out:
            process = repo.start("restore", "--stdout", stdout=out)
            self.expect(remora.OK, remora.finish(process, ["restore", "--stdout"]))
        self.assertTrue(filecmp.cmp(dump, self.folder / "piped.rdb", shallow=False))

    def test_restore_to_a_pipe_that_nobody_reads_ends(self):
        repo = self.repository()
        self.backup(repo, "--rdb-file", data.dump_file(self, 40))
        process = repo.start("restore", "--stdout")
        process.stdout.read(1000)
        process.stdout.close()
        process.stdout = None
        self.assertNotEqual(remora.OK, remora.finish(process).status)
        processes.end(process)
