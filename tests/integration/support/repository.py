# SPDX-License-Identifier: Apache-2.0
"""
The repository as docs/FORMAT.md describes it, read and written without remora: these tests are the proof that the
document says enough.
"""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path


class Backup:
    """The objects of one backup in a repository in a folder."""

    def __init__(self, repo, backup_id):
        self.instance = Path(repo.path) / "instances" / repo.instance
        self.id = backup_id
        self.manifest = self.instance / "backups" / f"{backup_id}.json"
        self.data = self.instance / "data" / backup_id
        self.member = self.data / "rdb"
        self.index = self.member / "index"

    def segments(self):
        return sorted(self.member.glob("*.zst"))

    def read_manifest(self):
        return json.loads(self.manifest.read_bytes())

    def read_index(self):
        return [json.loads(line) for line in self.index.read_text().splitlines()]

    def content(self):
        """{name: bytes} of the manifest and all that belongs to the dump, whatever the names of repository and instance;
        without what a killed writer left beside it."""
        found = {p.name: p.read_bytes() for p in objects(self.member) if not p.name.startswith(".tmp-")}
        return {"manifest": self.manifest.read_bytes(), **found}

    def unpack(self, out):
        """The recipe of docs/FORMAT.md: cat *.zst | zstd -d > dump.rdb"""
        with open(out, "wb") as f:
            subprocess.run(f"cat '{self.member}'/*.zst | zstd -dc", shell=True, stdout=f, check=True)


def seal(fields):
    """A manifest's bytes: its last field is the SHA-256 of every byte before the comma in front of it."""
    fields = {name: value for name, value in fields.items() if name != "sha256"}
    head = json.dumps(fields, separators=(",", ":")).encode()
    assert head.endswith(b"}")
    head = head[:-1]
    return head + b',"sha256":"' + hashlib.sha256(head).hexdigest().encode() + b'"}\n'


def is_sealed(data):
    head, comma, tail = data.rpartition(b',"sha256":"')
    return bool(comma) and tail == hashlib.sha256(head).hexdigest().encode() + b'"}\n'


def snapshot(path, copy):
    """A copy of a repository, to be damaged."""
    shutil.copytree(path, copy)
    return copy


def objects(path):
    """Every object below a folder."""
    return sorted(p for p in Path(path).rglob("*") if p.is_file())


def grow_older(path, hours):
    """As if that time had passed since every object was put."""
    for name in objects(path):
        times = name.stat()
        os.utime(name, (times.st_atime, times.st_mtime - hours * 3600))
