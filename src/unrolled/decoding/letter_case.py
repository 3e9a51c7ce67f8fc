"""In which case a language model knows the words that a recogniser writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from unrolled.decoding.letters import Letters

# Makes of a text one that a model is asked for.
Case = Callable[[str], str]
_AS_IT_IS: Case = str


def known_case(letters: Letters, tokens: Sequence[str]) -> Case | None:
    """Texts as they are, in small letters or in capitals: how a model knows the most of them.

    That is the case in which most of the model's tokens can be written, then most of the letters
    are in its tokens. Of equals a text stays as it is; one that has no small letters gets them: a
    model that knows both cases has read them most.

    Args:
        letters: that texts are written with.
        tokens: of the model, words or parts of them.

    Returns:
        What to do with a text; None where none of the tokens can be written in any case.
    """
    own = [*letters.numbers]
    cases: list[Case] = [_AS_IT_IS, str.lower, str.upper]
    if all(one == one.upper() for one in own):
        cases = [str.lower, _AS_IT_IS, str.upper]
    known = {one for token in tokens for one in token}
    counted = []
    for case in cases:
        written = set("".join(map(case, own)))
        some = sum(written.issuperset("".join(one.split())) for one in tokens if one.strip())
        counted.append((some, sum(known.issuperset(case(one)) for one in own)))
    best = max(range(len(cases)), key=counted.__getitem__)
    return cases[best] if counted[best][0] else None
