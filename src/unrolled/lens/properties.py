"""Properties of a text, step by step, and the units of a network that go with them.

A property is a function from the inputs of a trace (`T` texts, such as characters or words) to `T`
numbers: what holds after the last character of each step was read, by what was read so far alone,
from a fresh beginning.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import ConfigError
from unrolled.lens.traces import Trace, TracedLayer

Numbers = NDArray[np.float64]
Property = str | Callable[[Sequence[str]], Any] | Sequence[float] | NDArray[Any]

# What may stand before a string in Python, its case apart.
_PREFIXES = {"r", "u", "b", "f", "rb", "br", "fr", "rf"}


def quotes(inputs: Sequence[str]) -> Numbers:
    """1 inside quotation marks, 0 outside, `(T,)`; the opening mark is inside, the closing is not.

    `"` and `'` open and close; three in a row close with three. A mark after a backslash inside
    is none. `'` right after a letter, a digit or `_` opens nothing, as in "don't", but after a
    prefix of a Python string (r, u, b, f, rb, br, fr, rf). What one `'` opened ends with the line,
    what one `"` opened with an empty line.
    """
    found = []
    closing = ""  # the mark that closes what is open; empty outside
    word = ""  # letters, digits and _ in a row right before
    row = 0  # of the same mark, up to here
    before, escaped = "", False
    for character in "".join(inputs):
        if character in "\"'" and not escaped:
            row = row + 1 if character == before else 1
            if not closing and row == 3:  # two opened and closed an empty string
                closing, row = 3 * character, 0
            elif not closing and (character == '"' or not word or word.lower() in _PREFIXES):
                closing = character
            elif closing == character or (closing == 3 * character and row == 3):
                closing, row = "", row % 3
        else:
            row = 0
        if character == "\n" and (closing == "'" or (closing == '"' and before == "\n")):
            closing = ""
        escaped = bool(closing) and character == "\\" and not escaped
        word = word + character if _in_word(character) else ""
        before = character
        found.append(float(bool(closing)))
    return _at_steps(found, inputs)


def brackets(inputs: Sequence[str]) -> Numbers:
    """How many of ( [ { are open, `(T,)`: one more for each, one less for each of ) ] }, never
    below 0, whatever stands around them. An empty line closes all."""
    found, depth, before = [], 0, ""
    for character in "".join(inputs):
        depth = max(0, depth + (character in "([{") - (character in ")]}"))
        if character == before == "\n":
            depth = 0
        before = character
        found.append(depth)
    return _at_steps(found, inputs)


def indentation(inputs: Sequence[str]) -> Numbers:
    """Blanks and tabs, each counting 1, that the line began with, `(T,)`: as many as were read so
    far, and 0 at the line break."""
    found, count, leading = [], 0, True
    for character in "".join(inputs):
        if character == "\n":
            count, leading = 0, True
        elif leading and character in " \t":
            count += 1
        else:
            leading = False
        found.append(count)
    return _at_steps(found, inputs)


def place_in_line(inputs: Sequence[str]) -> Numbers:
    """Characters since the last line break, `(T,)`: 0 at the break, 1 at the first character."""
    found, place = [], 0
    for character in "".join(inputs):
        place = 0 if character == "\n" else place + 1
        found.append(place)
    return _at_steps(found, inputs)


def place_in_word(inputs: Sequence[str]) -> Numbers:
    """Letters, digits and `_` in a row up to here, `(T,)`: 1 at the first of a word, 0 outside."""
    found, place = [], 0
    for character in "".join(inputs):
        place = place + 1 if _in_word(character) else 0
        found.append(place)
    return _at_steps(found, inputs)


PROPERTIES: dict[str, Callable[[Sequence[str]], Numbers]] = {
    "quotes": quotes,
    "brackets": brackets,
    "indentation": indentation,
    "place in line": place_in_line,
    "place in word": place_in_word,
}


@dataclass(frozen=True)
class TrackingUnit:
    """How one unit goes with a property.

    Attributes:
        layer: the place of the unit's layer in `trace.layers`.
        unit: its number in that layer.
        state: "h", or "c" of an LSTM.
        correlation: Pearson's, from -1 to 1.
    """

    layer: int
    unit: int
    state: str
    correlation: float

    def values(self, trace: Trace) -> NDArray[np.float32]:
        """The unit's state after each step of a trace by the same model, `(T,)`.

        Raises:
            ConfigError: the trace does not hold this unit.
        """
        if not 0 <= self.layer < len(trace.layers):
            raise ConfigError(
                f"trace: got {len(trace.layers)} layers, expected one at place {self.layer}"
            )
        layer = trace.layers[self.layer]
        places = np.flatnonzero(layer.units == self.unit)
        if not places.size:
            raise ConfigError(
                f"trace: got no unit {self.unit} in {layer.name}, expected it; trace with a larger"
                " units="
            )
        found: NDArray[np.float32] = _state(layer, self.state)[:, places[0]]
        return found

    def on(self, trace: Trace, property: Property) -> TrackingUnit:
        """The same unit on another text: its correlation where it was not chosen.

        Raises:
            ConfigError: as `values` and `tracking_units`.
        """
        numbers = numbers_of(property, trace)
        (r,) = _correlations(self.values(trace)[:, None], numbers)
        return TrackingUnit(self.layer, self.unit, self.state, float(r))


def tracking_units(
    trace: Trace, property: Property, *, state: str = "h"
) -> tuple[TrackingUnit, ...]:
    """All units of a trace by how well they track a property of what was read, the best first.

        r = sum_t (s_t - mean s) (p_t - mean p) / (T sd(s) sd(p))

    Sorted by |r|. A unit that never moves, or is not finite, gets 0. The best of many units is best
    by luck, too: say what it reaches on another text (`TrackingUnit.on`).

    Args:
        trace: see `unrolled.trace`.
        property: a name ("quotes", "brackets", "indentation", "place in line", "place in word"), a
            function from the inputs to `T` numbers, or the numbers; steps where they are NaN do not
            count.
        state: "h", or "c" of an LSTM.

    Raises:
        ConfigError: no such property or state, numbers that are not `T` or never change.
    """
    numbers = numbers_of(property, trace)
    found = []
    for place, layer in enumerate(trace.layers):
        for unit, r in zip(layer.units, _correlations(_state(layer, state), numbers), strict=True):
            found.append(TrackingUnit(place, int(unit), state, float(r)))
    return tuple(sorted(found, key=lambda one: -abs(one.correlation)))


def numbers_of(property: Property, trace: Trace) -> Numbers:
    """The numbers of a property at each step of a trace, `(T,)`.

    Raises:
        ConfigError: no such property, numbers that are not `T` or never change.
    """
    if isinstance(property, str):
        if property not in PROPERTIES:
            names = ", ".join(map(repr, PROPERTIES))
            raise ConfigError(f"property: got {property!r}, expected one of {names}, or a function")
        found: Any = PROPERTIES[property](trace.inputs)
    else:
        found = property(trace.inputs) if callable(property) else property
    try:
        numbers = np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError):
        raise ConfigError(
            f"property: got {type(found).__name__}, expected {len(trace)} numbers, one for each"
            " step"
        ) from None
    if numbers.shape != (len(trace),):
        raise ConfigError(
            f"property: got numbers of shape {numbers.shape}, expected ({len(trace)},), one for"
            " each step"
        )
    if np.isinf(numbers).any():
        raise ConfigError("property: got infinity, expected finite numbers, or NaN for no answer")
    known = numbers[~np.isnan(numbers)]
    if not known.size or np.ptp(known) == 0:
        raise ConfigError(
            "property: got the same number at every step, expected one that changes; trace a text"
            " in which it does"
        )
    return numbers


def _state(layer: TracedLayer, name: str) -> NDArray[np.float32]:
    if name not in layer.states:
        raise ConfigError(
            f"state: got {name!r}, expected one of {', '.join(layer.states)} of {layer.name}"
        )
    return layer.states[name]


def _correlations(states: NDArray[Any], numbers: Numbers) -> Numbers:
    """Pearson's r of each column of `states (T, H)` with `numbers (T,)`, `(H,)`."""
    known = ~np.isnan(numbers)
    moved = states[known].astype(np.float64)
    finite = np.isfinite(moved).all(axis=0)
    moved = np.where(finite, moved, 0.0)
    # Of a column that is constant the rounding of its mean would be left, and correlate.
    moves = np.ptp(moved, axis=0) > 0
    moved -= moved.mean(axis=0)
    aim = numbers[known] - numbers[known].mean()
    sizes = np.sqrt((moved**2).sum(axis=0)) * math.sqrt((aim**2).sum())
    good = moves & (sizes > 0)
    found = np.divide(aim @ moved, sizes, out=np.zeros(len(sizes)), where=good)
    return np.clip(found, -1.0, 1.0)


def _at_steps(values: Sequence[float], inputs: Sequence[str]) -> Numbers:
    """Of values after each character those after the last one of each step; 0 before any."""
    ends = np.cumsum([len(text) for text in inputs], dtype=np.int64)
    return np.array([0.0, *values], dtype=np.float64)[ends]


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "_"
