"""`Recordings`: sounds, each with what is said in it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from unrolled.data.linked import Groups, alike, linked

Kind = Literal["sound", "features"]
# How a note begins that tells of what is missing: nobody should overlook it.
LEFT_OUT = "left out, "


@dataclass(frozen=True)
class Recording:
    """One sound, or the features that were made of one, and what is said in it.

    Either `path` or `values` is there; the samples of a file are read when they are asked for.

    Attributes:
        text: what is said: a transcript, or a label of the whole. "" where it is not known.
        seconds: how long it is.
        rate: samples a second of a sound, frames a second of features, as they are kept.
        path: the file.
        values: samples `(N,)` float32 in [-1, 1], or features `(T, F)` float32.
        speaker: who speaks, where that is known.
        place: where it stands, in words, such as "line 17" of a manifest or the file's name.
    """

    text: str
    seconds: float
    rate: float
    path: Path | None = None
    values: np.ndarray | None = None
    speaker: str | None = None
    place: str = ""


@dataclass(frozen=True)
class Recordings:
    """`N` recordings of one kind.

    Attributes:
        items: the recordings.
        kind: "sound" or "features".
        labelled: whether each text is a label of the whole, as in a folder for each command, and
            not a transcript.
        name: of the folder, file or set.
        notes: what was guessed, changed or left out while they were read, each a sentence.
    """

    items: tuple[Recording, ...]
    kind: Kind = "sound"
    labelled: bool = False
    name: str = "recordings"
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.items)

    def __str__(self) -> str:
        about = f"{len(self):,} recording{'s' * (len(self) != 1)}, {told_time(self.seconds)}"
        voices = len({one.speaker for one in self.items if one.speaker is not None})
        return about if not voices else f"{about}, {voices:,} speaker{'s' * (voices != 1)}"

    @property
    def texts(self) -> tuple[str, ...]:
        """What is said in each."""
        return tuple(one.text for one in self.items)

    @property
    def seconds(self) -> float:
        """How long all of them are together."""
        return float(sum(one.seconds for one in self.items))

    def select(self, places: Sequence[int] | np.ndarray) -> Recordings:
        """Some of the recordings; what was noted while reading is told of the whole alone."""
        return replace(self, items=tuple(self.items[int(at)] for at in places), notes=())

    def groups(self, apart: str) -> Groups:
        """The places that stay on one side of a split.

        Args:
            apart: "speaker": those of one speaker (one of whom nothing is known stands alone);
                "text": those with the same text; "both": linked by either; "none": each alone.
        """
        speakers = [one.speaker or (at,) for at, one in enumerate(self.items)]
        said = [" ".join(one.text.casefold().split()) for one in self.items]
        texts = [one or (at,) for at, one in enumerate(said)]
        if apart == "both":
            return linked(speakers, texts)
        keys = {"speaker": speakers, "text": texts, "none": range(len(self))}
        return alike(keys[apart])

    def digest(self) -> bytes:
        """Changes with any text, file or value; a file counts by its name and its length in time,
        so that large folders need not be read for it."""
        found = hashlib.sha256(f"{self.kind} {self.labelled}".encode())
        for one in self.items:
            name = "" if one.path is None else one.path.name
            about = (one.text, name, f"{one.seconds:.6f}", f"{one.rate:.6f}", one.speaker or "")
            found.update("\0".join(about).encode(errors="surrogatepass") + b"\n")
            if one.values is not None:
                found.update(np.ascontiguousarray(one.values).tobytes())
        return found.digest()


def told_time(seconds: float) -> str:
    """ "48 s", "31 min" or "2.5 h"."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
