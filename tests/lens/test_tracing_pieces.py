"""What was read is shown as it was written, whatever the tokens, and answers are the model's."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import unrolled
from unrolled import Generator
from unrolled.data.tokens import Characters, Subwords
from unrolled.errors import ConfigError
from unrolled.lens import Trace, trace
from unrolled.lens.tracing_pieces import written

TEXT = "".join(
    f"{n} and {n} make {n + n}, says the caf\u00e9\u2019s book. \U0001f98a\n" for n in range(60)
)
PIECES = {
    "subwords": Subwords.learn([TEXT], vocabulary_size=330),
    "characters": Characters.learn([TEXT]),
}

pytestmark = pytest.mark.filterwarnings("ignore::unrolled.tasks.evaluation.NetworkLoses")


@pytest.mark.parametrize("kind", PIECES)
@given(text=st.text(st.characters() | st.sampled_from("\ud83d\udc0d \n"), max_size=60))
@settings(deadline=None)
def test_inputs_joined_are_the_text(kind: str, text: str) -> None:
    vocabulary = PIECES[kind]
    ids = vocabulary.encode(text)
    pieces, joined = written(text, vocabulary, ids)
    assert joined
    assert len(pieces) == len(ids)
    assert "".join(pieces) == text


def test_a_piece_is_what_its_token_stands_for() -> None:
    vocabulary = PIECES["subwords"]
    ids = vocabulary.encode("7 and 8 make")
    pieces, _ = written("7 and 8 make", vocabulary, ids)
    assert pieces == tuple(vocabulary.pieces[number] for number in ids)
    # A character of three bytes that was not learnt stands at the token that completes it.
    text = "a\u4e2d b"
    ids = vocabulary.encode(text)
    pieces, _ = written(text, vocabulary, ids)
    place = pieces.index("\u4e2d")
    assert pieces[place - 2 : place] == ("", "")
    assert vocabulary.decode(ids[place - 2 : place + 1]) == "\u4e2d"


@pytest.mark.parametrize("kind", ["characters", "subwords"])
def test_a_generator_shows_the_text_and_of_a_long_one_its_end(kind: str) -> None:
    model = Generator(kind, hidden_size=8, embedding_size=4, rows=2, steps=8).fit(
        TEXT, budget=2, progress=False
    )
    text = "7 and \u00e9 na\u00efve \U0001f40d\tmake"
    found = trace(model, text)
    assert "".join(found.inputs) == text
    assert found.joined
    assert trace(model, text, steps=5).inputs == found.inputs[-5:]


def judged(kind: str, **options: Any) -> Any:
    texts = [f"{n} is {'quite small' if n < 30 else 'rather large'}" for n in range(60)]
    model = unrolled.Classifier(kind, hidden_size=10, embedding_size=6, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(
            (texts, ["a" if n < 30 else "b" for n in range(60)]), budget=20, progress=False
        )


@pytest.mark.parametrize("steps", [1000, 3])
@pytest.mark.parametrize("kind", ["words", "subwords", "characters"])
def test_the_running_answer_is_that_of_the_whole_model(kind: str, steps: int) -> None:
    judge = judged(kind, directions=1)
    assert judge.linear_path is not None
    text = "7 is quite  small"
    found = trace(judge, text, steps=steps)
    assert found.joined is (kind != "words")
    running = list(judge.running(text))
    assert [word for word, _ in running] == text.split()
    places = list(range(4))
    if found.joined:
        ends = np.cumsum([len(piece) for piece in trace(judge, text).inputs])
        places = [int(np.searchsorted(ends, word.end())) for word in re.finditer(r"\S+", text)]
    left_out = len(judge.vocabulary.encode(text)) - len(found)
    for place, (_, chances) in zip(places, running, strict=True):
        if place >= left_out:
            np.testing.assert_allclose(
                found.answers.chances[place - left_out],
                list(chances.values()),
                rtol=1e-4,
                atol=1e-5,
            )
    np.testing.assert_allclose(
        found.answers.chances[-1], judge.predict_proba(text), rtol=1e-4, atol=1e-5
    )
    assert found.notes[-1] == (
        "A linear path of n-grams answers together with the network; it has no states to show."
    )
    assert found.loss == f"what the answer \u201c{judge.predict(text)}\u201d costs"


def test_pieces_survive_the_file(tmp_path: Path) -> None:
    judge = judged("subwords", directions=1)
    found = trace(judge, "7 is \U0001f40d small")
    back = Trace.load(found.save(tmp_path / "a.trace"))
    assert back.inputs == found.inputs
    assert back.joined
    half = trace(judge, "7 is \ud83d small")
    assert "".join(half.inputs) == "7 is \ud83d small"
    half.to_html(tmp_path / "a.html")
    with pytest.raises(ConfigError, match="half of a surrogate pair"):
        half.save(tmp_path / "b.trace")
    assert not (tmp_path / "b.trace").exists()
