// Products of numbers that are real, or pairs of a real and an imaginary part, on vectors of them.
#pragma once

#include "vec.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

template <int... kLane>
struct Lanes {};

UNROLLED_INLINE Lanes<0, 1> lanes_of(Lanes<2>) { return {}; }
UNROLLED_INLINE Lanes<0, 1, 2, 3> lanes_of(Lanes<4>) { return {}; }
UNROLLED_INLINE Lanes<0, 1, 2, 3, 4, 5, 6, 7> lanes_of(Lanes<8>) { return {}; }
UNROLLED_INLINE Lanes<0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15> lanes_of(Lanes<16>) {
    return {};
}

// Of each pair: the two parts turned round; the real part twice; the imaginary part twice.
#ifdef __clang__
#define UNROLLED_SHUFFLE(Real, v, lane) __builtin_shufflevector(v, v, (lane)...)
#else
#define UNROLLED_SHUFFLE(Real, v, lane) __builtin_shuffle(v, typename VecOf<Real>::Index{(lane)...})
#endif
template <class Real, int... kLane>
UNROLLED_INLINE Vec<Real> turned(Vec<Real> v, Lanes<kLane...>) {
    return UNROLLED_SHUFFLE(Real, v, kLane ^ 1);
}
template <class Real, int... kLane>
UNROLLED_INLINE Vec<Real> real_parts(Vec<Real> v, Lanes<kLane...>) {
    return UNROLLED_SHUFFLE(Real, v, kLane & ~1);
}
template <class Real, int... kLane>
UNROLLED_INLINE Vec<Real> imaginary_parts(Vec<Real> v, Lanes<kLane...>) {
    return UNROLLED_SHUFFLE(Real, v, kLane | 1);
}
// -1 for the real part of each pair and 1 for the imaginary one.
template <class Real, int... kLane>
UNROLLED_INLINE Vec<Real> signs(Lanes<kLane...>) {
    return Vec<Real>{Real((kLane & 1) * 2 - 1)...};
}
#undef UNROLLED_SHUFFLE

// a * v.
template <class Real, bool kComplex>
UNROLLED_INLINE Vec<Real> times(Vec<Real> a, Vec<Real> v) {
    if constexpr (!kComplex) return a * v;
    const auto lanes = lanes_of(Lanes<kLanes<Real>>{});
    const Vec<Real> across = imaginary_parts<Real>(a, lanes) * signs<Real>(lanes);
    return real_parts<Real>(a, lanes) * v + across * turned<Real>(v, lanes);
}

// conj(a) * v.
template <class Real, bool kComplex>
UNROLLED_INLINE Vec<Real> conjugate_times(Vec<Real> a, Vec<Real> v) {
    if constexpr (!kComplex) return a * v;
    const auto lanes = lanes_of(Lanes<kLanes<Real>>{});
    const Vec<Real> across = imaginary_parts<Real>(a, lanes) * signs<Real>(lanes);
    return real_parts<Real>(a, lanes) * v - across * turned<Real>(v, lanes);
}

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
