"""What a fitted `Classifier` answers: labels, probabilities, word by word, and why."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.baselines.owners import arrays_of, together
from unrolled.baselines.tfidf import TfidfLogistic
from unrolled.data.doctor_checkup import Checkup
from unrolled.data.labelled import LabelledTexts
from unrolled.data.tokens import Tokenizer, tokenizer_from_assets
from unrolled.errors import ConfigError
from unrolled.tasks.arrays import Arrays
from unrolled.tasks.base import Task
from unrolled.tasks.classifying import encoding, gate, running
from unrolled.tasks.classifying.asking import network_logits
from unrolled.tasks.classifying.explaining import Explanation, explain
from unrolled.tasks.classifying.labels import Labels
from unrolled.tasks.classifying.linear_path import LinearPath
from unrolled.tasks.classifying.mixing import Mix
from unrolled.tasks.classifying.network import TextClassifier
from unrolled.tasks.classifying.reading import (
    Course,
    Part,
    columns_of,
    labelled,
    part_of,
    read_again,
)
from unrolled.tasks.classifying.settings import Settings
from unrolled.tasks.evaluation import ALONE, Evaluation
from unrolled.tasks.pretrained import name_to_keep
from unrolled.training.modelfile import Card

Probabilities = dict[str, float]


class Answering(Task):
    """The half of a `Classifier` that comes after `fit`."""

    model: TextClassifier
    vocabulary: Tokenizer
    labels: Labels
    settings: Settings
    linear_path: LinearPath | None
    mix: Mix
    checkup: Checkup
    rivals: dict[str, TfidfLogistic]
    columns: dict[str, Any]

    def predict(self, texts: Any) -> Any:
        """The label of a text, or of each; where a text can have several, a tuple of those whose
        probability is one half or more.

        Args:
            texts: a text, a list of them, or a file or frame that `fit` could read (a
                `pathlib.Path`; a plain string is a text).
        """
        alone, several = self._texts_of(texts)
        chosen = self.labels.chosen(self.labels.probabilities(self._logits(several)))
        return chosen[0] if alone else chosen

    def predict_proba(self, texts: Any) -> np.ndarray:
        """Probabilities of the labels in the order of `labels.names`: `(C,)` of a text, `(N, C)` of
        several; float64. They add up to one, unless a text can have several labels."""
        alone, several = self._texts_of(texts)
        found = self.labels.probabilities(self._logits(several))
        return found[0] if alone else found

    def evaluate(self, data: Any = None, **columns: Any) -> Evaluation:
        """Accuracy and more beside the rivals', on new labelled texts or (without) as `fit`
        measured.

        Args:
            data: what `fit` takes.
            columns: `text_column`, `label_column`, as for `fit`; without them a table is read as
                the one of the training.

        Raises:
            NotFittedError: `fit` comes first.
            DataError: the texts can't be read, or have a label that was not learnt.
        """
        if data is None:
            return self._own_evaluation()
        self._check_fitted()
        asked = {"several": self.labels.several, **columns}
        if not columns:
            data = read_again(data, self.columns, several=self.labels.several)
        given = labelled(data, **asked)
        self.labels.targets(part_of(given).labels, given.name)  # told before the work
        return self._evaluate(part_of(given), f"{len(given):,} texts of {given.name}")

    def start(self, text: str = "") -> Arrays:
        """The state after reading a text (without one, before the first word): plain arrays, to be
        handed to `step`.

        Raises:
            NotFittedError: `fit` comes first.
            ConfigError: the model reads in both directions.
        """
        self._check_fitted()
        if self.directions != 1:
            raise ConfigError(
                f"directions: got {self.directions}, expected 1: an answer after every word needs a"
                " Classifier that reads forward only; fit one with directions=1"
            )
        first = running.begin(self.linear_path)
        read = encoding.document(self.vocabulary, text)
        return running.read_on(self.model, self.linear_path, read, first)

    def step(self, text: str, state: Arrays | None = None) -> tuple[Probabilities, Arrays]:
        """Read a word (or any piece of text) and answer.

        After the pieces `a`, `b` the answer is that of `predict_proba` for the text of both: for
        words `"a b"`, since spaces between words are implied; for characters and subwords `"ab"`,
        so give the space as part of the next piece. (Subwords: cut before spaces.)

        Args:
            text: what comes next.
            state: what `start` or an earlier `step` gave; stays as it is. None: the beginning.

        Returns:
            The probability of each label by its name, and the new state: plain arrays, whose size
            does not grow with the text.
        """
        if not isinstance(text, str):
            raise ConfigError(
                f"step: got {type(text).__name__}, expected a word or a piece of text"
            )
        before = self.start() if state is None else state
        self._check_fitted()
        read = self.vocabulary.encode(text)
        after = running.read_on(self.model, self.linear_path, read, before)
        closing = encoding.opening(self.vocabulary)
        found = self.labels.probabilities(
            running.answer(self.model, self.linear_path, self.mix, closing, after)
        )
        return dict(zip(self.labels.names, map(float, found), strict=True)), after

    def running(self, text: str) -> Iterator[tuple[str, Probabilities]]:
        """The answer after every word of a text (with the marks that stand at it).

        Yields:
            the word, and the probability of each label by its name.

        Raises:
            ConfigError: the model reads in both directions.
        """
        state = self.start()
        for piece in re.findall(r"\s*\S+(?:\s+\Z)?", text):
            found, state = self.step(piece, state)
            yield piece.strip(), found

    def explain(self, text: str, label: str | None = None) -> Explanation:
        """Which words of a text speak for a label, and which against it.

        Args:
            text: one text.
            label: a label; None: the one with the highest probability.

        Returns:
            A number for each word. They add up to what the text changes in the label's score; the
            error that remains is told.

        Source: integrated gradients, Sundararajan et al. 2017, arXiv 1703.01365.
        """
        self._check_fitted()
        if not isinstance(text, str):
            raise ConfigError(f"explain: got {type(text).__name__}, expected one text")
        probabilities = self.predict_proba(text)
        place = int(probabilities.argmax()) if label is None else self.labels.number(label)
        return explain(
            self.model,
            self.linear_path,
            self.mix,
            self.vocabulary,
            text,
            label=place,
            names=self.labels.names,
            several=self.labels.several,
            probability=float(probabilities[place]),
        )

    def texts_of(self, data: Any) -> Sequence[str]:
        """The texts of what `predict` takes: every row of a table, in its order."""
        return self._texts_of(Path(data) if isinstance(data, str) else data)[1]

    def _texts_of(self, texts: Any) -> tuple[bool, Sequence[str]]:
        """Whether it is one text, and the texts."""
        self._check_fitted()
        if isinstance(texts, str):
            return True, [texts]
        if isinstance(texts, LabelledTexts):
            return False, texts.texts
        if isinstance(texts, list | tuple) and all(isinstance(one, str) for one in texts):
            return False, texts
        text_column = {k: v for k, v in self.columns.items() if k == "text_column"}
        return False, read_again(texts, text_column, labels=False).texts

    def _parts(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray | None]:
        """The logits `(N, C)` of the network and of the linear path."""
        read = encoding.documents(self.vocabulary, texts)
        linear = None if self.linear_path is None else self.linear_path.logits(read)
        return network_logits(self.model, read), linear

    def _logits(self, texts: Sequence[str]) -> np.ndarray:
        return self.mix(*self._parts(texts))

    def _evaluate(self, tested: Part, held_out: str) -> Evaluation:
        labels = self.labels
        network, linear = self._parts(tested.texts)
        alone = {}
        if linear is not None:
            alone[ALONE] = labels.probabilities(self.mix.network_alone * network)
            alone["linear path alone"] = labels.probabilities(self.mix.linear_alone * linear)
        rivals = {
            gate.rival_name(rival, self._learnt_texts): gate.answers_of(rival, tested.texts, labels)
            for rival in self.rivals.values()
        }
        whole = labels.probabilities(self.mix(network, linear))
        targets = labels.targets(tested.labels)
        return gate.evaluation_of(whole, alone, rivals, targets, labels, held_out)

    def _describe_course(self, course: Course, holdout: float) -> None:
        self._describe_origin(course.name, course.digest.encode(), holdout)
        self._learnt_texts = len(course.learnt) + len(course.chosen_by)
        self.columns = columns_of(course.given)

    def _settled_names(self) -> tuple[str, ...]:
        """The arguments that may be None and are settled by `fit`."""
        return tuple(field.name for field in fields(Settings))

    def _card(self) -> Card:
        card = super()._card()
        plain = {**card.configuration}
        plain |= {name: name_to_keep(plain[name]) for name in ("pretrained", "vectors")}
        if isinstance(plain["class_weight"], Mapping):
            plain["class_weight"] = dict(plain["class_weight"])
        return card.model_copy(update={"configuration": plain})

    def _assets(self) -> dict[str, Any]:
        return {
            "labels": list(self.labels.names),
            "several": self.labels.several,
            "vocabulary": self.vocabulary.to_assets(),
            "settings": self.settings.to_dict(),
            "mix": asdict(self.mix),
            "checkup": self.checkup.to_dict(),
            "texts": self._learnt_texts,
            "begun_from": self._begun_from,
            "columns": self.columns,
        }

    def _restore_assets(self, assets: dict[str, Any]) -> None:
        self.labels = Labels(tuple(assets["labels"]), assets["several"])
        self.vocabulary = tokenizer_from_assets(assets["vocabulary"])
        self.settings = Settings(**assets["settings"])
        self.mix = Mix(**assets["mix"])
        self.checkup = Checkup.from_dict(assets["checkup"])
        self._learnt_texts = assets["texts"]
        self._begun_from = assets["begun_from"]
        self.columns = dict(assets.get("columns", {}))

    def _baseline_arrays(self) -> dict[str, np.ndarray]:
        kept = {kind: rival.to_arrays() for kind, rival in self.rivals.items()}
        if self.linear_path is not None:
            kept["linear"] = self.linear_path.to_arrays()
        return together(kept)

    def _restore_baseline(self, arrays: dict[str, np.ndarray]) -> None:
        kept = {kind: arrays_of(kind, arrays) for kind in gate.WEIGHTINGS}
        self.rivals = {kind: TfidfLogistic.from_arrays(own) for kind, own in kept.items() if own}
        its = arrays_of("linear", arrays)
        self.linear_path = LinearPath.from_arrays(its) if its else None
