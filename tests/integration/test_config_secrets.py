# SPDX-License-Identifier: Apache-2.0
"""
Secrets in configurations that are kept with a backup: they are in no stored byte and no log; and what stands in their
place keeps real servers from starting, until somebody has put them back.
"""

import re
import subprocess

from support import configs, remora, servers
from support.case import Case, per_server
from support.data import small_dump_file
from support.resp import Client, RespError

PASSWORD, MASTER, USER = "correct-horse-battery", "staple-of-the-master", "a-user's-\"quoted\"-password"
SECRETS = [PASSWORD, MASTER, USER, "module-token", "key-file-words", "sentinel-words", "hunter2"]
REDIS_CONF = f"""# requirepass hunter2
port 6379
requirepass {PASSWORD}
masterauth "{MASTER}"
masteruser replica
tls-key-file-pass key-file-words
loadmodule /opt/module.so TOKEN module-token
user worker on >hunter2 ~jobs:* +@all
rename-command CONFIG ""
"""
SENTINEL_CONF = "sentinel monitor shop 10.0.0.1 6379 2\nsentinel auth-pass shop sentinel-words\n"


class Redaction(Case):
    def kept(self, repo, *words, **options):
        """A backup, and the files in it."""
        result = self.expect(remora.OK, repo.run("backup", *words, "--log-level", "debug", **options))
        self.logs = result.err
        return configs.member(repo, result.out.decode().strip())

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def users(self, server):
        """Redis 7.0 adds a flag that is the default anyway to users of a file."""
        return sorted(line.replace(b" sanitize-payload", b"") for line in server.call("ACL", "LIST"))

    def refuses(self, program, words, *sentences):
        port, said = configs.starts(self, program, words, self.folder / "tried")
        self.assertIsNone(port, f"{program} started with {words}: {said.decode(errors='replace')}")
        for sentence in sentences:
            self.assertIn(sentence, said)

    @per_server
    def test_nothing_of_them_is_stored_or_logged(self, program):
        server = self.server("--requirepass", PASSWORD, "--masterauth", MASTER, program=program, password=PASSWORD)
        server.call("ACL", "SETUSER", "worker", "on", ">" + USER, "~*", "+@all")
        secrets = [s.encode() for s in SECRETS]
        secrets += [line.split(b"#")[1][:64] for line in server.call("ACL", "LIST") if b"#" in line]
        self.assertGreaterEqual(len(secrets), len(SECRETS) + 2)
        repo = self.repository()
        files = [self.write("redis.conf", REDIS_CONF), self.write("sentinel.conf", SENTINEL_CONF),
                 self.write("users.acl", f"user default on >{PASSWORD} ~* +@all\n")]
        found = self.kept(repo, "--redis-url", server.url, "--data-dir", server.data,
                          *(word for path in files for word in ("--with-config", path)),
                          env={"REDISCLI_AUTH": PASSWORD})
        texts = [*configs.everything(repo), ("the log", self.logs)]
        for verb in (["show", "latest"], ["show", "latest", "--json"], ["verify"],
                     ["restore", "--config-to", self.folder / "out"]):
            result = self.expect(remora.OK, repo.run(*verb, "--log-level", "debug"))
            texts.append((verb, result.out + result.err))
        for what, text in texts:
            for secret in secrets:
                self.assertNotIn(secret, text, what)
        for name in ("files/redis.conf", "files/sentinel.conf", "files/users.acl", "server/config-get.txt",
                     "server/acl-list.txt"):
            self.assertIn(configs.MARK, found[name], name)
        self.assertIn(b"masteruser replica\n", found["files/redis.conf"])
        self.assertIn(b'rename-command CONFIG ""\n', found["files/redis.conf"])

    @per_server
    def test_no_server_starts_without_them(self, program):
        """Each secret by itself: one that is left out must be enough."""
        dump = small_dump_file(self)
        repo = self.repository()
        lines = {"requirepass": f"requirepass {PASSWORD}\n", "masterauth": f"masterauth {MASTER}\n",
                 "user": "user default on >hunter2 ~* +@all\n", "quoted": "user default on '>hunter 2' ~* +@all\n",
                 "module": "loadmodule /opt/module.so hunter2\n", "unknown": "some-module.password hunter2\n",
                 "unbalanced": "user default on >hunter\"2 ~* +@all\n"}
        files = [self.write(f"{name}.conf", "port 0\n" + line) for name, line in lines.items()]
        users = {"plain": "user default on >hunter2 ~* &* +@all\n", "hash": f"user default on #{'0a' * 32} ~* +@all\n",
                 "quote": "user default on >hunter\"2 ~* +@all\n",
                 "name": "user 'a on >hunter2 +@all ~b'\n",
                 "two": "user default on >pa'ss ~* +@all >hunter2\n"}
        lists = [self.write(f"{name}.acl", line) for name, line in users.items()]
        found = self.kept(repo, "--rdb-file", dump,
                          *(word for path in files + lists for word in ("--with-config", path)))
        for name, line in lines.items():
            text = found[f"files/{name}.conf"]
            self.assertIn(configs.MARK, text)
            kept = self.folder / f"kept-{name}.conf"
            kept.write_bytes(text)
            self.refuses(program, [kept], b"line")
        for name in users:
            kept = self.folder / f"kept-{name}.acl"
            kept.write_bytes(found[f"files/{name}.acl"])
            self.assertIn(configs.MARK, kept.read_bytes())
            self.refuses(program, ["--aclfile", kept])
        # The same servers do start with the files as they were: it is the missing secret that stops them.
        for name in ("requirepass", "masterauth", "user"):
            self.assertIsNotNone(configs.starts(self, program, [self.folder / f"{name}.conf"], self.folder / "x")[0])
        for name in ("plain", "hash", "name"):
            self.assertIsNotNone(
                configs.starts(self, program, ["--aclfile", self.folder / f"{name}.acl"], self.folder / "x")[0])

    @per_server
    def test_settings_start_a_server_once_they_are_put_in(self, program):
        server = self.server("--requirepass", PASSWORD, "--maxmemory", "77mb", "--save", "900 1 300 10",
                             "--client-output-buffer-limit", "replica 128mb 32mb 30", "--notify-keyspace-events", "Ex",
                             program=program, password=PASSWORD)
        server.call("ACL", "SETUSER", "worker", "on", ">hunter2", "~jobs:*", "&news", "+@all", "-@dangerous")
        repo = self.repository()
        conf = self.write("redis.conf", "port 6379\n")
        found = self.kept(repo, "--redis-url", server.url, "--data-dir", server.data, "--with-config", conf,
                          env={"REDISCLI_AUTH": PASSWORD})
        settings = self.folder / "config-get.conf"
        settings.write_bytes(found["server/config-get.txt"])
        self.refuses(program, [settings], b"requirepass")
        text = found["server/config-get.txt"].decode()
        text = text.replace(f'requirepass "{configs.MARK.decode()}', f"requirepass {PASSWORD}")
        settings.write_text(text)
        self.refuses(program, [settings], b"user")  # the users' are still out
        text = re.sub(r"(?m)^(user default .*)" + configs.MARK.decode() + r"\S*", rf"\1>{PASSWORD}", text)
        text = re.sub(r"(?m)^(user worker .*)" + configs.MARK.decode() + r"\S*", r"\1>hunter2", text)
        self.assertNotIn(configs.MARK.decode(), text)
        settings.write_text(text)
        before = server.call("CONFIG", "GET", "*")
        users = self.users(server)
        server.kill()
        port, said = configs.starts(self, program, [settings], self.folder / "tried")
        self.assertIsNotNone(port, said.decode(errors="replace"))
        with Client(("127.0.0.1", port)) as client:
            with self.assertRaises(RespError):
                client.call("PING")
            client.call("AUTH", PASSWORD)
            after = client.call("CONFIG", "GET", "*")
            self.assertEqual(users, self.users(client))
        was, now = (dict(zip(r[::2], r[1::2])) for r in (before, after))
        changed = {name.decode() for name in was if was[name] != now.get(name)}
        self.assertLessEqual(changed, {"port", "unixsocket", "dir", "logfile", "daemonize"})

    def test_users_that_cannot_be_asked_keep_it_from_starting(self):
        """A default user without rights by ACL alone: its restrictions are not in CONFIG GET."""
        server = self.server()
        server.call("ACL", "SETUSER", "backup", "on", ">b", "+ping", "+info", "+bgsave", "+lastsave", "+config|get")
        repo = self.repository()
        found = self.kept(repo, "--redis-url", f"redis://backup:b@127.0.0.1:{server.port}", "--data-dir", server.data,
                          "--with-config", self.write("redis.conf", "port 1\n"))
        self.assertNotIn("server/acl-list.txt", found)
        self.assertIn(b"acl", found["server/acl-list.refused.txt"].lower())
        settings = self.folder / "config-get.conf"
        settings.write_bytes(found["server/config-get.txt"])
        self.refuses(servers.default(), [settings], b"NOT-KNOWN")

    def test_a_user_without_rights_is_a_note_and_no_failure(self):
        server = self.server()
        server.call("ACL", "SETUSER", "backup", "on", ">b", "+ping", "+psync", "+replconf")
        repo = self.repository()
        found = self.kept(repo, "--redis-url", f"redis://backup:b@127.0.0.1:{server.port}", "--with-config",
                          self.write("redis.conf", "port 1\n"))
        self.assertEqual({"files/INDEX.txt", "files/redis.conf", "server/config-get.refused.txt",
                          "server/acl-list.refused.txt"}, set(found))
        self.assertIn(b"+config|get", found["server/config-get.refused.txt"])
        self.assertIn(b"does not tell all of its configuration", self.logs)

    def test_renamed_commands_are_a_note_and_no_failure(self):
        server = self.server("--rename-command", "CONFIG", "", "--rename-command", "ACL", "other")
        repo = self.repository()
        found = self.kept(repo, "--redis-url", server.url, "--data-dir", server.data, "--with-config",
                          self.write("redis.conf", "port 1\n"))
        self.assertIn("server/config-get.refused.txt", found)
        self.assertIn("server/acl-list.refused.txt", found)

    def test_keep_is_byte_for_byte_but_for_the_server(self):
        server = self.server("--requirepass", PASSWORD, password=PASSWORD)
        repo = self.repository()
        conf = self.write("redis.conf", REDIS_CONF)
        odd = self.folder / "odd.bin"
        odd.write_bytes(bytes(range(256)))
        words = ["--redis-url", server.url, "--data-dir", server.data, "--with-config", conf, "--with-config", odd]
        self.expect(remora.USAGE, repo.run("backup", *words, env={"REDISCLI_AUTH": PASSWORD}), "is no text", "odd.bin")
        found = self.kept(repo, *words, "--config-secrets", "keep", env={"REDISCLI_AUTH": PASSWORD})
        self.assertEqual(conf.read_bytes(), found["files/redis.conf"])
        self.assertEqual(odd.read_bytes(), found["files/odd.bin"])
        self.assertNotIn(PASSWORD.encode(), found["server/config-get.txt"])
        self.assertNotIn(PASSWORD.encode(), self.logs)

    def test_sentinel_does_not_start_without_its_secret(self):
        repo = self.repository()
        conf = self.write("sentinel.conf", SENTINEL_CONF)
        found = self.kept(repo, "--rdb-file", small_dump_file(self), "--with-config", conf)
        kept = self.folder / "kept.conf"
        kept.write_bytes(found["files/sentinel.conf"])
        said = subprocess.run([servers.default().path, kept, "--sentinel", "--port", "0"], capture_output=True,
                              timeout=20, check=False)
        self.assertNotEqual(0, said.returncode)
        self.assertIn(b"auth-pass", said.stdout + said.stderr)
