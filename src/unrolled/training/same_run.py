"""Whether a checkpoint belongs to the run that wants to go on from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from unrolled.errors import ConfigError
from unrolled.training.modelfile import Card


def check_same_run(found: Card, wanted: Card, budget: str, folder: Path | None) -> None:
    """A run goes on with the same settings, data, split and budget, or not at all.

    Raises:
        ConfigError: naming the first of them that differs.
    """
    assert found.training is not None
    was, now = _identity(found), _identity(wanted)
    was["budget"], now["budget"] = found.training["budget"], budget
    other = [name for name in now if was.get(name) != now[name]]
    if other:
        name = other[0]
        raise ConfigError(
            f"{folder}: holds a run with {name}={_short(was.get(name))}, now it is"
            f" {_short(now[name])}; resume with the same, or choose another folder"
        )


def _identity(card: Card) -> dict[str, Any]:
    """What two parts of one run must share, as JSON gives it back (tuples are lists there)."""
    raw = json.loads(
        card.model_dump_json(include={"task", "configuration", "assets", "provenance"})
    )
    data = dict(raw["provenance"].get("data", {}))
    # Not by its name: the same file may be reached by another path.
    origin = {"data": data.pop("sha256", None), **data}
    origin.pop("name", None)
    # What was tried before the run follows from all that, but for how long it took.
    assets = {name: value for name, value in raw["assets"].items() if name != "trials"}
    return {"task": raw["task"], **raw["configuration"], **origin, **assets}


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
