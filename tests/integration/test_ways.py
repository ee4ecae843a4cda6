# SPDX-License-Identifier: Apache-2.0
"""
Every way from a server into a repository and back, each a test of its own name:
{bgsave, psync diskless, psync disk-backed} x {file, S3} x {TCP, Unix socket, TLS with a user of few rights}.
"""

import unittest

from support import data, gateway, remora, s3, servers
from support.case import REQUIRE_SERVERS, Case
from support.certificates import Certificates

SECRET = "correct-horse-battery"
# The least that a backup by it needs (README.md).
RIGHTS = {
    "bgsave": ["+ping", "+info", "+bgsave", "+lastsave", "+config|get", "+role"],
    "psync": ["+ping", "+psync", "+replconf"],
}
# Name: (method, the server's options)
METHODS = {
    "bgsave": ("bgsave", []),
    "psync_diskless": ("psync", ["--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0"]),
    "psync_disk_backed": ("psync", ["--repl-diskless-sync", "no"]),
}
STORES = ("file", "S3")
CONNECTIONS = ("tcp", "unix", "tls")
# Beside them all with Redis 7: other servers, by all methods, into S3 and one way in. Those of the second list only
# where they are here.
OTHERS = [("redis", 8), ("valkey", 8)]
IF_HERE = [("redis", 6), ("valkey", 9)]


class EveryWay(Case):
    seconds = 180  # the first one starts the gateway

    def make_repository(self, store, connection):
        """In S3: by https for those who came by TLS, else by http."""
        if store == "file":
            return self.repository()
        place = gateway.shared()
        repo = s3.Repository(place) if connection != "tls" else s3.Repository(place, endpoint=place.https, ca=place.ca)
        self.addCleanup(place.client.remove_all, repo.bucket, repo.prefix)
        self.expect(remora.OK, repo.run("init"))
        return repo

    def way_in(self, server, connection, method):
        """(URL, words, environment)"""
        if connection != "tls":
            return (server.url if connection == "tcp" else server.unix_url), [], {}
        channels = [] if server.program.version.startswith("6.0.") else ["resetchannels"]  # unknown before 6.2
        server.call("ACL", "SETUSER", "bk", "on", f">{SECRET}", "resetkeys", *channels, "-@all", *RIGHTS[method])
        return f"rediss://bk@127.0.0.1:{server.tls_port}", server.tls.client_words(), {"REDISCLI_AUTH": SECRET}

    def round_trip(self, program, method_name, store, connection):
        method, options = METHODS[method_name]
        repo = self.make_repository(store, connection)
        tls = Certificates(self.folder / "tls") if connection == "tls" else None
        server = self.server(*options, program=program, tls=tls)
        data.fill_mixed(server, 2)
        before = self.picture(server)
        url, words, env = self.way_in(server, connection, method)
        if method == "bgsave":
            words = [*words, "--data-dir", server.data]
        backup_id = self.backup(repo, "--method", method, "--redis-url", url, *words, env=env)
        self.assertEqual([backup_id], self.ids(repo))
        if method_name == "psync_diskless":
            self.assertFalse(server.dump.exists(), "a diskless transfer has written a dump")
        server.destroy()
        target = self.empty_folder("restored")
        self.expect(remora.OK, repo.run("restore", "--appendonly", "no", "--target", target))
        after = self.picture(self.server(program=program, name="restored"))
        self.assertEqual(before, after)

    def picture(self, server):
        keyspace = server.keyspace()
        self.assertGreater(sum(keys for keys, _ in keyspace.values()), 500)
        return {"digest": server.call("DEBUG", "DIGEST"), "keyspace": keyspace}


def _cells():
    """(server, method, store, connection)"""
    for method in METHODS:
        yield from ((("redis", 7), method, store, way) for store in STORES for way in CONNECTIONS)
    here = {(p.kind, p.major) for p in servers.AVAILABLE}
    for number, method in enumerate(METHODS):
        for kind in [*OTHERS, *(k for k in IF_HERE if k in here)]:
            yield kind, method, "S3", CONNECTIONS[number]


def _test(wanted, method, store, connection):
    def test(self):
        found = [p for p in servers.AVAILABLE if (p.kind, p.major) == wanted]
        if found:
            return self.round_trip(found[-1], method, store, connection)
        text = f"there is no {wanted[0]} {wanted[1]} here (sh tests/servers/newer-servers.sh)"
        if REQUIRE_SERVERS:
            self.fail(text)
        raise unittest.SkipTest(text)
    return test


for _cell in _cells():
    (_kind, _major), _method, _store, _connection = _cell
    setattr(EveryWay, f"test_{_method}__{_store}__{_connection}__{_kind}_{_major}", _test(*_cell))
