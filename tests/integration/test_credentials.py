# SPDX-License-Identifier: Apache-2.0
"""
Every way in which a pod gets its access key, against a real store, with those who hand it out as fakes on loopback:
backup and restore alike; what expires in mid-upload; and what is said when it cannot be had.
"""

import contextlib
import os
import sys
import uuid

from support import data, gateway, issuers, remora, s3, servers
from support.case import each
from support.check_rows import CheckCase

SMALL_SEGMENTS = ["--memory", "24M", "--jobs", "2"]
NO_KEY = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
WAYS = {"access_key_file": "the access key file", "environment": "the environment", "profile": "a profile",
        "process": "a profile", "source_profile": "a profile", "credential_source": "a profile",
        "profile_web_identity": "a profile", "web_identity": "web identity", "container_token_file": "the container",
        "container_token": "the container", "metadata": "instance metadata"}


class CredentialsCase(CheckCase):
    seconds = 180  # the first one starts the gateway

    def setUp(self):
        super().setUp()
        self.gateway = gateway.shared()
        self.key = self.gateway.access_key, self.gateway.secret_key
        self.repo = s3.Repository(self.gateway, prefix=f"it/{uuid.uuid4()}")
        self.addCleanup(self.repo.client.remove_all, self.repo.bucket, self.repo.prefix)
        self.expect(remora.OK, self.repo.run("init"))
        self.issuer = self.make_issuer(self.key)
        self.token_file = self.file("token", self.issuer.web_token + "\n")

    def make_issuer(self, *keys):
        issuer = issuers.Issuer(*keys)
        self.addCleanup(issuer.close)
        return issuer

    def make_bouncer(self):
        bouncer = issuers.Bouncer(self.gateway.port)
        self.addCleanup(bouncer.close)
        return bouncer

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def config(self, text):
        return {"AWS_CONFIG_FILE": str(self.file("config", text))}

    def way(self, name):
        """(environment, words)"""
        return {**NO_KEY, **getattr(self, f"_{name}")()}, (
            ["--s3-access-key-file", self.folder / "key"] if name == "access_key_file" else [])

    def _access_key_file(self):
        self.file("key", "\n".join(self.key))
        return {}

    def _environment(self):
        return {"AWS_ACCESS_KEY_ID": self.key[0], "AWS_SECRET_ACCESS_KEY": self.key[1]}

    def _profile(self):
        return {"AWS_PROFILE": "shop", "AWS_SHARED_CREDENTIALS_FILE": str(self.file(
            "credentials", f"[shop]\naws_access_key_id = {self.key[0]}\naws_secret_access_key = {self.key[1]}\n"))}

    def _process(self):
        script = self.file("get key.py", "import json, sys\nprint(json.dumps({'Version': 1, 'AccessKeyId': sys.argv[1],"
                           f" 'SecretAccessKey': {self.key[1]!r}, 'Expiration': '2099-01-01T00:00:00Z'}}))\n")
        return self.config(f"[default]\ncredential_process = {sys.executable} '{script}' {self.key[0]}\n")

    def _source_profile(self):
        self.issuer.signed_by = "BASEKEY"
        return {"AWS_ENDPOINT_URL_STS": self.issuer.url, **self.config(
            f"[default]\nrole_arn = {issuers.ROLE}\nsource_profile = base\nexternal_id = outside\n"
            "[profile base]\naws_access_key_id = BASEKEY\naws_secret_access_key = base-secret\n")}

    def _credential_source(self):
        """Two of them in a row: the container's key signs for the role's."""
        self.issuer.keys = [("BASEKEY", "base-secret"), self.key] * 50
        return {**self._container_token(), "AWS_ENDPOINT_URL_STS": self.issuer.url, **self.config(
            f"[default]\nrole_arn = {issuers.ROLE}\ncredential_source = EcsContainer\n")}

    def _profile_web_identity(self):
        return {"AWS_ENDPOINT_URL_STS": self.issuer.url, **self.config(
            f"[default]\nrole_arn = {issuers.ROLE}\nweb_identity_token_file = {self.token_file}\n")}

    def _web_identity(self):
        return {"AWS_ENDPOINT_URL_STS": self.issuer.url, "AWS_ROLE_ARN": issuers.ROLE,
                "AWS_ROLE_SESSION_NAME": "shop-0", "AWS_WEB_IDENTITY_TOKEN_FILE": str(self.token_file)}

    def _container_token_file(self):
        return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": self.issuer.url + "/container",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(self.file("auth", self.issuer.authorization))}

    def _container_token(self):
        return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": self.issuer.url + "/container",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": self.issuer.authorization}

    def _metadata(self):
        """With a proxy that would bring what is asked of the issuer to the store: it has to be left out."""
        return {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.issuer.url + "/",
                "http_proxy": self.make_bouncer().url, "no_proxy": ""}

    def expect_no_secret(self, result):
        for secret in (self.key[1], "base-secret", self.issuer.web_token, self.issuer.authorization,
                       issuers.METADATA_TOKEN):
            self.assertNotIn(secret.encode(), result.out + result.err, result.words)
        return result


