"""A language model in the search and in a second pass: what each costs, in processor time.

    python benchmarks/language.py
    python benchmarks/language.py --quick --json language.json

The search hears an utterance of 200 frames of letters, peaked as those of a trained network, at
several beams: alone, and with an n-gram model of words (of text drawn at random, 20,000 words) in
it, in turns; the ratio is the time with the model divided by the time without. The second pass is
`Generator.score` over 20 hypotheses of 10 words, by generators that have hardly learnt: the time
does not depend on what they learnt. They are those of that search, which begin alike, so that much
is read once, and beside them 20 sentences that have nothing in common. A time is the minimum over
the rounds.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np
import torch
from ctc import STEPS, processor_time
from harness import Effort
from report import Report, Table, effort_of, figure, parser_of

from unrolled import Generator, NGramModel, kernels
from unrolled.decoding import search_ctc
from unrolled.decoding.prefix_scores import PrefixScores

LETTERS = "abcdefghijklmnopqrstuvwxyz"
PIECES = ("", " ", *LETTERS)
WORDS, HYPOTHESES, LONG = 20_000, 20, 10


def text() -> list[str]:
    """Sentences of ten words, the frequent ones often (Zipf)."""
    random = np.random.default_rng(0)
    sizes = random.integers(1, 10, WORDS)
    words = ["".join(random.choice(list(LETTERS), size)) for size in sizes]
    drawn = np.minimum(random.zipf(1.3, 10 * WORDS) - 1, WORDS - 1)
    return [" ".join(words[at] for at in row) for row in drawn.reshape(-1, LONG)]


def utterance(sentence: str) -> np.ndarray:
    """Log-probabilities `(T, 1, 1 + V)` in which a sentence is heard, a letter in three frames."""
    random = np.random.default_rng(1)
    logits = random.standard_normal((STEPS, 1, len(PIECES)))
    heard = np.zeros(STEPS, np.int64)
    letters = [PIECES.index(one) for one in sentence][: STEPS // 3]
    heard[1 : 1 + 3 * len(letters) : 3] = letters
    logits[np.arange(STEPS), 0, heard] += random.normal(9.0, 2.0, STEPS)
    return torch.from_numpy(logits).log_softmax(-1).float().numpy()


def _search_row(
    report: Report, table: Table, y: np.ndarray, scores: PrefixScores, beam: int, effort: Effort
) -> None:
    best = processor_time(
        {
            "alone": lambda: search_ctc(y, beam=beam, n_best=beam),
            "with": lambda: search_ctc(y, beam=beam, n_best=beam, scores=scores),
        },
        effort,
    )
    report.add(table="search", beam=beam, seconds=best)
    ratio = best["with"] / best["alone"]
    table.row(beam, *(figure(best[name] * 1e3) for name in best), f"{ratio:.2f}")


def heard(y: np.ndarray, scores: PrefixScores) -> list[str]:
    """What the search gives the second pass."""
    (found,) = search_ctc(y, beam=HYPOTHESES, n_best=HYPOTHESES, scores=scores)
    return ["".join(PIECES[one] for one in each.tokens) for each in found]


def _second_row(
    report: Report,
    table: Table,
    lines: list[str],
    hypotheses: list[str],
    kind: str,
    hidden: int,
    effort: Effort,
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has learnt nothing is meant
        writer = Generator(tokenizer=kind, hidden_size=hidden, layers=1)
        writer.fit("\n".join(lines[:200]), budget="1 steps", progress=False, diagnose=False)
    others = lines[-HYPOTHESES:]
    best = processor_time(
        {"heard": lambda: writer.score(hypotheses), "others": lambda: writer.score(others)}, effort
    )
    report.add(table="second pass", tokens=kind, hidden=hidden, seconds=best)
    table.row(kind, hidden, *(figure(one * 1e3) for one in best.values()))


def main() -> int:
    options = parser_of(__doc__).parse_args()
    if not kernels.available():
        print(f"language: there are no native kernels: {kernels.why_not()}", file=sys.stderr)
        return 1
    report, effort = Report("language", options), effort_of(options)
    torch.manual_seed(0)
    torch.set_num_threads(1)
    lines = text()
    model = NGramModel(3).fit(lines[:-HYPOTHESES], holdout=0)
    scores, y = PrefixScores(PIECES, model=model), utterance(lines[-1])
    heads = {"beam": 4, "alone, ms": 8, "with n-grams, ms": 8, "ratio": 5}
    table = Table(f"An utterance of {STEPS} frames, {len(PIECES) - 1} letters", heads)
    for beam in (8, 16, 32):
        _search_row(report, table, y, scores, beam, effort)
    heads = {"tokens": -10, "H": 4, "as heard, ms": 8, "others, ms": 8}
    table = Table(f"The second pass: {HYPOTHESES} hypotheses of {LONG} words", heads)
    hypotheses = heard(y, scores)
    for kind in ("words", "characters"):
        for hidden in (256, 512):
            _second_row(report, table, lines, hypotheses, kind, hidden, effort)
    report.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
