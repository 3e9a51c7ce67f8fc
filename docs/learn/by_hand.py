"""A recurrent network and its backpropagation through time, by hand: python docs/learn/by_hand.py

    h_t = tanh(W x_t + U h_{t-1} + b);   p_t = softmax(V h_t + c);   L = -sum_t ln p_t[target_t]

Shapes: `x (T, I)`, `targets (T,)` whole numbers, `h_t (H,)`, `p_t (C,)`; `W (H, I)`, `U (H, H)`,
`b (H,)`, `V (C, H)`, `c (C,)`. In the names of gradients, `dW` is dL/dW.
"""

import numpy as np


def forward(weights, x, targets, h0):
    W, U, b, V, c = weights
    h, p, loss = [h0], [], 0.0
    for x_t, target in zip(x, targets, strict=True):
        h.append(np.tanh(W @ x_t + U @ h[-1] + b))
        scores = np.exp(V @ h[-1] + c)
        p.append(scores / scores.sum())
        loss -= np.log(p[-1][target])
    return loss, h, p


def backward(weights, x, targets, h, p):
    _, U, b, V, c = weights
    dW, dU, db, dV, dc = gradients = [np.zeros_like(one) for one in weights]
    dh = np.zeros_like(b)  # what later steps ask of the state: after the last one, nothing
    for t in reversed(range(len(x))):
        dscores = p[t] - np.eye(len(c))[targets[t]]
        dV += np.outer(dscores, h[t + 1])
        dc += dscores
        dh = dh + V.T @ dscores
        da = dh * (1 - h[t + 1] ** 2)
        dW += np.outer(da, x[t])
        dU += np.outer(da, h[t])
        db += da
        dh = U.T @ da
    return gradients, dh


def train(text, units=16, rate=0.3, steps=300):
    letters, numbers = np.unique(list(text), return_inverse=True)
    x, targets, n = np.eye(len(letters))[numbers[:-1]], numbers[1:], len(letters)
    shapes = (units, n), (units, units), units, (n, units), n
    draw = np.random.default_rng(0).normal
    weights = [draw(0, 0.3, shape) for shape in shapes]
    for step in range(steps + 1):
        loss, h, p = forward(weights, x, targets, np.zeros(units))
        gradients, _ = backward(weights, x, targets, h, p)
        weights = [w - rate * dw / len(x) for w, dw in zip(weights, gradients, strict=True)]
        if step % 50 == 0:
            print(f"step {step:3}: loss {loss / len(x):.3f} ", "".join(letters[np.argmax(p, 1)]))
    return weights


if __name__ == "__main__":
    train("hello world")
