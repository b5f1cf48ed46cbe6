"""A small HTTP server in this process that answers as a test tells it to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from stripmocap.contract.jobs import CONTRACT, CONTRACT_HEADER


class Host:
    """Answers every call with what `answer(handler, body)` writes; keeps what was asked."""

    def __init__(self, answer: Callable[[BaseHTTPRequestHandler, bytes], None]) -> None:
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked.append((self.command, self.path, headers, body))
                answer(self, body)

            do_GET = do_POST = do_PUT = do_DELETE = handle_any

            def log_message(self, *_) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Host:
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def say(
    handler: BaseHTTPRequestHandler,
    values: object,
    *,
    status: int = 200,
    contract: str | None = str(CONTRACT),
) -> None:
    """Answers in JSON."""
    send(handler, json.dumps(values).encode(), status=status, contract=contract)


def send(
    handler: BaseHTTPRequestHandler,
    body: bytes,
    *,
    status: int = 200,
    contract: str | None = str(CONTRACT),
    headers: dict[str, str] | None = None,
    length: int | None = None,
) -> None:
    """Answers with bytes; with a greater length than theirs the connection breaks."""
    handler.send_response(status)
    if contract is not None:
        handler.send_header(CONTRACT_HEADER, contract)
    for name, value in (headers or {}).items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    handler.end_headers()
    handler.wfile.write(body)
