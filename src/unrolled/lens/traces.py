"""What a network did with one sequence, step by step: plain records, saved as one file.

    Trace
    ├── layers     TracedLayer: states, gates and gradients of each layer and direction
    ├── expected   Expected: what the network thought would come next
    └── answers    Answers: labels or tags, step by step

Shapes: `T` steps, `H` units of a layer that are kept, `K` choices, `C` labels. Every array is
float32 but where it says otherwise, and in the order of time, also of a layer that reads backward.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import ConfigError, ModelFileError
from unrolled.writing import replacing

FORMAT = 1
_PARTS = ("states", "gates", "gradients")
Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class TracedLayer:
    """One layer in one direction.

    Attributes:
        name: of the module in its model.
        index: of the layer in its stack, from 0.
        reverse: whether it reads from the end.
        cell: "LSTM", "GRU", "RNN_TANH", or the type of a cell.
        units: `(H,)` int64, the numbers of the units that are kept.
        states: by name ("h", and "c" of an LSTM), what is carried on after each step, `(T, H)`.
        before: by the name of a state, what it was when the first step came (of a layer that reads
            backward, the last one), `(H,)`.
        gates: by name ("i", "f", "g", "o"; "r", "z", "n"; "keep"), `(T, H)`; empty for a cell that
            tells none.
        gradients: by the name of a state, the gradient of the loss by it, all paths through time in
            it, `(T, H)`; empty where there was no loss.
    """

    name: str
    index: int
    reverse: bool
    cell: str
    units: NDArray[np.int64]
    states: dict[str, Array]
    before: dict[str, Array]
    gates: dict[str, Array] = field(default_factory=dict)
    gradients: dict[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        steps = len(next(iter(self.states.values()), ()))
        for part in _PARTS:
            for name, values in getattr(self, part).items():
                if values.shape != (steps, len(self.units)):
                    raise ConfigError(
                        f"{self.name}, {part} {name!r}: got the shape {values.shape}, expected"
                        f" {(steps, len(self.units))}"
                    )
        shapes = {name: values.shape for name, values in self.before.items()}
        if shapes != dict.fromkeys(self.states, (len(self.units),)):
            raise ConfigError(
                f"{self.name}, before: got {shapes}, expected {(len(self.units),)} for each of"
                f" {', '.join(self.states)}"
            )

    @property
    def steps(self) -> int:
        """`T`."""
        return len(next(iter(self.states.values())))

    def part(self, steps: Any = slice(None), units: Any = slice(None)) -> Self:
        """The same of some steps and some of the kept units, given as NumPy indexes."""
        parts: dict[str, Any] = {
            part: {name: values[steps][:, units] for name, values in getattr(self, part).items()}
            for part in _PARTS
        }
        before = {name: values[units] for name, values in self._before(steps).items()}
        return replace(self, units=self.units[units], before=before, **parts)

    def _before(self, steps: Any) -> dict[str, Array]:
        """What the states were when the first of some steps in a row came."""
        places = np.arange(self.steps)[steps]
        last = places[-1] + 1 if self.reverse else places[0] - 1
        if not 0 <= last < self.steps:
            return self.before
        return {name: values[last] for name, values in self.states.items()}


@dataclass(frozen=True, eq=False)
class Expected:
    """What was expected next after each step, the likeliest first.

    Attributes:
        choices: `T` times `K` names.
        chances: `(T, K)`.
    """

    choices: tuple[tuple[str, ...], ...]
    chances: Array

    def __post_init__(self) -> None:
        shape = (len(self.choices), len(self.choices[0]) if self.choices else 0)
        if self.chances.shape != shape or any(len(row) != shape[1] for row in self.choices):
            raise ConfigError(
                f"chances: got the shape {self.chances.shape}, expected one for each of {shape[0]}"
                f" times {shape[1]} choices"
            )


@dataclass(frozen=True, eq=False)
class Answers:
    """The answer after each step, as of a classifier that reads word by word, or for each, as of a
    tagger.

    Attributes:
        names: `C` labels or tags.
        chances: `(T, C)`.
    """

    names: tuple[str, ...]
    chances: Array

    def __post_init__(self) -> None:
        if self.chances.ndim != 2 or self.chances.shape[1] != len(self.names):
            raise ConfigError(
                f"answers: got the shape {self.chances.shape}, expected (T, {len(self.names)})"
            )


@dataclass(frozen=True, eq=False)
class Trace:
    """One sequence read by a network.

    Attributes:
        model: in words, what read it, such as "Generator".
        inputs: what was read at each step, as the user reads it: `T` texts.
        layers: in the order of their calls, each layer forward before its reverse.
        losses: `(T,)` in nats, what the step's answer cost; NaN where it is not known what came.
            None where there is no loss.
        expected: None where nothing is foretold.
        answers: None where there is none for each step.
        notes: what was cut, in words.
    """

    model: str
    inputs: tuple[str, ...]
    layers: tuple[TracedLayer, ...]
    losses: Array | None = None
    expected: Expected | None = None
    answers: Answers | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        steps = len(self.inputs)
        told = {f"layer {one.name}": one.steps for one in self.layers}
        if self.losses is not None:
            told["losses"] = len(self.losses)
        if self.expected is not None:
            told["expected"] = len(self.expected.choices)
        if self.answers is not None:
            told["answers"] = len(self.answers.chances)
        for name, count in told.items():
            if count != steps:
                raise ConfigError(f"{name}: got {count} steps, expected {steps} as of the inputs")

    def __len__(self) -> int:
        """`T`."""
        return len(self.inputs)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the trace as one file; what stood at `path` is replaced only by a complete one.

        Raises:
            OutputError: the folder does not exist or can't be written.
        """
        from safetensors.numpy import save

        blob = save(dict(self._arrays()), metadata={"trace": json.dumps(self._card())})
        with replacing(path) as aside:
            aside.write_bytes(blob)
        return Path(path)

    def to_html(self, path: str | os.PathLike[str]) -> Path:
        """Write the trace as one page that works from disk and asks no network for anything.

        Raises:
            OutputError: the folder does not exist or can't be written.
            ConfigError: more than a page can show.
        """
        from unrolled.lens.trace_page import write_trace

        return write_trace(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """The trace that `save` wrote. Reading it runs no code.

        Raises:
            ModelFileError: no such file, truncated, of another kind or of a newer format.
        """
        from safetensors import SafetensorError, safe_open

        path = Path(path)
        if not path.is_file():
            raise ModelFileError(f"{path}: expected the file of a trace; check the path")
        try:
            with safe_open(path, framework="numpy") as opened:
                text = (opened.metadata() or {}).get("trace")
                arrays = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        except (SafetensorError, OSError, ValueError) as error:
            raise ModelFileError(
                f"{path}: not a complete file of a trace ({error}); trace the model again"
            ) from error
        if text is None:
            raise ModelFileError(
                f"{path}: a safetensors file without a trace, expected one written by Trace.save()"
            )
        try:
            card = json.loads(text)
            newest = card["format"]
            if newest != FORMAT:
                raise ModelFileError(
                    f"{path}: a trace of format {newest}, this version reads {FORMAT}; trace the"
                    " model again, or take the version of unrolled that wrote it"
                )
            return cls._from(card, arrays)
        except (KeyError, TypeError, ValueError, AttributeError, ConfigError) as error:
            raise ModelFileError(
                f"{path}: its parts do not belong together ({error}); trace the model again"
            ) from error

    def _arrays(self) -> Iterator[tuple[str, NDArray[Any]]]:
        for number, layer in enumerate(self.layers):
            yield f"layer.{number}.units", np.ascontiguousarray(layer.units)
            for part in (*_PARTS, "before"):
                for name, values in getattr(layer, part).items():
                    yield f"layer.{number}.{part}.{name}", np.ascontiguousarray(values)
        if self.losses is not None:
            yield "losses", np.ascontiguousarray(self.losses)
        if self.expected is not None:
            yield "expected", np.ascontiguousarray(self.expected.chances)
        if self.answers is not None:
            yield "answers", np.ascontiguousarray(self.answers.chances)

    def _card(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "model": self.model,
            "inputs": self.inputs,
            "layers": [
                {
                    "name": layer.name,
                    "index": layer.index,
                    "reverse": layer.reverse,
                    "cell": layer.cell,
                    **{part: list(getattr(layer, part)) for part in _PARTS},
                }
                for layer in self.layers
            ],
            "choices": None if self.expected is None else self.expected.choices,
            "names": None if self.answers is None else self.answers.names,
            "losses": self.losses is not None,
            "notes": self.notes,
        }

    @classmethod
    def _from(cls, card: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        layers = []
        for number, raw in enumerate(card["layers"]):
            parts: dict[str, Any] = {
                part: {name: arrays[f"layer.{number}.{part}.{name}"] for name in raw.pop(part)}
                for part in _PARTS
            }
            before = {name: arrays[f"layer.{number}.before.{name}"] for name in parts["states"]}
            units = arrays[f"layer.{number}.units"]
            layers.append(TracedLayer(**raw, units=units, before=before, **parts))
        choices = card["choices"]
        expected = None
        if choices is not None:
            expected = Expected(tuple(map(tuple, choices)), arrays["expected"])
        names = card["names"]
        return cls(
            model=card["model"],
            inputs=tuple(card["inputs"]),
            layers=tuple(layers),
            losses=arrays["losses"] if card["losses"] else None,
            expected=expected,
            answers=None if names is None else Answers(tuple(names), arrays["answers"]),
            notes=tuple(card["notes"]),
        )
