// What attention is made of: products of all pairs of rows, weighted sums of rows, a softmax.
#pragma once

#include "norm.h"
#include "pack.h"
#include "plan.h"
#include "scratch.h"
#include "team.h"
#include "threads.h"
#include "unrolled/attention.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

// Some rows of numbers, `pitch` elements from one to the next.
template <class Real>
struct Rows {
    const Real* base;
    std::int64_t pitch;
};

// From one row to the next of a matrix in scratch memory: an odd number of cache lines, so that
// one column of many rows does not fall into one set of a cache. In the caller's tensors it would:
// their rows are a power of 2 apart as a rule.
template <class Real>
UNROLLED_INLINE std::int64_t scratch_pitch(std::int64_t width) {
    constexpr std::int64_t kLine = 64 / static_cast<int>(sizeof(Real));
    return (ceil_div(width, kLine) | 1) * kLine;
}

// Rows that so many others meet are copied to scratch memory first.
constexpr std::int64_t kOften = 4;

// The terms of a product of two rows: what one vector of x and y adds to the sum, how far the tile
// of rows reaches for which that pays, and what of the sum the score is. `slope` is the derivative
// of the term by x (and y), and `kSlope` what is left out of it. A shift of all scores of a step is
// left out: softmax does not see it, and it has no gradient.
template <class Real>
struct Dot {
    static constexpr int kRows = kRegisters == 32 ? 4 : 2;
    static constexpr bool kWeighted = false;
    UNROLLED_INLINE Vec<Real> term(Vec<Real> x, Vec<Real> y) { return x * y; }
};

template <class Real>
struct Tangent {
    static constexpr int kRows = 1;
    static constexpr bool kWeighted = true;
    static constexpr Real kScale = 1, kSlope = 1;
    UNROLLED_INLINE Vec<Real> term(Vec<Real> x, Vec<Real> y) { return tanh(x + y); }
    UNROLLED_INLINE Vec<Real> slope(Vec<Real> tangent) { return Real(1) - tangent * tangent; }
};

// tanh(q + k) = 1 - 2 r with r = 1 / (1 + e^2q e^2k): given the exponentials, which are T + S for
// T * S pairs, this takes a quarter of the operations of tanh. x is e^2q and y is e^2k here.
template <class Real>
struct Logistic {
    static constexpr int kRows = kRegisters == 32 ? 4 : 2;
    static constexpr bool kWeighted = true;
    static constexpr Real kScale = -2, kSlope = 4;
    // Below this size of |q| + |k| neither the exponentials nor their product overflow.
    static constexpr Real kReach = sizeof(Real) == 4 ? 43 : 340;
    UNROLLED_INLINE Vec<Real> term(Vec<Real> x, Vec<Real> y) { return reciprocal(Real(1) + x * y); }
    UNROLLED_INLINE Vec<Real> slope(Vec<Real> r) { return r - r * r; }
};

template <class Real, class Term, int kX, int kY>
UNROLLED_INLINE void add_terms(Vec<Real> (&sums)[kX][kY], const Rows<Real>& x, const Rows<Real>& y,
                               const Real* v, std::int64_t j, int count) {
    Vec<Real> left[kX];
#pragma GCC unroll 4
    for (int a = 0; a < kX; ++a) left[a] = load_some(x.base + a * x.pitch + j, count);
    const Vec<Real> weight = Term::kWeighted ? load_some(v + j, count) : Vec<Real>{};
#pragma GCC unroll 4
    for (int b = 0; b < kY; ++b) {
        const Vec<Real> right = load_some(y.base + b * y.pitch + j, count);
#pragma GCC unroll 4
        for (int a = 0; a < kX; ++a) {
            const Vec<Real> term = Term::term(left[a], right);
            if constexpr (Term::kWeighted) {
                sums[a][b] += weight * term;
            } else {
                sums[a][b] += term;
            }
        }
    }
}

// out[a][b] = the sum over j of v_j term(x[a][j], y[b][j]), for kX by kY rows.
template <class Real, class Term, int kX, int kY>
__attribute__((noinline)) void pair_tile(Rows<Real> x, Rows<Real> y, const Real* v,
                                         std::int64_t width, Real* out, std::int64_t out_pitch) {
    constexpr int L = kLanes<Real>;
    Vec<Real> sums[kX][kY] = {};
    std::int64_t j = 0;
#pragma GCC unroll 1
    for (; j + L <= width; j += L) add_terms<Real, Term>(sums, x, y, v, j, L);
    if (j < width) add_terms<Real, Term>(sums, x, y, v, j, static_cast<int>(width - j));
#pragma GCC unroll 4
    for (int a = 0; a < kX; ++a) {
#pragma GCC unroll 4
        for (int b = 0; b < kY; ++b) out[a * out_pitch + b] = sum<Real>(sums[a][b]);
    }
}

