# SPDX-License-Identifier: Apache-2.0
"""A CA and its certificates, made for one test (tests/servers/certificates.sh says which)."""

import subprocess
from pathlib import Path

from .servers import TOP


class Certificates:
    """What a server of this kind is started with: server is the name of its certificate, auth what it wants of clients."""

    def __init__(self, folder, server="server", auth="yes"):
        self.folder, self._server, self._auth = Path(folder), server, auth
        if not (self.folder / "ca.crt").exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            subprocess.run(["sh", str(TOP / "tests/servers/certificates.sh"), str(self.folder)], check=True)

    def path(self, name):
        return self.folder / name

    def server_options(self):
        return ["--tls-cert-file", self.path(f"{self._server}.crt"), "--tls-key-file", self.path(f"{self._server}.key"),
                "--tls-ca-cert-file", self.path("ca.crt"), "--tls-auth-clients", self._auth]

    def client_words(self, name="client"):
        """The options of remora for a client with that certificate; None: without one."""
        words = ["--tls-ca", self.path("ca.crt")]
        return words if name is None else [*words, "--tls-cert", self.path(f"{name}.crt"),
                                           "--tls-key", self.path(f"{name}.key")]
