# SPDX-License-Identifier: Apache-2.0
"""
S3 seen from outside of remora: a small client of its own, signed with Signature v4 by this file alone, and a repository
in a bucket.
"""

import base64
import datetime
import hashlib
import hmac
import http.client
import json
import os
import re
import uuid
from pathlib import Path
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from . import remora

REGION = "us-east-1"
BUCKET = "remora-integration"


class S3Error(Exception):
    """The store said no."""

    def __init__(self, status, body):
        super().__init__(f"{status} {body[:300]!r}")
        self.status = status


class Client:
    """Requests to one endpoint by one access key."""

    def __init__(self, endpoint, access_key, secret_key):
        self.endpoint, self.access_key, self.secret_key = endpoint, access_key, secret_key
        self._host = urlsplit(endpoint).netloc

    def call(self, method, path, query=None, body=b"", headers=None):
        """The answer's body; S3Error for anything but 2xx. The headers given are sent and not signed."""
        target = quote(path, safe="/-_.~")
        query_text = "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}"
                              for k, v in sorted((query or {}).items()))
        connection = http.client.HTTPConnection(self._host, timeout=60)
        try:
            connection.request(method, f"{target}?{query_text}" if query_text else target, body,
                               {**(headers or {}), **self._headers(method, target, query_text, body)})
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        if answer.status >= 300:
            raise S3Error(answer.status, data)
        return data

    def _headers(self, method, target, query, body):
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        payload = hashlib.sha256(body).hexdigest()
        signed = {"host": self._host, "x-amz-content-sha256": payload, "x-amz-date": now}
        names = ";".join(signed)
        request = "\n".join([method, target, query, *(f"{k}:{v}" for k, v in signed.items()), "", names, payload])
        scope = f"{now[:8]}/{REGION}/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        key = f"AWS4{self.secret_key}".encode()
        for word in [*scope.split("/"), text]:
            key = hmac.new(key, word.encode(), hashlib.sha256).digest()
        signed["authorization"] = (f"AWS4-HMAC-SHA256 Credential={self.access_key}/{scope}, SignedHeaders={names}, "
                                   f"Signature={key.hex()}")
        return signed

    def make_bucket(self, bucket):
        """Also when it is there and ours."""
        try:
            self.call("PUT", f"/{bucket}")
        except S3Error as error:
            if error.status != 409:
                raise

    def objects(self, bucket, prefix=""):
        """{key: size}, sorted by key."""
        found, query = {}, {"list-type": "2", "prefix": prefix}
        while True:
            text = self.call("GET", f"/{bucket}", query)
            page = ElementTree.fromstring(re.sub(rb' xmlns="[^"]*"', b"", text, count=1))
            found.update((item.findtext("Key"), int(item.findtext("Size"))) for item in page.iter("Contents"))
            if page.findtext("IsTruncated") != "true":
                return found
            query["continuation-token"] = page.findtext("NextContinuationToken")

    def get(self, bucket, key):
        return self.call("GET", f"/{bucket}/{key}")

    def set_policy(self, bucket, *statements):
        """Who may do what in it, beside its owner."""
        policy = {"Version": "2012-10-17", "Statement": list(statements)}
        self.call("PUT", f"/{bucket}", {"policy": ""}, json.dumps(policy).encode())

    def remove_bucket(self, bucket):
        self.remove_all(bucket)
        self.call("DELETE", f"/{bucket}")

    def remove_all(self, bucket, prefix=""):
        keys = list(self.objects(bucket, prefix))
        for at in range(0, len(keys), 1000):
            body = "".join(f"<Object><Key>{escape(key)}</Key></Object>" for key in keys[at:at + 1000])
            body = f"<Delete><Quiet>true</Quiet>{body}</Delete>".encode()
            digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
            answer = self.call("POST", f"/{bucket}", {"delete": ""}, body, {"Content-MD5": digest})
            if b"<Error>" in answer:
                raise S3Error(200, answer)


class Repository(remora.Repository):
    """A repository in a bucket, under a prefix of its own; endpoint: by another way than the gateway's own http."""

    def __init__(self, gateway, bucket=BUCKET, prefix=None, instance="shop", endpoint=None, ca=None, key=None):
        self.bucket, self.prefix = bucket, prefix if prefix is not None else f"it/{uuid.uuid4()}"
        super().__init__(Path(os.devnull), instance)
        self.endpoint, self.ca = endpoint or gateway.http, ca
        self.access_key, self.secret_key = key or (gateway.access_key, gateway.secret_key)
        self.gateway, self.client = gateway, gateway.client

    @property
    def words(self):
        words = ["--repo", f"s3://{self.bucket}/{self.prefix}", "--instance", self.instance,
                 "--s3-endpoint", self.endpoint]
        return words if self.ca is None else [*words, "--s3-ca", self.ca]

    @property
    def env(self):
        """The access key, and nothing of the machine's own."""
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key, "AWS_REGION": REGION,
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_CONFIG_FILE": os.devnull}

    def start(self, verb, *words, env=None, **options):
        return super().start(verb, *words, env={**self.env, **(env or {})}, **options)

    def run(self, verb, *words, env=None, **options):
        return super().run(verb, *words, env={**self.env, **(env or {})}, **options)

    def through(self, endpoint):
        """The same repository by another address."""
        return self.changed(endpoint=endpoint, ca=None)

    def changed(self, **what):
        """The same repository, but for what is given."""
        same = {"bucket": self.bucket, "prefix": self.prefix, "instance": self.instance, "endpoint": self.endpoint,
                "ca": self.ca, "key": (self.access_key, self.secret_key)}
        return Repository(self.gateway, **{**same, **what})

    def objects(self):
        """What the store itself lists below the prefix: {key without the prefix: size}."""
        found = self.client.objects(self.bucket, self.prefix + "/")
        return {key[len(self.prefix) + 1:]: size for key, size in found.items()}

    def segments(self):
        return [key for key in self.objects() if key.endswith(".zst")]

    def read(self, key):
        return self.client.get(self.bucket, f"{self.prefix}/{key}")
