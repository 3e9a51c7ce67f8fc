"""What a `Translator` reads and answers, for a trace of it: two sequences, and the search.

The answer is read once more as a whole, token by token as the decoder wrote it, so that the
gradient of what it cost is known at every step of the decoder and of the encoder.
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.errors import ConfigError
from unrolled.lens.trace_parts import Beam, Links
from unrolled.lens.traces import Expected, Trace
from unrolled.lens.tracing_layers import layers_of
from unrolled.lens.tracing_pieces import written

if TYPE_CHECKING:
    from torch import Tensor

    from unrolled.data.tokens import Tokenizer
    from unrolled.decoding.beam_record import BeamRecord
    from unrolled.tasks.translating.network import TranslationNetwork
    from unrolled.tasks.translator import Translator

CHOICES = 8
_ENCODER = "encoder"


def of_translator(
    translator: Translator, given: Any, steps: int, reach: int | None, beam: int | None = None
) -> Trace:
    """A trace of a sentence and its translation.

    Args:
        translator: a fitted one.
        given: a sentence, and it is translated; a pair of a sentence and a translation, as a tuple
            or with a tab between them, and that is taken for the answer.
        steps: more tokens than these, on either side, are refused: each depends on all.
        reach: 0: no half-life is measured.
        beam: hypotheses that the search keeps; None: as many as `predict` does.

    Raises:
        ConfigError: no sentence, several, or one that is too long.
    """
    import torch
    from torch.nn.functional import cross_entropy

    from unrolled.tasks.arrays import like

    sentence, answer = _pair_of(given, beam)
    tokens, model = translator.tokens, translator.model
    (ids,) = tokens.sources([sentence])
    if len(ids) < 2:
        raise ConfigError("trace: got a sentence without a token, expected one at least")
    if answer is None:
        found = _searched(translator, sentence, ids, beam)
    else:
        (target,) = tokens.targets([answer])
        names = _names(f"{answer.strip()}\n", tokens.target, target[1:])
        found = _Answer(target[1:], *names)
    answered = found.tokens
    for name, count in (("sentence", len(ids)), ("translation", len(answered))):
        if count > steps:
            raise ConfigError(
                f"trace: got a {name} of {count:,} {tokens.kind}, expected {steps:,} at most"
                " (steps): a translation depends on all of it"
            )
    device = like(model).device
    inputs = torch.from_numpy(ids).to(device).unsqueeze(1)
    told = torch.from_numpy(answered).to(device)
    read = torch.cat([told.new_tensor([tokens.end]), told[:-1]]).unsqueeze(1)
    with torch.no_grad():
        each = [_read(network, inputs, read) for network in model.each]
    network, fed = model.each[0], each[0].fed

    def number() -> Tensor:
        memory, _ = network(inputs)
        vectors = network.target(read)
        if fed is not None:
            vectors = torch.cat([vectors, fed], -1)
        hidden, _, _ = network.decoder._read(vectors, network.begin(memory), memory)
        return cross_entropy(network.scores(hidden[:, 0]).float(), told, reduction="sum")

    seen = layers_of(network, number, gradients=True, reach=reach, influence=False)
    log_p = torch.stack([one.log_p for one in each]).logsumexp(0) - float(np.log(len(each)))
    log_p = log_p.cpu()
    chances, places = log_p.exp().topk(min(CHOICES, log_p.shape[1]))
    pieces = tokens.target.pieces
    sources, source_joined = _names(f"{sentence.strip()}\n", tokens.source, ids)
    weights = [one.weights for one in each if one.weights is not None]
    loss = "what the tokens of the translation cost together"
    return Trace(
        "Translator",
        ("\n", *found.names[:-1]),
        tuple(layer for layer in seen.layers if layer.name != _ENCODER),
        -log_p.gather(1, told.cpu().unsqueeze(1))[:, 0].numpy(),
        Expected(
            tuple(tuple(pieces[place] for place in row) for row in places.tolist()),
            chances.numpy(),
            found.names,
        ),
        notes=(*_notes(len(each), fed is not None, found.ended), *seen.notes),
        loss=loss,
        joined=found.joined,
        links=Links(sources, found.names, torch.stack(weights).mean(0).cpu().numpy())
        if weights
        else None,
        beam=None if found.record is None else _tree(found.record, tokens.target),
        source=Trace(
            "Translator",
            sources,
            tuple(layer for layer in seen.layers if layer.name == _ENCODER),
            loss=loss,
            joined=source_joined,
        ),
    )


def _pair_of(given: Any, beam: int | None) -> tuple[str, str | None]:
    """A sentence, and its translation where that is given too."""
    parts = given
    if isinstance(given, str):
        parts = tuple(given.strip("\r\n").split("\t")) if "\t" in given else (given, None)
    if not (isinstance(parts, tuple) and len(parts) == 2 and isinstance(parts[0], str)):
        raise ConfigError(f"trace: got {given!r}, expected a sentence, or (sentence, translation)")
    source, target = parts
    if not (target is None or isinstance(target, str)):
        raise ConfigError(f"trace: got {target!r} as the translation, expected a text")
    for text in parts:
        lines = [line for line in (text or "").splitlines() if line.strip()]
        if text is not None and len(lines) != 1:
            raise ConfigError(f"trace: got {len(lines)} lines, expected one sentence")
    if target is not None and beam is not None:
        raise ConfigError("beam: there is no search where the translation is given; leave it out")
    return source, target


@dataclass(frozen=True)
class _Answer:
    """What is taken for the translation.

    Attributes:
        tokens: `(T,)`, the end with them.
        names: as a reader knows them.
        joined: whether they join to the text.
        record: how it was found; None where it was given.
        ended: whether it ended by itself.
    """

    tokens: np.ndarray
    names: tuple[str, ...]
    joined: bool
    record: BeamRecord | None = None
    ended: bool = True


def _searched(translator: Translator, sentence: str, ids: np.ndarray, beam: int | None) -> _Answer:
    from unrolled.data.tokens import Subwords
    from unrolled.decoding.beam import search_with_record
    from unrolled.tasks.arrays import like
    from unrolled.tasks.translating.asking import options_of
    from unrolled.tasks.translating.request import Request
    from unrolled.tasks.translating.scorer import NetworkScorer
    from unrolled.tasks.translating.searched import copied_into

    width = Request().beam if beam is None else beam
    tokens, model = translator.tokens, translator.model
    ((best, *_),), (record,) = search_with_record(
        # As a translation is searched for, so that the page shows what `predict` says.
        NetworkScorer(model, [ids], precision=Request().precision),
        begin=tokens.end,
        end=tokens.end,
        sentences=[len(ids)],
        options=options_of(model, tokens, Request(beam=width, n_best=width)),
        device=like(model).device,
    )
    found = np.array([*best.tokens, *([tokens.end] if best.finished else [])], dtype=np.int64)
    if isinstance(tokens.target, Subwords):
        names, joined = _names("", tokens.target, found)
    else:
        copied = copied_into(tokens, sentence, best)
        pieces = tokens.target.pieces
        names = tuple(copied.get(at, pieces[one]) for at, one in enumerate(found.tolist()))
        joined = tokens.kind == "characters"
    return _Answer(found, names, joined, record, best.finished)


def _names(line: str, tokenizer: Tokenizer, ids: np.ndarray) -> tuple[tuple[str, ...], bool]:
    """As `written`; subwords tell by themselves what was encoded."""
    from unrolled.data.tokens import Subwords

    text = tokenizer.decode(ids) if isinstance(tokenizer, Subwords) else line
    return written(text, tokenizer, ids)


@dataclass(frozen=True)
class _Reading:
    """What one network made of a translation that was given.

    Attributes:
        log_p: `(T, V)`.
        weights: `(T, S)`, where it looked; None without attention.
        fed: `(T, 1, E)`, what each step was fed; None without input feeding.
    """

    log_p: Tensor
    weights: Tensor | None
    fed: Tensor | None


def _read(network: TranslationNetwork, inputs: Tensor, read: Tensor) -> _Reading:
    import torch

    memory, _ = network(inputs)
    state = network.begin(memory)
    hidden, weights, fed = [], [], []
    for token in read:
        if state.fed is not None:
            fed.append(state.fed)
        answer, looked, state = network.step(token, state, memory)
        hidden.append(answer)
        if looked is not None:
            weights.append(looked[0])
    log_p = network.scores(torch.cat(hidden)).float().log_softmax(-1)
    return _Reading(
        log_p,
        torch.stack(weights) if weights else None,
        torch.stack(fed) if fed else None,
    )


def _notes(networks: int, feeding: bool, ended: bool) -> list[str]:
    found = []
    if networks > 1:
        found.append(
            f"Of {networks} networks the layers of the first are shown; probabilities, losses, the"
            " search and where it looked are those of all together."
        )
    if feeding:
        found.append(
            "What a step answered is fed to the next one (input feeding); the gradient does not go"
            " that way."
        )
    if not ended:
        found.append("The translation did not end by itself: it was cut at the most tokens.")
    return found


def _tree(record: BeamRecord, tokenizer: Tokenizer) -> Beam:
    """The search with its tokens as texts."""
    nothing = float("nan")
    return Beam(
        record.width,
        _texts(record, tokenizer),
        np.array(record.steps, dtype=np.int64),
        np.array(record.parents, dtype=np.int64),
        np.array(record.log_p, dtype=np.float32),
        np.array(record.sums, dtype=np.float32),
        record.fates,
        np.array(record.ranks, dtype=np.int64),
        np.array([nothing if s is None else s for s in record.scores], dtype=np.float32),
    )


def _texts(record: BeamRecord, tokenizer: Tokenizer) -> tuple[str, ...]:
    """Of subwords the characters that a token completes: it may hold a part of one."""
    from unrolled.data.tokens import Subwords

    if not isinstance(tokenizer, Subwords):
        return tuple(tokenizer.pieces[token] for token in record.tokens)
    decoder = getincrementaldecoder("utf-8")("replace")
    found, open_bytes = [], {-1: (b"", 0)}
    for node, (token, parent) in enumerate(zip(record.tokens, record.parents, strict=True)):
        decoder.setstate(open_bytes[parent])
        found.append(decoder.decode(tokenizer.to_bytes([token])))
        open_bytes[node] = decoder.getstate()
    return tuple(found)
