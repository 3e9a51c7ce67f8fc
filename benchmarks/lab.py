"""How soon each chapter of the laboratory shows what it claims: python benchmarks/lab.py [seeds]

For each chapter and seed the steps and the seconds of learning until its claim can be seen, the
scores of both networks then, and what was left of the gradient at the first step when it began.
Records are made as often as the page gets them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import torch

from unrolled.lab import PRESETS, Contest, Preset
from unrolled.lab.session import INTERVAL

MOST = 120.0  # seconds
Students = list[dict[str, Any]]


def score(student: dict[str, Any]) -> float:
    return float(student["scores"][-1][1])


def carried(student: dict[str, Any]) -> float | None:
    """log10 of what is left of the gradient at the first step."""
    gradient = student["look"]["gradient"]
    return gradient[0][1] if gradient else None


# The chapter's claim, of both networks and the level of chance; B learns and A does not.
CLAIMS: dict[str, Callable[[Students, float], bool]] = {
    "order": lambda two, chance: score(two[0]) == chance and score(two[1]) > 0.95,
    "memory": lambda two, chance: score(two[0]) < 0.7 and score(two[1]) > 0.95,
    "unfolding": lambda two, chance: score(two[0]) < chance + 0.02 and score(two[1]) > 0.9,
    "vanishing": lambda two, chance: score(two[0]) < chance + 0.15 and score(two[1]) > 0.8,
    "exploding": lambda two, chance: score(two[0]) < chance + 0.05 and score(two[1]) > 0.8,
    "gates": lambda two, chance: score(two[0]) < chance + 0.15 and score(two[1]) > 0.8,
}


def measure(preset: Preset, seed: int) -> list[str]:
    """One row of the table."""
    one = Contest(preset.settings.model_copy(update={"seed": seed}))
    students = one.record(preset.shown)["students"]
    first = [carried(student) for student in students]
    began = looked = time.monotonic()
    seen = False
    while not seen and time.monotonic() - began < MOST:
        one.learn()
        if time.monotonic() - looked >= INTERVAL:
            students = one.record(preset.shown)["students"]
            seen = CLAIMS[preset.name](students, one.exercise.chance)
            looked = time.monotonic()
    told = [f"{one.step:,}", f"{time.monotonic() - began:.1f}"] if seen else ["not seen", "-"]
    gradients = ["-" if size is None else f"1e{size:.1f}" for size in first]
    return [
        preset.title,
        str(seed),
        *told,
        ", ".join(f"{score(student):.2f}" for student in students),
        ", ".join(gradients),
    ]


def main(seeds: str = "3") -> None:
    """Print the table; on one thread, as the page's worker learns."""
    torch.set_num_threads(1)
    heads = ["chapter", "seed", "steps", "seconds", "scores A, B", "gradient left at first A, B"]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for preset in PRESETS:
        for seed in range(1, int(seeds) + 1):
            print(f"| {' | '.join(measure(preset, seed))} |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
