# SPDX-License-Identifier: Apache-2.0
"""The HTTP side of the agent without an agent: tests/torture/web_demo, and asking it."""

import http.client
import json
import signal

from . import processes, remora

PROGRAM = remora.TOOLS / "torture/web_demo"
TOKEN = "a-token-for-the-tests"


def ask(port, method, path, body=None, token=None, timeout=10):
    """(status, headers, body)"""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


class Demo:
    def __init__(self, *words, listen="127.0.0.1:0"):
        self.words = words
        self.start(listen)

    def start(self, listen):
        self.process = processes.start([PROGRAM, "--listen", listen, *self.words],
                                       stdout=processes.subprocess.PIPE, stderr=processes.subprocess.DEVNULL)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"{PROGRAM} did not start (make tools)")
        self.port = int(line)
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self):
        """SIGTERM, and its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.stdout.close()
        return self.process.wait(timeout=10)

    def restart(self):
        self.stop()
        self.start(f"127.0.0.1:{self.port}")

    def ask(self, method, path, **options):
        return ask(self.port, method, path, **options)

    def get(self, path):
        status, _, body = self.ask("GET", path)
        assert status == 200, (status, body)
        return json.loads(body)
