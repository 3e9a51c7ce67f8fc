"""What listening costs: streams that are heard as fast as it goes, by processes of one thread."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

import unrolled

# Seconds that a process may take to begin, and to answer.
PATIENCE = 600


@dataclass(frozen=True)
class Cost:
    """What some streams took.

    Attributes:
        seconds: of sound that each heard.
        clock, processor: seconds that it took.
        slowest: seconds of the slowest round, a chunk of every stream.
    """

    seconds: float
    clock: float
    processor: float
    slowest: float


def cost(model: Any, sounds: Sequence[np.ndarray], chunk: float) -> Cost:
    """Hear sounds side by side, a chunk of each at a time; all as long as the shortest, in whole
    chunks.

    Args:
        model: a `Transcriber`.
        sounds: samples of each stream.
        chunk: in seconds.
    """
    size = round(chunk * model.framing.rate)
    rounds = min(map(len, sounds)) // size
    states = [model.start() for _ in sounds]
    slowest, began, busy = 0.0, time.perf_counter(), time.process_time()
    for at in range(rounds):
        before = time.perf_counter()
        chunks = [sound[at * size : (at + 1) * size] for sound in sounds]
        _, states = model.step_all(chunks, states)
        slowest = max(slowest, time.perf_counter() - before)
    clock, processor = time.perf_counter() - began, time.process_time() - busy
    return Cost(rounds * chunk, clock, processor, slowest)


def together(path: Path, sounds: Sequence[np.ndarray], chunk: float, processes: int) -> list[Cost]:
    """Streams shared out among processes of one thread, which begin at the same time.

    Args:
        path: of the model's file; each process loads it.
        sounds: samples of each stream.
        chunk: in seconds.
        processes: how many.
    """
    context = multiprocessing.get_context("spawn")
    ready, answers = context.Barrier(processes), context.Queue()
    workers = [
        context.Process(
            target=_work, args=(path, list(sounds[at::processes]), chunk, ready, answers)
        )
        for at in range(processes)
    ]
    for worker in workers:
        worker.start()
    try:
        return [answers.get(timeout=PATIENCE) for _ in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.join()


def _work(path: Path, sounds: Sequence[np.ndarray], chunk: float, ready: Any, answers: Any) -> None:
    torch.set_num_threads(1)
    model = unrolled.load(path)
    second = [sound[: round(model.framing.rate)] for sound in sounds[:1]]
    cost(model, second, chunk)  # what is made once is made now
    ready.wait(PATIENCE)
    answers.put(cost(model, sounds, chunk))
