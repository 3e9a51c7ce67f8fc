"""A page that a running program keeps up to date: served on 127.0.0.1 alone.

    program ── send(name, value) ──> events (server-sent) ──> page
    program <── receive(message) ─── POST message <────────── page

It serves the page and nothing else: no file of the disk has an address here.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
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
# Seconds that a page may take to read or to say the next bytes; after that it counts as gone. The
# browser of one that slept comes back by itself, with the number of the last value that it got.
PATIENCE = 10.0
_NUMBER = re.compile(r"[0-9]{1,18}")
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")


class PageServer:
    """Serves one page, from when it is made until `close`.

    The address holds a word that is drawn anew each time, so that no other page of the browser
    can find it, and a request must name this host: pages elsewhere can neither read nor write.

    Of each part a page gets the newest value; of those that came while it did not read, no other
    is kept. A page that reads nothing for `PATIENCE` seconds counts as gone.

    Args:
        title: of the page.
        report: what it shows first, as of `Report.to_json`.
        receive: called with what the page says, one message at a time; None: it says nothing. What
            it raises is answered with 500 and handed to `threading.excepthook`, which prints it;
            the server goes on.
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
        whole = isinstance(port, int) and not isinstance(port, bool)
        if not (whole and 0 <= port <= 65535):
            raise ConfigError(
                f"port: got {port!r}, expected a whole number from 0 (any that is free) to 65535"
            )
        self.title = title
        self.receive = receive
        self._count = 1  # of the values that were sent: each has its number
        self._parts = {"report": (self._count, _part("report", report))}
        self._pages: set[_Page] = set()
        self._lock = threading.Lock()
        self._receiving = threading.Lock()
        self._closed = threading.Event()
        word = secrets.token_urlsafe(12)
        own = {"page": self, "word": word, "timeout": PATIENCE}
        handler = type("Handler", (_Handler,), own)
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

    def send(self, name: str, value: Any, *, keep: bool = True) -> None:
        """Give a part of the page a new value: pages that are open get it now, others when they
        open.

        Args:
            name: of the part.
            value: as JSON takes it; NaN is an error.
            keep: for pages that open later; otherwise those get what was kept before, if anything.
        """
        text = _part(name, value)
        with self._lock:
            self._count += 1
            if keep:
                self._parts[name] = (self._count, text)
            for page in self._pages:
                page.put(name, self._count, text)

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
                page.end()
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

    def _join(self, shown: int, last: int) -> _Page:
        """A page has opened that shows the report of number `shown`, or is back after the value of
        number `last`: what it lacks waits for it."""
        page = _Page()
        with self._lock:
            for name, (number, text) in self._parts.items():
                if number > last and number != shown:
                    page.put(name, number, text)
            if self._closed.is_set():
                page.end()
            self._pages.add(page)
        return page

    def _leave(self, page: _Page) -> None:
        with self._lock:
            self._pages.discard(page)

    def _take(self, message: Any) -> None:
        if self.receive is not None:
            with self._receiving:
                self.receive(message)


class _Page:
    """An open page: the newest value of each part that it has yet to get."""

    def __init__(self) -> None:
        self._lacks: dict[str, tuple[int, str]] = {}
        self._ended = False
        self._changed = threading.Condition()

    def put(self, name: str, number: int, text: str) -> None:
        with self._changed:
            self._lacks[name] = (number, text)
            self._changed.notify()

    def end(self) -> None:
        """Nothing comes any more."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def take(self, seconds: float) -> str | None:
        """All that it lacks; "" after so long without anything, None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._lacks or self._ended, seconds)
            if self._ended and not self._lacks:
                return None
            lacks, self._lacks = self._lacks, {}
        # By number, so that a page that breaks off and names the last that it got has missed none.
        return "".join(_event(number, text) for number, text in sorted(lacks.values()))


def open_browser(url: str) -> bool:
    """Open an address in the browser of this machine; none that would take the terminal.

    Returns:
        Whether a browser was found.
    """
    import webbrowser

    if sys.platform not in ("darwin", "win32") and not any(map(os.environ.get, _DISPLAYS)):
        return False
    try:
        return webbrowser.open(url)
    except webbrowser.Error:
        return False


def _part(name: str, value: Any) -> str:
    return json.dumps({"name": name, "value": value}, allow_nan=False, separators=(",", ":"))


def _event(number: int, text: str) -> str:
    return f"id: {number}\ndata: {text}\n\n"


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A page that closes in the middle of an answer is no news for the terminal.
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    page: PageServer
    word: str
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        if self._name() == "":
            self._answer(self.page._page(), "text/html; charset=utf-8")
        else:
            self._refuse(HTTPStatus.NOT_FOUND)

    def do_GET(self) -> None:
        name = self._name()
        if name == "":
            self._answer(self.page._page(), "text/html; charset=utf-8")
        elif name is not None and (shown := re.fullmatch(rf"events/({_NUMBER.pattern})", name)):
            self._events(int(shown[1]))
        else:
            self._refuse(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        size = self.headers.get("Content-Length", "")
        if self._name() != "message" or self.page.receive is None:
            self._refuse(HTTPStatus.NOT_FOUND)
        elif not (size.isascii() and size.isdecimal()):
            self._refuse(HTTPStatus.BAD_REQUEST)
        elif not _NUMBER.fullmatch(size) or int(size) > MOST:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            self._message(int(size))

    def _message(self, size: int) -> None:
        try:
            text = self.rfile.read(size)
            if len(text) < size:
                raise ValueError("the page broke off")
            message = json.loads(text)
        except TimeoutError:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
            return
        except (ValueError, RecursionError):
            self._refuse(HTTPStatus.BAD_REQUEST)
            return
        try:
            self.page._take(message)
        except Exception as error:
            raised = (type(error), error, error.__traceback__, threading.current_thread())
            threading.excepthook(threading.ExceptHookArgs(raised))
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR)
        else:
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
        if self.command != "HEAD":
            self.wfile.write(body)

    def _refuse(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What `http.server` refuses itself: a method that it does not know, a torn request."""
        self._refuse(code)

    def _events(self, shown: int) -> None:
        last = _NUMBER.fullmatch(self.headers.get("Last-Event-ID", ""))
        self.close_connection = True
        page = self.page._join(shown, int(last[0]) if last else 0)
        try:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            while (events := page.take(HEARTBEAT)) is not None:
                self.wfile.write((events or ": still here\n\n").encode())
        except OSError:
            return  # the page has gone
        finally:
            self.page._leave(page)

    def log_message(self, *_: Any) -> None:
        """The terminal is the program's."""
