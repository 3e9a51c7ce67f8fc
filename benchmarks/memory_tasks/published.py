"""What others measured on the same tasks, and the goals that were set from it."""

from __future__ import annotations

from typing import NamedTuple


class Target(NamedTuple):
    """A task at one length.

    Attributes:
        task, length: which; length 0 is a picture's own.
        published: scores by cell.
        source: where they are from.
        limit: the most parameters that a run towards the goal may have; None: none was set.
        goal: the score to reach; None: none was set.
    """

    task: str
    length: int
    published: dict[str, float]
    source: str
    limit: int | None = None
    goal: float | None = None


# The recurrent networks of arXiv 1803.01271, table 1: about 70,000 parameters (copy: 16,000).
BAI = "arXiv 1803.01271"
# Table 2 there, which has no GRU: the best run of many, by the mean accuracy over all lengths from
# 41 to 500.
DELETANG = "arXiv 2207.02098"

TARGETS = (
    Target("adding", 100, {}, ""),
    Target("adding", 200, {}, ""),
    Target("adding", 600, {"rnn": 0.177, "gru": 5.3e-5, "lstm": 0.164}, BAI, 70_000, 5e-5),
    Target("adding", 1000, {}, ""),
    Target("copy", 100, {}, ""),
    Target("copy", 1000, {"rnn": 0.0202, "gru": 0.0197, "lstm": 0.0204}, BAI, 16_000, 1e-3),
    Target("parity", 40, {"rnn": 100.0, "lstm": 100.0}, DELETANG),
    Target("sequential-mnist", 0, {"rnn": 21.5, "gru": 96.2, "lstm": 87.2}, BAI, 70_000, 98.5),
    Target("permuted-mnist", 0, {"rnn": 25.3, "gru": 87.3, "lstm": 85.7}, BAI, 70_000, 93.0),
)
