"""From what `fit` is given to the texts that are learnt, that choose, and that test."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from unrolled.data.labelled import LabelledTexts, read_labelled
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.base import check_share, is_number
from unrolled.tasks.classifying.labels import Labels
from unrolled.tasks.classifying.splitting import split


@dataclass(frozen=True)
class Part:
    """Texts and their labels, as many of each."""

    texts: tuple[str, ...]
    labels: tuple[Any, ...]

    def __len__(self) -> int:
        return len(self.texts)

    def pick(self, places: np.ndarray) -> Part:
        """Some of them."""
        return Part(tuple(self.texts[i] for i in places), tuple(self.labels[i] for i in places))

    def __add__(self, other: Part) -> Part:
        return Part(self.texts + other.texts, self.labels + other.labels)


@dataclass(frozen=True)
class Course:
    """The parts of one `fit`.

    Attributes:
        name: of the data.
        labels: the labels that occur in what is learnt.
        learnt, chosen_by, test: the parts; the last two may be empty.
        held_out: in words, what the test part is.
        digest: sha256 of all texts and labels.
        given, given_test, given_validation: as they were read, for the data doctor; the last two
            None where the part was taken from the first.
    """

    name: str
    labels: Labels
    learnt: Part
    chosen_by: Part
    test: Part
    held_out: str
    digest: str
    given: LabelledTexts
    given_test: LabelledTexts | None
    given_validation: LabelledTexts | None


def make_course(
    data: Any,
    *,
    test: Any,
    holdout: float,
    validation: Any,
    seed: int,
    columns: dict[str, Any],
) -> Course:
    """Read, check and split the data of a `fit`.

    Raises:
        DataError: what can't be read, has no labels, or too few texts or labels to learn from.
        ConfigError: a share that can't work.
    """
    if is_number(validation) and not 0 <= validation < 1:
        raise ConfigError(
            f"validation: got {validation!r}, expected a share from 0 to below 1, or a file"
        )
    if test is None:
        check_share("holdout", holdout)
    given = labelled(data, **columns)
    whole = part_of(given)
    labels = Labels.of(whole.labels, given.several)
    its = chosen = None
    _check_labels(whole, labels, given)
    if test is None:
        stay, apart = split(whole.texts, whole.labels, holdout, seed)
        rest, tested = whole.pick(stay), whole.pick(apart)
        held_out = f"{_told(tested, given)} ({holdout:.0%}, drawn by label)"
    else:
        its = _alike(test, given)
        rest, tested = whole, part_of(its)
        held_out = _told(tested, its)
        # A label that nothing is learnt of is told before the work.
        labels.targets(tested.labels, its.name)
    if len(tested) == 0:
        raise DataError(
            f"{given.name}: {len(whole)} texts leave none to test on with holdout={holdout} (equal"
            " ones stay on one side); give more texts, or another holdout"
        )
    learnt, chosen_by = rest, rest.pick(np.empty(0, dtype=int))
    if not is_number(validation):
        chosen = _alike(validation, given)
        chosen_by = part_of(chosen)
        labels.targets(chosen_by.labels)
    elif validation > 0:
        # Chosen by as it will be tested: on texts of another file, or on some of the same.
        stay, apart = split(rest.texts, rest.labels, validation, seed, in_a_row=test is not None)
        learnt, chosen_by = rest.pick(stay), rest.pick(apart)
    kept = [
        whole,
        *([] if its is None else [tested]),
        *([] if is_number(validation) else [chosen_by]),
    ]
    digest = _digest(kept, float(validation) if is_number(validation) else -1.0)
    parts = (learnt, chosen_by, tested)
    return Course(given.name, labels, *parts, held_out, digest, given, its, chosen)


def labelled(data: Any, **columns: Any) -> LabelledTexts:
    """What `read_labelled` makes of it.

    Raises:
        DataError: no text has a label.
    """
    given = read_labelled(data, **columns)
    if given.labels is None:
        raise DataError(
            f"{given.name}: no text has a label; a Classifier learns from texts with labels: name"
            " their column with label_column (--label-column)"
        )
    return _shaped(given, columns.get("several"))


def columns_of(given: LabelledTexts) -> dict[str, Any]:
    """The columns that texts and labels were read from, for later tables; nothing of other data."""
    found: dict[str, Any] = {}
    if given.text_column is not None:
        found["text_column"] = given.text_column
    if given.label_column is not None:
        several = given.label_column.split("|")  # a column for each label
        found["label_column"] = several if len(several) > 1 else several[0]
    return found


def read_again(data: Any, columns: dict[str, Any], **options: Any) -> LabelledTexts:
    """A later table, read as the one of the training; by guess where it has other columns.

    Args:
        data: what `read_labelled` takes.
        columns: what `columns_of` gave, and what was asked for since.
        options: of `read_labelled`.
    """
    if not _has_columns(data):
        return read_labelled(data, **options)
    try:
        return read_labelled(data, **columns, **options)
    except DataError:
        return read_labelled(data, **options)


def _shaped(given: LabelledTexts, several: bool | None) -> LabelledTexts:
    """With one label a text, or with a tuple of them, as is asked: what was read before may have
    the other."""
    if several is None or several == given.several or given.labels is None:
        return given
    if several:
        return replace(given, labels=tuple((str(one),) for one in given.labels), several=True)
    for row, one in enumerate(given.labels):
        if len(one) != 1:
            raise DataError(
                f"text {row} (counted from 0) has {len(one)} labels where each text is to have one",
                file=given.name,
            )
    return replace(given, labels=tuple(one[0] for one in given.labels), several=False)


def _alike(data: Any, given: LabelledTexts) -> LabelledTexts:
    """A second file: the columns are the training file's, the same names are expected there."""
    columns = _has_columns(data)
    return labelled(
        data,
        text_column=given.text_column if columns else None,
        label_column=given.label_column if columns else None,
        several=given.several,
    )


def part_of(given: LabelledTexts) -> Part:
    """Its texts and labels."""
    assert given.labels is not None
    return Part(tuple(given.texts), tuple(given.labels))


def _check_labels(whole: Part, labels: Labels, given: LabelledTexts) -> None:
    column = given.label_column
    if len(labels) == 0:
        raise DataError("every list of labels is empty", file=given.name, column=column)
    if labels.several:
        return
    if len(labels) == 1:
        raise DataError(
            f"every text has the label {labels.names[0]!r}; expected at least two labels to tell"
            " apart",
            file=given.name,
            column=column,
        )
    often = [name for name, count in Counter(whole.labels).items() if count >= 2]
    if len(often) < 2:
        raise DataError(
            f"{len(whole)} texts with {len(labels)} labels, and fewer than two labels have two"
            " texts; expected at least two texts a label, one to learn from and one to test on",
            file=given.name,
            column=column,
        )


def _told(part: Part, given: LabelledTexts) -> str:
    """`60 texts of test.csv`; those that came as lists have no name."""
    name = "" if given.name == "texts" else f" of {given.name}"
    return f"{len(part):,} texts{name}"


def _has_columns(data: Any) -> bool:
    return not isinstance(data, LabelledTexts | tuple | list)


def _digest(parts: Sequence[Part], validation: float) -> str:
    digest = hashlib.sha256(str(validation).encode())
    for part in parts:
        for text, label in zip(part.texts, part.labels, strict=True):
            digest.update(f"{len(text)}:{text}{label!r}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
