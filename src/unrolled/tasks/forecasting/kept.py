"""What a forecaster keeps in its file besides the weights, and how it comes back."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from torch import nn

from unrolled.baselines import Rival
from unrolled.baselines.owners import together
from unrolled.data.doctor import Checkup
from unrolled.errors import MissingExtra, ModelFileError
from unrolled.tasks.forecasting.auto import Trial
from unrolled.tasks.forecasting.columns import Columns
from unrolled.tasks.forecasting.conformal import Repair
from unrolled.tasks.forecasting.fitted import Fitted
from unrolled.tasks.forecasting.gate import KINDS
from unrolled.tasks.forecasting.reading import Reading
from unrolled.tasks.forecasting.scaling import Scale
from unrolled.tasks.forecasting.settings import Settings

_REPAIR = "repair"


def assets_of(
    fitted: Fitted, reading: Reading, columns: Columns, checkup: Checkup, trials: list[Trial]
) -> dict[str, Any]:
    """Plain values for the card. Scales and times lie side by side: there may be thousands."""
    names = list(fitted.scales)
    scales = [_plain(fitted.scales[name]) for name in names]
    return {
        "settings": fitted.settings.to_dict(),
        "reading": reading.to_dict(),
        "columns": columns.to_dict(),
        "checkup": checkup.to_dict(),
        "trials": [trial.to_dict() for trial in trials],
        "series": names,
        "scales": scales,
        "trained_until": [str(fitted.trained_until[name]) for name in names],
    }


def settled_from(
    assets: Mapping[str, Any], levels: tuple[float, ...]
) -> tuple[Fitted, Reading, Columns, Checkup, list[Trial]]:
    """The inverse of `assets_of`, without a network and a repair yet."""
    settings = Settings.from_dict(assets["settings"])
    reading = Reading.from_dict(assets["reading"])
    names = assets["series"]
    scales = [_scale_from(kept) for kept in assets["scales"]]
    until = [np.datetime64(time, "us") for time in assets["trained_until"]]
    fitted = Fitted(
        settings.engine(reading, levels),
        nn.Module(),
        settings,
        dict(zip(names, scales, strict=True)),
        dict(zip(names, until, strict=True)),
    )
    columns, checkup = Columns(**assets["columns"]), Checkup.from_dict(assets["checkup"])
    trials = [Trial(**kept) for kept in assets["trials"]]
    return fitted, reading, columns, checkup, trials


def _plain(scale: Scale) -> list[float | None]:
    """A scale's numbers; JSON knows no infinity, which only the least value can be."""
    return [None if number == -np.inf else number for number in scale.to_array().tolist()]


def _scale_from(kept: list[float | None]) -> Scale:
    return Scale.from_array(np.array([-np.inf if number is None else number for number in kept]))


def rival_arrays(rivals: Mapping[str, Rival], repair: Repair | None) -> dict[str, np.ndarray]:
    """Every rival's arrays and the repair's, under the name of each."""
    kept = {kind: rival.to_arrays() for kind, rival in rivals.items()}
    if repair is not None:
        kept[_REPAIR] = repair.to_arrays()
    return together(kept)


def rivals_from(arrays: Mapping[str, np.ndarray]) -> tuple[dict[str, Rival], Repair | None]:
    """The inverse of `rival_arrays`."""
    parts: dict[str, dict[str, np.ndarray]] = {}
    for name, array in arrays.items():
        kind, own = name.split(".", 1)
        parts.setdefault(kind, {})[own] = array
    repair = parts.pop(_REPAIR, None)
    unknown = set(parts) - set(KINDS)
    if unknown:
        raise ModelFileError(
            f"holds a rival {min(unknown)!r}, this version knows {', '.join(KINDS)}; upgrade"
        )
    rivals: dict[str, Rival] = {}
    for kind, kept in parts.items():
        with suppress(MissingExtra):  # learnt where there was more installed
            rivals[kind] = KINDS[kind].from_arrays(kept)  # type: ignore[attr-defined]
    return rivals, None if repair is None else Repair.from_arrays(repair)
