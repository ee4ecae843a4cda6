# SPDX-License-Identifier: Apache-2.0
"""The HTTP side of the agent, `remora trigger`, and docs/openapi.json against what is answered."""

import json
import re
import resource
import signal
import socket
import ssl
import subprocess
import threading
import time

from support import remora
from support.agents import Agent
from support.case import Case, limit
from support.certificates import Certificates
from support.servers import TOP
from support.web_demo import PROGRAM, TOKEN, Demo, ask

BACKUP_ID = re.compile(r"^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}$")


class HttpCase(Case):
    def setUp(self):
        super().setUp()
        self.token_file = self.folder / "token"
        self.token_file.write_text(TOKEN + "\n", encoding="ascii")

    def demo(self, *words, token=True):
        demo = Demo(*(["--token-file", self.token_file] if token else []), *words)
        self.addCleanup(demo.stop)
        return demo

    def wait_for(self, look, seconds=30):
        deadline = time.monotonic() + seconds
        while not look():
            self.assertLess(time.monotonic(), deadline, "it did not come to that")
            time.sleep(0.05)


# ---- the document ----------------------------------------------------------------------------------------------------

class Schemas:
    """As much of OpenAPI 3.0 as docs/openapi.json uses; a member that is not described is an error."""

    KNOWN = {"type", "description", "required", "properties", "additionalProperties", "items", "enum", "pattern",
             "format", "nullable", "allOf", "$ref", "minimum", "maximum", "default"}
    TYPES = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list}

    def __init__(self, document):
        self.document = document
        self.seen = set()

    def follow(self, schema):
        if "$ref" not in schema:
            return schema
        node = self.document
        for word in schema["$ref"].removeprefix("#/").split("/"):
            node = node[word]
        return node

    def problems(self, schema, value, where="$"):
        self.seen.add(schema.get("$ref"))
        schema = self.follow(schema)
        unknown = set(schema) - self.KNOWN
        if unknown:
            yield f"{where}: the schema has {unknown}, which this test does not know"
        if value is None:
            if not schema.get("nullable"):
                yield f"{where}: null"
            return
        for part in schema.get("allOf", []):
            yield from self.problems(part, value, where)
        if "type" not in schema:
            return
        kind = self.TYPES[schema["type"]]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            yield f"{where}: {value!r} is no {schema['type']}"
        elif kind is dict:
            yield from self.of_object(schema, value, where)
        elif kind is list:
            for number, item in enumerate(value):
                yield from self.problems(schema["items"], item, f"{where}[{number}]")
        elif "enum" in schema and value not in schema["enum"]:
            yield f"{where}: {value!r} is none of {schema['enum']}"
        elif "pattern" in schema and not re.search(schema["pattern"], value):
            yield f"{where}: {value!r} does not match"
        elif schema.get("format") == "date-time" and not re.fullmatch(r"\d{4}(-\d\d){2}T\d\d(:\d\d){2}Z", value):
            yield f"{where}: {value!r} is no time"
        elif value < schema.get("minimum", value):
            yield f"{where}: {value!r} is too little"

    def of_object(self, schema, value, where):
        properties = schema.get("properties", {})
        more = schema.get("additionalProperties", False)
        for name in set(properties) - set(value):
            if name in schema.get("required", []):
                yield f"{where}: {name} is missing"
        for name, inner in value.items():
            if name in properties:
                yield from self.problems(properties[name], inner, f"{where}.{name}")
            elif more is False:
                yield f"{where}: {name} is not in the document"
            elif more is not True:
                yield from self.problems(more, inner, f"{where}.{name}")


