"""What every task shares: scikit-learn's shape, one file, and the door to the training loop."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from numbers import Real
from operator import index
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import torch
from torch import Tensor, nn

from unrolled.about import machine
from unrolled.errors import ConfigError, ModelFileError, NotFittedError
from unrolled.layers import GRU, LSTM, RNN
from unrolled.layers.checks import with_nan
from unrolled.tasks.estimator import Estimator
from unrolled.tasks.evaluation import Evaluation, warn_if_lost
from unrolled.training import snapshot
from unrolled.training.devices import PRECISIONS, check_device
from unrolled.training.loop import Outcome
from unrolled.training.modelfile import Card, named, part, write_model

CELLS = {"rnn": RNN, "gru": GRU, "lstm": LSTM}


class Learns(Protocol):
    """What trains: a `Trainer`, or something that has."""

    def train(self) -> Outcome:
        """Run to the end."""


class Task(Estimator):
    """Base of the tasks. The constructor takes hyperparameters only; `fit` learns and returns self.

    A subclass says how to make its network (`_build`), and which plain values besides the weights
    it needs to be itself again (`_assets`, `_restore_assets`).
    """

    fit: Callable[..., Any]
    evaluate: Callable[..., Any]
    model: nn.Module
    evaluation: Evaluation | None
    outcome: Outcome
    cell: str
    layers: int
    directions: int
    dropout: Any
    device: str
    precision: str
    _precisions: ClassVar[tuple[str, ...]] = PRECISIONS
    # Whether the rival of the gate has a share in the answers: then the network alone has to win.
    _rival_answers_too: ClassVar[bool] = False
    learning_rate: Any
    seed: int
    warm_start: bool

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the model as one `.unrolled` file; what stood at `path` is replaced at the end.

        Raises:
            NotFittedError: there is nothing to save yet.
            OutputError: the folder does not exist or can't be written.
        """
        self._check_fitted()
        tensors = named(self.model.state_dict(), "model") | named(
            self._baseline_tensors(), "baseline"
        )
        return write_model(path, self._card(), tensors)

    @classmethod
    def _from_file(cls, card: Card, tensors: dict[str, Tensor]) -> Self:
        task = cls(**card.configuration)
        task._restore_assets(card.assets)
        with snapshot.seeded(0):  # the caller's random generator is none of a file's business
            task.model = task._build()
        task.model.load_state_dict(part(tensors, "model"))
        broken = with_nan(task.model)
        if broken is not None:
            raise ModelFileError(f"model.{broken}: got NaN, expected numbers; save the model again")
        task.model.eval()
        task._restore_baseline(
            {name: tensor.numpy() for name, tensor in part(tensors, "baseline").items()}
        )
        task._provenance = card.provenance
        task.evaluation = Evaluation.from_dict(card.scores) if card.scores else None
        return task

    def _card(self) -> Card:
        return Card(
            task=type(self).__name__,
            configuration={
                name: value.item() if isinstance(value, np.generic) else value
                for name, value in self.get_params(deep=False).items()
            },
            assets=self._assets(),
            scores={} if self.evaluation is None else self.evaluation.to_dict(),
            provenance=self._provenance,
        )

    def _describe_origin(self, name: str, data: bytes | str, holdout: float) -> None:
        """Note what the model is learnt from: the data's name, sum and split, and the machine.

        `data` is the data, or their sha256 where they are too large for memory.
        """
        digest = data if isinstance(data, str) else hashlib.sha256(data).hexdigest()
        # Not the whole path, which may say more of its owner than a shared model should.
        origin = {"name": Path(name).name, "sha256": digest, "holdout": holdout}
        self._provenance = {"data": origin, "machine": machine()}

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """A `fit` that fails leaves the task as it was: each one makes a network of its own."""
        before = dict(vars(self))
        try:
            yield
        except BaseException:
            self.__dict__ = before
            raise

    def _learn(
        self, prepare: Callable[[], Learns], evaluate: Callable[[], Evaluation | None]
    ) -> None:
        """The part of every `fit` that comes after the checks: train, score, say what came out.

        Args:
            prepare: makes network, baseline and trainer, with draws that the seed settles.
            evaluate: scores the trained network on the held-out part; None where there is none.
                Ctrl-C while it does leaves the model without a score.
        """
        with self._all_or_nothing(), snapshot.seeded(self.seed):
            self.evaluation = None
            self.outcome = prepare().train()
            self._finish()
        try:
            self.evaluation = evaluate()
        except KeyboardInterrupt:
            # What was learnt is not lost with what was to be measured.
            self.outcome = replace(self.outcome, ended="interrupted")
        if self.evaluation is not None:
            warn_if_lost(self.evaluation, alone=self._rival_answers_too)

    def _finish(self) -> None:
        """What a task does to weights that were learnt, before they are scored; most do nothing."""

    def _goes_on(self) -> bool:
        return self.warm_start and hasattr(self, "model")

    def _first_network(self) -> nn.Module:
        """A new network; with `warm_start` it begins with the weights of the one that is there."""
        network = self._build()
        if self._goes_on():
            try:
                network.load_state_dict(self.model.state_dict())
            except RuntimeError as error:
                raise ConfigError(
                    "warm_start: the network that is there was made with other arguments; use the"
                    " same, or warm_start=False to begin anew"
                ) from error
        return network

    def _own_evaluation(self) -> Evaluation:
        """What `fit` measured."""
        self._check_fitted()
        if self.evaluation is None:
            raise ConfigError("this model has no evaluation of its own; give data to evaluate on")
        return self.evaluation

    def _check_fitted(self) -> None:
        if not hasattr(self, "model"):
            raise NotFittedError(
                f"this {type(self).__name__} has not learnt anything yet; call fit, or"
                " unrolled.load a saved one"
            )

    def _recurrent(
        self,
        input_size: int,
        hidden_size: int,
        dropout: float,
        *,
        layers: int | None = None,
        both_ways: bool = False,
        **options: Any,
    ) -> nn.RNNBase:
        """The recurrent layers that the constructor's arguments ask for.

        Args:
            input_size: what they read.
            hidden_size, dropout, layers: where the task has settled them by the data.
            both_ways: whether the task may read in two directions.
            options: of the layer, such as `weight_dropout`.
        """
        self._check_cell()
        if both_ways and self.directions not in (1, 2):
            raise ConfigError(f"directions: got {self.directions!r}, expected 1 or 2")
        if self.directions != 1 and not both_ways:
            raise ConfigError(
                f"directions: got {self.directions!r}, expected 1: a {type(self).__name__} reads"
                " forward only, since it must answer at every step"
            )
        layers = self.layers if layers is None else layers
        between = dropout if layers > 1 else 0.0
        recurrent: nn.RNNBase = CELLS[self.cell](
            input_size,
            hidden_size,
            layers,
            dropout=between,
            bidirectional=self.directions == 2,
            **options,
        )
        return recurrent

    def _check_cell(self) -> None:
        if self.cell not in CELLS:
            raise ConfigError(f"cell: got {self.cell!r}, expected one of {', '.join(CELLS)}")

    def _check_sizes(self, *names: str, optional: tuple[str, ...] = ()) -> None:
        """Whole numbers (NumPy's too, as parameter grids give them), shares and the names that all
        tasks know, before any work; those that are `optional` may be None, and are settled later.
        """
        self._check_cell()
        check_device(self.device, self.precision, self._precisions)
        if not isinstance(self.warm_start, bool | np.bool_):
            raise ConfigError(f"warm_start: got {self.warm_start!r}, expected True or False")
        for name in ("layers", *names, *optional):
            value = getattr(self, name)
            if value is not None or name not in optional:
                setattr(self, name, whole_number(name, value, least=1))
        self.seed = whole_number("seed", self.seed, least=0)
        if self.seed >= 2**63:
            raise ConfigError(f"seed: got {self.seed}, expected less than 2**63")
        share, rate = self.dropout, self.learning_rate
        if share is not None:
            check_rate("dropout", share)
        if rate is not None and not (is_number(rate) and 0 < rate < 1):
            raise ConfigError(
                f"learning_rate: got {self.learning_rate!r}, expected a number between 0 and 1"
            )
        self.dropout = share if share is None else float(share)
        self.learning_rate = rate if rate is None else float(rate)

    def _build(self) -> nn.Module:
        raise NotImplementedError

    def _assets(self) -> dict[str, Any]:
        raise NotImplementedError

    def _restore_assets(self, assets: dict[str, Any]) -> None:
        raise NotImplementedError

    def _baseline_arrays(self) -> dict[str, np.ndarray]:
        raise NotImplementedError

    def _restore_baseline(self, arrays: dict[str, np.ndarray]) -> None:
        raise NotImplementedError

    def _baseline_tensors(self) -> dict[str, Tensor]:
        return {name: torch.from_numpy(array) for name, array in self._baseline_arrays().items()}


def whole_number(name: str, value: Any, *, least: int) -> int:
    """`value` as an int; ConfigError with the argument's name where it is none, or too small."""
    try:
        number = index(value) if not isinstance(value, bool) else least - 1
    except TypeError:
        number = least - 1
    if number < least:
        raise ConfigError(f"{name}: got {value!r}, expected a whole number from {least} on")
    return number


def is_number(value: Any) -> bool:
    """Python's numbers and NumPy's, but no text and no truth value."""
    return isinstance(value, Real) and not isinstance(value, bool)


def check_rate(name: str, value: Any) -> None:
    """How much of something is dropped or kept in mind: nothing, up to nearly all."""
    if not (is_number(value) and 0 <= value < 1):
        raise ConfigError(f"{name}: got {value!r}, expected a share from 0 to below 1")


def check_share(name: str, value: float) -> None:
    """A share of the data to hold out must leave something on both sides."""
    if not (is_number(value) and 0 < value < 1):
        raise ConfigError(f"{name}: got {value!r}, expected a share between 0 and 1, such as 0.2")
