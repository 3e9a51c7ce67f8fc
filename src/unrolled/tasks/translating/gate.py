"""The baseline gate of a `Translator`: the source copied, and a dictionary, word for word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from unrolled.baselines.owners import arrays_of
from unrolled.baselines.word_for_word import CopySource, WordForWord
from unrolled.data.tokens.word_pattern import token_pattern
from unrolled.errors import DataError
from unrolled.tasks.evaluation import Comparison, Evaluation
from unrolled.tasks.poor import Poor
from unrolled.training.translation_scores import (
    Tokenize,
    TranslationScores,
    by_length,
    exactly,
    sentence_chrf,
    translation_scores,
    usual_tokenize,
)

BLEU, CHRF = "BLEU", "chrF"
RIVALS: dict[str, type[CopySource] | type[WordForWord]] = {
    "copy": CopySource,
    "dictionary": WordForWord,
}
# Bad translations that an evaluation keeps: enough to see what is wrong, few enough for a card.
MOST = 20
Rivals = dict[str, CopySource | WordForWord]


def fit_rivals(sources: Sequence[str], targets: Sequence[str], seed: int) -> Rivals:
    """Both rivals on what the network learns from; the dictionary on a sample where that is large.

    Raises:
        DataError: other numbers of sources and targets, or no word on one of the sides.
    """
    return {"copy": CopySource(), "dictionary": WordForWord(seed=seed).fit(sources, targets)}


def name_of(rival: CopySource | WordForWord, pairs: int) -> str:
    """Its name, with the sample that it learnt from where that is not all."""
    if isinstance(rival, WordForWord) and rival.learnt_from < pairs:
        return f"{rival.name}, on {rival.learnt_from:,} pairs"
    return rival.name


def words_of(texts: Sequence[str]) -> list[int]:
    """How many words and marks each text has; a Chinese or Japanese character is a word."""
    pattern = token_pattern()
    return [len(pattern.findall(text)) for text in texts]


def evaluation_of(
    sources: Sequence[str],
    references: Sequence[str],
    said: Sequence[str],
    rivals: Mapping[str, Sequence[str]],
    told: str,
    *,
    tokenize: Tokenize | None = None,
    most: int = MOST,
) -> Evaluation:
    """The network beside the rival that has the higher BLEU, by BLEU and by chrF.

    Details are the share of exact translations, the ratio of lengths, and BLEU by the words of the
    source; the signatures of sacreBLEU are kept as notes, and so are the worst sentences.

    Args:
        sources, references: the sentences, and what is right.
        said: the network's translations.
        rivals: those of each rival, by name.
        told: what it is measured on.
        tokenize: how BLEU cuts words. None: as is usual for the script of the references.
        most: how many of the worst sentences to keep.

    Raises:
        DataError: other numbers of sources, references and translations, or none.
    """
    if tokenize is None:
        tokenize = usual_tokenize(references)
    lengths = words_of(sources)
    whole = translation_scores(said, references, tokenize=tokenize)

    def figures(scores: TranslationScores, texts: Sequence[str]) -> dict[str, float]:
        found = {
            BLEU: scores.bleu,
            CHRF: scores.chrf,
            "exact": scores.exact,
            "length ratio": scores.length_ratio,
        }
        rows = by_length(lengths, texts, references, tokenize=tokenize)
        return found | {f"{BLEU} {row.name}": row.scores.bleu for row in rows if len(rows) > 1}

    own = figures(whole, said)
    others = {
        name: figures(translation_scores(texts, references, tokenize=tokenize), texts)
        for name, texts in rivals.items()
    }
    best = max(others, key=lambda name: (others[name][BLEU], others[name][CHRF]))
    comparisons = tuple(
        Comparison(metric, own[metric], others[best][metric], best, True) for metric in (BLEU, CHRF)
    )
    details = {metric: value for metric, value in own.items() if metric not in (BLEU, CHRF)}
    for name, one in others.items():
        details |= {f"{metric}, {name}": value for metric, value in one.items()}
    signatures = (f"{BLEU} {whole.bleu_signature}", f"{CHRF} {whole.chrf_signature}")
    poor = worst(sources, references, said, most)
    return Evaluation(comparisons, details, told, notes=signatures, worst=poor)


def worst(
    sources: Sequence[str], references: Sequence[str], said: Sequence[str], most: int = MOST
) -> tuple[Poor, ...]:
    """The `most` sentences with the lowest chrF, the worst first; none that is exactly right.

    Raises:
        DataError: other numbers of sources, references and translations, or none.
    """
    if len(sources) != len(said):
        raise DataError(f"got {len(sources)} sources and {len(said)} translations; give one each")
    chrf = sentence_chrf(said, references)
    right = exactly(said, references)
    places = np.argsort(chrf, kind="stable")[:most].tolist()
    return tuple(
        Poor(place, sources[place], references[place], said[place], float(chrf[place]))
        for place in places
        if not right[place]
    )


def rivals_from(arrays: Mapping[str, np.ndarray]) -> Rivals:
    """The rivals as a model file keeps them: `kind.name` to array."""
    return {kind: made.from_arrays(arrays_of(kind, arrays)) for kind, made in RIVALS.items()}
