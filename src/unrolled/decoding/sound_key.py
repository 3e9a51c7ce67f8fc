"""`sound_key`: how an English word sounds, roughly, told from its letters."""

from __future__ import annotations

import re
import unicodedata

# In order. Small letters are still to be read; capitals are sounds, 0 is "th" and X "sh".
_RULES = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"([^cg])\1+", r"\1"),
        (r"^(?=ae|gn|kn|pn|wr).", ""),
        (r"^x", "S"),
        (r"^wh", "W"),
        (r"mb$", "M"),
        (r"sch", "SK"),
        (r"tch|ch|c(?=ia)", "X"),
        (r"s?c(?=[iey])", "S"),
        (r"ck|cc|c|q", "K"),
        (r"dg(?=[eiy])", "J"),
        (r"d", "T"),
        (r"gh(?![aeiou])", ""),
        (r"gn(?=$|ed$)", "N"),
        (r"gg|gh", "K"),
        (r"g(?=[eiy])", "J"),
        (r"g", "K"),
        (r"ph|v", "F"),
        (r"sh|[st](?=i[oa])", "X"),
        (r"th", "0"),
        (r"x", "KS"),
        (r"z", "S"),
        (r"(?<=[aeiou])h(?![aeiou])", ""),
        (r"w(?![aeiou])|(?<!^)y", ""),
        (r"^[aeiou]", "A"),
        (r"[aeiou]", ""),
    )
)


def sound_key(word: str) -> str:
    """The consonants that are heard in a word; words that sound alike mostly have the same key.

    The rules are Metaphone's, but that a vowel at the beginning is any vowel, "gh" is silent at the
    end, and "y" is a vowel wherever it does not begin a word. Letters of other scripts stand for
    themselves, accents are left out: of languages that are written otherwise than English the key
    says less.

    Example:
        >>> sound_key("right"), sound_key("write"), sound_key("road")
        ('RT', 'RT', 'RT')

    Source: Philips 1990, "Hanging on the Metaphone", Computer Language 7 (12).
    """
    plain = unicodedata.normalize("NFD", word.lower())
    key = "".join(one for one in plain if one.isalpha())
    for pattern, sound in _RULES:
        key = pattern.sub(sound, key)
    return key.upper()
