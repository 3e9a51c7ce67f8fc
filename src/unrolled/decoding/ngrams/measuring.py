"""What a model says of sentences: scores of each, and the perplexity of all."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from unrolled.decoding.ngrams.counting import with_marks
from unrolled.decoding.ngrams.perplexity import Perplexity
from unrolled.decoding.ngrams.scoring import log_probabilities
from unrolled.decoding.ngrams.sentences import Sentences
from unrolled.decoding.ngrams.trie import Floats, Integers, Trie
from unrolled.decoding.ngrams.vocabulary import BEGIN, UNKNOWN, Vocabulary
from unrolled.decoding.text_score import TextScore
from unrolled.errors import DataError


def scored(trie: Trie, tokens: Integers, lengths: Integers) -> tuple[Integers, Floats, Integers]:
    """The tokens of sentences with `</s>` behind each, natural log p of each, and where each
    sentence begins, `(S + 1,)`."""
    marked = with_marks(tokens, lengths)
    ids, offsets = marked[marked != BEGIN], np.concatenate(([0], np.cumsum(lengths + 1)))
    states = np.full(len(lengths), trie.shortened(1 + BEGIN), dtype=np.int32)
    return ids, log_probabilities(trie, ids, offsets, states)[0], offsets


def scored_tokens(
    trie: Trie, vocabulary: Vocabulary, cut: Sequence[Sequence[str]]
) -> list[tuple[Integers, Floats]]:
    """The numbers and scores of the tokens of each sentence, its end with them."""
    lengths = np.array([len(tokens) for tokens in cut], dtype=np.int64)
    flat = vocabulary.encode(token for tokens in cut for token in tokens)
    ids, values, offsets = scored(trie, flat, lengths)
    return [(ids[a:b], values[a:b]) for a, b in pairwise(offsets.tolist())]


def text_score(
    text: str, vocabulary: Vocabulary, ids: Integers, values: Floats, *, per_token: bool
) -> TextScore:
    """The scores of a sentence's tokens as those of a text."""
    named = None
    if per_token:
        spelt = [vocabulary.tokens[number] for number in ids.tolist()]
        named = tuple(zip(spelt, values.tolist(), strict=True))
    return TextScore(
        log_probability=float(values.sum()),
        characters=len(text),
        count=len(values),
        unknown=int(np.count_nonzero(ids == UNKNOWN)),
        tokens=named,
    )


def check_known(vocabulary: Vocabulary, sentences: Sentences) -> None:
    """Raises DataError where the model knows no token of the sentences: it is of another text."""
    if sentences.encoded(vocabulary).any():
        return
    first, known = sentences.pieces[sentences.places[0]], vocabulary.tokens[3:6]
    raise DataError(
        f"none of the {len(sentences.places):,} tokens of the text, such as {first!r}, is in the"
        f" model's vocabulary, which has {', '.join(map(repr, known))}: take a model of the same"
        " language, unit and normalise"
    )


def measure(trie: Trie, vocabulary: Vocabulary, sentences: Sentences) -> Perplexity:
    """The perplexity of sentences."""
    ids, values, _ = scored(trie, sentences.encoded(vocabulary), sentences.lengths)
    unknown = ids == UNKNOWN
    return Perplexity(
        sentences=len(sentences),
        tokens=len(ids),
        unknown=int(unknown.sum()),
        log_probability=float(values.sum()),
        log_probability_unknown=float(values[unknown].sum()),
    )
