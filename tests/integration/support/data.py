# SPDX-License-Identifier: Apache-2.0
"""Datasets: a small one with every type in every encoding, and large ones of everyday data."""

import random
from pathlib import Path

from .case import once_a_run
from .resp import RespError

HERE = Path(__file__).resolve().parents[1]
YEAR_2100_MS = 4102444800000


def fill_mixed(server, megabytes, seed=1):
    """About that much raw data by mixed.lua, twenty megabytes a call."""
    script = (HERE / "mixed.lua").read_text()
    with server.client() as client:
        for part in range(0, megabytes, 20):
            client.call("EVAL", script, 0, min(20, megabytes - part), seed * 1000 + part)


def load_functions(server):
    server.call("FUNCTION", "LOAD", "REPLACE", (HERE / "functions.lua").read_text())


def fill_every_type(server, huge_bytes=0):
    """Every type, small and large; huge_bytes: one more string of that size."""
    rng = random.Random(7)
    with server.client() as client:
        for database in (0, 3, 9):
            client.call("SELECT", database)
            client.calls(_strings(rng))
            client.calls(_lists(rng))
            client.calls(_sets(rng))
            client.calls(_hashes(rng))
            client.calls(_sorted_sets(rng))
            client.calls(_special_strings(rng))
            client.calls(_streams(rng))
            _hash_field_expiries(client)
        _plain_list_nodes(client, rng)
        client.call("SELECT", 9)
        client.calls(("PEXPIREAT", key, YEAR_2100_MS + n) for n, key in enumerate(client.call("KEYS", "*")))
        client.call("SELECT", 15)
        client.call("SET", "the only key of database 15", "value", "PXAT", YEAR_2100_MS)
        if huge_bytes:
            piece = rng.randbytes(1 << 20)
            client.call("SELECT", 1)
            client.calls(("SETRANGE", "huge", at, piece[: huge_bytes - at]) for at in range(0, huge_bytes, len(piece)))
    load_functions(server)


