# SPDX-License-Identifier: Apache-2.0
"""Dumps made by hand: for what no server here writes."""

_POLYNOMIAL = 0x95AC9329AC4BC9B5


def _table():
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (_POLYNOMIAL if crc & 1 else 0)
        table.append(crc)
    return table


_TABLE = _table()


def crc64(data):
    crc = 0
    for byte in data:
        crc = (crc >> 8) ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc


assert crc64(b"123456789") == 0xE9C6D914C4B8D9CA


def string(data):
    assert len(data) < 64
    return bytes([len(data)]) + data


def key(name, value=b"value", kind=0):
    """One key of database 0; kind is the byte of its type."""
    return bytes([kind]) + string(name) + value


def dump(*keys, magic=b"REDIS0011", checksum=True):
    body = magic + b"\xfe\x00" + b"".join(keys) + b"\xff"
    return body + (crc64(body) if checksum else 0).to_bytes(8, "little")
