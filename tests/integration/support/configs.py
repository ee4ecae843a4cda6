# SPDX-License-Identifier: Apache-2.0
"""Configuration files that are kept with backups: made, looked into without remora, and tried on servers."""

import hashlib
import io
import subprocess
import tarfile

from . import processes
from .repository import Backup, seal
from .servers import free_port

MARK = b"REDACTED-BY-REMORA"


def member(repo, backup_id):
    """The tar as docs/FORMAT.md has it: {name: bytes}."""
    folder = Backup(repo, backup_id).data / "config"
    raw = subprocess.run(f"cat '{folder}'/*.zst | zstd -dc", shell=True, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        return {entry.name: tar.extractfile(entry).read() for entry in tar.getmembers()}


def everything(repo):
    """All stored bytes; what is compressed, decompressed too."""
    for path in sorted(p for p in repo.path.rglob("*") if p.is_file()):
        yield path, path.read_bytes()
        if path.suffix == ".zst":
            yield path, subprocess.run(["zstd", "-dc", path], capture_output=True, check=True).stdout


def tar_of(*entries):
    """(name, bytes), or (name, bytes, TarInfo's other fields as a dict)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content, *more in entries:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for field, value in (more[0] if more else {}).items():
                setattr(info, field, value)
            tar.addfile(info, io.BytesIO(content) if info.isreg() else None)
    return out.getvalue()


def forge(repo, backup_id, raw):
    """Make RAW the backup's member "config", with digests that are right."""
    backup = Backup(repo, backup_id)
    folder = backup.data / "config"
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    frame = subprocess.run(["zstd", "-qc", "--check", "--content-size", f"--stream-size={len(raw)}"], input=raw,
                           capture_output=True, check=True).stdout
    (folder / "00000000.zst").write_bytes(frame)
    index = b'{"n":0,"off":0,"raw":%d,"stored":%d,"sha256":"%s"}\n' % (len(raw), len(frame), _sha256(frame))
    (folder / "index").write_bytes(index)
    fields = backup.read_manifest()
    fields["members"]["config"] = {"raw_size": len(raw), "stored_size": len(frame), "segments": 1,
                                   "index_size": len(index), "index_sha256": _sha256(index).decode()}
    backup.manifest.chmod(0o644)
    backup.manifest.write_bytes(seal(fields))


def _sha256(data):
    return hashlib.sha256(data).hexdigest().encode()


def starts(case, program, words, folder):
    """Does a server start with these words? Then it runs: its process and its port. Else what it said."""
    folder.mkdir(exist_ok=True)
    port = free_port()
    process = processes.start([str(w) for w in [program.path, *words, "--port", port, "--bind", "127.0.0.1", "--dir",
                                                folder, "--daemonize", "no", "--logfile", "", "--unixsocket", ""]],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    case.addCleanup(process.stdout.close)
    case.addCleanup(processes.end, process)
    said = b""
    while True:
        line = process.stdout.readline()
        said += line
        if b"Ready to accept connections" in line:
            return port, said
        if not line:
            process.wait(10)
            return None, said
