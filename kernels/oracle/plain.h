// The pieces that the oracles share, as plain as they come.
#pragma once

#include <cmath>
#include <cstdint>

namespace unrolled::oracle {

inline double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

inline double dot(const double* a, const double* b, std::int64_t size) {
    double sum = 0.0;
    for (std::int64_t k = 0; k < size; ++k) sum += a[k] * b[k];
    return sum;
}

// bias[row], or 0 where there is no bias.
inline double at(const double* bias, std::int64_t row) { return bias ? bias[row] : 0.0; }

}  // namespace unrolled::oracle
