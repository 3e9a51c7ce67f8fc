"""The command line: one verb, one file; nothing heavy is imported before a verb needs it."""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (that of the process by default) and give its exit code.

    0: done. 2: bad input or usage. 1: anything else. An error is one line on standard error.
    """
    from unrolled.cli.run import run

    return run(arguments)
