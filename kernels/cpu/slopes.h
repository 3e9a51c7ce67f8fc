// The equations of the cells, back: from the slope of the loss by the state to those by the gates.
#pragma once

#include "cells.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

// One row of the batch at one step, going back. `j` counts units from there.
template <class Real>
struct BackRow {
    std::int64_t place;
    const Real* gates;     // as kept: LSTM i, f, g, o; GRU hn, r, z, n; RNN h~
    Real* slopes;          // out: dL/d of the gates' sums; may be `gates`
    const Real* h_before;  // GRU, RNN with zoneout
    const Real* c_before;  // LSTM
    const Real* dy;        // or null
    const Real* dcells;    // or null
    Real* carry_h;         // dL/dh of this step that does not come through the product; out: of the
    Real* carry_c;         //   step before. The same for c
    const Real* recurrent;       // mask of what came through the product, or null
    const std::uint8_t* keep_h;  // zoneout masks of this step, or null
    const std::uint8_t* keep_c;
    bool cut;          // nothing goes to the step before
    Real* dh;          // out, or null
    Real* dc;          // out, or null
    Real* d_peephole;  // (3, H) of this row, added to; where there are peepholes
};

template <class Real>
UNROLLED_INLINE Vec<Real> zone_of(const std::uint8_t* keep, Real rate, std::int64_t j, int count) {
    return keep ? load_bytes<Real>(keep + j, count) : broadcast(rate);
}

// dL/dh of the step, all of it, from what came through the product with W_hh.
template <class Real>
UNROLLED_INLINE Vec<Real> all_of_dh(const BackRow<Real>& row, std::int64_t j, int count,
                                    Vec<Real> product) {
    if (row.recurrent) product *= load_some(row.recurrent + j, count);
    Vec<Real> dh = product + load_some(row.carry_h + j, count);
    if (row.dy) dh += load_some(row.dy + j, count);
    if (row.dh) store_some(row.dh + j, dh, count);
    return dh;
}

// dL/dh~ from dL/dh; what zoneout hands to the step before goes into the carry.
template <class Real>
UNROLLED_INLINE Vec<Real> past_zoneout(const BackRow<Real>& row, Real rate, std::int64_t j,
                                       int count, Vec<Real> dh, Vec<Real>& carry) {
    carry = Vec<Real>{};
    if (!row.keep_h && rate == 0) return dh;
    const Vec<Real> zone = zone_of(row.keep_h, rate, j, count);
    carry = zone * dh;
    return dh - carry;
}

// The LSTM at one vector of units: what the kept gates say.
template <class Real>
struct LstmKept {
    Vec<Real> i, f, g, o, c_before, c;  // c~
};

template <class Real>
UNROLLED_INLINE LstmKept<Real> lstm_kept(const BackRow<Real>& row, std::int64_t H, std::int64_t j,
                                         int count) {
    LstmKept<Real> k;
    k.i = load_some(row.gates + j, count);
    k.f = load_some(row.gates + H + j, count);
    k.g = load_some(row.gates + 2 * H + j, count);
    k.o = load_some(row.gates + 3 * H + j, count);
    k.c_before = load_some(row.c_before + j, count);
    k.c = k.f * k.c_before + k.i * k.g;
    return k;
}

// From the slope of the loss by o (`d_o`) and by c~ through the output (`d_c`) to the gates' sums.
template <class Real>
UNROLLED_INLINE void lstm_slopes(const BackRow<Real>& row, const Common<Real>& common,
                                 std::int64_t j, int count, const LstmKept<Real>& k, Vec<Real> d_o,
                                 Vec<Real> d_c) {
    const std::int64_t H = common.hidden;
    Vec<Real> dc = load_some(row.carry_c + j, count);
    if (row.dcells) dc += load_some(row.dcells + j, count);
    Vec<Real> carry = {};
    if (row.keep_c || common.rate_c != 0) {
        carry = zone_of(row.keep_c, common.rate_c, j, count) * dc;
        dc -= carry;
    }
    d_c += dc;
    const Vec<Real> sum_o = d_o * k.o * (1 - k.o);
    if (common.peephole) d_c += sum_o * load_some(common.peephole + 2 * H + j, count);
    if (row.dc) store_some(row.dc + j, d_c, count);
    const Vec<Real> sum_i = d_c * k.g * k.i * (1 - k.i);
    const Vec<Real> sum_f = d_c * k.c_before * k.f * (1 - k.f);
    const Vec<Real> sum_g = d_c * k.i * (1 - k.g * k.g);
    carry += d_c * k.f;
    if (common.peephole) {
        carry += sum_i * load_some(common.peephole + j, count) +
                 sum_f * load_some(common.peephole + H + j, count);
        const auto add = [&](int gate, Vec<Real> more) __attribute__((always_inline)) {
            Real* to = row.d_peephole + gate * H + j;
            store_some(to, load_some(to, count) + more, count);
        };
        add(0, sum_i * k.c_before);
        add(1, sum_f * k.c_before);
        add(2, sum_o * k.c);
    }
    store_some(row.slopes + j, sum_i, count);
    store_some(row.slopes + H + j, sum_f, count);
    store_some(row.slopes + 2 * H + j, sum_g, count);
    store_some(row.slopes + 3 * H + j, sum_o, count);
    store_some(row.carry_c + j, row.cut ? Vec<Real>{} : carry, count);
}

// GRU: `carry` is what zoneout hands on.
template <class Real>
UNROLLED_INLINE void gru_slopes(const BackRow<Real>& row, const Common<Real>& common,
                                std::int64_t j, int count, Vec<Real> dh, Vec<Real> carry) {
    const std::int64_t H = common.hidden;
    const Vec<Real> hn = load_some(row.gates + j, count);
    const Vec<Real> r = load_some(row.gates + H + j, count);
    const Vec<Real> z = load_some(row.gates + 2 * H + j, count);
    const Vec<Real> n = load_some(row.gates + 3 * H + j, count);
    const Vec<Real> sum_n = dh * (1 - z) * (1 - n * n);
    const Vec<Real> sum_z = dh * (load_some(row.h_before + j, count) - n) * z * (1 - z);
    const Vec<Real> sum_r = sum_n * hn * r * (1 - r);
    carry += dh * z;
    store_some(row.slopes + j, sum_n * r, count);
    store_some(row.slopes + H + j, sum_r, count);
    store_some(row.slopes + 2 * H + j, sum_z, count);
    store_some(row.slopes + 3 * H + j, sum_n, count);
    store_some(row.carry_h + j, row.cut ? Vec<Real>{} : carry, count);
}

template <CellKind kCell, class Real>
UNROLLED_INLINE void rnn_slopes(const BackRow<Real>& row, std::int64_t j, int count, Vec<Real> dh,
                                Vec<Real> carry) {
    const Vec<Real> h = load_some(row.gates + j, count);
    if constexpr (kCell == CellKind::rnn_relu) {
        dh = h > Real(0) ? dh : h != h ? h : Vec<Real>{};
    } else {
        dh *= 1 - h * h;
    }
    store_some(row.slopes + j, dh, count);
    store_some(row.carry_h + j, row.cut ? Vec<Real>{} : carry, count);
}

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
