// Short vectors of float or double: the one place that knows how wide a register is.
//
// Each file in this folder that includes this one is compiled once per instruction set, with
// UNROLLED_ISA_NAMESPACE naming it. Everything here lives in that namespace and is inlined by
// force: a linker that merged two copies of one function could put AVX2 instructions on a path that
// an older processor takes. For the same reason nothing from the standard library that is inline
// may be used in those files.
#pragma once

#include <cstdint>

#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#endif

#ifndef UNROLLED_ISA_NAMESPACE
#error "compile this file with -DUNROLLED_ISA_NAMESPACE=generic (or another instruction set)"
#endif

#define UNROLLED_INLINE static inline __attribute__((always_inline))

namespace unrolled::UNROLLED_ISA_NAMESPACE {

#if defined(__AVX512F__)
constexpr int kBytes = 64;
constexpr int kRegisters = 32;
#elif defined(__AVX2__)
constexpr int kBytes = 32;
constexpr int kRegisters = 16;
#else
constexpr int kBytes = 16;
constexpr int kRegisters = 16;
#endif

template <class Real>
struct VecOf;

template <>
struct VecOf<float> {
    typedef float Type __attribute__((vector_size(kBytes)));
    typedef std::int32_t Index __attribute__((vector_size(kBytes)));
};

template <>
struct VecOf<double> {
    typedef double Type __attribute__((vector_size(kBytes)));
    typedef std::int64_t Index __attribute__((vector_size(kBytes)));
};

template <class Real>
using Vec = typename VecOf<Real>::Type;

template <class Real>
constexpr int kLanes = kBytes / static_cast<int>(sizeof(Real));

template <class Real>
UNROLLED_INLINE Vec<Real> load(const Real* from) {
    Vec<Real> v;
    __builtin_memcpy(&v, from, sizeof v);
    return v;
}

template <class Real>
UNROLLED_INLINE void store(Real* to, Vec<Real> v) {
    __builtin_memcpy(to, &v, sizeof v);
}

template <class Real>
UNROLLED_INLINE Vec<Real> broadcast(Real value) {
    return value - Vec<Real>{};  // a sum would turn -0 into 0
}

#if defined(__AVX512F__)

UNROLLED_INLINE __mmask16 first_lanes(int count) {
    return static_cast<__mmask16>((1u << count) - 1u);
}

UNROLLED_INLINE Vec<float> load_first(const float* from, int count) {
    return (Vec<float>)_mm512_maskz_loadu_ps(first_lanes(count), from);
}
UNROLLED_INLINE Vec<double> load_first(const double* from, int count) {
    return (Vec<double>)_mm512_maskz_loadu_pd(static_cast<__mmask8>(first_lanes(count)), from);
}
UNROLLED_INLINE void store_first(float* to, Vec<float> v, int count) {
    _mm512_mask_storeu_ps(to, first_lanes(count), (__m512)v);
}
UNROLLED_INLINE void store_first(double* to, Vec<double> v, int count) {
    _mm512_mask_storeu_pd(to, static_cast<__mmask8>(first_lanes(count)), (__m512d)v);
}

#elif defined(__AVX2__)

UNROLLED_INLINE __m256i first_lanes(int count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
UNROLLED_INLINE __m256i first_long_lanes(int count) {
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3));
}

UNROLLED_INLINE Vec<float> load_first(const float* from, int count) {
    return (Vec<float>)_mm256_maskload_ps(from, first_lanes(count));
}
UNROLLED_INLINE Vec<double> load_first(const double* from, int count) {
    return (Vec<double>)_mm256_maskload_pd(from, first_long_lanes(count));
}
UNROLLED_INLINE void store_first(float* to, Vec<float> v, int count) {
    _mm256_maskstore_ps(to, first_lanes(count), (__m256)v);
}
UNROLLED_INLINE void store_first(double* to, Vec<double> v, int count) {
    _mm256_maskstore_pd(to, first_long_lanes(count), (__m256d)v);
}

#else

template <class Real>
UNROLLED_INLINE Vec<Real> load_first(const Real* from, int count) {
    Vec<Real> v = {};
    for (int k = 0; k < count; ++k) v[k] = from[k];
    return v;
}
template <class Real>
UNROLLED_INLINE void store_first(Real* to, Vec<Real> v, int count) {
    for (int k = 0; k < count; ++k) to[k] = v[k];
}

