"""Which column holds the texts and which the labels: as named, or guessed and told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from unrolled.data.labelled_cells import Cells
from unrolled.errors import DataError

TEXT_NAMES = ("text", "review", "sentence", "content", "tweet", "message", "comment", "body")
LABEL_NAMES = (
    "label",
    "sentiment",
    "class",
    "category",
    "target",
    "stars",
    "y",
    "labels",
    "rating",
    "polarity",
    "topic",
    "intent",
    "emotion",
    "language",
    "genre",
    "genres",
    "tags",
)

# Without a telling name: a label has few values, and a text is clearly longer than what else there
# is.
_MOST_LABELS = 100
_CLEARLY = 2.0
_SENTENCE = 5  # words, which the name of a column seldom has


def find_columns(
    cells: Cells,
    text_column: str | None,
    label_column: str | Sequence[str] | None,
    *,
    labels: bool = True,
) -> tuple[str, str | tuple[str, ...] | None, list[str]]:
    """The columns of the texts and of the labels, and what to tell of the guesses.

    A text is a column of that name (`TEXT_NAMES`, also as the last word of a name, such as
    "review_text"), else the longest on average by a factor of 2; a label is a column of such a name
    (`LABEL_NAMES`, the first of them that is there), else the only one with few values.

    Args:
        cells: the columns.
        text_column, label_column: as the person named them; `label_column` may be several.
        labels: whether labels are looked for at all.

    Returns:
        both names, the second None where nothing looks like labels.

    Raises: DataError that lists the columns, for a name that is not there or a guess that would be
    a toss-up.
    """
    notes = []
    named = (label_column,) if isinstance(label_column, str) else tuple(label_column or ())
    for name in (text_column, *named):
        if name is not None:
            require_column(cells, name)
    if text_column in named:
        raise cells.error(
            f"text_column and label_column are both {text_column!r}: name two columns"
        )
    label: str | tuple[str, ...] | None = None
    if labels and label_column is not None:
        label = label_column if isinstance(label_column, str) else named
    text = text_column
    if text is None:
        text = _guess_text(cells, named)
        if label_column is None:
            _check_header(cells, text)
        notes.append(f"texts: column {text!r} (guessed; text_column= names another)")
    if labels and label is None:
        label, others = _guess_label(cells, text)
        if label is not None:
            also = f", not {listed_columns(others)}" if others else ""
            notes.append(f"labels: column {label!r}{also} (guessed; label_column= names another)")
    return text, label, notes


def _check_header(cells: Cells, text: str) -> None:
    """DataError where the first line of a file is a row and not the names of the columns."""
    if cells.line is None or cells.line(0) == 1:
        return  # a frame, or lines of JSON
    known = {*TEXT_NAMES, *LABEL_NAMES}
    if known & {name.lower() for name in cells.columns}:
        return
    repeated = [
        name
        for name in cells.columns
        if name != text and _few_values(cells.columns[name]) and name in cells.columns[name]
    ]
    if repeated or len(text.split()) >= _SENTENCE:
        raise DataError(
            f"{(repeated or [text])[0][:60]!r} looks like a part of a row and not like the name of "
            "a column: put a line with names before it, such as label,text",
            file=cells.file,
            line=1,
        )


def _guess_text(cells: Cells, labels: Sequence[str]) -> str:
    others = [name for name in cells.columns if name not in labels]
    wordy = [name for name in others if mostly_text(cells.columns[name])]
    # a column that is called "text" may hold numbers; "review_text" could be many things
    free = [name for name in others if name.lower() in TEXT_NAMES] or _named(wordy, TEXT_NAMES)
    if not free:
        # a column with the name of a label is the text only where there is no other
        taken = [] if labels else _named(cells.columns, LABEL_NAMES)[:1]
        free = [name for name in wordy if name not in taken]
    if not free:
        raise cells.error(
            f"no column holds text (the columns are {listed_columns(list(cells.columns))}): name "
            "it with text_column= (--text-column)"
        )
    if len(free) == 1:
        return free[0]
    lengths = {name: _length(cells.columns[name]) for name in free}
    first, second = sorted(free, key=lengths.__getitem__, reverse=True)[:2]
    if lengths[first] >= _CLEARLY * lengths[second]:
        return first
    # two of about one length: the one that repeats itself is a label of sorts
    repeats = [name for name in (first, second) if _few_values(cells.columns[name])]
    if len(repeats) == 1 and len(free) == 2:
        return second if repeats == [first] else first
    raise cells.error(
        f"columns {first!r} and {second!r} both look like text (the columns are "
        f"{listed_columns(list(cells.columns))}): name it with text_column= (--text-column)"
    )


def _guess_label(cells: Cells, text: str) -> tuple[str | None, list[str]]:
    free = [name for name in cells.columns if name != text]
    named = _named(free, LABEL_NAMES)
    if named:
        return named[0], named[1:]
    few = [name for name in free if _few_values(cells.columns[name])]
    if len(few) > 1:
        raise cells.error(
            f"columns {listed_columns(few)} could all be the label (the columns are "
            f"{listed_columns(list(cells.columns))}): name it with label_column= (--label-column), "
            "or several where each says 1 or 0"
        )
    return (few[0] if few else None), []


def _named(columns: Sequence[str] | dict[str, Any], names: Sequence[str]) -> list[str]:
    """Columns of these names, in the order of the names; else those that end in one."""
    words = {column: re.findall(r"[a-z]+", column.lower()) for column in columns}
    for fits in (lambda found: len(found) == 1, bool):
        found = [
            column
            for name in names
            for column in columns
            if fits(words[column]) and words[column][-1] == name
        ]
        if found:
            return found
    return []


def mostly_text(column: list[Any]) -> bool:
    """Whether it holds text, most of which is no number."""
    known = [one for one in column if one is not None and one != ""]
    words = sum(1 for one in known[:1000] if isinstance(one, str) and not _number(one))
    return words > 0.5 * min(len(known), 1000)


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _length(column: list[Any]) -> float:
    known = [len(one) for one in column if isinstance(one, str)]
    return sum(known) / max(len(known), 1)


def _few_values(column: list[Any]) -> bool:
    known = [str(one) for one in column if one is not None and one != ""]
    values = len(set(known))
    return 1 < values <= min(_MOST_LABELS, len(known) / 2)


def require_column(cells: Cells, name: str) -> None:
    """DataError with the closest name where there is no such column."""
    if name in cells.columns:
        return
    folded = {column.lower(): column for column in cells.columns}
    close = get_close_matches(name.lower(), folded, n=1)
    guess = f"did you mean {folded[close[0]]!r}? " if close else ""
    raise cells.error(
        f"there is no column {name!r}: {guess}the columns are {listed_columns(list(cells.columns))}"
    )


def listed_columns(names: Sequence[str]) -> str:
    """The first names of many, quoted, for a message."""
    told = ", ".join(repr(name) for name in names[:12])
    return told + (f", ... ({len(names)} in all)" if len(names) > 12 else "")
