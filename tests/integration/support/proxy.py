# SPDX-License-Identifier: Apache-2.0
"""A slow link: a TCP proxy on 127.0.0.1 that passes at most so many bytes a second on to its server, all connections
together. What comes back is not held up."""

import contextlib
import socket
import threading
import time

PIECE = 8192
BUFFER = 65536  # of a socket: what is held there has left the sender, but has not been counted


class SlowLink:
    def __init__(self, port, bytes_per_second):
        self._server, self.rate = ("127.0.0.1", port), bytes_per_second
        self._lock, self._free_at = threading.Lock(), 0.0
        self.passed = 0  # bytes, towards the server
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
            threading.Thread(target=self._carry, args=(near, far, self._wait), daemon=True).start()
            threading.Thread(target=self._carry, args=(far, near, lambda _: None), daemon=True).start()

    def _wait(self, count):
        """Until it is this piece's turn."""
        with self._lock:
            now = time.monotonic()
            self._free_at = max(self._free_at, now) + count / self.rate
            self.passed += count
            until = self._free_at
        time.sleep(max(0.0, until - now))

    def _carry(self, source, to, wait):
        """Either end closes both: half of an HTTP connection is of no use."""
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE):
                wait(len(piece))
                to.sendall(piece)
        self._end(source)
        self._end(to)

    def _end(self, connection):
        self._open.discard(connection)
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()
