"""What a `Transcriber` hears and answers, for a trace of it: the sound, its symbols and words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.errors import ConfigError
from unrolled.lens.sound_parts import Heard, Sound, SoundsAlike
from unrolled.lens.trace_parts import Spectrogram
from unrolled.lens.traces import Answers, Trace
from unrolled.lens.tracing_layers import Output, layers_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from unrolled.data.recordings import Recording
    from unrolled.decoding.ctc_hypothesis import CtcHypothesis
    from unrolled.tasks.transcriber import Transcriber
    from unrolled.tasks.transcribing.symbols import Symbols

# A symbol that is nowhere more probable is not kept, nor more than so many.
_LEAST, _SYMBOLS = 0.05, 40
_WRONG = (
    "expected one sound (a file, (samples, rate), samples at the model's rate, frames of a model"
    " of ready-made features, or a Recording), or (sound, text)"
)


def of_transcriber(
    transcriber: Transcriber, given: Any, steps: int, reach: int | None, beam: int | None = None
) -> Trace:
    """A trace of a sound and what is heard in it.

    Args:
        transcriber: a fitted one.
        given: a file, `(samples, rate)`, samples `(N,)` at the model's rate, features `(T, F)` or a
            `Recording`; with what is said in it, as a tuple, with a tab between them, or in the
            recording, where that shall be aligned with the sound.
        steps: of a longer sound the first so many are read.
        reach: as of `trace`.
        beam: hypotheses that the search keeps; None: as many as `predict` does.

    Raises:
        ConfigError: no sound, several, or a text that can't be aligned with it.
        DataError: a sound that can't be read.
    """
    import torch

    from unrolled.tasks.arrays import like

    recording, told = _sound_of(transcriber, given)
    one = _cut(transcriber, recording, steps)
    model = transcriber.model
    beam, alike = transcriber._checked_beam(beam), None
    if transcriber.labelled:
        (answer,) = transcriber._answers([one.frames], beam, 1)
    else:
        ((told_of, best),) = transcriber._explained([one.frames], transcriber._explainer(), beam)
        answer = told_of.transcript
        alike = SoundsAlike(tuple(told_of.to_dict()["words"])) if told_of.words else None
    frames = torch.from_numpy(one.frames).to(like(model).device).unsqueeze(1)
    hidden: list[Tensor] = []
    hook = model.recurrent.register_forward_hook(lambda _, __, y: hidden.append(y[0].detach()))
    try:
        with torch.no_grad():
            model(frames)
    finally:
        hook.remove()
    if not transcriber.labelled and transcriber.head == "transducer":
        from unrolled.lens.tracing_transducer import transducer_asked

        asked = transducer_asked(transcriber, hidden[0], frames, best, told)
    else:
        text = answer.text if told is None else told
        ask = _label_asked if transcriber.labelled else _symbols_asked
        asked = ask(transcriber, hidden[0], frames, text, told is not None)
    seen = layers_of(model, asked.number, gradients=True, output=asked.output, reach=reach)
    seconds = one.seconds
    names, chances, few = _likeliest(asked)
    words = [(word.text, word.start, word.end, word.confidence) for word in answer.words]
    path = asked.path or ("",) * one.count
    return Trace(
        "Transcriber",
        tuple(f"{step * seconds:.2f} s" for step in range(one.count)),
        seen.layers,
        answers=Answers(asked.names, asked.chances) if asked.running else None,
        notes=(*one.notes, *_language_of(transcriber), *asked.notes, *few, *seen.notes),
        loss=asked.loss,
        influence=seen.influence,
        spectrogram=Spectrogram(one.frames, transcriber.framing.seconds, path),
        heard=Heard(
            answer.text,
            names,
            chances,
            *_columns(words),
            *_columns(asked.aligned),
            repeats=asked.repeats,
        ),
        sound=one.sound,
        alike=alike,
    )


def _language_of(transcriber: Transcriber) -> list[str]:
    """A note where more than the sound had a say in what was heard."""
    language = transcriber.language
    if language is None:
        return []
    weights, parts = language.weights, []
    if language.model is not None:
        parts.append(
            f"an n-gram model (weight {weights.weight:g}, {weights.word_bonus:g} nats for each word"
            f" and {weights.unknown:g} for each that it does not know)"
        )
    if hot := language.hot_words:
        parts.append(f"{len(hot):,} hot word{'s' * (len(hot) != 1)}")
    if language.writer is not None:
        parts.append(f"a second pass (weight {weights.rerank_weight:g})")
    return [
        f"In what was heard the language has a say, too: {', '.join(parts)}. How probable each"
        " symbol is at a step is what the network alone says."
    ]


def _sound_of(transcriber: Transcriber, given: Any) -> tuple[Recording, str | None]:
    """One recording, and the text that was given with it."""
    from unrolled.data.recordings import Recording, Recordings
    from unrolled.data.recordings_reading import read_recordings
    from unrolled.tasks.base import is_number

    told = None
    if isinstance(given, str) and "\t" in given:
        given, told = given.split("\t", 1)
    elif isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], str):
        given, told = given
    if isinstance(given, Recordings) and len(given) == 1:
        (given,) = given.items
    if isinstance(given, Recording):
        return given, given.text or None if told is None else told
    samples = isinstance(given, tuple) and len(given) == 2 and is_number(given[1])
    samples = samples and not isinstance(given[0], str | tuple)
    if isinstance(given, list | dict | Recordings) or (isinstance(given, tuple) and not samples):
        raise ConfigError(f"trace: got {type(given).__name__}, {_WRONG}")
    framing = transcriber.framing
    if framing.rate is not None and getattr(given, "ndim", 0) == 1:
        given = (given, framing.rate)
    found = read_recordings([given], texts=False, frame_rate=1 / framing.seconds)
    if len(found) != 1:
        raise ConfigError(f"trace: got {len(found)} sounds, {_WRONG}")
    return found.items[0], told


@dataclass(frozen=True)
class _Cut:
    """What is read of a sound: `count` steps of `seconds` each, no frame beyond the last."""

    frames: np.ndarray
    sound: Sound | None
    count: int
    seconds: float
    notes: tuple[str, ...]


def _cut(transcriber: Transcriber, recording: Recording, steps: int) -> _Cut:
    framing, each = transcriber.framing, transcriber.settings.subsampling
    seconds = framing.seconds * each
    frames, samples = framing.frames(recording), None
    if framing.rate is not None:
        samples = framing.samples(recording)
    count = len(frames) // each
    notes = []
    if count > steps:
        whole, count = len(frames) * framing.seconds, steps
        notes.append(
            f"Of {whole:.1f} s the first {count * seconds:.1f} s were read, and are played: steps="
            f" says how many of {1000 * seconds:.0f} ms each."
        )
        if samples is not None and framing.rate is not None:
            samples = samples[: round(count * seconds * framing.rate)]
    sound = None
    if samples is not None and framing.rate is not None:
        sound = Sound.of(samples, framing.rate)
    else:
        notes.append("The model reads ready-made features: there is no sound to play.")
    return _Cut(frames[: count * each], sound, count, seconds, tuple(notes))


@dataclass(frozen=True)
class Asked:
    """What is asked of a network, and what it says at each step.

    Attributes:
        names, chances: as in `Heard`, all of them.
        number: what the gradients are of.
        loss: in words.
        output: what the influence is measured on.
        path: the likeliest symbol of each step, of a transducer what it says; empty for labels.
        aligned: word, begin, end and confidence of what was given.
        repeats: as in `Heard`.
        running: whether `chances` are those of labels after each step.
        notes: what is to be told.
    """

    names: tuple[str, ...]
    chances: np.ndarray
    number: Callable[[], Tensor]
    loss: str
    output: Output
    path: tuple[str, ...] = ()
    aligned: Sequence[tuple[str, float, float, float]] = ()
    repeats: bool = False
    running: bool = False
    notes: tuple[str, ...] = ()


def _symbols_asked(
    transcriber: Transcriber, hidden: Tensor, frames: Tensor, text: str, told: bool
) -> Asked:
    import torch

    from unrolled.lens.tracing_memory import outputs_at
    from unrolled.training.ctc_loss import ctc_loss

    symbols, model = transcriber.symbols, transcriber.model
    assert symbols is not None
    log_p = model.readout(hidden)[:, 0].float().log_softmax(-1).detach().cpu().numpy()
    pieces = symbols.pieces
    (target,) = symbols.encode([text])
    notes: list[str] = []
    aligned: list[tuple[str, float, float, float]] = []
    if told:
        notes = unknown_in(symbols, text)
        aligned = _aligned(transcriber, log_p, target, text)
    wanted = torch.from_numpy(target)[None].to(hidden.device)
    counts = torch.tensor([len(target)], device=hidden.device)

    def number() -> Tensor:
        heard, _ = model(frames)
        return ctc_loss(heard.scores, heard.lengths, wanted, counts).loss

    def likeliest(y: Tensor, places: Tensor, _: Tensor) -> Tensor:
        return model.readout(outputs_at(y, places)).float().log_softmax(-1).max(-1).values

    whose = "was given" if told else "it hears"
    return Asked(
        pieces,
        np.exp(log_p),
        number,
        f"what the text that {whose} costs, over all its alignments (CTC)",
        Output("the log-probability of the likeliest symbol", likeliest),
        tuple(pieces[at] for at in log_p.argmax(-1).tolist()),
        aligned,
        notes=tuple(notes),
    )


def _aligned(
    transcriber: Transcriber, log_p: np.ndarray, target: np.ndarray, text: str
) -> list[tuple[str, float, float, float]]:
    from unrolled.decoding.ctc_alignment import align_ctc

    try:
        (best,) = align_ctc(log_p[:, None], [target.tolist()])
    except ConfigError as error:
        reason = str(error).partition("row 0 ")[2] or str(error)
        raise ConfigError(
            f"trace: the text {text!r} can't be aligned with the sound: it {reason}"
        ) from None
    return words_of(transcriber, best)


def words_of(
    transcriber: Transcriber, best: CtcHypothesis
) -> list[tuple[str, float, float, float]]:
    """The words of an alignment: text, begin, end and confidence."""
    from unrolled.decoding.ctc_words import words_heard

    symbols = transcriber.symbols
    assert symbols is not None
    step = transcriber.framing.seconds * transcriber.settings.subsampling
    words = words_heard([best], symbols.pieces, seconds=step, between=symbols.between)
    return [(word.text, word.start, word.end, word.confidence) for word in words]


def unknown_in(symbols: Symbols, text: str) -> list[str]:
    """A note where the model does not know all of a text that was given."""
    unknown = symbols.unknown(text)
    if not unknown:
        return []
    several = (
        "s that the model does not know are" if unknown != 1 else " that the model does not know is"
    )
    return [f"Of the text that was given {unknown} symbol{several} left out of the alignment."]


def _label_asked(
    transcriber: Transcriber, hidden: Tensor, frames: Tensor, text: str, told: bool
) -> Asked:
    import torch
    from torch.nn.functional import cross_entropy

    labels, model = transcriber.labels, transcriber.model
    pooling = model.pooling
    assert pooling is not None, "of labels"
    if text not in labels:
        known = ", ".join(labels)
        raise ConfigError(f"trace: got the label {text!r}, expected one of {known}")
    place = labels.index(text)
    forward = transcriber.directions == 1
    rows = hidden[:, 0]
    if forward:
        # As a stream answers, after each step.
        so_far, found = pooling.begin(1), []
        for step in hidden.split(1):
            so_far = pooling.stream(step, so_far)
            found.append(so_far[:, 1:])
        rows = torch.cat(found)
    chances = model.readout(rows).float().softmax(-1).detach().cpu().numpy()

    def number() -> Tensor:
        heard, _ = model(frames)
        return cross_entropy(heard.scores, heard.scores.new_tensor([place], dtype=torch.int64))

    def score(y: Tensor, places: Tensor, _: Tensor) -> Tensor:
        return model.readout(pooling(y, places.to(y.device) + 1))[:, place]

    notes = (
        ()
        if forward
        else (
            "The network reads both ways: the probabilities are those that the step's own output"
            " would give alone, and no answer after each step.",
        )
    )
    return Asked(
        labels,
        chances,
        number,
        f"what the label \u201c{text}\u201d, which {'was given' if told else 'it hears'}, costs",
        Output(f"the score of the label \u201c{text}\u201d", score, one=True),
        running=forward,
        notes=notes,
    )


def _likeliest(asked: Asked) -> tuple[tuple[str, ...], np.ndarray, list[str]]:
    """The names that are probable somewhere, with their chances, and in words what is left out.
    The blank is the first, then symbols by where they are likeliest; labels by how probable they
    are in the end."""
    names, chances = asked.names, asked.chances
    peaks, blank = chances.max(axis=0), "" in names
    order = chances.argmax(axis=0) if blank else -chances[-1]
    likely = [at for at in np.argsort(-peaks, kind="stable").tolist() if peaks[at] >= _LEAST]
    kept = sorted(
        {*likely[:_SYMBOLS], *([names.index("")] if blank else [])},
        key=lambda at: (names[at] != "", order[at], at),
    )
    notes = []
    if left := len(names) - len(kept):
        what = "symbols" if blank else "labels"
        verb, where = "is" if left == 1 else "are", "anywhere"
        if asked.repeats:
            where = "as the first of any step"
        notes.append(
            f"Of {len(names):,} {what} {left:,} that {verb} hardly probable {where} {verb} not"
            " shown."
        )
    return (
        tuple(names[at] for at in kept),
        np.ascontiguousarray(chances[:, kept], dtype=np.float32),
        notes,
    )


def _columns(
    words: Sequence[tuple[str, float, float, float]],
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    return (
        tuple(text for text, *_ in words),
        np.array([(start, end) for _, start, end, _ in words], np.float32).reshape(-1, 2),
        np.array([sure for *_, sure in words], np.float32),
    )
