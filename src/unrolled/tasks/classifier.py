"""`Classifier`: learns labels of texts, answers after every word, and says which words count."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from unrolled.data.tokens import make_tokenizer
from unrolled.errors import ConfigError
from unrolled.tasks.classifying import encoding
from unrolled.tasks.classifying.answering import Answering
from unrolled.tasks.classifying.arguments import check_arguments
from unrolled.tasks.classifying.asking import network_logits
from unrolled.tasks.classifying.building import build
from unrolled.tasks.classifying.gate import fit_rivals
from unrolled.tasks.classifying.lessons import Lessons
from unrolled.tasks.classifying.network import TextClassifier
from unrolled.tasks.classifying.pretraining import check_like, copy_encoder, paces
from unrolled.tasks.classifying.reading import Course, make_course
from unrolled.tasks.classifying.schooling import (
    label_loss,
    learn_linear,
    learn_mix,
    validator,
)
from unrolled.tasks.classifying.settings import BATCH_TOKENS, settle
from unrolled.tasks.classifying.telling import examined
from unrolled.tasks.classifying.vectors import open_vectors, start_from
from unrolled.tasks.pretrained import digest_of, open_pretrained, tokens_of
from unrolled.tasks.schooling import Schooling
from unrolled.tasks.telling import tell_of, with_notes
from unrolled.training.budget import Budget
from unrolled.training.loop import Trainer
from unrolled.training.optimizer import Recipe
from unrolled.training.run import Run

if TYPE_CHECKING:
    from unrolled.tasks.generator import Generator


class Classifier(Answering):
    """Labels of texts: sentiment, topic, language, one or several of any labels.

        network = head([mean_t y_t, max_t y_t, y_n]),   y_1 .. y_n = layers(embedding[x_1 .. x_n])
        linear  = b + sum over the n-grams of the text of W[n-gram]
        p       = softmax(a network + c linear)          (several labels a text: a sigmoid each)

    A recurrent network reads the words in their order; beside it a linear path sees which words
    and pairs of words occur. Each is good at what the other is not. How far each is trusted (a, c:
    also the temperature that makes the probabilities honest) is learnt on texts that neither has
    seen. A document may be of any length: it is read in chunks, in bounded memory.

    Args:
        tokenizer: "words", "characters" or "subwords"; None: words, or as `pretrained` reads.
        vocabulary_size: most different tokens.
        cell: "lstm", "gru" or "rnn".
        hidden_size, layers: of the network; None: by the texts, as for the arguments below.
        directions: 2 reads backward too, chunk by chunk; then there is no `step`.
        embedding_size: size of the vector that stands for a token.
        lower: words only: read upper case as lower case.
        pretrained: a fitted `Generator` or the path of its file: its tokenizer and its encoder are
            what the network starts from.
        vectors: path of word vectors in text form (GloVe, word2vec): what the known words start
            from.
        linear: whether there is a linear path.
        ngrams: tokens in its longest n-gram.
        class_weight: None, "balanced", or a number for each label: how much its texts count.
        dropout: share of the pooled states that is dropped in training.
        input_dropout: of what each layer reads, one mask for all steps.
        weight_dropout: of the recurrent weights.
        embedding_dropout: of the words, each in all its places.
        output_dropout: of the units that are pooled, the same at every step.
        head_size: units of a layer between the pooled states and the scores; 0: none.
        prefix: how much the answer at a drawn place of each text counts in training beside that at
            its end, so that the running answer is taught too; 0: not at all.
        batch_size: most texts in a batch.
        train_tokens: of a longer text only so many are trained on, from its beginning and its end
            (answers read all of it); None: all.
        chunk: tokens that are read at once.
        learning_rate: the peak of the schedule, at the top of the network.
        weight_decay: of AdamW.
        rate_decay: each layer learns so many times as slowly as the one above it.
        unfreeze: share of the run after which the next layer below begins to learn; 0: all learn
            from the beginning.
        average: memory of the moving average of the weights that is kept; 0: none.
        patience: validations without a better score before the run ends early; None: never.
        seed: of the split, the weights, the order and the dropout.
        device: "auto", "cpu" or "cuda".
        precision: "fp32" or "bf16".
        warm_start: let `fit` go on from the weights, the tokens and the labels that are there.

    After `fit`: `model` (the network), `labels`, `vocabulary` (the tokenizer), `settings` (what
    None came to), `linear_path`, `mix` (a and c), `checkup` (the data doctor's), `rivals`,
    `evaluation` (on the held-out texts, each part alone too) and `outcome`.

    Sources: Howard & Ruder 2018, arXiv 1801.06146 (pooling, pre-training); Wang & Manning 2012 (the
    linear path).

    Example:
        >>> judge = Classifier().fit("reviews.csv", budget="5m")            # doctest: +SKIP
        >>> judge.predict("not a bad film at all")                          # doctest: +SKIP
        >>> print(judge.explain("not a bad film at all"))                   # doctest: +SKIP
    """

    def __init__(
        self,
        tokenizer: str | None = None,
        vocabulary_size: int | None = None,
        cell: str = "lstm",
        hidden_size: int | None = None,
        layers: int | None = None,
        directions: int = 1,
        *,
        embedding_size: int | None = None,
        lower: bool | None = None,
        pretrained: Generator | str | os.PathLike[str] | None = None,
        vectors: str | os.PathLike[str] | None = None,
        linear: bool = True,
        ngrams: int | None = None,
        class_weight: str | Mapping[str, float] | None = None,
        dropout: float | None = None,
        input_dropout: float | None = None,
        weight_dropout: float | None = None,
        embedding_dropout: float | None = None,
        output_dropout: float | None = None,
        head_size: int | None = None,
        prefix: float | None = None,
        batch_size: int | None = None,
        train_tokens: int | None = None,
        chunk: int | None = None,
        learning_rate: float | None = None,
        weight_decay: float | None = None,
        rate_decay: float | None = None,
        unfreeze: float | None = None,
        average: float | None = None,
        patience: int | None = None,
        seed: int = 0,
        device: str = "auto",
        precision: str = "fp32",
        warm_start: bool = False,
    ) -> None:
        self.tokenizer = tokenizer
        self.vocabulary_size = vocabulary_size
        self.cell = cell
        self.hidden_size = hidden_size
        self.layers = layers  # type: ignore[assignment]
        self.directions = directions
        self.embedding_size = embedding_size
        self.lower = lower
        self.pretrained = pretrained
        self.vectors = vectors
        self.linear = linear
        self.ngrams = ngrams
        self.class_weight = class_weight
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.weight_dropout = weight_dropout
        self.embedding_dropout = embedding_dropout
        self.output_dropout = output_dropout
        self.head_size = head_size
        self.prefix = prefix
        self.batch_size = batch_size
        self.train_tokens = train_tokens
        self.chunk = chunk
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.rate_decay = rate_decay
        self.unfreeze = unfreeze
        self.average = average
        self.patience = patience
        self.seed = seed
        self.device = device
        self.precision = precision
        self.warm_start = warm_start

    def fit(
        self,
        data: Any,
        *,
        test: Any = None,
        holdout: float = 0.1,
        validation: Any = 0.1,
        text_column: str | None = None,
        label_column: str | None = None,
        several: bool | None = None,
        budget: str | int | Budget = "5m",
        run_dir: str | os.PathLike[str] | None = None,
        resume: bool = False,
        progress: bool = True,
        diagnose: bool = True,
        tell: Callable[[str], object] | None = None,
    ) -> Self:
        """Learn from labelled texts.

        Args:
            data: what `read_labelled` takes: a CSV, TSV or JSONL file, a folder with a folder for
                each label, a frame, or `(texts, labels)`.
            test: the same for the texts that the evaluation is measured on; None: `holdout`.
            holdout: share of each label's texts that is kept for the evaluation (equal texts stay
                on one side).
            validation: share of the others by which the best weights are chosen, and how far
                network and linear path are trusted; 0: the last weights, and equal trust. It is
                drawn as `holdout` is; with `test` it is texts that stand together, since those of
                another file have less in common with what is learnt. Or a file like `data`.
            text_column, label_column: names of the columns; guessed, and told, where they are None.
            several: whether a text can have several labels; None: as the data looks.
            budget: time or steps of training, such as "10m" or "500 steps". (The linear path and
                the rivals are fitted before, in seconds to a minute.)
            run_dir: folder for the log and the checkpoint.
            resume: go on from the checkpoint in `run_dir`.
            progress: show a bar, where standard error is a terminal.
            diagnose: look through the network at intervals, and warn where it can't learn, with
                the remedy; what is learnt does not depend on it.
            tell: gets text whenever there is something to say, before the training all that the
                data doctor found. None: what may spoil what is learnt is warned of; the rest is in
                `checkup`.

        Raises:
            DataError: the data can't be read, or there are too few texts or labels.
            ConfigError: an argument or option that can't work.
            ModelFileError: the file of `pretrained` can't be read or holds another task.
            TrainingDiverged: the loss stopped being a number.

        Warns:
            DataWarning: what the data doctor found that may spoil what is learnt.
            NetworkLoses: a simple rival is better on the held-out texts.
        """
        check_arguments(self)
        if self._goes_on():
            self._check_same_tokens()
            several = self.labels.several if several is None else several
        budget = Budget.parse(budget)
        generator = self._open_pretrained()
        columns = {"text_column": text_column, "label_column": label_column, "several": several}
        course = make_course(
            data, test=test, holdout=holdout, validation=validation, seed=self.seed, columns=columns
        )
        if self._goes_on():
            if several != self.labels.several:
                raise ConfigError(
                    f"warm_start: several={several}, and the model that is there learnt"
                    f" several={self.labels.several}; use the same, or warm_start=False"
                )
            self.labels.targets(course.learnt.labels + course.chosen_by.labels)
        run = Run(run_dir, resume=resume)

        def prepare() -> Schooling:
            self._settle(course, generator, holdout)
            tell_of(self.checkup, tell)
            return self._schooling(course, generator, budget, run, (progress, diagnose))

        self._learn(prepare, lambda: self._evaluate(course.test, course.held_out))
        return self

    def _open_pretrained(self) -> Generator | None:
        if self.pretrained is None or self._goes_on():
            return None
        generator, name = open_pretrained(self.pretrained)
        names = ("tokenizer", "vocabulary_size", "lower", "cell", "directions", "hidden_size")
        wanted = {one: getattr(self, one) for one in (*names, "layers", "embedding_size")}
        self._found = check_like(generator, name, wanted)
        return generator

    def _check_same_tokens(self) -> None:
        """A warm start reads as before: its words have their vectors."""
        for name in ("tokenizer", "lower", "vocabulary_size"):
            asked, own = getattr(self, name), getattr(self.settings, name)
            if asked not in (None, own):
                raise ConfigError(
                    f"warm_start: got {name}={asked!r}, the model that is there has {own!r}; use"
                    " the same, or warm_start=False to begin anew"
                )

    def _settle(self, course: Course, generator: Generator | None, holdout: float) -> None:
        """What the texts decide: labels, tokens, and what the arguments left open."""
        self._describe_course(course, holdout)
        self.checkup = examined(course)
        given = {name: getattr(self, name) for name in self._settled_names()}
        if self._goes_on():
            asked = {name: value for name, value in given.items() if value is not None}
            self.settings = replace(self.settings, **asked)
            return
        self._begun_from = None if generator is None else digest_of(generator)
        self.labels = course.labels
        if generator is not None:
            given |= {name: self._found[name] for name in self._found if name in given}
        texts = course.learnt.texts
        characters, starts = sum(map(len, texts)), generator is not None
        own = settle(given, characters=characters, texts=len(texts), starts=starts)
        if generator is not None:
            self.vocabulary = tokens_of(generator)
        else:
            self.vocabulary = make_tokenizer(
                own.tokenizer, texts, vocabulary_size=own.vocabulary_size, lower=own.lower
            )
        if self.vectors is not None:
            self._vectors = open_vectors(self.vectors, self.vocabulary)
            if self.embedding_size not in (None, self._vectors.size):
                raise ConfigError(
                    f"embedding_size: got {self.embedding_size}, and the vectors have"
                    f" {self._vectors.size} numbers; leave embedding_size out"
                )
            own = replace(own, embedding_size=self._vectors.size)
        self.settings = own

    def _schooling(
        self,
        course: Course,
        generator: Generator | None,
        budget: Budget,
        run: Run,
        shown: tuple[bool, bool],
    ) -> Schooling:
        """Linear path, rivals and network, and what trains the network."""
        own, labels = self.settings, self.labels
        learnt = encoding.documents(self.vocabulary, course.learnt.texts)
        chosen_by = encoding.documents(self.vocabulary, course.chosen_by.texts)
        targets = labels.targets(course.learnt.labels)
        chosen = labels.targets(course.chosen_by.labels)
        weights = labels.weights(self.class_weight, targets)
        self.linear_path, held = None, None
        if self.linear:
            self.linear_path, held = learn_linear(
                learnt,
                targets,
                chosen_by,
                chosen,
                weights,
                tokens=len(self.vocabulary),
                order=own.ngrams,
            )
        self.mix = learn_mix(np.empty((0, len(labels))), held, chosen[:0], weights)
        both = course.learnt + course.chosen_by
        self.rivals = fit_rivals(both, own.tokenizer, labels.several, self.seed)
        network = cast(TextClassifier, self._first_network())
        if not self._goes_on():
            if generator is not None:
                copy_encoder(generator, network)
            elif self.vectors is not None:
                told = start_from(network, self.vocabulary, self._vectors)
                self.checkup = with_notes(self.checkup, [told], "vectors")
        self.model = network
        unit = "nats per decision" if labels.several else "nats per text"
        trainer = Trainer(
            network,
            Lessons(
                [encoding.cropped(one, own.train_tokens) for one in learnt],
                targets,
                batch_size=own.batch_size,
                tokens=BATCH_TOKENS,
                seed=self.seed,
            ),
            label_loss(weights, several=labels.several, prefix=own.prefix),
            validator(network, chosen_by, chosen, weights) if len(chosen_by) else None,
            budget,
            self._card(),
            self._baseline_tensors(),
            self._recipe(),
            run,
            title="classifier",
            unit="tokens",
            loss_unit=unit,
            score_unit=unit,
            device=self.device,
            precision=self.precision,
            progress=shown[0],
            diagnose=shown[1],
        )

        def afterwards() -> None:
            heard = network_logits(network, chosen_by) if len(chosen_by) else np.empty(0)
            self.mix = learn_mix(heard, held, chosen, weights)

        return Schooling(trainer, afterwards)

    def _recipe(self) -> Recipe:
        own = self.settings
        return Recipe(
            learning_rate=own.learning_rate,
            weight_decay=own.weight_decay,
            average=own.average,
            patience=own.patience,
            paces=paces(own.layers, own.rate_decay, own.unfreeze),
        )

    def _build(self) -> TextClassifier:
        return build(
            self.settings, self.cell, self.directions, len(self.vocabulary), len(self.labels)
        )
