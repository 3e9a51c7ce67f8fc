"""Prints what n-gram models for decoding reach on Shakespeare's words, and how fast they answer.

    python benchmarks/ngram_models.py
    python benchmarks/ngram_models.py --rounds 9

The text is the catalog's tiny-shakespeare, normalised as transcripts are; every 20th line is held
out. Queries are asked of the model of 5 words, on one thread: all held-out tokens, sentence after
sentence, and as many tokens after states drawn at random. The rival is the usual one in Python: a
dictionary of the ARPA file's grams, asked with tuples. Both must give the same log-probabilities
before they are timed, and then run in turns. A rate is the best of the rounds, in processor time.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable

import numpy as np
import torch

from unrolled import NGramModel
from unrolled.data import catalog
from unrolled.decoding.ngrams.measuring import scored
from unrolled.decoding.ngrams.scoring import log_probabilities
from unrolled.decoding.ngrams.vocabulary import BEGIN, END

ORDER = 5


def plain_scores(
    grams: dict[tuple[int, ...], tuple[float, float]], sentences: list[list[int]]
) -> list[float]:
    """Natural log p of all tokens and ends, from a dictionary of log10 p and b."""
    found = []
    for sentence in sentences:
        context: tuple[int, ...] = (BEGIN,)
        for token in [*sentence, END]:
            total = 0.0
            while (*context, token) not in grams:
                total += grams[context][1] if context in grams else 0.0
                context = context[1:]
            gram = (*context, token)
            found.append(math.log(10) * (total + grams[gram][0]))
            context = gram[-(ORDER - 1) :]
    return found


def rates(runs: dict[str, tuple[int, Callable[[], object]]], rounds: int) -> dict[str, float]:
    """Queries in a second of processor time, the best of some rounds in turns."""
    best = dict.fromkeys(runs, 0.0)
    for _ in range(rounds):
        for name, (count, run) in runs.items():
            begin = time.process_time()
            run()
            best[name] = max(best[name], count / (time.process_time() - begin))
    return best


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    text = catalog.load("tiny-shakespeare")

    print(
        "| unit | order | perplexity | without unknown | single tokens | grams | seconds to fit |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|")
    for unit, orders in (("words", (2, 3, 4, 5)), ("characters", (4, 5, 6, 7))):
        for order in orders:
            begin = time.process_time()
            model = NGramModel(order, unit=unit).fit(text)
            seconds = time.process_time() - begin
            measured = model.evaluation
            print(
                f"| {unit} | {order} | {measured.model.with_unknown:.2f}"
                f" | {measured.model.without_unknown:.2f} | {measured.unigram.with_unknown:.2f}"
                f" | {sum(model.trie.counts):,} | {seconds:.1f} |"
            )

    model = NGramModel(ORDER).fit(text)
    trie = model.trie
    lines = [model._cutter.cut(line) for line in text.split("\n")]
    held = [model.vocabulary.encode(line) for line in [one for one in lines if one][19::20]]
    lengths, flat = np.array([len(one) for one in held]), np.concatenate(held)
    # Often enough to be timed.
    many, again = np.tile(lengths, 20), np.tile(flat, 20)
    grams = {
        tuple(trie.gram(node)): (float(trie.log_prob[node]), float(trie.backoff[node]))
        for node in range(1, len(trie))
    }
    asked = [one.tolist() for one in held]
    ours = scored(trie, flat, lengths)[1]
    if not np.abs(ours - plain_scores(grams, asked)).max() <= 1e-9:
        raise SystemExit("the rival's log-probabilities are others")
    draw = np.random.default_rng(0)
    count = len(again)
    states = np.array([trie.shortened(one) for one in draw.integers(1, len(trie), count).tolist()])
    tokens = draw.permutation(again)
    offsets = np.arange(count + 1)
    found = rates(
        {
            "sentence after sentence": (
                count + len(many), lambda: scored(trie, again, many)
            ),
            "after states at random": (
                count, lambda: log_probabilities(trie, tokens, offsets, states)
            ),
            "a dictionary in Python": (
                len(ours), lambda: plain_scores(grams, asked)
            ),
        },
        rounds,
    )  # fmt: skip
    arrays = (trie.first_child, trie.token, trie.log_prob, trie.backoff, trie.suffix)
    size = sum(array.nbytes for array in arrays)
    print(f"\n{len(trie):,} grams, {size / len(trie):.1f} bytes each\n\n| queries | per second |")
    print("|---|---:|")
    for name, rate in found.items():
        print(f"| {name} | {rate:,.0f} |")


if __name__ == "__main__":
    main()
