"""`LabelledTexts`: texts, each with the label (or the labels) that a person gave it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from unrolled.errors import DataError


@dataclass(frozen=True)
class LabelledTexts:
    """`N` texts and their labels.

    Attributes:
        texts: `N` texts, none of them empty unless they were read with `labels=False`.
        labels: of each text one name, or (`several`) a tuple of names, which may be empty; None
            where no text has any.
        several: whether a text can have several labels.
        text_column, label_column: where they stood; None where they came without columns. Several
            columns of labels are joined by "|".
        name: of the file, folder or set.
        notes: what was guessed or left out while they were read, each a sentence.
        unlabelled: texts that stood without a label among others that have one: left out of
            `texts`, at hand for learning the language.
        empty: how many rows without text were left out.
    """

    texts: tuple[str, ...]
    labels: tuple[str, ...] | tuple[tuple[str, ...], ...] | None
    several: bool = False
    text_column: str | None = None
    label_column: str | None = None
    name: str = "texts"
    notes: tuple[str, ...] = ()
    unlabelled: tuple[str, ...] = ()
    empty: int = 0

    def __len__(self) -> int:
        return len(self.texts)

    def __str__(self) -> str:
        about = f"{len(self):,} text{'s' * (len(self) != 1)}"
        if self.labels is None:
            return f"{about} without labels"
        count = len(self.classes)
        return f"{about} with {count} label{'s' * (count != 1)}" + (
            ", several a text" if self.several else ""
        )

    @property
    def classes(self) -> tuple[str, ...]:
        """The different labels, in the order of their names (numbers by their size)."""
        if self.labels is None:
            return ()
        if self.several:
            return ordered_labels({name for one in self.labels for name in one})
        return ordered_labels({str(one) for one in self.labels})

    def counts(self) -> dict[str, int]:
        """How many texts have each label, in the order of `classes`."""
        found = dict.fromkeys(self.classes, 0)
        for one in self.labels or ():
            for name in one if isinstance(one, tuple) else (one,):
                found[name] += 1
        return found

    def renamed(self, names: Mapping[str, str]) -> LabelledTexts:
        """The same with other names for some labels."""
        if self.labels is None:
            return self
        if self.several:
            several = tuple(tuple(names.get(name, name) for name in one) for one in self.labels)
            return replace(self, labels=several)
        return replace(self, labels=tuple(names.get(str(one), str(one)) for one in self.labels))


def read_labelled(
    source: Any,
    *,
    text_column: str | None = None,
    label_column: str | Sequence[str] | None = None,
    several: bool | None = None,
    encoding: str = "utf-8",
    labels: bool = True,
    within: str = "",
) -> LabelledTexts:
    """Texts and their labels from a file, a folder, a frame, or two sequences.

    Args:
        source: a .csv, .tsv, .jsonl, .json or .parquet file (.gz too); a pandas, polars or pyarrow
            frame; `(texts, labels)`; a list of texts; a folder or .tar.gz with a folder of .txt
            files for each label, or with a .txt file for each label that holds a text a line.
        text_column, label_column: names of the columns; guessed from names and values, and told
            in `notes`, where they are None. Several names for `label_column`: each is a label, and
            its column says 1 or 0.
        several: whether a text can have several labels (lists in JSON, or names separated by `|`
            or `;`); None: where such are found.
        encoding: of the files.
        labels: False reads the texts alone: every row, in its order, empty ones as "".
        within: the folder inside a folder or archive that is meant.

    Returns:
        the texts with their labels as text (1 is "1"). Rows without text are left out, rows without
        a label are in `unlabelled`, and both are counted in `notes`.

    Raises: DataError with file, line and column for what can't be read, and with the list of the
    columns where a guess would be a toss-up.
    """
    if isinstance(source, LabelledTexts):
        return source
    if getattr(source, "ndim", None) == 1:
        source = list(source)  # an array or a pandas series of texts
    told: list[str] = []
    columns: tuple[str | None, str | None] = (None, None)
    name = "texts"
    found: Sequence[Any] | None
    if isinstance(source, (str, PathLike)) and _is_folder(Path(source)):
        from unrolled.data.labelled_folder import read_folder

        name = Path(source).name
        texts, found, how = read_folder(Path(source), encoding, within)
        several, told = bool(several), [how]
        if several:
            found = [None if one is None else (one,) for one in found]
    elif isinstance(source, (tuple, list)):
        texts, found, several = _sequences(source, several)
    else:
        texts, found, several, columns, told = _columns(
            source, text_column, label_column, several, encoding, labels
        )
        name = Path(source).name if isinstance(source, (str, PathLike)) else "frame"
    file = fspath(source) if isinstance(source, (str, PathLike)) else None
    if not labels:
        return LabelledTexts(tuple(texts), None, False, columns[0], None, name, tuple(told), (), 0)
    return _kept(texts, found, several, columns, name, told, file)


def _kept(
    texts: Sequence[str],
    labels: Sequence[Any] | None,
    several: bool,
    columns: tuple[str | None, str | None],
    name: str,
    told: list[str],
    file: str | None,
) -> LabelledTexts:
    """Only the rows with text and label, the others counted."""
    full = [bool(one.strip()) for one in texts]
    empty = len(full) - sum(full)
    if empty == len(full):
        raise DataError("holds no text: every text is empty", file=file, column=columns[0])
    if empty:
        told.append(f"{_rows(empty)} without text left out")
    if labels is not None and all(one is None for one in labels):
        labels = None
        told.append("no text has a label")
    rows = [row for row, there in enumerate(full) if there]
    unlabelled: tuple[str, ...] = ()
    kept = None
    if labels is not None:
        unlabelled = tuple(texts[row] for row in rows if labels[row] is None)
        rows = [row for row in rows if labels[row] is not None]
        if unlabelled:
            told.append(f"{_rows(len(unlabelled))} with text but no label left out")
        if not rows:
            raise DataError(
                "no row has both a text and a label: look at the columns "
                f"{columns[0]!r} and {columns[1]!r}",
                file=file,
            )
        kept = tuple(labels[row] for row in rows)
    return LabelledTexts(
        tuple(texts[row] for row in rows),
        kept,
        several and kept is not None,
        columns[0],
        columns[1],
        name,
        tuple(told),
        unlabelled,
        empty,
    )


def _columns(
    source: Any,
    text_column: str | None,
    label_column: str | Sequence[str] | None,
    several: bool | None,
    encoding: str,
    labels: bool,
) -> tuple[list[str], list[Any] | None, bool, tuple[str, str | None], list[str]]:
    from unrolled.data.labelled_cells import read_cells
    from unrolled.data.labelled_columns import find_columns
    from unrolled.data.labelled_values import labels_of, labels_of_columns

    cells = read_cells(source, encoding)
    text, label, notes = find_columns(cells, text_column, label_column, labels=labels)
    texts = []
    for row, value in enumerate(cells.columns[text]):
        if value is None or value != value:
            value = ""
        elif isinstance(value, (list, dict)):
            raise cells.error(
                f"holds {'a list' if isinstance(value, list) else 'an object'} where text is "
                "expected: name another column with text_column= (--text-column)",
                row=row,
                column=text,
            )
        texts.append(value if isinstance(value, str) else str(value))
    if label is None:
        if labels:
            notes.append("no column looks like labels (label_column= names one)")
        return texts, None, False, (text, None), notes
    if not isinstance(label, str):
        if several is False:
            raise DataError(f"got {len(label)} columns of labels and several=False: name one")
        return texts, list(labels_of_columns(cells, label)), True, (text, "|".join(label)), notes
    found, several, how = labels_of(cells, label, several)
    return texts, list(found), several, (text, label), notes + ([how] if how else [])


def _sequences(
    source: Sequence[Any], several: bool | None
) -> tuple[list[str], list[Any] | None, bool]:
    """`(texts, labels)`, or a list of texts."""
    from unrolled.data.labelled_values import one_or_several

    labels = None
    texts = source
    if isinstance(source, tuple) and len(source) == 2 and not isinstance(source[0], str):
        texts, labels = source
    texts = list(texts)
    for row, one in enumerate(texts):
        if one is None or one != one:
            texts[row] = ""
        elif not isinstance(one, str):
            raise DataError(
                f"text {row} (counted from 0) is {type(one).__name__}, expected text: give a file, "
                "a frame, (texts, labels), or a list of texts"
            )
    if not texts:
        raise DataError("got no text: give at least one")
    if labels is None:
        return texts, None, False
    labels = list(labels)
    if len(labels) != len(texts):
        raise DataError(
            f"got {len(texts):,} texts and {len(labels):,} labels: give one for each text (None "
            "where it is unknown)"
        )
    found, several = one_or_several(labels, several)
    return texts, found, several


def _is_folder(path: Path) -> bool:
    from unrolled.data.labelled_folder import ARCHIVES

    return path.is_dir() or path.name.lower().endswith(ARCHIVES)


def ordered_labels(names: Collection[str]) -> tuple[str, ...]:
    """Labels in the order that answers have: by size where all are numbers, else as text."""
    try:
        numbers = {name: float(name) for name in names}
    except ValueError:
        return tuple(sorted(names))
    if not all(map(isfinite, numbers.values())):  # "nan" has no place among numbers
        return tuple(sorted(names))
    return tuple(sorted(names, key=lambda name: (numbers[name], name)))


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
