"""Prints what an n-gram model reaches on Python's own documentation, in bits per character.

    python benchmarks/ngrams.py

The text is CPython's `pydoc_data.topics`; the first 90% of its characters are counted, the last 10%
scored.
"""

from __future__ import annotations

import platform
import time
from pydoc_data.topics import topics

import numpy as np

from unrolled.baselines import NGram


def main() -> None:
    text = "\n\n".join(topics.values())
    symbols, ids = np.unique(
        np.frombuffer(text.encode("utf-32-le"), dtype="<u4"), return_inverse=True
    )
    train, test = np.split(ids, [len(ids) * 9 // 10])
    print(
        f"CPython {platform.python_version()}: {len(ids):,} characters, {len(symbols)} different; "
        f"{len(train):,} counted, {len(test):,} scored\n"
    )
    print("| order | one discount | three discounts | megabytes | seconds to fit |")
    print("|---:|---:|---:|---:|---:|")
    for order in range(2, 9):
        started = time.perf_counter()
        one = NGram(order).fit(train, len(symbols))
        seconds = time.perf_counter() - started
        three = NGram(order, discounts="three").fit(train, len(symbols))
        megabytes = sum(array.nbytes for array in one.to_arrays().values()) / 1e6
        print(
            f"| {order} | {one.bits_per_token(test):.3f} | {three.bits_per_token(test):.3f} "
            f"| {megabytes:.1f} | {seconds:.1f} |"
        )


if __name__ == "__main__":
    main()
