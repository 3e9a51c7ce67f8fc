"""What each task reads and answers, for a trace of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from unrolled.errors import ConfigError
from unrolled.lens.traces import Answers, Expected, Trace
from unrolled.lens.tracing_layers import Output, layers_of
from unrolled.lens.tracing_pieces import written

if TYPE_CHECKING:
    from torch import Tensor

    from unrolled.tasks.base import Task
    from unrolled.tasks.classifier import Classifier
    from unrolled.tasks.classifying.linear_path import LinearPath
    from unrolled.tasks.classifying.pooling import Pool
    from unrolled.tasks.forecaster import Forecaster
    from unrolled.tasks.generator import Generator
    from unrolled.tasks.tagger import Tagger
    from unrolled.tasks.transcriber import Transcriber
    from unrolled.tasks.translator import Translator

CHOICES = 8


def of_task(
    task: Task,
    given: Any,
    steps: int,
    reach: int | None,
    origin: Any = None,
    beam: int | None = None,
) -> Trace:
    """A trace of what a fitted task reads, its network in evaluation; arguments as of `trace`.

    Raises:
        ConfigError: it can't be traced, or there is nothing to read.
    """
    from unrolled.tasks.loading import kind_of

    kind = kind_of(task)
    if kind == "Translator":
        from unrolled.lens.tracing_translator import of_translator

        if origin is None:
            return of_translator(cast("Translator", task), given, steps, reach, beam)
    if kind == "Transcriber" and origin is None:
        from unrolled.lens.tracing_transcriber import of_transcriber

        return of_transcriber(cast("Transcriber", task), given, steps, reach, beam)
    if beam is not None:
        raise ConfigError(f"beam: is that of a Translator or a Transcriber, not of a {kind}")
    if kind == "Forecaster":
        from unrolled.lens.tracing_forecaster import of_forecaster

        return of_forecaster(cast("Forecaster", task), given, steps, reach, origin)
    if origin is not None:
        raise ConfigError(f"origin: is that of a Forecaster, not of a {kind}")
    readers: dict[str, Callable[[Any, Any, int, int | None], Trace]] = {
        "Generator": _of_generator,
        "Classifier": _of_classifier,
        "Tagger": _of_tagger,
    }
    if kind not in readers:
        raise ConfigError(
            f"trace: got a {kind}, expected a Forecaster, a Generator, a Classifier, a Tagger, a"
            " Translator, a Transcriber or a torch module; trace its network (`model`) with the"
            " input that it takes"
        )
    return readers[kind](task, given, steps, reach)


def _of_generator(generator: Generator, text: Any, steps: int, reach: int | None) -> Trace:
    """The network alone; the n-grams, which may answer with it, have no states."""
    import torch
    from torch.nn.functional import cross_entropy

    from unrolled.lens.tracing_memory import outputs_at
    from unrolled.tasks.generating.reading import Reader

    _check_text(text)
    model, vocabulary = generator.model, generator.vocabulary
    ids = vocabulary.encode(text)
    if not len(ids):
        raise ConfigError("trace: got a text without a token, expected one at least")
    reader = Reader(model, vocabulary)
    before = reader.read(ids[:-steps]) if len(ids) > steps else reader.beginning()
    shown = ids[-steps:]
    tokens = torch.from_numpy(np.asarray(shown, dtype=np.int64)).to(reader.device).unsqueeze(1)
    seen: list[Tensor] = []

    def number() -> Tensor:
        logits, _ = model(tokens, before.place.state)
        seen[:] = [logits.detach()[:, 0].float()]
        if len(tokens) == 1:
            return torch.zeros(())
        return cross_entropy(logits[:-1, 0].float(), tokens[1:, 0], reduction="sum")

    first = model.each[0]

    def likeliest(y: Tensor, places: Tensor, _: Tensor) -> Tensor:
        chances = first.scores(outputs_at(y, places)).float().log_softmax(-1)
        return chances.max(-1).values

    of = "the log-probability of the token that it expects most"
    found = layers_of(
        model,
        number,
        gradients=len(shown) > 1,
        output=Output(of + _first_of(model), likeliest),
        reach=reach,
    )
    log_p = seen[0].log_softmax(-1).cpu()
    losses = np.full(len(shown), np.nan, dtype=np.float32)
    losses[:-1] = -log_p[:-1].gather(1, tokens[1:].cpu())[:, 0].numpy()
    chances, places = log_p.exp().topk(min(CHOICES, log_p.shape[1]))
    pieces = vocabulary.pieces
    names, joined = written(text, vocabulary, ids)
    return Trace(
        "Generator",
        names[-len(shown) :],
        found.layers,
        losses,
        Expected(
            tuple(tuple(pieces[place] for place in row) for row in places.tolist()),
            chances.numpy(),
        ),
        notes=(*_cut(len(ids), len(shown), vocabulary.kind), *found.notes),
        loss="what all next tokens cost together" if len(shown) > 1 else "",
        joined=joined,
        influence=found.influence,
    )


def _of_classifier(judge: Classifier, text: Any, steps: int, reach: int | None) -> Trace:
    """The network, with the whole model's answer after every token where it reads forward only."""
    import torch
    from torch.nn.functional import cross_entropy, logsigmoid

    from unrolled.tasks.arrays import like
    from unrolled.tasks.classifying import encoding
    from unrolled.tasks.classifying.pooling import Pool

    _check_text(text)
    model, labels = judge.model, judge.labels
    ids = torch.from_numpy(encoding.document(judge.vocabulary, text).astype(np.int64))
    ids = ids.to(like(model).device).unsqueeze(1)
    count = len(ids) - 1
    if not count:
        raise ConfigError("trace: got a text without a token, expected one at least")
    forward = judge.directions == 1
    if not forward and count > min(steps, model.chunk - 1):
        raise ConfigError(
            f"trace: got a text of {count:,} {judge.vocabulary.kind}, expected"
            f" {min(steps, model.chunk - 1):,} at most of a model that reads in both directions"
        )
    # The mark that every document begins with is read, and not shown. Forward, what comes before
    # the steps that are shown is read first; in both directions all is one piece.
    first = max(1, len(ids) - steps) if forward else 0
    with torch.no_grad():
        state, pool = model.read(ids[:first], None, None) if first else (None, None)
    chosen = torch.from_numpy(judge._logits([text])[0]).argmax().to(ids.device)
    seen: list[Tensor] = []

    def keep(_: Any, __: Any, output: Any) -> None:
        seen.append(output[0].detach()[:, 0])

    def number() -> Tensor:
        logits = model.answer(model.read(ids[first:], state, pool)[1])
        if labels.several:
            return -logsigmoid(logits[0, chosen])
        return cross_entropy(logits, chosen.unsqueeze(0))

    before = Pool.empty(1, model.units, model.readout.weight) if pool is None else pool

    def chosen_score(y: Tensor, places: Tensor, ends: Tensor) -> Tensor:
        lengths = places.to(y.device) + 1
        return model.answer(pools_before(ends - places).take(y, lengths))[:, chosen]

    def pools_before(begins: Tensor) -> Pool:
        """What was pooled before each of some steps."""
        start = Pool(*(part.detach() for part in before.tensors()))
        after = _pools(start, seen[0])
        return Pool(
            *(
                torch.cat([one, more])[begins.to(one.device)]
                for one, more in zip(start.tensors(), after.tensors(), strict=True)
            )
        )

    answer = labels.names[int(chosen)]
    of = f"the score of the answer \u201c{answer}\u201d"
    output = Output(of, chosen_score, one=not forward)
    handle = model.encoder.recurrent.register_forward_hook(keep)
    # In one piece: of a layer that is called for each part of a long text one call would be seen.
    chunk, model.chunk = model.chunk, max(model.chunk, len(ids))
    try:
        found = layers_of(model, number, gradients=True, output=output, reach=reach)
    finally:
        model.chunk = chunk
        handle.remove()
    shown = ids[max(1, first) :]
    layers = tuple(layer.part(steps=slice(-len(shown), None)) for layer in found.layers)
    notes = _cut(count, len(shown), judge.vocabulary.kind) + found.notes
    moved = None if found.influence is None else found.influence.last(len(shown))
    answers = None
    if pool is not None:
        with torch.no_grad():
            logits = model.answer(_pools(pool, seen[0])).double().cpu().numpy()
        linear = _linear(judge.linear_path, ids[:, 0].cpu().numpy(), len(logits))
        scores = judge.mix(logits, linear)
        chances = labels.probabilities(scores).astype(np.float32)
        answers = Answers(tuple(map(str, labels.names)), chances)
    else:
        notes.append("An answer after every step needs a network that reads forward only.")
    if judge.linear_path is not None:
        notes.append(
            "A linear path of n-grams answers together with the network; it has no states to show."
        )
    names, joined = written(text, judge.vocabulary, ids[1:, 0].cpu().numpy())
    loss = f"what the answer \u201c{answer}\u201d costs"
    return Trace(
        "Classifier",
        names[-len(shown) :],
        layers,
        answers=answers,
        notes=tuple(notes),
        loss=loss,
        joined=joined,
        influence=moved,
    )