class Document(HttpCase):
    def setUp(self):
        super().setUp()
        self.document = json.loads((TOP / "docs/openapi.json").read_text(encoding="utf-8"))
        self.schemas = Schemas(self.document)

    def operation(self, method, path):
        for pattern, methods in self.document["paths"].items():
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), path):
                return methods[method.lower()]
        self.fail(f"{path} is not in the document")

    def check(self, demo, method, path, status, **options):
        """Ask, and hold the answer against the document."""
        got, headers, body = ask(demo.port, method, path, **options)
        self.assertEqual(status, got, (method, path, body))
        answers = self.operation(method, path.partition("?")[0])["responses"]
        self.assertIn(str(status), answers, (method, path))
        content = answers[str(status)]["content"]
        kind = headers["Content-Type"].partition(";")[0]
        self.assertIn(kind, content, path)
        for name in answers[str(status)].get("headers", {}):
            self.assertIn(name, headers)
        if kind == "application/json":
            value = json.loads(body)
            self.assertEqual([], list(self.schemas.problems(content[kind]["schema"], value)), path)
            return value
        return body

    def test_every_route_is_in_it_and_nothing_else(self):
        printed = subprocess.run([PROGRAM, "--routes"], capture_output=True, text=True, check=True).stdout
        served = {tuple(line.split()) for line in printed.splitlines()}
        written = set()
        for path, methods in self.document["paths"].items():
            written |= {(method.upper(), re.sub(r"\{\w+\}$", "", path)) for method in methods}
        self.assertEqual(served, written)
        self.assertGreater(len(served), 5)

    def test_every_answer_is_as_it_says(self):
        demo = self.demo("--job-ms", "3000")
        for path in ("/", "/healthz", "/readyz", "/metrics", "/api/v1/status", "/api/v1/backups",
                     "/api/v1/backups?limit=200"):
            self.check(demo, "GET", path, 200)
        self.check(demo, "GET", "/api/v1/backups?limit=0", 400)
        self.check(demo, "GET", "/api/v1/jobs/0123456789abcdef", 404)
        self.check(demo, "POST", "/api/v1/backups", 401, token="not-the-token-at-all")
        self.check(demo, "POST", "/api/v1/backups", 400, token=TOKEN, body='{"reason":"x"}')
        self.check(demo, "POST", "/api/v1/backups", 413, token=TOKEN, body=" " * 5000)
        made = self.check(demo, "POST", "/api/v1/backups", 202, token=TOKEN, body="{}")
        path = f"/api/v1/jobs/{made['job']['id']}"
        self.wait_for(lambda: self.check(demo, "GET", path, 200)["job"]["state"] == "running")
        self.assertEqual(1, len(self.check(demo, "GET", "/api/v1/status", 200)["running"]))
        queued = self.check(demo, "POST", "/api/v1/backups", 202, token=TOKEN)
        joined = self.check(demo, "POST", "/api/v1/backups", 202, token=TOKEN)
        self.assertEqual((False, True), (queued["joined"], joined["joined"]))
        self.assertEqual(queued["job"]["id"], joined["job"]["id"])
        self.assertEqual(1, len(self.check(demo, "GET", "/api/v1/status", 200)["queued"]))
        self.wait_for(lambda: self.check(demo, "GET", path, 200)["job"]["state"] == "succeeded")
        job = self.check(demo, "GET", path, 200)["job"]
        self.assertEqual(0, job["exit_status"])
        self.assertRegex(job["backup_id"], BACKUP_ID)
        self.check(self.demo(token=False), "POST", "/api/v1/backups", 403, token=TOKEN)
        self.token_file.unlink()
        self.check(demo, "POST", "/api/v1/backups", 503, token=TOKEN)
        missed = {f"#/components/schemas/{name}" for name in self.document["components"]["schemas"]} - self.schemas.seen
        self.assertEqual(set(), missed, "schemas that no answer was held against")

    def test_a_real_agent_answers_so_too(self):
        server, repo = self.server("--repl-diskless-sync-delay", "0"), self.repository()
        agent = Agent(self, repo, "--redis-url", server.unix_url, "--verify-schedule", "@every 24h")
        job = agent.finish(agent.trigger()["id"])
        self.assertEqual("succeeded", job["state"])
        agent.wait("the backup is not shown", lambda: job["backup_id"] in str(agent.get("/api/v1/backups")))
        for path in ("/", "/healthz", "/readyz", "/metrics", "/api/v1/status", "/api/v1/backups",
                     f"/api/v1/jobs/{job['id']}"):
            self.check(agent, "GET", path, 200)

    def test_the_check_itself_finds_what_is_wrong(self):
        good = self.demo().get("/api/v1/status")
        schema = {"$ref": "#/components/schemas/Status"}
        self.assertEqual([], list(self.schemas.problems(schema, good)))
        for change in ({"more": 1}, {"instance": None}, {"serving": 1}, {"now": "today"}, {"expect_every_ms": -1},
                       {"health": {"state": "fine", "sentence": ""}}, {"server": {}}):
            self.assertNotEqual([], list(self.schemas.problems(schema, {**good, **change})), change)
        del good["version"]
        self.assertNotEqual([], list(self.schemas.problems(schema, good)))


# ---- load ------------------------------------------------------------------------------------------------------------

