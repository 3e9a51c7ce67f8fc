// One step of a GRU, for one layer and one direction: what streaming runs.
//
//     r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)         reset gate
//     z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)         update gate
//     n = tanh   (W_in x + b_in + r * (W_hn h + b_hn))   candidate
//     h' = (1 - z) * n + z * h
//
// Source: Cho et al. 2014, in the form of torch.nn.GRU: the reset comes after the product with h,
// and b_hn stands inside it. Layout and order of the gates (r, z, n) are torch's.
#pragma once

#include <cstdint>

namespace unrolled {

// B batch, I input size, H hidden size, each at least 1; B*I, B*H, 3H*I and 3H*H fit in 63 bits.
//
// Every array is dense and row-major, needs the alignment of Real only, and is owned by the caller,
// who keeps it alive and unchanged (the output: untouched by others) until the call returns.
// Nothing is kept afterwards. The inputs may alias one another; the output must not overlap any
// other array.
template <class Real>
struct GruStep {
    std::int64_t batch;   // B
    std::int64_t input;   // I
    std::int64_t hidden;  // H

    const Real* x;          // (B, I)   input of this step; not null
    const Real* h;          // (B, H)   hidden state before; not null
    const Real* weight_ih;  // (3H, I)  rows in the order r, z, n; not null
    const Real* weight_hh;  // (3H, H)  the same order; not null
    const Real* bias_ih;    // (3H,)    or null: no such bias
    const Real* bias_hh;    // (3H,)    or null: no such bias

    Real* h_out;  // (B, H)   hidden state after; written in full, never read; not null
};

// The fast step, on the instruction set that isa() names (see isa.h). Allocates nothing, starts no
// thread, and may be called from several threads at once. A NaN in row b comes out as NaN in row b,
// in no other row. Throws std::invalid_argument where UNROLLED_ISA can't be met; nothing is written
// then.
void gru_step(const GruStep<float>& step);

namespace oracle {
// The same in plain loops and double precision: what the fast step is tested against.
void gru_step(const GruStep<double>& step);
}  // namespace oracle

}  // namespace unrolled
