"""How a text falls into words, numbers and marks, and where a space stands between them.

A token is written as a key: its text, with U+2060 (the word joiner of Unicode) on a side where it
touches its neighbour though its kind does not say so.

| kind | tokens | space that needs no joiner |
|---|---|---|
| word | words, numbers, "U.S.", ":-)" | a space on both sides |
| tail | "n't", "'s", "'re" of a contraction | none before |
| closer | `, . ; : ! ? ) ] } %` and closing quotes | none before, one after |
| opener | `( [ { $ # @` and opening quotes | one before, none after |
| solid | a Chinese or Japanese character, its punctuation | none on either side |
| neutral | `" ' - / & * + =`, dashes, emoji, all else | a space on both sides |
| line | a line break, also the `<br />` of web pages | none on either side |

So `"Well-known," he said` is `"~ Well ~-~ known , ~" he said` with `~` for the joiner, and a comma
is the same token in typed text and in text whose tokens were set apart by spaces.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

JOINER = "\u2060"
WORD, TAIL, CLOSER, OPENER, SOLID, NEUTRAL, LINE = range(7)

_CLOSERS = frozenset(",.;:!?)]}%\u2026\u201d\u2019\u00bb\u203a\u00b0")
_OPENERS = frozenset("([{$#@\u00a3\u20ac\u00a5\u201c\u2018\u00ab\u2039\u201e\u201a\u00bf\u00a1")
# Scripts without spaces between words, a character a token: Han, kana; Thai, Lao, Burmese, Khmer.
_SOLID_LETTERS = (
    "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
)
_SOLID_MARKS = "\u3000-\u3004\u3008-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
_EMOJI = "\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"

# The parts of a contraction as in the Penn Treebank: do|n't, it|'s.
_CONTRACTION = re.compile(r"(.+?)(n['\u2019]t|['\u2019](?:s|m|d|re|ve|ll))", re.IGNORECASE)
_TAIL = re.compile(r"n['\u2019]t|['\u2019](?:s|m|d|re|ve|ll)", re.IGNORECASE)
_SOLID = re.compile(f"[{_SOLID_LETTERS}{_SOLID_MARKS}]")


@cache
def token_pattern() -> re.Pattern[str]:
    """What `findall` splits a text with; each token has the space before it, where there is one."""
    accents = _accents()
    letters = rf"[^\W_{_SOLID_LETTERS}]+(?:[{accents}]+[^\W_{_SOLID_LETTERS}]*)*"
    tail = r"(?:[nN]['\u2019][tT]|['\u2019](?:[sSmMdD]|[rR][eE]|[vV][eE]|[lL][lL]))(?![^\W_])"
    kinds = (
        # What most tokens are comes first: it doubles the speed and matches nothing that the
        # others would read otherwise.
        rf"[a-zA-Z]{{2,}}(?![^\W_{_SOLID_LETTERS}]|['\u2019{accents}])|\n|[,!?]|\.(?!\.)",
        rf"(?:[^\W\d_{_SOLID_LETTERS}]\.){{2,}}(?![^\W_])",  # U.S., e.g.
        rf"\d+(?:[.,:]\d+)+(?:{letters})?",  # 3.14, 1,000, 10:30pm
        rf"{letters}(?:['\u2019]{letters})*",  # words: O'Brien, don't, 1980s
        r"<[bB][rR]\s?/?>",
        r"(?<!\S)[:;=]['\-]?[()\[\]DPp|/\\]+(?![^\s.,!?])",  # :-)
        tail,  # 's, where a space stands before it
        rf"[{_SOLID_LETTERS}][{accents}]*|[{_SOLID_MARKS}]",
        "[\U0001f1e6-\U0001f1ff]{2}"
        rf"|[{_EMOJI}][\ufe0f\U0001f3fb-\U0001f3ff]*(?:\u200d[{_EMOJI}][\ufe0f\U0001f3fb-\U0001f3ff]*)*",
        r"\.{2,}|-{2,}|\*{2,}|={2,}|_{2,}|~{2,}|#{2,}|`{2,}|'{2,}",
        rf"[^\w\s{JOINER}\ufeff]|_",
    )
    return re.compile(rf"[^\S\n]?(?:{'|'.join(kinds)})")


def split_token(found: str) -> tuple[bool, int, str, str]:
    """What the pattern found: whether a space stands before it, its kind, its text, its tail.

    The tail is the second part of a contraction, "" for all else.
    """
    spaced = found[0].isspace() and found[0] != "\n"
    text = found[1:] if spaced else found
    first = text[0]
    if first == "\n" or (first == "<" and len(text) > 1):
        return spaced, LINE, "\n", ""
    if _SOLID.match(first):
        return spaced, SOLID, text, ""
    if _TAIL.fullmatch(text):
        return spaced, TAIL, text, ""
    if first.isalnum():
        parts = _CONTRACTION.fullmatch(text)
        return (spaced, WORD, parts[1], parts[2]) if parts else (spaced, WORD, text, "")
    if len(text) > 1 and first in ":;=":
        return (spaced, NEUTRAL, text, "") if first == "=" == text[1] else (spaced, WORD, text, "")
    return spaced, mark_kind(first), text, ""


def mark_kind(first: str) -> int:
    """The kind of a mark by its first character."""
    if first in _CLOSERS:
        return CLOSER
    return OPENER if first in _OPENERS else NEUTRAL


def key_of(kind: int, text: str, touches_left: bool, touches_right: bool) -> str:
    """The key of a token, given whether it touches the token before and the word after it."""
    if kind in (CLOSER, OPENER, NEUTRAL):
        left = JOINER if touches_left and kind != CLOSER else ""
        right = JOINER if touches_right and kind != OPENER else ""
        return left + text + right
    return text


def spacing(key: str) -> tuple[str, bool, bool]:
    """Of a key its text, and whether it stands without a space before and after it."""
    text = key.strip(JOINER)
    kind = split_token(text)[1] if text else NEUTRAL
    return (
        text,
        key.startswith(JOINER) or kind in (TAIL, CLOSER, SOLID, LINE),
        key.endswith(JOINER) or kind in (OPENER, SOLID, LINE),
    )


def join_keys(keys: Iterable[str]) -> str:
    """The text of the tokens: a space between two, unless one of them touches the other."""
    pieces, touches = [], True
    for key in keys:
        text, left, right = spacing(key)
        pieces.append(text if touches or left else " " + text)
        touches = right
    return "".join(pieces)


@cache
def _accents() -> str:
    """Every combining mark and the joiners inside words, as ranges of a character class."""
    marks = [c for c in range(0x300, 0x1F000) if unicodedata.category(chr(c))[0] == "M"]
    marks += [0xAD, 0x200C, 0x200D]
    ranges: list[list[int]] = []
    for code in sorted(marks):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"{chr(a)}-{chr(b)}" for a, b in ranges)
