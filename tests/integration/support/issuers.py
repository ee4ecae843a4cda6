# SPDX-License-Identifier: Apache-2.0
"""
Those who hand out access keys, on 127.0.0.1: AWS's token service (STS), the instance metadata service (version 2 only),
and the credentials endpoint of a container, all in one Issuer. And a Bouncer: a proxy before an S3 server that does not
let in keys that have expired.
"""

import contextlib
import datetime
import http.client
import json
import re
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

ROLE = "arn:aws:iam::123456789012:role/remora"
METADATA_TOKEN = "metadata-token-AQAEAHsecret=="
ROLES_PATH = "/latest/meta-data/iam/security-credentials/"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class _Server:
    def __init__(self, handler):
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.http.daemon_threads = True
        self.http.owner = self
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


class _IssuerHandler(_Handler):
    def date_time_string(self, timestamp=None):
        return formatdate(self.server.owner.now(), usegmt=True)

    def handle_one(self):
        issuer, body = self.server.owner, self.body()
        path = urlsplit(self.path).path
        issuer.asked.append(f"{self.command} {path}")
        if issuer.refusal is not None:
            self.answer(*issuer.refusal)
        elif self.command == "PUT" and path == "/latest/api/token":
            known = self.headers.get("x-aws-ec2-metadata-token-ttl-seconds")
            self.answer(*((200, METADATA_TOKEN.encode()) if known else (400,)))
        elif path.startswith(ROLES_PATH):
            self.metadata(issuer, path[len(ROLES_PATH):])
        elif path == "/container":
            whole = self.headers.get("Authorization") == issuer.authorization
            self.answer(*((200, issuer.json()) if whole else (401, b'{"code":"InvalidAuthorization"}')))
        elif self.command == "POST" and path == "/":
            self.token_service(issuer, {k: v[0] for k, v in parse_qs(body.decode()).items()})
        else:
            self.answer(404)

    def metadata(self, issuer, role):
        if self.headers.get("x-aws-ec2-metadata-token") != METADATA_TOKEN:
            self.answer(401)
        elif role == "":
            self.answer(200, b"node-role")
        else:
            self.answer(*((200, issuer.json()) if role == "node-role" else (404,)))

    def token_service(self, issuer, form):
        issuer.forms.append(form)
        if form.get("Action") == "AssumeRoleWithWebIdentity":
            allowed = form.get("WebIdentityToken") == issuer.web_token
        else:
            found = re.search(r"Credential=([^/]+)/\d{8}/[^/]+/sts/aws4_request", self.headers.get("Authorization", ""))
            allowed = form.get("Action") == "AssumeRole" and found and found[1] == issuer.signed_by
        if not allowed or form.get("RoleArn") != ROLE or form.get("Version") != "2011-06-15":
            self.answer(403, issuer.sts_error("AccessDenied", "Not authorized to perform this"))
            return
        access_key, secret_key, expires = issuer.hand_out()
        name = form["Action"]
        self.answer(200, f"""<{name}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{name}Result>
<Credentials><AccessKeyId>{escape(access_key)}</AccessKeyId><SecretAccessKey>{escape(secret_key)}</SecretAccessKey>
<SessionToken></SessionToken><Expiration>{expires}</Expiration></Credentials></{name}Result></{name}Response>
""".encode())

    do_GET = do_PUT = do_POST = handle_one


class Issuer(_Server):
    """The keys are handed out one after the other, the last one for ever. They are a real store's, so there is no
    session token with them."""

    def __init__(self, *keys):
        self.keys, self.handed_out = list(keys), 0
        self.lives, self.skew = 3600, 0  # seconds: of a key; of this server's clock
        self.web_token, self.authorization, self.signed_by = "web-token-secret", "container-token-secret", "BASEKEY"
        self.refusal = None  # (status, body, headers) for everything
        self.asked, self.forms = [], []
        super().__init__(_IssuerHandler)

    def now(self):
        return time.time() + self.skew

    def hand_out(self):
        """(access key, secret key, when it expires)"""
        key = self.keys[min(self.handed_out, len(self.keys) - 1)]
        self.handed_out += 1
        expires = datetime.datetime.fromtimestamp(self.now() + self.lives, datetime.timezone.utc)
        return (*key, expires.strftime("%Y-%m-%dT%H:%M:%SZ"))

    def json(self):
        access_key, secret_key, expires = self.hand_out()
        return json.dumps({"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": access_key,
                           "SecretAccessKey": secret_key, "Token": "", "Expiration": expires}).encode()

    @staticmethod
    def sts_error(code, message):
        return (f'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
                f"<Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>").encode()


class _BouncerHandler(_Handler):
    def handle_one(self):
        bouncer, body = self.server.owner, self.body()
        found = re.search(r"Credential=([^/]+)/", self.headers.get("Authorization", ""))
        key = found[1] if found else ""
        if self.command == "PUT":
            bouncer.puts[key] = bouncer.puts.get(key, 0) + 1
            time.sleep(bouncer.put_seconds)
        if bouncer.puts.get(key, 0) > bouncer.expire_after.get(key, 1 << 30):
            bouncer.turned_away += 1
            self.answer(400, b"<?xml version='1.0'?><Error><Code>ExpiredToken</Code>"
                             b"<Message>The provided token has expired.</Message></Error>")
            return
        connection = http.client.HTTPConnection("127.0.0.1", bouncer.port, timeout=60)
        with contextlib.closing(connection):
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                connection.putheader(name, value)
            connection.endheaders(body or None)
            reply = connection.getresponse()
            data = reply.read()
            kept = [(k, v) for k, v in reply.getheaders() if k.lower() not in
                    ("content-length", "transfer-encoding", "connection", "date", "server")]
            if self.command == "HEAD":
                self.send_response(reply.status)
                for name, value in [*kept, ("Content-Length", reply.headers.get("Content-Length") or "0")]:
                    self.send_header(name, value)
                self.end_headers()
            else:
                self.answer(reply.status, data, kept)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_one


class Bouncer(_Server):
    """expire_after: {access key: after so many puts}; put_seconds: how long each one is held up."""

    def __init__(self, port):
        self.port, self.expire_after, self.put_seconds = port, {}, 0
        self.puts, self.turned_away = {}, 0
        super().__init__(_BouncerHandler)
