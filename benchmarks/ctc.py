"""Searching in the output of a CTC model: native code against Python, in processor time.

    python benchmarks/ctc.py
    python benchmarks/ctc.py --beam 32 --rounds 5
    python benchmarks/ctc.py --quick --json ctc.json

One utterance of 200 frames, with 30 and 500 symbols. "Peaked" frames are like those of a trained
network, sure of most frames; "flat" ones like those of a network that knows nothing. The rival is
the search as it is usually written: a dictionary from prefixes to two log-probabilities (Hannun et
al. 2014). Both must find the same hypotheses with the same probabilities before they are timed,
and then run in turns. The limits (20 symbols, 10 nats) are measured beside them: they search less.
A time is the minimum over the rounds; a ratio is the rival's time divided by ours.
"""

from __future__ import annotations

import math
import sys
import time
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import torch
from harness import Disagreement, Effort
from report import Report, Table, effort_of, figure, parser_of

from unrolled import kernels
from unrolled.decoding import CtcDecoder, CtcOptions, search_ctc
from unrolled.training.ctc_loss import ctc_loss

STEPS = 200
_NEVER = -math.inf

Found = list[tuple[tuple[int, ...], float]]


def plain_search(log_probs: np.ndarray, beam: int) -> Found:
    """Prefix beam search over `(T, 1 + V)`: prefixes with their log-probabilities, best first."""

    def add(a: float, b: float) -> float:
        if a < b:
            a, b = b, a
        return a if b == _NEVER else a + math.log1p(math.exp(b - a))

    prefixes: list[tuple[tuple[int, ...], tuple[float, float]]] = [((), (0.0, _NEVER))]
    for frame in log_probs.tolist():
        following: dict[tuple[int, ...], tuple[float, float]] = defaultdict(
            lambda: (_NEVER, _NEVER)
        )
        for prefix, (blank, symbol) in prefixes:
            total = add(blank, symbol)
            end = prefix[-1] if prefix else 0
            before, same = following[prefix]
            same = add(same, symbol + frame[end]) if end else same
            following[prefix] = (add(before, total + frame[0]), same)
            for token in range(1, len(frame)):
                longer = (*prefix, token)
                before, same = following[longer]
                come = blank if token == end else total
                following[longer] = (before, add(same, come + frame[token]))
        ranked = sorted(following.items(), key=lambda one: add(*one[1]), reverse=True)
        prefixes = ranked[:beam]
    return [(prefix, add(*ends)) for prefix, ends in prefixes]


def utterance(symbols: int, peaked: bool) -> np.ndarray:
    """Log-probabilities `(T, 1 + V)`; a symbol about every sixth frame where it is peaked."""
    random = np.random.default_rng(symbols)
    logits = random.standard_normal((STEPS, 1 + symbols))
    if peaked:
        heard = np.where(random.random(STEPS) < 1 / 6, random.integers(1, 1 + symbols, STEPS), 0)
        logits[np.arange(STEPS), heard] += random.normal(9.0, 2.0, STEPS)
    return torch.from_numpy(logits).log_softmax(-1).float().numpy()


def compare(what: str, ours: Found, theirs: Found) -> None:
    """The same hypotheses, with the same probabilities."""
    for (said, value), (its, other) in zip(ours, theirs, strict=True):
        if said != its or not abs(value - other) <= 1e-9 * abs(other):
            raise Disagreement(f"{what}: {said} with {value}, and {its} with {other}")


def processor_time(runs: dict[str, Callable[[], object]], effort: Effort) -> dict[str, float]:
    """The least seconds of processor time that a call of each takes, in turns."""
    best = dict.fromkeys(runs, math.inf)
    calls = {}
    for name, run in runs.items():
        begin = time.process_time()
        run()
        calls[name] = max(1, round(effort.sample / max(time.process_time() - begin, 1e-6)))
    for _ in range(effort.rounds):
        for name, run in runs.items():
            begin = time.process_time()
            for _ in range(calls[name]):
                run()
            best[name] = min(best[name], (time.process_time() - begin) / calls[name])
    return best


def _search_row(
    report: Report, table: Table, symbols: int, peaked: bool, beam: int, effort: Effort
) -> None:
    y = utterance(symbols, peaked)
    batch = y[:, None]
    kind = "peaked" if peaked else "flat"
    found = search_ctc(batch, beam=beam, n_best=beam)[0]
    ours = [(one.tokens, one.log_probability) for one in found]
    compare(f"V = {symbols}, {kind}", ours, plain_search(y, beam))

    def stream() -> None:
        decoder = CtcDecoder(0.04, CtcOptions(beam))
        at = decoder.start()
        for frame in range(0, STEPS, 5):
            _, at = decoder.step(y[frame : frame + 5], at)

    best = processor_time(
        {
            "ours": lambda: search_ctc(batch, beam=beam),
            "limited": lambda: search_ctc(batch, beam=beam, most_symbols=20, threshold=10.0),
            "stream": stream,
            "greedy": lambda: search_ctc(batch, beam=1),
            "plain": lambda: plain_search(y, beam),
        },
        effort,
    )
    report.add(table="search", symbols=symbols, frames=kind, beam=beam, seconds=best)
    table.row(
        symbols,
        kind,
        *(figure(best[name] * 1e3) for name in ("plain", "ours", "limited", "stream", "greedy")),
        f"{best['plain'] / best['ours']:.0f}",
    )


def _loss_row(report: Report, table: Table, symbols: int, hidden: int, effort: Effort) -> None:
    from unrolled import GRU

    rows, said = 16, 40
    layer, x = GRU(hidden, hidden), torch.randn(STEPS, rows, hidden, requires_grad=True)
    logits = torch.randn(STEPS, rows, 1 + symbols, requires_grad=True)
    targets = torch.randint(1, 1 + symbols, (rows, said))
    lengths, counts = torch.full((rows,), STEPS), torch.full((rows,), said)
    best = processor_time(
        {
            "loss": lambda: ctc_loss(logits, lengths, targets, counts).loss.backward(),
            "layer": lambda: layer(x)[0].sum().backward(),
        },
        effort,
    )
    report.add(table="loss", symbols=symbols, hidden=hidden, seconds=best)
    share = best["loss"] / best["layer"]
    table.row(symbols, hidden, *(figure(best[name] * 1e3) for name in best), f"{share:.2f}")


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--beam", type=int, default=16, help="prefixes (16)")
    options = parser.parse_args()
    if not kernels.available():
        print(f"ctc: there are no native kernels: {kernels.why_not()}", file=sys.stderr)
        return 1
    report, effort = Report("ctc", options), effort_of(options)
    torch.manual_seed(0)
    torch.set_num_threads(1)
    heads = {"V": 3, "frames": -6, "plain Python, ms": 8, "ours, ms": 8, "with limits, ms": 8}
    heads |= {"in chunks of 5, ms": 8, "best path, ms": 8, "ratio": 5}
    try:
        table = Table(f"An utterance of {STEPS} frames, beam {options.beam}", heads)
        for symbols in (30, 500):
            for peaked in (True, False):
                _search_row(report, table, symbols, peaked, options.beam, effort)
    except Disagreement as error:
        print(f"ctc: {error}", file=sys.stderr)
        return 1
    heads = {"V": 3, "H": 3, "loss, ms": 8, "a GRU layer, ms": 8, "share": 5}
    table = Table(f"The loss beside a GRU layer, {STEPS} frames, 16 rows, 40 symbols each", heads)
    for symbols in (30, 500):
        for hidden in (128, 320):
            _loss_row(report, table, symbols, hidden, effort)
    report.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
