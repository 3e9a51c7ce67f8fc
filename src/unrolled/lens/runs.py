"""From run folders to records: `log.jsonl` is read, and nothing else."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from unrolled.errors import ConfigError, DataError
from unrolled.lens.run_records import (
    FoundSpan,
    GradientLook,
    GradientProfile,
    RunRecord,
    ScoredStep,
)
from unrolled.training.log import LOG, LogReader

# Points of a curve, and looks into the network, that a page shows of a run.
MOST_POINTS = 2_000
MOST_LOOKS = 128
# Runs on one page: more can't be told apart.
MOST_RUNS = 24


def run_folders(paths: Sequence[str | os.PathLike[str]], *, waiting: bool = False) -> list[Path]:
    """The folders with a log: those that are named, or of one without a log those inside of it.

    Args:
        waiting: take one for a run that begins, too: without a log, and without another file.

    Raises:
        DataError: no log in one of them.
        ConfigError: too many.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        inside = (
            [path] if (path / LOG).is_file() else sorted(p.parent for p in path.glob(f"*/{LOG}"))
        )
        if not inside and waiting and _may_begin(path):
            inside = [path]
        if not inside:
            raise _no_run(path)
        found += [one for one in inside if one not in found]
    if len(found) > MOST_RUNS:
        raise ConfigError(
            f"got {len(found)} runs, expected {MOST_RUNS} at most; name fewer folders"
        )
    return found


def _may_begin(folder: Path) -> bool:
    """Whether a run may be about to write here: it makes folders first, and hidden files."""
    return folder.is_dir() and all(
        path.is_dir() or path.name.startswith(".") for path in folder.iterdir()
    )


def _no_run(folder: Path) -> DataError:
    return DataError(
        f"no {LOG} in this folder, expected that of a run, as run_dir= (--run-dir) makes it",
        file=folder,
    )


def names_of(folders: Sequence[Path]) -> list[str]:
    """The last part of each path, and as many before it as it takes to tell them apart."""
    parts = [folder.resolve().parts for folder in folders]
    for last in range(1, max(map(len, parts), default=0) + 1):
        names = ["/".join(one[-last:]) for one in parts]
        if len(set(names)) == len(names):
            return names
    return [str(folder) for folder in folders]


def read_run(folder: str | os.PathLike[str]) -> RunRecord:
    """What a run folder's log tells.

    Raises:
        DataError: no log in it, one that can't be read, or a file that is no log.
    """
    path = Path(folder)
    if not (path / LOG).is_file():
        raise _no_run(path)
    reader = LogReader(path / LOG)
    look_at(reader)
    return record_of(names_of([path])[0], reader)


def look_at(reader: LogReader) -> bool:
    """`reader.read()`, with errors of the package.

    Raises:
        DataError: it can't be read, or holds lines and none of a log.
    """
    try:
        changed = reader.read()
    except OSError as error:
        raise DataError(f"can't be read ({error.strerror})", file=reader.path) from error
    if reader.broken and not reader.records:
        raise DataError(
            "no line of it is that of a run's log; choose another folder", file=reader.path
        )
    return changed


def _mean_of(scale: float) -> Callable[[list[float]], float]:
    """The mean, scaled; of numbers as large as a diverged loss too, whose sum is beyond a float."""

    def mean(values: list[float]) -> float:
        return scale * math.fsum(value / len(values) for value in values)

    return mean


def record_of(name: str, reader: LogReader) -> RunRecord:
    """All that has been read of a log, at most `MOST_POINTS` points of it."""
    records = sorted(reader.records, key=lambda record: record["step"])
    steps = [record for record in records if "loss" in record]
    loss_unit, score_unit, bits = _units(records)
    tokens = _running_total(steps)
    every = _thinned(len(steps), MOST_POINTS)
    points = [steps[k : k + every] for k in range(0, len(steps), every)]
    ends = [point[-1] for point in points]
    read = [*tokens[every - 1 :: every], *(tokens[-1:] if len(tokens) % every else [])]
    clips = [_number(record.get("clip")) for record in ends]
    validation = _validation(records, tokens)
    scored = [one for one in validation if one.score is not None]
    return RunRecord(
        name=name,
        every=every,
        steps=[end["step"] for end in ends],
        seconds=[_number(end.get("seconds")) for end in ends],
        tokens=[_short(total) for total in read],
        loss=_each(points, "loss", _mean_of(bits)),
        low=_each(points, "loss", lambda values: bits * min(values)),
        high=_each(points, "loss", lambda values: bits * max(values)),
        rate=[_short(_number(end.get("rate"))) for end in ends],
        norm=_each(points, "gradient_norm", max),
        clipped=[_clipped(point) for point in points],
        clip=next((clip for clip in reversed(clips) if clip is not None), None),
        validation=validation,
        # The first of equal ones, as in the training.
        best=min(scored, key=lambda one: one.score or 0.0).step if scored else None,
        findings=_findings(records),
        looks=_looks(records),
        notes=_notes(name, reader),
        loss_unit=loss_unit,
        score_unit=score_unit,
    )


def _units(records: list[dict[str, Any]]) -> tuple[str | None, str | None, float]:
    """Of loss and score, and what a loss is multiplied by to be in the first of them."""
    told = next((record["units"] for record in records if "units" in record), None)
    units = told if isinstance(told, dict) else {}
    loss, score = (
        unit if isinstance(unit := units.get(name), str) and unit else None
        for name in ("loss", "held_out")
    )
    if loss and score and loss != score and loss.replace("nats", "bits", 1) == score:
        return score, score, 1 / math.log(2)
    return loss, score, 1.0


