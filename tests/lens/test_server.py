"""The server: one page on 127.0.0.1, kept up to date, and nothing else."""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
import tracemalloc
import webbrowser
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.errors import ConfigError, OutputError
from unrolled.lens import server as server_module
from unrolled.lens.records import Report
from unrolled.lens.server import MOST, PageServer, _Page, open_browser


def report(title: str = "A page") -> dict[str, Any]:
    return Report(title=title, subtitle="", made="", notes=["<b>bold</b>"]).to_json()


@pytest.fixture
def serve() -> Iterator[Callable[..., PageServer]]:
    started: list[PageServer] = []

    def make(**options: Any) -> PageServer:
        started.append(PageServer("A page", report(), **options))
        return started[-1]

    yield make
    for server in started:
        server.close()


def ask(
    server: PageServer,
    name: str = "",
    method: str = "GET",
    body: bytes | None = None,
    **headers: str,
) -> tuple[int, bytes]:
    parts = urlsplit(server.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    connection.request(
        method, name if name.startswith("/") else parts.path + name, body, headers=headers
    )
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


class Events:
    """An open page's stream."""

    def __init__(self, server: PageServer, shown: int = 1, **headers: str) -> None:
        parts = urlsplit(server.url)
        self.connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        self.connection.request("GET", f"{parts.path}events/{shown}", headers=headers)
        self.answer = self.connection.getresponse()

    def next(self) -> Any:
        while True:
            line = self.answer.readline()
            if not line:
                return None
            if line.startswith(b"id: "):
                self.last = int(line[4:])
            if line.startswith(b"data: "):
                return json.loads(line[6:])

    def close(self) -> None:
        self.connection.close()


def test_it_listens_on_this_machine_alone(serve: Callable[..., PageServer]) -> None:
    server = serve()
    assert urlsplit(server.url).hostname == "127.0.0.1"
    assert server._http.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize(
    "name", ["/", "/events/1", "/message", "../", "events", "lens.js", "..%2f..%2fetc/passwd"]
)
def test_there_is_the_page_and_nothing_else(name: str, serve: Callable[..., PageServer]) -> None:
    server = serve()
    assert ask(server, name) == (404, b"")
    status, page = ask(server)
    assert status == 200
    assert b"connect-src 'self'" in page
    assert b"\\u003cb>bold" in page


def test_who_asks_by_another_name_is_refused(serve: Callable[..., PageServer]) -> None:
    """As of a page elsewhere whose name was turned to this machine."""
    said: list[Any] = []
    server = serve(receive=said.append)
    port = urlsplit(server.url).port
    for host in (f"evil.example:{port}", f"localhost:{port}", "127.0.0.1"):
        assert ask(server, Host=host)[0] == 404
        assert ask(server, "message", "POST", b"1", Host=host)[0] == 404
    assert said == []


def test_an_open_page_gets_each_new_value_once(serve: Callable[..., PageServer]) -> None:
    server = serve()
    server.send("progress", 1)
    page = Events(server)
    assert page.next() == {"name": "progress", "value": 1}
    server.send("progress", 2)
    server.send("report", report("Anew"))
    assert page.next() == {"name": "progress", "value": 2}
    assert page.next()["value"]["title"] == "Anew"
    page.close()


def test_a_page_that_is_back_gets_what_it_missed(serve: Callable[..., PageServer]) -> None:
    server = serve()
    server.send("a", 1)
    server.send("b", 2)
    page = Events(server, **{"Last-Event-ID": "2"})
    server.send("c", 3)
    assert [page.next(), page.next()] == [{"name": "b", "value": 2}, {"name": "c", "value": 3}]
    page.close()
    fresh = ask(server)[1]
    assert b'data-live="1"' in fresh
    server.send("report", report("Anew"))
    assert b'data-live="5"' in ask(server)[1]


def test_messages_come_one_at_a_time_as_they_were_sent(serve: Callable[..., PageServer]) -> None:
    said: list[Any] = []
    server = serve(receive=said.append)
    assert ask(server, "message", "POST", json.dumps({"cell": "<GRU>"}).encode()) == (200, b"")
    for torn in (b"", b"{", b"\xff", b"[" * 60_000, b"1" * 5_000):
        assert ask(server, "message", "POST", torn) == (400, b"")
    assert ask(server, "message", "POST", b"x", **{"Content-Length": str(MOST + 1)})[0] == 413
    assert said == [{"cell": "<GRU>"}]
    assert ask(serve(), "message", "POST", b"1")[0] == 404


def test_a_size_that_no_message_has_is_refused(serve: Callable[..., PageServer]) -> None:
    said: list[Any] = []
    server = serve(receive=said.append)
    for status, sizes in {413: (str(MOST + 1), "9" * 5_000), 400: ("-1", "two", "\u00b2")}.items():
        for size in sizes:
            refused = ask(server, "message", "POST", b"1", **{"Content-Length": size})
            assert refused == (status, b"")
    assert said == []


def told(server: PageServer, asked: str, *headers: str, body: bytes = b"", ended: bool) -> bytes:
    """All that comes back on a connection, byte for byte."""
    parts = urlsplit(server.url)
    method, name = asked.split(" ")
    lines = (f"{method} {parts.path}{name} HTTP/1.1", f"Host: {parts.netloc}", *headers, "", "")
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as line:
        line.sendall("\r\n".join(lines).encode() + body)
        if ended:
            line.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: line.recv(4096), b""))


