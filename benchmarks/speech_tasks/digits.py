"""The spoken digits of `fsdd`: takes and speakers that are learnt, chosen by, and tested on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from run_folder import TEST
from run_parts import Parts

from unrolled.data import catalog
from unrolled.data.recordings import Recording, Recordings
from unrolled.data.spoken import DIGITS

TAKES = "fsdd, takes 5 to 9"
# Of the training part, as 0 to 4 are those of the official test.
CHOSEN_BY = frozenset("56789")


@dataclass(frozen=True)
class Fold:
    """One speaker is scored, whom the others know nothing of.

    Attributes:
        name: who is left out of the training.
        speaker: who is scored.
        learnt, scored: their recordings.
    """

    name: str
    speaker: str
    learnt: Recordings
    scored: Recordings


def fsdd() -> Parts[Recordings]:
    """The official split: takes 0 to 4 are the test; of the others, 5 to 9 choose."""
    whole = _load("fsdd-train")
    chosen = [at for at, one in enumerate(whole.items) if take_of(one) in CHOSEN_BY]
    learnt = sorted(set(range(len(whole))) - set(chosen))
    return Parts(
        "fsdd, official split",
        whole.select(learnt),
        whole.select(chosen),
        lambda: _load("fsdd-test"),
        "fsdd-test, takes 0 to 4",
        TAKES,
    )


def folds(part: str) -> list[Fold]:
    """Each speaker held out in turn.

    Of the test part one learns all recordings of the other five. Of the validation part one learns
    those of four, and the fifth, the next in the alphabet, is scored: settings that are chosen by
    that know nothing of the one who is held out, nor of the official test's takes.
    """
    whole = everything() if part == TEST else _load("fsdd-train")
    speakers = sorted({one.speaker or "" for one in whole.items})
    found = []
    for at, held in enumerate(speakers):
        after = speakers[(at + 1) % len(speakers)]
        left_out, scored = ((held,), held) if part == TEST else ((held, after), after)
        learnt = [one for one in speakers if one not in left_out]
        found.append(
            Fold(
                f"without {' and '.join(left_out)}",
                scored,
                by(whole, learnt),
                by(whole, [scored]),
            )
        )
    return found


def everything() -> Recordings:
    """Both parts of the official split."""
    train = _load("fsdd-train")
    return replace(train, items=train.items + _load("fsdd-test").items, name="fsdd")


def by(recordings: Recordings, speakers: Iterable[str]) -> Recordings:
    """Those of some speakers."""
    wanted = set(speakers)
    return recordings.select([at for at, x in enumerate(recordings.items) if x.speaker in wanted])


def in_words(recordings: Recordings) -> Recordings:
    """ "7" becomes "seven", as eSpeak's digits are called."""
    items = (replace(one, text=DIGITS[int(one.text)]) for one in recordings.items)
    return replace(recordings, items=tuple(items))


def take_of(one: Recording) -> str:
    """The last part of `{label}_{speaker}_{take}.wav`."""
    return Path(one.place).stem.rpartition("_")[2]


def _load(name: str) -> Recordings:
    found: Recordings = catalog.load(name)
    return found
