#include "unrolled/minimal.h"

#include <algorithm>

#include "plain.h"
#include "sequence.h"

namespace unrolled::oracle {
namespace {

std::int64_t rows_of(const Extent& e) { return (e.cell == CellKind::lstm ? 3 : 2) * e.hidden; }

double log_sigmoid(double x) { return std::min(x, 0.0) - std::log1p(std::exp(-std::abs(x))); }

// The two shares of a unit's new state, and their slopes by the gates' sums.
struct Shares {
    double old, fresh;
    double by_first, by_second;  // of `fresh`; that of `old` is the opposite
};

// `sums` of unit 0 on, H apart.
Shares shares_of(const Extent& e, const double* sums) {
    if (e.cell == CellKind::gru) {
        const double z = sigmoid(sums[0]), rest = sigmoid(-sums[0]);
        return {rest, z, z * rest, 0.0};
    }
    const double f = sums[0], i = sums[e.hidden];
    const double odds = log_sigmoid(f) - log_sigmoid(i);
    const double old = sigmoid(odds), fresh = sigmoid(-odds), slope = old * fresh;
    return {old, fresh, -slope * sigmoid(-f), slope * sigmoid(-i)};
}

double candidate(double v) { return v < 0.0 ? sigmoid(v) : v + 0.5; }

// The state that entered the k-th step of row b.
Vector entering(const MinimalForward<double>& call, const Layout& layout, std::int64_t b,
                std::int64_t k) {
    const std::int64_t H = call.extent.hidden;
    if (layout.cut(b, k)) return Vector(H, 0.0);
    if (k == 0) return row_of(call.h0, b, H);
    const double* h = layout.at(call.y, layout.step(b, k - 1), b);
    return Vector(h, h + H);
}

void step_forward(const MinimalForward<double>& call, const Layout& layout, std::int64_t b,
                  std::int64_t k) {
    const Extent& e = call.extent;
    const std::int64_t H = e.hidden, rows = rows_of(e), t = layout.step(b, k);
    const Vector before = entering(call, layout, b, k);
    Vector sums(rows);
    for (std::int64_t row = 0; row < rows; ++row)
        sums[row] =
            dot(call.weight + row * e.input, layout.at(call.x, t, b), e.input) + at(call.bias, row);
    for (std::int64_t j = 0; j < H; ++j) {
        const Shares share = shares_of(e, sums.data() + j);
        double& v = sums[rows - H + j];
        const double fresh = candidate(v);
        layout.at(call.y, t, b)[j] = share.old * before[j] + share.fresh * fresh;
        v = v < 0.0 ? -fresh : fresh;
    }
    if (call.kept) std::copy(sums.begin(), sums.end(), call.kept + layout.place(t, b) * rows);
}

// From dL/dh of the state after the k-th step of row b to that of the state before it.
Vector step_backward(const MinimalBackward<double>& call, const Layout& layout, std::int64_t b,
                     std::int64_t k, const Vector& dh) {
    const MinimalForward<double>& f = call.forward;
    const Extent& e = f.extent;
    const std::int64_t H = e.hidden, rows = rows_of(e);
    const std::int64_t t = layout.step(b, k), place = layout.place(t, b);
    const double *kept = f.kept + place * rows, *x = layout.at(f.x, t, b);
    const Vector before = entering(f, layout, b, k);
    Vector d(rows), d_before(H);
    for (std::int64_t j = 0; j < H; ++j) {
        const Shares share = shares_of(e, kept + j);
        const double mark = kept[rows - H + j], fresh = std::abs(mark);
        const double d_share = dh[j] * (fresh - before[j]);
        d[j] = d_share * share.by_first;
        if (e.cell == CellKind::lstm) d[H + j] = d_share * share.by_second;
        d[rows - H + j] = dh[j] * share.fresh * (mark > 0.0 ? 1.0 : fresh * (1.0 - fresh));
        d_before[j] = dh[j] * share.old;
    }
    std::copy(d.begin(), d.end(), call.dsums + place * rows);

    Vector dx(e.input, 0.0);
    for (std::int64_t row = 0; row < rows; ++row) {
        if (call.d_bias) call.d_bias[row] += d[row];
        for (std::int64_t k = 0; k < e.input; ++k) {
            dx[k] += f.weight[row * e.input + k] * d[row];
            if (call.d_weight) call.d_weight[row * e.input + k] += d[row] * x[k];
        }
    }
    if (call.dx.base) std::copy(dx.begin(), dx.end(), layout.at(call.dx, t, b));
    return layout.cut(b, k) ? Vector(H, 0.0) : d_before;
}

}  // namespace

void minimal_forward(const MinimalForward<double>& call) {
    const Extent& e = call.extent;
    const Layout layout(e);
    for (std::int64_t b = 0; b < e.batch; ++b) {
        const std::int64_t length = layout.length(b);
        for (std::int64_t k = 0; k < length; ++k) step_forward(call, layout, b, k);
        for (std::int64_t t = length; t < e.steps && b < layout.rows(t); ++t)
            std::fill_n(layout.at(call.y, t, b), e.hidden, 0.0);
        const Vector last =
            length == 0 ? row_of(call.h0, b, e.hidden)
                        : row_of(layout.at(call.y, layout.step(b, length - 1), b), 0, e.hidden);
        std::copy(last.begin(), last.end(), call.hn + b * e.hidden);
    }
}

void minimal_backward(const MinimalBackward<double>& call) {
    const Extent& e = call.forward.extent;
    const std::int64_t H = e.hidden, rows = rows_of(e);
    if (call.d_weight) std::fill_n(call.d_weight, rows * e.input, 0.0);
    if (call.d_bias) std::fill_n(call.d_bias, rows, 0.0);
    const Layout layout(e);
    for (std::int64_t b = 0; b < e.batch; ++b) {
        const std::int64_t length = layout.length(b);
        Vector dh = row_of(call.dhn, b, H);
        for (std::int64_t k = length - 1; k >= 0; --k) {
            const std::int64_t t = layout.step(b, k);
            for (std::int64_t j = 0; j < H && call.dy.base; ++j)
                dh[j] += layout.at(call.dy, t, b)[j];
            if (call.dh) std::copy(dh.begin(), dh.end(), call.dh + layout.place(t, b) * H);
            dh = step_backward(call, layout, b, k, dh);
        }
        if (call.dh0) std::copy(dh.begin(), dh.end(), call.dh0 + b * H);
        for (std::int64_t t = length; t < e.steps && b < layout.rows(t); ++t) {
            if (call.dx.base) std::fill_n(layout.at(call.dx, t, b), e.input, 0.0);
            if (call.dh) std::fill_n(call.dh + layout.place(t, b) * H, H, 0.0);
        }
    }
}

}  // namespace unrolled::oracle
