"""The Python about texts on the page about the rivals runs."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

PAGE = Path(__file__).parents[2] / "docs" / "baselines.md"


def test_the_examples_about_words_labels_tags_translations_and_recordings_run() -> None:
    text = PAGE.read_text(encoding="utf-8").partition("### Next words\n")[2]
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 6
    names: dict[str, object] = {
        "text": "the value of the attribute. the value of the name. " * 3,
        "texts": ["not a bad film", "a good film", "a bad film", "a dull film"] * 5,
        "labels": ["positive", "positive", "negative", "negative"] * 5,
        "sentences": [["They", "can", "fish", "."], ["The", "can", "is", "empty", "."]] * 4,
        "tags": [["PRON", "AUX", "VERB", "PUNCT"], ["DET", "NOUN", "AUX", "ADJ", "PUNCT"]] * 4,
        "sources": ["das", "Haus", "ist", "alt", ".", "das Haus ist alt."],
        "frames": [np.eye(size, 2) * [1, 2] for size in (3, 4, 5)],
        "said": ["one", "two", "two"],
        "targets": ["the", "house", "is", "old", ".", "the house is old."],
    }
    answers: list[object] = []
    for block in blocks:
        *lines, last = block.strip().splitlines()
        exec(compile("\n".join(lines), str(PAGE), "exec"), names)
        answers.append(eval(compile(last.partition("  #")[0], str(PAGE), "eval"), names))
    suggested, shares, tagged, translated, heard, confused = answers
    assert suggested[0][0] == "attribute"  # type: ignore[index]
    assert shares.shape == (1, 2)  # type: ignore[attr-defined]
    assert tagged == [("PRON", "AUX", "VERB", "PUNCT")]
    assert translated == ["The house is old."]
    assert heard == ["two"] * 3
    assert confused == (("cat", "hat", 1),)
