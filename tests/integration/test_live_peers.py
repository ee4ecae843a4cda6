# SPDX-License-Identifier: Apache-2.0
"""--live-peers: while another server of the dataset holds keys, an empty volume is not filled with older ones."""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time

from support import processes, remora, servers
from support.case import limit, per_server
from support.restoring import START_EMPTY, RestoreCase, Trap

EMPTY_MASTER = (b"# Server\r\nredis_mode:standalone\r\n# Persistence\r\nloading:0\r\n# Replication\r\nrole:master\r\n"
                b"# Keyspace\r\n")
AT_ONCE = ("--repl-diskless-sync-delay", "0")  # a replica gets its data without a pause first


class Actor:
    """A server that answers INFO by what its script says: a bulk, or an error's words."""

    def __init__(self, case, *answers):
        self._answers, self.asked = list(answers), 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        case.addCleanup(self._socket.close)
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        try:
            while True:
                connection, _ = self._socket.accept()
                with connection:
                    while connection.recv(10_000):
                        connection.sendall(self._answer())
        except OSError:
            pass

    def _answer(self):
        answer = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        return answer if answer.startswith(b"-") else b"$%d\r\n%s\r\n" % (len(answer), answer)


class RestoreLivePeers(RestoreCase):
    def setUp(self):
        super().setUp()
        self.fill()
        self.target = self.empty_folder()

    def ask(self, peers, *words, **options):
        return self.restore(self.target, "--if-empty", "--appendonly", "no", "--live-peers", peers, *words, **options)

    def refused(self, status, peers, *sentences, words=(), **options):
        """With that status and those words, and nothing is written."""
        self.expect(status, self.untouched(self.target, lambda: self.ask(peers, *words, **options)), *sentences)

    def goes_on(self, peers, *words, **options):
        result = self.expect(remora.OK, self.ask(peers, *words, **options))
        self.check_restored(self.target)
        return result

    def peer(self, *options, keys=3, name="peer", **more):
        server = self.server(*options, name=name, **more)
        with server.client() as client:
            client.calls(("SET", f"key {n}", "value") for n in range(keys))
        return server

    @staticmethod
    def address(server):
        return f"127.0.0.1:{server.port}"

    # ---- those that hold keys ----

    @per_server
    def test_a_master_with_keys(self, program):
        peer = self.peer(program=program)
        self.refused(remora.REFUSED, self.address(peer), f"the master redis://127.0.0.1:{peer.port} holds 3 keys",
                     "start empty as its replica", f"remora backup --redis-url redis://127.0.0.1:{peer.port}",
                     "--force")

    def test_keys_in_another_database(self):
        peer = self.server(name="peer")
        with peer.client() as client:
            client.call("SELECT", 7)
            client.call("SET", "a", "b")
        self.refused(remora.REFUSED, self.address(peer), "holds 1 key")

    @per_server
    def test_a_replica_whose_master_was_killed(self, program):
        """The worst of all: the master lost its volume, and what the replica has is newer than any backup."""
        master = self.peer(*AT_ONCE, name="master", program=program)
        replica = self.server("--replicaof", f"127.0.0.1 {master.port}", name="replica", program=program)
        replica.wait_for("replication", "master_link_status", "up")
        master.call("SET", "newer than any backup", "x")
        deadline = time.monotonic() + 20
        while not replica.call("EXISTS", "newer than any backup") and time.monotonic() < deadline:
            time.sleep(0.01)
        master.kill()
        replica.wait_for("replication", "master_link_status", "down")
        self.refused(remora.REFUSED, self.address(replica),
                     f"the replica redis://127.0.0.1:{replica.port} holds 4 keys", "promote it")

    def test_start_empty_is_governed_too(self):
        """An instance without a backup, no repository at all, a store out of reach: the replicas would lose theirs."""
        peer = self.peer()
        nowhere = remora.Repository(self.folder / "nowhere")
        fresh = self.repository("fresh")
        out_of_reach = remora.Repository(self.dump / "below a file")
        for repo in (nowhere, fresh, out_of_reach):
            words = ["restore", "--target", self.target, "--appendonly", "no", *START_EMPTY]
            self.expect(remora.OK, self.untouched(self.target, lambda r=repo: r.run(*words)))
            self.expect(remora.REFUSED, self.untouched(self.target, lambda r=repo: r.run(
                *words, "--live-peers", self.address(peer))), "holds 3 keys")

    def test_force_overrides(self):
        peer = self.peer()
        self.goes_on_forced(self.address(peer))

    def goes_on_forced(self, address):
        result = self.expect(remora.OK, self.restore(self.target, "--appendonly", "no", "--live-peers", address,
                                                     "--force"), "not asked")
        self.check_restored(self.target)
        return result

    def test_with_data_in_place_nobody_is_asked(self):
        trap = Trap(self)
        (self.target / "dump.rdb").write_bytes(b"data")
        self.refused(remora.OK, trap.address)
        self.assertFalse(trap.was_asked())

    # ---- those that hold none, or are not there ----

    @per_server
    def test_an_empty_peer(self, program):
        self.goes_on(self.address(self.server(name="peer", program=program)))

    def test_an_empty_replica_of_a_dead_master(self):
        master = self.server(*AT_ONCE, name="master")
        replica = self.server("--replicaof", f"127.0.0.1 {master.port}", name="replica")
        replica.wait_for("replication", "master_link_status", "up")
        master.kill()
        replica.wait_for("replication", "master_link_status", "down")
        self.goes_on(self.address(replica))

    def test_nobody_listens(self):
        self.goes_on(f"127.0.0.1:{servers.free_port()}")

    # ---- names ----

    def with_files(self, **files):
        """Runs it with other files in /etc, in a mount namespace of its own."""
        script = ""
        for name, text in files.items():
            (self.folder / name).write_text(text)
            script += f"mount --bind '{self.folder / name}' '/etc/{name.replace('_', '.')}' && "

        def wrap(command):
            return ["unshare", "--mount", "sh", "-c", script + 'exec "$@"', "sh", *command]
        if subprocess.run(wrap(["true"]), capture_output=True, check=False).returncode != 0:
            self.skipTest("nothing can be mounted here")
        return wrap

    def test_no_such_name(self):
        wrapper = self.with_files(nsswitch_conf="hosts: files\n", hosts="127.0.0.1 localhost\n")
        self.goes_on("x.invalid:6379", wrapper=wrapper)

    @limit(90)
    def test_a_name_service_that_fails(self):
        """Nobody knows whether there is such a name: not taken for none."""
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(silent.close)
        try:
            silent.bind(("127.0.0.53", 53))
        except OSError as error:
            self.skipTest(f"no name server can be played here: {error}")
        wrapper = self.with_files(nsswitch_conf="hosts: dns\n",
                                  resolv_conf="nameserver 127.0.0.53\noptions timeout:1 attempts:1\n")
        self.refused(remora.SERVER, "peers.example:6379", "peers.example", wrapper=wrapper)

    def test_every_address_of_a_name(self):
        """A headless Service: one pod is gone, one is empty, the last one has it all."""
        wrapper = self.with_files(nsswitch_conf="hosts: files\n",
                                  hosts="127.0.0.2 peers.example\n127.0.0.3 peers.example\n127.0.0.4 peers.example\n")
        port = servers.free_port()
        fixed = ("--port", port, "--bind")
        self.server(*fixed, "127.0.0.3", name="empty")
        full = self.server(*fixed, "127.0.0.4", name="full")
        full.call("SET", "a", "b")
        self.refused(remora.REFUSED, f"peers.example:{port}", f"127.0.0.4:{port} holds 1 key", wrapper=wrapper)
        full.call("FLUSHALL")
        self.goes_on(f"peers.example:{port}", wrapper=wrapper)

    # ---- those that do not tell ----

    def test_denied(self):
        peer = self.peer("--requirepass", "right", password="right")
        peer.call("ACL", "SETUSER", "limited", "on", ">secret", "-@all", "+ping")
        address = self.address(peer)
        self.refused(remora.SERVER_DENIED, address, address)
        for user, words in ((":wrong", "wrong password"), ("limited:secret", "INFO"),
                            ("nobody:secret", "wrong password")):
            with self.subTest(user):
                self.refused(remora.SERVER_DENIED, address, words, words=["--redis-url", f"redis://{user}@{address}"])
        self.refused(remora.REFUSED, address, "holds 3 keys", words=["--redis-url", f"redis://:right@{address}"])
        self.refused(remora.REFUSED, address, "holds 3 keys", env={"REDISCLI_AUTH": "right"})

    def test_the_password_is_in_no_sentence(self):
        peer = self.peer("--requirepass", "right", password="right")
        result = self.ask(self.address(peer), "--redis-url", f"redis://:very-wrong@127.0.0.1:{peer.port}")
        self.assertNotIn(b"very-wrong", result.out + result.err)

    def test_a_peer_that_hangs(self):
        peer = self.server(name="peer")
        peer.process.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        self.refused(remora.SERVER, self.address(peer), "is not known", "--force")
        self.assertLess(time.monotonic() - began, 20)
        peer.process.send_signal(signal.SIGCONT)

    def test_something_that_is_no_server(self):
        self.refused(remora.SERVER, Actor(self, b"it works").address)

    def test_a_sentinel(self):
        self.refused(remora.USAGE, Actor(self, EMPTY_MASTER.replace(b"standalone", b"sentinel")).address, "sentinel")

    def test_nonsense(self):
        for address in ("", "host:port", "redis://host", "host:0", "host:99999"):
            self.refused(remora.USAGE, address)

    # ---- those that are not ready ----

    @per_server
    def test_a_peer_that_loads_its_keys(self, program):
        peer = self.server(program=program, name="peer")
        peer.call("DEBUG", "POPULATE", 3000)
        peer.call("SAVE")
        peer.stop()
        peer.options = ("--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024")
        peer.start(wait=False)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                if int(peer.info("persistence").get("loading", 0)):
                    break
            except OSError:
                time.sleep(0.01)
        self.refused(remora.REFUSED, self.address(peer), "still loading", "--force")

    def test_a_peer_that_is_ready_in_the_end(self):
        loading = b"-LOADING Redis is loading the dataset in memory\r\n"
        peer = Actor(self, loading, loading, EMPTY_MASTER)
        result = self.goes_on(peer.address)
        self.assertIn(b"waiting for a live peer", result.err)
        self.assertGreaterEqual(peer.asked, 3)

    def test_a_peer_that_has_keys_in_the_end(self):
        loading = EMPTY_MASTER.replace(b"loading:0", b"loading:1")
        self.refused(remora.REFUSED, Actor(self, loading, EMPTY_MASTER + b"db0:keys=5,expires=0,avg_ttl=0\r\n").address,
                     "holds 5 keys")

    def test_told_to_stop_while_it_waits(self):
        peer = Actor(self, b"-LOADING Redis is loading the dataset in memory\r\n")
        process = self.repo.start("restore", "--target", self.target, "--appendonly", "no",
                                  "--live-peers", peer.address)
        self.addCleanup(processes.end, process)
        deadline = time.monotonic() + 20
        while peer.asked < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        self.expect(remora.INTERRUPTED, remora.finish(process, timeout=10))
        self.assertEqual([], os.listdir(self.target))

    # ---- ourselves ----

    def test_our_own_address_is_left_out(self):
        """The pod's own name is among those of the Service. A network of its own gives us an address of our own."""
        script = ("ip link add v0 type veth peer name v1 && ip address add 10.213.0.7/24 dev v0 && "
                  "ip link set v0 up && "
                  'ip link set lo up && { "$0" --port 7777 --bind 10.213.0.7 --protected-mode no --save "" --dir "$1" '
                  '--unixsocket "$1/s" >/dev/null & } && while [ ! -S "$1/s" ]; do sleep 0.05; done; shift; "$@"; '
                  "status=$?; kill $!; wait; exit $status")
        make = ["unshare", "--net", "ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1"]
        if subprocess.run(make, capture_output=True, check=False).returncode != 0:
            self.skipTest("no network of its own can be had here")
        own = self.empty_folder("own")
        shutil.copy(self.dump, own / "dump.rdb")
        words = ["unshare", "--net", "sh", "-c", script, servers.default().path, own]
        result = self.goes_on("10.213.0.7:7777", wrapper=lambda command: [*words, *command])
        self.assertIn(b"asked=0", result.err)
