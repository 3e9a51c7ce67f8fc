"""Explanations of transcripts as text: rivals of words in columns, within 80 characters."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unrolled.tasks.transcribing.sounds_alike import ExplainedWord, Explanation, Rival

# A word whose rivals are all further away is not told, in nats: 22,000 to 1.
WITHIN = 10.0
_WIDTH, _LONGEST, _SURE = 80, 14, 1e6
# What may speak for a word, and what its column is called. Sound always has one.
_PARTS = {"acoustic": "sound", "language": "language", "hot": "hot", "second": "second"}


def explained(found: Explanation) -> str:
    """The transcript; then each word that has a rival within 10 nats: when it was said, why it won,
    and its rivals, with what speaks for each in nats, in all and as odds; then how many words have
    none."""
    close = [one for one in found.words if one.rivals and one.rivals[0].margin <= WITHIN]
    others = len(found.words) - len(close)
    parts = [found.transcript.text, *(_word(one) for one in close)]
    if found.words:
        which = "other words have" if others != 1 else "other word has"
        which = which if close else which.replace("other ", "")
        parts.append(f"{others:,} {which} no rival within {WITHIN:.0f} nats.")
    return "\n\n".join(parts) + "\n"


def _word(one: ExplainedWord) -> str:
    heard = one.heard
    lines = [f"{heard.text}  {heard.start:.2f}-{heard.end:.2f} s"]
    lines += textwrap.wrap(one.why, _WIDTH - 2, initial_indent="  ", subsequent_indent="  ")
    parts = [name for name in _PARTS if name == "acoustic" or _counts(one, name)]
    wide = min(_LONGEST, max(len(rival.text) for rival in one.rivals))
    columns = [_PARTS[name] for name in parts] + ["total"]
    titles = "".join(f"  {title:>7}" for title in columns)
    lines.append(f"  {'rival':<{max(wide, 5)}}{titles}  odds")
    for rival in one.rivals:
        lines += _rival(rival, [*parts, "total"], columns, max(wide, 5))
    return "\n".join(lines)


def _rival(rival: Rival, parts: list[str], columns: list[str], wide: int) -> Iterator[str]:
    numbers = "".join(
        f"  {getattr(rival, name):z{max(7, len(title))}.1f}"
        for name, title in zip(parts, columns, strict=True)
    )
    yield f"  {rival.text[:wide]:<{wide}}{numbers}  {_against(rival)}"
    if rival.contexts:
        told = "; ".join(filter(None, [_beside(rival, True), _beside(rival, False)]))
        indent = "    "
        yield from textwrap.wrap(
            f"would win {told}", _WIDTH, initial_indent=indent, subsequent_indent=indent
        )


def _beside(rival: Rival, before: bool) -> str:
    some = [f"'{one.word}' ({_odds(one.odds)})" for one in rival.contexts if one.before == before]
    return f"{'after' if before else 'before'} {', '.join(some)}" if some else ""


def _counts(one: ExplainedWord, part: str) -> bool:
    return any(getattr(rival, part) for rival in one.rivals)


def _against(rival: Rival) -> str:
    return _odds(rival.odds) if rival.margin >= 0 else f"1:{_number(1 / rival.odds)}"


def _odds(odds: float) -> str:
    return f"{_number(odds)}:1"


def _number(odds: float) -> str:
    if odds > _SURE:
        return f"over {_SURE:,.0f}"
    return f"{odds:.1f}" if odds < 9.95 else f"{float(f'{odds:.3g}'):,.0f}"
