"""Which recordings are learnt, which choose the best weights, and which test."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from unrolled.data.doctor_checkup import Checkup
from unrolled.data.linked import Groups
from unrolled.data.recordings import Recordings
from unrolled.data.recordings_doctor import examine_recordings
from unrolled.data.recordings_reading import read_recordings
from unrolled.data.text_doctor_findings import counted
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.setting_apart import FEWEST, Shared, share_out
from unrolled.tasks.telling import with_notes

# Seconds from one frame of a sound to the next.
_HOP = 0.01
APART = ("auto", "speaker", "text", "both", "none")


@dataclass(frozen=True)
class Split:
    """The parts of a fit.

    Attributes:
        learnt: what the network learns from, and the rivals.
        chosen_by: what the best weights are chosen on; None where that is not wanted.
        test: what neither has seen; None where there is no evaluation.
        told: in words, what the test part is.
        checkup: what the data doctor says of them.
        holdout: what says how it was split, for the check that a resumed run is the same.
    """

    learnt: Recordings
    chosen_by: Recordings | None
    test: Recordings | None
    told: str
    checkup: Checkup
    holdout: Any


def read_split(
    data: Any,
    validation: Any,
    holdout: float,
    test: Any,
    apart: str,
    reading: dict[str, Any],
    subsampling: int,
) -> Split:
    """Reads the data of a fit and splits what was not given as data of its own.

    Args:
        data: what is learnt: all that `read_recordings` takes.
        validation: a share of it, 0 for none, or data of its own; None: a tenth.
        holdout: a share of it, 0 for none; not used where `test` is given.
        test: data of its own, or None.
        apart: what stays on one side of a split: all of one "speaker", the same "text", "both", or
            "none"; "auto": "speaker" where at least five are known, else "none".
        reading: arguments of `read_recordings`.
        subsampling: frames of a step, by which it is told whether a transcript is too long for its
            sound.

    Raises:
        DataError: what can't be read, has no transcripts, or is too little to set some apart.
        ConfigError: a share that is none.
    """
    if apart not in APART:
        raise ConfigError(f"apart: got {apart!r}, expected one of {', '.join(APART)}")
    read = _with_texts(read_recordings(data, **reading))
    chosen = _settled(apart, read)

    def given(part: str, one: Any) -> tuple[Recordings, str]:
        found = _with_texts(read_recordings(one, **reading))
        if (found.kind, found.labelled) != (read.kind, read.labelled):
            mine, theirs = (_told(each) for each in (read, found))
            raise DataError(f"{part}: got {theirs}, expected {mine} as in {read.name}")
        others[part] = found
        return found, found.name

    def groups(part: Recordings) -> Groups:
        return part.groups(chosen)

    others: dict[str, Recordings] = {}

    def shared() -> Shared[Recordings]:
        return share_out(
            read,
            validation,
            holdout,
            test,
            read=given,
            groups=groups,
            name=read.name,
            what="recordings",
        )

    try:
        parts = shared()
    except DataError:
        if apart != "auto" or chosen == "none":
            raise
        chosen = "none"
        others.clear()
        parts = shared()
        few = "too few speakers to keep each on one side of the split: they are on several"
        parts = replace(parts, notes=(*parts.notes, few))
    tested = parts.test
    told = "" if tested is None else f"{parts.names['test']}, {counted(len(tested), 'recording')}"
    if chosen == "speaker" and (tested is not None and test is None):
        told = f"{told}, of other speakers"
    notes = [*read.notes, *(note for one in others.values() for note in one.notes), *parts.notes]
    hop = 1 / read.items[0].rate if read.kind == "features" else _HOP
    apart_too = (parts.validation, tested)
    return Split(
        learnt=parts.learnt,
        chosen_by=parts.validation,
        test=tested,
        told=told,
        checkup=with_notes(
            examine_recordings(read, **others, frame_seconds=hop * subsampling), notes
        ),
        holdout=[one.digest().hex() if one is not None else "" for one in apart_too],
    )


def _with_texts(read: Recordings) -> Recordings:
    if not any(one.text for one in read.items):
        raise DataError(
            "no recording has a transcript; give a table of sounds and texts, or a folder for each"
            " label",
            file=read.name,
        )
    return read


def _settled(apart: str, read: Recordings) -> str:
    if apart != "auto":
        return apart
    speakers = {one.speaker for one in read.items}
    return "speaker" if None not in speakers and len(speakers) >= FEWEST else "none"


def _told(read: Recordings) -> str:
    what = "labels" if read.labelled else "transcripts"
    return f"{'sounds' if read.kind == 'sound' else 'ready-made features'} with {what}"
