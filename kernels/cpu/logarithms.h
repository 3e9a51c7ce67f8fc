// Logarithms in double precision. (libm's are not for these files: see vec.h.)
#pragma once

#include "functions.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

// log x for a normal x > 0, NaN for NaN, to some units in the last place: x = 2^e m with m next to
// 1, and log m = 2 artanh((m - 1) / (m + 1)) as a series.
UNROLLED_INLINE double logarithm(double x) {
    if (!(x > 0)) return x;
    std::int64_t bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    const std::int64_t exponent = ((bits + 0x95f6200000000) >> 52) - 1023;
    bits -= exponent << 52;
    double m;
    __builtin_memcpy(&m, &bits, sizeof m);
    const double s = (m - 1) / (m + 1), z = s * s;
    double p = 0;
#pragma GCC unroll 12
    for (int k = 23; k >= 3; k -= 2) p = (p + 1.0 / k) * z;
    return static_cast<double>(exponent) * 0.69314718055994530942 + 2 * s * (1 + p);
}

// log(e^a + e^b) for finite a and b, NaN where one is: the larger, and log(1 + e^-|a - b|) as the
// series above to 1e-15.
UNROLLED_INLINE Vec<double> log_add(Vec<double> a, Vec<double> b) {
    const Vec<double> apart = a - b;
    const Vec<double> power = exp(apart > 0.0 ? -apart : apart);
    const Vec<double> s = power / (power + 2.0), z = s * s;
    Vec<double> p = {};
#pragma GCC unroll 14
    for (int k = 27; k >= 3; k -= 2) p = (p + 1.0 / k) * z;
    return (apart > 0.0 ? a : b) + 2.0 * s * (1.0 + p);
}

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
