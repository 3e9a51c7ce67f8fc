"""`unrolled info`: what is installed here and what it can use."""

from __future__ import annotations

from unrolled.cli import options

EXAMPLES = (
    "unrolled info",
    "unrolled info --json",
)


def info(
    as_json: options.AsJson = False,
) -> None:
    """Say what is installed here and what it can use.

    Versions, processor, kernels, devices and data: paste it into a report of a fault.
    """
    import unrolled
    from unrolled.cli.outputs import print_json

    found = unrolled.info()
    if as_json:
        print_json(found)
    else:
        print(found)
