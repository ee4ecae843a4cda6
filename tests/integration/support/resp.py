# SPDX-License-Identifier: Apache-2.0
"""A small RESP2 client: enough to fill a server and to ask it questions. Replies are bytes, int, None or lists."""

import socket


class RespError(Exception):
    """The server answered with an error."""


class Client:
    """One connection to address: ("127.0.0.1", port) or the path of a Unix socket."""

    def __init__(self, address, timeout=120):
        if isinstance(address, tuple):
            self._socket = socket.create_connection(address, timeout=timeout)
        else:
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.settimeout(timeout)
            try:
                self._socket.connect(address)
            except OSError:
                self._socket.close()
                raise
        self._input = self._socket.makefile("rb")

    def close(self):
        self._input.close()
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, *words):
        self._socket.sendall(_encode(words))

    def call(self, *words):
        self.send(*words)
        return self.receive()

    def calls(self, commands):
        """All commands down the pipe, then their replies; errors are raised at the end, the first of them."""
        commands = list(commands)
        self._socket.sendall(b"".join(_encode(words) for words in commands))
        replies, failure = [], None
        for _ in commands:
            try:
                replies.append(self.receive())
            except RespError as error:
                replies.append(error)
                failure = failure or error
        if failure:
            raise failure
        return replies

    def receive(self):
        line = self._input.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest
        if kind == b"-":
            raise RespError(rest.decode(errors="replace"))
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return self._bulk(int(rest))
        if kind == b"*":
            return None if int(rest) < 0 else [self._element() for _ in range(int(rest))]
        raise ConnectionError(f"not RESP: {line[:40]!r}")

    def _element(self):
        try:
            return self.receive()
        except RespError as error:
            return error

    def _bulk(self, length):
        if length < 0:
            return None
        data = self._input.read(length + 2)
        if len(data) != length + 2:
            raise ConnectionError("the server closed the connection")
        return data[:-2]


def _encode(words):
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        data = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(parts)
