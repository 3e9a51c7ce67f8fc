"""Labels as they stand in a cell become text: one, several, or none."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from unrolled.data.labelled_cells import Cells
from unrolled.errors import DataError

_SEPARATORS = ("|", ";")


def as_label(value: Any) -> str | None:
    """A label as text: 1 and 1.0 are "1", True is "true"; None for what is empty or NaN."""
    if value is None:
        return None
    if isinstance(value, str):
        return value.strip() or None
    if hasattr(value, "item"):
        value = value.item()  # a number of numpy
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        if value != value:
            return None
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, int):
        return str(value)
    return str(value).strip() or None


def labels_of(
    cells: Cells, column: str, several: bool | None
) -> tuple[list[str | None] | list[tuple[str, ...] | None], bool, str | None]:
    """The labels of every row, whether there are several a row, and what to tell of it.

    There are several where the cells hold JSON lists, or names separated by `|` or `;` that recur
    in other cells (with `several=True`, also by commas). A cell that is empty has no label; an
    empty list says that none of the labels holds.

    Args:
        cells: the columns.
        column: the one of the labels.
        several: as the person says; None: guessed.

    Raises: DataError with the row for a list that can't be read, or lists where `several=False`.
    """
    values = [_parsed(cells, column, row, one) for row, one in enumerate(cells.columns[column])]
    lists = next((row for row, one in enumerate(values) if isinstance(one, list)), None)
    if lists is not None and several is False:
        raise cells.error(
            "holds a list of labels where each text is to have one (several=False)",
            row=lists,
            column=column,
        )
    separator = None
    if lists is None and several is not False:
        separator = _separator([one for one in values if isinstance(one, str)], several)
    if several is None:
        several = lists is not None or separator is not None
    if not several:
        return [as_label(one) for one in values], False, None
    told = "lists" if lists is not None else f"separated by {separator!r}"
    if lists is None and separator is None:
        told = "one in each cell"
    split = [_split(one, separator) for one in values]
    return split, True, f"several labels a text: column {column!r} holds {told}"


def labels_of_columns(cells: Cells, columns: Sequence[str]) -> list[tuple[str, ...] | None]:
    """The labels of every row where each label has a column of 1 (it holds) and 0 (it does not).

    A row whose cells are all empty has no label.

    Raises: DataError with row and column for another value.
    """
    truths = {"1": True, "true": True, "0": False, "false": False}
    found: list[tuple[str, ...] | None] = []
    for row in range(len(cells)):
        values = [as_label(cells.columns[name][row]) for name in columns]
        for name, value in zip(columns, values, strict=True):
            if value is not None and value.lower() not in truths:
                raise cells.error(
                    f"is {value[:40]!r} where 1 or 0 says whether the label holds: name one "
                    "label_column, or columns of 1 and 0",
                    row=row,
                    column=name,
                )
        if all(value is None for value in values):
            found.append(None)
            continue
        found.append(
            tuple(
                name
                for name, value in zip(columns, values, strict=True)
                if value is not None and truths[value.lower()]
            )
        )
    return found


def one_or_several(labels: Sequence[Any], several: bool | None) -> tuple[list[Any], bool]:
    """As `labels_of`, for labels that came as a plain sequence."""
    lists = any(isinstance(one, (list, tuple, set, frozenset)) for one in labels)
    if lists and several is False:
        raise DataError("got lists of labels where each text is to have one (several=False)")
    if lists or several:
        return [_split(one, None) for one in labels], True
    return [as_label(one) for one in labels], False


def _parsed(cells: Cells, column: str, row: int, value: Any) -> Any:
    if not isinstance(value, str):
        if isinstance(value, dict):
            raise cells.error(
                "holds an object where a label is expected: give text, a number or a list",
                row=row,
                column=column,
            )
        return value
    text = value.strip()
    if not (text.startswith("[") and text.endswith("]")):
        return value
    try:
        found = json.loads(text)
    except ValueError:
        raise cells.error(
            f'{text[:40]!r} is no JSON list: write several labels as ["one", "two"] or one|two',
            row=row,
            column=column,
        ) from None
    return found


def _separator(cells: Sequence[str], several: bool | None) -> str | None:
    for separator in (*_SEPARATORS, ",") if several else _SEPARATORS:
        split = [one for one in cells if separator in one]
        if not split:
            continue
        parts = {part.strip() for one in cells for part in one.split(separator)}
        # "one|two" is a name of its own unless its parts recur
        if several or len(parts) < len(set(cells)):
            return separator
    return None


def _split(value: Any, separator: str | None) -> tuple[str, ...] | None:
    if isinstance(value, str):
        parts: Sequence[Any] = value.split(separator) if separator else [value]
        if not value.strip():
            return None
    elif isinstance(value, (list, tuple)):
        parts = value
    elif isinstance(value, (set, frozenset)):
        parts = sorted(value)
    else:
        plain = as_label(value)
        return None if plain is None else (plain,)
    return tuple(dict.fromkeys(name for one in parts if (name := as_label(one)) is not None))
