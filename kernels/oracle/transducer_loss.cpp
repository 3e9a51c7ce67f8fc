#include "unrolled/transducer_loss.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace unrolled::oracle {

namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

double log_add(double a, double b) {
    const double most = std::max(a, b);
    if (most == kNever) return kNever;
    return most + std::log(std::exp(a - most) + std::exp(b - most));
}

// One row of the batch: its first node, and its own sizes.
void row(const TransducerLoss<double>& call, std::int64_t b) {
    const std::int64_t V = call.vocabulary, width = call.labels + 1;
    const std::int64_t T = call.lengths[b], U = call.counts[b];
    const std::int64_t* said = call.targets + b * call.labels;
    const auto node = [&](std::int64_t t, std::int64_t u) {
        return (b * call.steps + t) * width + u;
    };
    for (std::int64_t t = 0; t < T; ++t) {
        for (std::int64_t u = 0; u <= U; ++u) {
            const std::int64_t n = node(t, u);
            const double* x = call.logits + n * V;
            call.most[n] = *std::max_element(x, x + V);
            call.powers[n] = 0.0;
            for (std::int64_t v = 0; v < V; ++v) call.powers[n] += std::exp(x[v] - call.most[n]);
            const double all = call.most[n] + std::log(call.powers[n]);
            call.to_frame[n] = x[call.blank] - all;
            if (u < U) call.to_symbol[n] = x[said[u]] - all;
        }
    }
    std::vector<double> before((T + 1) * (U + 1), kNever), after((T + 1) * (U + 1), kNever);
    const auto at = [&](std::int64_t t, std::int64_t u) { return t * (U + 1) + u; };
    for (std::int64_t t = 0; t < T; ++t) {
        for (std::int64_t u = 0; u <= U; ++u) {
            if (t == 0 && u == 0) before[at(0, 0)] = 0.0;
            if (t > 0) before[at(t, u)] = before[at(t - 1, u)] + call.to_frame[node(t - 1, u)];
            if (u > 0)
                before[at(t, u)] = log_add(before[at(t, u)],
                                           before[at(t, u - 1)] + call.to_symbol[node(t, u - 1)]);
        }
    }
    after[at(T, U)] = 0.0;
    for (std::int64_t t = T - 1; t >= 0; --t) {
        for (std::int64_t u = U; u >= 0; --u) {
            after[at(t, u)] = call.to_frame[node(t, u)] + after[at(t + 1, u)];
            if (u < U)
                after[at(t, u)] =
                    log_add(after[at(t, u)], call.to_symbol[node(t, u)] + after[at(t, u + 1)]);
        }
    }
    const double total = after[at(0, 0)];
    call.losses[b] = -total;
    for (std::int64_t t = 0; t < T; ++t) {
        for (std::int64_t u = 0; u <= U; ++u) {
            const std::int64_t n = node(t, u);
            const auto taken = [&](double arc, double then) {
                return total == kNever ? 0.0 : std::exp(before[at(t, u)] + arc + then - total);
            };
            call.to_frame[n] = taken(call.to_frame[n], after[at(t + 1, u)]);
            if (u < U) call.to_symbol[n] = taken(call.to_symbol[n], after[at(t, u + 1)]);
        }
    }
}

void slopes(const TransducerLoss<double>& call, std::int64_t b) {
    const std::int64_t V = call.vocabulary, width = call.labels + 1;
    for (std::int64_t t = 0; t < call.steps; ++t) {
        for (std::int64_t u = 0; u < width; ++u) {
            const std::int64_t n = (b * call.steps + t) * width + u;
            double* slope = call.slopes + n * V;
            if (t >= call.lengths[b] || u > call.counts[b]) {
                std::fill(slope, slope + V, 0.0);
                continue;
            }
            const bool says = u < call.counts[b];
            const double label = says ? call.to_symbol[n] : 0.0;
            for (std::int64_t v = 0; v < V; ++v) {
                const double p = std::exp(call.logits[n * V + v] - call.most[n]) / call.powers[n];
                slope[v] = call.scale[b] * (call.to_frame[n] + label) * p;
            }
            slope[call.blank] -= call.scale[b] * call.to_frame[n];
            if (says) slope[call.targets[b * call.labels + u]] -= call.scale[b] * label;
        }
    }
}

}  // namespace

void transducer_loss(const TransducerLoss<double>& call) {
    for (std::int64_t b = 0; b < call.batch; ++b) {
        call.losses[b] = 0.0;
        if (call.lengths[b] > 0) row(call, b);
        if (call.slopes) slopes(call, b);
    }
}

}  // namespace unrolled::oracle
