// Products of a few rows of weights with a few vectors: the inner loop of every cell.
#pragma once

#include "functions.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

// Sums of products that are still spread over the lanes: kRows rows of weights by kCols vectors.
// With 8 sums at once the additions hide one another's latency, and all of it stays in registers.
//
// The order in which a sum is added up depends on the length alone, never on kRows or kCols: so a
// row of a batch gives the same bits alone as among others.
template <int kRows, int kCols>
struct Products {
    Vec<float> lanes[kRows][kCols];
    float rest[kRows][kCols];

    // row[r]: weights (size,); vectors: kCols of them, `stride` apart, (size,) each.
    __attribute__((always_inline)) inline void add(const float* const (&row)[kRows],
                                                   const float* vectors, std::int64_t stride,
                                                   std::int64_t size) {
        std::int64_t k = 0;
        for (; k + kLanes<float> <= size; k += kLanes<float>) {
            Vec<float> v[kCols];
#pragma GCC unroll 8
            for (int c = 0; c < kCols; ++c) v[c] = load(vectors + c * stride + k);
#pragma GCC unroll 8
            for (int r = 0; r < kRows; ++r) {
                const Vec<float> w = load(row[r] + k);
#pragma GCC unroll 8
                for (int c = 0; c < kCols; ++c) lanes[r][c] += w * v[c];
            }
        }
        for (; k < size; ++k) {
#pragma GCC unroll 8
            for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
                for (int c = 0; c < kCols; ++c) rest[r][c] += row[r][k] * vectors[c * stride + k];
            }
        }
    }

    __attribute__((always_inline)) inline float total(int r, int c) const {
        return sum<float>(lanes[r][c]) + rest[r][c];
    }
};

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
