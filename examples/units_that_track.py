"""Finds units that track quotes and brackets: python examples/units_that_track.py [budget] [model]

A character model learns Python from the standard library. Of its units those are found that go best
with a property of the code, such as how many brackets are open, on files that it has not learnt;
how well they do is measured on other such files. The model is one that was saved before
(.unrolled); "-" trains one. A third argument draws the unit for brackets (.png or .svg).
"""

from __future__ import annotations

import random
import re
import sys
import sysconfig
from pathlib import Path

from unrolled import Generator, load, trace
from unrolled.lens import PROPERTIES, draw_text, tracking_units
from unrolled.lens.picture import check_picture
from unrolled.training import Budget

# Files that are not learnt: half of them choose a unit, half measure it; and characters of each.
KEPT, CHARACTERS = 20, 2_000
STEPS = 100


def sources() -> list[str]:
    """The modules of the standard library that lie beside each other, shuffled, in plain ASCII."""
    found = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    if len(found) <= 2 * KEPT:
        raise SystemExit("this Python keeps its standard library in another way than as files")
    random.Random(0).shuffle(found)
    texts = (file.read_text(encoding="utf-8") for file in found)
    return [re.sub(r"[^\n -~]", "", text) for text in texts]


def blocks(texts: list[str]) -> str:
    """Functions and classes of each file, whole, so that no string is cut."""
    chosen = []
    for text in texts:
        room = CHARACTERS
        for block in re.split(r"\n(?=def |class )", text)[1:]:
            if len(block) < room:
                chosen.append(block + "\n")
                room -= len(block) + 1
    return "".join(chosen)


def main(budget: str = "8m", model: str = "-", picture: str | None = None) -> None:
    """Train, find the units, say how well they track on other files, draw one of them."""
    if picture is not None:
        check_picture(picture)
    texts = sources()
    if model == "-":
        learnt = "".join(texts[KEPT:])
        steps = Budget.parse(budget).steps
        if steps is not None:  # no more is read in so many steps of 32 rows
            learnt = learnt[: 100_000 + 32 * STEPS * steps]
        network = Generator(
            hidden_size=256, layers=1, dropout=0.0, steps=STEPS, ngram_weight=0, precision="auto"
        )
        network.fit(learnt, budget=budget, holdout=0.02, validation=0.02)
        network.save("python_code.unrolled")
    else:
        saved = load(model)
        assert isinstance(saved, Generator)
        network = saved
    half = KEPT // 2
    choose, measure = (
        trace(network, blocks(part), steps=KEPT * CHARACTERS)
        for part in (texts[:half], texts[half:KEPT])
    )
    for name in PROPERTIES:
        best = tracking_units(choose, name, state="c")[0]
        r, again = best.correlation, best.on(measure, name).correlation
        print(f"{name:14} unit {best.unit:3}: r = {r:+.2f}, {again:+.2f} on other files")
    unit = tracking_units(choose, "brackets", state="c")[0]
    depths, cell = PROPERTIES["brackets"](measure.inputs), unit.values(measure)
    for depth in range(3):
        print(f"where {depth} are open its mean is {cell[depths == depth].mean():+.2f}")
    if picture is not None:
        code = blocks(texts[half + 1 : half + 2])
        shown = trace(network, code[: code.rindex("\n\n", 0, 1500)], steps=1500)
        print(f"drew {draw_text(shown, picture, unit, property='brackets')}")


if __name__ == "__main__":
    main(*sys.argv[1:])