def _thinned(count: int, most: int) -> int:
    """How many to put together; a power of two, so that a run that grows changes it seldom."""
    every = 1
    while count > every * most:
        every *= 2
    return every


def _running_total(steps: list[dict[str, Any]]) -> list[float | None]:
    total, totals = 0.0, []
    for record in steps:
        count = _number(record.get("tokens"))
        total = math.nan if count is None else total + count
        totals.append(_number(total))
    return totals


def _each(
    points: list[list[dict[str, Any]]], name: str, taken: Callable[[list[float]], float]
) -> list[float | None]:
    found = []
    for point in points:
        values = [value for record in point if (value := _number(record.get(name))) is not None]
        found.append(_short(taken(values)) if values else None)
    return found


def _clipped(point: list[dict[str, Any]]) -> float | None:
    pairs = [(_number(one.get("gradient_norm")), _number(one.get("clip"))) for one in point]
    known = [norm > clip for norm, clip in pairs if norm is not None and clip is not None]
    return _short(sum(known) / len(known)) if known else None


def _validation(records: list[dict[str, Any]], tokens: list[float | None]) -> list[ScoredStep]:
    found, passed = [], 0
    for record in records:
        passed += "loss" in record
        if "held_out" in record:
            read = tokens[passed - 1] if passed else None
            score, seconds = _number(record["held_out"]), _number(record.get("seconds"))
            found.append(ScoredStep(record["step"], seconds, _short(read), score))
    return found


def _looked(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [record for record in records if isinstance(record.get("diagnostics"), dict)]


def _findings(records: list[dict[str, Any]]) -> list[FoundSpan]:
    """Findings of the same kind at the same place in looks that follow each other are one."""
    spans: list[FoundSpan] = []
    going_on: dict[tuple[str, str, int], FoundSpan] = {}
    for record in _looked(records):
        step, diagnostics = record["step"], record["diagnostics"]
        seen: dict[tuple[str, str, int], FoundSpan] = {}
        for found in _dicts(diagnostics.get("findings")):
            kind, where, text, remedy = (
                str(found.get(name, "")) for name in ("kind", "where", "text", "remedy")
            )
            measured = text.removeprefix(f"{where}: ")
            if remedy:
                measured = measured.removesuffix(f"; {remedy}")
            # Of several of a kind at one place, as of two gates, the order tells them apart.
            key = next((kind, where, nth) for nth in count() if (kind, where, nth) not in seen)
            span = going_on.get(key)
            if span is None:
                span = FoundSpan(step, step, 0, kind, where, measured, remedy, True)
                spans.append(span)
            span.looks += 1
            span.last, span.measured, span.remedy = step, measured, remedy
            span.falling = span.falling and bool(diagnostics.get("falling"))
            seen[key] = span
        going_on = seen
    return spans


def _looks(records: list[dict[str, Any]]) -> list[GradientLook]:
    looks = []
    for record in _looked(records):
        diagnostics = record["diagnostics"]
        found = _dicts(diagnostics.get("findings"))
        layers = [_profile(one, found) for one in _dicts(diagnostics.get("layers"))]
        known = [one for one in layers if one is not None]
        if known:
            looks.append(GradientLook(record["step"], known))
    every = _thinned(len(looks), MOST_LOOKS)
    kept = looks[::every]
    return kept if not looks or kept[-1] is looks[-1] else [*kept, looks[-1]]


def _profile(layer: dict[str, Any], found: list[dict[str, Any]]) -> GradientProfile | None:
    norms, back = layer.get("gradient"), layer.get("gradient_back", [])
    steps, span = _number(layer.get("steps")), _number(layer.get("gradient_steps", 0))
    lists = isinstance(norms, list) and isinstance(back, list)
    if not lists or not norms or steps is None or span is None:
        return None
    where = f"{layer.get('name')}, layer {layer.get('layer')}, {layer.get('direction')}"
    return GradientProfile(
        where=where,
        cell=str(layer.get("cell")),
        steps=int(steps),
        places=[1 + place for place in _places(len(norms), int(steps) - 1)],
        norms=[_short(_number(norm), 4) for norm in norms],
        carried=_short(_number(layer.get("gradient_carried")), 4),
        peak=_short(_number(layer.get("gradient_peak")), 4),
        reach=_number(layer.get("gradient_reach")),
        lags=_places(len(back), int(span)),
        back=[_short(_number(norm), 4) for norm in back],
        found=[str(one.get("kind", "")) for one in found if one.get("where") == where],
    )


def _places(kept: int, last: int) -> list[int]:
    """Which of 0 to `last` a log keeps: so many, spread evenly, the ends among them."""
    return [k * last // max(1, kept - 1) for k in range(kept)]


def _notes(name: str, reader: LogReader) -> list[str]:
    if not reader.records:
        return [f"{name}: nothing in {LOG} yet; the training has not begun its first step"]
    if not reader.broken:
        return []
    lines = ", ".join(map(str, reader.broken[:5])) + (", ..." if len(reader.broken) > 5 else "")
    one = len(reader.broken) == 1
    return [
        f"{name}: {'line' if one else 'lines'} {lines} of {LOG} can't be read and"
        f" {'is' if one else 'are'} left out"
    ]


def _dicts(values: Any) -> list[dict[str, Any]]:
    return [one for one in values if isinstance(one, dict)] if isinstance(values, list) else []


def _number(value: Any) -> float | None:
    """A finite number, or None; bool is none, and a log writes infinity as text."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _short(value: float | None, digits: int = 6) -> float | None:
    return None if value is None else float(f"{value:.{digits}g}")
