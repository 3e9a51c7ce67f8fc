"""`Generator`: learns a text by characters, words or subwords, then writes, suggests and scores."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any, Self, cast

import numpy as np
import torch

from unrolled.baselines import NGram
from unrolled.data.batching import ContiguousBatches
from unrolled.data.corpus import Corpus
from unrolled.data.token_store import TokenStore, store_tokens
from unrolled.data.tokens import Tokenizer, make_tokenizer, tokenizer_from_assets
from unrolled.errors import ConfigError, DataError, ModelFileError
from unrolled.tasks.base import check_rate, check_share
from unrolled.tasks.evaluation import Evaluation
from unrolled.tasks.generating.answering import Answering
from unrolled.tasks.generating.checks import check_options, check_tokenizer
from unrolled.tasks.generating.cooccurrence import begin_near
from unrolled.tasks.generating.gate import Rival, choose_rival, share_of
from unrolled.tasks.generating.interpolation import USUAL
from unrolled.tasks.generating.measuring import measure
from unrolled.tasks.generating.neural_cache import NeuralCache, cache_of
from unrolled.tasks.generating.parts import Parts, split
from unrolled.tasks.generating.reading import Reader
from unrolled.tasks.generating.settings import SIZES, Settings, settle
from unrolled.tasks.generating.streams import fitting_rows, validator
from unrolled.tasks.initial import initialise
from unrolled.tasks.language_model import LanguageModel
from unrolled.tasks.language_models import AnyLanguageModel, LanguageModels
from unrolled.tasks.lent_tokens import lent_tokens
from unrolled.tasks.schooling import Schooling
from unrolled.tasks.text_encoder import TextEncoder
from unrolled.training.budget import Budget
from unrolled.training.devices import PRECISIONS, supports_bfloat16
from unrolled.training.loop import Trainer
from unrolled.training.optimizer import Recipe
from unrolled.training.run import Run
from unrolled.training.sampled_softmax import NegativeSampling

# Beyond so many characters the tokens are kept in the run's folder, so that a resumed run finds
# them.
WORTH_KEEPING = 20_000_000


class Generator(Answering):
    """A language model: what comes next, and next, and next.

        p(x_{t+1} | x_1 .. x_t) = softmax(W y_t + b),   y_t, s_t = layers(embedding[x_t], s_{t-1})

    and, with a share `v`, the n-gram model of the gate: (1 - v) p + v p_ngram.

    Whatever is None is settled by the data and the budget (see `settings` after `fit`).

    Args:
        tokenizer: "characters", "words" or "subwords" (byte-pair encoding).
        vocabulary_size: the most tokens that are known; None: all characters, 30,000 words, 8,000
            subwords.
        cell: "lstm", "gru" or "rnn".
        hidden_size: units of each layer.
        layers: recurrent layers, one on the other.
        directions: 1; a generator reads forward.
        members: networks whose mean answers, trained side by side; each costs as much as the
            first. Where one begins to know a short text by heart, a second one gives more.
        lower: of words: upper case is read as lower case.
        embedding_size: size of the vector that stands for a token.
        tie_weights: make the scores with the vectors that tokens are read with.
        dropout: share of every layer's outputs that is dropped in training, locked: one mask for a
            row, the same at every step.
        input_dropout: the same of the vectors that are read.
        weight_dropout: share of the recurrent matrices that is dropped.
        embedding_dropout: share of the tokens that a batch is read without.
        learning_rate: the peak of the schedule.
        muon_rate: the peak for the recurrent matrices, which then take orthogonal steps (Muon); 0:
            they learn as all else does.
        weight_decay: of the matrices that do not (AdamW).
        negatives: tokens that are drawn for each batch to compare the right ones with, where the
            vocabulary is large; 0: all are compared.
        cooccurrence: let the vectors of tokens begin at which tokens stand near which, counted in
            seconds: a large vocabulary is learnt sooner from there.
        rows: streams of text that are read side by side.
        steps: tokens between two updates; the state is carried on, the gradient is cut.
        resets: probability, for each row of a batch, that it begins at the zero state though the
            text goes on, so that it stays what it is over texts longer than any in training.
        average: memory of the moving average of the weights that is validated and kept; 0: none.
        ngram_weight: the share that the n-gram model (which `fit` makes anyway, to compare with)
            has in every answer; 0: the network answers alone; None: what is best on the validation
            part, and 0.2 where there is none. It may be set after `fit`.
        seed: of the weights, the dropout and the resets (text is read in order).
        device: "auto", "cpu" or "cuda".
        precision: "fp32", "bf16", or "auto": bf16 where it is quicker, which is for an LSTM that
            reads one long text, on a machine that has it in hardware.
        warm_start: let `fit` go on from the weights and the vocabulary that are there.

    After `fit`: `model` (the network), `vocabulary` (the tokenizer), `settings`, `baseline` (an
    `NGram`), `evaluation` (held-out bits per character beside the baseline's, the network's alone
    too), `notes` (what was guessed of the data) and `outcome`.

    Example:
        >>> writer = Generator().fit("book.txt", budget="5m")   # doctest: +SKIP
        >>> writer.generate("It was a", length=100, seed=1)     # doctest: +SKIP
        >>> writer.suggest("It was a dark and st")              # doctest: +SKIP

    Source: Merity et al. 2018, arXiv 1708.02182 (dropouts, tied and averaged weights).
    """

    notes: tuple[str, ...] = ()
    _precisions = (*PRECISIONS, "auto")
    _rival_answers_too = True
    _used_precision: str

    def __init__(
        self,
        tokenizer: str = "characters",
        vocabulary_size: int | None = None,
        cell: str = "lstm",
        hidden_size: int | None = None,
        layers: int | None = None,
        directions: int = 1,
        *,
        members: int = 1,
        lower: bool = False,
        embedding_size: int | None = None,
        tie_weights: bool | None = None,
        dropout: float | None = None,
        input_dropout: float | None = None,
        weight_dropout: float | None = None,
        embedding_dropout: float | None = None,
        learning_rate: float | None = None,
        muon_rate: float | None = None,
        weight_decay: float | None = None,
        negatives: int | None = None,
        cooccurrence: bool | None = None,
        rows: int | None = None,
        steps: int | None = None,
        resets: float | None = None,
        average: float | None = None,
        ngram_weight: float | None = None,
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
        self.members = members
        self.lower = lower
        self.embedding_size = embedding_size
        self.tie_weights = tie_weights
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.weight_dropout = weight_dropout
        self.embedding_dropout = embedding_dropout
        self.learning_rate = learning_rate
        self.muon_rate = muon_rate
        self.weight_decay = weight_decay
        self.negatives = negatives
        self.cooccurrence = cooccurrence
        self.rows = rows
        self.steps = steps
        self.resets = resets
        self.average = average
        self.ngram_weight = ngram_weight
        self.seed = seed
        self.device = device
        self.precision = precision
        self.warm_start = warm_start

    def fit(
        self,
        data: Any,
        *,
        text_column: str | None = None,
        budget: str | int | Budget = "2m",
        holdout: float = 0.1,
        validation: float = 0.05,
        run_dir: str | os.PathLike[str] | None = None,
        resume: bool = False,
        progress: bool = True,
        diagnose: bool = True,
        tokens_of: Any = None,
    ) -> Self:
        """Learn a text, or many; they may be larger than memory.

        Args:
            data: the text itself, the path of a text file, of a folder of them or of a table (a row
                is a document), a list of texts or of paths, or a `Corpus`.
            text_column: of a table; None guesses it.
            budget: time or steps of training, such as "10m" or "500 steps".
            holdout: share at the end of the text that is kept for the evaluation.
            validation: share of the text before it, at its end, on which the best weights are
                chosen; 0: all of it is learnt, and the last weights count (their average, where
                there is one). What stands close to the text to come is worth much to learn.
            run_dir: folder for the log and the checkpoint.
            resume: go on from the checkpoint in `run_dir`.
            progress: show a bar, where standard error is a terminal.
            diagnose: look through the network at intervals, and warn where it can't learn, with
                the remedy; what is learnt does not depend on it.
            tokens_of: a fitted `Translator` or `Generator`, or its file, whose tokens are read in
                place of new ones: the two can then choose tokens together. `tokenizer` must be of
                their kind.

        Raises:
            DataError: the text can't be read or is too short.
            ConfigError: an argument or option that can't work.
            TrainingDiverged: the loss stopped being a number.
        """
        sizes = ("hidden_size", "embedding_size", "layers", "rows", "steps")
        self._check_sizes("members", optional=sizes)
        check_options(self)
        lent = None if tokens_of is None else lent_tokens(tokens_of)
        for there in (lent, self.vocabulary if self._goes_on() else None):
            if there is not None:
                check_tokenizer(self, there, "tokens_of" if there is lent else "warm_start")
        if lent is not None and self._goes_on() and lent != self.vocabulary:
            raise ConfigError(
                "tokens_of: its tokens are not those of the network that warm_start goes on from;"
                " leave tokens_of out, or warm_start=False to begin anew"
            )
        check_share("holdout", holdout)
        if validation != 0:
            check_share("validation", validation)
        corpus = Corpus.of(data, text_column=text_column)
        budget = Budget.parse(budget)
        try:
            parts = split(corpus, holdout, validation, self.tokenizer)
        except DataError as error:
            if isinstance(data, str) and corpus.file is None and len(data) < 80:
                raise DataError(f"{error} (there is no file {data!r})") from error
            raise
        run = Run(run_dir, resume=resume)
        test: TokenStore | None = None

        def prepare() -> Schooling:
            nonlocal test
            learn, choose, test = self._stores(parts, corpus, run, lent)
            self._settle(budget, len(learn))
            self._used_precision = self._precision_for(learn)
            begins = not self._goes_on()
            self.model = cast(AnyLanguageModel, self._first_network())
            counts = torch.from_numpy(learn.counts)
            if begins and self.settings.cooccurrence:
                begin_near(self.model, learn.ids, seed=self.seed)
            for member in self.model.each:
                if begins:
                    member.begin_at(counts)
                if self.settings.negatives:
                    member.sampling = NegativeSampling(counts, self.settings.negatives)
            self._describe_origin(corpus.name, corpus.digest, holdout)
            self._provenance["data"]["validation"] = validation
            self.notes = corpus.notes
            rival = choose_rival(learn, choose, self.vocabulary)
            self.baseline, self._sample = rival.ngram, rival.sample
            trainer = self._trainer(learn, choose, budget, run, progress, diagnose)
            return Schooling(trainer, lambda: self._weigh(choose, rival))

        self._learn(prepare, lambda: self._measured(cast(TokenStore, test), parts.held_out, None))
        return self

    def evaluate(
        self,
        data: Any = None,
        *,
        text_column: str | None = None,
        cache: bool | NeuralCache | None = None,
    ) -> Evaluation:
        """Bits per character beside the baseline's, of new text or (without) as `fit` measured.

        Args:
            data: as for `fit`; None: what `fit` measured.
            text_column: of a table; None guesses it.
            cache: a neural cache, which goes on from document to document: True, or its settings.

        Raises:
            NotFittedError: `fit` comes first.
            DataError: the text can't be read or holds fewer than two characters.
            ConfigError: a cache without data.
        """
        if data is None:
            if cache_of(cache) is not None:
                raise ConfigError("cache: fit measures without one; give data to evaluate with it")
            return self._own_evaluation()
        self._check_fitted()
        corpus = Corpus.of(data, text_column=text_column)
        if (isinstance(data, str) and not data) or corpus.characters < 2:
            count = 0 if isinstance(data, str) and not data else corpus.characters
            raise DataError(f"got {count} characters, expected at least 2", file=corpus.file)
        store = store_tokens(corpus, self.vocabulary)
        return self._measured(store, corpus.name, cache_of(cache))

    def _stores(
        self, parts: Parts, corpus: Corpus, run: Run, lent: Tokenizer | None
    ) -> tuple[TokenStore, TokenStore | None, TokenStore]:
        """The tokens of each part, by a vocabulary of the first; nothing is read whole."""
        if not self._goes_on():
            self.vocabulary = lent or make_tokenizer(
                self.tokenizer,
                parts.learn.pieces(),
                vocabulary_size=self.vocabulary_size,
                lower=self.lower,
            )
        keep = run.folder is not None and corpus.characters > WORTH_KEEPING
        folder = cast(Any, run.folder) / "tokens" if keep else None
        return (
            store_tokens(parts.learn, self.vocabulary, folder),
            None if parts.choose is None else store_tokens(parts.choose, self.vocabulary),
            store_tokens(parts.test, self.vocabulary),
        )

    def _settle(self, budget: Budget, tokens: int) -> None:
        given = self.get_params()
        if self._goes_on():
            of_network = asdict(self.settings)
            given |= {name: of_network[name] for name in SIZES if given[name] is None}
        kind, symbols = self.vocabulary.kind, len(self.vocabulary)
        self.settings = settle(given, kind=kind, symbols=symbols, tokens=tokens, budget=budget)

    def _precision_for(self, learn: TokenStore) -> str:
        if self.precision != "auto":
            return self.precision
        # Documents that begin inside a batch would take oneDNN's LSTM through ragged batches.
        quick = self.cell == "lstm" and len(learn.document_starts) <= 1
        return "bf16" if quick and supports_bfloat16(self.device) else "fp32"

    def _trainer(
        self,
        learn: TokenStore,
        choose: TokenStore | None,
        budget: Budget,
        run: Run,
        progress: bool,
        diagnose: bool,
    ) -> Trainer:
        settings = self.settings
        rows, steps = fitting_rows(len(learn), settings.rows, settings.steps)
        batches = ContiguousBatches(
            learn.ids,
            rows=rows,
            steps=steps,
            resets=settings.resets,
            document_starts=learn.document_starts,
            seed=self.seed,
        )
        return Trainer(
            self.model,
            batches,
            self.model.loss,
            None if choose is None else validator(self.model, choose),
            budget,
            self._card(),
            self._baseline_tensors(),
            Recipe(
                learning_rate=settings.learning_rate,
                muon_rate=settings.muon_rate,
                weight_decay=settings.weight_decay,
                schedule="linear",
                average=settings.average,
                validations=settings.validations,
            ),
            run,
            title="generator",
            unit=self.vocabulary.kind,
            loss_unit=f"nats per {self.vocabulary.kind.removesuffix('s')}",
            score_unit="bits per character",
            device=self.device,
            precision=self._used_precision,
            progress=progress,
            diagnose=diagnose,
        )

    def _weigh(self, choose: TokenStore | None, rival: Rival) -> None:
        """Settle the n-gram model's share in the answers."""
        if self.ngram_weight is not None:
            return
        try:
            weight = share_of(rival, Reader(self.model, self.vocabulary), choose)
        except KeyboardInterrupt:
            weight = USUAL  # what was learnt is not lost with what was to be weighed
        self.settings = replace(self.settings, ngram_weight=weight)

    def _measured(self, store: TokenStore, name: str, cache: NeuralCache | None) -> Evaluation:
        return measure(self._reader(), store, self.baseline, self._sample, name, cache)

    def _build(self) -> AnyLanguageModel:
        members = [self._build_one() for _ in range(self.members)]
        return members[0] if len(members) == 1 else LanguageModels(members)

    def _build_one(self) -> LanguageModel:
        settings = self.settings
        between = settings.dropout
        recurrent = self._recurrent(
            settings.embedding_size,
            settings.hidden_size,
            0.0,
            layers=settings.layers,
            weight_dropout=settings.weight_dropout,
            input_dropout=(settings.input_dropout, *[between] * (settings.layers - 1)),
        )
        initialise(recurrent)
        encoder = TextEncoder(
            recurrent, len(self.vocabulary), embedding_dropout=settings.embedding_dropout
        )
        return LanguageModel(encoder, dropout=settings.dropout, tie_weights=settings.tie_weights)

    def _assets(self) -> dict[str, Any]:
        if self.ngram_weight is not None:
            check_rate("ngram_weight", self.ngram_weight)
        for name, mine, settled in self._set_otherwise():
            raise ConfigError(
                f"{name}: was set to {mine!r} after the network was made with {settled!r}; set it"
                " back, or fit again"
            )
        return {
            "tokenizer": self.vocabulary.to_assets(),
            "settings": asdict(self.settings),
            "precision": self._used_precision,
            "rival": self._sample,
        }

    def _restore_assets(self, assets: dict[str, Any]) -> None:
        if "tokenizer" not in assets:
            raise ModelFileError(
                "was written by an earlier version of the Generator; train it anew"
            )
        self.vocabulary = tokenizer_from_assets(assets["tokenizer"])
        self.settings = Settings(**assets["settings"])
        for name, mine, settled in self._set_otherwise():
            raise ValueError(f"{name} is {mine!r} and {settled!r}")
        self._used_precision = str(assets.get("precision", self.precision))
        self._sample = str(assets["rival"])

    def _set_otherwise(self) -> Iterator[tuple[str, Any, Any]]:
        """The arguments that say something else than the network is: name and both values."""
        there = len(self.model.each) if hasattr(self, "model") else self.members
        if self.members != there:
            yield "members", self.members, there
        for name, settled in asdict(self.settings).items():
            if name == "ngram_weight":
                continue
            mine = getattr(self, name, None)
            if mine not in (None, settled):
                yield name, mine, settled

    def _baseline_arrays(self) -> dict[str, np.ndarray]:
        return self.baseline.to_arrays()

    def _restore_baseline(self, arrays: dict[str, np.ndarray]) -> None:
        self.baseline = NGram.from_arrays(arrays)
