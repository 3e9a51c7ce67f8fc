"""The worker behind the page: one thread that trains, shows and obeys.

    page ── message ──> receive ── checked order ──> queue ──> worker ── record ──> page

Orders are looked for between any two steps. Nothing is trained while nobody looks on.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Literal

from unrolled.errors import ConfigError, UnrolledError
from unrolled.lab.contest import Contest
from unrolled.lab.presets import PRESETS, preset_of
from unrolled.lab.settings import Choice, ChoiceError, LabSettings, Speed, read_choice

INTERVAL = 0.1  # seconds between two records, at least
SHARE = 3.0  # times as long as a record took to make is learnt before the next
PATIENCE = 0.2  # seconds between two looks for orders and onlookers while at rest
RATES: dict[str, float] = {"slow": 4.0, "steady": 40.0, "full": float("inf")}  # steps a second

Order = Callable[[], None]


class Message(Choice):
    """What the page says; which of the others it needs is told by `do`."""

    do: Literal["start", "pause", "step", "reset", "preset", "settings", "speed", "show"]
    name: str | None = None
    settings: LabSettings | None = None
    speed: Speed | None = None
    show: Literal["h", "c", "i", "f", "g", "o", "r", "z", "n"] | None = None


class Session:
    """One contest at a time, and the thread that runs it.

    Args:
        send: gives a part of the page a new value, as `PageServer.send`: "lab" (what was chosen
            and what stays the same), "record" (where the networks stand) and "complaint" (what
            can't be done).
        watched: whether a page is open.
    """

    def __init__(
        self, send: Callable[..., None], watched: Callable[[], bool] = lambda: True
    ) -> None:
        self._send, self._watched = send, watched
        self._orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._number = 0  # of the contest, so that a record is not taken for another's
        self._running = False
        self._speed: str = "full"
        self._next_step = self._next_record = 0.0
        self._complaints = 0
        self._take_preset(PRESETS[0].name)
        self._thread = threading.Thread(target=self._work, name="lab", daemon=True)

    def start(self) -> None:
        """Let the worker begin."""
        self._show()
        self._thread.start()

    def close(self) -> None:
        """End the worker after its current step."""
        self._ended.set()
        self._orders.put(lambda: None)
        if self._thread.is_alive():
            self._thread.join()

    def receive(self, given: Any) -> None:
        """Take a message of the page; one that can't be obeyed is answered on the page."""
        try:
            self._orders.put(self._order(read_choice(Message, given)))
        except ChoiceError as error:
            self._complain(str(error), error.place, error.told)
        except ConfigError as error:
            self._complain(str(error))

    def _order(self, message: Message) -> Order:
        match message.do:
            case "start" | "pause":
                return lambda: self._run(message.do == "start")
            case "step":
                return self._one_step
            case "reset":
                return lambda: self._begin(self.contest.settings)
            case "preset":
                preset = preset_of(message.name)
                return lambda: self._choose(preset.name)
            case "settings":
                settings = _needed(message.settings, "settings")
                return lambda: self._begin(settings)
            case "speed":
                speed = _needed(message.speed, "speed")
                return lambda: setattr(self, "_speed", speed)
            case "show":
                show = _needed(message.show, "show")
                return lambda: self._colour(show)

    def _work(self) -> None:
        import torch

        # Networks so small are no quicker on several, and the page needs a core of its own.
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            self._serve()
        finally:
            torch.set_num_threads(before)

    def _serve(self) -> None:
        while not self._ended.is_set():
            try:
                self._turn()
            except UnrolledError as error:
                self._stop(str(error))
            except Exception as error:
                # A page whose worker has died would look as if it were still at it.
                self._stop(f"unexpected {type(error).__name__}: {error}; choose other settings")

    def _turn(self) -> None:
        """Obey what was ordered; then, if it is time, a step and a record."""
        try:
            self._orders.get(timeout=self._rest())()
            return
        except queue.Empty:
            pass
        if not (self._running and self._watched()):
            return
        now = time.monotonic()
        if now >= self._next_step:
            self._next_step = now + 1 / RATES[self._speed]
            self.contest.learn()
            if self.contest.over:
                self._running = False
                self._show()
        if time.monotonic() >= self._next_record:
            self._show()

    def _rest(self) -> float:
        if not (self._running and self._watched()):
            return PATIENCE
        return min(PATIENCE, max(0.0, self._next_step - time.monotonic()))

    def _run(self, running: bool) -> None:
        self._running = running and not self.contest.over
        self._next_step = 0.0
        self._show()

    def _one_step(self) -> None:
        self._running = False
        self.contest.learn()
        self._show()

    def _choose(self, name: str) -> None:
        self._running = False
        self._take_preset(name)
        self._show()

    def _take_preset(self, name: str) -> None:
        preset = preset_of(name)
        self._preset, self._shown = preset.name, preset.shown
        self._new(preset.settings)

    def _begin(self, settings: LabSettings) -> None:
        self._new(settings)
        self._show()

    def _new(self, settings: LabSettings) -> None:
        self.contest = Contest(settings)
        self._number += 1
        self._next_step = 0.0
        facts = {"number": self._number, "preset": self._preset, **self.contest.facts()}
        self._send("lab", facts)

    def _colour(self, shown: str) -> None:
        self._shown = shown
        self._show()

    def _show(self) -> None:
        began = time.monotonic()
        record = self.contest.record(self._shown)
        told = {"number": self._number, "running": self._running, "speed": self._speed, **record}
        self._send("record", told)
        spent = time.monotonic() - began
        self._next_record = began + max(INTERVAL, SHARE * spent)

    def _stop(self, why: str) -> None:
        self._running = False
        self._complain(why)

    def _complain(self, text: str, place: tuple[str | int, ...] = (), told: str = "") -> None:
        self._complaints += 1
        complaint = {"number": self._complaints, "text": text, "place": place, "told": told}
        self._send("complaint", complaint, keep=False)


def _needed(value: Any, name: str) -> Any:
    if value is None:
        raise ConfigError(f"{name}: is missing")
    return value
