"""Which sentences are learnt, which choose the best weights, and which test."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from unrolled.data.doctor_checkup import Checkup
from unrolled.data.linked import alike
from unrolled.data.tagged import TaggedSentences, read_tagged
from unrolled.data.text_doctor import examine_texts
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.setting_apart import doubles_told, share_out
from unrolled.tasks.telling import with_notes


@dataclass(frozen=True)
class Part:
    """Sentences and their tags."""

    words: tuple[tuple[str, ...], ...]
    tags: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, data: TaggedSentences) -> Part:
        """All of what was read.

        Raises:
            DataError: it has no tags.
        """
        if data.tags is None:
            raise DataError(
                f"got {data}: there is nothing to learn or to test by; give a file with a column of"
                " tags, or column= where it is another one",
                file=data.name,
            )
        return cls(data.words, data.tags)

    def __len__(self) -> int:
        return len(self.words)

    def select(self, places: Sequence[int] | np.ndarray) -> Part:
        """Some of the sentences."""
        return Part(
            tuple(self.words[place] for place in places),
            tuple(self.tags[place] for place in places),
        )

    @property
    def count(self) -> int:
        """How many words there are."""
        return sum(map(len, self.words))

    def digest(self) -> bytes:
        """Bytes that are alike only where words and tags are."""
        total = hashlib.sha256()
        for words, tags in zip(self.words, self.tags, strict=True):
            total.update("\n".join(("\t".join(words), "\t".join(tags), "\n")).encode())
        return total.digest()


@dataclass(frozen=True)
class Split:
    """The parts of a fit.

    Attributes:
        learnt: what the network learns from, and the rivals.
        chosen_by: what the best weights are chosen on; None where that is not wanted.
        test: what neither has seen; None where there is no evaluation.
        name, column, scheme: as the file says.
        told: in words, what the test part is.
        checkup: what the data doctor says of them.
        holdout: what says how it was split, for the check that a resumed run is the same.
    """

    learnt: Part
    chosen_by: Part | None
    test: Part | None
    name: str
    column: str | int | None
    scheme: str | None
    told: str
    checkup: Checkup
    holdout: Any


def read_split(
    data: Any, validation: Any, holdout: float, test: Any, column: str | int | None
) -> Split:
    """Reads the data of a fit and splits what was not given as files of their own.

    Sentences of the same words stay together: what was learnt by heart is not tested. The split
    depends on the data alone, not on the seed.

    Args:
        data: what is learnt.
        validation: a share of it, 0 for none, or a file; None: a tenth.
        holdout: a share of it, 0 for none; not used where `test` is given.
        test: a file, or None.
        column: of the tags, in all files.

    Raises:
        DataError, ConfigError: as `Tagger.fit` says.
    """
    read = read_tagged(data, column=column)
    others: dict[str, TaggedSentences] = {}

    def given(part: str, source: Any) -> tuple[Part, str]:
        others[part] = read_tagged(source, column=column)
        return Part.of(others[part]), others[part].name

    parts = share_out(
        Part.of(read),
        validation,
        holdout,
        test,
        read=given,
        groups=lambda part: alike(tuple(word.lower() for word in words) for words in part.words),
        name=read.name,
        what="sentences",
    )
    tested = parts.test
    told = "" if tested is None else f"{parts.names['test']}, {tested.count:,} words"
    apart = (parts.validation, tested)
    checkup = examine_texts(read, **others)
    kept = [part.digest().hex() if part is not None else "" for part in apart]
    return Split(
        learnt=parts.learnt,
        chosen_by=parts.validation,
        test=tested,
        name=read.name,
        column=read.column,
        scheme=read.scheme,
        told=told,
        checkup=with_notes(doubles_told(checkup), (*read.notes, *parts.notes)),
        holdout=kept,
    )


def check_tags(part: Part, name: str | None) -> None:
    """Something to tell apart.

    Raises:
        DataError: one tag only.
    """
    seen = {tag for tags in part.tags for tag in tags}
    if len(seen) < 2:
        raise DataError(
            f"got {next(iter(seen), None)!r} as the tag of every word, expected at least two"
            " different tags; column= names another column",
            file=name,
        )


def column_kind(column: str | int | None) -> None:
    """ConfigError for a column that is neither a name nor a number."""
    if column is not None and (isinstance(column, bool) or not isinstance(column, str | int)):
        raise ConfigError(f"column: got {column!r}, expected a name such as 'upos', or a number")
