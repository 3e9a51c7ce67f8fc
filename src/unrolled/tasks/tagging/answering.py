"""The answering half of a `Tagger`: tags, their probabilities, scores, and words one by one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from unrolled.baselines.owners import together
from unrolled.data.doctor_checkup import Checkup
from unrolled.data.tagged import TaggedSentences, read_tagged
from unrolled.errors import ConfigError, DataError
from unrolled.layers.crf_sums import Potentials
from unrolled.tasks.arrays import Arrays, like
from unrolled.tasks.base import CELLS, Task
from unrolled.tasks.evaluation import Evaluation
from unrolled.tasks.pretrained import name_to_keep
from unrolled.tasks.tagging.gate import (
    Rivals,
    evaluation_of,
    label_scores,
    name_of,
    rivals_from,
)
from unrolled.tasks.tagging.lessons import Sentences, ask
from unrolled.tasks.tagging.network import Sizes, TagNetwork, TagNetworks
from unrolled.tasks.tagging.parts import Part, column_kind
from unrolled.tasks.tagging.rules import rules_of
from unrolled.tasks.tagging.sentence_text import sentences_of
from unrolled.tasks.tagging.stream import checked, first_state, read_word
from unrolled.tasks.tagging.word_forms import WordForms
from unrolled.training.modelfile import Card


class Answering(Task):
    """What a fitted `Tagger` is asked, and what its file holds.

    Attributes:
        model: the networks.
        forms: what is known of words.
        classes: the tags, in the order of `predict_proba`.
        scheme: "BIO", "BIOES", "IOB1", or None where each tag stands for its word alone.
        column: of the tags that were learnt.
        checkup: the data doctor's.
        rivals: fitted on the same sentences, by kind.
    """

    model: TagNetworks
    forms: WordForms
    classes: tuple[str, ...]
    scheme: str | None
    column: str | int | None
    checkup: Checkup
    rivals: Rivals
    hidden_size: int
    embedding_size: int | None
    character_size: int
    members: int
    crf: bool
    word_dropout: float
    pretrained: Any
    _learnt_words: int
    _word_size: int
    _begun_from: str | None

    def predict(self, sentences: Any) -> list[Any]:
        """The likeliest tags.

        Args:
            sentences: lists of words, or `TaggedSentences`: for each a list of tags. Or a text,
                which is split into sentences and words: for each a list of `(word, tag)`.

        Raises:
            NotFittedError: `fit` comes first.
            ConfigError, DataError: these are no sentences.
        """
        self._check_fitted()
        words, text = self._words_of(sentences)
        places, _ = self._ask(words, shares=False)
        tags = [[self.classes[place] for place in row] for row in places]
        if not text:
            return tags
        return [list(zip(*both, strict=True)) for both in zip(words, tags, strict=True)]

    def predict_proba(self, sentences: Any) -> list[np.ndarray]:
        """The probability of each tag of each word, given the whole sentence.

        Args:
            sentences: as for `predict`.

        Returns:
            For each sentence of `n` words float32 `(n, C)`, in the order of `classes`.
        """
        self._check_fitted()
        words, _ = self._words_of(sentences)
        _, shares = self._ask(words)
        return [one if len(one) else np.empty((0, len(self.classes)), np.float32) for one in shares]

    def evaluate(self, data: Any = None, *, column: str | int | None = None) -> Evaluation:
        """Accuracy (of spans, where tags mark them, F1 first) beside the rivals', on new tagged
        sentences or (without) as `fit` measured.

        Args:
            data: as for `fit`.
            column: of the tags; None: the one that was learnt.

        Raises:
            NotFittedError: `fit` comes first.
            DataError: the data can't be read or have no tags.
        """
        if data is None:
            return self._own_evaluation()
        self._check_fitted()
        column_kind(column)
        learnt = self.column if not isinstance(data, TaggedSentences | tuple | list) else None
        read = read_tagged(data, column=learnt if column is None else column)
        part = Part.of(read)
        return self._evaluate(part, f"{part.count:,} words of {read.name}")

    def start(self) -> Arrays:
        """The state before a sentence: plain arrays, to be handed to `step`.

        Raises:
            ConfigError: a model of two directions.
        """
        self._check_streams()
        return first_state(self.model, self._cells)

    def step(self, word: str, state: Arrays | None = None) -> tuple[np.ndarray, Arrays]:
        """Read one word.

        Args:
            word: the word.
            state: what `start` or an earlier `step` gave; stays as it is. None: a new sentence.

        Returns:
            The probability of each tag given the words so far, float32 `(C,)` in the order of
            `classes`, and the new state.

        Raises:
            ConfigError: a model of two directions, or a state that is none.
        """
        self._check_streams()
        if not isinstance(word, str) or not word:
            raise ConfigError(f"step: got {word!r}, expected a word")
        state = self.start() if state is None else state
        state = checked(state, self.model, len(self.classes), self._cells)
        row = torch.from_numpy(self.forms.rows([word])).to(like(self.model).device)
        return read_word(self.model, row, state, self._rules)

    def _ask(
        self, words: Sequence[Sequence[str]], *, shares: bool = True
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        with torch.no_grad():
            return ask(self.model, Sentences.of(words, self.forms), self._rules, shares=shares)

    def _evaluate(self, part: Part, told: str) -> Evaluation:
        places, shares = self._ask(part.words)
        said = [[self.classes[place] for place in row] for row in places]
        rivals = {
            name_of(rival, self._learnt_words): rival.predict(part.words)
            for rival in self.rivals.values()
        }
        known = [np.array([self.forms.learnt(word) for word in row]) for row in part.words]
        evaluation = evaluation_of(part, said, rivals, known, self.scheme, told)
        return replace(evaluation, labels=label_scores(part, said, places, shares, self.classes))

    def _words_of(self, sentences: Any) -> tuple[Sequence[Sequence[str]], bool]:
        """The words of each sentence, and whether they came as a text."""
        if isinstance(sentences, str):
            return sentences_of(sentences), True
        if isinstance(sentences, TaggedSentences):
            return sentences.words, False
        if isinstance(sentences, os.PathLike):
            return read_tagged(sentences).words, False
        try:
            rows = list(sentences)
        except TypeError:
            rows = None
        if rows is None or any(isinstance(row, str) for row in rows):
            raise ConfigError(
                f"sentences: got {type(sentences).__name__}"
                f"{' of texts' if rows else ''}, expected lists of words, [['The', 'cat'], ...], or"
                " one text"
            )
        words = [list(row) for row in rows]
        for at, row in enumerate(words):
            if not all(isinstance(word, str) and word for word in row):
                raise DataError(
                    f"sentence {at} (counted from 0) holds words that are empty or no text"
                )
        return words, False

    @property
    def _rules(self) -> Potentials:
        return rules_of(self.classes, self.scheme)

    @property
    def _cells(self) -> int:
        """How many arrays a layer's state has."""
        return 2 if self.cell == "lstm" else 1

    def _check_streams(self) -> None:
        self._check_fitted()
        if self.directions != 1:
            raise ConfigError(
                "step: this Tagger reads in two directions, and the reverse one needs the end of"
                " the sentence; fit one with directions=1"
            )

    def _build(self) -> TagNetworks:
        words, shapes, ends, characters = self.forms.sizes
        sizes = Sizes(
            words,
            shapes,
            ends,
            characters,
            embedding=self._word_size,
            character=self.character_size,
            hidden=self.hidden_size,
            layers=self.layers,
            directions=self.directions,
            tags=len(self.classes),
        )

        def make(size: int, hidden: int, layers: int, directions: int) -> nn.RNNBase:
            made: nn.RNNBase = CELLS[self.cell](size, hidden, layers, bidirectional=directions == 2)
            return made

        # The unknown word is never replaced by itself.
        counts = torch.tensor([torch.inf, *self.forms.counts])
        return TagNetworks(
            [
                TagNetwork(
                    sizes,
                    make,
                    counts,
                    dropout=self.dropout,
                    word_dropout=self.word_dropout,
                    crf=self.crf,
                )
                for _ in range(self.members)
            ]
        )

    def _card(self) -> Card:
        card = super()._card()
        plain = {**card.configuration, "pretrained": name_to_keep(self.pretrained)}
        return card.model_copy(update={"configuration": plain})

    def _assets(self) -> dict[str, Any]:
        return {
            "classes": list(self.classes),
            "scheme": self.scheme,
            "column": self.column,
            "forms": self.forms.to_assets(),
            "learnt_words": self._learnt_words,
            "checkup": self.checkup.to_dict(),
            "word_size": self._word_size,
            "begun_from": self._begun_from,
        }

    def _restore_assets(self, assets: dict[str, Any]) -> None:
        self.classes = tuple(assets["classes"])
        self.scheme, self.column = assets["scheme"], assets["column"]
        self.forms = WordForms.from_assets(assets["forms"])
        self._learnt_words = assets["learnt_words"]
        self.checkup = Checkup.from_dict(assets["checkup"])
        # Files from before `pretrained=` always say the size in their configuration.
        size: Any = assets.get("word_size", self.embedding_size)
        self._word_size = size
        self._begun_from = assets.get("begun_from")

    def _baseline_arrays(self) -> dict[str, np.ndarray]:
        return together({kind: rival.to_arrays() for kind, rival in self.rivals.items()})

    def _restore_baseline(self, arrays: dict[str, np.ndarray]) -> None:
        self.rivals = rivals_from(arrays)
