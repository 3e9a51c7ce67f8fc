"""What a task says before the training: what was guessed, and what may spoil what is learnt."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable

from unrolled.data.doctor_checkup import Checkup, DataFinding
from unrolled.data.recordings import LEFT_OUT
from unrolled.errors import DataWarning


def with_notes(checkup: Checkup, notes: Iterable[str], kind: str = "reading") -> Checkup:
    """The doctor's findings, and what else is to be told; what was left out is a warning."""
    more = [
        # No series: what is read are texts.
        DataFinding(
            kind,
            "",
            None,
            None,
            note,
            "look whether that is right",
            "warning" if note.startswith(LEFT_OUT) else "note",
        )
        for note in notes
    ]
    return Checkup.of(checkup.about, (*checkup.findings, *more))


def tell_of(checkup: Checkup, tell: Callable[[str], object] | None, *, stacklevel: int = 3) -> None:
    """All of it to `tell`; without one, what may spoil what is learnt is warned of."""
    if tell is not None:
        tell(str(checkup))
    elif checkup.warnings:
        lines = str(Checkup(checkup.about, checkup.warnings)).splitlines()[1:]
        text = "; ".join(line.strip() for line in lines)
        warnings.warn(text, DataWarning, stacklevel=stacklevel)
