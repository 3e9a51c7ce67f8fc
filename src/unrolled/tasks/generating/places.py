"""A reader's place as plain arrays: what `step` takes and gives can be saved, copied and sent."""

from __future__ import annotations

import numpy as np

from unrolled.errors import ConfigError
from unrolled.tasks.arrays import Arrays, check_state, to_arrays, to_state
from unrolled.tasks.generating.reading import Place, Reader

GRAMS = "grams"


def place_to_arrays(place: Place) -> Arrays:
    """The layers' `h` (and `c`), and where an n-gram model answers too, `grams`
    `(1, order - 1)`."""
    grams = {} if place.grams is None else {GRAMS: place.grams.copy()}
    return to_arrays(place.state) | grams


def place_of(arrays: Arrays, reader: Reader) -> Place:
    """The inverse of `place_to_arrays`, for a reader; copies the arrays.

    Raises:
        ConfigError: these are not the arrays of a place of this reader.
    """
    state = to_state(arrays, reader.model)
    if reader.interpolation is None:
        return Place(state)
    check_state(arrays, GRAMS)
    grams = np.array(arrays[GRAMS])
    rows = len(grams) == arrays["h"].shape[1] if grams.ndim else False
    if not (rows and reader.interpolation.ngram.has(grams)):
        raise ConfigError(
            f"state: got {GRAMS!r} of shape {grams.shape} that this model does not know, expected"
            " what start or an earlier step of this model gave"
        )
    return Place(state, grams)
