#include <algorithm>

#include "plain.h"
#include "sequence.h"

namespace unrolled::oracle {
namespace {

// One of the two sums of the gates, N(W v, gain) + b.
struct Side {
    const double *weight, *gain, *bias;
    double *normed, *scale;  // where N's results are kept, or null
};

Vector sums(const Forward<double>& call, const Side& side, const double* v, std::int64_t width) {
    const Extent& e = call.extent;
    Vector g(gates_of(e.cell) * e.hidden);
    for (std::size_t row = 0; row < g.size(); ++row)
        g[row] = dot(side.weight + row * width, v, width);
    if (side.gain) {
        std::int64_t index = 0;
        for (const Group& group : groups_of(e)) {
            double* a = g.data() + group.begin;
            const Stats stats = stats_of(a, group.size, call.weights.epsilon);
            for (std::int64_t k = 0; k < group.size; ++k) a[k] = (a[k] - stats.mean) * stats.scale;
            if (side.scale) side.scale[index++] = stats.scale;
        }
        if (side.normed) std::copy(g.begin(), g.end(), side.normed);
        for (std::size_t row = 0; row < g.size(); ++row) g[row] *= side.gain[row];
    }
    for (std::size_t row = 0; row < g.size(); ++row) g[row] += at(side.bias, row);
    return g;
}

// The cells: from G_x, G_h and the entering state to h~ (and c~), and their gates.

State rnn(const Extent& e, const Vector& gx, const Vector& gh, double* gates) {
    Vector h(e.hidden);
    for (std::int64_t j = 0; j < e.hidden; ++j) {
        const double sum = gx[j] + gh[j];
        h[j] = e.cell == CellKind::rnn_tanh ? std::tanh(sum) : sum < 0.0 ? 0.0 : sum;
    }
    if (gates) std::copy(h.begin(), h.end(), gates);
    return {h, {}};
}

State gru(const Extent& e, const Vector& gx, const Vector& gh, const State& before, double* gates) {
    const std::int64_t H = e.hidden;
    Vector h(H);
    for (std::int64_t j = 0; j < H; ++j) {
        const double r = sigmoid(gx[j] + gh[j]);
        const double z = sigmoid(gx[H + j] + gh[H + j]);
        const double hn = gh[2 * H + j];
        const double n = std::tanh(gx[2 * H + j] + r * hn);
        h[j] = (1.0 - z) * n + z * before.h[j];
        if (gates) {
            gates[j] = hn;
            gates[H + j] = r;
            gates[2 * H + j] = z;
            gates[3 * H + j] = n;
        }
    }
    return {h, {}};
}

// What the LSTM's output sees of the cell: c~, or gain * (c~ - mean) / sqrt(var + eps) + shift.
Vector seen_cell(const Forward<double>& call, const Vector& c, double* kept) {
    if (!call.weights.norm_c) return c;
    const double *gain = call.weights.norm_c, *shift = gain + c.size();
    const Stats stats = stats_of(c.data(), c.size(), call.weights.epsilon);
    Vector seen(c.size());
    for (std::size_t j = 0; j < c.size(); ++j)
        seen[j] = gain[j] * (c[j] - stats.mean) * stats.scale + shift[j];
    if (kept) {
        kept[0] = stats.mean;
        kept[1] = stats.scale;
    }
    return seen;
}

State lstm(const Forward<double>& call, const Vector& gx, const Vector& gh, const State& before,
           double* gates, double* stats) {
    const std::int64_t H = call.extent.hidden, P = call.extent.output;
    const double* peephole = call.weights.peephole;
    const auto peek = [&](std::int64_t row, double cell) {
        return peephole ? peephole[row] * cell : 0.0;
    };
    Vector c(H), o(H);
    for (std::int64_t j = 0; j < H; ++j) {
        const double i = sigmoid(gx[j] + gh[j] + peek(j, before.c[j]));
        const double f = sigmoid(gx[H + j] + gh[H + j] + peek(H + j, before.c[j]));
        const double g = std::tanh(gx[2 * H + j] + gh[2 * H + j]);
        c[j] = f * before.c[j] + i * g;
        o[j] = sigmoid(gx[3 * H + j] + gh[3 * H + j] + peek(2 * H + j, c[j]));
        if (gates) {
            gates[j] = i;
            gates[H + j] = f;
            gates[2 * H + j] = g;
            gates[3 * H + j] = o[j];
        }
    }
    const Vector seen = seen_cell(call, c, stats);
    Vector h(H);
    for (std::int64_t j = 0; j < H; ++j) h[j] = o[j] * std::tanh(seen[j]);
    if (!call.weights.hr) return {h, c};

    Vector projected(P);
    for (std::int64_t p = 0; p < P; ++p) projected[p] = dot(call.weights.hr + p * H, h.data(), H);
    return {projected, c};
}

// One step of row b at step t: the state after it.
State step(const Forward<double>& call, const Layout& layout, std::int64_t t, std::int64_t b,
           const State& before) {
    const Extent& e = call.extent;
    const Weights<double>& w = call.weights;
    const Masks<double>& m = call.masks;
    const Kept<double>& kept = call.kept;
    const std::int64_t H = e.hidden, P = e.output, place = layout.place(t, b);
    const std::int64_t GH = gates_of(e.cell) * H;

    Vector dropped = before.h;
    if (m.recurrent)
        for (std::int64_t p = 0; p < P; ++p) dropped[p] *= m.recurrent[b * P + p];
    const Vector gx = sums(call,
                           {w.ih, w.gain_ih, w.bias_ih, at_offset(kept.normed_ih, place * GH),
                            at_offset(kept.scale_ih, place * 2)},
                           layout.at(call.x, t, b), e.input);
    const Vector gh = sums(call,
                           {w.hh, w.gain_hh, w.bias_hh, at_offset(kept.normed_hh, place * GH),
                            at_offset(kept.scale_hh, place * 2)},
                           dropped.data(), P);

    const bool is_lstm = e.cell == CellKind::lstm, is_gru = e.cell == CellKind::gru;
    double* gates = at_offset(kept.gates, place * (is_lstm || is_gru ? 4 * H : H));
    double* stats = at_offset(kept.stats_c, place * 2);
    State after = is_lstm  ? lstm(call, gx, gh, before, gates, stats)
                  : is_gru ? gru(e, gx, gh, before, gates)
                           : rnn(e, gx, gh, gates);

    for (std::int64_t p = 0; p < P; ++p)
        after.h[p] = blend(zoneout(m.zoneout_h, m.rate_h, place * P + p), before.h[p], after.h[p]);
    for (std::size_t j = 0; j < after.c.size(); ++j)
        after.c[j] = blend(zoneout(m.zoneout_c, m.rate_c, place * H + j), before.c[j], after.c[j]);
    if (kept.cells) std::copy(after.c.begin(), after.c.end(), kept.cells + place * H);
    return after;
}

}  // namespace

void forward(const Forward<double>& call) {
    const Extent& e = call.extent;
    const Layout layout(e);
    const bool is_lstm = e.cell == CellKind::lstm;
    for (std::int64_t b = 0; b < e.batch; ++b) {
        const std::int64_t length = layout.length(b);
        const State zero{Vector(e.output, 0.0), Vector(is_lstm ? e.hidden : 0, 0.0)};
        State state{row_of(call.h0, b, e.output),
                    is_lstm ? row_of(call.c0, b, e.hidden) : Vector()};
        for (std::int64_t k = 0; k < length; ++k) {
            const std::int64_t t = layout.step(b, k);
            state = step(call, layout, t, b, layout.cut(b, k) ? zero : state);
            std::copy(state.h.begin(), state.h.end(), layout.at(call.y, t, b));
        }
        for (std::int64_t t = length; t < e.steps && b < layout.rows(t); ++t)
            std::fill_n(layout.at(call.y, t, b), e.output, 0.0);
        std::copy(state.h.begin(), state.h.end(), call.hn + b * e.output);
        if (is_lstm) std::copy(state.c.begin(), state.c.end(), call.cn + b * e.hidden);
    }
}

}  // namespace unrolled::oracle
