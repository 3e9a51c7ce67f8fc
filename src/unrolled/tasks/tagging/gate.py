"""The baseline gate of a `Tagger`: most frequent tag and window of words, on the same split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from unrolled.baselines.owners import arrays_of
from unrolled.baselines.tagging import MostFrequentTag, WindowTagger
from unrolled.tasks.evaluation import Comparison, Evaluation
from unrolled.tasks.label_scores import LabelScores
from unrolled.tasks.tagging.parts import Part
from unrolled.training.spans import span_scores

ACCURACY, SPANS = "accuracy of words", "span F1"
RIVALS: dict[str, type[MostFrequentTag] | type[WindowTagger]] = {
    "frequent": MostFrequentTag,
    "window": WindowTagger,
}
# A table of more tags says nothing to a reader, and fills a model's card.
_MOST_TAGS = 100
Rivals = dict[str, MostFrequentTag | WindowTagger]


def fit_rivals(part: Part, seed: int) -> Rivals:
    """Both rivals on what the network learns from; the window on a sample where that is large."""
    rivals: Rivals = {"frequent": MostFrequentTag(), "window": WindowTagger(seed=seed)}
    return {kind: rival.fit(part.words, part.tags) for kind, rival in rivals.items()}


def name_of(rival: MostFrequentTag | WindowTagger, words: int) -> str:
    """Its name, with the sample that it learnt from where that is not all."""
    if isinstance(rival, WindowTagger) and rival.learnt_from < words:
        return f"{rival.name}, on {rival.learnt_from:,} words"
    return rival.name


def evaluation_of(
    part: Part,
    said: Sequence[Sequence[str]],
    rivals: Mapping[str, Sequence[Sequence[str]]],
    known: Sequence[np.ndarray],
    scheme: str | None,
    told: str,
) -> Evaluation:
    """The network beside the better rival, metric by metric; spans first where tags mark them.

    Args:
        part: the words and what is right.
        said: the network's tags.
        rivals: those of each rival, by name.
        known: for each sentence which words were seen twice in training; others are rare.
        scheme: of the spans, or None.
        told: what it is measured on.
    """
    own = _scores(part, said, known, scheme)
    others = {name: _scores(part, one, known, scheme) for name, one in rivals.items()}
    comparisons = []
    for metric in (SPANS, ACCURACY) if scheme is not None else (ACCURACY,):
        best = max(others, key=lambda name: others[name][metric])
        comparisons.append(Comparison(metric, own[metric], others[best][metric], best, True))
    measured = {one.metric for one in comparisons}
    details = {metric: value for metric, value in own.items() if metric not in measured}
    for name, one in others.items():
        details |= {f"{metric}, {name}": value for metric, value in one.items()}
    return Evaluation(tuple(comparisons), details, told)


def _scores(
    part: Part,
    said: Sequence[Sequence[str]],
    known: Sequence[np.ndarray],
    scheme: str | None,
) -> dict[str, float]:
    right = [
        np.array([a == b for a, b in zip(one, other, strict=True)], dtype=bool)
        for one, other in zip(part.tags, said, strict=True)
    ]
    each, seen = np.concatenate(right), np.concatenate(known)
    scores = {ACCURACY: float(each.mean())}
    if not seen.all():
        scores["rare words"] = float(each[~seen].mean())
    scores["whole sentences"] = float(np.mean([one.all() for one in right]))
    if scheme is not None:
        spans = span_scores(part.tags, said)
        scores |= {SPANS: spans.f1, "precision": spans.precision, "recall": spans.recall}
    return scores


def label_scores(
    part: Part,
    said: Sequence[Sequence[str]],
    places: Sequence[np.ndarray],
    shares: Sequence[np.ndarray],
    classes: Sequence[str],
) -> LabelScores | None:
    """Tag by tag, and how far its probability can be trusted; None of very many tags.

    Args:
        part: the words and what is right.
        said, places: the answers, and their numbers `(n,)` among the classes.
        shares: `(n, C)`, each tag's probability.
        classes: the `C` tags.
    """
    # A tag that the model does not know can't be right, and still has a row.
    tags = sorted({*classes, *(tag for row in part.tags for tag in row)})
    if len(tags) > _MOST_TAGS:
        return None
    number = {tag: place for place, tag in enumerate(tags)}
    actual, predicted = (
        np.array([number[tag] for row in rows for tag in row]) for rows in (part.tags, said)
    )
    sure = [own[np.arange(len(row)), row] for own, row in zip(shares, places, strict=True)]
    return LabelScores.of(tags, actual, predicted, np.concatenate(sure))


def rivals_from(arrays: Mapping[str, np.ndarray]) -> Rivals:
    """The rivals as a model file keeps them: `kind.name` to array."""
    return {kind: made.from_arrays(arrays_of(kind, arrays)) for kind, made in RIVALS.items()}
