"""A page that a running program keeps up to date: served on 127.0.0.1 alone.

    program ── send(name, value) ──> events (server-sent) ──> page
    program <── receive(message) ─── POST message <────────── page

It serves the page and nothing else: no file of the disk has an address here.
"""

from __future__ import annotations

import json
import queue
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from unrolled.errors import ConfigError, OutputError

HOST = "127.0.0.1"
# A message from the page is a choice and its numbers.
MOST = 1 << 16
# Seconds after which a comment is sent, so that a page that has gone is noticed.
HEARTBEAT = 10.0


class PageServer:
    """Serves one page, from when it is made until `close`.

    The address holds a word that is drawn anew each time, so that no other page of the browser
    can find it, and a request must name this host: pages elsewhere can neither read nor write.

    Args:
        title: of the page.
        report: what it shows first, as of `Report.to_json`.
        receive: called with what the page says, one message at a time; None: it says nothing.
        port: 0 takes any that is free.

    Raises:
        ConfigError: no such port.
        OutputError: the port is taken.
    """

    def __init__(
        self,
        title: str,
        report: Mapping[str, Any],
        *,
        receive: Callable[[Any], None] | None = None,
        port: int = 0,
    ) -> None:
        if not 0 <= port <= 65535:
            raise ConfigError(f"port: got {port}, expected one from 0 (any that is free) to 65535")
        self.title = title
        self.receive = receive
        self._count = 1  # of the values that were sent: each has its number
        self._parts = {"report": (self._count, _part("report", report))}
        self._pages: set[queue.SimpleQueue[str | None]] = set()
        self._lock = threading.Lock()
        self._receiving = threading.Lock()
        self._closed = threading.Event()
        word = secrets.token_urlsafe(12)
        handler = type("Handler", (_Handler,), {"page": self, "word": word})
        try:
            self._http = _Http((HOST, port), handler)
        except OSError as error:
            raise OutputError(
                f"port: {port} can't be opened ({error.strerror}); leave it out for any that is"
                " free, or name another"
            ) from error
        self.url = f"http://{HOST}:{self._http.server_port}/{word}/"
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)
        self._thread.start()

    def send(self, name: str, value: Any) -> None:
        """Give a part of the page a new value: pages that are open get it now, others when they
        open. Values as JSON takes them; NaN is an error."""
        text = _part(name, value)
        with self._lock:
            self._count += 1
            self._parts[name] = (self._count, text)
            for page in self._pages:
                page.put(_event(self._count, text))

    @property
    def watched(self) -> bool:
        """Whether a page is open."""
        with self._lock:
            return bool(self._pages)

    def close(self) -> None:
        """Stop serving; open pages are told by their connection's end."""
        if self._closed.is_set():
            return
        self._closed.set()
        with self._lock:
            for page in self._pages:
                page.put(None)
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it is closed, or for so long; Ctrl-C gets through. Whether it is closed."""
        return self._closed.wait(seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _page(self) -> bytes:
        from unrolled.lens.page import page_of

        with self._lock:
            number, text = self._parts["report"]
        return page_of(self.title, json.loads(text)["value"], live=number).encode()

    def _join(self, shown: int, last: int) -> queue.SimpleQueue[str | None]:
        """A page has opened that shows the report of number `shown`, or is back after the value of
        number `last`: what it lacks waits for it."""
        page: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        with self._lock:
            for number, text in sorted(self._parts.values()):
                if number > last and number != shown:
                    page.put(_event(number, text))
            self._pages.add(page)
        return page

    def _leave(self, page: queue.SimpleQueue[str | None]) -> None:
        with self._lock:
            self._pages.discard(page)

    def _take(self, message: Any) -> None:
        if self.receive is not None:
            with self._receiving:
                self.receive(message)


def _part(name: str, value: Any) -> str:
    return json.dumps({"name": name, "value": value}, allow_nan=False, separators=(",", ":"))


def _event(number: int, text: str) -> str:
    return f"id: {number}\ndata: {text}\n\n"


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A page that closes in the middle of an answer is no news for the terminal."""


class _Handler(BaseHTTPRequestHandler):
    page: PageServer
    word: str
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        name = self._name()
        if name == "":
            self._answer(self.page._page(), "text/html; charset=utf-8")
        elif name is not None and (shown := re.fullmatch(r"events/(\d{1,18})", name)):
            self._events(int(shown[1]))
        else:
            self._refuse(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if self._name() != "message" or self.page.receive is None:
            self._refuse(HTTPStatus.NOT_FOUND)
        elif not length.isdecimal() or int(length) > MOST:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            try:
                message = json.loads(self.rfile.read(int(length)))
            except ValueError:
                self._refuse(HTTPStatus.BAD_REQUEST)
                return
            self.page._take(message)
            self._answer(b"", "text/plain")

    def _name(self) -> str | None:
        """What is asked for, or None where it is not ours to tell."""
        host = self.headers.get("Host")
        start = f"/{self.word}/"
        own = self.page.url.removesuffix(start)
        ours = own == f"http://{host}" and self.path.startswith(start)
        return self.path.removeprefix(start) if ours else None

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _events(self, shown: int) -> None:
        last = self.headers.get("Last-Event-ID", "")
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.close_connection = True
        page = self.page._join(shown, int(last) if last.isdecimal() else 0)
        try:
            while True:
                try:
                    event = page.get(timeout=HEARTBEAT)
                except queue.Empty:
                    event = ": still here\n\n"
                if event is None:
                    return
                self.wfile.write(event.encode())
                self.wfile.flush()
        except OSError:
            return  # the page has gone
        finally:
            self.page._leave(page)

    def log_message(self, *_: Any) -> None:
        """The terminal is the program's."""
