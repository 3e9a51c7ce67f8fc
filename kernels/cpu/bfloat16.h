// Numbers in bfloat16, widened where they are read.
#pragma once

#include "unrolled/gates.h"
#include "vec.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

UNROLLED_INLINE float widened(Bfloat16 x) {
    const std::uint32_t bits = static_cast<std::uint32_t>(x.bits) << 16;
    float wide;
    __builtin_memcpy(&wide, &bits, sizeof wide);
    return wide;
}

// The first `count` lanes; zeros in the others.
UNROLLED_INLINE Vec<float> load_bfloat16(const Bfloat16* from, int count) {
#if defined(__AVX512F__)
    if (count == kLanes<float>) {
        const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
        return (Vec<float>)_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16);
    }
#elif defined(__AVX2__)
    if (count == kLanes<float>) {
        const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
        return (Vec<float>)_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16);
    }
#endif
    Vec<float> v = {};
    for (int k = 0; k < count; ++k) v[k] = widened(from[k]);
    return v;
}

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
