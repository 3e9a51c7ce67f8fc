"""Stop strings: a text ends before the first of them, though it comes in pieces."""

from __future__ import annotations

from collections.abc import Iterable

from unrolled.errors import ConfigError


class StopStrings:
    """Lets text through, piece by piece, up to the first stop string.

        stops = StopStrings(["\\n\\n", "###"])
        for piece in pieces:
            shown += stops.feed(piece)
            if stops.reached: break
        shown += stops.rest()

    What could be the beginning of a stop string is held back until the next piece tells. Nothing
    depends on how the text was cut into pieces.

    Of several the one that is complete first counts.

    Args:
        stops: one string, or several; none lets everything through.

    Attributes:
        reached: whether a stop string has come.

    Raises:
        ConfigError: an empty stop string, or one that is no string.
    """

    def __init__(self, stops: str | Iterable[str] | None) -> None:
        given = [stops] if isinstance(stops, str) else list(stops or ())
        for one in given:
            if not isinstance(one, str) or not one:
                raise ConfigError(f"stop: got {one!r}, expected a text of one character or more")
        self._stops = tuple(given)
        self._held = ""
        self.reached = False

    def feed(self, piece: str) -> str:
        """The text that is now sure to stand before every stop string."""
        if self.reached:
            return ""
        text = self._held + piece
        # The first to be complete, so that it does not matter how the text was cut.
        found = [(text.find(one) + len(one), text.find(one)) for one in self._stops if one in text]
        if found:
            self.reached, self._held = True, ""
            return text[: min(found)[1]]
        held = max((_overlap(text, stop) for stop in self._stops), default=0)
        self._held = text[len(text) - held :]
        return text[: len(text) - held]

    def rest(self) -> str:
        """What was held back, at the end of the text; empty where a stop string was reached."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """The longest end of `text` that `stop` begins with."""
    lengths = range(min(len(text), len(stop) - 1), 0, -1)
    return next((n for n in lengths if text.endswith(stop[:n])), 0)
