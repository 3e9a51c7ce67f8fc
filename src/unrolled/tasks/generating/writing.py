"""Writing on from a prompt, token by token."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from unrolled.decoding import sample
from unrolled.decoding.repetition import check_penalty, penalise_repetition
from unrolled.decoding.sampling import filter_logits
from unrolled.tasks.base import whole_number
from unrolled.tasks.generating.neural_cache import CacheMemory, NeuralCache
from unrolled.tasks.generating.reading import Read, Reader

UNKNOWN = 0


@dataclass(frozen=True)
class Writing:
    """How to write.

    Attributes:
        temperature, top_k, top_p: as in `unrolled.decoding.filter_logits`.
        repetition_penalty, repetition_window: how much less likely a token is that is among the
            last so many, as in `unrolled.decoding.penalise_repetition`.
        seed: the same seed writes the same; None: another text each time.
        cache: settings of a neural cache, which remembers the prompt too; None for none.

    Raises:
        ConfigError: a value out of its range.
    """

    temperature: float = 0.8
    top_k: int | None = None
    top_p: float | None = None
    repetition_penalty: float = 1.0
    repetition_window: int = 64
    seed: int | None = None
    cache: NeuralCache | None = None

    def __post_init__(self) -> None:
        ones = torch.zeros(1)
        filter_logits(ones, temperature=self.temperature, top_k=self.top_k, top_p=self.top_p)
        check_penalty(self.repetition_penalty)
        whole_number("repetition_window", self.repetition_window, least=1)
        if self.seed is not None:
            whole_number("seed", self.seed, least=0)


def write(reader: Reader, prompt: list[int], length: int, how: Writing) -> Iterator[int]:
    """The tokens after a prompt, each drawn given all before it, at most `length`.

    Args:
        reader: model and tokenizer.
        prompt: tokens; they are read from the beginning of a document.
        length: 0 or more.
        how: the options.
    """
    draws = torch.Generator()
    if how.seed is None:
        draws.seed()
    else:
        draws.manual_seed(how.seed % 2**63)
    memory = None if how.cache is None else CacheMemory(how.cache)
    at = _read_prompt(reader, prompt, memory)
    recent = deque(prompt[-how.repetition_window :], maxlen=how.repetition_window)
    for place in range(length):
        token = _draw(at, recent, memory, how, draws)
        yield token
        recent.append(token)
        if memory is not None:
            memory.remember(at.hidden, torch.tensor([token], device=at.hidden.device))
        if place + 1 < length:
            at = reader.step([token], at.place)


def _draw(
    at: Read,
    recent: deque[int],
    memory: CacheMemory | None,
    how: Writing,
    draws: torch.Generator,
) -> int:
    scores = at.logits[0].float()
    if memory is not None:
        scores = memory.mixed(scores.log_softmax(-1), at.hidden[0])
    scores = scores.cpu()
    # Nothing can be written for what the model does not know.
    scores[UNKNOWN] = -math.inf
    scores = penalise_repetition(scores, recent, how.repetition_penalty)
    drawn = sample(
        scores,
        generator=draws,
        temperature=how.temperature,
        top_k=how.top_k,
        top_p=how.top_p,
    )
    return int(drawn)


def _read_prompt(reader: Reader, prompt: list[int], memory: CacheMemory | None) -> Read:
    if memory is None:
        return reader.read(prompt)
    at = reader.beginning()
    for token in prompt:  # one by one, since the cache remembers every state
        memory.remember(at.hidden, _one(token, at.hidden))
        at = reader.step([token], at.place)
    return at


def _one(token: int, like: Tensor) -> Tensor:
    return torch.tensor([token], device=like.device)
