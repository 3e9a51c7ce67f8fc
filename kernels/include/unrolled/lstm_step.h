// One step of an LSTM, for one layer and one direction: what streaming runs.
//
//     i = sigmoid(W_ii x + b_ii + W_hi h + b_hi)      input gate
//     f = sigmoid(W_if x + b_if + W_hf h + b_hf)      forget gate
//     g = tanh   (W_ig x + b_ig + W_hg h + b_hg)      candidate
//     o = sigmoid(W_io x + b_io + W_ho h + b_ho)      output gate
//     c' = f * c + i * g
//     h' = o * tanh(c')
//
// Source: Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000; layout and
// order of the gates (i, f, g, o) are those of torch.nn.LSTM.
#pragma once

#include <cstdint>

namespace unrolled {

// B batch, I input size, H hidden size, each at least 1; B*I, B*H, 4H*I and 4H*H fit in 63 bits.
//
// Every array is dense and row-major, needs the alignment of Real only, and is owned by the caller,
// who keeps it alive and unchanged (the outputs: untouched by others) until the call returns.
// Nothing is kept afterwards. The inputs may alias one another; an output must not overlap any
// other array.
template <class Real>
struct LstmStep {
    std::int64_t batch;   // B
    std::int64_t input;   // I
    std::int64_t hidden;  // H

    const Real* x;          // (B, I)   input of this step; not null
    const Real* h;          // (B, H)   hidden state before; not null
    const Real* c;          // (B, H)   cell state before; not null
    const Real* weight_ih;  // (4H, I)  rows in the order i, f, g, o; not null
    const Real* weight_hh;  // (4H, H)  the same order; not null
    const Real* bias_ih;    // (4H,)    or null: no such bias
    const Real* bias_hh;    // (4H,)    or null: no such bias

    Real* h_out;  // (B, H)   hidden state after; written in full, never read; not null
    Real* c_out;  // (B, H)   cell state after; written in full, never read; not null
};

// The fast step, on the instruction set that isa() names (see isa.h). Allocates nothing, starts no
// thread, and may be called from several threads at once. A NaN in row b comes out as NaN in row b,
// in no other row. Throws std::invalid_argument where UNROLLED_ISA can't be met; nothing is written
// then.
void lstm_step(const LstmStep<float>& step);

namespace oracle {
// The same in plain loops and double precision: what the fast step is tested against.
void lstm_step(const LstmStep<double>& step);
}  // namespace oracle

}  // namespace unrolled
