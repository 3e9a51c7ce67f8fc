// The best few of a row of scores, and their log-probabilities: what a search asks of a readout.
//
// For each row r, with the product p of its output o and the readout's weights:
//
//     x_v = p_v + bias_v                        or, of whole numbers, row_r * scale_v * p_v +
//     bias_v log-probability of v = x_v - log sum over all v of exp(x_v)
//
// The `top` largest, in descending order; of equal ones the lower token first.
//
// A product of low precision (int8, summed in int32) is mended where it counts: its `candidates`
// best are scored again as o . weight_v + bias_v, the best are chosen by that, and the sum has the
// new scores in the place of the old ones. All other terms of the sum stay as they came.
#pragma once

#include <cstdint>

namespace unrolled {

// All sizes at least 1, and their products fit in 63 bits. Every array is dense and row-major,
// needs the alignment of its numbers only, and is owned by the caller, who keeps it alive and
// unchanged until the call returns; an output overlaps no other array.
template <class Real, class Product>
struct TopTokens {
    std::int64_t rows;        // R
    std::int64_t vocabulary;  // V
    std::int64_t top;         // k, at most V
    std::int64_t candidates;  // at least k, at most V; looked at only where o is given
    std::int64_t output;      // E; looked at only where o is given
    int threads;              // as many as may be used, at least 1

    const Product* products;  // (R, V)
    const Real* row;          // (R,) and
    const Real* scale;        // (V,): what the products are in units of; null: of 1
    const Real* bias;         // (V,) or null
    const Real* o;            // (R, E) or null: the products are good as they are
    const Real* weight;       // (V, E), not null where o is given

    Real* values;          // (R, k) log-probabilities
    std::int64_t* tokens;  // (R, k)
};

// The products are float without units, or int32 with. The same bits with any number of threads. A
// row with NaN has NaN for values, and tokens that are some of the vocabulary. Throws
// std::bad_alloc, and std::invalid_argument as isa() does.
template <class Product>
void top_tokens(const TopTokens<float, Product>& call);

namespace oracle {
// The same in plain loops and double precision, one thread: what the fast code is tested against.
void top_tokens(const TopTokens<double, double>& call);
}  // namespace oracle

}  // namespace unrolled
