"""The laboratory as a page on 127.0.0.1."""

from __future__ import annotations

import sys
from typing import Any, Self, TextIO

from unrolled.lab.presets import PRESETS
from unrolled.lab.session import Session
from unrolled.lab.settings import INITS
from unrolled.lens.server import PageServer, open_browser
from unrolled.training.diagnostics_findings import EXPLODED, VANISHED

TITLE = "The laboratory"
SUBTITLE = (
    "Two networks learn the same thing, side by side, on this machine. Six contests tell what a"
    " recurrent network is, why it forgets, and what was done about it."
)


class Laboratory:
    """Serves the laboratory from when it is made until `close`; a context manager.

    Args:
        port: 0 takes any that is free.

    Attributes:
        url: the page's address, good on this machine alone.

    Raises:
        ConfigError: no such port.
        OutputError: the port is taken.
    """

    def __init__(self, *, port: int = 0) -> None:
        self._server = PageServer(TITLE, _report(), receive=self._receive, port=port)
        self.url = self._server.url
        self._session = Session(self._server.send, lambda: self._server.watched)
        self._session.start()

    def wait(self) -> None:
        """Wait until it is closed; Ctrl-C gets through."""
        self._server.wait()

    def close(self) -> None:
        """Stop learning and serving."""
        self._session.close()
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _receive(self, message: Any) -> None:
        self._session.receive(message)


def run_lab(*, port: int = 0, browser: bool = True, out: TextIO | None = None) -> None:
    """Serve the laboratory until Ctrl-C.

    Args:
        port: 0 takes any that is free.
        browser: open the page there.
        out: where the address is told; None: standard output.

    Raises:
        ConfigError, OutputError: as `Laboratory`.
    """
    out = out or sys.stdout
    with Laboratory(port=port) as lab:
        print(f"The laboratory is at {lab.url} (Ctrl-C ends it)", file=out, flush=True)
        if browser:
            open_browser(lab.url)
        try:
            lab.wait()
        except KeyboardInterrupt:
            print("\nThe laboratory is closed.", file=out)


def _report() -> dict[str, Any]:
    """What the page begins with: as of a `Report`, with a part of its own."""
    from unrolled.lens.records import Report

    lab = {
        "presets": [preset.to_json() for preset in PRESETS],
        "inits": {cell: list(names) for cell, names in INITS.items()},
        "vanished": VANISHED,
        "exploded": EXPLODED,
    }
    return {**Report(title=TITLE, subtitle=SUBTITLE, made="").to_json(), "lab": lab}
