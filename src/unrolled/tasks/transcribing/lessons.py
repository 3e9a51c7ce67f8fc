"""How a `Transcriber` is scored while it trains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from unrolled.tasks.arrays import like
from unrolled.tasks.transcribing.batches import batch_of
from unrolled.tasks.transcribing.network import Heard, TranscriptionNetwork
from unrolled.tasks.transcribing.transcripts import searched
from unrolled.training.speech_alignment import edits

# Frames of the recordings that are heard at once, padding included.
_AT_ONCE = 20_000
# Prefixes that are followed while the held-out part is scored.
_BEAM = 4


def heard(
    model: TranscriptionNetwork, frames: Sequence[np.ndarray], most: int = _AT_ONCE
) -> list[np.ndarray]:
    """What the network answers to each recording, in evaluation: of transcripts log-probabilities
    `(T', 1 + V)`, of labels `(V,)`; float32.

    Recordings of like lengths are heard together; what comes out for one does not depend on that,
    but for the last digits.
    """
    was_training = model.training
    model.eval()
    device = like(model).device
    found: dict[int, np.ndarray] = {}
    order = sorted(range(len(frames)), key=lambda at: len(frames[at]))
    try:
        with torch.no_grad():
            while order:
                # from the longest down, so that what does not fit in memory shows at once
                count = max(1, min(len(order), most // len(frames[order[-1]])))
                some = order[-count:]
                del order[-count:]
                batch = batch_of([frames[at] for at in some]).to(device)
                said: Heard = model(batch.inputs, None, lengths=batch.lengths)[0]
                scores = said.scores.log_softmax(-1).float().cpu().numpy()
                for column, at in enumerate(some):
                    if model.labelled:
                        found[at] = scores[column]
                    else:
                        found[at] = scores[: int(said.lengths[column]), column]
    finally:
        model.train(was_training)
    return [found[at] for at in range(len(frames))]


@dataclass(frozen=True)
class Validator:
    """Scores the held-out part; lower is better.

    Attributes:
        model: what hears.
        frames: of each recording.
        targets: symbols `(n,)` or the label `(1,)` of each.
    """

    model: TranscriptionNetwork
    frames: Sequence[np.ndarray]
    targets: Sequence[np.ndarray]

    @property
    def unit(self) -> str:
        """What a score is counted in, in words."""
        return "nats per recording" if self.model.labelled else "% of symbols wrong"

    def __call__(self) -> float:
        found = heard(self.model, self.frames)
        if self.model.labelled:
            right = torch.from_numpy(np.concatenate(self.targets))
            return float(cross_entropy(torch.from_numpy(np.stack(found)), right))
        # Of a network that has learnt little the best path says nothing long after the likeliest
        # sequence is right: no single step is surer of a symbol than of the blank.
        said = [one[0].tokens for one in searched(found, beam=_BEAM)]
        pairs = zip(said, self.targets, strict=True)
        wrong = sum(edits(tokens, right.tolist()) for tokens, right in pairs)
        return 100.0 * wrong / max(1, sum(map(len, self.targets)))