def _strings(rng):
    yield "SET", "str:empty", ""
    yield "SET", "", "the key is empty"
    for n in (0, -1, 127, -128, 128, 32767, -32769, 2147483647, -2147483649, 9223372036854775807, -9223372036854775808):
        yield "SET", f"str:int:{n}", n
    yield "SET", "str:not-an-int", "00012"
    for size in (1, 44, 45, 63, 64, 16383, 16384, 70000):
        yield "SET", f"str:raw:{size}", rng.randbytes(size)
        yield "SET", f"str:lzf:{size}", b"to and fro " * (size // 11 + 1)
    yield "SET", "str:600k:raw", rng.randbytes(600_000)
    yield "SET", "str:600k:lzf", b"0123456789abcdef" * 40_000
    yield "SET", bytes(range(256)), bytes(range(255, -1, -1))
    yield "SET", "line\r\nbreaks\r\n", "\r\n$5\r\n"
    yield "SET", b"long key " * 9000, "x"
    yield "SET", "str:expires", "x", "PXAT", YEAR_2100_MS + 1


def _lists(rng):
    yield "RPUSH", "list:one", "element"
    yield "RPUSH", "list:small", "a", "", "bb", -1, 127, 128, 4095, 4096, 70000, -(2 ** 31), 2 ** 40, rng.randbytes(80)
    for part in range(10):
        yield "RPUSH", "list:large", *(f"element {part} {n} " + "x" * (n % 50) for n in range(500))
    yield "RPUSH", "list:big-elements", *(rng.randbytes(9000) for _ in range(5))
    yield "RPUSH", "list:binary", *(rng.randbytes(n) for n in range(1, 70))
    yield "PEXPIREAT", "list:small", YEAR_2100_MS + 2


def _plain_list_nodes(client, rng):
    """Nodes that hold one large element each: only very large elements get one, unless the limit is lowered."""
    client.call("SELECT", 0)
    client.call("DEBUG", "QUICKLIST-PACKED-THRESHOLD", "1k")
    client.call("RPUSH", "list:plain-nodes", "small", rng.randbytes(5000), "small again", b"lzf " * 2000)
    client.call("DEBUG", "QUICKLIST-PACKED-THRESHOLD", "0")


def _sets(rng):
    yield "SADD", "set:int16", *range(-50, 50)
    yield "SADD", "set:int32", *range(100_000, 100_050)
    yield "SADD", "set:int64", *(2 ** 40 + n for n in range(50))
    yield "SADD", "set:int:many", *range(2000)
    yield "SADD", "set:small", "a", "b", "", 12, rng.randbytes(20)
    yield "SADD", "set:large", *(f"member {n}" for n in range(1000))
    yield "SADD", "set:long-members", *(rng.randbytes(300) for _ in range(10))
    yield "PEXPIREAT", "set:large", YEAR_2100_MS + 3


def _hashes(rng):
    yield "HSET", "hash:small", "field", "value", "n", 12, "", "", rng.randbytes(10), rng.randbytes(30)
    yield "HSET", "hash:large", *(word for n in range(1000) for word in (f"field {n}", f"value {n}" * (n % 9)))
    yield "HSET", "hash:long-value", "field", rng.randbytes(5000)
    yield "HSET", "hash:lzf", "field", b"again and " * 300
    yield "PEXPIREAT", "hash:small", YEAR_2100_MS + 4


def _hash_field_expiries(client):
    """Where the server has them (Redis from 7.4 on)."""
    try:
        client.call("HSET", "hash:ttl:small", "kept", 1, "expires", 2, "expires too", 3)
        client.call("HPEXPIREAT", "hash:ttl:small", YEAR_2100_MS, "FIELDS", 2, "expires", "expires too")
        client.call("HSET", "hash:ttl:large", *(word for n in range(800) for word in (f"f{n}", f"v{n}")))
        client.call("HPEXPIREAT", "hash:ttl:large", YEAR_2100_MS + 5, "FIELDS", 3, "f1", "f10", "f799")
    except RespError as error:
        if "unknown command" not in str(error):
            raise


def _sorted_sets(rng):
    scores = ["inf", "-inf", 0, -1.5, 1e300, 5e-324, 3.141592653589793, 2 ** 53]
    yield "ZADD", "zset:small", *(word for n, score in enumerate(scores) for word in (score, f"member {n}"))
    yield "ZADD", "zset:large", *(word for n in range(1000) for word in (n / 7, f"member {n}"))
    yield "ZADD", "zset:long-members", *(word for n in range(5) for word in (n, rng.randbytes(200)))
    yield "GEOADD", "zset:geo", 13.4, 52.5, "berlin", 2.35, 48.85, "paris"
    yield "PEXPIREAT", "zset:large", YEAR_2100_MS + 6


def _special_strings(rng):
    yield "PFADD", "hll:sparse", *range(20)
    yield "PFADD", "hll:dense", *(rng.random() for _ in range(5000))
    yield "SETBIT", "bits", 100_000, 1


def _streams(rng):
    yield "XADD", "stream:small", "1-1", "field", "value"
    for n in range(1, 400):
        yield "XADD", "stream:large", f"{1000 + n}-{n}", "sensor", n % 7, "value", rng.random(), "note", "x" * (n % 40)
        if n % 3 == 0:
            yield "XADD", "stream:large", f"{1000 + n}-{n + 1}", "another", "shape"
    for n in (7, 8, 100, 399):
        yield "XDEL", "stream:large", f"{1000 + n}-{n}"
    yield "XTRIM", "stream:large", "MAXLEN", 450
    yield "XGROUP", "CREATE", "stream:large", "workers", 0
    yield "XGROUP", "CREATE", "stream:large", "auditors", "1050-50", "ENTRIESREAD", 60
    yield "XREADGROUP", "GROUP", "workers", "anna", "COUNT", 30, "STREAMS", "stream:large", ">"
    yield "XREADGROUP", "GROUP", "workers", "bert", "COUNT", 5, "STREAMS", "stream:large", ">"
    yield "XREADGROUP", "GROUP", "auditors", "carl", "COUNT", 3, "NOACK", "STREAMS", "stream:large", ">"
    yield "XGROUP", "CREATECONSUMER", "stream:large", "workers", "idle"
    yield "XACK", "stream:large", "workers", "1010-10", "1011-11"
    yield "XAUTOCLAIM", "stream:large", "workers", "bert", 0, 0, "COUNT", 4
    yield "XGROUP", "CREATE", "stream:empty", "group", "$", "MKSTREAM"
    yield "XADD", "stream:emptied", "5-5", "a", "b"
    yield "XDEL", "stream:emptied", "5-5"


def dump_file(case, megabytes):
    """The dump of a server with at least that much everyday data: made once a run, never changed."""
    def make(folder):
        server = case.server("--rdbcompression", "no", name=f"dump-{megabytes}")
        fill_mixed(server, megabytes)
        load_functions(server)
        path = _saved(server, folder)
        case.assertGreaterEqual(path.stat().st_size, megabytes << 20)
        return path

    return once_a_run(f"dump-{megabytes}", make)


def small_dump_file(case):
    """The dump of fill_every_type()."""
    def make(folder):
        server = case.server(name="dump-small")
        fill_every_type(server)
        return _saved(server, folder)

    return once_a_run("dump-small", make)


def _saved(server, folder):
    server.call("SAVE")
    path = folder / "dump.rdb"
    server.dump.rename(path)
    server.kill()
    return path
