"""What can be chosen in the laboratory, and its bounds: every message of the page is checked here.

LabSettings
├── task, length, delay, text     what is to be learnt
├── rows, seed                    of a batch; of the batches and the weights
└── students                      two StudentSettings: cell, hidden_size, init, clip, ...
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from unrolled.errors import ConfigError

TaskName = Literal["order", "echo", "adding", "copy", "next"]
CellName = Literal["none", "RNN", "GRU", "LSTM"]
InitName = Literal["torch", "orthogonal", "identity", "large", "forget", "chrono"]
Speed = Literal["slow", "steady", "full"]

# Which beginnings a cell has; "none" is a feedforward network.
INITS: dict[str, tuple[str, ...]] = {
    "none": ("torch",),
    "RNN": ("torch", "orthogonal", "identity", "large"),
    "GRU": ("torch", "orthogonal", "forget", "chrono"),
    "LSTM": ("torch", "orthogonal", "forget", "chrono"),
}


class Choice(BaseModel):
    """Base: what is not known, and what is of another type, is refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class StudentSettings(Choice):
    """One network.

    Attributes:
        cell: "none" is a feedforward network: it sees the mean of all inputs where one answer is
            asked for, and otherwise at every step that step's input alone.
        hidden_size: units.
        init: how its recurrent weights and gates begin. "large": an RNN's recurrent matrix is twice
            an orthogonal one; "identity": an RNN with relu whose recurrent matrix is the identity;
            "forget": the gate that keeps the state starts open (a bias of 1); "chrono": open for
            memories of up to the length of the task.
        clip: the largest norm of the gradient; 0: it is not clipped.
        optimizer: "sgd" takes the gradient as it is, and so shows what an exploding one does;
            "adam" divides it by its own usual size.
        learning_rate: of the optimizer.
    """

    cell: CellName = "RNN"
    hidden_size: Annotated[int, Field(ge=1, le=128)] = 32
    init: InitName = "torch"
    clip: Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)] = 1.0
    optimizer: Literal["adam", "sgd"] = "adam"
    learning_rate: Annotated[float, Field(ge=1e-5, le=1, allow_inf_nan=False)] = 5e-3

    @model_validator(mode="after")
    def _begins_as_it_can(self) -> Self:
        if self.init not in INITS[self.cell]:
            name = "a feedforward network" if self.cell == "none" else f"a cell of kind {self.cell}"
            told = f"got {self.init!r} for {name}, expected {_one_of(INITS[self.cell])}"
            raise _Refused("init", told)
        return self


class LabSettings(Choice):
    """A contest of two networks on one task.

    Attributes:
        task: "order", "echo", "adding", "copy" or "next" (character).
        length: steps of a sequence; of "order" the sentences have theirs, of "copy" it is the time
            between reading and repeating.
        delay: of "echo": after so many steps.
        text: of "next": what is read; empty: Python's help topics.
        rows: sequences of a batch.
        seed: of weights and batches; the same settings and seed give the same numbers.
        students: the two networks.
    """

    task: TaskName = "echo"
    length: Annotated[int, Field(ge=2, le=200)] = 30
    delay: Annotated[int, Field(ge=1, le=100)] = 3
    text: Annotated[str, Field(max_length=2000)] = ""
    rows: Annotated[int, Field(ge=1, le=128)] = 32
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 1
    students: tuple[StudentSettings, StudentSettings] = (
        StudentSettings(),
        StudentSettings(cell="LSTM"),
    )

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if self.task == "echo" and self.delay >= self.length:
            told = f"got {self.delay} in a sequence of {self.length}, expected one that is shorter"
            raise _Refused("delay", told)
        if self.task == "next" and self.text and len(set(self.text)) < 2:
            raise _Refused("text", "got one character alone, expected two different ones at least")
        return self


# As the page's form calls them, where that is another name.
LABELS = {
    "hidden_size": "units",
    "init": "begins",
    "clip": "clip above",
    "learning_rate": "learning rate",
    "length": "steps of a sequence",
    "delay": "delay of the echo",
    "rows": "sequences a step",
}
_WORDS = {
    "less than or equal to": "at most",
    "greater than or equal to": "at least",
    "a valid integer": "a whole number",
    "a valid number": "a number",
    "String should have": "a text of",
    "Tuple should have ": "",
}


class ChoiceError(ConfigError):
    """A choice that can't be.

    Attributes:
        place: keys and numbers that lead to the field, such as ("students", 0, "clip").
        told: what is wrong, without the place.
    """

    def __init__(self, place: tuple[str | int, ...], told: str) -> None:
        named = ", ".join(_named(part) for part in place if part != "students")
        super().__init__(f"{named}: {told}" if named else told)
        self.place, self.told = place, told


class _Refused(ValueError):
    """What one field says against another: which is to give way."""

    def __init__(self, field: str, told: str) -> None:
        super().__init__(told)
        self.field = field


ChoiceT = TypeVar("ChoiceT", bound=Choice)


def read_choice(kind: type[ChoiceT], given: Any) -> ChoiceT:
    """`given`, as JSON gives it, as `kind`.

    Raises:
        ChoiceError: a name that there is not, or a value out of its bounds: the first such, with
            its place, in one line.
    """
    import json

    try:
        return kind.model_validate_json(json.dumps(given))
    except (ValidationError, ValueError, TypeError) as error:
        raise _in_words(error) from None


def _in_words(error: Exception) -> ChoiceError:
    if not isinstance(error, ValidationError):
        return ChoiceError(("settings",), str(error))
    first = error.errors(include_url=False)[0]
    place = tuple(part for part in first["loc"] if part != "settings")
    if first["type"] == "value_error":
        refused: _Refused = first["ctx"]["error"]
        return ChoiceError((*place, refused.field), str(refused))
    if first["type"] == "extra_forbidden":
        return ChoiceError(place, "is no setting of the laboratory")
    if first["type"] == "missing":
        return ChoiceError(place, "is missing")
    got = "nothing" if first["input"] == "" else repr(first["input"])
    got = got if len(got) <= 40 else f"{got[:37]}..."
    wanted = first["msg"].removeprefix("Input should be ")
    for theirs, ours in _WORDS.items():
        wanted = wanted.replace(theirs, ours)
    return ChoiceError(place or ("message",), f"got {got}, expected {wanted}")


def _named(part: str | int) -> str:
    return f"network {'AB'[part]}" if isinstance(part, int) else LABELS.get(part, part)


def _one_of(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
