"""The check that a recogniser that goes on learning hears as it did before."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from unrolled.data.recordings import Recordings
from unrolled.data.sound_file import features_of
from unrolled.errors import ConfigError
from unrolled.tasks.same_tokens import check_same, check_same_tokens
from unrolled.tasks.transcribing.framing import Framing
from unrolled.tasks.transcribing.heads import head_of
from unrolled.tasks.transcribing.settings import SIZES

if TYPE_CHECKING:
    from unrolled.tasks.transcribing.answering import Answering

_ANEW = "use warm_start=False to begin anew"


def check_same_hearing(task: Answering, learnt: Recordings) -> None:
    """ConfigError where a warm start is asked for other symbols, labels, frames or sizes than are
    there, by the task's arguments or by what it is to learn.

    Args:
        task: fitted, with its arguments as attributes; those that are None are as before.
        learnt: what it is to go on with.
    """
    _check_frames(task.framing, learnt)
    if learnt.labelled != task.labelled:
        raise ConfigError(
            "warm_start: the model that is there learnt"
            f" {'labels' if task.labelled else 'transcripts'}; {_ANEW}"
        )
    if task.symbols is not None:
        check_same_tokens(task, {"tokenizer": task.symbols.kind}, len(task.symbols))
    new = sorted(set(learnt.texts) - set(task.labels)) if task.labelled else []
    if new:
        raise ConfigError(
            f"warm_start: got the label {new[0]!r}, which the model that is there does not"
            f" know; {_ANEW}"
        )
    if not task.labelled:
        check_same(task, {"head": head_of(task.model).name})
    settings = asdict(task.settings)
    there = {name: settings[name] for name in SIZES}
    of_bands = task.framing.centres is not None
    there |= {"sample_rate": task.framing.rate, "bands": task.framing.size if of_bands else None}
    check_same(task, {name: one for name, one in there.items() if getattr(task, name) is not None})


def _check_frames(framing: Framing, learnt: Recordings) -> None:
    kind = "features" if framing.mel is None else "sound"
    if learnt.kind != kind:
        told = {"sound": "sound", "features": "ready-made features"}
        raise ConfigError(
            f"warm_start: got {told[learnt.kind]}, but the model that is there hears {told[kind]};"
            f" {_ANEW}"
        )
    if framing.mel is not None:
        return
    first = learnt.items[0]
    width, there = features_of(first).shape[1], framing.cepstra or framing.size
    if width != there:
        raise ConfigError(
            f"warm_start: got features of {width} numbers a frame, but the model that is there"
            f" reads {there}; {_ANEW}"
        )
    if not abs(first.rate * framing.seconds - 1) <= 1e-6:
        raise ConfigError(
            f"warm_start: got {first.rate:g} frames a second, but the model that is there reads"
            f" {framing.frame_rate:g}; {_ANEW}"
        )
