"""Small things to train, and real processes to stop."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from unrolled.data.batching import ContiguousBatches
from unrolled.layers import LSTM
from unrolled.tasks.language_model import LanguageModel
from unrolled.tasks.text_encoder import TextEncoder
from unrolled.training.budget import Budget
from unrolled.training.loop import Trainer
from unrolled.training.losses import token_loss
from unrolled.training.modelfile import Card
from unrolled.training.optimizer import Recipe
from unrolled.training.run import Run

SOURCE = Path(__file__).parents[2] / "src"
# Only a test that would fail anyway waits this long.
PATIENCE = 240.0


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """The children below compute with one thread; sums must be made in the same order here."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def make_model() -> Callable[..., LanguageModel]:
    def make(seed: int = 1, dropout: float = 0.0, symbols: int = 7) -> LanguageModel:
        torch.manual_seed(seed)
        return LanguageModel(TextEncoder(LSTM(4, 8), symbols), dropout=dropout)

    return make


@pytest.fixture
def make_trainer(make_model: Callable[..., LanguageModel]) -> Callable[..., Trainer]:
    """A trainer of a small language model on 41 tokens in 2 rows: 4 batches an epoch."""

    def make(
        run_dir: Path | None = None,
        *,
        resume: bool = False,
        budget: str | int = 12,
        configuration: dict[str, Any] | None = None,
        data: str = "first",
        recipe: dict[str, Any] | None = None,
        **options: Any,
    ) -> Trainer:
        tokens = torch.randint(7, (41,), generator=torch.Generator().manual_seed(5))
        given: dict[str, Any] = {
            "model": make_model(),
            "batches": ContiguousBatches(tokens, rows=2, steps=5),
            "loss": token_loss,
            "validate": None,
            "budget": Budget.parse(budget),
            "card": Card(
                task="Generator",
                configuration={"hidden_size": 8, **(configuration or {})},
                provenance={"data": {"name": data, "sha256": data}},
            ),
            "recipe": Recipe(**{"validations": 3, "warmup": 2, **(recipe or {})}),
            "run": Run(run_dir, resume=resume),
            "device": "cpu",
            "progress": False,
        }
        return Trainer(**{**given, **options})

    return make


class Still(nn.Module):
    """A model that costs nothing: one number, whatever is read."""

    def __init__(self) -> None:
        super().__init__()
        self.number = nn.Parameter(torch.zeros(()))

    def forward(self, inputs: Tensor, state: Any = None, **_: Any) -> tuple[Tensor, None]:
        return self.number + 0 * inputs.sum(), None


@pytest.fixture
def make_still() -> Callable[[], Still]:
    return Still


@pytest.fixture
def equal_weights() -> Callable[[nn.Module, nn.Module], bool]:
    """Whether two models hold the same weights, bit for bit."""

    def equal(one: nn.Module, other: nn.Module) -> bool:
        first, second = one.state_dict(), other.state_dict()
        return first.keys() == second.keys() and all(
            torch.equal(first[name], second[name]) for name in first
        )

    return equal


@pytest.fixture
def wait_for() -> Callable[[Callable[[], bool], subprocess.Popen[str]], None]:
    """Wait until something holds; a child that ends or takes for ever fails the test."""

    def wait(holds: Callable[[], bool], child: subprocess.Popen[str]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            ended = child.poll() is not None
            # What it did last may be what is waited for.
            if (ended and not holds()) or time.monotonic() > deadline:
                child.kill()
                told = child.communicate()[0]
                pytest.fail(f"the child {'ended' if ended else 'never got there'}:\n{told}")
            time.sleep(0.002)

    return wait


@pytest.fixture
def start_python(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Run a script in a process of its own; what is left of it at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(script: str, *arguments: object, **options: Any) -> subprocess.Popen[str]:
        file = tmp_path / f"script_{len(started)}.py"
        file.write_text(script)
        environment = {
            **os.environ,
            "PYTHONPATH": str(SOURCE),
            "OMP_NUM_THREADS": "1",
            "TERM": "xterm",
        }
        given: dict[str, Any] = {
            "stdin": subprocess.PIPE,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.STDOUT,
            "text": True,
            "env": environment,
        }
        child = subprocess.Popen(
            [sys.executable, str(file), *map(str, arguments)], **{**given, **options}
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.kill()
        child.communicate()
