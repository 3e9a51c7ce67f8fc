"""Why a plain RNN can't add, and what can: python examples/vanishing_gradient.py [budget] [picture]

The adding problem (Hochreiter & Schmidhuber 1997): at each of 200 steps comes a number and a
marker; two steps are marked, one in each half, and the sum of their two numbers is asked for at the
end. Always to answer 1 gives a mean squared error of 1/6 = 0.167, the variance of the sum. The
picture (.png or .svg) shows both gradients over one sequence, as they were before training, and how
both networks learnt.
"""

from __future__ import annotations

import sys
import warnings

import torch
from torch import Tensor, nn

from unrolled import GRU, RNN, Watch, trace
from unrolled.lens import Trace, draw_gradients
from unrolled.lens.picture import check_picture
from unrolled.training import Budget

STEPS, ROWS, UNITS = 200, 32, 32


def adding(rows: int, draws: torch.Generator) -> tuple[Tensor, Tensor]:
    """Inputs `(T, B, 2)`, numbers and markers, and the sums `(B, 1)`."""
    numbers = torch.rand(STEPS, rows, generator=draws)
    markers = torch.zeros(STEPS, rows)
    half = STEPS // 2
    for begin in (0, half):
        marked = torch.randint(begin, begin + half, (rows,), generator=draws)
        markers[marked, torch.arange(rows)] = 1.0
    return torch.stack([numbers, markers], -1), (numbers * markers).sum(0).unsqueeze(-1)


class Adder(nn.Module):
    """A recurrent layer, and the answer read from its last step."""

    def __init__(self, recurrent: nn.RNNBase) -> None:
        super().__init__()
        self.recurrent = recurrent
        self.readout = nn.Linear(UNITS, 1)

    def forward(self, x: Tensor) -> Tensor:
        y, _ = self.recurrent(x)
        return self.readout(y[-1])


def train(model: Adder, steps: int) -> tuple[float, list[tuple[int, float]]]:
    """An ordinary loop with a watch in it; gives the error on 1,000 new rows, and what it was on
    the way: the mean of every 25 steps."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    draws = torch.Generator().manual_seed(1)
    watch = Watch(model, every=250)
    lately: list[float] = []
    curve = []
    for step in range(1, steps + 1):
        x, y = adding(ROWS, draws)
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        watch(loss, lambda x=x, y=y: nn.functional.mse_loss(model(x), y))
        lately.append(float(loss.detach()))
        if step % 25 == 0:
            curve.append((step, sum(lately) / len(lately)))
            lately.clear()
        if step % 250 == 0:
            print(f"  step {step:5}: loss {float(loss.detach()):.4f}")
    with torch.no_grad():
        x, y = adding(1000, draws)
        return float(nn.functional.mse_loss(model(x), y)), curve


def gradients(model: Adder) -> Trace:
    """One sequence, with the gradient of its error by every state."""
    x, y = adding(1, torch.Generator().manual_seed(2))
    return trace(model, x, loss=lambda answer: nn.functional.mse_loss(answer, y))


def main(budget: str = "1000 steps", picture: str | None = None) -> None:
    """Train the plain RNN, print what is found, apply the remedy, and train again."""
    steps = Budget.parse(budget).steps
    if steps is None:
        sys.exit("give a number of steps, such as '1000 steps'")
    if picture is not None:
        check_picture(picture)
    torch.manual_seed(1)
    rnn, gru = Adder(RNN(2, UNITS)), Adder(GRU(2, UNITS, init=("chrono", STEPS)))
    traces = {"RNN": gradients(rnn), "GRU, chrono": gradients(gru)}
    losses = {}
    print("RNN, tanh:")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        error, losses["RNN"] = train(rnn, steps)
    for warning in caught:
        print(f"  {warning.category.__name__}: {warning.message}")
    print(f"  mean squared error {error:.4f}; always answering 1 gives {1 / 6:.4f}")

    print("the remedy, a GRU whose gates begin open for as long as the sequences are:")
    error, losses["GRU, chrono"] = train(gru, steps)
    print(f"  mean squared error {error:.4f}")
    if picture is not None:
        draw_gradients(traces, picture, losses=losses, loss="mean squared error")
        print(f"drew {picture}")


if __name__ == "__main__":
    main(*sys.argv[1:])
