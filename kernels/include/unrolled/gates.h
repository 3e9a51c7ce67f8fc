// What stands between the products of one step and its new state: biases, gates, equations. For
// those who take the products by other means, such as a library's in bfloat16.
//
//     G = p + b_ih,  R = s + b_hh      with the products p = W_ih x and s = W_hh h of the step
//
// and then the equation of the cell, as in sequence.h without its options.
#pragma once

#include <cstdint>

#include "unrolled/sequence.h"

namespace unrolled {

// A number of bfloat16: the upper half of a float's bits.
struct Bfloat16 {
    std::uint16_t bits;
};

// Sizes are at least 1, and their products fit in 63 bits. Every array is dense and row-major,
// needs the alignment of its numbers only, and is owned by the caller, who keeps it alive and
// unchanged (the outputs: untouched by others) until the call returns. An output must not overlap
// any other array.
template <class Real, class Product>
struct Gates {
    CellKind cell;
    std::int64_t batch;   // B
    std::int64_t hidden;  // H

    const Product* input;  // (B, G*H)  p, gates in torch's order; not null
    const Product* state;  // (B, G*H)  s; not null
    const Real* bias_ih;   // (G*H,)    or null: no such bias
    const Real* bias_hh;   // (G*H,)    or null: no such bias
    const Real* h;         // (B, H)    hidden state before; not null
    const Real* c;         // (B, H)    cell state before: of an LSTM, else not looked at

    Real* h_out;  // (B, H)   hidden state after; written in full, never read; not null
    Real* c_out;  // (B, H)   cell state after: of an LSTM, else not looked at
};

// Starts no thread. A row gives the same bits in any batch; a NaN in row b comes out in row b, in
// no other. Throws std::bad_alloc, and std::invalid_argument as isa() does.
void gates(const Gates<float, Bfloat16>& call);

namespace oracle {
// The same in plain loops and double precision: what the fast code is tested against.
void gates(const Gates<double, double>& call);
}  // namespace oracle

}  // namespace unrolled
