"""Which column holds the sentences and which their translations: as named, or the first two."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from os import PathLike

from unrolled.data.language_names import LANGUAGES, are_languages
from unrolled.errors import DataError

# What a column of sentences is called where it does not name a language.
_SIDES = "source target src tgt trg sentence sentences translation original text input output"
_NAMES = LANGUAGES | set(_SIDES.split())
# Codes of languages that name something else as a rule where there are more than two columns.
_NUMBERS = {"id", "no", "nr"}
_SENTENCE = 5  # words, which the name of a column seldom has


@dataclass(frozen=True)
class Sides:
    """Both sides as they stand, before anything is left out.

    Attributes:
        sources, targets: `N` each.
        lines: of each pair; None where there is no file.
        columns: what the columns of both are called.
        notes: what was guessed.
        file: that was read.
    """

    sources: Sequence[str]
    targets: Sequence[str]
    lines: Sequence[int] | None = None
    columns: tuple[str, str] | None = None
    notes: tuple[str, ...] = ()
    file: str | PathLike[str] | None = None


def pick(
    names: Sequence[str] | None,
    width: int,
    source: str | int | None,
    target: str | int | None,
    *,
    usual: tuple[int, int] = (0, 1),
    file: str | PathLike[str] | None = None,
    line: int | None = None,
) -> tuple[int, int]:
    """The numbers of the source's and the target's column, counted from 0.

    Args:
        names: of the columns; None where they have none.
        width: how many there are.
        source, target: as a person named them.
        usual: the columns where nothing is named.
        file, line: where the columns stand, for the error.

    Raises: DataError for a column that is not there, and for the same one twice.
    """
    chosen = [
        None if one is None else _place(one, what, names, width, file, line)
        for what, one in (("source", source), ("target", target))
    ]
    first, second = chosen
    if first is None:
        first = usual[0] if second != usual[0] else usual[1]
    if second is None:
        second = usual[1] if first != usual[1] else usual[0]
    if first == second:
        raise DataError(
            f"source= and target= are the same column ({source!r} and {target!r}): name two",
            file=file,
        )
    return first, second


def _place(
    wanted: str | int,
    what: str,
    names: Sequence[str] | None,
    width: int,
    file: str | PathLike[str] | None,
    line: int | None,
) -> int:
    if names is not None and wanted in names:
        return list(names).index(str(wanted))
    if isinstance(wanted, str) and re.fullmatch(r"-?\d+", wanted):
        wanted = int(wanted)
    if isinstance(wanted, int) and not isinstance(wanted, bool) and -width <= wanted < width:
        return wanted % width
    if names is None:
        known = f"the columns have no names, number them from 0 to {width - 1}"
    else:
        folded = {name.lower(): name for name in names}
        close = get_close_matches(str(wanted).lower(), folded, n=1)
        guess = f"did you mean {folded[close[0]]!r}? " if close else ""
        known = guess + f"the columns are {', '.join(map(repr, names[:12]))}"
    raise DataError(f"there is no column {wanted!r} for {what}=: {known}", file=file, line=line)


def columns_taken(taken: Sequence[str], width: int) -> str:
    """The note on a guess where there are more than two columns."""
    return (
        f"columns {taken[0]!r} and {taken[1]!r} of {width} were taken (source= and target= name "
        "others)"
    )


def is_sentence(name: str) -> bool:
    """Whether what stands where columns are named looks like a sentence."""
    return len(name.split()) >= _SENTENCE or name.rstrip().endswith((".", "!", "?"))


def names_a_side(cell: str) -> bool:
    """Whether a cell plainly names a column of sentences: "de", "English", "target_text"."""
    parts = _parts(cell)
    return len(parts) <= 3 and all(part in _NAMES for part in parts)


def two_sides(names: Sequence[str], *, babel: bool = True) -> tuple[int, int] | None:
    """The places of the two columns that are called by languages, where there are just two of them;
    of two columns also by sides ("source", "target").

    Args:
        names: of all columns.
        babel: look names up in many languages, too, which takes a moment.
    """
    if len(names) == 2 and all(map(names_a_side, names)):
        return 0, 1
    known = [_names_a_language(name) for name in names]
    if babel and sum(known) < 2:
        known = [one or other for one, other in zip(known, are_languages(names), strict=True)]
    places = [place for place, one in enumerate(known) if one]
    return (places[0], places[1]) if len(places) == 2 else None


def _names_a_language(name: str) -> bool:
    """Likewise, but for "source" and the like alone, and for what numbers the rows."""
    parts = _parts(name)
    return names_a_side(name) and any(part in LANGUAGES - _NUMBERS for part in parts)


def _parts(name: str) -> list[str]:
    parts = re.split(r"[\s_.-]+", name.strip())
    if len(parts) == 2 and re.fullmatch("[A-Z]{2}", parts[1]):
        parts.pop()  # "en-US", "pt_BR": a language and its country
    return [part.lower() for part in parts]