class SlowClients:
    """A third asks for much and reads nothing, a third never comes to the end of its headers, a third says nothing."""

    COUNT = 500

    def __init__(self, case, port):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < 2000:
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(2000, hard), hard))
            case.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.clients, self.ended = [], threading.Event()
        for number in range(self.COUNT):
            client = socket.create_connection(("127.0.0.1", port), timeout=10)
            case.addCleanup(client.close)
            self.clients.append(client)
            if number % 3 == 0:
                client.sendall(b"GET /api/v1/backups?limit=200 HTTP/1.1\r\nHost: x\r\n\r\n")
            elif number % 3 == 1:
                client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-")
        dripping = threading.Thread(target=self.drip)
        dripping.start()
        case.addCleanup(dripping.join)
        case.addCleanup(self.ended.set)

    def drip(self):
        """A byte a second of headers that never end."""
        while not self.ended.wait(1):
            for client in self.clients[1::3]:
                try:
                    client.send(b"x")
                except OSError:
                    pass


class Load(HttpCase):
    alone = True  # how soon it answers
    SECONDS = 20

    def watch(self, port, seconds):
        """Ask every 100 ms; the longest that an answer took, by path, in seconds."""
        began, worst = time.monotonic(), {"/metrics": 0.0, "/healthz": 0.0}
        while time.monotonic() - began < seconds:
            for path in worst:
                asked_at = time.monotonic()
                self.assertEqual(200, ask(port, "GET", path)[0])
                worst[path] = max(worst[path], time.monotonic() - asked_at)
            time.sleep(0.1)
        return worst

    def judge(self, name, worst):
        print(f"# {name}, {SlowClients.COUNT} slow clients: the slowest answer of /metrics "
              f"{worst['/metrics'] * 1000:.0f} ms, of /healthz {worst['/healthz'] * 1000:.0f} ms", flush=True)
        self.assertLess(max(worst.values()), 1.0)

    @limit(120)
    def test_500_slow_clients_delay_nobody(self):
        demo = self.demo("--job-ms", "2000")
        SlowClients(self, demo.port)
        trigger = remora.start("trigger", "--url", demo.url, "--token-file", self.token_file)
        self.judge("1,000 backups", self.watch(demo.port, self.SECONDS))
        self.expect(remora.OK, remora.finish(trigger))

    @limit(180)
    def test_500_slow_clients_do_not_delay_a_backup(self):
        server, repo = self.server("--repl-diskless-sync-delay", "0", "--rdb-key-save-delay", "3000"), self.repository()
        with server.client() as client:
            for number in range(1000):  # a save of 3 s
                client.call("SET", f"key:{number}", "x" * 100)
        agent = Agent(self, repo, "--redis-url", server.unix_url)
        alone = self.time_backup(agent)
        SlowClients(self, agent.port)
        watched = {}
        watch = threading.Thread(target=lambda: watched.update(self.watch(agent.port, 12)))
        watch.start()
        beside = self.time_backup(agent)
        watch.join()
        self.judge("a real agent", watched)
        print(f"# a backup takes {alone:.2f} s alone, {beside:.2f} s beside them", flush=True)
        self.assertLess(beside, alone + 1.0)
        self.assertEqual(2, len(self.ids(repo)))

    def time_backup(self, agent):
        """Of a backup through `remora trigger`: how long its job took, in seconds, as the command itself says."""
        result = remora.run("trigger", "--url", agent.url, "--token-file", self.folder / "token", "--json")
        return self.expect(remora.OK, result).json()["job"]["result"]["duration_ms"] / 1000


class TlsFront:
    """What stands before an agent and speaks TLS for it."""

    def __init__(self, port, certificates):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificates.path("server.crt"), certificates.path("server.key"))
        self.port = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        """A request and its answer, as long as there are any: each comes in one piece here."""
        try:
            with self.context.wrap_socket(peer, server_side=True) as front, \
                    socket.create_connection(("127.0.0.1", self.port)) as back:
                while asked := front.recv(65536):
                    back.sendall(asked)
                    if asked.startswith(b"POST") and not asked.endswith(b"{}"):
                        continue
                    front.sendall(back.recv(65536))
        except OSError:
            pass  # such as a client that does not trust us


# ---- remora trigger --------------------------------------------------------------------------------------------------

