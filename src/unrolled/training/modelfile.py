"""The one file of a model: safetensors with a JSON card. Reading it runs no code.

A `.unrolled` file is a safetensors file whose header carries one entry, `card`: what the model is
(task, configuration, vocabulary or scaler), how good it is beside its baseline, and where it came
from. Tensor names say to whom they belong by their first part: `model.`, `baseline.`, and in a
checkpoint also `last.`, `optimizer.`, `carried.` and `rng.`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import Tensor

from unrolled.data.arpa import conversion, names_arpa
from unrolled.errors import ModelFileError
from unrolled.writing import replacing

FORMAT = 1
# A safetensors file begins with the size of its header, in so many bytes.
_SIZE = 8


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class Card(BaseModel):
    """What a model file says of itself.

    Attributes:
        format: version of the file format; a newer one than this package knows is refused.
        task: name of the class that the file holds, such as `Generator`.
        configuration: the constructor's arguments.
        assets: what the model needs besides its weights: vocabulary, scaler, frequency.
        scores: held-out scores, the network's beside the baseline's.
        provenance: the data (name and sha256), the versions and the machine that it came from.
        training: state of the run, in a checkpoint only.
        created: when, in UTC.
    """

    model_config = ConfigDict(extra="forbid")

    format: int = FORMAT
    task: str
    configuration: dict[str, Any]
    assets: dict[str, Any] = Field(default_factory=dict)
    scores: dict[str, Any] = Field(default_factory=dict)
    provenance: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] | None = None
    created: str = Field(default_factory=_now)


def write_model(path: str | os.PathLike[str], card: Card, tensors: Mapping[str, Tensor]) -> Path:
    """Write a model file; what stood at `path` is replaced only by a complete file.

    Raises:
        OutputError: the folder does not exist or can't be written.
    """
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    blob = save(plain, metadata={"card": card.model_dump_json()})
    with replacing(path) as aside:
        aside.write_bytes(blob)
    return Path(path)


def read_model(path: str | os.PathLike[str]) -> tuple[Card, dict[str, Tensor]]:
    """Read a model file.

    Returns:
        The card and every tensor by name.

    Raises:
        ModelFileError: no such file, truncated, not a model file, or of a newer format.
    """
    path = _present(path)
    try:
        # Opened once: a run may put another checkpoint in its place meanwhile.
        blob = path.read_bytes()
        tensors = load(blob)
        size = int.from_bytes(blob[:_SIZE], "little")
        header = json.loads(blob[_SIZE : _SIZE + size]).get("__metadata__") or {}
    except (SafetensorError, OSError, ValueError) as error:
        raise _incomplete(path, error) from error
    return _read_card(path, header), tensors


def map_model(path: str | os.PathLike[str]) -> tuple[Card, dict[str, Tensor]]:
    """Read a model file's card and map its tensors into memory: nothing is copied, and what is not
    looked at is not read. Arguments, result and errors as of `read_model`."""
    path = _present(path)
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise _incomplete(path, error) from error
    return _read_card(path, header), tensors


def read_card(path: str | os.PathLike[str]) -> Card:
    """The card of a model file alone; errors as of `read_model`."""
    path = _present(path)
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
    except (SafetensorError, OSError, ValueError) as error:
        raise _incomplete(path, error) from error
    return _read_card(path, header)


def _present(path: str | os.PathLike[str]) -> Path:
    path = Path(path)
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "nothing"
        raise ModelFileError(f"{path}: found {kind}, expected a .unrolled file; check the path")
    return path


def _incomplete(path: Path, error: Exception) -> ModelFileError:
    if names_arpa(path):
        return ModelFileError(
            f"{path}: an ARPA file by its name, expected a .unrolled file; {conversion(path)} makes"
            " one of it"
        )
    return ModelFileError(
        f"{path}: not a complete .unrolled file ({error}); it may be truncated or of another"
        " kind: save the model again"
    )


def _read_card(path: Path, header: Mapping[str, str]) -> Card:
    if "card" not in header:
        raise ModelFileError(
            f"{path}: a safetensors file without a card, expected one written by unrolled's save()"
        )
    try:
        raw = json.loads(header["card"])
        newest = raw.get("format", 0) if isinstance(raw, dict) else 0
        if isinstance(newest, int) and newest > FORMAT:
            raise ModelFileError(
                f"{path}: format {newest}, this version reads up to {FORMAT}; upgrade unrolled"
            )
        return Card.model_validate(raw)
    except (json.JSONDecodeError, ValidationError) as error:
        first = str(error).splitlines()[0]
        raise ModelFileError(
            f"{path}: its card can't be read ({first}); save the model again"
        ) from error


def part(tensors: Mapping[str, Tensor], owner: str) -> dict[str, Tensor]:
    """The tensors whose name begins with `owner.`, that part cut off."""
    prefix = f"{owner}."
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }


def named(tensors: Mapping[str, Tensor], owner: str) -> dict[str, Tensor]:
    """The same tensors with `owner.` before each name."""
    return {f"{owner}.{name}": tensor for name, tensor in tensors.items()}
