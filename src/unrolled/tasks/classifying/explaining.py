"""Which words an answer comes from: integrated gradients, with the error that they leave."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unrolled.data.tokens import Tokenizer
from unrolled.tasks.arrays import like
from unrolled.tasks.classifying.encoding import document
from unrolled.tasks.classifying.linear_path import LinearPath
from unrolled.tasks.classifying.mixing import Mix
from unrolled.tasks.classifying.network import TextClassifier
from unrolled.tasks.classifying.surface import words_of
from unrolled.tasks.tables import aligned

# Points on the path are doubled from the first to the last number until the error is small.
FEWEST_POINTS, MOST_POINTS = 16, 1024
ERROR = 0.01
# A difference below this, in nats, is none: an error is a share of this at least.
_SMALL = 0.1
# Tokens, over all points run at once, that a pass holds.
_TOKENS = 32_768


@dataclass(frozen=True)
class Explanation:
    """How much each word of a text speaks for a label.

    The attributions add up to `score - baseline`, but for `error`. A score is in nats: the label's
    logit less the mean of the others' (with two labels the log odds), or where a text can have
    several labels the label's own log odds.

    Attributes:
        text, label: what is explained.
        probability: of the label.
        score: of the whole text.
        baseline: the score where the network reads a zero vector for every word, and the linear
            path no word.
        words: the words of the text in order (a mark of punctuation is one).
        attributions: of each word, float64 `(n,)`: both parts together.
        of_network, of_linear: of each part alone, `(n,)`; zeros where there is no linear path.
        opening: what is attributed to the beginning of the text, which is no word.
        error: `|sum - (score - baseline)|` as a share of `|score - baseline|`, of 0.1 nats at
            least; the network's part is below 1%.
        points: on the path from the zero vectors to the text.

    `str(explanation)` is a table of the words that say most. Iterating gives `(word, attribution)`.
    """

    text: str
    label: str
    probability: float
    score: float
    baseline: float
    words: tuple[str, ...]
    attributions: np.ndarray
    of_network: np.ndarray
    of_linear: np.ndarray
    opening: float
    error: float
    points: int

    def __iter__(self) -> Iterator[tuple[str, float]]:
        return iter(list(zip(self.words, self.attributions.tolist(), strict=True)))

    def __len__(self) -> int:
        return len(self.words)

    def __str__(self) -> str:
        order = np.argsort(-np.abs(self.attributions), kind="stable")[:10]
        rows = [["", "both", "network", "linear"]]
        for place in order:
            parts = (self.attributions, self.of_network, self.of_linear)
            rows.append([self.words[place], *(f"{part[place]:+.3f}" for part in parts)])
        return "\n".join(
            [
                f"{self.label}: probability {self.probability:.3f}, score {self.score:+.3f} nats,"
                f" {self.baseline:+.3f} without the words",
                *aligned(rows),
                f"the attributions add up to that but for {self.error:.2%} ({self.points} points)",
            ]
        )


def contrast(label: int, labels: int, several: bool) -> np.ndarray:
    """What a score is made of: weights `(C,)` on the logits."""
    if several or labels == 1:
        return np.eye(labels)[label]
    others = np.full(labels, -1.0 / (labels - 1))
    others[label] = 1.0
    return others


def integrated_gradients(
    model: TextClassifier, tokens: np.ndarray, direction: np.ndarray
) -> tuple[np.ndarray, float, float, float, int]:
    """What each token adds to `direction . logits` of the network.

        a_t = e_t . integral from 0 to 1 of d score / d e_t at alpha e  d alpha

    by the middle of as many equal steps as it takes for the sum to be within 1% of the score's
    difference (or MOST_POINTS).

    Args:
        model: the network, in evaluation mode.
        tokens: `(T,)`.
        direction: `(C,)`.

    Returns:
        Attributions float64 `(T,)`; the score at the text and at zero vectors; the error as a share
        of their difference; and the points.

    Source: Sundararajan et al. 2017, arXiv 1703.01365.
    """
    weight = like(model)
    ids = torch.from_numpy(np.asarray(tokens, dtype=np.int64)).to(weight.device)
    towards = torch.from_numpy(direction).to(weight)
    with torch.no_grad():
        vectors = model.encoder.embedding(ids).detach()
        ends = torch.stack([vectors, torch.zeros_like(vectors)], 1)
        whole, zero = (float(one) for one in _scores(model, ends, towards))
    difference = whole - zero
    points = FEWEST_POINTS
    while True:
        found = _by_token(model, vectors, towards, points)
        error = abs(float(found.sum()) - difference) / max(abs(difference), _SMALL)
        if error <= ERROR or points >= MOST_POINTS:
            return found, whole, zero, error, points
        points *= 2


def _by_token(model: TextClassifier, vectors: Tensor, towards: Tensor, points: int) -> np.ndarray:
    total = torch.zeros(len(vectors), dtype=torch.float64)
    alphas = (torch.arange(points, device=vectors.device) + 0.5) / points
    rows = max(1, _TOKENS // len(vectors))
    for some in alphas.split(rows):
        path = (some.view(1, -1, 1) * vectors.unsqueeze(1)).to(vectors.dtype).requires_grad_()
        with torch.enable_grad():
            score = _scores(model, path, towards).sum()
            (gradient,) = torch.autograd.grad(score, path)
        total += (gradient.sum(1) * vectors).sum(-1).double().cpu() / points
    return total.numpy()


def _scores(model: TextClassifier, vectors: Tensor, towards: Tensor) -> Tensor:
    """Of documents given as vectors `(T, B, E)`: `(B,)`."""
    _, pool = model.read(vectors, None, None)
    scores: Tensor = model.answer(pool).to(towards.dtype) @ towards
    return scores


def explain(
    model: TextClassifier,
    linear: LinearPath | None,
    mix: Mix,
    tokens: Tokenizer,
    text: str,
    *,
    label: int,
    names: Sequence[str],
    several: bool,
    probability: float,
) -> Explanation:
    """The explanation of one label's score; see `Explanation`."""
    ids = document(tokens, text)
    direction = contrast(label, len(names), several)
    found, whole, zero, _, points = integrated_gradients(model, ids, direction)
    network = mix.network * found
    score, baseline = mix.network * whole, mix.network * zero
    held = np.zeros(len(ids))
    if linear is not None:
        held = mix.linear * (linear.contributions(ids) @ direction)
        bias = mix.linear * float(linear.bias @ direction)
        score, baseline = score + bias + float(held.sum()), baseline + bias
    words, owner = words_of(tokens, ids[1:], text)
    sums = [np.bincount(owner, part[1:], minlength=len(words)) for part in (network, held)]
    left = abs(float(network.sum() + held.sum()) - (score - baseline))
    return Explanation(
        text=text,
        label=names[label],
        probability=probability,
        score=score,
        baseline=baseline,
        words=words,
        attributions=sums[0] + sums[1],
        of_network=sums[0],
        of_linear=sums[1],
        opening=float(network[0] + held[0]),
        error=left / max(abs(score - baseline), _SMALL),
        points=points,
    )
