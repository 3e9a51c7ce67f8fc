"""What a `Classifier` is trained with: lessons, loss, score; and what is settled afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from scipy.sparse import vstack
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from unrolled.tasks.classifying.asking import network_logits
from unrolled.tasks.classifying.gram_index import MOST_GRAMS, GramIndex
from unrolled.tasks.classifying.labels import per_text
from unrolled.tasks.classifying.linear_path import STRENGTHS, LinearPath, closed
from unrolled.tasks.classifying.mixing import Mix, calibrated_loss, fit_mix
from unrolled.tasks.classifying.network import TextClassifier

# The strength of the linear path's weights where there are no texts to choose it by.
_USUAL_STRENGTH = 0.1
# Once the loss is so many times the best, stronger weights only learn by heart.
_WORSE = 1.02
# So that a model file stays in the tens of megabytes, however many labels there are.
_MOST_WEIGHTS = 16_000_000


def label_loss(
    weights: np.ndarray, *, several: bool, prefix: float
) -> Callable[[Any, Tensor], Tensor]:
    """Cross-entropy of the labels in nats a text, those of rare labels weighted.

    Args:
        weights: `(C,)`.
        several: each label is a question of its own: the mean over texts and labels.
        prefix: how much the answer at a drawn place of each text counts beside that at its end,
            where the network gives both.
    """
    weight = torch.from_numpy(weights)

    def one(logits: Tensor, targets: Tensor) -> Tensor:
        own = weight.to(logits)
        if several:
            return binary_cross_entropy_with_logits(logits, targets.to(logits), pos_weight=own)
        return cross_entropy(logits, targets, weight=own)

    def loss(outputs: Any, targets: Tensor) -> Tensor:
        if isinstance(outputs, Tensor):
            return one(outputs, targets)
        whole, early = (one(logits, targets) for logits in outputs)
        return (whole + prefix * early) / (1 + prefix)

    return loss


def validator(
    model: TextClassifier, documents: Sequence[np.ndarray], targets: np.ndarray, weights: np.ndarray
) -> Callable[[], float]:
    """The log loss at the best temperature, on the texts to choose by."""
    weight = per_text(weights, targets)
    return lambda: calibrated_loss(network_logits(model, documents), targets, weight)


def learn_linear(
    learnt: Sequence[np.ndarray],
    learnt_targets: np.ndarray,
    chosen_by: Sequence[np.ndarray],
    chosen_targets: np.ndarray,
    weights: np.ndarray,
    *,
    tokens: int,
    order: int,
) -> tuple[LinearPath, np.ndarray]:
    """The linear path, fitted on all; its strength is chosen on the texts to choose by.

    Returns:
        The path, and the logits that one fitted without them gives to the texts to choose by.
    """
    # Which grams there are is no secret of the labels: all texts may say it.
    most = min(MOST_GRAMS, _MOST_WEIGHTS // (order * len(weights)))
    learnt, chosen_by = closed(learnt), closed(chosen_by)
    index = GramIndex.learn([*learnt, *chosen_by], tokens, order, most=most)
    held = index.held(learnt)
    if not len(chosen_by):
        path = LinearPath.learn(
            index, held, learnt_targets, strength=_USUAL_STRENGTH, weight=weights
        )
        return path, np.empty((0, len(weights)))
    asked = index.held(chosen_by)
    weight = per_text(weights, chosen_targets)
    tried: list[tuple[float, float, np.ndarray]] = []
    for strength in STRENGTHS:
        path = LinearPath.learn(index, held, learnt_targets, strength=strength, weight=weights)
        logits = path.logits_of(asked)
        tried.append((calibrated_loss(logits, chosen_targets, weight), strength, logits))
        if tried[-1][0] > min(one[0] for one in tried) * _WORSE:
            break
    _, strength, logits = min(tried, key=lambda one: one[0])
    targets = np.concatenate([learnt_targets, chosen_targets])
    both = vstack([held, asked]).tocsr()
    return LinearPath.learn(index, both, targets, strength=strength, weight=weights), logits


def learn_mix(
    network: np.ndarray,
    linear: np.ndarray | None,
    targets: np.ndarray,
    weights: np.ndarray,
) -> Mix:
    """How far each part is trusted, by the texts to choose by; in equal shares without any."""
    parts = [network] if linear is None else [network, linear]
    if not len(targets):
        return Mix(*(1 / len(parts) for _ in parts))
    weight = per_text(weights, targets)
    alone = [fit_mix([part], targets, weight)[0] for part in parts]
    if linear is None:
        return Mix(alone[0], 0.0, alone[0])
    return Mix(*fit_mix(parts, targets, weight), *alone)
