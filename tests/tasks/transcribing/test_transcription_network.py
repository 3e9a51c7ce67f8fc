"""The network of a recogniser: no row and no padding changes another, and a stream is the whole."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled import use_path
from unrolled.data.band_scale import BandScale
from unrolled.data.batching.checks import IGNORED_TARGET
from unrolled.tasks.transcribing import level as level_module
from unrolled.tasks.transcribing.batches import batch_of
from unrolled.tasks.transcribing.building import begin_with_shares, build
from unrolled.tasks.transcribing.lessons import heard
from unrolled.tasks.transcribing.level import Level
from unrolled.tasks.transcribing.network import Heard, TranscriptionNetwork
from unrolled.tasks.transcribing.settings import STRIDES, settle
from unrolled.training.leaks import check_leaks

F, ANSWERS = 12, 5
SCALE = BandScale(np.linspace(-1, 1, F, dtype=np.float32), np.full(F, 2, np.float32))


def network(*, labelled: bool, subsampling: int = 2, cell: str = "gru") -> TranscriptionNetwork:
    sizes = {"hidden_size": 8, "layers": 2, "channels": 3, "subsampling": subsampling}
    made = settle(sizes, labelled=labelled, bands=True)
    torch.manual_seed(0)
    found = build(
        made, cell, 1, frame_size=F, answers=ANSWERS, labelled=labelled, scale=SCALE
    ).eval()
    with torch.no_grad():
        for name, parameter in found.named_parameters():
            if "bias" in name or "pooling" in name:
                parameter.uniform_(-0.5, 0.5)
    return found


def frames(*lengths: int) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.normal(size=(one, F)).astype(np.float32) for one in lengths]


@pytest.mark.parametrize("subsampling", STRIDES)
@pytest.mark.parametrize("labelled", [True, False])
def test_neither_other_rows_nor_padding_change_a_row(labelled: bool, subsampling: int) -> None:
    batch = batch_of(frames(23, 9, 14, 30))
    assert not check_leaks(network(labelled=labelled, subsampling=subsampling), batch, warn=False)


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])
@pytest.mark.parametrize("labelled", [True, False])
def test_a_stream_gives_the_scores_of_the_whole(labelled: bool, cell: str) -> None:
    net = network(labelled=labelled, cell=cell)
    (one,) = frames(31)
    batch = batch_of([one])
    with torch.no_grad():
        whole = net(batch.inputs, None, lengths=batch.lengths)[0].scores
        state, found = net.begin(), []
        for start, end in ((0, 1), (1, 1), (1, 12), (12, 31)):
            scores, state = net.stream(batch.inputs[start:end], state)
            found.append(scores)
    torch.testing.assert_close(found[-1] if labelled else torch.cat(found), whole)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_a_stream_follows_weights_that_have_changed(cell: str) -> None:
    net = network(labelled=False, cell=cell)
    (one,) = frames(8)
    chunk = torch.from_numpy(one).unsqueeze(1)

    @torch.no_grad()
    def said() -> tuple[torch.Tensor, torch.Tensor]:
        whole = net(chunk, None, lengths=torch.tensor([8]))[0].scores
        return net.stream(chunk, net.begin())[0], whole

    first, whole = said()
    torch.testing.assert_close(first, whole)
    with torch.no_grad():
        net.recurrent.weight_hh_l0.mul_(-2)
    second, whole = said()
    torch.testing.assert_close(second, whole)
    assert not torch.allclose(first, second)
    with use_path("reference"):
        torch.testing.assert_close(said()[0], second)


def test_the_loss_of_a_transcript_is_the_sum_over_its_alignments() -> None:
    net = network(labelled=False)
    one, other = frames(8, 5)
    batch = batch_of([one, other], [np.array([1, 2]), np.array([3])])
    heard, _ = net(batch.inputs, None, lengths=batch.lengths)
    log_probs = heard.scores.log_softmax(-1)

    def probability(row: int, steps: int, said: list[int]) -> torch.Tensor:
        total = torch.zeros(())
        for path in np.ndindex(*[ANSWERS] * steps):
            kept = [a for at, a in enumerate(path) if a and (at == 0 or a != path[at - 1])]
            if kept == said:
                total = total + log_probs[range(steps), row, list(path)].sum().exp()
        return total

    wanted = -(probability(0, 4, [1, 2]).log() + probability(1, 2, [3]).log()) / 3
    torch.testing.assert_close(net.loss(heard, batch.targets), wanted)
    assert batch.targets.tolist() == [[1, 3], [2, IGNORED_TARGET]]


@pytest.mark.parametrize("after", [0, 15])
def test_a_recording_is_levelled_by_its_own_mean_so_far(after: int) -> None:
    level = Level(SCALE, after)
    (one,) = frames(20)
    found, _ = level(torch.from_numpy(one).unsqueeze(1))
    apart = one - SCALE.mean
    for at in range(len(one)):
        own = apart[: at + 1].sum(0) / (after + at + 1) if after else 0
        wanted = torch.from_numpy((apart[at] - own) / SCALE.deviation)
        torch.testing.assert_close(found[at, 0], wanted)


def test_what_a_microphone_adds_goes_as_the_sound_comes() -> None:
    level = Level(SCALE, 15)
    (one,) = frames(2000)
    louder = torch.from_numpy(np.stack([one, one + 3], 1))
    found, _ = level(louder)
    apart = (found[:, 1] - found[:, 0]) * torch.from_numpy(SCALE.deviation)
    torch.testing.assert_close(apart[0], torch.full((F,), 3 * 15 / 16))
    assert apart[-1].abs().max() < 0.03


def one_by_one(apart: np.ndarray, after: int) -> np.ndarray:
    """`m_t` as the equation says it, in double."""
    found, mean = [], np.zeros(F)
    for t, d in enumerate(apart.astype(np.float64), start=1):
        mean = mean + (d - mean) / (after + min(t, level_module.MEMORY))
        found.append(mean)
    return np.stack(found)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 300), max_size=4), st.integers(1, 40))
def test_what_is_long_past_is_forgotten_however_the_sound_is_cut(
    cuts: list[int], after: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(level_module, "MEMORY", 60)
        patch.setattr(level_module, "_AT_ONCE", 100)
        level = Level(SCALE, after)
        (one,) = frames(300)
        one = one + 3
        whole, last = level(torch.from_numpy(one).unsqueeze(1))
        apart = one - SCALE.mean
        wanted = torch.from_numpy((apart - one_by_one(apart, after)) / SCALE.deviation).float()
        torch.testing.assert_close(whole[:, 0], wanted, atol=1e-5, rtol=1e-5)
        state, found = level.begin(1), []
        for start, end in pairwise([0, *sorted(cuts), 300]):
            some, state = level(torch.from_numpy(one[start:end]).unsqueeze(1), state)
            found.append(some)
    torch.testing.assert_close(torch.cat(found), whole, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(state, last, atol=1e-5, rtol=1e-5)


def test_after_hours_a_microphone_that_is_moved_is_still_followed() -> None:
    level = Level(SCALE, 15)
    moved = torch.from_numpy(SCALE.mean).expand(1, 1, F)
    # What ten hours leave behind, and three minutes of 3 more in each band.
    state = level.begin(1)
    for _ in range(360):
        _, state = level((moved + 7).expand(10_000, 1, F), state)
    assert state[0, 0] == level_module.MEMORY
    torch.testing.assert_close(state[0, 1:], torch.full((F,), 7.0), atol=1e-3, rtol=0)
    found, state = level((moved + 10).expand(18_000, 1, F), state)
    left = found[-1, 0] * torch.from_numpy(SCALE.deviation)
    share = (1 - 1 / (15 + level_module.MEMORY)) ** 18_000
    torch.testing.assert_close(left, torch.full((F,), 3 * share), atol=2e-3, rtol=0)


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_a_long_recording_is_heard_in_pieces_as_the_whole(labelled: bool, cell: str) -> None:
    net = network(labelled=labelled, cell=cell)
    some = frames(9, 200, 31)
    whole = heard(net, some)
    for most in (50, 64):
        for one, other in zip(heard(net, some, most), whole, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_long_recording_is_never_wholly_in_the_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    net = network(labelled=False)
    steps: list[int] = []
    front = net.front.stream

    def seen(frames: torch.Tensor, left: list[torch.Tensor]) -> object:
        steps.append(len(frames))
        return front(frames, left)

    monkeypatch.setattr(net.front, "stream", seen)
    heard(net, frames(200), 64)
    assert max(steps) == 64


def test_dropout_is_the_same_at_every_step_and_in_training_only() -> None:
    net = network(labelled=False)
    (one,) = frames(60)
    batch = batch_of([one])
    seen: list[torch.Tensor] = []
    net.readout.register_forward_pre_hook(lambda _, given: seen.append(given[0][:, 0]))
    with torch.no_grad():
        for mode in (False, False, True):
            net.train(mode)
            net(batch.inputs, None, lengths=batch.lengths)
    first, again, trained = seen
    torch.testing.assert_close(first, again)
    dropped = trained == 0
    assert 0 < dropped.sum() < dropped.numel()
    assert (dropped == dropped[0]).all()  # locked: a unit is off over all of the time


def test_labels_are_smoothed_in_training_only() -> None:
    net = network(labelled=True)
    net.dropout = 0.0
    scores, right = torch.tensor([[2.0, 0.0, 0.0, 0.0, 1.0]]), torch.tensor([[0]])
    heard_now = Heard(scores, torch.tensor([1]))
    plain = -scores.log_softmax(-1)[0]
    torch.testing.assert_close(net.eval().loss(heard_now, right), plain[0])
    smoothed = (1 - net.smoothing) * plain[0] + net.smoothing * plain.mean()
    torch.testing.assert_close(net.train().loss(heard_now, right), smoothed)
    assert net.smoothing > 0


def test_at_first_every_step_says_what_steps_say_on_average() -> None:
    net = network(labelled=False)
    begin_with_shares(net, [np.array([1, 1, 2]), np.array([1, 4])], steps=40)
    shares = net.readout.bias.detach().softmax(-1).numpy()
    counts = np.array([35, 3, 1, 0, 1])
    np.testing.assert_allclose(shares, (counts + 1) / 45, rtol=1e-5)
    # A text that is too long to say leaves no blank; it is not impossible for that.
    begin_with_shares(net, [np.array([1, 2, 3, 4])], steps=2)
    assert torch.isfinite(net.readout.bias).all()