class Trigger(HttpCase):
    def trigger(self, demo, *words, **options):
        return remora.run("trigger", "--url", demo.url, "--token-file", self.token_file, *words, **options)

    def begun(self, demo):
        """One whose job runs, as it has been told by now."""
        trigger = remora.start("trigger", "--url", demo.url, "--token-file", self.token_file)
        self.wait_for(lambda: demo.get("/api/v1/status")["running"])
        time.sleep(0.5)
        return trigger

    def test_prints_the_id_of_its_backup(self):
        demo = self.demo()
        result = self.expect(remora.OK, self.trigger(demo))
        self.assertRegex(result.out.decode(), r"^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}\n$")
        self.assertNotIn(TOKEN.encode(), result.err)
        result = self.expect(remora.OK, self.trigger(demo, "--json")).json()
        self.assertEqual(("trigger", "succeeded", result["id"]),
                         (result["command"], result["job"]["state"], result["job"]["backup_id"]))

    def test_shows_progress(self):
        demo = self.demo("--job-ms", "2500")
        result = self.expect(remora.OK, self.trigger(demo, "--progress", "always"))
        self.assertIn(b"storing", result.err)
        self.assertIn(b"1.00 GiB", result.err)

    def test_ends_as_its_job_did(self):
        for status in (1, 4, 6, 8, 10, 12, 13):
            demo = self.demo("--job-ms", "100", "--exit", status)
            self.expect(status, self.trigger(demo), "the demo was told to fail")
            demo.stop()
        demo = self.demo("--job-ms", "100", "--exit", 137)
        self.expect(remora.UNEXPECTED, self.trigger(demo), "the demo was told to fail")

    def test_a_wrong_token_is_9_and_nothing_happens(self):
        demo = self.demo()
        self.token_file.write_text("some-other-token-here", encoding="ascii")
        other = Demo("--token-file", self.token_file)
        self.addCleanup(other.stop)
        wrong = self.folder / "wrong"
        wrong.write_text("never-seen-before-token", encoding="ascii")
        result = remora.run("trigger", "--url", other.url, "--token-file", wrong)
        self.expect(remora.SERVER_DENIED, result, "401", "--token-file")
        self.assertNotIn(b"never-seen-before", result.err)
        status = other.get("/api/v1/status")
        self.assertEqual(([], []), (status["running"], status["queued"]))
        self.expect(remora.SERVER_DENIED, self.trigger(self.demo(token=False)), "403", "no triggers")
        demo.stop()

    def test_what_is_wrong_on_the_command_line_is_2(self):
        demo = self.demo()
        for url in ("127.0.0.1:1", "ftp://x/", "http://", "http://user:secret@127.0.0.1:1", "http://x/?a"):
            result = remora.run("trigger", "--url", url, "--token-file", self.token_file)
            self.expect(remora.USAGE, result, "--url")
            self.assertNotIn(b"secret", result.err)
        self.expect(remora.USAGE, remora.run("trigger", "--url", demo.url), "--token-file")
        self.token_file.write_text("short", encoding="ascii")
        self.expect(remora.USAGE, self.trigger(demo), "shorter than 16")

    def test_nobody_there_is_8_after_10_seconds(self):
        demo = self.demo()
        demo.stop()
        began = time.monotonic()
        self.expect(remora.SERVER, self.trigger(demo), demo.url, "cannot be reached")
        self.assertTrue(8 < time.monotonic() - began < 20)

    def test_an_agent_that_is_about_to_start_is_waited_for(self):
        demo = self.demo()
        demo.stop()
        trigger = remora.start("trigger", "--url", demo.url, "--token-file", self.token_file)
        time.sleep(2)
        demo.start(f"127.0.0.1:{demo.port}")
        self.expect(remora.OK, remora.finish(trigger))

    def test_an_agent_that_was_started_anew_forgot_the_job(self):
        demo = self.demo("--job-ms", "60000")
        trigger = self.begun(demo)
        demo.restart()
        self.expect(remora.SERVER, remora.finish(trigger), "remora list")

    @limit(120)
    def test_an_agent_that_stands_still_for_a_while_is_asked_on(self):
        demo = self.demo("--job-ms", "1000")
        trigger = self.begun(demo)
        demo.process.send_signal(signal.SIGSTOP)
        time.sleep(15)
        demo.process.send_signal(signal.SIGCONT)
        self.expect(remora.OK, remora.finish(trigger), "does not answer")

    def test_sigterm_is_12_and_the_job_goes_on(self):
        demo = self.demo("--job-ms", "3000")
        trigger = self.begun(demo)
        trigger.send_signal(signal.SIGTERM)
        self.expect(remora.INTERRUPTED, remora.finish(trigger), "goes on")
        job = demo.get("/api/v1/status")["running"][0]["id"]
        self.wait_for(lambda: demo.get(f"/api/v1/jobs/{job}")["job"]["state"] == "succeeded")

    def test_over_tls_only_to_whom_it_trusts(self):
        demo, certificates = self.demo("--job-ms", "100"), Certificates(self.folder / "tls")
        front = TlsFront(demo.port, certificates)
        self.addCleanup(front.listener.close)
        words = ["trigger", "--url", front.url, "--token-file", self.token_file]
        self.expect(remora.OK, remora.run(*words, "--tls-ca", certificates.path("ca.crt")))
        self.expect(remora.SERVER, remora.run(*words), "not trusted", "--tls-ca")
        other = certificates.path("other-ca.crt")
        self.expect(remora.SERVER, remora.run(*words, "--tls-ca", other), "not trusted", "check the ca file")
        self.expect(remora.USAGE, remora.run(*words, "--tls-ca", self.folder / "none"), "none")

    def test_many_at_once_share_what_is_queued(self):
        demo = self.demo("--job-ms", "1000")
        started = [remora.start("trigger", "--url", demo.url, "--token-file", self.token_file) for _ in range(8)]
        ids = {self.expect(remora.OK, remora.finish(one)).out for one in started}
        self.assertLess(len(ids), len(started))

    def impostor(self, *answers):
        """The URL of what gives these (status line, body), one after the other, and the list of what it was asked."""
        listener, asked = socket.create_server(("127.0.0.1", 0)), []
        self.addCleanup(listener.close)

        def serve():
            for status, body in answers:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                with peer:
                    request = peer.recv(65536)
                    while request.startswith(b"POST") and not request.endswith(b"{}"):
                        request += peer.recv(65536)
                    asked.append(request)
                    peer.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
                                 f"Location: http://127.0.0.1:1/elsewhere\r\n\r\n{body}".encode())

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}", asked

    def ask_impostor(self, *answers, **options):
        url, asked = self.impostor(*answers)
        return remora.run("trigger", "--url", url, "--token-file", self.token_file, **options), asked

    def job(self, **more):
        return json.dumps({"job": {"id": "0123456789abcdef", "state": "succeeded", "exit_status": 0, **more}})

    def test_an_agent_that_is_about_to_end_is_asked_again(self):
        stopping = ("503 x", '{"error":{"status":503,"message":"the agent is about to end"}}')
        result, asked = self.ask_impostor(stopping, stopping,
                                          ("202 x", self.job(backup_id="20260101T000000Z-abcdef")))
        self.assertEqual(b"20260101T000000Z-abcdef\n", self.expect(remora.OK, result).out)
        self.assertEqual(3, len(asked))
        result, asked = self.ask_impostor(*[stopping] * 100)
        self.expect(remora.SERVER, result, "status 503", "about to end")
        self.assertGreater(len(asked), 5)

    def test_follows_no_redirect(self):
        result, asked = self.ask_impostor(("307 x", ""), ("200 x", ""))
        self.expect(remora.SERVER, result, "status 307")
        self.assertEqual(1, len(asked))

    def test_no_proxy_of_the_environment_sees_the_token(self):
        demo = self.demo("--job-ms", "100")
        proxy, asked = self.impostor(("200 x", "{}"))
        environment = {name: proxy for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")}
        self.expect(remora.OK, self.trigger(demo, env={**environment, "no_proxy": "", "NO_PROXY": ""}))
        self.assertEqual([], asked)

    def test_only_a_backup_id_goes_to_stdout(self):
        for odd in ("", "\x1b[2J", "20260101T000000Z-abcdef\nrm", "$(reboot)", "20260101T000000Z-abcdef" * 20):
            result, _ = self.ask_impostor(("202 x", self.job(backup_id=odd)))
            self.assertEqual(b"", self.expect(remora.SERVER, result, "did not say which").out)
        result, _ = self.ask_impostor(("202 x", self.job(state="failed", exit_status=6, error="\x1b[2J")))
        self.assertNotIn(b"\x1b", self.expect(remora.STORAGE, result).err)

    def test_what_is_no_agent_is_8(self):
        result, _ = self.ask_impostor(("202 Accepted", "{}"))
        self.expect(remora.SERVER, result, "not of a remora agent")
