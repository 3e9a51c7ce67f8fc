"""Sentences in, translations out: batches of like lengths through a search."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unrolled.decoding.beam import search
from unrolled.decoding.beam_options import BeamOptions
from unrolled.decoding.fusion import Fused
from unrolled.decoding.hypotheses import Hypothesis
from unrolled.decoding.scorer import Scorer
from unrolled.decoding.sentence_error import SentenceError
from unrolled.errors import ConfigError
from unrolled.tasks.arrays import like
from unrolled.tasks.pretrained import open_pretrained
from unrolled.tasks.translating.encoding import PairTokens
from unrolled.tasks.translating.fusing import GeneratorScorer, check_fusable
from unrolled.tasks.translating.long_sentences import parts_of, warn_of_long
from unrolled.tasks.translating.networks import AnyTranslationNetwork
from unrolled.tasks.translating.request import Request, Translation
from unrolled.tasks.translating.scorer import NetworkScorer
from unrolled.tasks.translating.searched import Part, Searched

# Sentences that are searched at once: enough for a quick product, few enough that the longest keeps
# few others waiting.
AT_ONCE = 64


def translations(
    model: AnyTranslationNetwork,
    tokens: PairTokens,
    sentences: Sequence[str],
    request: Request,
    longest: int | None = None,
    *,
    before: int = 0,
    limits: Sequence[int] | None = None,
    part: str = "",
) -> list[Translation]:
    """The best translation of each sentence; it does not depend on the others but for rounding.

    Args:
        model: in evaluation.
        tokens: of both languages.
        sentences: one line each; an empty one stays empty.
        request: how to search.
        longest: source tokens of the longest sentence that was learnt, which others are compared
            with; None: none is too long.
        before: how many came before these, which warnings and errors number on from.
        limits: the most steps of each sentence, or of each part of it where it is split, in place
            of the request's `max_length`.
        part: what the sentences are of, for the warnings.

    Raises:
        ConfigError: a prefix too long for a sentence, or what the search refuses.

    Warns:
        DataWarning: a sentence is longer.
    """
    found = searched(
        model, tokens, sentences, request, longest, before=before, limits=limits, part=part
    )
    return found.translations()


def searched(
    model: AnyTranslationNetwork,
    tokens: PairTokens,
    sentences: Sequence[str],
    request: Request,
    longest: int | None = None,
    *,
    before: int = 0,
    limits: Sequence[int] | None = None,
    part: str = "",
) -> Searched:
    """The answers of the beam to each sentence, and what a language model says of each.

    Args, raises, warns: as `translations`.
    """
    parts = _cut_to_size(tokens, sentences, request, longest, before, part)
    most = None if limits is None else [limits[one.owner] for one in parts]
    found = _searched(model, tokens, parts, request, before, most)
    return Searched.of(tokens, parts, found, len(sentences), request)


def _cut_to_size(
    tokens: PairTokens,
    sentences: Sequence[str],
    request: Request,
    longest: int | None,
    before: int,
    part: str,
) -> list[Part]:
    """The sentences or, of those that are too long, what is asked for."""
    too_long = request.too_long
    sources = tokens.sources(sentences)
    lengths = [len(one) for one in sources]
    most = max(lengths, default=0) if longest is None else longest
    long = [place for place, length in enumerate(lengths) if length > most]
    if long:
        told = {"keep": "translated all the same", "split": "split", "truncate": "truncated"}
        warn_of_long([before + place for place in long], most, told[too_long], part)
    found = []
    for place, (sentence, source) in enumerate(zip(sentences, sources, strict=True)):
        parts, read = [sentence], [source]
        if len(source) > most and too_long != "keep":
            parts = parts_of(sentence, most - 1, lambda text: len(tokens.sources([text])[0]) - 1)
            parts = parts if too_long == "split" else parts[:1]
            read = tokens.sources(parts)
        found += [
            Part(text, own, place, "" if number else request.prefix)
            for number, (text, own) in enumerate(zip(parts, read, strict=True))
        ]
    return found


def options_of(model: AnyTranslationNetwork, tokens: PairTokens, request: Request) -> BeamOptions:
    """The search's own options."""
    # What is unknown can be copied only from where the network looked.
    looks = model.each[0].decoder.attention is not None
    writes_unknown = looks and tokens.kind != "subwords"
    return request.options(forbidden=() if writes_unknown else (0,))


def _searched(
    model: AnyTranslationNetwork,
    tokens: PairTokens,
    parts: Sequence[Part],
    request: Request,
    before: int,
    limits: Sequence[int] | None,
) -> list[list[Hypothesis]]:
    sources = [one.source for one in parts]
    options = options_of(model, tokens, request)
    prefix = tokens.targets([request.prefix])[0][1:-1].tolist()
    generator = None if request.fuse is None else open_pretrained(request.fuse, "fuse")[0]
    if generator is not None:
        check_fusable(generator, tokens.target)
    device = like(model).device
    found: list[list[Hypothesis]] = [[] for _ in sources]
    lengths = np.array([len(one) for one in sources])
    order = np.argsort(-lengths, kind="stable")
    order = order[lengths[order] > 1]
    if tokens.end in prefix:
        raise ConfigError("prefix: holds a line break, which ends a translation; leave it out")
    ends = options.limits(lengths) if limits is None else np.asarray(limits)
    for place in sorted(order.tolist()):
        if parts[place].prefix and len(prefix) >= ends[place]:
            raise ConfigError(
                f"prefix: got {len(prefix)} tokens, but the translation of sentence"
                f" {before + parts[place].owner + 1:,} is cut after {ends[place]}, its end"
                " counted; raise max_length"
            )
    for begin in range(0, len(order), AT_ONCE):
        places = order[begin : begin + AT_ONCE]
        some = [sources[place] for place in places]
        scorer: Scorer = NetworkScorer(model, some, precision=request.precision)
        if generator is not None:
            scorer = Fused(scorer, GeneratorScorer(generator._reader()), request.fuse_weight)
        try:
            answers = search(
                scorer,
                begin=tokens.end,
                end=tokens.end,
                sentences=lengths[places].tolist(),
                options=options,
                limits=ends[places].tolist(),
                prefixes=[prefix if parts[place].prefix else [] for place in places],
                device=device,
            )
        except SentenceError as error:
            raise error.of(before + parts[places[error.number]].owner + 1) from None
        for place, hypotheses in zip(places, answers, strict=True):
            found[place] = hypotheses
    return found
