// One recurrent layer in one direction, over time: forward, and backward through time.
//
// With s the step and h, c the state after the step before it in the layer's own direction:
//
//     G = N(W_ih x_s, gain_ih) + b_ih,   R = N(W_hh (m * h), gain_hh) + b_hh
//
//     RNN     h~ = tanh(G + R)   or max(0, G + R)
//     GRU     r = sigmoid(G_r + R_r),  z = sigmoid(G_z + R_z)
//             n = tanh(G_n + r * R_n),  h~ = (1 - z) * n + z * h
//     LSTM    i = sigmoid(G_i + R_i + p_i * c),  f = sigmoid(G_f + R_f + p_f * c)
//             g = tanh(G_g + R_g),  c~ = f * c + i * g
//             o = sigmoid(G_o + R_o + p_o * c~),  h~ = o * tanh(C(c~))   or W_hr of that
//
//     h_s = zh * h + (1 - zh) * h~,   c_s = zc * c + (1 - zc) * c~
//
// Gates stand in torch's order, as in the equations. Source: torch.nn; the peepholes p are those of
// Gers and Schmidhuber 2000, the projection W_hr that of Sak et al. 2014, arXiv 1402.1128.
//
//   N   layer normalisation, or nothing: N(a, gain) = gain * (a - mean(a)) / sqrt(var(a) + eps),
//       over all gates of a row together for an RNN and an LSTM, over (r, z) together and n alone
//       for a GRU. Source: Ba et al. 2016, arXiv 1607.06450, eq. 20 to 22 and the GRU after it;
//       the paper's shifts are the biases here. C is N over H with a gain and a shift of its own.
//   m   recurrent dropout: one mask for all steps of a row (Gal and Ghahramani 2016,
//       arXiv 1512.05287), already scaled by 1 / (1 - p).
//   z   zoneout (Krueger et al. 2017, arXiv 1606.01305): 0 or 1 at each step and unit where a mask
//       is given (1 keeps the old state; what is not chosen is not seen, be it infinite),
//       otherwise one rate for all, as in evaluation.
//
// Sizes: T steps, B rows, I input, H hidden (cell) size, P output size (H, or less with a
// projection), G gates: 1 (RNN), 3 (GRU), 4 (LSTM). All at least 1.
//
// Where things lie. Step t of row b of what comes from or goes to the caller's tensors (x, y and
// their gradients) stands at `base + t * time + b * row`, the strides counted in elements; the last
// axis is dense. Everything else is dense, with one place for each step and row: place(t, b) is
// t * B + b; N = T * B places in all. A packed batch (batch_sizes not null) has its rows sorted,
// the longest first; then place(t, b) is batch_sizes[0] + ... + batch_sizes[t - 1] + b, N is their
// sum, and x and y stand at `base + place * row`.
#pragma once

#include <cstdint>

namespace unrolled {

enum class CellKind : int { rnn_tanh = 0, rnn_relu = 1, gru = 2, lstm = 3 };

// A tensor of the caller: (T, B, width), or (N, width) where the batch is packed.
template <class Real>
struct Strided {
    Real* base;         // may be null where the field says so
    std::int64_t time;  // from one step to the next; unused where packed
    std::int64_t row;   // from one row to the next
};

// What a call runs over. All arrays here are read only.
struct Extent {
    CellKind cell;
    std::int64_t steps;   // T
    std::int64_t batch;   // B
    std::int64_t input;   // I
    std::int64_t hidden;  // H
    std::int64_t output;  // P; equals H unless weights.hr is given
    bool reverse;         // from the last real step of each row to step 0
    int threads;          // at most so many; at least 1. Never changes a bit of the result.

    const std::int64_t*
        lengths;  // (B,) real steps of each row, 0 to T; null: all T. Null if packed
    const std::int64_t* batch_sizes;     // (T,) rows that have step t, not increasing, the first B;
                                         // null: not packed
    Strided<const std::uint8_t> starts;  // 0 or 1 (width 1); base null: no resets. Where 1, the
                                         // state that goes between steps t - 1 and t is cut: it is
                                         // zero, and no gradient crosses. At t = 0 going forward
                                         // the given state is dropped. Never read beyond a row's
                                         // length. Null if packed
};

template <class Real>
struct Weights {
    const Real* ih;       // (G*H, I)  rows in torch's order of gates; not null
    const Real* hh;       // (G*H, P)  not null
    const Real* bias_ih;  // (G*H,)    or null
    const Real* bias_hh;  // (G*H,)    or null

    const Real* hr;        // (P, H)   LSTM only; or null
    const Real* peephole;  // (3, H)   LSTM only: p_i, p_f, p_o; or null

