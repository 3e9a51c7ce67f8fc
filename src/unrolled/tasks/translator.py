"""`Translator`: learns pairs of sentences, then translates."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Self, cast

import numpy as np
import torch

from unrolled.errors import ConfigError
from unrolled.tasks.base import check_rate, is_number
from unrolled.tasks.evaluation import Evaluation
from unrolled.tasks.same_tokens import check_same_tokens
from unrolled.tasks.telling import tell_of
from unrolled.tasks.translating.batches import PairBatches
from unrolled.tasks.translating.direction import Direction
from unrolled.tasks.translating.encoding import PairTokens
from unrolled.tasks.translating.gate import fit_rivals
from unrolled.tasks.translating.lessons import validator
from unrolled.tasks.translating.networks import AnyTranslationNetwork
from unrolled.tasks.translating.parts import Split, read_split
from unrolled.tasks.translating.settings import ATTENTIONS, SIZES, settle
from unrolled.tasks.translating.tuning import Weights
from unrolled.tasks.translating.unknown_scripts import learnt_scripts
from unrolled.tasks.translating.with_language import WithLanguage
from unrolled.training.budget import Budget
from unrolled.training.devices import PRECISIONS, supports_bfloat16
from unrolled.training.loop import Trainer
from unrolled.training.optimizer import Recipe
from unrolled.training.run import Run


class Translator(WithLanguage):
    """From a sentence of one language to one of another; any text to any text, line by line.

        m_1 .. m_S = encoder(x_1 .. x_S), in both directions
        s_t = first(y_{t-1}, s_{t-1});     c_t = attention(s_t, m_1 .. m_S)
        u_t = upper([s_t, c_t], u_{t-1});  p(y_t | y_<t, x) = softmax(E tanh(W [u_t, c_t]) + b)

    Where an argument is None the number holds that is told with it below, whatever the data and the
    budget (`settings` has them after `fit`); with `warm_start` a size that is None stays as it is.

    Args:
        tokenizer: "subwords" (byte-pair encoding), "words" or "characters".
        vocabulary_size: the most tokens that are known, of each side where they share none. None:
            8,000 subwords, 30,000 words, all characters.
        cell: "gru", "lstm" or "rnn".
        hidden_size: units of each layer of the decoder; the encoder's directions share as many.
            None: 256.
        layers: of the decoder: the first reads tokens, those above it also what is attended to.
            None: 2.
        directions: of the encoder: 2 reads the sentence both ways.
        encoder_layers: recurrent layers of the encoder. None: 1.
        embedding_size: size of the vector that stands for a token. None: 256.
        attention: "multiplicative", "additive", or "none": all that is known of the sentence is
            then one vector.
        input_feeding: every step of the decoder also reads the answer before (Luong et al. 2015).
            Its steps can't run together then: training is slower.
        shared: both languages have one vocabulary.
        tie_weights: make the scores with the vectors that tokens are read with.
        members: networks whose mean answers, trained side by side; each costs as much as the first.
        dropout: share of what layers give that is dropped in training, locked: one mask for a
            sentence, the same at every step. None: 0.3.
        input_dropout: the same of the vectors that are read. None: 0.3.
        smoothing: share of every target that is spread over all tokens (label smoothing).
        batch_tokens: target tokens of a batch. None: 600.
        learning_rate: the peak of the schedule. None: 0.008.
        muon_rate: the peak for the recurrent matrices, which then take orthogonal steps (Muon); 0:
            they learn as all else does. None: 0.
        weight_decay: of the matrices. None: 0.01.
        average: memory of the moving average of the weights that is validated and kept; 0: none.
            None: 0.99.
        patience: validations without a better score before the run ends early; None: never.
        seed: of the weights, the order of the sentences and the dropout.
        device: "auto", "cpu" or "cuda".
        precision: of the training: "fp32"; "auto": the scores of all tokens are made in bf16 where
            the processor does that in hardware; "bf16": those likewise, and the encoder anywhere.
            The decoder's steps, and all answers, are in fp32.
        warm_start: let `fit` go on from the weights and the vocabulary that are there.

    After `fit`: `model` (the network), `tokens` (both tokenizers), `settings`, `checkup` (the data
    doctor's), `rivals`, `evaluation` (BLEU and chrF on the held-out part) and `outcome`.

    Example:
        >>> translator = Translator().fit("pairs.tsv", budget="15m")   # doctest: +SKIP
        >>> translator.predict(["Ein Mann fährt Rad."])               # doctest: +SKIP
        ['A man is riding a bike.']

    Sources: Bahdanau et al. 2015, arXiv 1409.0473; Luong et al. 2015, arXiv 1508.04025; Sennrich et
    al. 2016, arXiv 1508.07909 (subwords).
    """

    _precisions = (*PRECISIONS, "auto")

    def __init__(
        self,
        tokenizer: str = "subwords",
        vocabulary_size: int | None = None,
        cell: str = "gru",
        hidden_size: int | None = None,
        layers: int | None = None,
        directions: int = 2,
        *,
        encoder_layers: int | None = None,
        embedding_size: int | None = None,
        attention: str = "multiplicative",
        input_feeding: bool = False,
        shared: bool = True,
        tie_weights: bool = True,
        members: int = 1,
        dropout: float | None = None,
        input_dropout: float | None = None,
        smoothing: float = 0.1,
        batch_tokens: int | None = None,
        learning_rate: float | None = None,
        muon_rate: float | None = None,
        weight_decay: float | None = None,
        average: float | None = None,
        patience: int | None = None,
        seed: int = 0,
        device: str = "auto",
        precision: str = "auto",
        warm_start: bool = False,
    ) -> None:
        self.tokenizer = tokenizer
        self.vocabulary_size = vocabulary_size
        self.cell = cell
        self.hidden_size = hidden_size
        self.layers = layers  # type: ignore[assignment]
        self.directions = directions
        self.encoder_layers = encoder_layers
        self.embedding_size = embedding_size
        self.attention = attention
        self.input_feeding = input_feeding
        self.shared = shared
        self.tie_weights = tie_weights
        self.members = members
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.smoothing = smoothing
        self.batch_tokens = batch_tokens
        self.learning_rate = learning_rate
        self.muon_rate = muon_rate
        self.weight_decay = weight_decay
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
        validation: Any = None,
        holdout: float = 0.1,
        test: Any = None,
        source: str | int | None = None,
        target: str | int | None = None,
        budget: str | int | Budget = "15m",
        run_dir: str | os.PathLike[str] | None = None,
        resume: bool = False,
        progress: bool = True,
        diagnose: bool = True,
        tell: Callable[[str], object] | None = None,
    ) -> Self:
        """Learn pairs of sentences.

        Args:
            data: a table of two columns (TSV, CSV, Tatoeba's form), JSONL, two parallel files as
                `(source, target)`, a list of pairs, or `SentencePairs`.
            validation: what the best weights are chosen on, by BLEU: a share of the pairs, 0 for
                none (then the last weights count), or data like `data`; None: a tenth.
            holdout: share of the pairs that is kept for the evaluation; 0: none.
            test: pairs to evaluate on instead.
            source, target: columns of a table by name or number; None: the first two.
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
            DataError: the data can't be read or are too few.
            ConfigError: an argument or option that can't work.
            TrainingDiverged: the loss stopped being a number.

        Warns:
            DataWarning: what the data doctor found that may spoil what is learnt.
            NetworkLoses: a simple rival is better on the held-out part.
        """
        self._check_arguments()
        if self._goes_on():
            there = {"tokenizer": self.tokens.kind, "shared": self.tokens.shared}
            size = max(len(self.tokens.source), len(self.tokens.target))
            check_same_tokens(self, there, size)
        budget = Budget.parse(budget)
        split = read_split(data, validation, holdout, test, source, target)
        tell_of(split.checkup, tell)
        run = Run(run_dir, resume=resume)

        def prepare() -> Trainer:
            learnt = split.learnt
            if not self._goes_on():
                self.tokens = PairTokens.learn(
                    learnt.sources,
                    learnt.targets,
                    kind=self.tokenizer,
                    size=self.vocabulary_size,
                    shared=self.shared,
                )
            sources, targets = (
                self.tokens.sources(learnt.sources),
                self.tokens.targets(learnt.targets),
            )
            answered = np.concatenate([one[1:] for one in targets])
            self._settle()
            before = self._longest if self._goes_on() else 0
            self._longest = max(before, *map(len, sources))
            known = self._scripts if self._goes_on() else ()
            if known is not None:
                known = tuple(sorted({*known, *learnt_scripts(learnt.sources)}))
            self._scripts = known
            self.checkup = split.checkup
            self._direction = Direction.of(data, source, target, split.columns)
            begins = not self._goes_on()
            if begins:
                self.language_weights = Weights()
            self.model = cast(AnyTranslationNetwork, self._first_network())
            counts = np.bincount(answered, minlength=len(self.tokens.target))
            low = self.precision in ("auto", "bf16") and supports_bfloat16(self.device)
            for member in self.model.each:
                if begins:
                    member.begin_at(torch.from_numpy(counts))
                member.precision = "bf16" if low else "fp32"
            self._describe_origin(split.name, learnt.digest(), split.holdout)
            self.rivals = fit_rivals(learnt.sources, learnt.targets, self.seed)
            self._learnt_pairs = len(learnt)
            return self._trainer(split, sources, targets, budget, run, progress, diagnose)

        def evaluate() -> Evaluation | None:
            if split.test is None:
                return None
            return self._evaluate(split.test.sources, split.test.targets, split.told)

        self._learn(prepare, evaluate)
        return self

    def _settle(self) -> None:
        given = self.get_params()
        if self._goes_on():
            of_network = asdict(self.settings)
            given |= {name: of_network[name] for name in SIZES if given[name] is None}
        self.settings = settle(given)

    def _trainer(
        self,
        split: Split,
        sources: list[np.ndarray],
        targets: list[np.ndarray],
        budget: Budget,
        run: Run,
        progress: bool,
        diagnose: bool,
    ) -> Trainer:
        settings = self.settings
        validate = None
        if split.chosen_by is not None:
            sources_held, right = split.chosen_by.sources, split.chosen_by.targets
            validate = validator(self.model, self.tokens, sources_held, right, budget)
        return Trainer(
            self.model,
            PairBatches(sources, targets, tokens=settings.batch_tokens, seed=self.seed),
            self.model.loss,
            validate,
            budget,
            self._card(),
            self._baseline_tensors(),
            Recipe(
                learning_rate=settings.learning_rate,
                muon_rate=settings.muon_rate,
                weight_decay=settings.weight_decay,
                beta2=0.98,
                average=settings.average,
                validations=settings.validations,
                patience=self.patience,
            ),
            run,
            title="translator",
            unit="source tokens",
            loss_unit="nats per token, smoothed",
            score_unit="" if validate is None else validate.unit,
            device=self.device,
            precision="fp32" if self.precision == "auto" else self.precision,
            progress=progress,
            diagnose=diagnose,
        )

    def _check_arguments(self) -> None:
        sizes = ("hidden_size", "layers", "encoder_layers", "embedding_size", "batch_tokens")
        self._check_sizes("members", optional=(*sizes, "vocabulary_size", "patience"))
        if self.directions not in (1, 2):
            raise ConfigError(f"directions: got {self.directions!r}, expected 1 or 2")
        if self.hidden_size is not None and self.hidden_size % self.directions:
            raise ConfigError(
                f"hidden_size: got {self.hidden_size}, expected an even number: the two directions"
                " of the encoder share it"
            )
        if self.attention not in ATTENTIONS:
            expected = ", ".join(ATTENTIONS)
            raise ConfigError(f"attention: got {self.attention!r}, expected one of {expected}")
        for name in ("input_feeding", "shared", "tie_weights"):
            if not isinstance(getattr(self, name), bool):
                raise ConfigError(f"{name}: got {getattr(self, name)!r}, expected True or False")
        for name in ("input_dropout", "average"):
            if getattr(self, name) is not None:
                check_rate(name, getattr(self, name))
        check_rate("smoothing", self.smoothing)
        for name in ("muon_rate", "weight_decay"):
            value = getattr(self, name)
            if value is not None and not (is_number(value) and 0 <= value < 1):
                raise ConfigError(f"{name}: got {value!r}, expected a number from 0 to below 1")
