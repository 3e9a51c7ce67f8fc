"""Sentences in, translations out: batches of like lengths through a search."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unrolled.decoding.beam import search
from unrolled.decoding.beam_options import BeamOptions
from unrolled.decoding.fusion import Fused
from unrolled.decoding.hypotheses import Hypothesis
from unrolled.decoding.scorer import Scorer
from unrolled.tasks.arrays import like
from unrolled.tasks.pretrained import open_pretrained
from unrolled.tasks.translating.encoding import PairTokens
from unrolled.tasks.translating.fusing import GeneratorScorer, check_fusable, reranked
from unrolled.tasks.translating.long_sentences import parts_of, warn_of_long
from unrolled.tasks.translating.networks import AnyTranslationNetwork
from unrolled.tasks.translating.request import NOTHING, Request, Translation, joined
from unrolled.tasks.translating.scorer import NetworkScorer

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
) -> list[Translation]:
    """The best translation of each sentence; it does not depend on the others but for rounding.

    Args:
        model: in evaluation.
        tokens: of both languages.
        sentences: one line each; an empty one stays empty.
        request: how to search.
        longest: source tokens of the longest sentence that was learnt, which others are compared
            with; None: none is too long.
        before: how many came before these, which a warning numbers on from.
        limits: the most steps of each sentence, or of each part of it where it is split, in place
            of the request's `max_length`.

    Warns:
        DataWarning: a sentence is longer.
    """
    pieces, owners = _cut_to_size(tokens, sentences, request.too_long, longest, before)
    most = None if limits is None else [limits[owner] for owner in owners]
    found = _searched(model, tokens, pieces, request, most)
    if request.rerank is not None:
        found = _reordered(found, tokens, pieces, request)
    each: list[list[Translation]] = [[] for _ in sentences]
    for owner, piece, hypotheses in zip(owners, pieces, found, strict=True):
        each[owner].append(_translation(tokens, piece, hypotheses[: request.n_best]))
    return [joined(parts) if parts else NOTHING for parts in each]


def _cut_to_size(
    tokens: PairTokens, sentences: Sequence[str], too_long: str, longest: int | None, before: int
) -> tuple[list[str], list[int]]:
    """The sentences or, of those that are too long, what is asked for; and whose each part is."""
    lengths = [len(one) for one in tokens.sources(sentences)]
    most = max(lengths, default=0) if longest is None else longest
    long = [place for place, length in enumerate(lengths) if length > most]
    if long:
        told = {"keep": "translated all the same", "split": "split", "truncate": "truncated"}
        warn_of_long([before + place for place in long], most, told[too_long])
    pieces, owners = [], []
    for place, (sentence, length) in enumerate(zip(sentences, lengths, strict=True)):
        parts = [sentence]
        if length > most and too_long != "keep":
            parts = parts_of(sentence, most - 1, lambda text: len(tokens.sources([text])[0]) - 1)
            parts = parts if too_long == "split" else parts[:1]
        pieces += parts
        owners += [place] * len(parts)
    return pieces, owners


def options_of(model: AnyTranslationNetwork, tokens: PairTokens, request: Request) -> BeamOptions:
    """The search's own options."""
    # What is unknown can be copied only from where the network looked.
    looks = model.each[0].decoder.attention is not None
    writes_unknown = looks and tokens.kind != "subwords"
    return request.options(forbidden=() if writes_unknown else (0,))


def _searched(
    model: AnyTranslationNetwork,
    tokens: PairTokens,
    sentences: Sequence[str],
    request: Request,
    limits: Sequence[int] | None,
) -> list[list[Hypothesis]]:
    sources = tokens.sources(sentences)
    options = options_of(model, tokens, request)
    prefix = tokens.targets([request.prefix])[0][1:-1].tolist() if request.prefix else None
    generator = None if request.fuse is None else open_pretrained(request.fuse, "fuse")[0]
    if generator is not None:
        check_fusable(generator, tokens.target)
    device = like(model).device
    found: list[list[Hypothesis]] = [[] for _ in sources]
    lengths = np.array([len(one) for one in sources])
    order = np.argsort(-lengths, kind="stable")
    order = order[lengths[order] > 1]
    for begin in range(0, len(order), AT_ONCE):
        places = order[begin : begin + AT_ONCE]
        some = [sources[place] for place in places]
        scorer: Scorer = NetworkScorer(model, some)
        if generator is not None:
            scorer = Fused(scorer, GeneratorScorer(generator._reader()), request.fuse_weight)
        answers = search(
            scorer,
            begin=tokens.end,
            end=tokens.end,
            sentences=lengths[places].tolist(),
            options=options,
            prefixes=None if prefix is None else [prefix] * len(some),
            limits=None if limits is None else [limits[place] for place in places],
            device=device,
        )
        for place, hypotheses in zip(places, answers, strict=True):
            found[place] = hypotheses
    return found


def _reordered(
    found: list[list[Hypothesis]], tokens: PairTokens, sentences: Sequence[str], request: Request
) -> list[list[Hypothesis]]:
    generator, _ = open_pretrained(request.rerank, "rerank")
    texts = [
        _text(tokens, sentence, one)
        for sentence, hypotheses in zip(sentences, found, strict=True)
        for one in hypotheses
    ]
    scored = iter([one.log_probability for one in generator.score(texts)])
    ordered = []
    for hypotheses in found:
        said = [next(scored) for _ in hypotheses]
        places = reranked(hypotheses, said, request.rerank_weight, request.length_penalty)
        ordered.append([hypotheses[place] for place in places])
    return ordered


def copied_into(tokens: PairTokens, sentence: str, found: Hypothesis) -> dict[int, str]:
    """What stands in place of each unknown token: the source token it looked at most."""
    unknown = [at for at, token in enumerate(found.tokens) if token == 0]
    if not unknown or found.attention is None:
        return {}
    read = tokens.pieces_of(sentence)
    # The end symbol, the last of the source, can't be copied.
    return {at: read[int(found.attention[at, : len(read)].argmax())] for at in unknown}


def _text(tokens: PairTokens, sentence: str, found: Hypothesis) -> str:
    return tokens.text(found.tokens, copied_into(tokens, sentence, found))


def _translation(
    tokens: PairTokens, sentence: str, hypotheses: Sequence[Hypothesis]
) -> Translation:
    if not hypotheses:
        return NOTHING
    read = (*tokens.pieces_of(sentence), "\n")
    written = tokens.target.pieces
    made = []
    for one in hypotheses:
        copied = copied_into(tokens, sentence, one)
        made.append(
            Translation(
                tokens.text(one.tokens, copied),
                one.score,
                one.log_probability,
                one.finished,
                read,
                tuple(copied.get(at, written[token]) for at, token in enumerate(one.tokens)),
                # the step that chose the end writes nothing
                None if one.attention is None else one.attention[: len(one.tokens)],
            )
        )
    return Translation(**{**vars(made[0]), "alternatives": tuple(made[1:])})