class Ways(CredentialsCase):
    @each(way=list(WAYS))
    def test_backup_and_restore(self, way):
        env, words = self.way(way)
        dump = data.small_dump_file(self)
        done = self.expect_no_secret(self.expect(remora.OK, self.repo.run(
            "backup", "--rdb-file", dump, *words, "--log-level", "debug", env=env)))
        for verb in (["list"], ["verify"]):
            self.expect_no_secret(self.expect(remora.OK, self.repo.run(*verb, *words, env=env)))
        rows = self.check(remora.OK, *self.repo.words, *words, env={**self.repo.env, **env})
        self.expect_row(rows, "repository", "credentials", "ok", WAYS[way])
        restored = self.expect(remora.OK, self.repo.run("restore", "--stdout", *words, env=env))
        self.assertEqual(dump.read_bytes(), restored.out)
        self.assertIn(done.out.decode().strip(), self.ids(self.repo))
        self.expect_asked(way)

    def expect_asked(self, way):
        """Each of the six runs asked once, in the way that the issuer knows."""
        once = {"source_profile": ["POST /"], "profile_web_identity": ["POST /"], "web_identity": ["POST /"],
                "credential_source": ["GET /container", "POST /"], "container_token": ["GET /container"],
                "container_token_file": ["GET /container"],
                "metadata": ["PUT /latest/api/token", f"GET {issuers.ROLES_PATH}",
                             f"GET {issuers.ROLES_PATH}node-role"]}
        self.assertEqual(6 * once.get(way, []), self.issuer.asked)
        for form in self.issuer.forms:
            self.assertEqual("shop-0" if way == "web_identity" else "remora", form["RoleSessionName"])
            self.assertEqual("outside" if way == "source_profile" else None, form.get("ExternalId"))

    def test_the_first_that_is_configured_wins(self):
        env = {**self._metadata(), **self._container_token(), **self._web_identity()}
        env["http_proxy"] = ""
        rows = self.check(remora.OK, *self.repo.words, env={**self.repo.env, **env})
        self.expect_row(rows, "repository", "credentials", "ok", WAYS["environment"])
        for name, dropped in (("web_identity", "AWS_WEB_IDENTITY_TOKEN_FILE"),
                              ("container_token", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
                              ("metadata", "AWS_EC2_METADATA_SERVICE_ENDPOINT")):
            rows = self.check(remora.OK, *self.repo.words, env={**self.repo.env, **env, **NO_KEY})
            self.expect_row(rows, "repository", "credentials", "ok", f"{WAYS[name]}")
            self.assertIn("for another 59m", rows["repository", "credentials"]["finding"])
            del env[dropped]


class MidUpload(CredentialsCase):
    """A dump of some twenty segments of 1 MiB, each put held up for a little."""

    seconds = 240

    def setUp(self):
        super().setUp()
        self.bouncer = self.make_bouncer()
        self.bouncer.put_seconds = 0.1
        self.dump = data.dump_file(self, 20)

    def two_keys(self):
        """A bucket of which two users may do everything, and their keys."""
        bucket, keys, names = f"it-{uuid.uuid4()}", [], []
        for _ in range(2):
            name, key = self.gateway.add_user()
            self.addCleanup(self.gateway.remove_user, name)
            names.append(name)
            keys.append(key)
        self.gateway.client.make_bucket(bucket)
        self.addCleanup(self.gateway.client.remove_bucket, bucket)
        self.gateway.client.set_policy(bucket, {
            "Effect": "Allow", "Principal": {"AWS": [f"arn:aws:iam:::user/{n}" for n in names]}, "Action": ["s3:*"],
            "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]})
        owners = s3.Repository(self.gateway, bucket=bucket)
        self.expect(remora.OK, owners.run("init"))
        return owners, keys

    def backup_by(self, repo, env, status=remora.OK, *sentences):
        result = repo.through(self.bouncer.url).run("backup", "--rdb-file", self.dump, *SMALL_SEGMENTS, "--retry-for",
                                                    "1s", env={**NO_KEY, **env})
        return self.expect_no_secret(self.expect(status, result, *sentences))

    def expect_whole(self, repo):
        self.assertEqual(1, len(self.ids(repo)))
        restored = self.expect(remora.OK, repo.run("restore", "--stdout")).out
        self.assertEqual(self.dump.read_bytes(), restored)

    def test_the_store_says_expired(self):
        """Long before its time: another key is got, once for both uploading threads, and nothing is lost."""
        repo, keys = self.two_keys()
        self.issuer.keys = keys
        self.bouncer.expire_after = {keys[0][0]: 5}
        self.backup_by(repo, self._web_identity(), remora.OK, "another one was got")
        self.assertEqual(2, self.issuer.handed_out)
        self.assertGreater(self.bouncer.turned_away, 0)
        self.assertGreater(self.bouncer.puts[keys[1][0]], 5)
        self.expect_whole(repo.changed(key=keys[1]))

    def test_the_store_says_expired_and_there_is_no_other(self):
        """The same key comes again: it ends as it began, with the store's own words, and no half of a backup."""
        self.bouncer.expire_after = {self.key[0]: 5}
        self.backup_by(self.repo, self._web_identity(), remora.STORE_DENIED, "ExpiredToken")
        self.assertEqual([], self.ids(self.repo))

    def test_the_store_says_expired_and_the_issuer_is_gone(self):
        repo, keys = self.two_keys()
        self.issuer.keys = keys
        self.bouncer.expire_after = {keys[0][0]: 5}
        env = self._container_token()
        process = repo.through(self.bouncer.url).start("backup", "--rdb-file", self.dump, *SMALL_SEGMENTS,
                                                       "--retry-for", "1s", env={**NO_KEY, **env})
        with contextlib.suppress(TimeoutError):
            while self.issuer.handed_out == 0 and process.poll() is None:
                os.sched_yield()
        self.issuer.refusal = (403, b"")
        self.expect(remora.STORE_DENIED, remora.finish(process), "ExpiredToken", "container", "answered 403")
        self.assertEqual([], self.ids(repo))

    def test_renewed_ahead_of_its_end(self):
        """Keys of 4 s: after 2 s another one is got, with the token as it is in its file then."""
        self.issuer.lives = 4
        self.bouncer.put_seconds = 0.6
        fresh = self.issuer.hand_out
        self.issuer.tokens = []

        def hand_out():
            self.issuer.tokens.append(self.issuer.web_token)
            self.issuer.web_token = f"token-number-{len(self.issuer.tokens)}"
            self.token_file.write_text(self.issuer.web_token)
            return fresh()

        self.issuer.hand_out = hand_out
        self.backup_by(self.repo, self._web_identity())
        self.assertGreaterEqual(self.issuer.handed_out, 3)
        self.assertEqual(self.issuer.handed_out, len(set(self.issuer.tokens)))
        self.assertEqual(0, self.bouncer.turned_away)
        self.expect_whole(self.repo)

    @each(hours=[-30, 30])
    def test_an_issuer_with_another_clock(self, hours):
        """What counts is how long a key lives, by its clock: it is got once."""
        self.issuer.skew = hours * 3600
        self.backup_by(self.repo, self._metadata() | {"http_proxy": ""})
        self.assertEqual(1, self.issuer.handed_out)
        self.expect_whole(self.repo)


class Failures(CredentialsCase):
    """A link that is configured and fails is named, with what came back; the next one is not asked instead."""

    def fail(self, env, status, *sentences):
        began = len(self.issuer.asked)
        result = self.repo.run("list", "--retry-for", "1s", "--log-level", "debug",
                               env={**self._metadata(), "http_proxy": "", **NO_KEY, **env})
        self.expect_no_secret(self.expect(status, result, *sentences))
        return self.issuer.asked[began:]

    def closed(self):
        return f"http://127.0.0.1:{servers.free_port()}"

    def test_token_service(self):
        env = self._web_identity()
        self.token_file.write_text("an-old-token")
        self.assertEqual(["POST /"], self.fail(env, remora.STORE_DENIED, "web identity", "403 (AccessDenied"))
        for refusal, status, words in (
                ((400, self.issuer.sts_error("ExpiredTokenException", "Token expired")), remora.STORE_DENIED,
                 "ExpiredTokenException: Token expired"),
                ((503, b"busy"), remora.STORAGE, "answered 503"),
                ((400, self.issuer.sts_error("IDPCommunicationError", "later")), remora.STORAGE, "IDPCommunication"),
                ((200, b"<html>"), remora.STORE_DENIED, "not with a key"),
                ((302, b"", [("Location", self.issuer.url + "/container")]), remora.STORE_DENIED, "redirects")):
            self.issuer.refusal = refusal
            self.assertEqual({"POST /"}, set(self.fail(env, status, "web identity", words)))
        self.issuer.refusal = None
        self.fail({**env, "AWS_ENDPOINT_URL_STS": self.closed()}, remora.STORAGE, "web identity", "cannot be reached")
        self.token_file.unlink()
        self.assertEqual([], self.fail(env, remora.STORE_DENIED, "web identity", "token"))

    def test_container(self):
        env = self._container_token()
        wrong = {**env, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "another"}
        self.assertEqual(["GET /container"], self.fail(wrong, remora.STORE_DENIED, "container", "answered 401"))
        self.issuer.refusal = (200, b"x" * 100_000)
        self.fail(env, remora.STORE_DENIED, "container", "JSON")
        self.issuer.refusal = (200, b"{}")
        self.fail(env, remora.STORE_DENIED, "container", "without a key")
        self.issuer.refusal = None
        away = {**env, "AWS_CONTAINER_CREDENTIALS_FULL_URI": self.closed()}
        self.fail(away, remora.STORAGE, "container", "cannot be reached")
        self.fail({**env, "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://192.0.2.1/"}, remora.USAGE, "refused")

    def test_metadata(self):
        self.assertEqual([], self.fail({"AWS_EC2_METADATA_DISABLED": "true"}, remora.STORE_DENIED,
                                       "there is no access key", "AWS_ACCESS_KEY_ID"))
        self.issuer.refusal = (404,)
        self.fail({}, remora.STORE_DENIED, "there is no access key", "instance metadata")
        self.issuer.refusal = (500,)
        self.fail({}, remora.STORAGE, "instance metadata", "answered 500")
        self.fail({"AWS_EC2_METADATA_SERVICE_ENDPOINT": self.closed()}, remora.STORAGE, "cannot be reached")

    def test_profile(self):
        for text, status, words in (
                ("credential_process = false", remora.STORE_DENIED, "exit status 1"),
                ("credential_process = echo base-secret", remora.STORE_DENIED, "Version"),
                ("sso_start_url = https://x", remora.UNSUPPORTED, "single sign-on"),
                ("role_arn = x\nsource_profile = default", remora.USAGE, "source_profile")):
            self.assertEqual([], self.fail(self.config(f"[default]\n{text}\n"), status, "profile default", words))
