# SPDX-License-Identifier: Apache-2.0
"""What lies in a folder, to the last byte and mode: to see that nothing was touched."""

import hashlib
import os
import stat


def tree(path):
    """{name below PATH, "." for itself: all that a change would change}"""
    found = {".": _entry(path)}
    for folder, folders, files in os.walk(path):
        for name in folders + files:
            full = os.path.join(folder, name)
            found[os.path.relpath(full, path)] = _entry(full)
    return found


def names(path):
    """The names in PATH that are not remora's own."""
    return sorted(name for name in os.listdir(path) if not name.startswith(".remora-"))


def _entry(path):
    info = os.lstat(path)
    content = ""
    if stat.S_ISREG(info.st_mode):
        with open(path, "rb") as f:
            content = hashlib.sha256(f.read()).hexdigest()
    elif stat.S_ISLNK(info.st_mode):
        content = os.readlink(path)
    return oct(info.st_mode), info.st_uid, info.st_gid, info.st_size, info.st_mtime_ns, info.st_ctime_ns, content
