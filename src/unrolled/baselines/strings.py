"""Words as arrays: one run of UTF-8 bytes and where each word begins, for a file without pickle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.baselines.rival import needed
from unrolled.errors import ModelFileError


def pack_strings(name: str, strings: Sequence[str]) -> dict[str, NDArray[Any]]:
    """`NAME_bytes` `(B,)` uint8, and `NAME_offsets` `(N + 1,)`: string `i` is `bytes[o[i]:o[i+1]]`.

    Half of a surrogate pair, which UTF-8 can't hold, is kept as the three bytes it would have.
    """
    encoded = [string.encode("utf-8", "surrogatepass") for string in strings]
    lengths = np.fromiter((len(one) for one in encoded), dtype=np.int64, count=len(encoded))
    return {
        f"{name}_bytes": np.frombuffer(b"".join(encoded), dtype=np.uint8).copy(),
        f"{name}_offsets": np.concatenate(([0], np.cumsum(lengths))),
    }


def unpack_strings(name: str, arrays: Mapping[str, NDArray[Any]], model: str) -> tuple[str, ...]:
    """The inverse of `pack_strings`.

    Raises:
        ModelFileError: an array is missing, or the arrays do not belong together.
    """
    needed(arrays, (f"{name}_bytes", f"{name}_offsets"), model)
    packed = np.asarray(arrays[f"{name}_bytes"])
    offsets = np.asarray(arrays[f"{name}_offsets"])
    right = packed.ndim == offsets.ndim == 1 and packed.dtype == np.uint8 and len(offsets)
    if not right or offsets.dtype.kind not in "iu" or offsets[0] != 0:
        raise _mixed(name, model)
    if offsets[-1] != len(packed) or (np.diff(offsets.astype(np.int64)) < 0).any():
        raise _mixed(name, model)
    whole, places = packed.tobytes(), offsets.tolist()
    try:
        return tuple(
            whole[start:end].decode("utf-8", "surrogatepass") for start, end in pairwise(places)
        )
    except UnicodeDecodeError:
        raise _mixed(name, model) from None


def _mixed(name: str, model: str) -> ModelFileError:
    return ModelFileError(
        f"the baseline {model} has {name} whose bytes and offsets do not belong together; "
        "save the model again"
    )
