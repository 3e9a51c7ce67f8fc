// The equations of the cells on vectors of units: what stands between the products.
#pragma once

#include "functions.h"
#include "unrolled/sequence.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

constexpr bool is_rnn(CellKind cell) {
    return cell == CellKind::rnn_tanh || cell == CellKind::rnn_relu;
}

// Gates of the weights, and columns of H that one place of the kept gates has.
constexpr int gates_of(CellKind cell) { return is_rnn(cell) ? 1 : cell == CellKind::gru ? 3 : 4; }
constexpr int columns_of(CellKind cell) { return is_rnn(cell) ? 1 : 4; }

// The column where the input's part of the gates begins: a GRU keeps (hn, r, z, n).
constexpr int first_column(CellKind cell) { return cell == CellKind::gru ? 1 : 0; }

// One row of the batch at one step: where everything it needs stands. `j` counts units from there.
template <class Real>
struct Row {
    Real* gates;                 // in: the input's part, bias and all; out: the gates, where kept
    const Real* h_before;        // not masked
    const Real* c_before;        // LSTM
    Real* cell;                  // LSTM: c_s
    Real* out;                   // h_s, or what is yet to be projected
    Real* masked;                // what h_s feeds into the next step's product; null: h_s itself
    const Real* recurrent;       // mask of that product, where `masked`
    const std::uint8_t* keep_h;  // zoneout masks of this step, or null
    const std::uint8_t* keep_c;
};

// What is the same for all rows.
template <class Real>
struct Common {
    std::int64_t hidden;
    bool keep_gates;
    Real rate_h, rate_c;
    const Real* bias_hn;   // GRU, or null
    const Real* peephole;  // LSTM, or null
};

// zone * before + (1 - zone) * now, with the zone of a mask or a rate.
template <class Real>
UNROLLED_INLINE Vec<Real> zoned(Vec<Real> now, const Real* before, const std::uint8_t* keep,
                                Real rate, std::int64_t j, int count) {
    if (keep) {
        const Vec<Real> zone = load_bytes<Real>(keep + j, count);
        return zone > Real(0) ? load_some(before + j, count) : now;
    }
    if (rate != 0) return now + rate * (load_some(before + j, count) - now);
    return now;
}

// h~ of units j on: zoneout, and out to where it is used.
template <class Real>
UNROLLED_INLINE void put_h(const Row<Real>& row, const Common<Real>& common, std::int64_t j,
                           int count, Vec<Real> h) {
    h = zoned(h, row.h_before, row.keep_h, common.rate_h, j, count);
    store_some(row.out + j, h, count);
    if (row.masked) store_some(row.masked + j, h * load_some(row.recurrent + j, count), count);
}

template <class Real>
struct CellAndGate {
    Vec<Real> cell;  // c~
    Vec<Real> gate;  // o
};

// LSTM, up to c~ and o; `sums` is the recurrent part of i, f, g, o.
template <class Real>
UNROLLED_INLINE CellAndGate<Real> lstm_cell(const Row<Real>& row, const Common<Real>& common,
                                            std::int64_t j, int count, const Vec<Real> (&sums)[4],
                                            bool keep) {
    const std::int64_t H = common.hidden;
    const auto before = [&](int gate) {
        return sums[gate] + load_some(row.gates + gate * H + j, count);
    };
    const auto peep = [&](int gate, Vec<Real> cell) {
        return common.peephole ? load_some(common.peephole + gate * H + j, count) * cell
                               : Vec<Real>{};
    };
    const Vec<Real> c_before = load_some(row.c_before + j, count);
    Vec<Real> sum_i = before(0), sum_f = before(1), sum_o = before(3);
    if (common.peephole) {
        sum_i += peep(0, c_before);
        sum_f += peep(1, c_before);
    }
    const Vec<Real> i = sigmoid(sum_i), f = sigmoid(sum_f), g = tanh(before(2));
    const Vec<Real> c = f * c_before + i * g;
    if (common.peephole) sum_o += peep(2, c);
    const Vec<Real> o = sigmoid(sum_o);
    if (keep) {
        store_some(row.gates + j, i, count);
        store_some(row.gates + H + j, f, count);
        store_some(row.gates + 2 * H + j, g, count);
        store_some(row.gates + 3 * H + j, o, count);
    }
    store_some(row.cell + j, zoned(c, row.c_before, row.keep_c, common.rate_c, j, count), count);
    return {c, o};
}

// GRU; `sums` is the recurrent part of r, z and n.
template <class Real>
UNROLLED_INLINE Vec<Real> gru_h(const Row<Real>& row, const Common<Real>& common, std::int64_t j,
                                int count, const Vec<Real> (&sums)[3]) {
    const std::int64_t H = common.hidden;
    const Vec<Real> r = sigmoid(sums[0] + load_some(row.gates + H + j, count));
    const Vec<Real> z = sigmoid(sums[1] + load_some(row.gates + 2 * H + j, count));
    const Vec<Real> hn = sums[2] + load_or_zero(common.bias_hn, j, count);
    const Vec<Real> n = tanh(load_some(row.gates + 3 * H + j, count) + r * hn);
    if (common.keep_gates) {
        store_some(row.gates + j, hn, count);
        store_some(row.gates + H + j, r, count);
        store_some(row.gates + 2 * H + j, z, count);
        store_some(row.gates + 3 * H + j, n, count);
    }
    return n + z * (load_some(row.h_before + j, count) - n);
}

template <CellKind kCell, class Real>
UNROLLED_INLINE Vec<Real> rnn_h(const Row<Real>& row, const Common<Real>& common, std::int64_t j,
                                int count, Vec<Real> sum) {
    sum += load_some(row.gates + j, count);
    Vec<Real> h;
    if constexpr (kCell == CellKind::rnn_relu) {
        h = sum <= Real(0) ? Vec<Real>{} : sum;  // NaN stays NaN
    } else {
        h = tanh(sum);
    }
    if (common.keep_gates) store_some(row.gates + j, h, count);
    return h;
}

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
