"""The worker obeys at once, trains only while someone looks on, and answers bad messages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from unrolled.lab.presets import PRESETS
from unrolled.lab.session import Session
from unrolled.lab.settings import LabSettings, StudentSettings

SMALL = LabSettings(
    length=6,
    rows=2,
    students=(StudentSettings(hidden_size=3), StudentSettings(cell="none", hidden_size=3)),
).model_dump(mode="json")


class Page:
    """What a page would hold; tests wait for what they expect to be sent."""

    def __init__(self) -> None:
        self.said: list[tuple[str, Any]] = []
        self.open = True
        self.asked = 0
        self._news = threading.Condition()

    def send(self, name: str, value: Any, *, keep: bool = True) -> None:
        with self._news:
            self.said.append((name, value))
            self._news.notify_all()

    def watched(self) -> bool:
        with self._news:
            self.asked += 1
            self._news.notify_all()
        return self.open

    def wait_for_looks(self, count: int) -> None:
        """Until the worker has looked for a page so many times more."""
        with self._news:
            last = self.asked + count
            assert self._news.wait_for(lambda: self.asked >= last, timeout=60)

    def wait(self, name: str, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
        """The first value of that name that is as wanted, from the last one asked for on."""

        def found() -> Any:
            while self.said:
                told, value = self.said.pop(0)
                if told == name and wanted(value):
                    return (value,)
            return None

        with self._news:
            value = self._news.wait_for(found, timeout=60)
        assert value is not None, f"no {name} came"
        return value[0]


@pytest.fixture
def page() -> Page:
    return Page()


@pytest.fixture
def session(page: Page) -> Iterator[Session]:
    started = Session(page.send, page.watched)
    started.start()
    yield started
    started.close()


def test_it_begins_with_the_first_chapter_at_rest(session: Session, page: Page) -> None:
    facts = page.wait("lab")
    assert facts["preset"] == PRESETS[0].name
    record = page.wait("record")
    assert (record["number"], record["step"], record["running"]) == (facts["number"], 0, False)


def test_start_learns_until_pause_and_a_step_is_one(session: Session, page: Page) -> None:
    session.receive({"do": "settings", "settings": SMALL})
    number = page.wait("lab", lambda told: told["settings"] == SMALL)["number"]
    session.receive({"do": "start"})
    page.wait("record", lambda told: told["number"] == number and told["step"] > 3)
    session.receive({"do": "pause"})
    rest = page.wait("record", lambda told: not told["running"])["step"]
    session.receive({"do": "step"})
    record = page.wait("record")
    assert record["step"] == rest + 1
    assert not record["running"]
    session.receive({"do": "reset"})
    assert page.wait("lab")["number"] > number
    assert page.wait("record")["step"] == 0


def test_new_settings_begin_anew_and_go_on_running(session: Session, page: Page) -> None:
    session.receive({"do": "settings", "settings": SMALL})
    session.receive({"do": "start"})
    page.wait("record", lambda told: told["step"] > 2)
    changed = {**SMALL, "seed": 7}
    session.receive({"do": "settings", "settings": changed})
    number = page.wait("lab", lambda told: told["settings"] == changed)["number"]
    assert page.wait("record")["number"] == number
    page.wait("record", lambda told: told["running"] and told["step"] > 2)


def test_a_chapter_is_chosen_at_rest_with_what_its_colours_show(
    session: Session, page: Page
) -> None:
    session.receive({"do": "start"})
    session.receive({"do": "preset", "name": "gates"})
    facts = page.wait("lab", lambda told: told["preset"] == "gates")
    record = page.wait("record", lambda told: told["number"] == facts["number"])
    assert not record["running"]
    assert {student["look"]["shown"] for student in record["students"]} == {"f"}
    session.receive({"do": "show", "show": "c"})
    record = page.wait("record")
    assert {student["look"]["shown"] for student in record["students"]} == {"c"}


def test_nothing_is_learnt_while_no_page_is_open(session: Session, page: Page) -> None:
    session.receive({"do": "settings", "settings": SMALL})
    page.open = False
    session.receive({"do": "start"})
    page.wait("record", lambda told: told["running"])
    page.wait_for_looks(6)
    session.receive({"do": "show", "show": "h"})
    assert page.wait("record")["step"] == 0
    page.open = True
    page.wait("record", lambda told: told["step"] > 2)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ({"do": "explode"}, "do: got 'explode'"),
        ({"do": "preset", "name": "<b>"}, "preset: got '<b>'"),
        ({"do": "preset"}, "preset: got None"),
        ({"do": "settings"}, "settings: is missing"),
        ({"do": "settings", "settings": {"length": 10**9}}, "steps of a sequence: got 1000000000"),
        ({"do": "speed", "speed": 3}, "speed: got 3"),
        ({"do": "start", "now": True}, "now: is no setting"),
        ("start", "message: got 'start'"),
        (None, "message: got None"),
    ],
)
def test_a_bad_message_is_answered_on_the_page_and_changes_nothing(
    session: Session, page: Page, message: Any, told: str
) -> None:
    number = page.wait("lab")["number"]
    session.receive(message)
    assert page.wait("complaint")["text"].startswith(told)
    session.receive({"do": "step"})
    assert page.wait("record", lambda record: record["step"] == 1)["number"] == number


def test_what_goes_wrong_in_a_step_stops_it_and_is_told(
    session: Session, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Any) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr("unrolled.lab.contest.Contest.learn", fail)
    session.receive({"do": "start"})
    assert "MemoryError: no room" in page.wait("complaint")["text"]
    monkeypatch.undo()
    session.receive({"do": "step"})
    assert page.wait("record", lambda record: record["step"] == 1)["running"] is False


def test_when_both_have_diverged_it_rests(session: Session, page: Page) -> None:
    wild = StudentSettings(init="identity", optimizer="sgd", learning_rate=1.0, clip=0.0)
    settings = LabSettings(task="adding", length=150, rows=4, students=(wild, wild))
    session.receive({"do": "settings", "settings": settings.model_dump(mode="json")})
    session.receive({"do": "start"})
    record = page.wait("record", lambda told: told["students"][0]["trouble"])
    assert not record["running"]


def test_a_refusal_tells_the_page_which_field_it_is_about(session: Session, page: Page) -> None:
    students = [{}, {"hidden_size": 0}]
    session.receive({"do": "settings", "settings": {**SMALL, "students": students}})
    complaint = page.wait("complaint")
    assert complaint["place"] == ("students", 1, "hidden_size")
    assert complaint["told"] == "got 0, expected at least 1"
    session.receive({"do": "preset", "name": "<b>"})
    assert page.wait("complaint")["place"] == ()


def test_how_the_gradient_began_stays_what_it_was(session: Session, page: Page) -> None:
    begins = page.wait("lab")["begins"]
    looks = [student["look"]["gradient"] for student in page.wait("record")["students"]]
    assert begins == looks
    session.receive({"do": "step"})
    changed = page.wait("record", lambda told: told["step"] == 1)["students"][1]["look"]
    assert changed["gradient"] != begins[1]
    assert session.contest.facts()["begins"] == begins
