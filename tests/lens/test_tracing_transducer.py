"""A traced transducer: its numbers are the network's after what was heard before each step."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

import unrolled
from unrolled.data.recordings import Recording
from unrolled.lens import Trace, trace
from unrolled.tasks.transcribing.heads import TransducerHead
from unrolled.tasks.transcribing.lessons import heard as answers_of
from unrolled.tasks.transcribing.transcripts import searched

from ..tasks.transcribing import small


@pytest.fixture(scope="module")
def hearing() -> unrolled.Transcriber:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = unrolled.Transcriber(
            *("characters", None, "gru", 24, 1),
            **{"head": "transducer", "augment": 0.0, "dropout": 0.0, "bands": 16, "channels": 4},
            **{"batch_seconds": 4.0, "learning_rate": 1e-2, "average": 0.9, "subsampling": 4},
        )
        return model.fit(
            small.spoken(120),
            **{"validation": 0, "holdout": 0, "budget": "150 steps"},
            **{"progress": False, "diagnose": False},
        )


@pytest.fixture(scope="module")
def item() -> Recording:
    return small.spoken(3, 5).items[2]


@pytest.fixture(scope="module")
def seen(hearing: unrolled.Transcriber, item: Recording) -> Trace:
    return trace(hearing, (item.values, small.RATE))


def test_words_and_rivals_are_those_of_transcribe_and_explain(
    hearing: unrolled.Transcriber, seen: Trace, item: Recording
) -> None:
    (said,) = hearing.explain((item.values, small.RATE))
    assert seen.heard is not None
    assert seen.alike is not None
    assert (
        seen.heard.text == said.transcript.text == hearing.predict([(item.values, small.RATE)])[0]
    )
    assert len(seen.heard.words) > 1
    spans = [(one.start, one.end) for one in said.transcript.words]
    np.testing.assert_allclose(seen.heard.spans, spans)
    assert list(seen.alike.words) == said.to_dict()["words"]


def test_what_the_steps_say_is_all_that_was_heard(seen: Trace) -> None:
    assert seen.heard is not None
    assert seen.spectrogram is not None
    assert seen.heard.repeats
    assert "".join(seen.spectrogram.path) == seen.heard.text
    # A step says several, or none.
    assert max(map(len, seen.spectrogram.path)) > 1
    assert "" in seen.spectrogram.path


def test_probabilities_are_those_of_the_joiner_after_what_was_heard_before(
    hearing: unrolled.Transcriber, seen: Trace, item: Recording
) -> None:
    head, symbols = TransducerHead(hearing.model), hearing.symbols
    assert symbols is not None
    (answer,) = answers_of(hearing.model, [hearing.framing.frames(item)])
    ((best, *_),) = searched([answer], head, 8, None)
    said, state = head.begin()
    want, place = [], 0
    for at, frame in enumerate(answer):
        want.append(np.exp(head.join(frame, said)[0]))
        while place < len(best.tokens) and best.frames[place][0] == at:
            said, state = head.say(np.array([best.tokens[place]]), state)
            place += 1
    assert seen.heard is not None
    kept = [symbols.pieces.index(name) for name in seen.heard.names]
    np.testing.assert_allclose(seen.heard.chances, np.stack(want)[:, kept], atol=1e-5)


def test_the_gradient_is_that_of_what_the_text_costs(
    hearing: unrolled.Transcriber, item: Recording
) -> None:
    for told in (None, "low mid"):
        given = (item.values, small.RATE)
        found = trace(hearing, given if told is None else (given, told))
        assert [layer.name for layer in found.layers] == ["recurrent"]
        model, kept = hearing.model.eval(), []

        def keep(_: object, __: object, output: tuple[torch.Tensor, object], kept=kept) -> None:
            output[0].retain_grad()
            kept.append(output[0])

        handle = model.recurrent.register_forward_hook(keep)
        frames = torch.from_numpy(hearing.framing.frames(item)).unsqueeze(1)
        heard, _ = model(frames)
        handle.remove()
        assert found.heard is not None
        assert hearing.symbols is not None
        (target,) = hearing.symbols.encode([told or found.heard.text])
        model.loss(heard, torch.from_numpy(target)[:, None]).backward()
        model.zero_grad()
        want = kept[0].grad[-1, 0].numpy() * len(target)
        np.testing.assert_allclose(found.layers[0].gradients["h"][-1], want, atol=1e-5)
        assert np.abs(want).max() > 1e-4
        assert ("was given" if told else "it hears") in found.loss


def test_the_influence_is_measured_and_the_prediction_network_is_noted(seen: Trace) -> None:
    assert seen.influence is not None
    assert np.isfinite(seen.influence.size).all()
    assert seen.influence.size.max() > 0
    assert any("prediction network" in note for note in seen.notes)
    assert any("as the first of any step" in note for note in seen.notes)


def test_a_text_that_is_given_is_aligned_in_order(
    hearing: unrolled.Transcriber, seen: Trace, item: Recording
) -> None:
    found = trace(hearing, ((item.values, small.RATE), f"{item.text} qu"))
    assert found.heard is not None
    assert seen.heard is not None
    assert found.heard.text == seen.heard.text
    assert found.heard.reference[: len(item.text.split())] == tuple(item.text.split())
    assert (np.diff(found.heard.reference_spans[:, 0]) >= 0).all()
    assert any("does not know" in note or "do not know" in note for note in found.notes)


def test_of_a_sound_in_which_nothing_is_heard_there_is_a_page(
    hearing: unrolled.Transcriber, tmp_path: Path
) -> None:
    found = trace(hearing, (small.tone([], 1), small.RATE))
    assert found.heard is not None
    assert (found.heard.text, found.heard.words, found.alike) == ("", (), None)
    assert found.to_html(tmp_path / "quiet.html").stat().st_size > 0


def test_a_file_of_it_keeps_that_symbols_repeat(seen: Trace, tmp_path: Path) -> None:
    again = Trace.load(seen.save(tmp_path / "a.trace"))
    assert again.heard is not None
    assert again.heard.repeats


def test_the_same_symbol_on_two_steps_is_drawn_twice() -> None:
    from unrolled.lens.picture_sound import _runs

    path = ("l", "l", "", "l")
    assert [one.name for one in _runs(path, 0.4, True)] == ["l", "l", "l"]
    assert [one.name for one in _runs(path, 0.4, False)] == ["l", "l"]


def test_what_the_language_had_a_say_in_is_noted(
    hearing: unrolled.Transcriber, item: Recording
) -> None:
    given = (item.values, small.RATE)
    assert not any("the language has a say" in note for note in trace(hearing, given).notes)
    try:
        hearing.bias(["low high"])
        found = trace(hearing, given)
    finally:
        hearing.bias(None)
    assert any("has a say, too: 1 hot word." in note for note in found.notes)
