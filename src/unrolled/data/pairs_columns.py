"""Which column holds the sentences and which their translations: as named, or the first two."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from os import PathLike

from unrolled.errors import DataError

# What a column of sentences is called where it does not name a language.
_SIDES = "source target src tgt trg sentence sentences translation original text input output"
# ISO 639-1, and the codes and names that files of pairs often have besides.
_CODES = """
aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de
dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id
ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu
lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu
rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr
ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""
_LANGUAGES = """
eng deu ger fra fre spa ita por nld dut rus ukr pol ces cze slk ron rum hun tur ell gre ara heb fas
hin jpn kor zho chi cmn swe dan nor nob fin est lav lit bul srp hrv vie tha ind english german
french spanish italian portuguese dutch russian ukrainian polish czech slovak romanian hungarian
turkish greek arabic hebrew persian hindi japanese korean chinese mandarin swedish danish norwegian
finnish estonian latvian lithuanian bulgarian serbian croatian vietnamese thai indonesian latin
deutsch français español italiano português
"""
_NAMES = frozenset(f"{_SIDES} {_CODES} {_LANGUAGES}".split())


@dataclass(frozen=True)
class Sides:
    """Both sides as they stand, before anything is left out.

    Attributes:
        sources, targets: `N` each.
        lines: of each pair; None where there is no file.
        columns: what the columns of both are called.
        notes: what was guessed.
        file: that was read.
    """

    sources: Sequence[str]
    targets: Sequence[str]
    lines: Sequence[int] | None = None
    columns: tuple[str, str] | None = None
    notes: tuple[str, ...] = ()
    file: str | PathLike[str] | None = None


def pick(
    names: Sequence[str] | None,
    width: int,
    source: str | int | None,
    target: str | int | None,
    *,
    usual: tuple[int, int] = (0, 1),
    file: str | PathLike[str] | None = None,
    line: int | None = None,
) -> tuple[int, int]:
    """The numbers of the source's and the target's column, counted from 0.

    Args:
        names: of the columns; None where they have none.
        width: how many there are.
        source, target: as a person named them.
        usual: the columns where nothing is named.
        file, line: where the columns stand, for the error.

    Raises: DataError for a column that is not there, and for the same one twice.
    """
    chosen = [
        None if one is None else _place(one, what, names, width, file, line)
        for what, one in (("source", source), ("target", target))
    ]
    first, second = chosen
    if first is None:
        first = usual[0] if second != usual[0] else usual[1]
    if second is None:
        second = usual[1] if first != usual[1] else usual[0]
    if first == second:
        raise DataError(
            f"source= and target= are the same column ({source!r} and {target!r}): name two",
            file=file,
        )
    return first, second


def _place(
    wanted: str | int,
    what: str,
    names: Sequence[str] | None,
    width: int,
    file: str | PathLike[str] | None,
    line: int | None,
) -> int:
    if names is not None and wanted in names:
        return list(names).index(str(wanted))
    if isinstance(wanted, str) and re.fullmatch(r"-?\d+", wanted):
        wanted = int(wanted)
    if isinstance(wanted, int) and not isinstance(wanted, bool) and -width <= wanted < width:
        return wanted % width
    if names is None:
        known = f"the columns have no names, number them from 0 to {width - 1}"
    else:
        folded = {name.lower(): name for name in names}
        close = get_close_matches(str(wanted).lower(), folded, n=1)
        guess = f"did you mean {folded[close[0]]!r}? " if close else ""
        known = guess + f"the columns are {', '.join(map(repr, names[:12]))}"
    raise DataError(f"there is no column {wanted!r} for {what}=: {known}", file=file, line=line)


def names_a_side(cell: str) -> bool:
    """Whether a cell plainly names a column of sentences: "de", "English", "target_text"."""
    parts = re.split(r"[\s_.-]+", cell.strip())
    if len(parts) == 2 and re.fullmatch("[A-Z]{2}", parts[1]):
        parts.pop()  # "en-US", "pt_BR": a language and its country
    return len(parts) <= 3 and all(part.lower() in _NAMES for part in parts)
