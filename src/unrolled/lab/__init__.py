"""The laboratory: two networks learn a memory task side by side, live, on a page.

settings    what can be chosen, and its bounds; messages of the page are checked there
exercises   the tasks (`unrolled.data.memory`, `word_order`, `letters`) as a learner meets them
networks    one recurrent layer under a readout, or none
student     a network that learns, one step at a time (`curves`: its history)
looks       what it does with one example: states, answers, the gradient through time
contest     two students on the same batches
presets     the story in six contests, with their texts
session     the worker behind the page
laboratory  the page on 127.0.0.1: `Laboratory`, `run_lab`
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.lazy import door

if TYPE_CHECKING:
    from unrolled.lab.contest import Contest
    from unrolled.lab.laboratory import Laboratory, run_lab
    from unrolled.lab.presets import PRESETS, Preset
    from unrolled.lab.settings import LabSettings, StudentSettings

_HOMES = {
    "Contest": "contest",
    "LabSettings": "settings",
    "Laboratory": "laboratory",
    "PRESETS": "presets",
    "Preset": "presets",
    "StudentSettings": "settings",
    "run_lab": "laboratory",
}

__all__ = [
    "PRESETS",
    "Contest",
    "LabSettings",
    "Laboratory",
    "Preset",
    "StudentSettings",
    "run_lab",
]

__getattr__, __dir__ = door(__name__, _HOMES)
