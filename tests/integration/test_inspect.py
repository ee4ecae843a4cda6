# SPDX-License-Identifier: Apache-2.0
"""`inspect` tells what the server that wrote the dump would tell, in fixed memory, and nothing of a damaged dump."""

import collections
import re

from support import data, remora
from support.case import Case, limit, per_server, share
from support.repository import Backup
from support.servers import TOP

GOLDEN = sorted((TOP / "tests/golden/rdb").glob("*.rdb"))
LENGTHS = {"list": "LLEN", "set": "SCARD", "zset": "ZCARD", "hash": "HLEN", "stream": "XLEN"}
MIB = 1024


class Key(collections.namedtuple("Key", "name database type encoding expires elements bytes")):
    """What a server says of a key; bytes are those of its value in a dump."""

    def bytes_in_dump(self):
        """All of its bytes, where the name is one that servers write as it is; else None. Nor of a hash whose fields
        expire: Redis 8 leaves the eight bytes of the earliest time out of its figure."""
        if len(self.name) > 20 or re.fullmatch(rb"-?\d+", self.name) or self.name.startswith(b"hash:ttl:"):
            return None
        return 1 + 1 + len(self.name) + self.bytes + (9 if self.expires else 0)


def keys_of(server):
    """All keys of a server, by SCAN and what there is to ask of each."""
    found = []
    with server.client() as client:
        for database in server.keyspace():
            client.call("SELECT", database)
            names, cursor = set(), b"0"
            while True:
                cursor, some = client.call("SCAN", cursor, "COUNT", 1000)
                names.update(some)
                if cursor == b"0":
                    break
            names = sorted(names)
            types = [t.decode() for t in client.calls(("TYPE", n) for n in names)]
            encodings = [e.decode() for e in client.calls(("OBJECT", "ENCODING", n) for n in names)]
            ttls = client.calls(("PTTL", n) for n in names)
            lengths = client.calls((LENGTHS.get(t, "EXISTS"), n) for n, t in zip(names, types))
            about = client.calls(("DEBUG", "OBJECT", n) for n in names)
            for name, kind, encoding, ttl, length, text in zip(names, types, encodings, ttls, lengths, about):
                size = int(re.search(rb"serializedlength:(\d+)", text).group(1))
                found.append(Key(name, database, kind, encoding, ttl != -1, length if kind in LENGTHS else None, size))
    return found


def unescape(text):
    """The bytes of a name in JSON."""
    plain = re.sub(r"\\(x..|\\)", lambda m: chr(0xdc00 + int(m[1][1:], 16)) if m[1] != "\\" else "\\", text)
    return plain.encode("utf-8", "surrogatepass") if plain.isascii() else b"".join(
        bytes([ord(c) - 0xdc00]) if 0xdc00 <= ord(c) <= 0xdcff else c.encode() for c in plain)


def prefix_of(name, separator, depth):
    parts = name.split(separator)[:-1]
    return b"".join(part + separator for part in parts[:depth])


