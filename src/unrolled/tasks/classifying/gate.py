"""The baseline gate of a `Classifier`: its parts alone, and the rivals, on the same texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import numpy as np

from unrolled.baselines.tfidf import TfidfLogistic, Weighting, fit_weightings
from unrolled.tasks.classifying.labels import THRESHOLD, Labels
from unrolled.tasks.classifying.reading import Part
from unrolled.tasks.evaluation import Comparison, Evaluation
from unrolled.tasks.label_scores import LabelScores
from unrolled.training.classification import (
    accuracy,
    auc,
    log_loss,
    macro_f1,
    micro_f1,
)

# Rivals learn from so many texts at most; the name says so where there are more.
SAMPLE = 100_000
WEIGHTINGS: tuple[str, ...] = get_args(Weighting)
# Metrics of the gate: the first decides. Of the others the table tells.
_LOWER = ("log loss", "calibration error")


def fit_rivals(part: Part, kind: str, several: bool, seed: int) -> dict[str, TfidfLogistic]:
    """TF-IDF and naive-Bayes weighted n-grams with logistic regression, by their weighting.

    Args:
        part: what the network learnt from and was chosen by.
        kind: of the tokenizer: short strings that are read by characters get character grams.
        several: whether a text can have several labels.
        seed: of what is drawn.
    """
    grams: dict[str, Any] = (
        {"analyzer": "char", "ngrams": (1, 4)} if kind == "characters" else {"ngrams": (1, 2)}
    )
    return fit_weightings(
        part.texts, part.labels, several=several, **grams, sample=SAMPLE, seed=seed
    )


def rival_name(rival: TfidfLogistic, texts: int) -> str:
    """What it is, and on how many of the texts it was fitted where that is not all."""
    few = rival.learnt_from < texts
    return f"{rival.name}, on {rival.learnt_from:,} texts" if few else rival.name


def answers_of(rival: TfidfLogistic, texts: Sequence[str], labels: Labels) -> np.ndarray:
    """Its probabilities `(N, C)` in the order of `labels`; 0 for one that it did not see."""
    found = np.zeros((len(texts), len(labels)))
    found[:, [labels.names.index(name) for name in rival.classes]] = rival.predict_proba(texts)
    return found


def figures(probabilities: np.ndarray, targets: np.ndarray, labels: Labels) -> dict[str, float]:
    """The figures of one who answers; the first one decides."""
    count, said = len(labels), _said(probabilities, labels)
    scores = label_scores(probabilities, targets, labels)
    if labels.several:
        found = {"micro F1": micro_f1(targets > 0, said, count)}
    else:
        found = {"accuracy": accuracy(targets, said)}
    found |= {
        "macro F1": macro_f1(targets > 0 if labels.several else targets, said, count),
        "log loss": log_loss(targets, probabilities),
        "calibration error": scores.calibration_error,
    }
    if count == 2 and not labels.several:
        found["AUC"] = auc(targets == 1, probabilities[:, 1])
    return found


def label_scores(probabilities: np.ndarray, targets: np.ndarray, labels: Labels) -> LabelScores:
    """Label by label."""
    said = _said(probabilities, labels)
    if labels.several:
        return LabelScores.of(labels.names, targets > 0, said, probabilities)
    return LabelScores.of(labels.names, targets, said, probabilities.max(-1))


def _said(probabilities: np.ndarray, labels: Labels) -> np.ndarray:
    return probabilities >= THRESHOLD if labels.several else probabilities.argmax(-1)


def evaluation_of(
    whole: np.ndarray,
    parts: Mapping[str, np.ndarray],
    rivals: Mapping[str, np.ndarray],
    targets: np.ndarray,
    labels: Labels,
    held_out: str,
) -> Evaluation:
    """The classifier beside the rival that is best here, with all others and its parts as details.

    Args:
        whole: probabilities `(N, C)` of the classifier.
        parts: of its parts alone, by name; they are no rivals.
        rivals: of the rivals, by name.
        targets: what was right.
        labels: their names.
        held_out: in words, what it is measured on.
    """
    own = figures(whole, targets, labels)
    others = {name: figures(one, targets, labels) for name, one in rivals.items()}
    first = next(iter(own))
    best = max(others, key=lambda name: others[name][first])
    comparisons = tuple(
        Comparison(metric, own[metric], others[best][metric], best, metric not in _LOWER)
        for metric in list(own)[:3]
    )
    details = {metric: own[metric] for metric in list(own)[3:]}
    for name, one in {
        **{name: figures(part, targets, labels) for name, part in parts.items()},
        **others,
    }.items():
        details |= {
            f"{metric}, {name}": value
            for metric, value in one.items()
            if name != best or metric in details
        }
    return Evaluation(comparisons, details, held_out, label_scores(whole, targets, labels))
