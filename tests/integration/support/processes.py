# SPDX-License-Identifier: Apache-2.0
"""Starting programs so that none outlives the test run, whatever ends it."""

import os
import shutil
import signal
import subprocess

# A function of ours between fork and exec would cost more than most programs that are started here: Python would copy
# its page tables for each of them.
BOUND = [shutil.which("setpriv") or "setpriv", "--pdeathsig", "KILL"]


def start(command, **options):
    """subprocess.Popen of a process that the kernel kills when this one ends."""
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.Popen([*BOUND, *map(str, command)], **options)


def end(process):
    """SIGKILL, and wait."""
    if process.poll() is None:
        process.kill()
    process.wait()


def children(pid):
    """The process ids of the children of a process."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            return [int(word) for word in f.read().split()]
    except OSError:
        return []


def kill_quietly(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def open_files(pid):
    """What the descriptors of a process point to."""
    paths = []
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            try:
                paths.append(os.readlink(f"/proc/{pid}/fd/{name}"))
            except OSError:
                pass
    except OSError:
        pass
    return paths


def powerless(command):
    """The command without any capability: file permissions count, also for root."""
    if os.geteuid() != 0:
        return list(command)
    return [shutil.which("setpriv"), "--bounding-set=-all", "--inh-caps=-all", *command]


def as_user(uid, gid, *groups):
    """A wrapper: the command as that user, in these groups besides, as a container runs it."""
    def wrap(command):
        more = ["--groups", ",".join(map(str, groups))] if groups else ["--clear-groups"]
        return ["setpriv", f"--reuid={uid}", f"--regid={gid}", *more, "--inh-caps=-all", *map(str, command)]
    return wrap


def as_pod(name):
    """A wrapper: the command with that host name."""
    return lambda command: ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', name, *map(str, command)]


def at_call(call, what, number=1):
    """A wrapper: as it enters the Nth such system call, strace does WHAT: signal=KILL, delay_enter=MICROSECONDS."""
    return lambda command: ["strace", "-f", "-qq", "-e", f"trace={call}", "-e", f"inject={call}:{what}:when={number}",
                            "-o", "/dev/null", *map(str, command)]
