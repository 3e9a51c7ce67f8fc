// Weights kept in 16 bits: rounded once to IEEE binary16, widened in the loop that reads them.
#pragma once

#include "tile.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

#if defined(__AVX512F__) || defined(__AVX2__)

struct Half {
    std::uint16_t bits;
};

#if defined(__AVX512F__)
UNROLLED_INLINE Vec<float> load_weights(const Half* from) {
    return (Vec<float>)_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}
UNROLLED_INLINE void store_weights(Half* to, Vec<float> v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                        _mm512_cvtps_ph((__m512)v, _MM_FROUND_TO_NEAREST_INT));
}
#else
UNROLLED_INLINE Vec<float> load_weights(const Half* from) {
    return (Vec<float>)_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}
UNROLLED_INLINE void store_weights(Half* to, Vec<float> v) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                     _mm256_cvtps_ph((__m256)v, _MM_FROUND_TO_NEAREST_INT));
}
#endif

#else

// No instruction widens it here, and doing so by hand would cost more than the memory it saves: the
// rounded number stands as a float.
struct Half {
    float value;
};

UNROLLED_INLINE Vec<float> load_weights(const Half* from) { return load(&from->value); }

// The nearest binary16, ties to even; infinity and NaN stay. Numbers beyond 65504 are not for here.
UNROLLED_INLINE float rounded(float x) {
    const float size = __builtin_fabsf(x);
    if (!(size <= 65504.0f)) return x;
    // Below 2^-14 the numbers of binary16 are 2^-24 apart, as are those of float from 1/2 to 1.
    if (size < 6.103515625e-05f) return __builtin_copysignf(size + 0.5f - 0.5f, x);
    std::uint32_t bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    bits = (bits + 0xfffu + ((bits >> 13) & 1u)) & ~0x1fffu;
    __builtin_memcpy(&x, &bits, sizeof bits);
    return x;
}

UNROLLED_INLINE void store_weights(Half* to, Vec<float> v) {
    for (int k = 0; k < kLanes<float>; ++k) to[k].value = rounded(v[k]);
}

#endif

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
