# SPDX-License-Identifier: Apache-2.0
"""A real S3 store: what is wrong with it is told by its own exit status and sentence, and no secret is ever told."""

import uuid

from support import data, gateway, remora, s3, servers
from support.case import Case
from support.check_rows import CheckCase

WRONG_SECRET = "wrong/secret+key/of/forty/bytes/00000000"
REPOSITORY_ROWS = ("credentials", "reachable", "marker", "clock", "instance", "writable", "create-only", "removable", "latest")


class S3Case(Case):
    seconds = 180  # the first one starts the gateway

    def setUp(self):
        super().setUp()
        self.gateway = gateway.shared()

    def repository(self, name="repo", instance="shop"):
        """In the store, with one instance."""
        repo = s3.Repository(self.gateway, prefix=f"it/{uuid.uuid4()}/{name}", instance=instance)
        self.addCleanup(self.gateway.client.remove_all, repo.bucket, repo.prefix)
        self.expect(remora.OK, repo.run("init"))
        return repo

    def closed_port(self):
        return f"http://127.0.0.1:{servers.free_port()}"

    def bucket_for(self, *rights):
        """A bucket of its own, and the access key of a user who has these rights in it, and no others."""
        bucket = f"it-{uuid.uuid4()}"
        name, key = self.gateway.add_user()
        self.addCleanup(self.gateway.remove_user, name)
        self.gateway.client.make_bucket(bucket)
        self.addCleanup(self.gateway.client.remove_bucket, bucket)
        if rights:
            self.gateway.client.set_policy(bucket, {
                "Effect": "Allow", "Principal": {"AWS": [f"arn:aws:iam:::user/{name}"]}, "Action": list(rights),
                "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]})
        return bucket, key


class S3ExitStatus(S3Case):
    """Missing is 3, denied is 7, unreachable is 6: each in its own words, by every command, and without the secret."""

    def commands(self):
        yield "list", []
        yield "backup", ["--rdb-file", data.small_dump_file(self)]
        yield "restore", ["--target", self.empty_folder(f"target-{uuid.uuid4()}")]
        yield "check", []

    def fail_everywhere(self, repo, status, *sentences):
        """Every command, in all of its outputs."""
        for verb, words in self.commands():
            with self.subTest(verb=verb, repo=repo.words):
                for form in ([], ["--json", "--log-format", "json"]):
                    result = repo.run(verb, *words, *form, "--log-level", "debug", "--retry-for", "1s")
                    self.expect(status, result, *sentences)
                    for secret in (repo.secret_key, self.gateway.secret_key):
                        self.assertNotIn(secret.encode(), result.out + result.err)

    def test_3_no_such_bucket(self):
        repo = s3.Repository(self.gateway, bucket=f"it-{uuid.uuid4()}")
        self.fail_everywhere(repo, remora.NOT_FOUND, "there is no bucket")

    def test_3_no_repository_in_the_bucket(self):
        repo = s3.Repository(self.gateway)
        self.fail_everywhere(repo, remora.NOT_FOUND, "is not a repository", "remora init")
        self.assertEqual({}, repo.objects())

    def test_3_no_such_instance_and_no_such_backup(self):
        repo = self.repository()
        self.fail_everywhere(repo.changed(instance="shpo"), remora.NOT_FOUND, "shpo")
        for words in (["show", "latest"], ["verify"], ["restore", "--appendonly", "no", "--target",
                                                       self.empty_folder()],
                      ["show", "20200101T000000Z-abcdef"]):
            self.expect(remora.NOT_FOUND, repo.run(*words))

    def test_7_wrong_secret(self):
        repo = self.repository()
        before = repo.objects()
        for bucket, prefix in ((repo.bucket, repo.prefix), (repo.bucket, "nothing/here"), (f"it-{uuid.uuid4()}", "x")):
            wrong = repo.changed(bucket=bucket, prefix=prefix, key=(self.gateway.access_key, WRONG_SECRET))
            self.fail_everywhere(wrong, remora.STORE_DENIED, "SignatureDoesNotMatch", "check the secret")
        self.assertEqual(before, repo.objects())

    def test_7_unknown_access_key(self):
        repo = self.repository().changed(key=("REMORANOBODYKNOWSIT0", WRONG_SECRET))
        self.fail_everywhere(repo, remora.STORE_DENIED, "InvalidAccessKeyId", "does not know this access key")

    def test_7_a_user_without_rights(self):
        bucket, key = self.bucket_for()
        owners = s3.Repository(self.gateway, bucket=bucket)
        self.expect(remora.OK, owners.run("init"))
        self.fail_everywhere(owners.changed(key=key), remora.STORE_DENIED, "AccessDenied", "allowed")
        self.fail_everywhere(owners.changed(key=key, prefix="nothing/here"), remora.STORE_DENIED, "AccessDenied")

    def test_6_unreachable(self):
        repo = s3.Repository(self.gateway, endpoint=self.closed_port())
        self.fail_everywhere(repo, remora.STORAGE, "cannot be reached", "check the endpoint")

    def test_6_a_certificate_that_is_not_trusted(self):
        repo = s3.Repository(self.gateway, endpoint=self.gateway.https, ca=self.gateway.other_ca)
        self.fail_everywhere(repo, remora.STORAGE, "certificate")

    def test_7_without_the_right_to_list(self):
        """A missing object is then denied, too: nothing is called missing, and no half of a backup stays."""
        bucket, key = self.bucket_for("s3:GetObject", "s3:PutObject", "s3:DeleteObject")
        owners = s3.Repository(self.gateway, bucket=bucket)
        self.expect(remora.OK, owners.run("init"))
        backup_id = self.backup(owners, "--rdb-file", data.small_dump_file(self))
        before = owners.objects()
        limited = owners.changed(key=key)
        target = self.empty_folder()
        for words in (["list"], ["restore", "--appendonly", "no", "--target", target], ["verify"]):
            self.expect(remora.STORE_DENIED, limited.run(*words), "AccessDenied")
        result = limited.run("backup", "--rdb-file", data.small_dump_file(self))
        self.expect(remora.STORE_DENIED, result, "AccessDenied")
        self.assertEqual([backup_id], self.ids(owners))
        self.assertEqual(before, owners.objects())


class S3Secrets(S3Case):
    def test_no_secret_in_any_output_or_object(self):
        repo = self.repository()
        key_file = self.folder / "key"
        key_file.write_text(f"{repo.access_key}\n{repo.secret_key}\n")
        credentials = self.folder / "credentials"
        credentials.write_text(f"[shop]\naws_access_key_id = {repo.access_key}\n"
                               f"aws_secret_access_key = {repo.secret_key}\n")
        none = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
        ways = [({}, []), (none, ["--s3-access-key-file", key_file]),
                ({**none, "REMORA_S3_ACCESS_KEY_FILE": str(key_file)}, []),
                ({**none, "AWS_PROFILE": "shop", "AWS_SHARED_CREDENTIALS_FILE": str(credentials)}, [])]
        for env, words in ways:
            for verb in (["backup", "--rdb-file", data.small_dump_file(self)], ["list"], ["show", "latest"], ["verify"],
                         ["check"], ["restore", "--appendonly", "no", "--target",
                                     self.empty_folder(f"target-{uuid.uuid4()}")]):
                for form in ([], ["--json", "--log-format", "json"]):
                    if verb[0] == "restore" and form:
                        continue  # the target holds data by now
                    result = repo.run(*verb, *words, *form, "--log-level", "debug", env=env)
                    self.expect(remora.OK, result)
                    self.assertNotIn(repo.secret_key.encode(), result.out + result.err, verb)
        self.assertEqual(2 * len(ways), len(self.ids(repo)))
        for name in repo.objects():
            self.assertNotIn(repo.secret_key.encode(), repo.read(name))


class S3Check(S3Case, CheckCase):
    def rows_of(self, status, repo):
        rows = self.check(status, *repo.words, "--retry-for", "1s", env=repo.env)
        self.assertEqual({"repository"}, {area for area, _ in rows})
        return rows

    def test_all_is_well(self):
        repo = self.repository()
        backup_id = self.backup(repo, "--rdb-file", data.small_dump_file(self))
        before = repo.objects()
        for way in (repo, repo.changed(endpoint=self.gateway.https, ca=self.gateway.ca)):
            rows = self.rows_of(remora.OK, way)
            self.assertEqual({("repository", name): "ok" for name in REPOSITORY_ROWS},
                             {key: row["verdict"] for key, row in rows.items()})
            self.expect_row(rows, "repository", "latest", "ok", backup_id)
        self.assertEqual(before, repo.objects())

    def test_denied(self):
        repo = self.repository()
        rows = self.rows_of(remora.STORE_DENIED, repo.changed(key=(repo.access_key, WRONG_SECRET)))
        self.assertEqual([("repository", "reachable")], self.failures(rows))
        self.expect_row(rows, "repository", "reachable", "fail", "SignatureDoesNotMatch")
        self.assertIn("credentials", rows["repository", "reachable"]["remedy"])

    def test_unreachable(self):
        rows = self.rows_of(remora.STORAGE, s3.Repository(self.gateway, endpoint=self.closed_port()))
        self.assertEqual([("repository", "reachable")], self.failures(rows))
        self.expect_row(rows, "repository", "reachable", "fail", "cannot be reached")
        self.assertIn("network", rows["repository", "reachable"]["remedy"])

    def test_missing(self):
        rows = self.rows_of(remora.NOT_FOUND, s3.Repository(self.gateway, bucket=f"it-{uuid.uuid4()}"))
        self.assertEqual([("repository", "reachable")], self.failures(rows))
        self.expect_row(rows, "repository", "reachable", "fail", "there is no bucket")
        rows = self.rows_of(remora.NOT_FOUND, s3.Repository(self.gateway))
        self.assertEqual([("repository", "marker")], self.failures(rows))
        self.assertIn("remora init", rows["repository", "marker"]["remedy"])

    def test_rights_that_are_too_few(self):
        """May it only read: no probe can be put. May it put and not remove: a warning, and the probe is named."""
        for rights, status, verdicts in (
                (["s3:GetObject", "s3:ListBucket"], remora.STORE_DENIED, {"reachable": "ok", "writable": "fail"}),
                (["s3:GetObject", "s3:ListBucket", "s3:PutObject"], remora.OK, {"writable": "ok", "removable": "warn"}),
        ):
            with self.subTest(rights):
                bucket, key = self.bucket_for(*rights)
                owners = s3.Repository(self.gateway, bucket=bucket)
                self.expect(remora.OK, owners.run("init"))
                rows = self.rows_of(status, owners.changed(key=key))
                for name, verdict in verdicts.items():
                    self.expect_row(rows, "repository", name, verdict)
