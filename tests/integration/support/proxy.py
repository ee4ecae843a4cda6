# SPDX-License-Identifier: Apache-2.0
"""TCP proxies on 127.0.0.1 before a server. What comes back is passed on as it is; a SlowLink holds up what goes there,
a RequestLog writes down which HTTP requests it was."""

import contextlib
import re
import socket
import threading
import time

PIECE = 8192
BUFFER = 65536  # of a socket: what is held there has left the sender, but has not been counted


class Link:
    def __init__(self, port):
        self._server, self._lock = ("127.0.0.1", port), threading.Lock()
        self._open = set()
        self._listener = socket.socket()
        # Inherited by the connections: a large one would take in a whole segment at once.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(64)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):
            self._end(connection)

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self._server, timeout=10)
                far.settimeout(None)
            except OSError:
                near.close()  # the server is down: so is the link
                continue
            self._open |= {near, far}
            threading.Thread(target=self._carry, args=(near, far, self.watch()), daemon=True).start()
            threading.Thread(target=self._carry, args=(far, near, lambda _: None), daemon=True).start()

    def watch(self):
        """For a new connection: what is called with each piece before it goes to the server."""
        raise NotImplementedError

    def _carry(self, source, to, see):
        """Either end closes both: half of an HTTP connection is of no use."""
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE):
                see(piece)
                to.sendall(piece)
        self._end(source)
        self._end(to)

    def _end(self, connection):
        self._open.discard(connection)
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()


class SlowLink(Link):
    """At most so many bytes a second towards the server, all connections together."""

    def __init__(self, port, bytes_per_second):
        self.rate, self._free_at = bytes_per_second, 0.0
        self.passed = 0  # bytes, towards the server
        super().__init__(port)

    def watch(self):
        return self._wait

    def _wait(self, piece):
        """Until it is this piece's turn."""
        with self._lock:
            now = time.monotonic()
            self._free_at = max(self._free_at, now) + len(piece) / self.rate
            self.passed += len(piece)
            until = self._free_at
        time.sleep(max(0.0, until - now))


class RequestLog(Link):
    """Every request's method and target, in the order they came."""

    LINE = re.compile(rb"(GET|HEAD|PUT|POST|DELETE) (/[^ \r\n]*) HTTP/1\.[01]\r\n")
    LONGEST = 4096  # of such a line

    def __init__(self, port):
        self.requests = []
        super().__init__(port)

    def watch(self):
        seen = b""  # a line may lie in two pieces

        def see(piece):
            nonlocal seen
            seen += piece
            end = 0
            for line in self.LINE.finditer(seen):
                with self._lock:
                    self.requests.append((line[1].decode(), line[2].decode()))
                end = line.end()
            seen = seen[max(end, len(seen) - self.LONGEST):]

        return see

    def take(self):
        """What came since the last call."""
        with self._lock:
            taken, self.requests = self.requests, []
        return taken