template <class Real, class Term, int kX>
inline void pair_row(const Rows<Real>& x, const Rows<Real>& y, std::int64_t ys, const Real* v,
                     std::int64_t width, Real* out, std::int64_t out_pitch) {
    std::int64_t b = 0;
    const auto from = [&](std::int64_t row) { return Rows<Real>{y.base + row * y.pitch, y.pitch}; };
    for (; b + 4 <= ys; b += 4)
        pair_tile<Real, Term, kX, 4>(x, from(b), v, width, out + b, out_pitch);
    for (; b + 2 <= ys; b += 2)
        pair_tile<Real, Term, kX, 2>(x, from(b), v, width, out + b, out_pitch);
    for (; b < ys; ++b) pair_tile<Real, Term, kX, 1>(x, from(b), v, width, out + b, out_pitch);
}

// The same for all `xs` by `ys` rows. How rows are grouped changes no bit of an element.
template <class Real, class Term>
void pairs_of(const Rows<Real>& x, std::int64_t xs, const Rows<Real>& y, std::int64_t ys,
              const Real* v, std::int64_t width, Real* out, std::int64_t out_pitch) {
    std::int64_t a = 0;
    const auto from = [&](std::int64_t row) { return Rows<Real>{x.base + row * x.pitch, x.pitch}; };
    for (; a + Term::kRows <= xs; a += Term::kRows)
        pair_row<Real, Term, Term::kRows>(from(a), y, ys, v, width, out + a * out_pitch, out_pitch);
    for (; a < xs; ++a)
        pair_row<Real, Term, 1>(from(a), y, ys, v, width, out + a * out_pitch, out_pitch);
}

// Numbers (i, j) at base + i * first + j * second.
template <class Real>
struct Grid {
    const Real* base;
    std::int64_t first, second;
};

template <class Real, int kOut, int kVecs>
__attribute__((noinline)) void mix_tile(Grid<Real> weights, Rows<Real> rows, std::int64_t count,
                                        Real* out, std::int64_t out_pitch, int lanes) {
    constexpr int L = kLanes<Real>;
    Vec<Real> sums[kOut][kVecs] = {};
    const Real *from = rows.base, *weight = weights.base;
#pragma GCC unroll 1
    for (std::int64_t j = 0; j < count; ++j, from += rows.pitch, weight += weights.second) {
        Vec<Real> row[kVecs];
#pragma GCC unroll 4
        for (int v = 0; v < kVecs; ++v)
            row[v] = kVecs > 1 ? load(from + v * L) : load_some(from, lanes);
#pragma GCC unroll 4
        for (int i = 0; i < kOut; ++i) {
            const Vec<Real> number = broadcast(weight[i * weights.first]);
#pragma GCC unroll 4
            for (int v = 0; v < kVecs; ++v) sums[i][v] += number * row[v];
        }
    }
#pragma GCC unroll 4
    for (int i = 0; i < kOut; ++i) {
#pragma GCC unroll 4
        for (int v = 0; v < kVecs; ++v)
            store_some(out + i * out_pitch + v * L, sums[i][v], kVecs > 1 ? L : lanes);
    }
}

template <class Real, int kOut>
inline void mix_rows(const Grid<Real>& weights, const Rows<Real>& rows, std::int64_t count,
                     std::int64_t width, Real* out, std::int64_t out_pitch) {
    constexpr int L = kLanes<Real>, kVecs = kRegisters == 32 ? 4 : 2;
    std::int64_t j = 0;
    const auto from = [&](std::int64_t at) { return Rows<Real>{rows.base + at, rows.pitch}; };
    for (; j + kVecs * L <= width; j += kVecs * L)
        mix_tile<Real, kOut, kVecs>(weights, from(j), count, out + j, out_pitch, L);
    for (; j < width; j += L) {
        const int lanes = width - j < L ? static_cast<int>(width - j) : L;
        mix_tile<Real, kOut, 1>(weights, from(j), count, out + j, out_pitch, lanes);
    }
}

// out[i] = the sum over j below `count` of weight (i, j) times row j, for `outs` rows.
template <class Real>
void mix(const Grid<Real>& weights, std::int64_t outs, const Rows<Real>& rows, std::int64_t count,
         std::int64_t width, Real* out, std::int64_t out_pitch) {
    constexpr int kOut = kRegisters == 32 ? 4 : 2;
    const auto from = [&](std::int64_t i) {
        return Grid<Real>{weights.base + i * weights.first, weights.first, weights.second};
    };
    std::int64_t i = 0;
    for (; i + kOut <= outs; i += kOut)
        mix_rows<Real, kOut>(from(i), rows, count, width, out + i * out_pitch, out_pitch);
    for (; i < outs; ++i)
        mix_rows<Real, 1>(from(i), rows, count, width, out + i * out_pitch, out_pitch);
}