def _linear(path: LinearPath | None, tokens: np.ndarray, last: int) -> np.ndarray | None:
    """The logits `(T, C)` of the linear path if the text ended after each of the last `T` tokens;
    the first of all, the mark that a document begins with, is also that of its end."""
    if path is None:
        return None
    closing, found = tokens[:1], []
    state = path.step(tokens[:-last], path.start())
    for place in range(len(tokens) - last, len(tokens)):
        state = path.step(tokens[place : place + 1], state)
        found.append(path.ended(closing, state))
    return np.stack(found)


def _pools(before: Pool, outputs: Tensor) -> Pool:
    """What was pooled after each of the steps `outputs (T, H)`, as rows."""
    import torch

    from unrolled.tasks.classifying.pooling import Pool

    outputs = outputs.to(before.total)
    steps = torch.arange(1, len(outputs) + 1, device=outputs.device)
    return Pool(
        before.total + outputs.cumsum(0),
        torch.maximum(before.highest, outputs.cummax(0).values),
        outputs,
        before.count + steps,
    )


def _of_tagger(tagger: Tagger, given: Any, steps: int, reach: int | None) -> Trace:
    """Every member; the answers are those of all together, given the whole sentence."""
    import torch

    from unrolled.lens.tracing_memory import outputs_at
    from unrolled.tasks.arrays import like

    words, truth = _words_and_tags(tagger, given)
    if len(words) > steps:
        raise ConfigError(
            f"trace: got a sentence of {len(words):,} words, expected {steps:,} at most (steps):"
            " its tags depend on all of it"
        )
    (shares,) = tagger.predict_proba([words])
    model = tagger.model
    rows = torch.from_numpy(tagger.forms.rows(words)).to(like(model).device).unsqueeze(1)
    (chosen,) = tagger.predict([words])
    places = [tagger.classes.index(tag) for tag in truth or chosen]
    targets = torch.tensor(places, device=rows.device).unsqueeze(1)

    def number() -> Tensor:
        return model.loss(model(rows)[0], targets) * len(words)

    which = "is right" if truth else "it chooses"
    first, told = model.each[0], torch.tensor(places)

    def emitted(y: Tensor, at: Tensor, ends: Tensor) -> Tensor:
        scores = first.readout(outputs_at(y, at))
        return scores.gather(1, told[ends].to(y.device).unsqueeze(1))[:, 0]

    output = Output("the score of the tag that " + which + _first_of(model), emitted)
    found = layers_of(model, number, gradients=True, only=".recurrent", output=output, reach=reach)
    losses = None
    if truth:
        with np.errstate(divide="ignore"):  # a tag that the scheme does not allow there
            losses = -np.log(shares[np.arange(len(words)), places]).astype(np.float32)
    return Trace(
        "Tagger",
        tuple(words),
        found.layers,
        losses,
        answers=Answers(tagger.classes, shares, False, tuple(chosen), tuple(truth)),
        notes=tuple(found.notes),
        loss=f"what the tags that {'are right' if truth else 'it chooses'} cost together",
        influence=found.influence,
    )


