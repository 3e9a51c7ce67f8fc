"""What a network did with one sequence, step by step: plain records, saved as one file.

    Trace
    ├── layers     TracedLayer: states, gates and gradients of each layer and direction
    ├── expected   Expected: what the network thought would come next
    ├── answers    Answers: labels or tags, step by step
    ├── influence, series, fan, links, beam, spectrogram    what some have beside: `trace_parts`
    ├── heard, sound    what a recogniser has beside its spectrogram: `sound_parts`
    └── source     Trace: of a translator, what its encoder read; its steps are the links' sources

Shapes: `T` steps, `H` units of a layer that are kept, `K` choices, `C` labels. Every array is
float32 but where it says otherwise, and in the order of time, also of a layer that reads backward.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import ConfigError
from unrolled.lens.sound_parts import Heard, Sound, SoundsAlike
from unrolled.lens.trace_parts import Beam, Forecast, Influence, Links, Series, Spectrogram, check

OVER_TIME = ("states", "gates", "terms", "gradients")
BY_UNIT = ("before", "half_lives")
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
        cuts: `(T,)` bool, where the state that came in was cut off: a new sequence begins.
        gates: by name ("i", "f", "g", "o"; "r", "z", "n"; "keep"), `(T, H)`; empty for a cell that
            tells none.
        terms: what the gates are made of, `(T, H)` each, so that every number can be added up:
            "i.x" and "i.h" are what the input and the state before bring to the gate "i" (biases
            with them, "i.c" what a peephole brings), and the gate is their sum through its
            function; of a plain RNN "h.x" and "h.h"; of a linear cell `h' = a h + b` "h.a" and
            "h.b"; "c.n" is the cell state as its layer normalisation leaves it. Empty where the
            cell tells none, or where they would be too many.
        rates: by the name of a state, the share of the old one that zoneout keeps at each step.
        half_lives: steps after which half is left, `(H,)`: "gates" by the gate that keeps a unit's
            old value, averaged over the steps; "measured" of a small disturbance of this unit, the
            inputs being the same, with all ways back through the other units; infinite where it had
            not halved at the end.
        gradients: by the name of a state, the gradient of the loss by it, all paths through time in
            it, `(T, H)`; empty where there was no loss.
        norms: by the name of a state, the norm of that gradient over all units, `(T,)`, those too
            that are not kept.
    """

    name: str
    index: int
    reverse: bool
    cell: str
    units: NDArray[np.int64]
    states: dict[str, Array]
    before: dict[str, Array]
    cuts: NDArray[np.bool_]
    gates: dict[str, Array] = field(default_factory=dict)
    gradients: dict[str, Array] = field(default_factory=dict)
    norms: dict[str, Array] = field(default_factory=dict)
    terms: dict[str, Array] = field(default_factory=dict)
    rates: dict[str, float] = field(default_factory=dict)
    half_lives: dict[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if "h" not in self.states:
            raise ConfigError(f"{self.name}: got no state 'h', expected one at least")
        count = self.units.size
        wanted: dict[str, tuple[Any, str, tuple[int, ...]]] = {
            "units": (self.units, "int64", (count,)),
            "cuts": (self.cuts, "bool", (self.steps,)),
        }
        for part in OVER_TIME:
            for name, values in getattr(self, part).items():
                wanted[f"{part} {name!r}"] = (values, "float32", (self.steps, count))
        wanted |= {
            f"before {name!r}": (self.before.get(name), "float32", (count,)) for name in self.states
        }
        wanted |= {
            f"norms {name!r}": (self.norms.get(name), "float32", (self.steps,))
            for name in self.gradients
        }
        wanted |= {
            f"half_lives {name!r}": (values, "float32", (count,))
            for name, values in self.half_lives.items()
        }
        for name, (values, dtype, shape) in wanted.items():
            check(f"{self.name}, {name}", values, dtype, shape)

    @property
    def steps(self) -> int:
        """`T`."""
        return len(next(iter(self.states.values())))

    def part(self, steps: Any = slice(None), units: Any = slice(None)) -> Self:
        """The same of some steps and some of the kept units, given as NumPy indexes."""
        parts: dict[str, Any] = {
            part: {name: values[steps][:, units] for name, values in getattr(self, part).items()}
            for part in OVER_TIME
        }
        before = {name: values[units] for name, values in self._before(steps).items()}
        norms = {name: values[steps] for name, values in self.norms.items()}
        lives = {name: values[units] for name, values in self.half_lives.items()}
        parts |= {"before": before, "half_lives": lives, "norms": norms}
        return replace(self, units=self.units[units], cuts=self.cuts[steps], **parts)

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
        came: `T` names, what did come; empty where it is what the next step reads.
    """

    choices: tuple[tuple[str, ...], ...]
    chances: Array
    came: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = (len(self.choices), len(self.choices[0]) if self.choices else 0)
        if any(len(row) != shape[1] for row in self.choices):
            raise ConfigError(
                f"choices: got rows of different lengths, expected {shape[1]} in each"
            )
        check("chances of the choices", self.chances, "float32", shape)
        if self.came and len(self.came) != shape[0]:
            raise ConfigError(f"came: got {len(self.came)} names, expected {shape[0]}, one a step")


@dataclass(frozen=True, eq=False)
class Answers:
    """The answer after each step, as of a classifier that reads word by word, or for each, as of a
    tagger.

    Attributes:
        names: `C` labels or tags.
        chances: `(T, C)`.
        running: whether each answer is that to all that was read up to the step; else it is the
            step's own, as a tag.
        chosen: `T` names, what is answered at each step, where that need not be the likeliest: the
            tags of a sentence are chosen together; else empty.
        truth: `T` names, what is right at each step; empty where that is not known.
    """

    names: tuple[str, ...]
    chances: Array
    running: bool = True
    chosen: tuple[str, ...] = ()
    truth: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check("answers", self.chances, "float32", (len(self.chances), len(self.names)))
        for part in ("chosen", "truth"):
            told = getattr(self, part)
            if told and len(told) != len(self.chances):
                raise ConfigError(
                    f"{part}: got {len(told)} answers, expected {len(self.chances)}, one a step"
                )
            unknown = next((name for name in told if name not in self.names), None)
            if unknown is not None:
                raise ConfigError(f"{part}: got {unknown!r}, expected one of the answers' names")


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
        loss: in words, what the gradients are of; empty where there are none.
        influence: None where it was not measured.
        joined: whether the inputs, joined, are the text as it was written, so that a word is what
            stands between its spaces; else each is a word of its own.
        series, fan: of a forecaster, what it read and what it foretold.
        links: where each step looked.
        spectrogram: what a recogniser read.
        heard: what it made of it: symbols, step by step, and words.
        alike: for each of its words those that sound like it.
        sound: its samples, which a page plays.
        beam: how the answer was searched for, step by step.
        source: what an encoder read before the first step, and did: a trace of its own, with as
            many steps as the links have sources.
    """

    model: str
    inputs: tuple[str, ...]
    layers: tuple[TracedLayer, ...]
    losses: Array | None = None
    expected: Expected | None = None
    answers: Answers | None = None
    notes: tuple[str, ...] = ()
    loss: str = ""
    influence: Influence | None = None
    joined: bool = False
    series: Series | None = None
    fan: Forecast | None = None
    links: Links | None = None
    spectrogram: Spectrogram | None = None
    beam: Beam | None = None
    source: Trace | None = None
    heard: Heard | None = None
    sound: Sound | None = None
    alike: SoundsAlike | None = None

    def __post_init__(self) -> None:
        steps = len(self.inputs)
        if not (steps and self.layers):
            raise ConfigError("a trace has a step and a layer at least")
        if self.losses is not None:
            check("losses", self.losses, "float32", (len(self.losses),))
        told = {f"layer {one.name}": one.steps for one in self.layers}
        if self.losses is not None:
            told["losses"] = len(self.losses)
        if self.expected is not None:
            told["expected"] = len(self.expected.choices)
        if self.answers is not None:
            told["answers"] = len(self.answers.chances)
        if self.influence is not None and len(self.influence.size) > 1:
            told["influence"] = len(self.influence.size)
        if self.series is not None:
            told["series"] = len(self.series.reads)
        if self.links is not None:
            told["links"] = len(self.links.targets)
        if self.spectrogram is not None:
            told["spectrogram"] = len(self.spectrogram.path)
        if self.heard is not None:
            told["heard"] = len(self.heard.chances)
        if self.beam is not None:
            told["beam, its best hypothesis"] = len(self.beam.path(self.beam.best))
        for name, count in told.items():
            if count != steps:
                raise ConfigError(f"{name}: got {count} steps, expected {steps} as of the inputs")
        if self.source is not None:
            self._check_source(self.source)

    def _check_source(self, source: Trace) -> None:
        if source.source is not None:
            raise ConfigError("source: got one with a source of its own, expected one without")
        if self.links is not None and len(self.links.sources) != len(source):
            raise ConfigError(
                f"links: got {len(self.links.sources)} sources, expected {len(source)}, the steps"
                " of the source"
            )

    def __len__(self) -> int:
        """`T`."""
        return len(self.inputs)

    def __repr__(self) -> str:
        layers = ", ".join(f"{layer.cell} of {len(layer.units)}" for layer in self.layers)
        read = "" if self.source is None else f" from {len(self.source)}"
        return f"<Trace of {self.model}: {len(self)} steps{read}, {layers}>"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the trace as one file; what stood at `path` is replaced only by a complete one.

        Raises:
            OutputError: the folder does not exist or can't be written.
            ConfigError: the text holds half of a surrogate pair.
        """
        from unrolled.lens.trace_file import write

        return write(self, path)

    def to_html(
        self, path: str | os.PathLike[str], *, beside: Mapping[str, Trace] | None = None
    ) -> Path:
        """Write the trace as one page that works from disk and asks no network for anything.

        Args:
            beside: by their names, traces whose gradients are drawn beside this one's, such as of
                the same network with another cell; they end at the same step.

        Raises:
            OutputError: the folder does not exist or can't be written.
            ConfigError: more than a page can show, or a trace beside it that has no gradients.
        """
        from unrolled.lens.trace_page import write_trace

        return write_trace(self, path, beside=beside)

    def draw(
        self,
        path: str | os.PathLike[str],
        *,
        view: str = "map",
        layer: int | None = None,
        unit: int | None = None,
        quantity: str = "h",
    ) -> Path:
        """Draw one view of the trace: `trace.draw("night.png", view="text", unit=7)`.

        Args:
            path: `.png` (1400 pixels wide), `.svg` or `.pdf`.
            view: "map", all units over time, like ones together; "text", what was read in the
                colours of one unit (`draw_text` also underlines a property); "gradient", its size
                by the state of each step, by its largest, of all layers (`draw_gradients`: of
                several traces); "answers", the likeliest four labels at each step
                (`draw_answers`: one label of several texts); "links", where each step looked;
                "sound", what a recogniser heard: spectrogram, symbols and words. What the encoder
                of a translator did is drawn by `source.draw`.
            layer: its place in `layers`; None: the last.
            unit: its number, for "text" and as a mark in "map"; None: the one whose state moves
                most.
            quantity: a state ("h", "c"), a gate ("f") or the gradient by a state ("dh").

        Raises:
            MissingExtra: matplotlib is not installed.
            ConfigError: no such view, layer, unit or quantity, a view of what the trace does not
                hold, a text of more than 60 lines, or another ending.
            OutputError: the file can't be written.
        """
        from unrolled.lens.picture_trace import draw_trace

        return draw_trace(self, path, view=view, layer=layer, unit=unit, quantity=quantity)

    def widget(self) -> Any:
        """The page of the trace as a widget of a notebook; its `show` gives it another trace.

        A trace at the end of a cell shows its page without one: the widget is for what changes.

        Raises:
            MissingExtra: anywidget is not installed.
        """
        from unrolled.lens.notebook import widget_of
        from unrolled.lens.trace_page import data_of, for_notebook

        return widget_of(data_of(for_notebook(self)))

    def _repr_html_(self) -> str:
        from unrolled.lens.notebook import frame_of
        from unrolled.lens.trace_page import data_of, for_notebook, title_of

        return frame_of(title_of(self), data_of(for_notebook(self)))

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Trace:
        """The trace that `save` wrote. Reading it runs no code.

        Raises:
            ModelFileError: no such file, truncated, of another kind or of a newer format.
        """
        from unrolled.lens.trace_file import read

        return read(path)