// scores (S,) become exp(scale * score) over their sum.
template <class Real>
inline void softmax(Real* scores, std::int64_t size, Real scale) {
    for_vectors<Real>(size, [&](std::int64_t j, int count) __attribute__((always_inline)) {
        store_some(scores + j, scale * load_some(scores + j, count), count);
    });
    const Real most = largest_of(scores, size);
    Real total = 0;
    for_vectors<Real>(size, [&](std::int64_t j, int count) __attribute__((always_inline)) {
        const Vec<Real> power = exp(load_some(scores + j, count) - most);
        store_some(scores + j, power, count);
        if (count == kLanes<Real>) {
            total += sum<Real>(power);
        } else {
            for (int k = 0; k < count; ++k) total += power[k];
        }
    });
    const Real part = Real(1) / total;
    for_vectors<Real>(size, [&](std::int64_t j, int count) __attribute__((always_inline)) {
        store_some(scores + j, part * load_some(scores + j, count), count);
    });
}

// One row of the batch of a (T, B, width) tensor: copied to scratch memory where it is read
// `often`.
template <class Real>
inline Rows<Real> rows_of(const Strided<const Real>& tensor, std::int64_t b, std::int64_t count,
                          std::int64_t width, bool often, Real* room) {
    const Real* base = tensor.base + b * tensor.row;
    if (!often) return {base, tensor.time};
    const std::int64_t pitch = scratch_pitch<Real>(width);
    for (std::int64_t t = 0; t < count; ++t) {
        const Real* from = base + t * tensor.time;
        Real* to = room + t * pitch;
        for_vectors<Real>(width, [&](std::int64_t j, int lanes) __attribute__((always_inline)) {
            store_some(to + j, load_some(from + j, lanes), lanes);
        });
    }
    return {room, pitch};
}

// The largest size of a number in rows without NaN.
template <class Real>
inline Real reach_of(const Rows<Real>& rows, std::int64_t count, std::int64_t width) {
    constexpr int L = kLanes<Real>;
    Real most = 0;
    for (std::int64_t t = 0; t < count; ++t) {
        Vec<Real> lanes = {};
        for_vectors<Real>(width, [&](std::int64_t j, int some) __attribute__((always_inline)) {
            const Vec<Real> x = load_some(rows.base + t * rows.pitch + j, some);
            lanes = at_least(x < Real(0) ? -x : x, lanes);
        });
        Real lane[L];
        store(lane, lanes);
        for (int k = 0; k < L; ++k) most = lane[k] > most ? lane[k] : most;
    }
    return most;
}

// x becomes e^2x.
template <class Real>
inline void to_exponentials(const Rows<Real>& rows, std::int64_t count, std::int64_t width,
                            Real* room) {
    for (std::int64_t t = 0; t < count; ++t) {
        const Real* from = rows.base + t * rows.pitch;
        Real* to = room + t * rows.pitch;
        for_vectors<Real>(width, [&](std::int64_t j, int lanes) __attribute__((always_inline)) {
            const Vec<Real> x = load_some(from + j, lanes);
            store_some(to + j, exp(x + x), lanes);
        });
    }
}

// Queries and keys of one row of the batch, as the terms of its scores want them.
template <class Real>
struct Operands {
    Rows<Real> q, k;
    bool exponentials;  // of both, for Logistic
};

template <class Real>
inline Operands<Real> operands(const AttentionForward<Real>& call, std::int64_t b,
                               std::int64_t length, Real* q_room, Real* k_room, bool back) {
    const std::int64_t steps = call.steps, A = call.width;
    // The exponentials pay where they are fewer than half of the pairs.
    const bool few = call.score == Score::additive && steps * length >= 2 * (steps + length);
    const bool often = few || back || steps >= kOften;
    Operands<Real> of = {rows_of(call.q, b, steps, A, often, q_room),
                         rows_of(call.k, b, length, A, often, k_room), false};
    if (!few) return of;
    // Written so that infinity and what is too large take the other way.
    of.exponentials =
        reach_of(of.q, steps, A) + reach_of(of.k, length, A) <= Logistic<Real>::kReach;
    if (of.exponentials) {
        to_exponentials(of.q, steps, A, q_room);
        to_exponentials(of.k, length, A, k_room);
    }
    return of;
}

// How many rows of the batch are worked on at the same time.
template <class Real>
inline int workers_for(const AttentionForward<Real>& call) {
    Extent product = {};
    product.steps = call.steps;
    product.batch = call.batch;
    product.hidden = call.sources;
    product.input = call.width;
    product.output = call.memory;
    product.threads = call.threads;
    const int most = workers_of(product, call.score == Score::additive ? 8 : 1);
    return call.batch < most ? static_cast<int>(call.batch) : most;
}

template <class Real>
UNROLLED_INLINE std::int64_t length_of(const AttentionForward<Real>& call, std::int64_t b) {
    return call.lengths ? call.lengths[b] : call.sources;
}

template <class Real>
UNROLLED_INLINE void zero(Real* array, std::int64_t count) {
    for (std::int64_t j = 0; j < count; ++j) array[j] = 0;
}

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
