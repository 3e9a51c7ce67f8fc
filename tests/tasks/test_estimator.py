"""Tasks are estimators as scikit-learn knows them, and loading one imports none of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from unrolled import Classifier, Forecaster, Generator, Tagger
from unrolled.errors import ConfigError
from unrolled.tasks.estimator import Estimator

TASKS = (Classifier, Forecaster, Generator, Tagger)
NEEDED = {Forecaster: {"horizon": 2}}


class Mean(Estimator):
    """Answers with a constant."""

    def __init__(self, value: float = 0.5, names: Any = None) -> None:
        self.value = value
        self.names = names

    def fit(self, X: Any, y: Any = None) -> Mean:
        return self

    def score(self, X: Any, y: Any = None) -> float:
        return -abs(self.value - float(np.mean(y)))


@pytest.mark.parametrize("kind", TASKS)
def test_arguments_are_told_changed_and_cloned_as_scikit_learn_does(kind: Any) -> None:
    model = kind(**NEEDED.get(kind, {}), hidden_size=7)

    assert set(model.get_params()) >= {"hidden_size", "seed"}
    assert model.get_params()["hidden_size"] == 7
    assert type(clone(model)) is type(model.unfitted()) is kind
    assert clone(model).get_params() == model.unfitted().get_params() == model.get_params()
    assert model.set_params(hidden_size=8, seed=3) is model
    assert (model.hidden_size, model.seed) == (8, 3)


def test_an_argument_that_is_none_changes_nothing() -> None:
    model = Generator()
    with pytest.raises(ConfigError, match="set_params: got 'hiden_size', expected one of"):
        model.set_params(seed=9, hiden_size=3)
    assert model.seed != 9


def test_a_clone_shares_no_argument_that_can_change() -> None:
    model = Mean(names=["a"])
    model.unfitted().names.append("b")
    assert model.names == ["a"]


def test_it_is_shown_with_what_was_changed() -> None:
    assert repr(Generator()) == "Generator()"
    assert repr(Forecaster(horizon=3, hidden_size=7)) == "Forecaster(hidden_size=7, horizon=3)"
    assert repr(Mean(value=np.float64(0.5))) != repr(Mean())
    assert repr(Mean(names=np.array([1, 2]))) == "Mean(names=array([1, 2]))"


def test_a_search_takes_it() -> None:
    X, y = np.zeros((6, 1)), np.full(6, 2.0)
    search = GridSearchCV(Mean(), {"value": [0.0, 2.0]}, cv=2).fit(X, y)
    assert search.best_params_ == {"value": 2.0}


@pytest.mark.filterwarnings("ignore::unrolled.tasks.evaluation.NetworkLoses")
def test_a_model_is_loaded_without_scikit_learn(tmp_path: Path) -> None:
    file = (
        Generator(hidden_size=4, layers=1, embedding_size=4, rows=2, steps=4)
        .fit("to be or not to be " * 60, budget=1, progress=False)
        .save(tmp_path / "m.unrolled")
    )
    code = (
        "import sys, unrolled; unrolled.load(sys.argv[1]);"
        "print(sorted({'sklearn', 'scipy', 'pandas', 'polars'} & sys.modules.keys()))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "[]"
