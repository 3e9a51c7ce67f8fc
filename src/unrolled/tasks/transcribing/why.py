"""Why a word won, in a sentence that its numbers decide."""

from __future__ import annotations

import math
from collections.abc import Sequence

from unrolled.tasks.transcribing.language import Language
from unrolled.tasks.transcribing.other_contexts import Contexts
from unrolled.tasks.transcribing.sounds_alike import Rival

# Nearer to each other words sound the same to the network, in nats.
ALIKE = 1.0
# Nearer to each other nothing decides.
_SAME = 0.005
_CERTAIN = math.log(1e6)


def why(
    word: str,
    rivals: Sequence[Rival],
    words: Sequence[str],
    at: int,
    language: Language | None,
    contexts: Contexts | None,
) -> str:
    """What decided between a word and the first of its rivals: the part that speaks most for it.

    Args:
        word: of the transcript.
        rivals: the likeliest first.
        words, at: of the transcript, and where the word is.
        language: what is in use.
        contexts: how the n-gram model compares words; None: there is none over words.
    """
    if not rivals:
        return "no word that sounds like it was found"
    rival = rivals[0]
    if rival.margin < _SAME:
        if rival.margin > -_SAME:
            return f"'{rival.text}' scores the same: nothing decides between them"
        return (
            f"'{rival.text}' would score higher, by {-rival.margin:.1f} nats: the search lost it"
            " (a wider beam keeps more)"
        )
    alike = abs(rival.acoustic) < ALIKE
    sound = f"both sound the same ({abs(rival.acoustic):.1f} nats apart)"
    if language is None:
        how = "the spelling that the network has learnt decides" if alike else _heard(word, rival)
        return "no language model: " + (f"{sound}; {how}" if alike else how)
    parts = {
        "the sound": -rival.acoustic,
        "the language model": -rival.language,
        "a hot word": -rival.hot,
        "the second pass": -rival.second,
    }
    decided, against = (one(parts, key=parts.__getitem__) for one in (max, min))
    if not alike:
        sound = f"'{word}' fits the sound better, too ({-rival.acoustic:.1f} nats)"
    if decided == "the sound":
        how = _heard(word, rival)
    elif decided == "a hot word":
        how = f"hot words add {parts[decided]:.1f} nats for '{word}'"
    elif decided == "the second pass":
        how = f"the second pass finds '{word}' likelier, by {parts[decided]:.1f} nats"
    else:
        how = _language(word, rival, words, at, contexts)
    told = [how] if rival.acoustic >= ALIKE or (decided == "the sound" and not alike) else [sound]
    told += [how] if told[0] is sound else []
    if parts[against] <= -ALIKE:
        told[-1] += f", though {against} speaks for '{rival.text}' ({-parts[against]:.1f} nats)"
    return "; ".join(told)


def _heard(word: str, rival: Rival) -> str:
    return f"heard: '{word}' fits the sound better, by {-rival.acoustic:.1f} nats"


def _language(
    word: str, rival: Rival, words: Sequence[str], at: int, contexts: Contexts | None
) -> str:
    likelier = f"the language model finds '{word}' likelier, by {-rival.language:.1f} nats"
    if contexts is None:
        return likelier
    if not contexts.knows(rival.text):
        return f"the language model does not know '{rival.text}'"
    itself, following = contexts.in_place(words, at, rival.text)
    if min(itself, following) >= 0:
        return likelier  # by what it adds for words that it does not know
    if itself <= following:
        nats, place = -itself, f"after '{words[at - 1]}'" if at else "at the beginning"
    else:
        last = at + 1 == len(words)
        nats = -following
        place = "at the end of the sentence" if last else f"before '{words[at + 1]}'"
    return f"{place}, '{word}' is {_times(nats)} as likely as '{rival.text}'"


def _times(nats: float) -> str:
    """ "40 times"."""
    if nats > _CERTAIN:
        return "over a million times"
    ratio = math.exp(nats)
    return f"{ratio:.1f} times" if ratio < 10 else f"{float(f'{ratio:.2g}'):,.0f} times"
