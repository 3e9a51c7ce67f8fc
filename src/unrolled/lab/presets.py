"""The story in six contests, each with its settings and its texts.

What each is said to show is measured: `tests/lab/test_presets.py` runs them all, with three seeds.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from unrolled.errors import ConfigError
from unrolled.lab.settings import LabSettings, StudentSettings

SENTENCE = "hello yellow fellow "


@dataclass(frozen=True)
class Preset:
    """One contest of the story.

    Attributes:
        name: by which it is asked for. title: as it stands on the page.
        look: what to look at. why: what happens, and why. more: what to try next.
        settings: of the contest.
        shown: what the colours show: "h", or the letter of a gate.
        steps: after so many steps all that is claimed can be seen.
    """

    name: str
    title: str
    look: str
    why: str
    more: str
    settings: LabSettings
    steps: int
    shown: str = "h"

    def to_json(self) -> dict[str, Any]:
        """The preset in plain values."""
        return {**asdict(self), "settings": self.settings.model_dump(mode="json")}


def _clipped(clip: float) -> StudentSettings:
    return StudentSettings(
        cell="RNN", hidden_size=64, init="large", optimizer="sgd", learning_rate=1.0, clip=clip
    )


PRESETS = (
    Preset(
        "order",
        "Order matters",
        "Press Start and watch the scores. One network is right every time within seconds. The"
        " other stays at one half, however long it learns.",
        "Network A is feedforward and reads the mean of all words. “The film was good and not dull”"
        " and “the film was dull and not good” have the same mean, so it must answer both alike,"
        " and is wrong on one. Network B reads word by word and passes a state on from each to the"
        " next: what “not” comes before makes a difference.",
        "Give B only 2 units: that is still enough. Give A 128: that does not help.",
        LabSettings(
            task="order",
            students=(
                StudentSettings(cell="none", hidden_size=32),
                StudentSettings(cell="RNN", hidden_size=16),
            ),
        ),
        300,
    ),
    Preset(
        "memory",
        "Memory",
        "Compare the row of inputs with the answers below the colours: each letter comes back four"
        " steps later. A tick stands under each that is right.",
        "Nobody tells a network what to keep. To say the letter of four steps ago it must hold the"
        " last four at once and shift them at every step. Both networks have the same loop, but A"
        " has 4 numbers to write on and B has 32. The state is the memory, and A's is too small.",
        "Raise the delay of the echo until B fails too, then give it more units.",
        LabSettings(
            task="echo",
            length=30,
            delay=4,
            students=(
                StudentSettings(cell="RNN", hidden_size=4),
                StudentSettings(cell="RNN", hidden_size=32),
            ),
        ),
        600,
    ),
    Preset(
        "unfolding",
        "Unfolding",
        "Open the loop with the button above the chain, then press Start: the tiles of each step"
        " are B's state after that letter, and above them stands its guess of the next one.",
        "A recurrent network is one cell whose output goes back into itself. Written out over time"
        " it is a chain: the same cell with the same weights at every step, and the state flowing"
        " to the right. After the first l of “hello” comes another l, after the second an o. A has"
        " no loop: both times it sees an l and nothing else, so it can't tell. The chain is also"
        " what is learnt on: the error runs back along it, from right to left.",
        "Write a text of your own in the settings, such as your name three times.",
        LabSettings(
            task="next",
            text=SENTENCE,
            length=20,
            students=(
                StudentSettings(cell="none", hidden_size=32),
                StudentSettings(cell="RNN", hidden_size=32, learning_rate=0.01),
            ),
        ),
        500,
    ),
    Preset(
        "vanishing",
        "Vanishing",
        "Before you start, look at the gradient through time. It enters on the right, with the"
        " error of the last step, and runs back to the left.",
        "Going back one step multiplies the gradient by the step's derivative. In the plain RNN it"
        " shrinks each time: after 60 steps a millionth of a millionth is left, less than rounding"
        " keeps. So A can't find out that a number early on mattered, and goes on guessing 1. The"
        " LSTM carries its memory past the steps almost unchanged; the gradient arrives, and B"
        " learns the sum.",
        "Make the sequence 10 steps long: in a thousand steps the RNN learns, too. Then try 100"
        " with a GRU that begins with “gates open for long”.",
        LabSettings(
            task="adding",
            length=60,
            students=(
                StudentSettings(cell="RNN", learning_rate=0.01),
                StudentSettings(cell="LSTM", init="chrono", learning_rate=0.01),
            ),
        ),
        900,
    ),
    Preset(
        "exploding",
        "Exploding and clipping",
        "Before you start, look at the gradient through time: on its way back to the left it grows,"
        " beyond the line of exploding. Press One step a few times, look again, then press Start.",
        "Both are the same RNN with the same large weights: a step back multiplies the gradient by"
        " more than 1, and 60 steps by thousands. A's first steps of learning are leaps: its units"
        " are thrown to -1 and 1 and stay there, no gradient comes back any more, and A is lost."
        " B's gradient is clipped: where it is longer than 1 it is shortened to 1. Its direction"
        " stays, the leap becomes a step, and B learns. Then B's line falls, too: a few letters are"
        " all that it needs to remember.",
        "Clip A's gradient at 1, too: then both are the same. Or let A begin “orthogonal”: the"
        " factor is 1 at most, and on its way back the gradient no longer grows.",
        LabSettings(
            task="next",
            text=SENTENCE,
            length=60,
            students=(_clipped(0.0), _clipped(1.0)),
        ),
        500,
    ),
    Preset(
        "gates",
        "Gates",
        "The colours show the forget gate: where it is open (orange), a unit keeps what it has;"
        " where it is half shut, half is lost at every step. Watch A's line of the gradient through"
        " time, too.",
        "Both are the same LSTM. Its memory is c = f · c + i · g, so on its way back through time"
        " the gradient is multiplied by f. A's gates begin near one half: over 60 steps next to"
        " nothing comes through, and for long it learns nothing. B's begin open, some for a few"
        " steps and some for the whole sequence, and it learns at once. When A finds out how to"
        " open its gates, its line rises, and only then its score.",
        "Let A begin with “forget gate open”, or make the sequence 120 steps long. Then take GRUs:"
        " their gate is z.",
        LabSettings(
            task="adding",
            length=60,
            students=(
                StudentSettings(cell="LSTM", hidden_size=16, learning_rate=0.01),
                StudentSettings(cell="LSTM", hidden_size=16, init="chrono", learning_rate=0.01),
            ),
        ),
        700,
        shown="f",
    ),
)


def preset_of(name: object) -> Preset:
    """The preset of that name.

    Raises:
        ConfigError: there is none.
    """
    for preset in PRESETS:
        if preset.name == name:
            return preset
    known = ", ".join(preset.name for preset in PRESETS)
    raise ConfigError(f"preset: got {name!r}, expected one of {known}")