#endif

// The first `count` lanes; zeros in the others, so that they compute something harmless.
template <class Real>
UNROLLED_INLINE Vec<Real> load_some(const Real* from, int count) {
    return count == kLanes<Real> ? load(from) : load_first(from, count);
}

template <class Real>
UNROLLED_INLINE void store_some(Real* to, Vec<Real> v, int count) {
    if (count == kLanes<Real>) return store(to, v);
    store_first(to, v, count);
}

// `count` numbers from `from`, or zeros where it is null.
template <class Real>
UNROLLED_INLINE Vec<Real> load_or_zero(const Real* from, std::int64_t at, int count) {
    return from ? load_some(from + at, count) : Vec<Real>{};
}

// `count` bytes as numbers, zeros in the other lanes.
template <class Real>
UNROLLED_INLINE Vec<Real> load_bytes(const std::uint8_t* from, int count) {
#if defined(__AVX512F__)
    if constexpr (sizeof(Real) == 4) {
        if (count == 16) {
            const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
            return (Vec<Real>)_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes));
        }
    }
#elif defined(__AVX2__)
    if constexpr (sizeof(Real) == 4) {
        if (count == 8) {
            const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
            return (Vec<Real>)_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
        }
    }
#endif
    Vec<Real> v = {};
    for (int k = 0; k < count; ++k) v[k] = from[k];
    return v;
}

// The sum of all lanes, in halves: always the same order.
template <class Real>
UNROLLED_INLINE Real sum(Vec<Real> v) {
    Real lane[kLanes<Real>];
    __builtin_memcpy(lane, &v, sizeof v);
#pragma GCC unroll 8
    for (int half = kLanes<Real> / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
        for (int k = 0; k < half; ++k) lane[k] += lane[k + half];
    }
    return lane[0];
}

// The smaller and the larger, lane by lane; v itself where it is NaN.
#if defined(__AVX512F__)
UNROLLED_INLINE Vec<float> at_most(Vec<float> v, Vec<float> limit) {
    return (Vec<float>)_mm512_min_ps((__m512)limit, (__m512)v);
}
UNROLLED_INLINE Vec<float> at_least(Vec<float> v, Vec<float> limit) {
    return (Vec<float>)_mm512_max_ps((__m512)limit, (__m512)v);
}
#elif defined(__AVX2__)
UNROLLED_INLINE Vec<float> at_most(Vec<float> v, Vec<float> limit) {
    return (Vec<float>)_mm256_min_ps((__m256)limit, (__m256)v);
}
UNROLLED_INLINE Vec<float> at_least(Vec<float> v, Vec<float> limit) {
    return (Vec<float>)_mm256_max_ps((__m256)limit, (__m256)v);
}
#else
UNROLLED_INLINE Vec<float> at_most(Vec<float> v, Vec<float> limit) { return limit < v ? limit : v; }
UNROLLED_INLINE Vec<float> at_least(Vec<float> v, Vec<float> limit) {
    return limit > v ? limit : v;
}
#endif
UNROLLED_INLINE Vec<double> at_most(Vec<double> v, Vec<double> limit) {
    return limit < v ? limit : v;
}
UNROLLED_INLINE Vec<double> at_least(Vec<double> v, Vec<double> limit) {
    return limit > v ? limit : v;
}

// A bit for each lane that is above the limit; NaN is not.
UNROLLED_INLINE std::uint32_t lanes_above(Vec<float> v, float limit) {
#if defined(__AVX512F__)
    return _mm512_cmp_ps_mask((__m512)v, _mm512_set1_ps(limit), _CMP_GT_OQ);
#elif defined(__AVX2__)
    const __m256 above = _mm256_cmp_ps((__m256)v, _mm256_set1_ps(limit), _CMP_GT_OQ);
    return static_cast<std::uint32_t>(_mm256_movemask_ps(above));
#else
    std::uint32_t above = 0;
    for (int k = 0; k < kLanes<float>; ++k) above |= static_cast<std::uint32_t>(v[k] > limit) << k;
    return above;
#endif
}

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
