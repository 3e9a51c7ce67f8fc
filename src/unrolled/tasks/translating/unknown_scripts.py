"""Sentences without a letter in a script that was learnt: they are told."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Collection, Sequence

from unrolled.data.pairs_doctor_sides import script_of, scripts_of
from unrolled.data.text_doctor_findings import shown
from unrolled.errors import DataWarning

# Of how many sentences one must be in a script for it to be learnt: a name here and there is not.
_ONE_OF = 1000
# Stands for the sentences without letters: numbers alone may be what is translated.
_NO_LETTERS = ""


def learnt_scripts(sentences: Sequence[str]) -> tuple[str, ...]:
    """The scripts of the sentences, "" where some have no letters, in alphabetical order."""
    counts = Counter(script_of(one) or _NO_LETTERS for one in sentences)
    return tuple(sorted(one for one, count in counts.items() if count * _ONE_OF >= len(sentences)))


def warn_of_scripts(
    sentences: Sequence[str], learnt: Collection[str], *, before: int = 0, part: str = ""
) -> None:
    """Tell that sentences have no letter in a script that was learnt; empty ones do not count.

    Args:
        sentences: one line each.
        learnt: what `learnt_scripts` gave.
        before: how many came before these, which the warning numbers on from.
        part: what the sentences are of, such as " of the held-out part".

    Warns:
        DataWarning: there are such sentences, with the number of the first.
    """
    known = set(learnt)
    unknown = [
        place
        for place, one in enumerate(sentences)
        if one.strip() and known.isdisjoint(scripts_of(one) or (_NO_LETTERS,))
    ]
    if not unknown:
        return
    named = ", ".join(one for one in learnt if one != _NO_LETTERS) or "none: no letters were learnt"
    have = f"{len(unknown):,} sentences{part} have" if len(unknown) > 1 else f"1 sentence{part} has"
    warnings.warn(
        f"{have} no letter in a script that was learnt ({named}); the first is number"
        f" {before + unknown[0] + 1:,}, {shown(sentences[unknown[0]])}: translated all the same,"
        " which can hardly be right",
        DataWarning,
        stacklevel=5,
    )
