// minGRU and minLSTM, one layer in one direction over time: forward, and backward through time.
//
// With s the step and h the state after the step before it in the layer's own direction:
//
//     G = W x_s + b
//
//     minGRU     z = sigmoid(G_z),  h_s = (1 - z) * h + z * g(G_h)
//     minLSTM    f = sigmoid(G_f),  i = sigmoid(G_i)
//                h_s = f / (f + i) * h + i / (f + i) * g(G_h)
//
//     g(v) = v + 0.5 for v >= 0, else sigmoid(v)
//
// Rows of W in the order z, h or f, i, h. The gates keep their relative precision where they are
// next to 0, and f / (f + i) is right where f and i are both next to 0 (with -inf for both, NaN).
//
// Source: Feng et al., Were RNNs All We Needed?, arXiv 2410.01201, appendix B.
//
// Sizes, places, strides, lengths, packed batches, resets and threads: as in sequence.h. G gates: 2
// (minGRU) or 3 (minLSTM).
#pragma once

#include "unrolled/sequence.h"

namespace unrolled {

template <class Real>
struct MinimalForward {
    Extent extent;          // cell: gru for minGRU, lstm for minLSTM; output equals hidden
    const Real* weight;     // (G*H, I)  not null
    const Real* bias;       // (G*H,)    or null
    Strided<const Real> x;  // (T, B, I); never read beyond a row's length
    const Real* h0;         // (B, H) state before the first step, or null for zeros
    Strided<Real> y;        // (T, B, H) h_s; written in full, zero beyond a row's length
    Real* hn;               // (B, H) after the last step of each row (h0 where it has none)

    // (N, G*H) for the backward pass, or null: the sums G of the gates, then the candidate g(v),
    // negated where v < 0. Beyond a row's length nothing is written.
    Real* kept;
};

// Gradients of a loss L. `forward` holds the arguments of the forward call and what it wrote.
template <class Real>
struct MinimalBackward {
    MinimalForward<Real> forward;
    Strided<const Real> dy;  // (T, B, H) dL/dy, never read beyond a row's length; base null: zero
    const Real* dhn;         // (B, H) dL/dhn, or null for zero

    // Scratch, overwritten: (N, G*H) dL/dG. May be forward.kept itself, which is then lost.
    Real* dsums;

    // Outputs, written in full. Any may be null: not wanted.
    Strided<Real> dx;  // (T, B, I) zero beyond a row's length
    Real* dh0;         // (B, H)
    Real* d_weight;    // (G*H, I)
    Real* d_bias;      // (G*H,)
    Real* dh;          // (N, H) dL/dh_s for every s, all paths through time in it; zero beyond a
                       //        row's length
};

// Owners, alignment, aliasing, threads and NaN: as for forward and backward in sequence.h.
template <class Real>
void minimal_forward(const MinimalForward<Real>& call);
template <class Real>
void minimal_backward(const MinimalBackward<Real>& call);

namespace oracle {
// The same in plain loops and double precision, one thread: what the fast code is tested against.
void minimal_forward(const MinimalForward<double>& call);
void minimal_backward(const MinimalBackward<double>& call);
}  // namespace oracle

}  // namespace unrolled