def torn(server: PageServer, given: bytes, *, ended: bool) -> bytes:
    """What is answered to a message of 10 bytes of which those that are given come."""
    return told(server, "POST message", "Content-Length: 10", body=given, ended=ended)


def test_a_message_that_breaks_off_is_not_taken_for_a_shorter_one(
    serve: Callable[..., PageServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[Any] = []
    assert torn(serve(receive=said.append), b"12", ended=True).startswith(b"HTTP/1.1 400 ")
    monkeypatch.setattr(server_module, "PATIENCE", 1.0)
    assert torn(serve(receive=said.append), b"12", ended=False).startswith(b"HTTP/1.1 408 ")
    assert said == []


def test_what_receive_raises_is_answered_and_seen(
    serve: Callable[..., PageServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", seen.append)

    def receive(message: Any) -> None:
        raise OSError(message)

    server = serve(receive=receive)
    assert ask(server, "message", "POST", b'"no room"') == (500, b"")
    assert [str(one.exc_value) for one in seen] == ["no room"]
    assert seen[0].exc_traceback is not None
    assert ask(server)[0] == 200


def test_what_is_no_get_is_answered_plainly(serve: Callable[..., PageServer]) -> None:
    server = serve()
    assert ask(server, method="HEAD") == (200, b"")
    assert told(server, "HEAD ", ended=True).endswith(b"\r\n\r\n")
    assert ask(server, "events/1", method="HEAD") == (404, b"")
    assert ask(server, "/", method="HEAD") == (404, b"")
    assert ask(server, method="DELETE") == (501, b"")


def test_a_number_that_is_none_says_that_nothing_was_shown(
    serve: Callable[..., PageServer],
) -> None:
    server = serve()
    server.send("a", 1)
    for last in ("x", "9" * 5_000, ""):
        page = Events(server, **{"Last-Event-ID": last})
        assert page.next() == {"name": "a", "value": 1}
        page.close()


def test_a_part_that_is_not_kept_is_for_open_pages_alone(
    serve: Callable[..., PageServer],
) -> None:
    server = serve()
    server.send("chapter", 1)
    page = Events(server)
    assert page.next()["value"] == 1
    server.send("complaint", "no", keep=False)
    server.send("chapter", 2, keep=False)
    assert page.next() == {"name": "complaint", "value": "no"}
    assert page.next() == {"name": "chapter", "value": 2}
    later = Events(server)
    server.send("end", None)
    assert later.next() == {"name": "chapter", "value": 1}
    assert later.next() == {"name": "end", "value": None}
    page.close()
    later.close()


@given(st.lists(st.sampled_from("abc") | st.none()))
def test_a_page_takes_the_newest_of_each_part_in_order(sent: list[str | None]) -> None:
    """None stands for a look of the page."""
    page = _Page()
    newest: dict[str, int] = {}
    for number, name in enumerate([*sent, None], 1):
        if name is not None:
            page.put(name, number, name)
            newest[name] = number
            continue
        events = page.take(0)
        assert events is not None
        assert [int(one) for one in re.findall(r"id: (\d+)", events)] == sorted(newest.values())
        assert all(f"id: {number}\ndata: {name}\n\n" in events for name, number in newest.items())
        newest = {}
    page.put("a", 99, "a")
    page.end()
    assert page.take(0) == "id: 99\ndata: a\n\n"
    assert page.take(0) is None


def test_a_page_that_does_not_read_costs_little_and_then_gets_the_newest(
    serve: Callable[..., PageServer],
) -> None:
    server = serve()
    page = Events(server)
    long = "x" * 100_000
    tracemalloc.start()
    try:
        for number in range(1000):
            server.send("record", [number, long])
            server.send("few", number)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 5e6
    assert server.watched
    got: dict[str, Any] = {}
    before = 0
    while got.get("few") != 999:
        event = page.next()
        assert page.last > before
        before = page.last
        got[event["name"]] = event["value"]
    assert got["record"] == [999, long]
    page.close()


def test_a_page_that_reads_no_more_counts_as_gone_and_may_come_back(
    serve: Callable[..., PageServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "PATIENCE", 1.0)
    server = serve()
    gone = threading.Event()
    leave = server._leave
    monkeypatch.setattr(server, "_leave", lambda page: (leave(page), gone.set()))
    page = Events(server)
    long = "x" * 10_000_000  # more than the connection takes up
    server.send("record", [1, long])
    assert gone.wait(60)
    assert not server.watched
    page.close()
    monkeypatch.setattr(server._http.RequestHandlerClass, "timeout", 60)
    back = Events(server, **{"Last-Event-ID": "1"})
    assert server.watched
    assert back.next() == {"name": "record", "value": [1, long]}
    back.close()


def test_closing_ends_open_pages_and_frees_the_port(serve: Callable[..., PageServer]) -> None:
    server = serve()
    page = Events(server)
    closing = threading.Thread(target=server.close)
    closing.start()
    assert page.next() is None
    closing.join(10)
    assert not closing.is_alive()
    assert server.wait(0)
    server.close()


def test_a_port_that_is_taken_or_none_is_told(serve: Callable[..., PageServer]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OutputError, match="can't be opened"):
            serve(port=taken.getsockname()[1])
    for wrong in (70000, -1, "8000", True, 80.0, None):
        with pytest.raises(ConfigError, match=f"port: got {wrong!r}, expected a whole number"):
            serve(port=wrong)


def test_what_is_no_number_is_an_error_at_home(serve: Callable[..., PageServer]) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        serve().send("loss", float("nan"))


def test_no_browser_is_started_that_would_take_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: not opened.append(url))
    monkeypatch.setattr(server_module.sys, "platform", "linux")
    for name in server_module._DISPLAYS:
        monkeypatch.delenv(name, raising=False)
    assert not open_browser("http://127.0.0.1/")
    monkeypatch.setenv("BROWSER", "mine")
    assert open_browser("http://127.0.0.1/")
    assert opened == ["http://127.0.0.1/"]

    def fails(url: str) -> bool:
        raise webbrowser.Error

    monkeypatch.setattr(webbrowser, "open", fails)
    assert not open_browser("http://127.0.0.1/")


def test_a_live_page_shows_what_is_sent_and_says_what_is_chosen(
    serve: Callable[..., PageServer], open_url: Callable[..., Any]
) -> None:
    server = serve()
    page = open_url(server.url)
    page.get_by_role("heading", name="A page").wait_for()
    server.send("report", report("Anew"))
    page.get_by_role("heading", name="Anew").wait_for()
    assert page.locator("#notes b").count() == 0
