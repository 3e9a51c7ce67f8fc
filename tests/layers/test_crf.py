"""`CRF` beside brute force: every sequence of tags written out, values and gradients."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from unrolled.errors import ConfigError, DTypeError, ShapeError
from unrolled.layers import CRF
from unrolled.layers.crf_sums import Potentials


def made(tags: int, seed: int = 0, spread: float = 1.5) -> CRF:
    """A CRF in double precision with no weight at zero."""
    crf = CRF(tags).double()
    draws = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in crf.parameters():
            parameter.copy_(spread * torch.randn(parameter.shape, generator=draws).double())
    return crf


def emitted(steps: int, rows: int, tags: int, seed: int = 1) -> Tensor:
    draws = torch.Generator().manual_seed(seed)
    return 2 * torch.randn(steps, rows, tags, generator=draws).double()


def all_scores(crf: CRF, emissions: Tensor) -> dict[tuple[int, ...], Tensor]:
    """The score of every sequence of one row's tags; `emissions` `(n, C)`."""
    scores = {}
    for tags in product(range(crf.tags), repeat=len(emissions)):
        score = crf.start[tags[0]] + crf.end[tags[-1]]
        for step, tag in enumerate(tags):
            score = score + emissions[step, tag]
            if step:
                score = score + crf.transitions[tags[step - 1], tag]
        scores[tags] = score
    return scores


def gradients(value: Tensor, crf: CRF, emissions: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(value, [emissions, *crf.parameters()], retain_graph=True))


LENGTHS = [4, 1, 3, 2]


@pytest.mark.parametrize("tags", [1, 2, 3])
def test_log_likelihoods_and_their_gradients_are_those_of_brute_force(tags: int) -> None:
    crf, emissions = made(tags), emitted(4, 4, tags).requires_grad_()
    gold = torch.randint(tags, (4, 4))
    weights = torch.tensor([0.7, -1.3, 2.0, 0.4]).double()

    ours = crf(emissions, gold, torch.tensor(LENGTHS))
    rows = []
    for row, length in enumerate(LENGTHS):
        scores = all_scores(crf, emissions[:length, row])
        total = torch.stack(list(scores.values())).logsumexp(0)
        rows.append(scores[tuple(gold[:length, row].tolist())] - total)
    brute = torch.stack(rows)

    assert torch.allclose(ours, brute, rtol=0, atol=1e-10)
    assert (ours <= 1e-12).all()
    pairs = zip(
        gradients((weights * ours).sum(), crf, emissions),
        gradients((weights * brute).sum(), crf, emissions),
        strict=True,
    )
    for one, other in pairs:
        assert torch.allclose(one, other, rtol=0, atol=1e-10)
    assert tags == 1 or all(one.abs().sum() > 0.01 for one in gradients(ours.sum(), crf, emissions))


def test_the_partition_and_its_gradients_are_those_of_brute_force() -> None:
    crf, emissions = made(3), emitted(4, 4, 3).requires_grad_()
    ours = crf.log_partition(emissions, torch.tensor(LENGTHS))
    brute = torch.stack(
        [
            torch.stack(list(all_scores(crf, emissions[:length, row]).values())).logsumexp(0)
            for row, length in enumerate(LENGTHS)
        ]
    )
    assert torch.allclose(ours, brute, rtol=0, atol=1e-10)
    pairs = zip(
        gradients(ours.square().sum(), crf, emissions),
        gradients(brute.square().sum(), crf, emissions),
        strict=True,
    )
    assert all(torch.allclose(a, b, rtol=0, atol=1e-9) for a, b in pairs)


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), tags=st.integers(1, 4), steps=st.integers(1, 4))
def test_the_decoded_tags_have_the_highest_score_of_all(seed: int, tags: int, steps: int) -> None:
    crf, emissions = made(tags, seed), emitted(steps, 2, tags, seed + 1)
    lengths = [steps, max(1, steps - 1)]
    found, score = crf.decode(emissions, torch.tensor(lengths))
    for row, length in enumerate(lengths):
        scores = all_scores(crf, emissions[:length, row])
        best = max(scores, key=lambda one: scores[one].item())
        assert tuple(found[:length, row].tolist()) == best
        assert score[row].item() == pytest.approx(scores[best].item(), abs=1e-10)
        assert (found[length:, row] == -100).all()


