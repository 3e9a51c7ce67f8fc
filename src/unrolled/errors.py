"""Everything that `unrolled` raises or warns of on purpose.

    UnrolledError
    ├── DataError            a file or frame that can't be used as it is
    ├── ConfigError          an argument or option with a value that can't work  (also ValueError)
    ├── ShapeError           a tensor of the wrong shape                 (also torch's RuntimeError)
    ├── DTypeError           a tensor of the wrong dtype                          (also TypeError)
    ├── ModelFileError       a model file (`.unrolled`, ONNX) that is truncated, foreign or too new
    ├── ParityError          a converted or exported layer that gives other numbers
    ├── OutputError          a file or folder that can't be written               (also OSError)
    ├── NotFittedError       `predict`, `save`, ... before `fit`                  (also ValueError)
    ├── TrainingDiverged     a loss or gradient became NaN or infinite
    └── MissingExtra         an optional part is not installed                    (also ImportError)

    UnrolledWarning          also UserWarning
    ├── DataWarning              what the data doctor found that may spoil what is learnt
    └── Finding              what a look into a network found; names a place and a remedy
        ├── VanishingGradient    the gradient does not reach the first steps
        ├── ExplodingGradient    the gradient grows on its way to the first steps
        ├── SaturatedGates       gates that are stuck open or shut
        ├── DeadUnits            relu units that are zero at every step
        ├── StateBlowUp          a state that grows beyond the trained length
        ├── LeakBetweenRows      another row of the batch changes a row
        └── LeakFromPadding      what stands beyond a row's length changes a row

Each message is one plain line: what was got, what was expected, where, and what to do next.
"""

from __future__ import annotations

from os import PathLike, fspath


class UnrolledError(Exception):
    """Base of everything that the package raises on purpose."""


class DataError(UnrolledError):
    """A file or frame that can't be used as it is.

    Args:
        message: what was got, what was expected, and what to do.
        file: the file that it was read from, or None where the data came as an object.
        line: line in the file, the header being line 1; None where the whole file is meant.
        column: name of the column.

    The text reads `prices.csv, line 17, column 'close': <message>`, as far as known.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str | PathLike[str] | None = None,
        line: int | None = None,
        column: str | None = None,
    ) -> None:
        self.file = None if file is None else fspath(file)
        self.line = line
        self.column = column
        place = [
            *([self.file] if self.file is not None else []),
            *([f"line {line}"] if line is not None else []),
            *([f"column {column!r}"] if column is not None else []),
        ]
        super().__init__(f"{', '.join(place)}: {message}" if place else message)


class ConfigError(UnrolledError, ValueError):
    """An argument or option with a value that can't work."""


class ShapeError(UnrolledError, RuntimeError):
    """A tensor of the wrong shape: which argument, what came, what was expected."""


class DTypeError(UnrolledError, TypeError):
    """A tensor of the wrong dtype: which argument, what came, what was expected."""


class ModelFileError(UnrolledError):
    """A model file that can't be read: truncated, of another kind, or from a newer version."""


class ParityError(UnrolledError):
    """A converted or exported layer that does not give the numbers of the one it was made from.

    Args:
        report: what was compared, and how far apart it is.
    """

    def __init__(self, message: str, report: object = None) -> None:
        self.report = report
        super().__init__(message)


class OutputError(UnrolledError, OSError):
    """A file or folder that can't be written; nothing that stood there was touched."""


class NotFittedError(UnrolledError, ValueError):
    """A model was asked for something that needs `fit` first."""


class TrainingDiverged(UnrolledError):
    """A loss or gradient became NaN or infinite.

    Args:
        step: the step (from 1) at which it was seen.
        tensor: name of the first tensor that was not finite.
        remedy: what to change, by the name of the argument.
    """

    def __init__(self, step: int, tensor: str, remedy: str) -> None:
        self.step = step
        self.tensor = tensor
        self.remedy = remedy
        super().__init__(f"training diverged at step {step}: {tensor} is not finite; {remedy}")


class MissingExtra(UnrolledError, ImportError):
    """An optional part is not installed; the message holds the pip line that installs it."""

    def __init__(self, extra: str, what: str) -> None:
        self.extra = extra
        super().__init__(f"{what} needs the extra {extra!r}: pip install 'unrolled[{extra}]'")


class UnrolledWarning(UserWarning):
    """Base of everything that the package warns of about a network."""


class DataWarning(UnrolledWarning):
    """What the data doctor found that may spoil what is learnt."""


class Finding(UnrolledWarning):
    """What a look into a network found.

    Args:
        where: name of the module, layer and direction.
        measured: what was measured, and the threshold that it crossed.
        remedy: what to change, by the name of the argument.

    The text is the three in one line. Thresholds, their sources and the remedies stand in
    `docs/diagnostics.md`.
    """

    def __init__(self, where: str, measured: str, remedy: str) -> None:
        self.where = where
        self.measured = measured
        self.remedy = remedy
        super().__init__(f"{where}: {measured}; {remedy}")

    def __reduce__(self) -> tuple[type[Finding], tuple[str, str, str]]:
        return type(self), (self.where, self.measured, self.remedy)


class VanishingGradient(Finding):
    """The gradient of the loss by the state fades on its way to the first steps."""


class ExplodingGradient(Finding):
    """The gradient of the loss by the state grows on its way to the first steps."""


class SaturatedGates(Finding):
    """Nearly all values of a gate are stuck at an end of its range, where it has no gradient."""


class DeadUnits(Finding):
    """Many relu units of the state are zero at every step: no gradient reaches them."""


class StateBlowUp(Finding):
    """The state grows on and on where sequences are longer than those of the training."""


class LeakBetweenRows(Finding):
    """The output of a row depends on what stands in other rows of the batch."""


class LeakFromPadding(Finding):
    """The output of a row depends on what stands beyond its length."""
