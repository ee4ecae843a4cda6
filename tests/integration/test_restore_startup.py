# SPDX-License-Identifier: Apache-2.0
"""
A server started on what was restored has the data: with appendonly yes and no, however remora was told of it, under
default names and others, whatever the server. Then it goes on as any server does, and a switch of appendonly later
loses nothing that it would not have lost without remora.
"""

import shutil

from support import data, remora, servers
from support.case import Case, each, limit, once_a_run, per_server
from support.resp import RespError
from support.trees import names

OTHER_NAMES = {"dbfilename": "shop.rdb", "appenddirname": "shop files", "appendfilename": "shop.log"}
ENTRY = {"yes": "appenddirname", "no": "dbfilename"}
DEFAULT_NAMES = {"dbfilename": "dump.rdb", "appenddirname": "appendonlydir", "appendfilename": "appendonly.aof"}
LAYOUT = {"yes": "aof", "no": "rdb"}

class Source:
    """A repository with one backup of a server of this kind with every type in it: made once a run, never changed."""

    def __init__(self, case, program, folder):
        server = case.server(program=program, name="source")
        if program.major < 7:
            data.fill_mixed(server, 1)
        else:
            data.fill_every_type(server)
        self.before = state_of(server)
        server.call("SAVE")
        self.dump = folder / "dump.rdb"
        server.dump.rename(self.dump)
        server.kill()
        self.repo = remora.Repository(folder / "repo")
        case.backup(self.repo, "--rdb-file", self.dump, "--create")


def source_of(case, program):
    return once_a_run(f"source-{program.name}", lambda folder: Source(case, program, folder))


def state_of(server):
    """Everything that has to be the same; before Redis 7 there are no functions to ask for."""
    if server.program.major >= 7:
        return server.fingerprint()
    return {"digest": server.call("DEBUG", "DIGEST"), "keyspace": server.keyspace()}


def rewrite(server):
    """BGREWRITEAOF, or one that was begun already, to its good end."""
    try:
        server.call("BGREWRITEAOF")
    except RespError as error:
        if "in progress" not in str(error):
            raise
    wait_for_rewrite(server)


def wait_for_rewrite(server):
    server.wait_for("persistence", "aof_rewrite_scheduled", "0")
    server.wait_for("persistence", "aof_rewrite_in_progress", "0")
    if server.info("persistence")["aof_last_bgrewrite_status"] != "ok":
        raise AssertionError("the server could not rewrite its append-only file")