def test_marginals_are_those_of_brute_force_and_the_gradient_of_the_partition() -> None:
    crf, emissions = made(3), emitted(4, 4, 3).requires_grad_()
    lengths = torch.tensor(LENGTHS)
    likely = crf.marginals(emissions, lengths)
    for row, length in enumerate(LENGTHS):
        scores = all_scores(crf, emissions[:length, row])
        values = torch.stack(list(scores.values())).detach().softmax(0)
        expected = torch.zeros(4, 3).double()
        for tags, share in zip(scores, values, strict=True):
            for step, tag in enumerate(tags):
                expected[step, tag] += share
        assert torch.allclose(likely[:, row], expected, rtol=0, atol=1e-10)
    (gradient,) = torch.autograd.grad(crf.log_partition(emissions, lengths).sum(), emissions)
    assert torch.allclose(likely, gradient, rtol=0, atol=1e-10)


@pytest.mark.parametrize("far", [False, True])
def test_both_ways_to_sum_are_those_of_brute_force(far: bool) -> None:
    crf, emissions = made(3), emitted(5, 2, 3).requires_grad_()
    if far:
        with torch.no_grad():
            crf.transitions[1, 2] = -500.0
            crf.transitions[2, 0] = 250.0
    lengths = [5, 3]
    ours = crf.log_partition(emissions, lengths)
    for row, length in enumerate(lengths):
        scores = list(all_scores(crf, emissions[:length, row]).values())
        brute = torch.stack(scores).logsumexp(0)
        assert torch.allclose(ours[row], brute, rtol=1e-12)
        pairs = zip(
            gradients(ours[row], crf, emissions), gradients(brute, crf, emissions), strict=True
        )
        assert all(torch.allclose(a, b, rtol=0, atol=1e-10) for a, b in pairs)


def test_gradients_pass_torchs_own_check_with_lengths() -> None:
    crf, emissions = made(3), emitted(3, 3, 3).requires_grad_()
    gold, lengths = torch.randint(3, (3, 3)), torch.tensor([3, 2, 1])

    def likelihood(emissions: Tensor, *weights: Tensor) -> Tensor:
        given = dict(zip(("start", "transitions", "end"), weights, strict=True))
        return torch.func.functional_call(crf, given, (emissions, gold, lengths))

    weights = [crf.start, crf.transitions, crf.end]
    assert torch.autograd.gradcheck(likelihood, (emissions, *weights))


def test_a_batch_is_its_rows_one_by_one() -> None:
    crf, emissions, gold = made(4), emitted(6, 3, 4), torch.randint(4, (6, 3))
    lengths = [6, 2, 5]
    together = crf(emissions, gold, lengths)
    tags, _ = crf.decode(emissions, lengths)
    likely = crf.marginals(emissions, lengths)
    for row, length in enumerate(lengths):
        one = emissions[:length, row : row + 1]
        assert torch.allclose(together[row], crf(one, gold[:length, row : row + 1]), atol=1e-12)
        assert torch.equal(tags[:length, row], crf.decode(one)[0][:, 0])
        assert torch.allclose(likely[:length, row], crf.marginals(one)[:, 0], atol=1e-12)


@pytest.mark.parametrize("rubbish", [float("nan"), float("inf"), -float("inf"), 1e30])
def test_what_stands_beyond_a_length_changes_nothing_and_gets_no_gradient(rubbish: float) -> None:
    crf, emissions, gold = made(3), emitted(5, 2, 3), torch.randint(3, (5, 2))
    lengths = torch.tensor([5, 2])
    other = emissions.clone()
    other[2:, 1] = rubbish
    padded = gold.clone()
    padded[2:, 1] = -100
    other.requires_grad_()
    ours = crf(other, padded, lengths)
    assert torch.equal(ours, crf(emissions, gold, lengths))
    assert torch.equal(crf.decode(other, lengths)[0], crf.decode(emissions, lengths)[0])
    assert torch.equal(crf.marginals(other, lengths), crf.marginals(emissions, lengths))
    d_emissions, *rest = gradients(ours.sum(), crf, other)
    assert (d_emissions[2:, 1] == 0).all()
    assert all(one.isfinite().all() for one in [d_emissions, *rest])


def test_forbidden_transitions_are_never_taken_and_make_no_nan() -> None:
    crf, emissions = made(3), emitted(6, 2, 3).requires_grad_()
    with torch.no_grad():
        crf.transitions[0, 1] = crf.transitions[2, 2] = crf.start[2] = -torch.inf
    gold = torch.tensor([[0, 0, 2, 1, 0, 0], [1, 2, 0, 2, 1, 1]]).T
    ours = crf(emissions, gold)
    assert ours.isfinite().all()
    assert all(one.isfinite().all() for one in gradients(ours.sum(), crf, emissions))
    tags, _ = crf.decode(emissions)
    moves = {(a, b) for row in tags.T.tolist() for a, b in pairwise(row)}
    assert not moves & {(0, 1), (2, 2)}
    assert crf.marginals(emissions).sum(-1).allclose(torch.ones(6, 2).double())
    assert (crf.marginals(emissions)[0, :, 2] == 0).all()


