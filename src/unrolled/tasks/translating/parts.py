"""Which pairs are learnt, which choose the best weights, and which test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from unrolled.data.doctor_checkup import Checkup
from unrolled.data.pairs import SentencePairs, read_pairs
from unrolled.data.pairs_doctor import examine_pairs
from unrolled.data.text_doctor_findings import counted
from unrolled.tasks.setting_apart import doubles_told, share_out
from unrolled.tasks.telling import with_notes

# A part is made of pairs as they were read: they still know their lines.
Part = SentencePairs


@dataclass(frozen=True)
class Split:
    """The parts of a fit.

    Attributes:
        learnt: what the network learns from, and the rivals.
        chosen_by: what the best weights are chosen on; None where that is not wanted.
        test: what neither has seen; None where there is no evaluation.
        name: of the file or set.
        columns: what source and target are called there, such as ("de", "en"); None: no names.
        told: in words, what the test part is.
        checkup: what the data doctor says of them.
        holdout: what says how it was split, for the check that a resumed run is the same.
    """

    learnt: Part
    chosen_by: Part | None
    test: Part | None
    name: str
    columns: tuple[str, str] | None
    told: str
    checkup: Checkup
    holdout: Any


def read_split(
    data: Any,
    validation: Any,
    holdout: float,
    test: Any,
    source: str | int | None,
    target: str | int | None,
) -> Split:
    """Reads the data of a fit and splits what was not given as files of their own.

    Pairs that share a sentence on either side, but for capitals and spaces, stay together, also
    over others: no sentence of the test part was learnt with another translation. The split depends
    on the data alone, not on the seed.

    Args:
        data: what is learnt: all that `read_pairs` takes.
        validation: a share of it, 0 for none, or data of its own; None: a tenth.
        holdout: a share of it, 0 for none; not used where `test` is given.
        test: data of its own, or None.
        source, target: the columns, in all files.

    Raises:
        DataError: what can't be read, or too few pairs to set some apart.
        ConfigError: a share that is none.
    """
    read = read_pairs(data, source=source, target=target)
    others: dict[str, SentencePairs] = {}

    def given(part: str, apart: Any) -> tuple[Part, str]:
        others[part] = read_pairs(apart, source=source, target=target)
        return others[part], others[part].name

    parts = share_out(
        read,
        validation,
        holdout,
        test,
        read=given,
        groups=SentencePairs.groups,
        name=read.name,
        what="pairs",
    )
    tested = parts.test
    told = "" if tested is None else f"{parts.names['test']}, {counted(len(tested), 'pair')}"
    apart = (parts.validation, tested)
    checkup = doubles_told(examine_pairs(read, **others))
    notes = [f"{part}: {note}" for part, one in others.items() for note in one.notes]
    return Split(
        learnt=parts.learnt,
        chosen_by=parts.validation,
        test=tested,
        name=read.name,
        columns=read.columns,
        told=told,
        checkup=with_notes(checkup, (*read.notes, *notes, *parts.notes)),
        holdout=[part.digest().hex() if part is not None else "" for part in apart],
    )
