"""A text as sentences of words, for those who have no words yet."""

from __future__ import annotations

from unrolled.data.tokens.word_pattern import LINE, split_token, token_pattern

_ENDS = frozenset(".!?\u2026")


def sentences_of(text: str) -> list[list[str]]:
    """The words and marks of each sentence, as the tokenizer of words splits them.

    A sentence ends after `.`, `!` or `?` (of several in a row, after the last) and at an empty
    line.
    """
    found: list[list[str]] = [[]]
    ended, lines = False, 0
    for token in token_pattern().findall(text):
        _, kind, word, tail = split_token(token)
        if kind == LINE:
            lines += 1
            continue
        ends = set(word) <= _ENDS
        if (ended and not ends) or lines > 1:
            found.append([])
        found[-1] += [word, tail] if tail else [word]
        ended, lines = ends, 0
    return [sentence for sentence in found if sentence]