class Inspect(Case):
    def inspect(self, *words, **options):
        return self.expect(remora.OK, remora.run("inspect", "--json", *words, **options)).json()

    def check_counts(self, found, keys):
        self.assertEqual(len(keys), found["keys"])
        self.assertEqual(sum(k.expires for k in keys), found["expires"])
        by_type = collections.Counter((k.database, k.type) for k in keys)
        expires = collections.Counter((k.database, k.type) for k in keys if k.expires)
        self.assertEqual(by_type, {(d["database"], t["type"]): t["keys"]
                                   for d in found["databases"] for t in d["types"]})
        self.assertEqual(expires, {(d["database"], t["type"]): t["expires"]
                                   for d in found["databases"] for t in d["types"] if t["expires"]})
        self.assertEqual(found["keys"], sum(s["keys"] for s in found["sizes"]))
        self.assertEqual(found["bytes"], sum(s["bytes"] for s in found["sizes"]))
        self.assertEqual(found["bytes"], sum(e["bytes"] for t in found["types"] for e in t["encodings"]))
        expiry = {name: step["keys"] for name, step in found["expiry"].items() if name != "now" and step["keys"]}
        self.assertEqual({"never": len(keys) - found["expires"], "later": found["expires"]}, expiry)
        self.assertLess(found["bytes"], found["rdb"]["bytes"])

    def check_encodings(self, found, keys):
        """Of a list and a string the server says more, or another thing, than the dump."""
        said = collections.Counter((k.type, k.encoding) for k in keys if k.type not in ("string", "list"))
        told = {(t["type"], e["encoding"]): e["keys"] for t in found["types"] for e in t["encodings"]
                if t["type"] not in ("string", "list")}
        self.assertEqual(said, told)

    def check_prefixes(self, found, keys, separator, depth):
        sums = collections.Counter(prefix_of(k.name, separator, depth) for k in keys)
        expires = collections.Counter(prefix_of(k.name, separator, depth) for k in keys if k.expires)
        table = found["prefixes"]
        self.assertTrue(table["exact"])
        self.assertEqual((len(sums), 0), (table["count"], table["bytes_missed_at_most"]))
        told = {unescape(p["prefix"]): p for p in table["top"]}
        self.assertEqual(sums, {name: p["keys"] for name, p in told.items()})
        self.assertEqual({n: expires[n] for n in sums}, {name: p["expires"] for name, p in told.items()})
        sizes = [p["bytes"] for p in table["top"]]
        self.assertEqual(sorted(sizes, reverse=True), sizes)
        self.assertEqual(found["bytes"], sum(sizes))

    def check_largest(self, found, keys):
        known = {(k.database, k.name): k for k in keys}
        exact = 0
        for entry in found["largest"]["by_bytes"]:
            if entry["name_cut"]:
                continue
            key = known[entry["database"], unescape(entry["name"])]
            self.assertEqual((key.type, key.expires), (entry["type"], entry["expires_ms"] is not None), entry)
            if key.bytes_in_dump() is not None:
                exact += 1
                self.assertEqual(key.bytes_in_dump(), entry["bytes"], entry)
        self.assertGreater(exact, 10)
        sizes = [entry["bytes"] for entry in found["largest"]["by_bytes"]]
        self.assertEqual(sorted(sizes, reverse=True), sizes)
        by_elements = found["largest"]["by_elements"]
        for entry in by_elements:
            key = known[entry["database"], unescape(entry["name"])]
            self.assertEqual(key.elements, entry["elements"], entry)
        most = sorted((k.elements for k in keys if k.elements is not None), reverse=True)
        self.assertEqual(most[:len(by_elements)], [entry["elements"] for entry in by_elements])

    @limit(240)
    @per_server
    def test_says_what_the_server_says(self, program):
        server = self.server(program=program)
        data.fill_every_type(server)
        data.fill_mixed(server, 4)
        keys = keys_of(server)
        server.call("SAVE")
        for separator, depth in ((":", 1), (":", 2), ("t", 3)):
            with self.subTest(separator=separator, depth=depth):
                found = self.inspect("--rdb-file", server.dump, "--top", 1000, "--prefix-separator", separator,
                                     "--prefix-depth", depth)
                self.check_counts(found, keys)
                self.check_prefixes(found, keys, separator.encode(), depth)
        self.check_encodings(found, keys)
        self.check_largest(found, keys)

    def test_a_backup_a_file_and_a_pipe_say_the_same(self):
        """And what the manifest of the backup says."""
        self.assertTrue(GOLDEN)
        repo = self.repository()
        for dump in GOLDEN:
            with self.subTest(dump.name):
                backup_id = self.backup(repo, "--rdb-file", dump)
                rdb = Backup(repo, backup_id).read_manifest()["rdb"]
                found = self.inspect(*repo.words, backup_id)
                self.assertEqual("inspect", found["command"])
                self.assertEqual(("backup", backup_id, "shop"),
                                 tuple(found["source"][name] for name in ("kind", "id", "instance")))
                self.assertEqual((rdb["keys"], rdb["expires"]), (found["keys"], found["expires"]))
                self.assertEqual({name: n for name, n in rdb["types"].items() if n},
                                 {t["type"]: t["keys"] for t in found["types"]})
                self.assertEqual([(d["db"], d["keys"], d["expires"]) for d in rdb["databases"]],
                                 [(d["database"], d["keys"], d["expires"]) for d in found["databases"]])
                others = [self.inspect("--rdb-file", dump)]
                with open(dump, "rb") as pipe:
                    others.append(self.inspect("--rdb-file", "-", stdin=pipe))
                for other, path in zip(others, (str(dump), "-")):
                    self.assertEqual({"kind": "file", "path": path}, other["source"])
                    for part in found.keys() - {"source", "expiry"}:
                        self.assertEqual(found[part], other[part], part)
        self.assertEqual(self.inspect(*repo.words)["source"]["id"], max(self.ids(repo)), "the latest")

    def test_expiries_by_when_they_run_out(self):
        server = self.server()
        now, = [int(server.call("TIME")[0])]
        with server.client() as client:
            client.call("DEBUG", "SET-ACTIVE-EXPIRE", 0)
            client.call("SET", "never", 1)
            for n, seconds in enumerate((3000, 80000, 500000, 2500000, 5000000)):
                client.calls(("SET", f"key:{n}:{i}", "x", "EXAT", now + seconds) for i in range(n + 1))
            client.calls((("SET", "gone", "x", "PX", 1), ("SAVE",)))
        expiry = self.inspect("--rdb-file", server.dump)["expiry"]
        self.assertEqual([1, 1, 1, 2, 3, 4, 5], [expiry[name]["keys"] for name in
                                                 ("never", "past", "hour", "day", "week", "month", "later")])

    def test_text(self):
        """Sections for people; names are printable, whatever they are."""
        dump = data.small_dump_file(self)
        result = self.expect(remora.OK, remora.run("inspect", "--rdb-file", dump, "--top", 30))
        text = result.out.decode("ascii")
        for words in ("Databases", "Types and encodings", "Expiry, as of", "Sizes", "Prefixes with the most bytes",
                      "Largest keys", "Keys with the most elements", "(none)", "list:large", "intset", "skiplist"):
            self.assertIn(words, text)
        self.assertNotRegex(text, r"[^\n -~]")
        self.assertEqual([], [line for line in text.splitlines() if line != line.rstrip()])
        empty = self.server(name="empty")
        empty.call("SAVE")
        result = self.expect(remora.OK, remora.run("inspect", "--rdb-file", empty.dump))
        self.assertIn(b"keys     0, 0 of them", result.out)

    def test_names_stay_out_of_the_log(self):
        dump = data.small_dump_file(self)
        repo = self.repository()
        self.backup(repo, "--rdb-file", dump)
        for words in (repo.words, ["--rdb-file", dump]):
            result = self.expect(remora.OK, remora.run("inspect", *words, "--log-level", "debug", "--progress", "always"))
            self.assertNotIn(b"list:", result.err)
            self.assertNotIn(b"hash:", result.err)

    def test_damage_tells_nothing(self):
        dump = data.small_dump_file(self).read_bytes()
        bad = self.folder / "bad.rdb"
        for at in [9, len(dump) - 1] + [self.random.randrange(9, len(dump)) for _ in range(share(20, 500))]:
            changed = bytearray(dump)
            changed[at] ^= 1 << self.random.randrange(8)
            bad.write_bytes(changed)
            result = remora.run("inspect", "--rdb-file", bad)
            self.assertIn(result.status, (remora.CORRUPT, remora.UNSUPPORTED), result)
            self.assertEqual(b"", result.out, f"byte {at}")
        bad.write_bytes(dump[:-20])
        result = self.expect(remora.CORRUPT, remora.run("inspect", "--rdb-file", bad), "before the damage is not told")
        self.assertEqual(b"", result.out)
        with open(bad, "rb") as pipe:
            self.expect(remora.CORRUPT, remora.run("inspect", "--rdb-file", "-", stdin=pipe), "stdin")
        failure = remora.run("inspect", "--rdb-file", bad, "--json").json()
        self.assertEqual({"command", "error"}, set(failure))
        bad.write_bytes(b"")
        self.expect(remora.CORRUPT, remora.run("inspect", "--rdb-file", bad), "empty")

    def test_a_damaged_backup_tells_nothing(self):
        repo = self.repository()
        backup = Backup(repo, self.backup(repo, "--rdb-file", data.small_dump_file(self)))
        segment = backup.segments()[0]
        good = segment.read_bytes()
        for at in (0, len(good) // 2, len(good) - 1):
            segment.write_bytes(good[:at] + bytes([good[at] ^ 4]) + good[at + 1:])
            result = self.expect(remora.CORRUPT, repo.run("inspect", backup.id), backup.id)
            self.assertEqual(b"", result.out)
        segment.unlink()
        self.expect(remora.CORRUPT, repo.run("inspect", backup.id))

    def test_a_dump_that_is_not_understood(self):
        """Its keys cannot be told, not even where a backup took it on its checksum."""
        dump = bytearray(GOLDEN[0].read_bytes())
        end = len(dump) - 9
        self.assertEqual(0xff, dump[end])
        dump[end:end] = b"\x3f\x03key\x05value"
        dump[-8:] = crc64(bytes(dump[:-8]))
        path = self.folder / "newer.rdb"
        path.write_bytes(dump)
        result = self.expect(remora.UNSUPPORTED, remora.run("inspect", "--rdb-file", path), "value type 63")
        self.assertNotIn(b"--allow-unparsed", result.err)
        self.assertEqual(b"", result.out)
        repo = self.repository()
        backup_id = self.backup(repo, "--rdb-file", path, "--allow-unparsed")
        self.expect(remora.UNSUPPORTED, repo.run("inspect", backup_id), "value type 63")

    def test_wrong_words(self):
        dump, repo = GOLDEN[0], self.repository()
        self.expect(remora.USAGE, remora.run("inspect", "latest", "--rdb-file", dump), "exclude each other")
        self.expect(remora.USAGE, remora.run("inspect", "--rdb-file", dump, "--prefix-separator", "::"), "one character")
        self.expect(remora.USAGE, remora.run("inspect", "--rdb-file", dump, "--prefix-separator", ""), "empty")
        self.expect(remora.USAGE, remora.run("inspect", "--rdb-file", dump, "--top", 1001))
        self.expect(remora.USAGE, remora.run("inspect", "--rdb-file", self.folder / "missing"))
        self.expect(remora.USAGE, repo.run("inspect", "yesterday"))
        self.expect(remora.NOT_FOUND, repo.run("inspect"))
        self.expect(remora.NOT_FOUND, repo.run("inspect", "20261122T103000Z-1a2b3c"))

    def measure(self, most, *words):
        result, peak = remora.peak_rss_kib("inspect", "--json", "--top", 1000, *words)
        self.assertEqual(remora.OK, result.status, result)
        print(f"        inspect {' '.join(map(str, words))}: {peak / MIB:.1f} MiB resident", flush=True)
        self.assertLessEqual(peak, most * MIB + 2 * MIB)
        return result.json()

    @limit(300)
    def test_memory_is_fixed_and_prefixes_are_bounded(self):
        """Each key has a prefix of its own, but for those that take a third of all bytes together."""
        count = share(300_000, 3_000_000)
        server = self.server()
        with server.client() as client:
            for first in range(0, count, 20_000):
                client.calls(word for n in range(first, first + 20_000)
                             for word in (("SET", f"unique-{n}-{'x' * (n % 60)}:key", f"{n:040d}"),
                                          *((("SET", f"steady:{n}", self.random.randbytes(100)),) if n % 2 == 0 else ()),
                                          *((("SET", b"%d-" % n + b"long" * 250 + b":x", n),) if n % 50 == 0 else ())))
        server.call("SAVE")
        repo = self.repository()
        self.backup(repo, "--rdb-file", server.dump)
        found = self.measure(64, *repo.words)
        narrow = self.measure(32, *repo.words, "--memory", "32M", "--jobs", 1)
        piped = self.measure(64, "--rdb-file", server.dump)
        for other in (narrow, piped):
            self.assertEqual(found["prefixes"], other["prefixes"])
            self.assertEqual(found["largest"], other["largest"])
        table = found["prefixes"]
        steady = count // 2
        self.assertEqual(count + steady + count // 50, found["keys"])
        self.assertFalse(table["exact"])
        self.assertGreater(table["bytes_missed_at_most"], 0)
        self.assertLessEqual(table["bytes_missed_at_most"], found["bytes"] * 2 // 1000)
        top = table["top"][0]
        self.assertEqual("steady:", top["prefix"])
        self.assertLessEqual(top["keys"], steady)
        true_bytes = sum(1 + 1 + len(f"steady:{n}") + 2 + 100 for n in range(0, count, 2))
        self.assertLessEqual(top["bytes"], true_bytes)
        self.assertGreaterEqual(top["bytes"] + table["bytes_missed_at_most"], true_bytes)
        text = self.expect(remora.OK, repo.run("inspect")).out
        self.assertIn(b"figures are lower bounds", text)
        self.assertIn(b"(others)", text)


def crc64(dump):
    """That of RDB, as the eight bytes at its end."""
    crc = 0
    for byte in dump:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x95ac9329ac4bc9b5 if crc & 1 else 0)
    return crc.to_bytes(8, "little")
