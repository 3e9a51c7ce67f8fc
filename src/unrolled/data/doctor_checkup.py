"""`Checkup` and `DataFinding`: what the data doctor found, as records, as text and as a frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import polars

_LINES_PER_KIND = 3
_KINDS = (
    "leak",
    "one label",
    "across splits",
    "contradiction",
    "tags",
    "unreadable",
    "cut short",
    "too long to say",
    "misaligned",
    "pace",
    "silence",
    "clipping",
    "mixed rates",
    "mixed channels",
    "language",
    "length ratio",
    "identical",
    "encoding",
    "characters",
    "unit change",
    "too short",
    "few known",
    "constant",
    "outliers",
    "negative",
    "irregular",
    "duplicate",
    "several targets",
    "gaps",
    "late start",
    "early end",
    "imbalance",
    "few examples",
    "unseen",
    "empty",
    "unlabelled",
    "long",
    "silence around",
    "offset",
)


@dataclass(frozen=True)
class DataFinding:
    """One thing that the doctor found in one series, or in texts.

    Attributes:
        kind: "leak", "unit change", "too short", "few known", "constant", "outliers", "negative",
            "irregular", "duplicate", "gaps", "late start", "early end", or another kind of note
            that the reader of the data left; of texts and recordings, those of
            `examine_texts`, `examine_pairs` and `examine_recordings`.
        series: name of the series; None where it holds for all of them; "" in texts.
        time: where in the series it is, or begins; None where the whole series is meant. Of texts,
            which one: "text 17", counted from 0; of pairs "line 17" of the file, counted from 1.
        column: name of the covariate; None where the series itself is meant. Of texts, the label or
            tag.
        text: what was found.
        done: what was done about it, or what the reader may do.
        severity: "warning" where forecasts may be wrong for it, else "note".

    `str(finding)` is all of it in one line.
    """

    kind: str
    series: str | None
    time: str | None
    column: str | None
    text: str
    done: str
    severity: Literal["note", "warning"] = "note"

    def __str__(self) -> str:
        if self.series == "":
            place, column = [], "label"
        else:
            place = ["all series" if self.series is None else f"series {self.series!r}"]
            column = "column"
        place += [f"{column} {self.column!r}"] if self.column is not None else []
        place += [self.time] if self.time is not None else []
        where = f"{', '.join(place)}: " if place else ""
        return f"{self.kind}: {where}{self.text}; {self.done}"


@dataclass(frozen=True)
class Checkup:
    """What the data doctor says of a set of series.

    Attributes:
        about: the set in one line: how many series, how long, of which (inferred) frequency.
        findings: warnings first, then by kind, each kind in the order that the doctor chose.

    `str(checkup)` shows at most three findings of a kind and counts the other series.
    """

    about: str
    findings: tuple[DataFinding, ...] = ()

    @classmethod
    def of(cls, about: str, findings: Iterable[DataFinding]) -> Checkup:
        """The findings in their order."""
        order = {kind: place for place, kind in enumerate(_KINDS)}
        return cls(
            about,
            tuple(
                sorted(
                    findings,
                    key=lambda one: (
                        one.severity != "warning",
                        order.get(one.kind, len(order)),
                        one.kind,
                    ),
                )
            ),
        )

    def __len__(self) -> int:
        return len(self.findings)

    def __iter__(self) -> Iterator[DataFinding]:
        return iter(self.findings)

    def __str__(self) -> str:
        if not self.findings:
            return f"{self.about}: nothing to report"
        lines = [self.about]
        for (severity, _), group in groupby(self.findings, lambda one: (one.severity, one.kind)):
            found = list(group)
            lines += [f"{severity}: {one}" for one in found[:_LINES_PER_KIND]]
            rest = found[_LINES_PER_KIND:]
            shown = {one.series for one in found[:_LINES_PER_KIND]}
            others = {one.series for one in rest} - shown
            if others:
                lines.append(f"    ... and {len(others):,} more series")
            elif rest:
                these = " of these series" if rest[0].series != "" else ""
                lines.append(f"    ... and {len(rest):,} more{these}")
        return "\n".join(lines)

    @property
    def warnings(self) -> tuple[DataFinding, ...]:
        """The findings for which forecasts may be wrong."""
        return tuple(one for one in self.findings if one.severity == "warning")

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, dicts and text, for JSON."""
        return asdict(self) | {"findings": [asdict(one) for one in self.findings]}

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Checkup:
        """What `to_dict` wrote."""
        return cls(record["about"], tuple(DataFinding(**one) for one in record["findings"]))

    def to_frame(self) -> polars.DataFrame:
        """A row for each finding; the columns are the attributes of `DataFinding`, all text."""
        import polars as pl

        return pl.DataFrame(
            [asdict(one) for one in self.findings],
            schema={name: pl.String for name in DataFinding.__dataclass_fields__},
        )
