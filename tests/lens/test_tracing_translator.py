"""A traced translator: its numbers are the network's, and its answer is what `predict` says."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import unrolled
from unrolled.errors import ConfigError
from unrolled.lens import Trace, trace

NUMBERS = ("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun")
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SENTENCE = "sechs drei fünf"


def pairs() -> list[tuple[str, str]]:
    """Digits in two languages, read in the other order."""
    drawn = np.random.default_rng(0).integers(0, 10, (300, 3))
    return [
        (" ".join(NUMBERS[k] for k in row), " ".join(WORDS[k] for k in row[::-1])) for row in drawn
    ]


def fitted(**options: Any) -> unrolled.Translator:
    small: dict[str, Any] = {
        "hidden_size": 16,
        "embedding_size": 12,
        "vocabulary_size": 300,
        "batch_tokens": 200,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = unrolled.Translator(**(small | options)).fit(
            pairs(), validation=0, holdout=0, budget="2 steps", progress=False
        )
    # So that it looks here and there, and answers more than the end.
    with torch.no_grad():
        for weights in model.model.parameters():
            weights.mul_(3)
    return model


@pytest.fixture(scope="module")
def translator() -> unrolled.Translator:
    return fitted(layers=2)


@pytest.fixture(scope="module")
def traced(translator: unrolled.Translator) -> Trace:
    return trace(translator, SENTENCE)


def answer_of(found: Trace) -> str:
    assert found.expected is not None
    return "".join(found.expected.came).strip()


def forced(model: Any, found: Trace) -> tuple[torch.Tensor, torch.Tensor]:
    """The tokens of both sides, begin and end with them."""
    tokens = model.tokens
    assert found.source is not None
    source = tokens.sources(["".join(found.source.inputs).strip()])[0]
    target = tokens.targets([answer_of(found)])[0]
    return torch.from_numpy(source).unsqueeze(1), torch.from_numpy(target).unsqueeze(1)


def test_the_answer_is_what_predict_says(translator: unrolled.Translator, traced: Trace) -> None:
    (said,) = translator.translate([SENTENCE])
    assert len(said.tokens) > 1
    assert answer_of(traced) == said.text
    assert traced.source is not None
    assert "".join(traced.source.inputs) == f" {SENTENCE}\n"
    assert traced.joined
    assert traced.source.joined
    assert traced.inputs[0] == "\n"
    assert traced.expected is not None
    assert traced.inputs[1:] == traced.expected.came[:-1]
    assert traced.losses is not None
    # The page has the numbers of float32, whatever the search rounded.
    (exact,) = translator.translate([SENTENCE], precision="fp32")
    assert exact.text == said.text
    assert float(-traced.losses.sum()) == pytest.approx(exact.log_probability, abs=1e-4)


@pytest.mark.parametrize("beam", [1, 3])
def test_the_search_is_that_of_as_wide_a_beam(translator: unrolled.Translator, beam: int) -> None:
    found = trace(translator, SENTENCE, beam=beam)
    said = translator.translate([SENTENCE], beam=beam, n_best=beam)[0]
    tree = found.beam
    assert tree is not None
    assert tree.width == beam
    for rank, one in enumerate([said, *said.alternatives]):
        (last,) = np.flatnonzero(tree.ranks == rank)
        text = "".join(tree.tokens[node] for node in tree.path(int(last)))
        assert text.strip() == one.text
        assert tree.scores[last] == pytest.approx(one.score, abs=1e-3)
        assert tree.sums[last] == pytest.approx(one.log_probability, abs=1e-3)
    assert answer_of(found) == said.text


def test_it_looked_where_translate_says(translator: unrolled.Translator, traced: Trace) -> None:
    (said,) = translator.translate([SENTENCE], precision="fp32")
    assert traced.links is not None
    assert traced.source is not None
    assert said.alignment is not None
    assert traced.links.sources == traced.source.inputs
    count = len(said.alignment)
    np.testing.assert_allclose(traced.links.weights[:count], said.alignment, atol=1e-5)
    assert len(traced.links.weights) == count + 1  # the end looks, too


def test_what_it_expects_is_what_the_network_says(
    translator: unrolled.Translator, traced: Trace
) -> None:
    source, target = forced(translator, traced)
    network = translator.model.each[0].eval()
    with torch.no_grad():
        memory, _ = network(source)
        loss = network.loss(memory, target)
        found = network.decoder.answers(network.target(target[:-1]), memory)
        chances = network.scores(found[:, 0]).softmax(-1)
    assert traced.losses is not None
    assert traced.expected is not None
    np.testing.assert_allclose(traced.losses.mean(), float(loss), rtol=1e-4)
    best = chances.topk(8).values.numpy()
    np.testing.assert_allclose(traced.expected.chances, best, rtol=1e-3, atol=1e-6)
    pieces = translator.tokens.target.pieces
    likeliest = tuple(pieces[k] for k in chances.argmax(-1).tolist())
    assert tuple(row[0] for row in traced.expected.choices) == likeliest


def layers_of(found: Trace) -> dict[tuple[str, bool], Any]:
    assert found.source is not None
    return {(one.name, one.reverse): one for one in (*found.source.layers, *found.layers)}


@pytest.mark.parametrize(
    "options",
    [
        {"layers": 2},
        {"layers": 1, "cell": "lstm", "attention": "additive"},
        {"layers": 2, "input_feeding": True, "directions": 1},
        {"layers": 2, "attention": "none", "shared": False},
        {"layers": 3, "cell": "rnn", "encoder_layers": 2, "members": 2, "tokenizer": "words"},
    ],
)
def test_every_layer_along_its_own_sequence_is_as_the_network_runs_it(
    options: dict[str, Any],
) -> None:
    model = fitted(**options)
    found = trace(model, (SENTENCE, "five three six"))
    (ids,) = model.tokens.sources([SENTENCE])
    source = torch.from_numpy(ids).unsqueeze(1)
    target = torch.from_numpy(model.tokens.targets(["five three six"])[0]).unsqueeze(1)
    network = model.model.each[0].eval()
    layers = layers_of(found)
    with torch.no_grad():
        outputs, _ = network.encoder(network.source(source))
        memory, _ = network(source)
        state = network.begin(memory)
        first, upper = [], []
        for token in target[:-1]:
            _, _, state = network.step(token, state, memory)
            for kept, part in ((first, state.first), (upper, state.upper)):
                hidden = part[0] if isinstance(part, tuple) else part
                kept.append(None if hidden is None else hidden[-1, 0].numpy())
    deepest = model.settings.encoder_layers - 1
    got = [
        one.states["h"]
        for one in found.source.layers  # type: ignore[union-attr]
        if one.index == deepest
    ]
    np.testing.assert_allclose(np.concatenate(got, 1), outputs[:, 0].numpy(), atol=1e-5)
    assert len(found.source) == len(ids)  # type: ignore[arg-type]
    np.testing.assert_allclose(layers["decoder.first", False].states["h"], first, atol=1e-5)
    above = [one for one in found.layers if one.name == "decoder.upper"]
    assert len(above) == model.settings.layers - 1
    if above:
        np.testing.assert_allclose(above[-1].states["h"], upper, atol=1e-5)
    assert (found.links is None) == (model.attention == "none")
    assert any("input feeding" in note for note in found.notes) == model.input_feeding
    assert any("Of 2 networks" in note for note in found.notes) == (model.members == 2)
    assert all("called" not in note for note in found.notes)
    assert all(np.isfinite(one.norms["h"]).all() for one in layers.values())


def test_the_gradient_reaches_the_encoder_and_is_that_of_the_loss(
    translator: unrolled.Translator, traced: Trace
) -> None:
    source, target = forced(translator, traced)
    network = translator.model.each[0].eval()
    kept: list[torch.Tensor] = []

    def keep(_: Any, __: Any, output: Any) -> None:
        for part in output:
            part.retain_grad()
            kept.append(part)

    handle = network.encoder.register_forward_hook(keep)
    try:
        memory, _ = network(source)
        (network.loss(memory, target) * (len(target) - 1)).backward()
    finally:
        handle.remove()
        network.zero_grad()
    outputs, last = (part.grad for part in kept)
    assert outputs is not None
    assert last is not None
    # No later state asks anything of the one that a direction ends with.
    half = outputs.shape[-1] // 2
    layers = layers_of(traced)
    for reverse, place, part in ((False, -1, slice(half)), (True, 0, slice(half, None))):
        owed = outputs[place, 0, part] + last[int(reverse), 0]
        got = layers["encoder", reverse].gradients["h"][place]
        np.testing.assert_allclose(got, owed.numpy(), rtol=1e-3, atol=1e-6)
        assert (layers["encoder", reverse].norms["h"] > 0).all()


def test_a_translation_that_is_given_is_taken_for_the_answer(
    translator: unrolled.Translator,
) -> None:
    found = trace(translator, (SENTENCE, "five three six"))
    assert answer_of(found) == "five three six"
    assert found.beam is None
    source, target = forced(translator, found)
    network = translator.model.each[0].eval()
    with torch.no_grad():
        loss = network.loss(network(source)[0], target)
    assert found.losses is not None
    np.testing.assert_allclose(found.losses.mean(), float(loss), rtol=1e-4)
    tabbed = trace(translator, f"{SENTENCE}\tfive three six\n")
    np.testing.assert_array_equal(tabbed.losses, found.losses)  # type: ignore[arg-type]


def test_several_networks_answer_together() -> None:
    model = fitted(members=2, layers=2)
    found = trace(model, (SENTENCE, "five three six"))
    source, target = forced(model, found)
    with torch.no_grad():
        each = []
        for network in model.model.eval().each:
            memory, _ = network(source)
            answers = network.decoder.answers(network.target(target[:-1]), memory)
            each.append(network.scores(answers[:, 0]).softmax(-1))
        mean = torch.stack(each).mean(0)
    came = mean.gather(1, target[1:])[:, 0].log().neg().numpy()
    np.testing.assert_allclose(found.losses, came, rtol=1e-4)  # type: ignore[arg-type]
    (said,) = model.translate([SENTENCE], precision="fp32")
    searched = trace(model, SENTENCE)
    assert answer_of(searched) == said.text
    assert said.alignment is not None
    assert searched.links is not None
    looked = searched.links.weights[: len(said.alignment)]
    np.testing.assert_allclose(looked, said.alignment, atol=1e-5)


@pytest.mark.parametrize("tokenizer", ["words", "characters"])
def test_an_unknown_word_stands_as_it_was_copied(tokenizer: str) -> None:
    model = fitted(layers=2, tokenizer=tokenizer)
    (network,) = model.model.each
    with torch.no_grad():
        network.bias[0] += 40  # all is unknown to it
        network.bias[model.tokens.end] -= 40
    sentence = "sechs Žižek fünf"
    found = trace(model, sentence, beam=1)
    (said,) = model.translate([sentence], beam=1)
    assert found.expected is not None
    assert found.source is not None
    assert found.expected.came == said.tokens
    assert set(said.tokens) <= set(found.source.inputs)
    told = ("sechs", "Žižek", "fünf", "\n") if tokenizer == "words" else (*sentence, "\n")
    assert found.source.inputs == told
    assert found.joined == (tokenizer == "characters")


def test_an_answer_that_did_not_end_says_so(translator: unrolled.Translator) -> None:
    assert not any("did not end" in note for note in trace(translator, SENTENCE).notes)
    (network,) = translator.model.each
    bias, end = network.bias, translator.tokens.end
    with torch.no_grad():
        bias[end] -= 20
        found = trace(translator, SENTENCE)
        (said,) = translator.translate([SENTENCE])
        bias[end] += 20
    assert any("did not end by itself" in note for note in found.notes)
    assert answer_of(found) == said.text
    assert found.expected is not None
    assert found.expected.came[-1] != "\n"
    assert found.beam is not None
    assert found.beam.fates[found.beam.best] == "kept"


def test_the_model_is_as_it_was(translator: unrolled.Translator) -> None:
    before = {name: value.clone() for name, value in translator.model.state_dict().items()}
    translator.model.train()
    trace(translator, SENTENCE)
    assert translator.model.training
    translator.model.eval()
    for name, value in translator.model.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert all(one.grad is None for one in translator.model.parameters())


def test_a_token_that_is_a_part_of_a_character_is_drawn_where_it_is_complete(
    translator: unrolled.Translator,
) -> None:
    found = trace(translator, ("fünf 漢", "fünf 漢"))
    assert "".join(found.inputs) == "\nfünf 漢"
    assert "" in found.inputs


def test_a_character_in_pieces_is_completed_on_each_path_of_the_search(
    translator: unrolled.Translator,
) -> None:
    from unrolled.decoding.beam_record import BeamRecord
    from unrolled.lens.tracing_translator import _tree

    first, *rest = translator.tokens.target.encode("漢").tolist()
    (other,) = translator.tokens.target.encode("x").tolist()
    assert len(rest) == 2
    # 漢, and beside it step by step: x.
    record = BeamRecord(
        width=2,
        steps=(0, 0, 1, 1, 2, 2),
        parents=(-1, -1, 0, 1, 2, 3),
        tokens=(first, other, rest[0], other, rest[1], other),
        log_p=(-1.0,) * 6,
        sums=(-1.0, -1.0, -2.0, -2.0, -3.0, -3.0),
        fates=("kept", "kept", "kept", "kept", "kept", "finished"),
        ranks=(-1, -1, -1, -1, 0, 1),
        scores=(None, None, None, None, -1.0, -1.5),
    )
    tree = _tree(record, translator.tokens.target)
    assert tree.tokens == ("", "x", "", "x", "漢", "x")
    assert np.isnan(tree.scores).tolist() == [True] * 4 + [False] * 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("", "got 0 lines, expected one sentence"),
        (" \n ", "got 0 lines"),
        ("eins\nzwei", "got 2 lines"),
        (("eins", ""), "got 0 lines"),
        (("eins", 3), "got 3 as the translation"),
        (("eins", "one", "two"), "expected a sentence"),
        (["eins"], "expected a sentence, or"),
        (3, "expected a sentence"),
        ("eins\tone\tuno", "expected a sentence"),
        ("eins " * 40, "got a sentence of .* expected 30 at most"),
        (("eins", "one " * 40), "got a translation of .* expected 30 at most"),
    ],
)
def test_what_is_no_sentence_is_told(
    given: Any, message: str, translator: unrolled.Translator
) -> None:
    with pytest.raises(ConfigError, match=message):
        trace(translator, given, steps=30)


def test_what_a_translator_does_not_have_is_told(translator: unrolled.Translator) -> None:
    with pytest.raises(ConfigError, match="origin: is that of a Forecaster"):
        trace(translator, SENTENCE, origin="2024")
    with pytest.raises(ConfigError, match="no search where the translation is given"):
        trace(translator, (SENTENCE, "one"), beam=2)
    with pytest.raises(ConfigError, match="beam"):
        trace(translator, SENTENCE, beam=0)
    with pytest.raises(ConfigError, match="beam: is that of a Translator"):
        trace(torch.nn.GRU(2, 3), torch.zeros(4, 1, 2), beam=2)


def test_it_is_saved_and_drawn_as_any_other(traced: Trace, tmp_path: Path) -> None:
    back = Trace.load(traced.save(tmp_path / "a.trace"))
    assert repr(back) == repr(traced)
    page = traced.to_html(tmp_path / "a.html").read_text(encoding="utf-8")
    assert f"Translator: {SENTENCE}" in page
    assert replace(traced, beam=None).to_html(tmp_path / "b.html").is_file()
