"""How a `Transcriber` is scored while it trains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from unrolled.data.recordings import Recording
from unrolled.tasks.arrays import like
from unrolled.tasks.transcribing.batches import Memory, batch_of
from unrolled.tasks.transcribing.framing import Framing
from unrolled.tasks.transcribing.heads import head_of
from unrolled.tasks.transcribing.network import Heard, TranscriptionNetwork
from unrolled.tasks.transcribing.some_at_a_time import some_at_a_time
from unrolled.training.speech_alignment import edits

# Frames of the recordings that are heard at once, padding included.
_AT_ONCE = 20_000
# Prefixes that are followed while the held-out part is scored.
_BEAM = 4
# Of their frames, in bytes; what is beyond is made again for each score.
_KEPT = 1 << 28


def heard(
    model: TranscriptionNetwork, frames: Sequence[np.ndarray], most: int = _AT_ONCE
) -> list[np.ndarray]:
    """What the network answers to each recording, in evaluation: of transcripts log-probabilities
    `(T', 1 + V)`, or what joins `(T', J)`, of labels `(V,)`; float32.

    Recordings of like lengths are heard together, and a model in one direction hears one of more
    than `most` frames in pieces; what comes out for one does not depend on that, but for the last
    digits.
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
                if len(frames[some[0]]) > most and not model.recurrent.bidirectional:
                    found[some[0]] = _heard_in_pieces(model, frames[some[0]], most)
                    continue
                batch = batch_of([frames[at] for at in some]).to(device)
                said: Heard = model(batch.inputs, None, lengths=batch.lengths)[0]
                scores = model.told(said.scores).float().cpu().numpy()
                for column, at in enumerate(some):
                    if model.labelled:
                        found[at] = scores[column]
                    else:
                        found[at] = scores[: int(said.lengths[column]), column]
    finally:
        model.train(was_training)
    return [found[at] for at in range(len(frames))]


def _heard_in_pieces(model: TranscriptionNetwork, frames: np.ndarray, most: int) -> np.ndarray:
    """The same of one recording, `most` frames at a time."""
    state, found = model.begin(), []
    for piece in torch.from_numpy(frames).to(like(model).device).split(most):
        scores, state = model.stream(piece.unsqueeze(1), state)
        found.append(model.told(scores[0 if model.labelled else slice(None)]).float().cpu())
    return (found[-1] if model.labelled else torch.cat(found)[:, 0]).numpy()


@dataclass(frozen=True)
class Validator:
    """Scores the held-out part; lower is better.

    Attributes:
        model: what hears.
        framing: of the model.
        recordings: the held-out part.
        targets: symbols `(n,)` or the label `(1,)` of each.
    """

    model: TranscriptionNetwork
    framing: Framing
    recordings: Sequence[Recording]
    targets: Sequence[np.ndarray]
    _kept: Memory = field(default_factory=lambda: Memory(_KEPT), repr=False)

    @property
    def unit(self) -> str:
        """What a score is counted in, in words."""
        return "nats per recording" if self.model.labelled else "% of symbols wrong"

    def __call__(self) -> float:
        lost = 0.0
        for part in some_at_a_time(self.recordings):
            found = heard(self.model, [self._frames(at) for at in part])
            lost += self._lost(found, [self.targets[at] for at in part])
        if self.model.labelled:
            return lost / len(self.targets)
        return 100.0 * lost / max(1, sum(map(len, self.targets)))

    def _frames(self, at: int) -> np.ndarray:
        return self._kept.get(at, lambda: self.framing.frames(self.recordings[at]))

    def _lost(self, found: Sequence[np.ndarray], targets: Sequence[np.ndarray]) -> float:
        """Nats of labels, wrong symbols of transcripts."""
        if self.model.labelled:
            right = torch.from_numpy(np.concatenate(targets))
            return float(cross_entropy(torch.from_numpy(np.stack(found)), right, reduction="sum"))
        # Of a network that has learnt little the best path says nothing long after the likeliest
        # sequence is right: no single step is surer of a symbol than of the blank.
        said = [one[0].tokens for one in head_of(self.model).search(found, beam=_BEAM)]
        pairs = zip(said, targets, strict=True)
        return float(sum(edits(tokens, right.tolist()) for tokens, right in pairs))
