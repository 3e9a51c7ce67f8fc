// One row of a step, from the gates' sums to the new state.
#pragma once

#include "cells.h"
#include "norm.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

// `count` units from j on, without layer normalisation. `sum(gate)` is the recurrent part of a
// gate; h goes to `projection`, where it is yet to be projected, or to the state.
template <CellKind kCell, class Real, class Sum>
UNROLLED_INLINE void plain_units(const Row<Real>& row, const Common<Real>& common, std::int64_t j,
                                 int count, Real* projection, Sum sum) {
    Vec<Real> h;
    if constexpr (kCell == CellKind::lstm) {
        const Vec<Real> sums[4] = {sum(0), sum(1), sum(2), sum(3)};
        const CellAndGate<Real> now = lstm_cell(row, common, j, count, sums, common.keep_gates);
        h = now.gate * tanh(now.cell);
        if (projection) return store_some(projection + j, h, count);
    } else if constexpr (kCell == CellKind::gru) {
        const Vec<Real> sums[3] = {sum(0), sum(1), sum(2)};
        h = gru_h(row, common, j, count, sums);
    } else {
        h = rnn_h<kCell>(row, common, j, count, sum(0));
    }
    put_h(row, common, j, count, h);
}

// What is normalised together: all gates, or of a GRU r and z, then n.
constexpr int groups_of(CellKind cell) { return cell == CellKind::gru ? 2 : 1; }
constexpr int gates_of_group(CellKind cell, int group) {
    return cell == CellKind::gru ? (group == 0 ? 2 : 1) : gates_of(cell);
}

// All units of a row with layer normalisation. `normed` (G*H,) is N(W_hh h) before the gain, and
// `candidate` (H,) room for an LSTM's c~; gives the moments of that.
template <CellKind kCell, class Real>
inline Moments<Real> normed_units(const Row<Real>& row, const Common<Real>& common,
                                  const Real* gain_hh, const Real* norm_c, Real epsilon,
                                  const Real* normed, Real* candidate, Real* projection) {
    const std::int64_t H = common.hidden;
    const auto part = [&](int gate, std::int64_t j, int count) __attribute__((always_inline)) {
        return load_some(gain_hh + gate * H + j, count) * load_some(normed + gate * H + j, count);
    };
    Moments<Real> m = {};
    if constexpr (kCell == CellKind::lstm) {
        for_vectors<Real>(H, [&](std::int64_t j, int count) __attribute__((always_inline)) {
            const Vec<Real> sums[4] = {part(0, j, count), part(1, j, count), part(2, j, count),
                                       part(3, j, count)};
            store_some(candidate + j, lstm_cell(row, common, j, count, sums, true).cell, count);
        });
        m = moments(candidate, H, epsilon);
        for_vectors<Real>(H, [&](std::int64_t j, int count) __attribute__((always_inline)) {
            const Vec<Real> n = (load_some(candidate + j, count) - m.mean) * m.scale;
            const Vec<Real> c = load_some(norm_c + j, count) * n + load_some(norm_c + H + j, count);
            const Vec<Real> h = load_some(row.gates + 3 * H + j, count) * tanh(c);
            if (projection) return store_some(projection + j, h, count);
            put_h(row, common, j, count, h);
        });
    } else {
        for_vectors<Real>(H, [&](std::int64_t j, int count) __attribute__((always_inline)) {
            plain_units<kCell>(row, common, j, count, projection,
                               [&](int gate)
                                   __attribute__((always_inline)) { return part(gate, j, count); });
        });
    }
    return m;
}

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
