"""The convolutions before the recurrent layers: no step sees what comes later, in any chunks."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.tasks.transcribing.front import Front
from unrolled.tasks.transcribing.settings import STRIDES

torch.manual_seed(0)
F = 12
FRAMES = torch.randn(23, 2, F)
FRONTS = {
    (channels, factor): Front(F, channels=channels, width=10, strides=strides)
    for channels in (0, 4)
    for factor, strides in STRIDES.items()
}


def steps_of(front: Front, frames: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return front(frames, torch.full((frames.shape[1],), len(frames)))[0]


@pytest.mark.parametrize("front", FRONTS.values(), ids=map(str, FRONTS))
def test_there_is_a_step_for_each_whole_group_of_frames(front: Front) -> None:
    for count in (0, 1, 2, 3, 4, 5, 11, 23):
        steps = steps_of(front, FRAMES[:count])
        assert steps.shape == (count // front.subsampling, 2, front.size)


@pytest.mark.parametrize("front", FRONTS.values(), ids=map(str, FRONTS))
def test_a_step_sees_no_frame_after_its_own(front: Front) -> None:
    whole = steps_of(front, FRAMES)
    for step in range(len(whole)):
        changed = FRAMES.clone()
        changed[(step + 1) * front.subsampling :] += 1.0
        torch.testing.assert_close(steps_of(front, changed)[: step + 1], whole[: step + 1])
        assert not torch.allclose(steps_of(front, changed)[step + 1 :], whole[step + 1 :]) or (
            step + 1 == len(whole)
        )
        own = FRAMES.clone()
        own[(step + 1) * front.subsampling - 1] += 1.0
        assert not torch.allclose(steps_of(front, own)[step], whole[step])


@settings(deadline=None, max_examples=60)
@given(
    front=st.sampled_from(list(FRONTS.values())),
    cuts=st.lists(st.integers(0, len(FRAMES)), max_size=9),
)
def test_any_cutting_gives_the_same_steps(front: Front, cuts: list[int]) -> None:
    left, found = front.begin(FRAMES), []
    with torch.no_grad():
        for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(FRAMES)], strict=True):
            steps, left = front.stream(FRAMES[start:end], left)
            found.append(steps)
    torch.testing.assert_close(torch.cat(found), steps_of(front, FRAMES), rtol=1e-5, atol=1e-6)


def test_padding_beyond_the_end_of_a_recording_changes_none_of_its_steps() -> None:
    front = FRONTS[4, 4]
    lengths = torch.tensor([23, 10])
    with torch.no_grad():
        steps, counts = front(FRAMES, lengths)
    assert counts.tolist() == [5, 2]
    alone = steps_of(front, FRAMES[:10, 1:])
    torch.testing.assert_close(steps[:2, 1:], alone)