def _words_and_tags(tagger: Tagger, given: Any) -> tuple[list[str], list[str]]:
    """The words of a sentence, and the tags that were told to be right, or none."""
    wrong = f"trace: got {given!r}, expected a sentence, a list of its words, or (words, tags)"
    if isinstance(given, str):
        sentences, _ = tagger._words_of(given)
        if len(sentences) != 1:
            raise ConfigError(f"trace: got {len(sentences)} sentences, expected one")
        return list(sentences[0]), []
    if not isinstance(given, list | tuple):
        raise ConfigError(wrong)
    words: Any = given
    tags: Any = ()
    if isinstance(given, tuple) and len(given) == 2 and not any(isinstance(x, str) for x in given):
        words, tags = given
    for part in (words, tags):
        if not (isinstance(part, list | tuple) and all(isinstance(x, str) and x for x in part)):
            raise ConfigError(wrong)
    if not words:
        raise ConfigError(wrong)
    if tags and len(tags) != len(words):
        raise ConfigError(f"trace: got {len(tags)} tags, expected {len(words)}, one a word")
    unknown = next((tag for tag in tags if tag not in tagger.classes), None)
    if unknown is not None:
        known = ", ".join(tagger.classes)
        raise ConfigError(f"trace: got the tag {unknown!r}, expected one of {known}")
    return list(words), list(tags)


def _first_of(model: Any) -> str:
    count = len(model.each)
    return f", of the first of {count} networks" if count > 1 else ""


def _check_text(text: Any) -> None:
    if not isinstance(text, str) or not text:
        raise ConfigError(f"trace: got {text!r}, expected a text of at least one character")


def _cut(count: int, shown: int, kind: str) -> list[str]:
    if count <= shown:
        return []
    return [
        f"Of {count:,} {kind} the last {shown:,} are shown; the gradient stops where they begin."
    ]
