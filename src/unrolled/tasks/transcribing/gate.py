"""The baseline gate of a `Transcriber`: the most frequent answer, and the nearest template."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from unrolled.baselines.most_frequent import MostFrequent
from unrolled.baselines.owners import arrays_of
from unrolled.baselines.templates import NearestTemplate
from unrolled.data.normalising import Normalise, normalised
from unrolled.data.recordings import Recording, Recordings
from unrolled.errors import DataError
from unrolled.tasks.evaluation import Comparison, Evaluation
from unrolled.tasks.label_scores import LabelScores
from unrolled.tasks.poor import Misheard
from unrolled.training.classification import accuracy, macro_f1
from unrolled.training.scored_texts import check_texts
from unrolled.training.speech_alignment import Alignment, align
from unrolled.training.speech_scores import Confusions, SpeechScores, speech_scores

WER, CER = "WER %", "CER %"
ACCURACY, MACRO_F1 = "accuracy", "macro F1"
# Above so many seconds, or frames, a recording is no single word or phrase, and as a template says
# nothing.
SHORT, LONGEST = 5.0, 500
# Recordings heard wrong that an evaluation keeps: enough to see what is wrong, few for a card.
MOST = 20
# A table of more labels says nothing to a reader, and fills a model's card.
_MOST_LABELS = 100
Rivals = dict[str, MostFrequent | NearestTemplate]
RIVALS: dict[str, type[MostFrequent] | type[NearestTemplate]] = {
    "frequent": MostFrequent,
    "templates": NearestTemplate,
}


class Frames(Protocol):
    """How recordings become frames."""

    def frames(self, recording: Recording) -> NDArray[np.floating[Any]]:
        """`(T, F)` of one."""


def fit_rivals(framing: Frames, recordings: Recordings, seed: int) -> Rivals:
    """The rivals on what the network learns from.

    Templates are there only where most of the recordings are short: at most `SHORT` seconds, and
    `LONGEST` frames of ready-made features. Of those some are drawn; no other recording is read.

    Raises:
        DataError: no recordings, or a drawn one that can't be read.
    """
    rivals: Rivals = {"frequent": MostFrequent().fit(recordings.texts)}
    features = recordings.kind == "features"
    short = [
        one
        for one in recordings.items
        if one.seconds <= SHORT and not (features and one.seconds * one.rate > LONGEST)
    ]
    if 2 * len(short) > len(recordings):
        rivals["templates"] = NearestTemplate(longest=LONGEST, seed=seed).fit(
            lambda place: framing.frames(short[place]), [one.text for one in short]
        )
    return rivals


def evaluation_of(
    references: Sequence[str],
    said: Sequence[str],
    rivals: Mapping[str, Sequence[str]],
    told: str,
    labelled: bool,
    *,
    names: Sequence[str] = (),
    confidences: Sequence[float] = (),
    normalise: Normalise = "none",
    most: int = MOST,
) -> Evaluation:
    """The network beside the better rival: of labels by accuracy and macro F1, of transcripts by
    WER and CER.

    Details of transcripts are the share that is all right, and what WER is made up of; how it was
    counted and what is most often mistaken are notes. Of labels, each label's figures are kept,
    unless there are very many. The worst recordings are those with most words wrong; of labels,
    those that are wrong, the surest first.

    Args:
        references: what is right.
        said: the network's answers.
        rivals: those of each rival, by name.
        told: what it is measured on.
        labelled: whether the texts are labels of the whole.
        names: of the recordings, for the list of the worst.
        confidences: of the answers, for the same.
        normalise: see `training.speech_scores`; labels are compared as they are.
        most: how many of the worst to keep.

    Raises:
        DataError: other numbers of references and answers, none, or transcripts without a word.
        MissingExtra: transcripts without jiwer.
    """
    for one in (said, *rivals.values()):
        check_texts(one, references, "answer")
    for what, given in (("names", names), ("confidences", confidences)):
        if len(given) not in (0, len(references)):
            raise DataError(f"got {len(given)} {what} and {len(references)} references")
    names = names if len(names) else [""] * len(references)
    confidences = confidences if len(confidences) else [math.nan] * len(references)
    if labelled:
        found = _of_labels(references, said, rivals, told, confidences)
        wrong = [int(a != b) for a, b in zip(said, references, strict=True)]
        words = [1] * len(wrong)
    else:
        found = _of_transcripts(references, said, rivals, told, normalise)
        heard, right = (
            [normalised(text, normalise) for text in side] for side in (said, references)
        )
        counts = [one.counts for one in align(heard, right)[1]]
        wrong, words = [one.wrong for one in counts], [one.said for one in counts]
    sure = np.nan_to_num(np.asarray(confidences, dtype=np.float64))
    # Of as many wrong words first the surest, then the shortest, then the first.
    order = sorted(range(len(wrong)), key=lambda at: (-wrong[at], -sure[at], words[at]))
    worst = tuple(
        Misheard(
            place=at,
            recording=names[at],
            reference=references[at],
            heard=said[at],
            wrong=wrong[at],
            words=words[at],
            confidence=float(confidences[at]),
            labelled=labelled,
        )
        for at in order[:most]
        if wrong[at]
    )
    return replace(found, worst=worst)


def rivals_from(arrays: Mapping[str, np.ndarray]) -> Rivals:
    """The rivals as a model file keeps them: `kind.name` to array; one may be missing.

    Raises:
        ModelFileError: arrays that do not belong together.
    """
    kept = {kind: arrays_of(kind, arrays) for kind in RIVALS}
    return {kind: RIVALS[kind].from_arrays(own) for kind, own in kept.items() if own}


def _of_transcripts(
    references: Sequence[str],
    said: Sequence[str],
    rivals: Mapping[str, Sequence[str]],
    told: str,
    normalise: Normalise,
) -> Evaluation:
    whole = speech_scores(said, references, normalise=normalise)
    if not whole.words.said:
        raise DataError("no reference has a word, so that no error rate can be told")

    def figures(scores: SpeechScores) -> dict[str, float]:
        counts = scores.words
        return {
            WER: scores.wer,
            CER: scores.cer,
            "exact": scores.exact,
            "substituted %": counts.percent(counts.substitutions),
            "deleted %": counts.percent(counts.deletions),
            "inserted %": counts.percent(counts.insertions),
        }

    others = {
        name: figures(speech_scores(texts, references, normalise=normalise))
        for name, texts in rivals.items()
    }
    notes = (whole.signature, *whole.confusions.lines())
    return _compared(figures(whole), others, (WER, CER), False, told, None, notes)


def _of_labels(
    references: Sequence[str],
    said: Sequence[str],
    rivals: Mapping[str, Sequence[str]],
    told: str,
    confidences: Sequence[float],
) -> Evaluation:
    # An answer that is no label of these recordings can't be right, and still has a row.
    labels = sorted({*references, *said, *(text for texts in rivals.values() for text in texts)})
    number = {label: place for place, label in enumerate(labels)}
    actual = np.array([number[text] for text in references])

    def figures(texts: Sequence[str]) -> dict[str, float]:
        own = np.array([number[text] for text in texts])
        return {
            ACCURACY: accuracy(actual, own),
            MACRO_F1: macro_f1(actual, own, len(labels)),
        }

    sure = np.asarray(confidences, dtype=np.float64)
    scores = None
    if len(labels) <= _MOST_LABELS:
        predicted = np.array([number[text] for text in said])
        known = None if np.isnan(sure).any() else sure
        scores = LabelScores.of(labels, actual, predicted, known)
    others = {name: figures(texts) for name, texts in rivals.items()}
    pairs = Alignment(tuple(zip(references, said, strict=True)))
    notes = tuple(Confusions.of([pairs]).lines())
    return _compared(figures(said), others, (ACCURACY, MACRO_F1), True, told, scores, notes)


def _compared(
    own: Mapping[str, float],
    others: Mapping[str, Mapping[str, float]],
    metrics: tuple[str, str],
    higher: bool,
    told: str,
    labels: LabelScores | None,
    notes: tuple[str, ...],
) -> Evaluation:
    sign = -1 if higher else 1
    best = min(others, key=lambda name: [sign * others[name][metric] for metric in metrics])
    comparisons = tuple(
        Comparison(metric, own[metric], others[best][metric], best, higher) for metric in metrics
    )
    details = {metric: value for metric, value in own.items() if metric not in metrics}
    for name, one in others.items():
        details |= {f"{metric}, {name}": value for metric, value in one.items()}
    return Evaluation(comparisons, details, told, labels, notes)
