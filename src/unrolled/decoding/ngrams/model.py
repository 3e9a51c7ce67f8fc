"""`NGramModel`: an n-gram language model for decoding, from a text or an ARPA file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, overload

import numpy as np

from unrolled.data.normalising import Normalise
from unrolled.decoding.ngrams.checks import (
    check_holdout,
    check_settings,
    check_state,
    check_sums,
    check_texts,
    check_token,
)
from unrolled.decoding.ngrams.counting import count_grams, with_marks
from unrolled.decoding.ngrams.kneser_ney import FALLBACK, estimate
from unrolled.decoding.ngrams.measuring import check_known, measure, scored_tokens, text_score
from unrolled.decoding.ngrams.perplexity import HeldOut, Perplexity
from unrolled.decoding.ngrams.pruning import prune_by_entropy
from unrolled.decoding.ngrams.scoring import next_probabilities
from unrolled.decoding.ngrams.sentences import SPACE, Cutter, Sentences, Unit, corpus_of, unit_of
from unrolled.decoding.ngrams.trie import Floats, Integers, Trie
from unrolled.decoding.ngrams.vocabulary import BEGIN, MARKS, UNKNOWN, Vocabulary
from unrolled.decoding.text_score import TextScore
from unrolled.errors import DataError, NotFittedError

if TYPE_CHECKING:
    from torch import Tensor

    from unrolled.training.modelfile import Card

# Where more brings little: on held-out lines of Shakespeare 4 words have 0.8% less perplexity than
# 3, and 7 characters 1.5% less than 6, in twice the memory.
ORDERS = {"words": 3, "characters": 6}


class NGramModel:
    """Foretells a token from the `order - 1` before it in its sentence.

        p(w | u) = p(u w) where the gram u w is in the model, else b(u) p(w | u')

    with the context `u`, and `u'` it without its first token: a model in back-off form. `fit`
    estimates it from a text by interpolated modified Kneser-Ney smoothing (equations in
    `decoding.ngrams.kneser_ney`); `read_arpa` takes one that another toolkit made.

    A sentence is a line of text. It begins after `<s>` and ends with `</s>`; a token that the model
    does not know is `<unk>`.

        model = NGramModel(order=3).fit("book.txt")
        state = model.start()
        log_p, state = model.step("the", state)
        model.save("lm.unrolled")  # or model.write_arpa("lm.arpa")

    Args:
        order: length of the longest gram; None: 3 words, or 6 characters.
        unit: what a token is, "words" or "characters". A space is the character `<space>`.
        normalise: "plain" reads the text as transcripts are written: letters small, no marks but
            the apostrophe inside a word. "none" takes words as they stand between spaces.
        vocabulary_size: the most frequent so many are known; None for all.
        min_count: and only those that stand in the text so often. The others count as `<unk>`.
        prune_counts: for each length from 1 on, grams that stand in the text so often or less are
            left out, as (0, 0, 1): of three words and more those that stand there once. The last
            number holds for all longer ones.
        prune_entropy: leave out grams that raise the perplexity by less than this share, such as
            1e-8; see `decoding.ngrams.pruning`.

    Attributes:
        vocabulary: the tokens and their numbers.
        trie: the grams.
        evaluation: what `fit` measured on sentences that it did not learn, or None.
        notes: what is to be known of the model, each a sentence.

    Raises:
        ConfigError: a value that can't work.
    """

    vocabulary: Vocabulary
    trie: Trie

    def __init__(
        self,
        order: int | None = None,
        *,
        unit: Unit = "words",
        normalise: Normalise = "plain",
        vocabulary_size: int | None = None,
        min_count: int = 1,
        prune_counts: Sequence[int] | None = None,
        prune_entropy: float = 0.0,
    ) -> None:
        self._cutter = Cutter(unit, normalise)
        self.order = ORDERS[unit] if order is None else order
        self.unit, self.normalise = unit, normalise
        self.vocabulary_size, self.min_count = vocabulary_size, min_count
        self.prune_counts, self.prune_entropy = prune_counts, prune_entropy
        check_settings(self.get_params())
        self.evaluation: HeldOut | None = None
        self.notes: tuple[str, ...] = ()
        self._provenance: dict[str, Any] = {}

    def get_params(self) -> dict[str, Any]:
        """The arguments of the constructor by name."""
        names = ("order", "unit", "normalise", "vocabulary_size", "min_count")
        return {name: getattr(self, name) for name in (*names, "prune_counts", "prune_entropy")}

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({told})"

    def fit(
        self,
        data: Any,
        *,
        text_column: str | None = None,
        validation: Any = None,
        holdout: float = 0.05,
    ) -> Self:
        """Count a text and estimate the model.

        Args:
            data: a text; the path of a text file (also `.gz`), of a folder of them or of a table of
                texts; a list of texts or paths; any iterable of sentences. A line is a sentence.
            text_column: of a table; None guesses, and says so in `notes`.
            validation: sentences to measure on, given like `data`; all of `data` is then learnt.
            holdout: without them, the share that is measured on and not learnt: one
                sentence in 20 for 0.05. 0 learns all.

        Raises:
            DataError: a file that can't be read; no words, or none that is frequent enough.
            ConfigError: data that are no texts; a holdout that is not from 0 to 0.5.
        """
        check_holdout(holdout)
        corpus = corpus_of(data, text_column)
        learnt = Sentences.read(corpus, self._cutter)
        held, told = None, ""
        if validation is not None:
            held = Sentences.read(corpus_of(validation), self._cutter)
            told = f"the {len(held):,} sentences of the validation text"
        elif holdout:
            every = round(1 / holdout)
            kept = np.arange(len(learnt)) % every != every - 1
            if not kept.all():
                held, learnt = learnt.where(~kept), learnt.where(kept)
                told = f"one sentence in {every}, not learnt"
        vocabulary = Vocabulary.learn(
            learnt.pieces, learnt.counts(), most=self.vocabulary_size, min_count=self.min_count
        )
        if len(vocabulary) == len(MARKS):
            raise DataError(
                f"none of the {self.unit} stands in the text {self.min_count} times: give a lower"
                " min_count (--min-count), or more text"
            )
        if held is not None and validation is not None:
            check_known(vocabulary, held)
        marked = with_marks(learnt.encoded(vocabulary), learnt.lengths)
        counted = count_grams(marked, len(vocabulary), self.order)
        given = list(self.prune_counts or (0,))
        thresholds = (given + given[-1:] * self.order)[: len(counted)]
        found = estimate(counted, thresholds)
        self.trie = prune_by_entropy(found.trie, self.prune_entropy)
        self.vocabulary = vocabulary
        self.notes = (*corpus.notes, *_too_small(found.too_small))
        self._provenance = {
            "data": {"name": Path(corpus.name).name, "sha256": corpus.digest, "holdout": holdout},
            "discounts": [list(map(float, one)) for one in found.discounts],
        }
        self.evaluation = None
        if held is not None:
            rival = estimate(count_grams(marked, len(vocabulary), 1), (0,)).trie
            self.evaluation = HeldOut(
                measure(self.trie, vocabulary, held), measure(rival, vocabulary, held), told
            )
        return self

    def log_probabilities(self, sentences: Iterable[str]) -> list[Floats]:
        """Natural log p of every token of each sentence and of its end: `(n + 1,)` each.

        Raises:
            NotFittedError: `fit` or `read_arpa` comes first.
            ConfigError: what is no text.
        """
        return [values for _, values in self._scored(sentences)]

    @overload
    def score(  # type: ignore[overload-overlap]  # a text is one, though it has characters
        self, texts: str, *, per_token: bool = ...
    ) -> TextScore: ...
    @overload
    def score(self, texts: Iterable[str], *, per_token: bool = ...) -> list[TextScore]: ...
    def score(
        self, texts: str | Iterable[str], *, per_token: bool = False
    ) -> TextScore | list[TextScore]:
        """How likely a sentence is, with its end, or each of several.

        Args:
            texts: one or several; line breaks in them are spaces.
            per_token: keep each token with its log-probability.

        Of a text without words it is the score of the end of a sentence alone.

        Raises:
            NotFittedError: `fit` or `read_arpa` comes first.
            ConfigError: what is no text.
        """
        alone = isinstance(texts, str)
        given = check_texts([texts] if alone else texts, "texts")
        scores = [
            text_score(text, self.vocabulary, ids, values, per_token=per_token)
            for text, (ids, values) in zip(given, self._scored(given), strict=True)
        ]
        return scores[0] if alone else scores

    def perplexity(self, sentences: Any) -> Perplexity:
        """How well the model foretells a text; with and without its unknown tokens.

        Args:
            sentences: as `fit` takes them.

        Raises:
            DataError: no words, or none that the model knows.
        """
        self._check_fitted()
        held = Sentences.read(corpus_of(sentences), self._cutter)
        check_known(self.vocabulary, held)
        return measure(self.trie, self.vocabulary, held)

    def start(self) -> int:
        """The state at the beginning of a sentence. A state is an int, to be handed to `step`."""
        self._check_fitted()
        return self.trie.shortened(1 + BEGIN)

    def step(self, token: str | int, state: int) -> tuple[float, int]:
        """Natural log p(token | state), and the state after the token.

        Args:
            token: a token or its number; `</s>` ends a sentence. One that is not known is `<unk>`.
            state: what `start` or `step` gave.

        Raises:
            NotFittedError: `fit` or `read_arpa` comes first.
            ConfigError: no token or number of one; no state of this model.
        """
        self._check_state(state)
        if isinstance(token, str):
            token = self.vocabulary.numbers.get(SPACE if token == " " else token, UNKNOWN)
        else:
            check_token(token, len(self.vocabulary))
        log10, after = self.trie.step(state, token)
        return float(np.log(10)) * log10, after

    def next_probabilities(self, state: int) -> Floats:
        """`(V,)`: p of each token after a state; they sum to 1.

        Raises:
            NotFittedError: `fit` or `read_arpa` comes first.
            ConfigError: no state of this model.
        """
        self._check_state(state)
        return next_probabilities(self.trie, state)

    def pruned(self, prune_entropy: float) -> Self:
        """A model without the grams that raise the perplexity by less than this share; see
        `decoding.ngrams.pruning`. It has no evaluation."""
        self._check_fitted()
        model = type(self)(**{**self.get_params(), "prune_entropy": prune_entropy})
        model.trie, model.vocabulary = prune_by_entropy(self.trie, prune_entropy), self.vocabulary
        model.notes, model._provenance = self.notes, self._provenance
        return model

    def write_arpa(self, path: str | os.PathLike[str]) -> Path:
        """Write the model as an ARPA file, which other toolkits read; gzipped as `.arpa.gz`. It
        reads back to the same bits.

        Raises:
            OutputError: the folder does not exist or can't be written.
        """
        from unrolled.decoding.ngrams.arpa_writing import write_arpa

        self._check_fitted()
        return write_arpa(path, self.trie, self.vocabulary)

    @classmethod
    def read_arpa(
        cls,
        path: str | os.PathLike[str],
        *,
        unit: Unit | None = None,
        normalise: Normalise = "none",
        check: bool = True,
    ) -> Self:
        """The model of an ARPA file, also gzipped, whichever toolkit wrote it.

        Args:
            path: of the file.
            unit: "words" or "characters"; None: characters where `<space>` is a word of the
                file and all others have one character.
            normalise: what is done to sentences before they are looked up, as for the constructor.
            check: refuse a model in which what may follow some context does not sum to 1.

        Raises:
            DataError: a malformed or truncated file, with the line; sums that are not 1, with the
                context.
        """
        from unrolled.decoding.ngrams.arpa_reading import read_arpa

        found = read_arpa(path)
        if unit is None:
            unit = unit_of(found.vocabulary)
        if check:
            check_sums(found.trie, found.vocabulary, path)
        model = cls(found.trie.order, unit=unit, normalise=normalise)
        model.trie, model.vocabulary = found.trie, found.vocabulary
        if found.no_unknown:
            model.notes = (
                "the ARPA file has no <unk>: an unknown word has the log10 probability -100",
            )
        model._provenance = {"data": {"name": Path(path).name}}
        return model

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the model as one `.unrolled` file, which `unrolled.load` maps into memory.

        Raises:
            OutputError: the folder does not exist or can't be written.
        """
        from unrolled.decoding.ngrams.file import to_tensors
        from unrolled.training.modelfile import Card, write_model

        self._check_fitted()
        card = Card(
            task=type(self).__name__,
            configuration=self.get_params(),
            assets={"grams": self.trie.counts, "notes": list(self.notes)},
            scores={} if self.evaluation is None else asdict(self.evaluation),
            provenance=self._provenance,
        )
        return write_model(path, card, to_tensors(self.trie, self.vocabulary))

    @classmethod
    def _from_file(cls, card: Card, tensors: dict[str, Tensor]) -> Self:
        from unrolled.decoding.ngrams.file import from_tensors

        model = cls(**card.configuration)
        model.trie, model.vocabulary = from_tensors(tensors)
        model.notes, model._provenance = tuple(card.assets["notes"]), card.provenance
        if card.scores:
            model.evaluation = HeldOut(
                Perplexity(**card.scores["model"]),
                Perplexity(**card.scores["unigram"]),
                card.scores["held_out"],
            )
        return model

    def _scored(self, sentences: Iterable[str]) -> list[tuple[Integers, Floats]]:
        self._check_fitted()
        cut = [self._cutter.cut(sentence) for sentence in check_texts(sentences, "sentences")]
        return scored_tokens(self.trie, self.vocabulary, cut)

    def _check_fitted(self) -> None:
        if not hasattr(self, "trie"):
            raise NotFittedError(
                f"this {type(self).__name__} has not learnt anything yet; call fit or read_arpa, or"
                " unrolled.load a saved one"
            )

    def _check_state(self, state: int) -> None:
        self._check_fitted()
        check_state(state, len(self.trie))


def _too_small(lengths: Sequence[int]) -> tuple[str, ...]:
    if not lengths:
        return ()
    which = ", ".join(map(str, lengths))
    taken = ", ".join(map(str, FALLBACK))
    return (
        f"the text can't tell discounts for grams of length {which}, for too few of them are rare"
        f" (a small text, or one in which every gram comes often): they are {taken}",
    )
