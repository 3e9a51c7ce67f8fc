"""`Tagger`: learns a tag for every word: parts of speech, names, any label a token."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self, cast

from unrolled.errors import ConfigError
from unrolled.tasks.base import check_rate, is_number, whole_number
from unrolled.tasks.evaluation import Evaluation
from unrolled.tasks.pretrained import check_equal, open_pretrained
from unrolled.tasks.tagging.answering import Answering
from unrolled.tasks.tagging.gate import fit_rivals
from unrolled.tasks.tagging.lessons import Sentences, TaggedBatches, numbers_of, validator
from unrolled.tasks.tagging.network import TagNetworks
from unrolled.tasks.tagging.parts import Split, check_tags, column_kind, read_split
from unrolled.tasks.tagging.pretraining import LentWords
from unrolled.tasks.tagging.word_forms import WordForms
from unrolled.tasks.telling import tell_of, with_notes
from unrolled.training.budget import Budget
from unrolled.training.loop import Trainer
from unrolled.training.optimizer import Recipe
from unrolled.training.run import Run

if TYPE_CHECKING:
    from unrolled.tasks.generator import Generator

# Numbers of a word's vector where nothing says otherwise.
_WORD_SIZE = 100


class Tagger(Answering):
    """A tag for every word of a sentence.

        x_t = [word vector, last states of layers over its characters, its ends, its shape]
        h = layers(x_1 .. x_n), in both directions;   e_t = W h_t + b
        p(y | x) ~ exp(start[y_1] + sum_t e_t[y_t] + sum_t A[y_{t-1}, y_t] + end[y_n])

    Several members, trained side by side, answer as one: the mean of their scores.

    Args:
        cell: "lstm", "gru" or "rnn".
        hidden_size: units of each layer, in each direction.
        layers: recurrent layers, one on the other.
        directions: 2 reads the sentence both ways; 1 reads forward only and can stream (`step`).
        embedding_size: size of a word's own vector; None: that of `pretrained`, else 100.
        character_size: units of the layers that read a word's characters; 0: no such layers.
        pretrained: a fitted `Generator` with tokenizer "words" or the path of its file: the words
            that it knows begin with its vectors, those too that no sentence holds.
        members: networks whose mean answers; each costs as much as the first.
        crf: whether the tags of neighbours have a say in each other.
        dropout: share of what the layers read and give that is dropped in training, the same at
            all words of a sentence.
        word_dropout: a word seen `c` times is read as an unknown one with probability
            `word_dropout / (word_dropout + c)` in training.
        batch_size: sentences in a batch.
        learning_rate: the peak of the schedule.
        average: memory of the moving average of the weights that is kept; 0: none.
        seed: of the weights, the order of the sentences and the dropout.
        device: "auto", "cpu" or "cuda".
        precision: "fp32" or "bf16".
        warm_start: let `fit` go on from the weights, the words and the tags that are there.

    After `fit`: `model` (the networks), `classes` (the tags, in the order of `predict_proba`),
    `scheme` ("BIO", "BIOES", "IOB1", or None where each tag stands for its word alone), `forms`
    (what is known of words), `checkup` (the data doctor's), `rivals`, `evaluation` and `outcome`.

    Where tags mark spans, only sequences of tags that the scheme allows are answered.

    Sources: Lample et al. 2016, arXiv 1603.01360; Ma and Hovy 2016, arXiv 1603.01354.

    Example:
        >>> tagger = Tagger().fit("train.conllu", budget="5m")         # doctest: +SKIP
        >>> tagger.predict([["The", "cat", "sleeps", "."]])            # doctest: +SKIP
        [['DET', 'NOUN', 'VERB', 'PUNCT']]
    """

    def __init__(
        self,
        cell: str = "lstm",
        hidden_size: int = 200,
        layers: int = 2,
        directions: int = 2,
        *,
        embedding_size: int | None = None,
        character_size: int = 48,
        pretrained: Generator | str | os.PathLike[str] | None = None,
        members: int = 1,
        crf: bool = True,
        dropout: float = 0.33,
        word_dropout: float = 0.25,
        batch_size: int = 32,
        learning_rate: float = 2e-3,
        average: float = 0.995,
        seed: int = 0,
        device: str = "auto",
        precision: str = "fp32",
        warm_start: bool = False,
    ) -> None:
        self.cell = cell
        self.hidden_size = hidden_size
        self.layers = layers
        self.directions = directions
        self.embedding_size = embedding_size
        self.character_size = character_size
        self.pretrained = pretrained
        self.members = members
        self.crf = crf
        self.dropout = dropout
        self.word_dropout = word_dropout
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.average = average
        self.seed = seed
        self.device = device
        self.precision = precision
        self.warm_start = warm_start

    def fit(
        self,
        data: Any,
        *,
        validation: Any = None,
        holdout: float = 0.1,
        test: Any = None,
        column: str | int | None = None,
        budget: str | int | Budget = "5m",
        run_dir: str | os.PathLike[str] | None = None,
        resume: bool = False,
        progress: bool = True,
        diagnose: bool = True,
        tell: Callable[[str], object] | None = None,
    ) -> Self:
        """Learn tagged sentences.

        Args:
            data: a CoNLL or CoNLL-U file, `(words, tags)`, or `TaggedSentences`.
            validation: what the best weights are chosen on: a share of the sentences, 0 for none
                (then the last weights count), or a file like `data`; None: a tenth.
            holdout: share of the sentences that is kept for the evaluation; 0: none.
            test: a file to evaluate on instead.
            column: of the tags, as in `read_tagged`; None: "upos" of CoNLL-U, else the last one.
            budget: time or steps of training, such as "10m" or "2000 steps".
            run_dir: folder for the log and the checkpoint.
            resume: go on from the checkpoint in `run_dir`.
            progress: show a bar, where standard error is a terminal.
            diagnose: look through the network at intervals, and warn where it can't learn, with
                the remedy; what is learnt does not depend on it.
            tell: gets text whenever there is something to say, before the training all that the
                data doctor found. None: what may spoil what is learnt is warned of, and the rest is
                in `checkup`.

        Raises:
            DataError: the data can't be read, have no tags or one only, or are too few.
            ConfigError: an argument or option that can't work.
            ModelFileError: the file of `pretrained` can't be read or holds another task.
            TrainingDiverged: the loss stopped being a number.

        Warns:
            DataWarning: what the data doctor found that may spoil what is learnt.
            NetworkLoses: a simple rival is better on the held-out part.
        """
        self._check_arguments()
        column_kind(column)
        budget = Budget.parse(budget)
        lent = self._borrow()
        split = read_split(data, validation, holdout, test, column)
        check_tags(split.learnt, split.name)
        if self._goes_on():
            self._check_same_tags(split)
        if lent is not None:
            notes = [lent.told(split.learnt.words)]
            split = replace(split, checkup=with_notes(split.checkup, notes, "vectors"))
        tell_of(split.checkup, tell)
        run = Run(run_dir, resume=resume)

        def prepare() -> Trainer:
            self._settle_word_size(lent)
            if not self._goes_on():
                self.forms = WordForms.learn(
                    split.learnt.words, () if lent is None else lent.vectors.words
                )
                self._begun_from = None if lent is None else lent.digest
                self.classes = tuple(sorted({one for tags in split.learnt.tags for one in tags}))
                self.scheme = split.scheme
            self.column = split.column
            self.checkup = split.checkup
            self.model = cast(TagNetworks, self._first_network())
            if lent is not None:
                lent.lend(self.model, self.forms.words)
            self._describe_origin(split.name, split.learnt.digest(), split.holdout)
            self.rivals = fit_rivals(split.learnt, self.seed)
            self._learnt_words = split.learnt.count
            return self._trainer(split, budget, run, progress, diagnose)

        def evaluate() -> Evaluation | None:
            return None if split.test is None else self._evaluate(split.test, split.told)

        self._learn(prepare, evaluate)
        return self

    def _borrow(self) -> LentWords | None:
        """What the words begin with; nothing where they have learnt already."""
        if self.pretrained is None or self._goes_on():
            return None
        generator, name = open_pretrained(self.pretrained)
        lent = LentWords.of(generator, name)
        check_equal(name, "embedding_size", lent.vectors.size, "Tagger", self.embedding_size)
        return lent

    def _settle_word_size(self, lent: LentWords | None) -> None:
        if self.embedding_size is not None:
            self._word_size = self.embedding_size
        elif not self._goes_on():
            self._word_size = _WORD_SIZE if lent is None else lent.vectors.size

    def _trainer(
        self, split: Split, budget: Budget, run: Run, progress: bool, diagnose: bool
    ) -> Trainer:
        validate = None
        if split.chosen_by is not None:
            validate = validator(
                self.model,
                split.chosen_by,
                Sentences.of(split.chosen_by.words, self.forms),
                self.classes,
                self._rules,
                self.scheme,
            )
        wrong = "share of words that are wrong" if self.scheme is None else "1 minus F1 of spans"
        return Trainer(
            self.model,
            TaggedBatches(
                Sentences.of(split.learnt.words, self.forms),
                numbers_of(split.learnt, self.classes),
                batch_size=self.batch_size,
                seed=self.seed,
            ),
            self.model.loss,
            validate,
            budget,
            self._card(),
            self._baseline_tensors(),
            Recipe(learning_rate=self.learning_rate, average=self.average),
            run,
            title="tagger",
            unit="words",
            loss_unit="nats per word",
            score_unit=wrong,
            device=self.device,
            precision=self.precision,
            progress=progress,
            diagnose=diagnose,
        )

    def _check_arguments(self) -> None:
        self._check_sizes("hidden_size", "members", "batch_size", optional=("embedding_size",))
        self.character_size = whole_number("character_size", self.character_size, least=0)
        if self.directions not in (1, 2):
            raise ConfigError(f"directions: got {self.directions!r}, expected 1 or 2")
        if not isinstance(self.crf, bool):
            raise ConfigError(f"crf: got {self.crf!r}, expected True or False")
        if not (is_number(self.word_dropout) and self.word_dropout >= 0):
            raise ConfigError(f"word_dropout: got {self.word_dropout!r}, expected 0 or more")
        check_rate("average", self.average)
        self.word_dropout, self.average = float(self.word_dropout), float(self.average)

    def _check_same_tags(self, split: Split) -> None:
        new = sorted({one for tags in split.learnt.tags for one in tags} - set(self.classes))
        if new:
            raise ConfigError(
                f"warm_start: got the tag {new[0]!r}, which the model that is there does not know;"
                " use warm_start=False to begin anew"
            )
