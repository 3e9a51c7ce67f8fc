"""A rival in plain torch that is trained in turns with a network, as long as it, and kept."""

from __future__ import annotations

import json
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

import torch
from run_folder import write
from safetensors.torch import load_file, save_file
from text_tasks.runs import TOOK, parameters_of
from text_tasks.turns import in_turns
from torch import nn

from unrolled.writing import replacing

WEIGHTS = "weights.safetensors"
Took = dict[str, Any]
Network = TypeVar("Network")


class Rival(nn.Module):
    """A network and its training, some seconds at a time.

    A subclass makes its weights within `drawn(seed)`: what it draws is its own, so that beside it
    another network learns what it would alone.

    Attributes:
        steps: that it has learnt.
        seconds, busy: that its training took, by the clock and by the processor.
    """

    name = "plain torch.nn"

    def __init__(self) -> None:
        super().__init__()
        self.steps, self.seconds, self.busy = 0, 0.0, 0.0

    @contextmanager
    def drawn(self, seed: int) -> Iterator[None]:
        """Within it weights are made; what is drawn later goes on from there."""
        with torch.random.fork_rng([]):
            torch.manual_seed(seed)
            yield
            self._draws = torch.get_rng_state()

    @abstractmethod
    def update(self) -> float:
        """One step; its loss."""

    def learn(self, seconds: float) -> None:
        """Train for about so long, for a step at least in all."""
        began, busy = time.perf_counter(), time.process_time()
        self.train()
        with torch.random.fork_rng([]):
            torch.set_rng_state(self._draws)
            while self.steps == 0 or time.perf_counter() - began < seconds:
                self.update()
            self._draws = torch.get_rng_state()
        self.seconds += time.perf_counter() - began
        self.busy += time.process_time() - busy

    def took(self) -> Took:
        """What the training took."""
        minutes = round(self.seconds / 60, 3)
        return {
            "steps": self.steps,
            "training": minutes,
            "minutes": minutes,
            "processor minutes": round(self.busy / 60, 3),
            "parameters": parameters_of(self),
        }

    def keep(self, folder: Path, took: Took) -> None:
        """The weights, and what their training took, in a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / WEIGHTS) as aside:
            save_file(self.state_dict(), aside)
        write(folder / TOOK, took)

    def restore(self, folder: Path) -> Took:
        """Take what `keep` has left; what its training took."""
        self.load_state_dict(load_file(folder / WEIGHTS))
        return dict(json.loads((folder / TOOK).read_text()))


def learn_beside(
    rival: Rival,
    learn: Callable[[bool], tuple[Network, Took]],
    folder: Path | None,
    rivals_folder: Path | None,
) -> tuple[Network, Took, Took]:
    """Train a network and its rival in turns; or take what is there.

    A rival's training does not go on where it was stopped, nor that of a network beside it.

    Args:
        rival: not trained yet.
        learn: trains the network, or takes it from its folder where it is told to.
        folder, rivals_folder: of the two; None leaves nothing behind.

    Returns: the network, and what each took.
    """
    there = rivals_folder is not None and (rivals_folder / TOOK).exists()
    with nullcontext() if there else in_turns(rival.learn):
        network, took = learn(there)
    if there and rivals_folder is not None:
        return network, took, rival.restore(rivals_folder)
    # What took turns with a rival is not to be told of the half that is left of it.
    took["minutes"] = round(took["minutes"] - rival.seconds / 60, 3)
    took["processor minutes"] = round(took["processor minutes"] - rival.busy / 60, 3)
    rival.learn(60 * took["training"] - rival.seconds)
    theirs = {"budget": took["budget"], **rival.took(), "threads": took["threads"]}
    if folder is not None and rivals_folder is not None:
        write(folder / TOOK, took)
        rival.keep(rivals_folder, theirs)
    return network, took, theirs