def test_where_no_sequence_is_allowed_the_gradient_is_zero() -> None:
    crf, emissions = made(2), emitted(3, 1, 2).requires_grad_()
    with torch.no_grad():
        crf.transitions.fill_(-torch.inf)
    total = crf.log_partition(emissions)
    assert total.tolist() == [-torch.inf]
    assert all((one == 0).all() for one in gradients(total.sum(), crf, emissions))
    assert (crf.marginals(emissions) == 0).all()


def test_penalties_count_for_one_call_only() -> None:
    crf, emissions = made(3), emitted(8, 2, 3)
    before, _ = crf.decode(emissions)
    used = int(before[0, 0])
    start = torch.zeros(3).double()
    start[used] = -torch.inf
    none = Potentials(start, torch.zeros(3, 3).double(), torch.zeros(3).double())
    assert int(crf.decode(emissions, penalties=none)[0][0, 0]) != used
    assert (crf.marginals(emissions, penalties=none)[0, :, used] == 0).all()
    assert torch.equal(crf.decode(emissions)[0], before)


def test_a_new_crf_is_a_softmax_of_each_step_alone() -> None:
    crf, emissions, gold = CRF(4), emitted(5, 3, 4).float(), torch.randint(4, (5, 3))
    alone = emissions.log_softmax(-1).gather(-1, gold.unsqueeze(-1)).squeeze(-1).sum(0)
    assert torch.allclose(crf(emissions, gold), alone, atol=1e-5)
    assert torch.allclose(crf.marginals(emissions), emissions.softmax(-1), atol=1e-5)
    assert torch.equal(crf.decode(emissions)[0], emissions.argmax(-1))


@pytest.mark.parametrize("scale", [1e3, 1e4])
def test_large_scores_neither_overflow_nor_vanish(scale: float) -> None:
    crf, emissions = CRF(3), (scale * emitted(6, 2, 3)).float().requires_grad_()
    gold, _ = crf.decode(emissions)
    assert torch.allclose(crf(emissions, gold), torch.zeros(2), atol=0.1)
    assert gradients(crf.log_partition(emissions).sum(), crf, emissions)[0].isfinite().all()


def test_an_empty_row_has_one_sequence_and_no_gradient() -> None:
    crf, emissions, gold = made(3), emitted(4, 2, 3).requires_grad_(), torch.randint(3, (4, 2))
    ours = crf(emissions, gold, torch.tensor([0, 4]))
    assert ours[0].item() == 0
    assert (gradients(ours.sum(), crf, emissions)[0][:, 0] == 0).all()
    alone = crf(emissions[:, 1:], gold[:, 1:])
    for one, other in zip(
        gradients(ours.sum(), crf, emissions)[1:],
        gradients(alone.sum(), crf, emissions)[1:],
        strict=True,
    ):
        assert torch.allclose(one, other, atol=1e-12)


def test_bfloat16_emissions_are_summed_in_float32() -> None:
    crf, emissions, gold = CRF(3), emitted(40, 2, 3).bfloat16(), torch.randint(3, (40, 2))
    ours = crf(emissions, gold)
    assert ours.dtype == torch.float32
    assert torch.allclose(ours, crf(emissions.float(), gold))


def test_bad_arguments_are_told() -> None:
    with pytest.raises(ConfigError, match="tags: got 0"):
        CRF(0)
    crf, emissions, gold = CRF(3), torch.zeros(4, 2, 3), torch.zeros(4, 2, dtype=torch.int64)
    with pytest.raises(ShapeError, match=r"emissions: got shape \(4, 2, 2\)"):
        crf(emissions[..., :2], gold)
    with pytest.raises(DTypeError, match=r"emissions: got dtype torch.int64"):
        crf(emissions.long(), gold)
    with pytest.raises(DTypeError, match=r"tags: got dtype torch.float32"):
        crf(emissions, gold.float())
    with pytest.raises(ShapeError, match=r"tags: got shape \(3, 2\)"):
        crf(emissions, gold[:3])
    with pytest.raises(ShapeError, match="got 5 for row 1, expected 0 to T = 4"):
        crf(emissions, gold, [4, 5])
    gold[2, 1] = 3
    with pytest.raises(ShapeError, match="got 3 at step 2 of row 1, expected 0 to 2"):
        crf(emissions, gold)
