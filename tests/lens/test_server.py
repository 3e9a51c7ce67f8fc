"""The server: one page on 127.0.0.1, kept up to date, and nothing else."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from unrolled.errors import ConfigError, OutputError
from unrolled.lens.records import Report
from unrolled.lens.server import MOST, PageServer


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
    assert ask(server, "message", "POST", b"{")[0] == 400
    assert ask(server, "message", "POST", b"x", **{"Content-Length": str(MOST + 1)})[0] == 413
    assert said == [{"cell": "<GRU>"}]
    assert ask(serve(), "message", "POST", b"1")[0] == 404


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
    with pytest.raises(ConfigError, match="port: got 70000"):
        serve(port=70000)


def test_what_is_no_number_is_an_error_at_home(serve: Callable[..., PageServer]) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        serve().send("loss", float("nan"))


def test_a_live_page_shows_what_is_sent_and_says_what_is_chosen(
    browser: Any, serve: Callable[..., PageServer]
) -> None:
    server = serve()
    context = browser.new_context()
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(server.url)
    page.get_by_role("heading", name="A page").wait_for()
    server.send("report", report("Anew"))
    page.get_by_role("heading", name="Anew").wait_for()
    assert page.locator("#notes b").count() == 0
    context.close()
    assert complaints == []
