"""What is asked of a `Transcriber` with a transducer's head, for a trace of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from unrolled.decoding.ctc_hypothesis import CtcHypothesis
from unrolled.lens.tracing_layers import Output
from unrolled.lens.tracing_transcriber import Asked, unknown_in, words_of

if TYPE_CHECKING:
    from torch import Tensor

    from unrolled.tasks.transcriber import Transcriber
    from unrolled.tasks.transcribing.transducer_network import TransducerNetwork

_NOTES = (
    "The head is a transducer: how probable a symbol is, is told of the first that each step says,"
    " after what was heard before that step. A step may say several symbols, or none.",
    "Its prediction network, which reads the symbols that were said and not the sound, is not"
    " shown.",
)


def transducer_asked(
    transcriber: Transcriber,
    hidden: Tensor,
    frames: Tensor,
    best: CtcHypothesis,
    text: str | None,
) -> Asked:
    """As of CTC, but for what each step says, which depends on what was said before it.

    Args:
        transcriber: a fitted one, in evaluation.
        hidden: what the recurrent layers gave, `(T', 1, H)`.
        frames: what the network read, `(T, 1, F)`.
        best: what was heard.
        text: what was given, to be aligned; None: nothing.
    """
    import torch

    from unrolled.decoding.transducer_alignment import align_transducer
    from unrolled.lens.tracing_memory import outputs_at
    from unrolled.tasks.transcribing.heads import TransducerHead
    from unrolled.training.transducer_joint import joint_transducer_loss

    symbols, model = transcriber.symbols, cast("TransducerNetwork", transcriber.model)
    assert symbols is not None
    pieces, count = symbols.pieces, len(hidden)
    on = [first for first, _ in best.frames]
    # What joins with each step: what is predicted after all that was said on those before it.
    before = torch.from_numpy(np.searchsorted(on, np.arange(count))).to(hidden.device)
    said: list[list[str]] = [[] for _ in range(count)]
    for token, at in zip(best.tokens, on, strict=True):
        said[at].append(pieces[token])

    def predicted(tokens: Tensor) -> Tensor:
        with torch.no_grad():
            found: Tensor = model.prediction(tokens[:, None])
        return found

    heard = torch.tensor(best.tokens, dtype=torch.int64, device=hidden.device)
    joined = predicted(heard)[before, 0]

    def log_p(y: Tensor, steps: Tensor) -> Tensor:
        return model.joiner((model.readout(y) + joined[steps]).tanh()).float().log_softmax(-1)

    with torch.no_grad():
        chances = log_p(hidden[:, 0], torch.arange(count, device=hidden.device)).exp()
        answer = model.readout(hidden)[:, 0].float().cpu().numpy()
    target, notes, aligned = heard, list(_NOTES), []
    if text is not None:
        (given,) = symbols.encode([text])
        notes += unknown_in(symbols, text)
        aligned = words_of(transcriber, align_transducer(TransducerHead(model), answer, given))
        target = torch.from_numpy(given).to(hidden.device)
    told = predicted(target)

    def number() -> Tensor:
        scores, lengths = model(frames)[0]
        counts = lengths.new_tensor([len(target)])
        joiner = model.joiner
        return joint_transducer_loss(
            scores, told, joiner.weight, joiner.bias, lengths, target[None], counts
        ).loss

    def likeliest(y: Tensor, places: Tensor, ends: Tensor) -> Tensor:
        return log_p(outputs_at(y, places), ends.to(y.device)).max(-1).values

    whose = "was given" if text is not None else "it hears"
    return Asked(
        pieces,
        chances.cpu().numpy(),
        number,
        f"what the text that {whose} costs, over all its alignments (a transducer's)",
        Output("the log-probability of what is likeliest after what was heard before", likeliest),
        tuple(symbols.between.join(some) for some in said),
        aligned,
        repeats=True,
        notes=tuple(notes),
    )
