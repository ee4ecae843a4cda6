# SPDX-License-Identifier: Apache-2.0
"""A password is in no output, no log, no object of the repository and not in the list of processes."""

import signal
import time

from support import processes, remora
from support.case import Case
from support.repository import objects

SECRET = "correct-horse-battery"


class Secrets(Case):
    def setUp(self):
        super().setUp()
        self.redis = self.server("--requirepass", SECRET, password=SECRET)
        self.redis.call("SET", "key", "value")
        self.password_file = self.folder / "password"
        self.password_file.write_text(SECRET)
        self.host = f"127.0.0.1:{self.redis.port}"

    def ways(self):
        """(words, environment): each way to give the password."""
        plain = f"redis://{self.host}"
        yield ["--redis-url", f"redis://:{SECRET}@{self.host}"], {}
        yield ["--redis-url", f"redis://default:{SECRET}@{self.host}"], {}
        yield [f"--redis-url=redis://:{SECRET}@{self.host}"], {}
        yield ["--redis-url", f"unix://:{SECRET}@{self.redis.socket}"], {}
        yield ["--redis-url", plain, "--redis-password-file", self.password_file], {}
        yield ["--redis-url", plain], {"REDISCLI_AUTH": SECRET}
        yield [], {"REMORA_REDIS_URL": f"redis://:{SECRET}@{self.host}"}
        yield ["--redis-url", plain], {"REMORA_REDIS_PASSWORD_FILE": str(self.password_file)}

    def run_backup(self, repo, words, env, *more):
        return repo.run("backup", "--data-dir", self.redis.data, *words, *more, "--log-level", "debug", "--json",
                        env=env)

    def check_silent(self, what, *texts):
        for text in texts:
            self.assertNotIn(SECRET.encode(), text, what)

    def test_when_all_is_well(self):
        repo = self.repository()
        for words, env in self.ways():
            for log_format in ("text", "json"):
                result = self.run_backup(repo, words, env, "--log-format", log_format)
                self.expect(remora.OK, result)
                self.check_silent(words, result.out, result.err)
        for verb in (["list"], ["show", "latest"], ["show", "latest", "--json"], ["verify"]):
            result = self.expect(remora.OK, repo.run(*verb, "--log-level", "debug"))
            self.check_silent(verb, result.out, result.err)
        for path in objects(repo.path):
            self.check_silent(path, path.read_bytes())

    def test_when_it_fails(self):
        repo = self.repository()
        self.redis.call("CONFIG", "SET", "requirepass", "changed")
        self.redis.password = "changed"
        for words, env in self.ways():
            result = self.expect(remora.SERVER_DENIED, self.run_backup(repo, words, env))
            self.check_silent(words, result.out, result.err)
        self.redis.kill()
        for words, env in self.ways():
            result = self.expect(remora.SERVER, self.run_backup(repo, words, env, "--timeout", "2s"))
            self.check_silent(words, result.out, result.err)

    def test_in_urls_that_are_wrong(self):
        repo = self.repository()
        for url in (f"redis://:{SECRET}@:bad:port", f"redis://user:{SECRET}@host:99999999", f"rediss://:{SECRET}@host",
                    f"redis:/:{SECRET}@host", f"http://user:{SECRET}@host/", f"redis://:{SECRET}%zz@host"):
            for words, env in ((["--redis-url", url], {}), ([], {"REMORA_REDIS_URL": url})):
                result = self.run_backup(repo, words, env)
                self.assertIn(result.status, (remora.USAGE, remora.UNSUPPORTED, remora.SERVER), result)
                self.check_silent(url, result.out, result.err)

    def test_in_the_list_of_processes(self):
        """While it runs: the command line of a URL with a password is overwritten at the start."""
        repo = self.repository()
        with self.redis.client() as client:
            client.calls(("SET", n, n) for n in range(1000))
        self.redis.config("rdb-key-save-delay", 10_000)
        for words, env in self.ways():
            self.redis.wait_for("persistence", "rdb_bgsave_in_progress", "0")
            process = repo.start("backup", "--data-dir", self.redis.data, *words, env=env)
            self.addCleanup(processes.end, process)
            self.redis.wait_for("persistence", "rdb_bgsave_in_progress", "1")
            with open(f"/proc/{process.pid}/cmdline", "rb") as f:
                self.check_silent(words, f.read())
            process.send_signal(signal.SIGTERM)
            remora.finish(process)
            for pid in processes.children(self.redis.process.pid):
                processes.kill_quietly(pid)
            time.sleep(0.05)
