"""`Transcriber`: learns recordings with what is said in them, then hears."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any, Self, cast

import numpy as np

from unrolled.data.recordings import Recordings
from unrolled.errors import ConfigError, DataError, DataWarning
from unrolled.tasks.base import check_rate, is_number, whole_number
from unrolled.tasks.evaluation import Evaluation
from unrolled.tasks.telling import tell_of
from unrolled.tasks.transcribing.batches import RecordingBatches, strengthened
from unrolled.tasks.transcribing.building import begin_with_shares
from unrolled.tasks.transcribing.framing import Framing, scale_of
from unrolled.tasks.transcribing.gate import fit_rivals
from unrolled.tasks.transcribing.heads import HEADS
from unrolled.tasks.transcribing.language import Weights
from unrolled.tasks.transcribing.lessons import Validator
from unrolled.tasks.transcribing.listening import Listening
from unrolled.tasks.transcribing.network import TranscriptionNetwork
from unrolled.tasks.transcribing.parts import Split, read_split
from unrolled.tasks.transcribing.same_hearing import check_same_hearing
from unrolled.tasks.transcribing.settings import SIZES, STRIDES, USUAL_SUBSAMPLING, settle
from unrolled.tasks.transcribing.short_chunks import can_be_short, round_to_float16
from unrolled.tasks.transcribing.symbols import Symbols
from unrolled.training.budget import Budget
from unrolled.training.loop import Trainer
from unrolled.training.optimizer import Recipe
from unrolled.training.run import Run

# Symbols where nothing is said: of more subwords most occur too rarely to be learnt.
_SIZES = {"subwords": 500}
# Of ready-made features, frames a second, as is usual.
_FRAME_RATE = 100.0


class Transcriber(Listening):
    """From recordings to what is said in them: transcripts, or one label of the whole.

        x_t = log-mel frames;  z = front(x);  h = recurrent(z);  s_t = W h_t + b
        p(text | x) = sum of p(alignment | s) over all alignments of the text (CTC), or of
                      p(alignment | s, what was said before) with head="transducer"

    Args:
        tokenizer: of transcripts: "characters", "subwords" or "words".
        vocabulary_size: the most symbols; None: all characters, 500 subwords, or the words that
            occur twice.
        cell: "gru", "lstm" or "rnn".
        hidden_size: units of each layer, for each direction; None: 256 (128 for labels).
        layers: recurrent layers; None: 3 (2 for labels).
        directions: 1 hears as you speak; 2 reads the sound both ways, for files only.
        head: of transcripts: "ctc", or "transducer", whose steps know what was said before them:
            slower to train and to search.
        sample_rate: samples a second; None: that of most of the sounds, 16,000 at most.
        bands: of log-mel frames; None: 40. Of ready-made features: they are cepstra, and become so
            many bands; None: files of Sphinx (.mfc) become 24, others stay as they are.
        channels: of the convolutions before the recurrent layers; None: 32 (16 for labels, 0
            for ready-made features that have no bands: one convolution over all their numbers).
        subsampling: frames of a step, 1 to 4; None: 4 (2 for labels).
        level_after: frames after which a recording's own mean counts for half in what is taken off
            every frame, the training set's for the other half: what a microphone and a room add
            goes so; 0: the training set's alone; None: 15.
        dropout: share of what layers give that is dropped in training, locked; None: 0.3.
        smoothing: share of a label that is spread over all labels; None: 0.1; of labels only.
        augment: how strongly sounds are changed in training (speed, pace, noise, loudness,
            microphones, rooms, voices; of transcripts parts are left out), as a factor on the usual
            strengths; 0: not; None: 1.
        batch_seconds: of sound in a batch; None: 25 (15 for labels).
        learning_rate: the peak of the schedule; None: 1e-3 (3e-3 for labels).
        weight_decay: of the matrices; None: 0.02.
        average: memory of the moving average of the weights that is validated and kept; 0: none;
            None: 0.99.
        patience: validations without a better score before the run ends early; None: never.
        seed: of the weights, the order of the recordings, the dropout and the changes.
        device: "auto", "cpu" or "cuda".
        precision: of the training: "fp32" or "bf16".
        warm_start: let `fit` go on from the weights and the symbols that are there.

    After `fit`: `model` (the network), `symbols` or `labels`, `framing`, `settings`, `checkup` (the
    data doctor's), `rivals`, `evaluation` (word and character error rate, or accuracy) and
    `outcome`.

    Example:
        >>> transcriber = Transcriber().fit("recordings/", budget="15m")   # doctest: +SKIP
        >>> transcriber.predict(["a.wav"])                                 # doctest: +SKIP
        ['turn the light on']

    Sources: Graves et al. 2006 (CTC); Amodei et al. 2016, arXiv 1512.02595; Park et al. 2019, arXiv
    1904.08779 (SpecAugment); Graves 2012, arXiv 1211.3711 (transducer).
    """

    def __init__(
        self,
        tokenizer: str = "characters",
        vocabulary_size: int | None = None,
        cell: str = "gru",
        hidden_size: int | None = None,
        layers: int | None = None,
        directions: int = 1,
        *,
        head: str = "ctc",
        sample_rate: int | None = None,
        bands: int | None = None,
        channels: int | None = None,
        subsampling: int | None = None,
        level_after: int | None = None,
        dropout: float | None = None,
        smoothing: float | None = None,
        augment: float | None = None,
        batch_seconds: float | None = None,
        learning_rate: float | None = None,
        weight_decay: float | None = None,
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
        self.head = head
        self.sample_rate = sample_rate
        self.bands = bands
        self.channels = channels
        self.subsampling = subsampling
        self.level_after = level_after
        self.dropout = dropout
        self.smoothing = smoothing
        self.augment = augment
        self.batch_seconds = batch_seconds
        self.learning_rate = learning_rate
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
        apart: str = "auto",
        audio: str | None = None,
        text: str | None = None,
        speaker: str | None = None,
        pattern: str | None = None,
        frame_rate: float | None = None,
        skip: bool = False,
        budget: str | int | Budget = "15m",
        run_dir: str | os.PathLike[str] | None = None,
        resume: bool = False,
        progress: bool = True,
        diagnose: bool = True,
        tell: Callable[[str], object] | None = None,
    ) -> Self:
        """Learn recordings.

        Args:
            data: a folder (LibriSpeech, LJSpeech, Common Voice, AN4, or a folder for each label), a
                manifest (CSV, TSV, JSONL), a list of `(file or (samples, rate), text)`, or
                `Recordings`; see `read_recordings`.
            validation: what the best weights are chosen on: a share of the recordings, 0 for none
                (then the last weights count), or data like `data`; None: a tenth.
            holdout: share of the recordings that is kept for the evaluation; 0: none.
            test: recordings to evaluate on instead.
            apart: what stays on one side of a split: "speaker", "text", "both" or "none"; "auto":
                speakers, where at least five are known.
            audio, text, speaker: columns of a manifest; None: by their usual names.
            pattern: how file names say it, such as "{label}_{speaker}_{take}.wav".
            frame_rate: frames a second of ready-made features, which no file of them tells; None:
                100, or as before where a warm start goes on.
            skip: leave out what can't be read, and say so, in place of stopping.
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
            MissingExtra: sounds are to be read, and the extra "speech" is not installed.
            TrainingDiverged: the loss stopped being a number.

        Warns:
            DataWarning: what the data doctor found that may spoil what is learnt.
            NetworkLoses: a simple rival is better on the held-out part.
        """
        self._check_arguments()
        budget = Budget.parse(budget)
        columns = {"audio": audio, "text": text, "speaker": speaker, "pattern": pattern}
        reading = {**columns, "skip": skip, "frame_rate": self._frame_rate(frame_rate)}
        step = self.settings.subsampling if self._goes_on() else self.subsampling
        least = None if self.head == "transducer" else step or USUAL_SUBSAMPLING
        split = read_split(data, validation, holdout, test, apart, reading, least, self._symbols_of)
        if self._goes_on():
            check_same_hearing(self, split.learnt)
        if split.learnt.labelled and self.head != "ctc":
            raise ConfigError(
                f"head: got {self.head!r}, but {split.learnt.name} has one label each, which need"
                " no head; leave it out"
            )
        tell_of(split.checkup, tell)
        run = Run(run_dir, resume=resume)

        def prepare() -> Trainer:
            learnt, anew = split.learnt, not self._goes_on()
            # What is measured is what was learnt here.
            self.language = None
            if anew:
                self.language_weights = Weights()
                self.labelled = learnt.labelled
                self.symbols = split.symbols
                self.labels = tuple(sorted(set(learnt.texts))) if self.labelled else ()
                self.framing = Framing.of(learnt, rate=self.sample_rate, bands=self.bands)
            self._settle()
            if anew:
                self.framing = replace(self.framing, least=self.settings.subsampling)
                after = self.settings.level_after
                self._scale = scale_of(self.framing, learnt, self.seed, after)
            self.checkup = split.checkup
            targets = self._targets(learnt.texts)
            if self.symbols is not None:
                _check_any(targets, self.symbols, anew)
                self._tell_of_unknown(self.symbols, learnt.texts, tell)
            self.model = cast(TranscriptionNetwork, self._first_network())
            if self.symbols is not None and anew:
                frames = learnt.seconds * self.framing.frame_rate
                begin_with_shares(self.model, targets, frames / self.settings.subsampling)
            self._describe_origin(learnt.name, learnt.digest().hex(), split.holdout)
            self.rivals = fit_rivals(self.framing, learnt, self.seed)
            return self._trainer(split, targets, budget, run, progress, diagnose)

        def evaluate() -> Evaluation | None:
            return None if split.test is None else self._evaluate(split.test, split.told)

        self._learn(prepare, evaluate)
        return self

    def _finish(self) -> None:
        if can_be_short(self.model):
            round_to_float16(self.model.recurrent)
            round_to_float16(self.model.readout)

    def _frame_rate(self, given: float | None) -> float:
        """Of ready-made features that are learnt."""
        if given is None:
            return self.framing.frame_rate if self._goes_on() else _FRAME_RATE
        if not (is_number(given) and 0 < given < np.inf):
            raise ConfigError(f"frame_rate: got {given!r}, expected frames a second, such as 100")
        return float(given)

    def _symbols_of(self, learnt: Recordings) -> Symbols | None:
        """Those that are there for a warm start; else learnt."""
        if self._goes_on():
            return self.symbols
        if learnt.labelled:
            return None
        return Symbols.learn(
            learnt.texts,
            kind=self.tokenizer,
            size=self.vocabulary_size or _SIZES.get(self.tokenizer),
        )

    def _tell_of_unknown(
        self, symbols: Symbols, texts: tuple[str, ...], tell: Callable[[str], object] | None
    ) -> None:
        """What is said and has no symbol is not learnt, as a word that occurs once."""
        places = [at for at, one in enumerate(texts) if symbols.unknown(one)]
        if not places:
            return
        kind = symbols.kind
        told = (
            f"{len(places):,} of {len(texts):,} transcripts hold {kind} that have no symbol and"
            f" are left out of what is learnt, such as {symbols.unknown_of(texts)[:5]} in"
            f" {texts[places[0]]!r}"
        )
        if tell is not None:
            tell(f"warning: {told}")
        else:
            warnings.warn(told, DataWarning, stacklevel=5)

    def _settle(self) -> None:
        given = self.get_params()
        if self._goes_on():
            of_network = asdict(self.settings)
            given |= {name: of_network[name] for name in SIZES if given[name] is None}
        bands = self.framing.centres is not None
        self.settings = settle(given, labelled=self.labelled, bands=bands)

    def _trainer(
        self,
        split: Split,
        targets: list[np.ndarray],
        budget: Budget,
        run: Run,
        progress: bool,
        diagnose: bool,
    ) -> Trainer:
        own, chosen = self.settings, split.chosen_by
        if chosen is not None and self.labelled:
            # What was never learnt can't be right, and tells nothing of the weights.
            known = [at for at, one in enumerate(chosen.texts) if one in self.labels]
            chosen = chosen.select(known) if known else None
        validate = None
        if chosen is not None:
            right = self._targets(chosen.texts)
            validate = Validator(self.model, self.framing, chosen.items, right)
        return Trainer(
            self.model,
            RecordingBatches(
                split.learnt,
                targets,
                self.framing,
                augment=strengthened(own.augment, self.labelled) if own.augment else None,
                seconds=own.batch_seconds,
                seed=self.seed,
            ),
            self.model.loss,
            validate,
            budget,
            self._card(),
            self._baseline_tensors(),
            Recipe(
                learning_rate=own.learning_rate,
                weight_decay=own.weight_decay,
                average=own.average,
                validations=own.validations,
                patience=self.patience,
            ),
            run,
            title="transcriber",
            unit="frames",
            loss_unit="nats per recording" if self.labelled else "nats per symbol",
            score_unit="" if validate is None else validate.unit,
            device=self.device,
            precision=self.precision,
            progress=progress,
            diagnose=diagnose,
        )

    def _targets(self, texts: tuple[str, ...]) -> list[np.ndarray]:
        """Symbols of each transcript, or each label's number."""
        if self.symbols is not None:
            return self.symbols.encode(texts)
        numbers = {one: number for number, one in enumerate(self.labels)}
        return [np.array([numbers[one]]) for one in texts]

    def _check_arguments(self) -> None:
        sizes = ("hidden_size", "layers", "vocabulary_size", "patience", "sample_rate", "bands")
        self._check_sizes("directions", optional=sizes)
        if self.directions > 2:
            raise ConfigError(f"directions: got {self.directions!r}, expected 1 or 2")
        if self.head not in HEADS:
            raise ConfigError(f"head: got {self.head!r}, expected 'ctc' or 'transducer'")
        if self.channels is not None:
            self.channels = whole_number("channels", self.channels, least=0)
        if self.subsampling is not None:
            self.subsampling = whole_number("subsampling", self.subsampling, least=1)
            if self.subsampling not in STRIDES:
                raise ConfigError(
                    f"subsampling: got {self.subsampling!r}, expected 1, 2, 3 or 4 frames"
                )
        if self.level_after is not None:
            self.level_after = whole_number("level_after", self.level_after, least=0)
        for name in ("smoothing", "average"):
            if getattr(self, name) is not None:
                check_rate(name, getattr(self, name))
                setattr(self, name, float(getattr(self, name)))
        for name, top in (("augment", 3.0), ("batch_seconds", 1e5), ("weight_decay", 1.0)):
            value = getattr(self, name)
            if value is None:
                continue
            if not (is_number(value) and 0 <= value < top) or (
                name == "batch_seconds" and not value
            ):
                above = "a number above 0" if name == "batch_seconds" else "a number from 0"
                raise ConfigError(f"{name}: got {value!r}, expected {above} to {top:g}")
            setattr(self, name, float(value))


def _check_any(targets: list[np.ndarray], symbols: Symbols, anew: bool) -> None:
    """DataError where not one transcript has a symbol: there is nothing to learn."""
    if any(map(len, targets)):
        return
    remedy = "use warm_start=False to begin anew"
    if anew:
        # Of characters and subwords all are symbols that occur, words must occur twice.
        remedy = "words that occur once have none: give more recordings, or use"
        remedy += " tokenizer='characters'"
    raise DataError(f"no transcript holds {symbols.kind} that have a symbol; {remedy}")
