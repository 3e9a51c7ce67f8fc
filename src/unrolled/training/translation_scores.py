"""Scores of translations: BLEU and chrF as sacreBLEU counts them, with their signatures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import ConfigError, DataError
from unrolled.training.scored_texts import check_texts

if TYPE_CHECKING:
    from sacrebleu.metrics.bleu import BLEU

# How BLEU cuts words: "13a" wants spaces between them; Chinese "zh", Japanese and the like "char".
Tokenize = Literal["13a", "intl", "zh", "char"]
# Most words of a source for which a row is made; those that few sentences reach are put together.
EDGES = (5, 10, 15, 20, 30, 40, 50, 75, 100)

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
# Kana; Thai, Lao, Burmese, Khmer.
_OTHERS_WITHOUT_SPACES = re.compile("[\u3040-\u30ff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")


@dataclass(frozen=True)
class TranslationScores:
    """How near translations come to the references.

    Attributes:
        bleu: 0 to 100, over the whole corpus, upper and lower case as they are. It is 0 where no
            translation has four words in a row as its reference has.
        chrf: chrF2, 0 to 100: the F score (recall counts twice) of the characters' 1- to 6-grams.
        exact: share of the translations that are the reference, but for spaces at their ends.
        length_ratio: words and marks of the translations by those of the references; NaN where
            these have none. Below 1 the brevity penalty takes from BLEU.
        bleu_signature, chrf_signature: what sacreBLEU counted, to be printed beside a score.

    Source: Papineni et al. 2002 (BLEU), Popovic 2015 (chrF), Post 2018 (sacreBLEU).
    """

    bleu: float
    chrf: float
    exact: float
    length_ratio: float
    bleu_signature: str
    chrf_signature: str

    def __str__(self) -> str:
        return (
            f"BLEU {self.bleu:.2f} ({self.bleu_signature})\n"
            f"chrF {self.chrf:.2f} ({self.chrf_signature})\n"
            f"exact {self.exact:.2%}, length ratio {self.length_ratio:.3f}"
        )


@dataclass(frozen=True)
class LengthScores:
    """The scores of the sentences whose source has so many words.

    Attributes:
        above, upto: more than `above` words and at most `upto`; None: any number.
        sentences: how many.
        scores: theirs.
    """

    above: int
    upto: int | None
    sentences: int
    scores: TranslationScores

    @property
    def name(self) -> str:
        """Such as `11 to 20`, `up to 10` and `above 20`; `any` of a single row."""
        if self.upto is None:
            return f"above {self.above}" if self.above else "any"
        return f"{self.above + 1} to {self.upto}" if self.above else f"up to {self.upto}"


def translation_scores(
    hypotheses: Sequence[str], references: Sequence[str], *, tokenize: Tokenize = "13a"
) -> TranslationScores:
    """BLEU and chrF of translations, one reference each.

    Args:
        hypotheses: the translations, as they are shown to a reader.
        references: what is right.
        tokenize: how BLEU cuts words: "13a" where spaces stand between them, "intl" so by the marks
            of Unicode, "zh" of Chinese, "char" of Japanese and others without spaces. chrF needs
            none.

    Raises:
        DataError: other numbers of translations and references, none at all, or no strings.
        ConfigError: an unknown `tokenize`.
    """
    from sacrebleu.metrics.chrf import CHRF

    check_texts(hypotheses, references, "translation")
    hypotheses, references = list(hypotheses), list(references)
    bleu, chrf = _bleu(tokenize), CHRF()
    found = bleu.corpus_score(hypotheses, [references])
    return TranslationScores(
        bleu=float(found.score),
        chrf=float(chrf.corpus_score(hypotheses, [references]).score),
        exact=float(np.mean(exactly(hypotheses, references))),
        length_ratio=found.sys_len / found.ref_len if found.ref_len else float("nan"),
        bleu_signature=str(bleu.get_signature()),
        chrf_signature=str(chrf.get_signature()),
    )


def usual_tokenize(references: Sequence[str]) -> Tokenize:
    """How BLEU usually cuts a language, by the letters of its texts: "zh" for Chinese, "char" for
    Japanese, Thai and others without spaces, else "13a"."""
    text = "".join(references)
    han, others = len(_HAN.findall(text)), len(_OTHERS_WITHOUT_SPACES.findall(text))
    # Numbers and names are often Latin in a text of another script.
    if 2 * (han + others) <= sum(map(str.isalpha, text)):
        return "13a"
    # A Chinese text may have a kana; a Japanese one has many.
    return "zh" if 4 * others < han else "char"


def sentence_chrf(hypotheses: Sequence[str], references: Sequence[str]) -> NDArray[np.float64]:
    """`(N,)` chrF2 of each sentence, 0 to 100; where both are empty 100.

    It orders single sentences better than BLEU, which is 0 without four words in a row.

    Raises:
        DataError: as `translation_scores`.
    """
    from sacrebleu.metrics.chrf import CHRF

    check_texts(hypotheses, references, "translation")
    chrf = CHRF()
    return np.array(
        [
            # sacreBLEU gives 0 to an empty translation of nothing.
            100.0 if same else chrf.sentence_score(said, [right]).score
            for said, right, same in zip(
                hypotheses, references, exactly(hypotheses, references), strict=True
            )
        ]
    )


def exactly(hypotheses: Sequence[str], references: Sequence[str]) -> list[bool]:
    """Of each translation whether it is the reference, but for spaces at their ends."""
    return [
        said.strip() == right.strip() for said, right in zip(hypotheses, references, strict=True)
    ]


def edges_for(lengths: Sequence[int], *, least: int = 30) -> tuple[int, ...]:
    """Of the usual edges those between which there are at least `least` sentences each.

    Args:
        lengths: words of each source.
        least: sentences of a row.
    """
    sizes, chosen, below = np.asarray(lengths), [], 0
    for edge in EDGES:
        upto = int((sizes <= edge).sum())
        if upto - below >= least and len(sizes) - upto >= least:
            chosen.append(edge)
            below = upto
    return tuple(chosen)


def by_length(
    lengths: Sequence[int],
    hypotheses: Sequence[str],
    references: Sequence[str],
    edges: Sequence[int] | None = None,
    *,
    tokenize: Tokenize = "13a",
) -> tuple[LengthScores, ...]:
    """The scores by the length of the source; a row without sentences is left out.

    Args:
        lengths: words of each source.
        hypotheses, references, tokenize: as in `translation_scores`.
        edges: the most words of each row but the last, which has no end. None: `edges_for`.

    Raises:
        DataError: as `translation_scores`, or another number of lengths.
        ConfigError: the edges do not rise from 1 or more.
    """
    check_texts(hypotheses, references, "translation")
    sizes = np.asarray(lengths)
    if sizes.shape != (len(hypotheses),):
        raise DataError(f"got {len(sizes)} lengths of sources and {len(hypotheses)} translations")
    edges = edges_for(lengths) if edges is None else tuple(edges)
    if list(edges) != sorted(set(edges)) or min(edges, default=1) < 1:
        raise ConfigError(f"edges is {edges}; give rising numbers of words, such as (10, 20, 30)")
    rows = []
    for above, upto in zip((0, *edges), (*edges, None), strict=True):
        # A source without a word belongs to the shortest.
        inside = (sizes > above) | (above == 0)
        if upto is not None:
            inside &= sizes <= upto
        places = np.flatnonzero(inside).tolist()
        if places:
            scores = translation_scores(
                [hypotheses[place] for place in places],
                [references[place] for place in places],
                tokenize=tokenize,
            )
            rows.append(LengthScores(above, upto, len(places), scores))
    return tuple(rows)


def _bleu(tokenize: Tokenize) -> BLEU:
    from sacrebleu.metrics.bleu import BLEU

    if tokenize not in get_args(Tokenize):
        choices = ", ".join(map(repr, get_args(Tokenize)))
        raise ConfigError(f"tokenize is {tokenize!r}; choose one of {choices}")
    # Without `force` it writes to standard error where marks stand apart.
    return BLEU(tokenize=tokenize, force=True)
