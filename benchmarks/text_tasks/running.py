"""The running answer of a classifier: does it turn at a negation, and is it right at the end?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from run_folder import tell

import unrolled
from text_tasks.runs import Request, file_of
from unrolled import Classifier
from unrolled.errors import ConfigError

# A smaller step is no turn.
STEP = 0.05
POSITIVE = ("pos", "positive", "1", "good")


@dataclass(frozen=True)
class Sentence:
    """A sentence, the place of its negation among its words, and whether it praises."""

    text: str
    negation: str
    positive: bool

    @property
    def words(self) -> list[str]:
        return self.text.split()

    @property
    def place(self) -> int:
        return self.words.index(self.negation)


# The first is the issue's; half of them praise.
SENTENCES = (
    Sentence("the film is not good", "not", False),
    Sentence("this is not a great movie", "not", False),
    Sentence("i did not like the ending", "not", False),
    Sentence("the jokes are not funny", "not", False),
    Sentence("the actors are not convincing at all", "not", False),
    Sentence("it is never exciting", "never", False),
    Sentence("i would not recommend it to anyone", "not", False),
    Sentence("there is nothing interesting in this story", "nothing", False),
    Sentence("the hero has no charm", "no", False),
    Sentence("nobody in this film can act", "nobody", False),
    Sentence("the film is not bad at all", "not", True),
    Sentence("it is never boring", "never", True),
    Sentence("there is nothing wrong with this movie", "nothing", True),
    Sentence("i was not disappointed", "not", True),
    Sentence("the story is not dull", "not", True),
    Sentence("you will not regret watching it", "not", True),
    Sentence("this is not a waste of time", "not", True),
    Sentence("the ending is not weak", "not", True),
    Sentence("it never gets tiresome", "never", True),
    Sentence("the plot has no flaws", "no", True),
)


class Streams(Protocol):
    """What answers word by word."""

    def step(self, text: str, state: Any = None) -> tuple[dict[str, float], Any]:
        """The probability of each label after a word, and the new state."""
        ...


def run(request: Request) -> list[dict[str, Any]]:
    """The parts of the result: of a classifier of sentiment that was trained before."""
    model = unrolled.load(file_of(request.model, "Classifier"))
    if not isinstance(model, Classifier):
        raise ConfigError(f"{request.model}: holds a {type(model).__name__}, expected a Classifier")
    return [part(model, positive_of(model.labels.names))]


def part(model: Streams, positive: str) -> dict[str, Any]:
    """Every sentence word by word, and how often what is asked is so."""
    rows, right, turned = [], [], []
    for sentence in SENTENCES:
        chances = answers(model, sentence.words, positive)
        right.append(is_right(sentence, chances))
        turned.append(turns(sentence, chances))
        told = " ".join(f"{w} {p:.2f}" for w, p in zip(sentence.words, chances, strict=True))
        rows.append([told, _yes(sentence.positive), _yes(right[-1]), _yes(turned[-1])])
        tell(" | ".join(rows[-1]))
    shares = {
        f"right at the end, of {len(right)}": float(sum(right)),
        f"turned at the negation or the word after it, of {len(turned)}": float(sum(turned)),
        "both": float(sum(a and b for a, b in zip(right, turned, strict=True))),
    }
    return {
        "part": "negations",
        "held out": "sentences that were written for it",
        "scores": {"running answer": shares},
        "shown": {
            "head": [
                f"words, each with the probability of {positive!r}",
                "praises",
                "right at the end",
                "turned there",
            ],
            "rows": rows,
        },
    }


def positive_of(names: Sequence[str]) -> str:
    """The label that means praise.

    Raises:
        ConfigError: there is none, or more than two labels.
    """
    found = [name for name in names if name.lower() in POSITIVE]
    if len(names) != 2 or len(found) != 1:
        raise ConfigError(
            f"got the labels {', '.join(names)}, expected two, one of them {', '.join(POSITIVE)}"
        )
    return found[0]


def answers(model: Streams, words: Sequence[str], positive: str) -> list[float]:
    """The probability that the text praises, after each word."""
    state, found = None, []
    for word in words:
        chances, state = model.step(word, state)
        found.append(chances[positive])
    return found


def is_right(sentence: Sentence, chances: Sequence[float]) -> bool:
    """Whether the last answer is."""
    return (chances[-1] > 0.5) == sentence.positive


def turns(sentence: Sentence, chances: Sequence[float]) -> bool:
    """Whether at the negation, or at the word after it, the answer moves a clear step towards the
    right side and stands on it."""
    sign = 1 if sentence.positive else -1
    sure = [0.0, *(sign * (chance - 0.5) for chance in chances)]
    places = (sentence.place, sentence.place + 1)
    return any(
        sure[at + 1] > 0 and sure[at + 1] - sure[at] >= STEP for at in places if at + 1 < len(sure)
    )


def _yes(so: bool) -> str:
    return "yes" if so else "no"
