#include <algorithm>

#include "plain.h"
#include "sequence.h"

namespace unrolled::oracle {
namespace {

// dL/dG_x and dL/dG_h at one step.
struct Sums {
    Vector x, h;
};

void write_row(double* array, std::int64_t index, const Vector& row) {
    if (array) std::copy(row.begin(), row.end(), array + index * row.size());
}

void add_to(double* gradient, std::int64_t index, double value) {
    if (gradient) gradient[index] += value;
}

// The state that entered the k-th step of row b.
State entering(const Forward<double>& f, const Layout& layout, std::int64_t b, std::int64_t k) {
    const Extent& e = f.extent;
    const bool is_lstm = e.cell == CellKind::lstm;
    if (layout.cut(b, k)) return {Vector(e.output, 0.0), Vector(e.hidden, 0.0)};
    if (k == 0) return {row_of(f.h0, b, e.output), row_of(is_lstm ? f.c0 : nullptr, b, e.hidden)};
    const std::int64_t t = layout.step(b, k - 1);
    const double* h = layout.at(f.y, t, b);
    return {Vector(h, h + e.output),
            row_of(is_lstm ? f.kept.cells : nullptr, layout.place(t, b), e.hidden)};
}

// The cells: from dL/dh~ and dL/dc~ to dL/dG. What reaches the state before the step other than
// through G_h is added to `before`.

Sums rnn_backward(const Extent& e, const double* h, const Vector& dh) {
    Vector g(e.hidden);
    for (std::int64_t j = 0; j < e.hidden; ++j) {
        const double slope = e.cell == CellKind::rnn_tanh ? 1.0 - h[j] * h[j] : h[j] > 0.0;
        g[j] = dh[j] * slope;
    }
    return {g, g};
}

Sums gru_backward(const Extent& e, const double* gates, const State& entered, const Vector& dh,
                  State& before) {
    const std::int64_t H = e.hidden;
    Sums d{Vector(3 * H), Vector(3 * H)};
    for (std::int64_t j = 0; j < H; ++j) {
        const double hn = gates[j], r = gates[H + j], z = gates[2 * H + j], n = gates[3 * H + j];
        const double dz = dh[j] * (entered.h[j] - n);
        const double dn = dh[j] * (1.0 - z) * (1.0 - n * n);
        const double dr = dn * hn;
        before.h[j] += dh[j] * z;
        d.x[j] = d.h[j] = dr * r * (1.0 - r);
        d.x[H + j] = d.h[H + j] = dz * z * (1.0 - z);
        d.x[2 * H + j] = dn;
        d.h[2 * H + j] = dn * r;
    }
    return d;
}

// dL/d(o * tanh(seen cell)) from dL/dh~, and the projection's own gradient.
Vector unproject(const Backward<double>& call, const Vector& dh, const Vector& unprojected) {
    const Weights<double>& w = call.forward.weights;
    const std::int64_t H = call.forward.extent.hidden, P = call.forward.extent.output;
    if (!w.hr) return dh;
    Vector d(H, 0.0);
    for (std::int64_t p = 0; p < P; ++p) {
        for (std::int64_t j = 0; j < H; ++j) {
            d[j] += w.hr[p * H + j] * dh[p];
            add_to(call.d_hr, p * H + j, dh[p] * unprojected[j]);
        }
    }
    return d;
}

Sums lstm_backward(const Backward<double>& call, std::int64_t place, const double* gates,
                   const State& entered, const State& d_fresh, State& before) {
    const Forward<double>& forward = call.forward;
    const Weights<double>& w = forward.weights;
    const std::int64_t H = forward.extent.hidden;
    const double *i = gates, *f = gates + H, *g = gates + 2 * H, *o = gates + 3 * H;

    // What the forward pass had: c~, what the output saw of it, and the output unprojected.
    Vector c(H), normed(H), tanh_c(H), unprojected(H);
    for (std::int64_t j = 0; j < H; ++j) {
        c[j] = f[j] * entered.c[j] + i[j] * g[j];
        double seen = c[j];
        if (w.norm_c) {
            const double* stats = forward.kept.stats_c + place * 2;
            normed[j] = (c[j] - stats[0]) * stats[1];
            seen = w.norm_c[j] * normed[j] + w.norm_c[H + j];
        }
        tanh_c[j] = std::tanh(seen);
        unprojected[j] = o[j] * tanh_c[j];
    }

    const Vector dh = unproject(call, d_fresh.h, unprojected);
    Vector dc(H);  // through the output
    for (std::int64_t j = 0; j < H; ++j) dc[j] = dh[j] * o[j] * (1.0 - tanh_c[j] * tanh_c[j]);
    if (w.norm_c) {
        for (std::int64_t j = 0; j < H; ++j) {
            add_to(call.d_norm_c, j, dc[j] * normed[j]);
            add_to(call.d_norm_c, H + j, dc[j]);
            dc[j] *= w.norm_c[j];
        }
        normalise_backward(normed.data(), forward.kept.stats_c[place * 2 + 1], H, dc.data());
    }

    Vector d(4 * H);
    for (std::int64_t j = 0; j < H; ++j) {
        const double d_o = dh[j] * tanh_c[j] * o[j] * (1.0 - o[j]);
        dc[j] += d_fresh.c[j];
        if (w.peephole) dc[j] += w.peephole[2 * H + j] * d_o;
        if (call.dc) call.dc[place * H + j] = dc[j];

        const double d_i = dc[j] * g[j] * i[j] * (1.0 - i[j]);
        const double d_f = dc[j] * entered.c[j] * f[j] * (1.0 - f[j]);
        before.c[j] += dc[j] * f[j];
        if (w.peephole) {
            before.c[j] += w.peephole[j] * d_i + w.peephole[H + j] * d_f;
            add_to(call.d_peephole, j, d_i * entered.c[j]);
            add_to(call.d_peephole, H + j, d_f * entered.c[j]);
            add_to(call.d_peephole, 2 * H + j, d_o * c[j]);
        }
        d[j] = d_i;
        d[H + j] = d_f;
        d[2 * H + j] = dc[j] * i[j] * (1.0 - g[j] * g[j]);
        d[3 * H + j] = d_o;
    }
    return {d, d};
}

// One of the two sums of the gates, G = N(W v, gain) + b, with what N kept and the gradients.
struct Side {
    const double *weight, *gain, *normed, *scale;
    double *d_weight, *d_gain, *d_bias;
};

// From dL/dG to dL/dv; adds to the gradients of W, the gain and b.
Vector sums_backward(const Extent& e, const Side& side, Vector d, const double* v,
                     std::int64_t width) {
    for (std::size_t row = 0; row < d.size(); ++row) add_to(side.d_bias, row, d[row]);
    if (side.gain) {
        for (std::size_t row = 0; row < d.size(); ++row) {
            add_to(side.d_gain, row, d[row] * side.normed[row]);
            d[row] *= side.gain[row];
        }
        std::int64_t index = 0;
        for (const Group& group : groups_of(e))
            normalise_backward(side.normed + group.begin, side.scale[index++], group.size,
                               d.data() + group.begin);
    }
    Vector dv(width, 0.0);
    for (std::size_t row = 0; row < d.size(); ++row) {
        for (std::int64_t k = 0; k < width; ++k) {
            dv[k] += side.weight[row * width + k] * d[row];
            add_to(side.d_weight, row * width + k, d[row] * v[k]);
        }
    }
    return dv;
}

// Where the contract wants dL/dG: the GRU as (d hn, d r, d z, d n), the others as they are.
void write_gates(const Extent& e, const Sums& d, double* dgates) {
    const std::int64_t H = e.hidden;
    if (e.cell != CellKind::gru) {
        std::copy(d.x.begin(), d.x.end(), dgates);
        return;
    }
    std::copy(d.h.begin() + 2 * H, d.h.end(), dgates);
    std::copy(d.x.begin(), d.x.end(), dgates + H);
}

// The k-th step of row b: from dL/d of the state after it to dL/d of the state before it.
State step_backward(const Backward<double>& call, const Layout& layout, std::int64_t b,
                    std::int64_t k, const State& after) {
    const Forward<double>& f = call.forward;
    const Extent& e = f.extent;
    const Weights<double>& w = f.weights;
    const Masks<double>& m = f.masks;
    const bool is_lstm = e.cell == CellKind::lstm, is_gru = e.cell == CellKind::gru;
    const std::int64_t H = e.hidden, P = e.output, GH = gates_of(e.cell) * H;
    const std::int64_t t = layout.step(b, k), place = layout.place(t, b);
    const State entered = entering(f, layout, b, k);

    State fresh = after, before = after;  // dL/d(h~, c~), dL/d(h, c) of the step before
    for (std::int64_t p = 0; p < P; ++p) {
        const double z = zoneout(m.zoneout_h, m.rate_h, place * P + p);
        before.h[p] = z * after.h[p];
        fresh.h[p] = (1.0 - z) * after.h[p];
    }
    for (std::int64_t j = 0; j < H && is_lstm; ++j) {
        const double z = zoneout(m.zoneout_c, m.rate_c, place * H + j);
        before.c[j] = z * after.c[j];
        fresh.c[j] = (1.0 - z) * after.c[j];
    }

    const bool zoned = m.zoneout_h || m.rate_h != 0.0;
    const double* gates = at_offset(f.kept.gates, place * (is_lstm || is_gru ? 4 * H : H));
    const double* h = zoned ? gates : layout.at(f.y, t, b);
    const Sums d = is_lstm  ? lstm_backward(call, place, gates, entered, fresh, before)
                   : is_gru ? gru_backward(e, gates, entered, fresh.h, before)
                            : rnn_backward(e, h, fresh.h);
    write_gates(e, d, call.dgates + place * (is_gru ? 4 * H : GH));

    const Vector dx = sums_backward(
        e,
        {w.ih, w.gain_ih, at_offset(f.kept.normed_ih, place * GH),
         at_offset(f.kept.scale_ih, place * 2), call.d_ih, call.d_gain_ih, call.d_bias_ih},
        d.x, layout.at(f.x, t, b), e.input);
    if (call.dx.base) std::copy(dx.begin(), dx.end(), layout.at(call.dx, t, b));

    const Vector mask = m.recurrent ? row_of(m.recurrent, b, P) : Vector(P, 1.0);
    Vector dropped = entered.h;
    for (std::int64_t p = 0; p < P; ++p) dropped[p] *= mask[p];
    const Vector dh = sums_backward(
        e,
        {w.hh, w.gain_hh, at_offset(f.kept.normed_hh, place * GH),
         at_offset(f.kept.scale_hh, place * 2), call.d_hh, call.d_gain_hh, call.d_bias_hh},
        d.h, dropped.data(), P);
    for (std::int64_t p = 0; p < P; ++p) before.h[p] += mask[p] * dh[p];

    if (layout.cut(b, k)) return {Vector(P, 0.0), Vector(H, 0.0)};
    return before;
}

// Row b, from its last step back to its first.
void row_backward(const Backward<double>& call, const Layout& layout, std::int64_t b) {
    const Extent& e = call.forward.extent;
    const bool is_lstm = e.cell == CellKind::lstm;
    const std::int64_t length = layout.length(b);
    State d{row_of(call.dhn, b, e.output), row_of(is_lstm ? call.dcn : nullptr, b, e.hidden)};
    for (std::int64_t k = length - 1; k >= 0; --k) {
        const std::int64_t t = layout.step(b, k), place = layout.place(t, b);
        for (std::int64_t p = 0; p < e.output && call.dy.base; ++p)
            d.h[p] += layout.at(call.dy, t, b)[p];
        for (std::int64_t j = 0; j < e.hidden && is_lstm && call.dcells; ++j)
            d.c[j] += call.dcells[place * e.hidden + j];
        write_row(call.dh, place, d.h);
        d = step_backward(call, layout, b, k, d);
    }
    write_row(call.dh0, b, d.h);
    if (is_lstm) write_row(call.dc0, b, d.c);

    for (std::int64_t t = length; t < e.steps && b < layout.rows(t); ++t) {
        if (call.dx.base) std::fill_n(layout.at(call.dx, t, b), e.input, 0.0);
        write_row(call.dh, layout.place(t, b), Vector(e.output, 0.0));
        if (is_lstm) write_row(call.dc, layout.place(t, b), Vector(e.hidden, 0.0));
    }
}

void zero(double* gradient, std::int64_t size) {
    if (gradient) std::fill_n(gradient, size, 0.0);
}

}  // namespace

void backward(const Backward<double>& call) {
    const Extent& e = call.forward.extent;
    const std::int64_t H = e.hidden, P = e.output, GH = gates_of(e.cell) * H;
    zero(call.d_ih, GH * e.input);
    zero(call.d_hh, GH * P);
    for (double* rows : {call.d_bias_ih, call.d_bias_hh, call.d_gain_ih, call.d_gain_hh})
        zero(rows, GH);
    zero(call.d_hr, P * H);
    zero(call.d_peephole, 3 * H);
    zero(call.d_norm_c, 2 * H);

    const Layout layout(e);
    for (std::int64_t b = 0; b < e.batch; ++b) row_backward(call, layout, b);
}

}  // namespace unrolled::oracle