class RestoreStartup(Case):
    def check_goes_on(self, server):
        """It can save and rewrite, and is the same after a restart, with what came meanwhile."""
        server.call("SET", "written after the restore", "x" * 1000)
        server.call("SAVE")
        rewrite(server)
        if server.call("CONFIG", "GET", "appendonly")[1] == b"yes":
            server.call("SET", "written after the rewrite", "y")
        before = state_of(server)
        server.stop()
        server.start()
        self.expect_same(before, state_of(server))

    def check_started(self, source, server):
        self.assertTrue(source.before["keyspace"])
        self.assertEqual(source.before["keyspace"], server.keyspace(), "empty, or not all of it")
        self.expect_same(source.before, state_of(server))
        self.check_goes_on(server)

    def start_with(self, program, conf, flags):
        """A server on the target, with that configuration and no more of it."""
        def command(words):
            return [words[0], *([str(conf)] if conf else []), *words[1:]]
        return self.server(*flags, program=program, name="target", command=command)

    @each(appendonly=["yes", "no"], given=["conf", "flag", "layout"], named=["default", "other"])
    @per_server
    def test_matrix(self, program, appendonly, given, named):
        source = source_of(self, program)
        target = self.empty_folder()
        settings = {"appendonly": appendonly, **(OTHER_NAMES if named == "other" else {})}
        flags = [word for name, value in settings.items() for word in (f"--{name}", value)]
        conf = None
        if given == "conf":
            conf = self.folder / "redis.conf"
            conf.write_text("".join(f'{name} "{value}"\n' for name, value in settings.items()))
            words, flags = ["--redis-conf", conf], []
        else:
            words = flags if given == "flag" else ["--layout", LAYOUT[appendonly], *flags[2:]]
        result = self.expect(remora.OK, source.repo.run("restore", "--target", target, *words, "--json")).json()
        entry = {**DEFAULT_NAMES, **settings}[ENTRY[appendonly]]
        self.assertEqual([entry], names(target))
        self.assertEqual(("restored", entry, LAYOUT[appendonly]),
                         (result["outcome"], result["entry"], result["layout"]))
        self.check_started(source, self.start_with(program, conf, flags))

    # ---- one append-only file ----

    def single_aof(self, program, named, *words):
        source = source_of(self, program)
        target = self.empty_folder()
        name = {"default": "appendonly.aof", "other": "shop.log"}[named]
        flags = ["--appendfilename", name] if named == "other" else []
        self.expect(remora.OK, source.repo.run("restore", "--target", target, *words, *flags))
        self.assertEqual([name], names(target))
        self.check_started(source, self.start_with(program, None, ["--appendonly", "yes", *flags]))

    @each(named=["default", "other"])
    def test_single_aof_of_an_old_server(self, named):
        """Redis up to 6.2 reads one file, and a dump in it."""
        old = [p for p in servers.AVAILABLE if p.kind == "redis" and p.major < 7]
        if not old:
            self.skipTest("there is no Redis before 7.0 here (sh tests/servers/newer-servers.sh)")
        self.single_aof(old[0], named, "--appendonly", "yes", "--server-version", old[0].version)

    @each(named=["default", "other"])
    @per_server
    def test_single_aof_is_taken_over(self, program, named):
        """Newer ones move an old appendonly.aof into their folder at the first start."""
        self.single_aof(program, named, "--layout", "single-aof")

    # ---- how it is learnt ----

    @per_server
    def test_auto_by_the_running_server(self, program):
        """A server that was started empty tells what it reads; it is stopped before the data counts."""
        source = source_of(self, program)
        for appendonly in ("yes", "no"):
            running = self.server("--appendonly", appendonly, program=program, name=f"running-{appendonly}")
            target = self.empty_folder(f"target-{appendonly}")
            self.expect(remora.OK, source.repo.run("restore", "--target", target, "--redis-url", running.url))
            self.assertEqual([DEFAULT_NAMES[ENTRY[appendonly]]], names(target))

    def test_auto_without_anybody_to_say_it(self):
        source = source_of(self, servers.default())
        target = self.empty_folder()
        self.expect(remora.USAGE, source.repo.run("restore", "--target", target), "--appendonly yes",
                    "--appendonly no", "--redis-conf")
        self.expect(remora.USAGE, source.repo.run("restore", "--target", target, "--redis-url",
                                                  f"redis://127.0.0.1:{servers.free_port()}"), "could not be asked")
        self.assertEqual([], list(target.iterdir()))

    def test_a_configuration_as_charts_have_it(self):
        """Includes, quotes, lines that come later, upper case; and an option that wins over all of it."""
        source = source_of(self, servers.default())
        conf = self.folder / "redis.conf"
        (self.folder / "override.conf").write_text("APPENDONLY yes\nappenddirname 'from override'\n")
        conf.write_text(f'appendonly no\nappenddirname first\ninclude {self.folder}/override.conf\n'
                        '# appendonly no\nappendfilename "app\\x65nd.aof"\n')
        target = self.empty_folder()
        self.expect(remora.OK, source.repo.run("restore", "--target", target, "--redis-conf", conf))
        self.assertEqual(["from override"], names(target))
        self.check_started(source, self.start_with(servers.default(), conf, []))
        target = self.empty_folder("second")
        self.expect(remora.OK, source.repo.run("restore", "--target", target, "--redis-conf", conf,
                                               "--appendonly", "no"), "wins over")
        self.assertEqual(["dump.rdb"], names(target))


