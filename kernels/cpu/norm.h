// What goes over a row: its vectors, its largest number, layer normalisation forward and back.
#pragma once

#include "functions.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

template <class Real>
UNROLLED_INLINE Real inverse_root(Real x) {
    return Real(1) / static_cast<Real>(sizeof(Real) == 4 ? __builtin_sqrtf(static_cast<float>(x))
                                                         : __builtin_sqrt(static_cast<double>(x)));
}

// Calls body(j, count) for each vector of [0, size).
template <class Real, class Body>
UNROLLED_INLINE void for_vectors(std::int64_t size, Body body) {
    constexpr int L = kLanes<Real>;
    std::int64_t j = 0;
    for (; j + L <= size; j += L) body(j, L);
    if (j < size) body(j, static_cast<int>(size - j));
}

template <class Real>
UNROLLED_INLINE Real largest_of(const Real* row, std::int64_t size) {
    constexpr int L = kLanes<Real>;
    Real most = row[0];
    std::int64_t j = 0;
    if (size >= L) {
        Vec<Real> lanes = load(row);
        for (j = L; j + L <= size; j += L) lanes = at_least(load(row + j), lanes);
        Real lane[L];
        store(lane, lanes);
        for (int k = 0; k < L; ++k) most = lane[k] > most ? lane[k] : most;
    }
    for (; j < size; ++j) most = row[j] > most ? row[j] : most;
    return most;
}

template <class Real>
struct Moments {
    Real mean;
    Real scale;  // 1 / sqrt(var + epsilon)
};

template <class Real>
inline Moments<Real> moments(const Real* row, std::int64_t size, Real epsilon) {
    Vec<Real> total = {}, squares = {};
    for_vectors<Real>(size, [&](std::int64_t j, int count) __attribute__((always_inline)) {
        total += load_some(row + j, count);
    });
    const Real mean = sum<Real>(total) / static_cast<Real>(size);
    for_vectors<Real>(size, [&](std::int64_t j, int count) __attribute__((always_inline)) {
        const Vec<Real> apart = load_some(row + j, count) - mean;
        const Vec<Real> square = apart * apart;
        if (count == kLanes<Real>) {
            squares += square;
        } else {  // the empty lanes are -mean
            for (int k = 0; k < count; ++k) squares[k] += square[k];
        }
    });
    return {mean, inverse_root(sum<Real>(squares) / static_cast<Real>(size) + epsilon)};
}

// row becomes (row - mean) * scale; gives scale.
template <class Real>
inline Real normalise(Real* row, std::int64_t size, Real epsilon) {
    const Moments<Real> m = moments(row, size, epsilon);
    for_vectors<Real>(size, [&](std::int64_t j, int count) __attribute__((always_inline)) {
        store_some(row + j, (load_some(row + j, count) - m.mean) * m.scale, count);
    });
    return m.scale;
}

// Back: `normed` holds n = (a - mean) * scale, and `slopes` dL/d(gain * n + ...). Adds slopes * n
// to d_gain, and puts dL/da = scale * (u - mean(u) - n * mean(u * n)) with u = slopes * gain in the
// place of n.
template <class Real>
inline void denormalise(Real* normed, const Real* slopes, const Real* gain, Real scale,
                        std::int64_t size, Real* d_gain) {
    Vec<Real> u_total = {}, un_total = {};
    for_vectors<Real>(size, [&](std::int64_t j, int count) __attribute__((always_inline)) {
        const Vec<Real> slope = load_some(slopes + j, count), n = load_some(normed + j, count);
        const Vec<Real> u = slope * load_some(gain + j, count);
        u_total += u;
        un_total += u * n;
        store_some(d_gain + j, load_some(d_gain + j, count) + slope * n, count);
    });
    const Real u_mean = sum<Real>(u_total) / static_cast<Real>(size);
    const Real un_mean = sum<Real>(un_total) / static_cast<Real>(size);
    for_vectors<Real>(size, [&](std::int64_t j, int count) __attribute__((always_inline)) {
        const Vec<Real> n = load_some(normed + j, count);
        const Vec<Real> u = load_some(slopes + j, count) * load_some(gain + j, count);
        store_some(normed + j, scale * (u - u_mean - n * un_mean), count);
    });
}

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
