# SPDX-License-Identifier: Apache-2.0
"""Small file systems of our own, to run out of space on."""

import subprocess


def mount(case, name, size):
    """A tmpfs of that size in a new folder of the test; gone with the test. Skips it where mounting is not allowed."""
    path = case.empty_folder(name)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        case.skipTest(f"no tmpfs can be mounted here: {done.stderr.strip()}")
    case.addCleanup(subprocess.run, ["umount", "--lazy", path], capture_output=True, check=False)
    return path


def fill(path, leave=0):
    """Take all the space but that many bytes."""
    written = 0
    with open(path / "filler", "wb", buffering=0) as f:
        try:
            while True:
                written += f.write(b"\0" * 65536)
        except OSError:
            pass
        f.truncate(max(0, written - leave))
