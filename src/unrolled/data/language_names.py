"""Whether a word is the code or the name of a language: in English, in itself, beside its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

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
LANGUAGES = frozenset(f"{_CODES} {_LANGUAGES}".split())

# Letters and their marks in up to three words; no number, and no end of a sentence.
_NAMELIKE = re.compile(r"[^\W\d_][^\d_.!?,;:]*")
_WORDS = 3


def are_languages(names: Sequence[str]) -> list[bool]:
    """Of each name whether it is one of a language, by the Unicode CLDR that `babel` brings along.

    It is in English or in the language itself ("Deutsch", "हिन्दी"), or in the language of another
    one of the names ("Deutsch" and "Englisch"). Codes are none.
    """
    folded = [name.strip().casefold() for name in names]
    if not any(map(_is_namelike, folded)):
        return [False] * len(names)
    english = _names_in("en")
    found = [name in english for name in folded]
    if not all(found):
        found = [is_one or name in _own() for is_one, name in zip(found, folded, strict=True)]
    if not all(found):
        spoken = {_own()[name] for name in folded if name in _own()}
        found = [
            is_one or any(name in _names_in(code) for code in spoken)
            for is_one, name in zip(found, folded, strict=True)
        ]
    return found


def _is_namelike(name: str) -> bool:
    return len(name.split()) <= _WORDS and _NAMELIKE.fullmatch(name) is not None


def _listed(code: str) -> Any:
    from babel import localedata

    # With what it inherits: babel keeps what it loaded for whoever asks next.
    return localedata.load(code).get("languages", {})


@cache
def _names_in(code: str) -> frozenset[str]:
    """What languages are called in one of them."""
    return frozenset(name.casefold() for name in _listed(code).values())


@cache
def _own() -> dict[str, str]:
    """What each language with a code of two letters is called in itself; its code."""
    from babel import localedata

    codes = [code for code in localedata.locale_identifiers() if len(code) == 2]
    return {_listed(code)[code].casefold(): code for code in codes if code in _listed(code)}