    // Layer normalisation: gain_ih, gain_hh (and, for an LSTM, norm_c) are given together, or none.
    const Real* gain_ih;  // (G*H,)
    const Real* gain_hh;  // (G*H,)
    const Real* norm_c;   // (2, H)   LSTM: gain and shift of C
    Real epsilon;         // > 0; unused without layer normalisation
};

template <class Real>
struct Masks {
    const std::uint8_t* zoneout_h;  // (N, P) 0 or 1, or null
    const std::uint8_t* zoneout_c;  // (N, H) 0 or 1, or null; LSTM only
    Real rate_h;                    // used where zoneout_h is null; 0 for no zoneout
    Real rate_c;                    // used where zoneout_c is null; 0 for no zoneout
    const Real* recurrent;          // (B, P) m, or null
};

// What the forward pass keeps for the backward pass. Every pointer is null for inference, unless
// the caller wants to have the array. Where a place is beyond a row's length, nothing is written.
template <class Real>
struct Kept {
    // (N, 4H) the gates after their functions: LSTM i, f, g, o; GRU (hn, r, z, n), where
    // hn = the recurrent part of n before r multiplies it. RNN: (N, H) h~, used with zoneout only
    Real* gates;
    Real* cells;  // (N, H)  c_s, LSTM only
    // With layer normalisation, all of these, or none:
    Real* normed_ih;  // (N, G*H) N(W_ih x) before the gain
    Real* normed_hh;  // (N, G*H) N(W_hh h) before the gain
    Real* scale_ih;   // (N, 2) 1 / sqrt(var + eps) in [0]; GRU: [0] of (r, z), [1] of n
    Real* scale_hh;   // (N, 2)
    Real* stats_c;    // (N, 2) mean and 1 / sqrt(var + eps) of c~, LSTM only
};

template <class Real>
struct Forward {
    Extent extent;
    Weights<Real> weights;
    Masks<Real> masks;
    Strided<const Real> x;  // (T, B, I); never read beyond a row's length
    const Real* h0;         // (B, P) state before the first step, or null for zeros
    const Real* c0;         // (B, H) LSTM only, or null for zeros
    Strided<Real> y;        // (T, B, P) h_s; written in full, zero beyond a row's length
    Real* hn;               // (B, P) after the last step of each row (h0 where it has none)
    Real* cn;               // (B, H) LSTM only
    Kept<Real> kept;
};

// Gradients of a loss L. `forward` holds the arguments of the forward call and what it wrote.
template <class Real>
struct Backward {
    Forward<Real> forward;
    Strided<const Real> dy;  // (T, B, P) dL/dy, never read beyond a row's length; base null: zero
    const Real* dhn;         // (B, P) dL/dhn, or null for zero
    const Real* dcn;         // (B, H) dL/dcn, or null for zero; LSTM only
    const Real* dcells;      // (N, H) dL/d kept.cells, or null for zero; LSTM only

    // Scratch, overwritten: LSTM and GRU (N, 4H), RNN (N, H); may be kept.gates itself, which is
    // then lost. Holds dL/d of the gates' sums: GRU as (d hn, d r, d z, d n). With layer
    // normalisation kept.normed_ih and kept.normed_hh are overwritten too.
    Real* dgates;

    // Outputs, written in full. Any may be null: not wanted.
    Strided<Real> dx;  // (T, B, I) zero beyond a row's length
    Real* dh0;         // (B, P)
    Real* dc0;         // (B, H)
    Real* d_ih;        // (G*H, I)
    Real* d_hh;        // (G*H, P)
    Real* d_bias_ih;   // (G*H,)
    Real* d_bias_hh;   // (G*H,)
    Real* d_hr;        // (P, H)
    Real* d_peephole;  // (3, H)
    Real* d_gain_ih;   // (G*H,)
    Real* d_gain_hh;   // (G*H,)
    Real* d_norm_c;    // (2, H)
    Real* dh;          // (N, P) dL/dh_s for every s, all paths through time in it
    Real* dc;          // (N, H) dL/dc~_s likewise, through h_s too: dL/dc_s but for zoneout.
                       //        LSTM only. Both are zero beyond a row's length
};

// Arrays are owned by the caller, who keeps them alive, and unchanged by others, until the call
// returns. An output overlaps no other array, but for what is said of dgates. The alignment of Real
// is enough. Nothing is kept afterwards but scratch memory for the next call of the same thread.
// May be called from several threads at once. NaN and infinity in a row stay in that row (and in
// the gradients of the weights). The same call gives the same bits, whatever the number of threads.
template <class Real>
void forward(const Forward<Real>& call);
template <class Real>
void backward(const Backward<Real>& call);

namespace oracle {
// The same in plain loops and double precision, one thread: what the fast code is tested against.
void forward(const Forward<double>& call);
void backward(const Backward<double>& call);
}  // namespace oracle

}  // namespace unrolled