class Pod:
    """A server with a configuration file, which changes."""

    def __init__(self, case, program, name, appendonly):
        self.case, self.program, self.name = case, program, name
        self.conf = case.folder / f"{name}.conf"
        self.conf.write_text(f"appendonly {appendonly}\n")
        self.server = None

    def start(self):
        if self.server:
            self.server.start()
        else:
            self.server = self.case.server(program=self.program, name=self.name,
                                           command=lambda words: [words[0], str(self.conf), *words[1:]])

    def write(self, key):
        self.server.call("SET", key, "value " * 100)

    def save(self):
        self.server.call("SAVE")

    def switch(self, appendonly):
        """As an operator does it while it runs."""
        self.server.config("appendonly", appendonly)
        if appendonly == "yes":
            wait_for_rewrite(self.server)
        self.server.call("CONFIG", "REWRITE")

    def restart(self, appendonly=None):
        """With that in its configuration, as a changed ConfigMap does it."""
        self.server.stop()
        if appendonly:
            self.conf.write_text(f"appendonly {appendonly}\n")
        self.start()

    def written(self):
        return {key for key in ("one", "two", "three") if self.server.call("EXISTS", key)}


# name: what appendonly was restored for, what is done, and which keys are left with how much of the restored data.
SWITCHES = {
    "on_while_it_runs": ("no", [("write", "one"), ("switch", "yes"), ("write", "two"), ("restart",)],
                         {"one", "two"}, True),
    "off_while_it_runs": ("yes", [("write", "one"), ("switch", "no"), ("write", "two"), ("save",), ("restart",)],
                          {"one", "two"}, True),
    "off_and_on_again": ("yes", [("write", "one"), ("switch", "no"), ("write", "two"), ("switch", "yes"),
                                 ("write", "three"), ("restart",)], {"one", "two", "three"}, True),
    "on_and_off_again": ("no", [("switch", "yes"), ("write", "one"), ("switch", "no"), ("write", "two"), ("save",),
                                ("restart",)], {"one", "two"}, True),
    "off_by_the_configuration": ("yes", [("write", "one"), ("save",), ("restart", "no")], {"one"}, True),
    # Here the server starts empty, without remora too; what it wrote as appendonly yes is there when it is yes again.
    "off_without_a_save_and_back": ("yes", [("write", "one"), ("restart", "no"), ("write", "two"), ("save",),
                                            ("restart", "yes")], {"one"}, True),
    "on_by_the_configuration": ("no", [("write", "one"), ("save",), ("restart", "yes")], set(), False),
}


class RestoreSwitched(Case):
    """Each is done to a restored server, and to one that got the same data without remora: they end the same."""

    def native(self, program, source, appendonly):
        pod = Pod(self, program, "native", "no")
        self.empty_folder("native")
        shutil.copy(source.dump, self.folder / "native" / "dump.rdb")
        pod.start()
        if appendonly == "yes":
            pod.switch("yes")
            pod.server.stop()
            pod.server.dump.unlink()
            pod.restart("yes")
        return pod

    def restored(self, program, source, appendonly):
        pod = Pod(self, program, "restored", appendonly)
        target = self.empty_folder("restored")
        self.expect(remora.OK, source.repo.run("restore", "--target", target, "--redis-conf", pod.conf))
        pod.start()
        return pod

    @each(how=list(SWITCHES))
    @limit(60)
    @per_server
    def test_switched(self, program, how):
        appendonly, steps, keys, whole = SWITCHES[how]
        source = source_of(self, program)
        ends = []
        for make in (self.native, self.restored):
            pod = make(program, source, appendonly)
            self.expect_same(source.before, state_of(pod.server))
            for step, *words in steps:
                getattr(pod, step)(*words)
            self.assertEqual(keys, pod.written(), make.__name__)
            ends.append(state_of(pod.server))
            pod.server.stop()
        self.expect_same(*ends)
        size = sum(keys for keys, _ in source.before["keyspace"].values())
        left = sum(keys for keys, _ in ends[1]["keyspace"].values())
        self.assertEqual(size + len(keys) if whole else 0, left)
