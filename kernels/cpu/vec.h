// Short vectors of floats, and the functions on them that every cell needs.
//
// Each file in this folder that includes this one is compiled once per instruction set, with
// UNROLLED_ISA_NAMESPACE naming it. Everything here lives in that namespace and is inlined by
// force: a linker that merged two copies of one function could put AVX2 instructions on a path that
// an older processor takes. For the same reason nothing from the standard library that is inline
// may be used in those files.
#pragma once

#include <cstdint>

#ifndef UNROLLED_ISA_NAMESPACE
#error "compile this file with -DUNROLLED_ISA_NAMESPACE=generic (or another instruction set)"
#endif

#define UNROLLED_INLINE static inline __attribute__((always_inline))

namespace unrolled::UNROLLED_ISA_NAMESPACE {

#ifdef __AVX__
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif

typedef float Vec __attribute__((vector_size(kLanes * sizeof(float))));
typedef std::int32_t IntVec __attribute__((vector_size(kLanes * sizeof(std::int32_t))));

UNROLLED_INLINE Vec load(const float* from) {
    Vec v;
    __builtin_memcpy(&v, from, sizeof v);
    return v;
}

UNROLLED_INLINE void store(float* to, Vec v) { __builtin_memcpy(to, &v, sizeof v); }

// The first `count` lanes; zeros in the others, so that they compute something harmless.
UNROLLED_INLINE Vec load_some(const float* from, int count) {
    if (count == kLanes) return load(from);
    Vec v = {};
    for (int k = 0; k < count; ++k) v[k] = from[k];
    return v;
}

UNROLLED_INLINE void store_some(float* to, Vec v, int count) {
    if (count == kLanes) return store(to, v);
    for (int k = 0; k < count; ++k) to[k] = v[k];
}

UNROLLED_INLINE IntVec bits(Vec v) { return (IntVec)v; }
UNROLLED_INLINE Vec from_bits(IntVec v) { return (Vec)v; }

// Per lane: where ? yes : no, for a mask of all ones or all zeros.
UNROLLED_INLINE Vec select(IntVec where, Vec yes, Vec no) {
    return from_bits((where & bits(yes)) | (~where & bits(no)));
}

// The sum of all lanes, in halves: always the same order.
UNROLLED_INLINE float sum(Vec v) {
    typedef float Four __attribute__((vector_size(16)));
    typedef float Two __attribute__((vector_size(8)));
    Four four;
    if constexpr (kLanes == 8) {
        Four parts[2];
        __builtin_memcpy(parts, &v, sizeof v);
        four = parts[0] + parts[1];
    } else {
        __builtin_memcpy(&four, &v, sizeof four);
    }
    Two parts[2];
    __builtin_memcpy(parts, &four, sizeof four);
    const Two two = parts[0] + parts[1];
    return two[0] + two[1];
}

// e^x to 2 units in the last place, with infinity, zero, the subnormals and NaN where they belong.
// x = n ln 2 + r with |r| <= ln 2 / 2, ln 2 in two parts; polynomial in r from Cephes expf.
UNROLLED_INLINE Vec exp(Vec x) {
    const Vec zero = {};
    // Beyond these the result is infinite or 0 anyhow; a NaN passes both comparisons.
    x = select(x > 89.0f, zero + 89.0f, x);
    x = select(x < -104.0f, zero - 104.0f, x);
    // Adding 1.5 * 2^23 rounds to a whole number, which then stands in the low bits.
    const Vec shifter = zero + 12582912.0f;
    const Vec shifted = x * 1.44269504088896341f + shifter;
    const Vec n = shifted - shifter;
    const IntVec whole = bits(shifted) - bits(shifter);
    const Vec r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    Vec p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    // 2^n in two factors: n = -150 and n = 128 have no float of their own.
    const IntVec half = whole >> 1;
    const Vec first = from_bits((half + 127) << 23);
    const Vec second = from_bits((whole - half + 127) << 23);
    return p * first * second;
}

// 1 / (1 + e^-x): small results keep their relative precision, which a form over tanh would lose.
UNROLLED_INLINE Vec sigmoid(Vec x) { return 1.0f / (1.0f + exp(-x)); }

// Near 0 the odd polynomial from Cephes tanhf, elsewhere 1 - 2 / (e^2|x| + 1) with the sign of x.
UNROLLED_INLINE Vec tanh(Vec x) {
    const Vec size = from_bits(bits(x) & 0x7fffffff);
    const IntVec sign = bits(x) ^ bits(size);
    const Vec square = x * x;
    Vec p = square * -5.70498872745e-3f + 2.06390887954e-2f;
    p = p * square - 5.37397155531e-2f;
    p = p * square + 1.33314422036e-1f;
    p = p * square - 3.33332819422e-1f;
    const Vec near = x + x * square * p;
    const Vec far = 1.0f - 2.0f / (exp(size + size) + 1.0f);
    return select(size < 0.625f, near, from_bits(bits(far) | sign));
}

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
