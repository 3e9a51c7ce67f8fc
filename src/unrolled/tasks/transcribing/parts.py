"""Which recordings are learnt, which choose the best weights, and which test."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from unrolled.data.doctor_checkup import Checkup
from unrolled.data.linked import Groups, linked, numbers
from unrolled.data.recordings import Recordings
from unrolled.data.recordings_doctor import examine_recordings
from unrolled.data.recordings_reading import read_recordings
from unrolled.data.recordings_rows import with_texts
from unrolled.data.recordings_same import same_sounds
from unrolled.data.text_doctor_findings import counted
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.setting_apart import FEWEST, Shared, doubles_told, share_out
from unrolled.tasks.telling import with_notes
from unrolled.tasks.transcribing.symbols import Symbols

# Seconds from one frame of a sound to the next, as is usual.
_HOP = 0.01
# Share of the recordings whose speakers are known, from which on something is said of them.
_MOST = 0.9
APART = ("auto", "speaker", "text", "both", "none")


@dataclass(frozen=True)
class Split:
    """The parts of a fit.

    Attributes:
        learnt: what the network learns from, and the rivals.
        chosen_by: what the best weights are chosen on; None where that is not wanted.
        test: what neither has seen; None where there is no evaluation.
        told: in words, what the test part is.
        symbols: what the transcripts are written in; None for labels.
        checkup: what the data doctor says of them.
        holdout: what says how it was split, for the check that a resumed run is the same.
    """

    learnt: Recordings
    chosen_by: Recordings | None
    test: Recordings | None
    told: str
    symbols: Symbols | None
    checkup: Checkup
    holdout: Any


def read_split(
    data: Any,
    validation: Any,
    holdout: float,
    test: Any,
    apart: str,
    reading: dict[str, Any],
    subsampling: int | None,
    symbols_of: Callable[[Recordings], Symbols | None],
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
            sound; None where a step may say any number of symbols.
        symbols_of: what the transcripts that are learnt are written in, by which that is told, too.

    Raises:
        DataError: what can't be read, has no transcripts, or is too little to set some apart.
        ConfigError: a share that is none.
    """
    if apart not in APART:
        raise ConfigError(f"apart: got {apart!r}, expected one of {', '.join(APART)}")
    skip = bool(reading.get("skip"))
    read = with_texts(read_recordings(data, **reading), skip=skip)
    chosen = _settled(apart, read)

    def given(part: str, one: Any) -> tuple[Recordings, str]:
        found = with_texts(read_recordings(one, **reading), skip=skip)
        if (found.kind, found.labelled) != (read.kind, read.labelled):
            mine, theirs = (_told(each) for each in (read, found))
            raise DataError(f"{part}: got {theirs}, expected {mine} as in {read.name}")
        others[part] = found
        return found, found.name

    @cache
    def sounds() -> dict[int, Hashable]:
        return dict(zip(map(id, read.items), same_sounds(read.items), strict=True))

    def groups(part: Recordings) -> Groups:
        # A sound that was learnt is no test, under whatever name and speaker.
        alike = [sounds()[id(one)] for one in part.items]
        return linked(numbers(part.groups(chosen)), alike)

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
    if test is None and tested is not None and _of_others(parts.learnt, tested):
        told = f"{told}, of other speakers"
    notes = [*read.notes, *(note for one in others.values() for note in one.notes), *parts.notes]
    apart_too = (parts.validation, tested)
    symbols = symbols_of(parts.learnt)
    hop = _HOP if read.kind == "sound" else 1 / read.items[0].rate
    checkup = examine_recordings(
        read,
        **others,
        frame_seconds=None if subsampling is None else hop * subsampling,
        symbols=None if symbols is None else symbols.cut,
    )
    return Split(
        learnt=parts.learnt,
        chosen_by=parts.validation,
        test=tested,
        told=told,
        symbols=symbols,
        checkup=with_notes(doubles_told(checkup) if not others else checkup, notes),
        holdout=[one.digest().hex() if one is not None else "" for one in apart_too],
    )


def _settled(apart: str, read: Recordings) -> str:
    if apart != "auto":
        return apart
    speakers = {one.speaker for one in read.items}
    return "speaker" if None not in speakers and len(speakers) >= FEWEST else "none"


def _of_others(learnt: Recordings, tested: Recordings) -> bool:
    """Whether those who speak in the test speak nowhere in what is learnt, as far as it is known:
    of nearly all recordings."""
    speakers = [{one.speaker for one in part.items} for part in (learnt, tested)]
    known = [one.speaker is not None for part in (learnt, tested) for one in part.items]
    return sum(known) >= _MOST * len(known) and not (speakers[0] & speakers[1]) - {None}


def _told(read: Recordings) -> str:
    what = "labels" if read.labelled else "transcripts"
    return f"{'sounds' if read.kind == 'sound' else 'ready-made features'} with {what}"
