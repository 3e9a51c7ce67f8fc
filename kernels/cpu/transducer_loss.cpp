#include "unrolled/transducer_loss.h"

#include "norm.h"
#include "team.h"
#include "threads.h"
#include "transducer_sums.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

namespace {

constexpr int L = kLanes<float>;

// Arcs that a smaller part of all alignments takes have no slopes.
constexpr double kTaken = 0x1p-40;

std::int64_t rows_of(const TransducerLoss<float>& call) { return call.labels + 1; }

// How many threads a pass is worth whose nodes cost so many multiplications each.
int workers_for(const TransducerLoss<float>& call, std::int64_t cost) {
    Extent work = {};
    work.steps = call.steps;
    work.batch = call.batch;
    work.hidden = rows_of(call);
    work.input = cost;
    work.threads = call.threads;
    return workers_of(work, 1);
}

// Calls use(frame, t, b) for each frame of the batch; threads take turns, since rows are ragged.
template <class Use>
void each_frame(const TransducerLoss<float>& call, Use use) {
    const std::int64_t frames = call.batch * call.steps;
    const int most = workers_for(call, 4 * call.vocabulary);
    const int workers = frames < most ? static_cast<int>(frames) : most;
    auto work = [&](int w) {
        for (std::int64_t f = w; f < frames; f += workers) use(f, f % call.steps, f / call.steps);
    };
    parallel(workers, work);
}

// The sum of e^(x - most), by stretches: one long sum of floats loses digits. What is 1 is counted
// apart: where a network is sure the rest is small, and would lose all its digits beside it.
double sum_of_powers(const float* x, std::int64_t size, float most) {
    constexpr std::int64_t kLong = 64 * L;
    double total = 0;
    for (std::int64_t from = 0; from < size; from += kLong) {
        const std::int64_t end = from + kLong < size ? from + kLong : size;
        Vec<float> sums = {}, ones = {};
        std::int64_t k = from;
        for (; k + L <= end; k += L) {
            const Vec<float> power = exp(load(x + k) - most);
            const auto whole = power == 1.0f;
            sums += whole ? Vec<float>{} : power;
            ones += whole ? broadcast(1.0f) : Vec<float>{};
        }
        total += sum<float>(sums);
        total += sum<float>(ones);
        if (k == end) continue;
        const int left = static_cast<int>(end - k);
        const Vec<float> power = exp(load_first(x + k, left) - most);
        for (int lane = 0; lane < left; ++lane) total += power[lane];
    }
    return total;
}

void slopes_of_node(const TransducerLoss<float>& call, std::int64_t node, std::int64_t label,
                    float scale) {
    const std::int64_t V = call.vocabulary;
    const float* x = call.logits + node * V;
    float* slopes = call.slopes + node * V;
    const double stays = call.to_frame[node], says = label < 0 ? 0.0 : call.to_symbol[node];
    if (stays + says < kTaken) {
        for_vectors<float>(V, [&](std::int64_t v, int count) __attribute__((always_inline)) {
            store_some(slopes + v, Vec<float>{}, count);
        });
        return;
    }
    const float most = call.most[node];
    const double powers = call.powers[node], all = stays + says;
    const float part = static_cast<float>(scale * all / powers);
    // The logits may be overwritten from here on.
    const double x_blank = x[call.blank], x_label = label < 0 ? 0.0 : x[label];
    // In double precision: where the network is sure, these are small differences of numbers
    // near 1.
    const auto put = [&](std::int64_t v, double logit, double taken)
                         __attribute__((always_inline)) {
                             const double power = exp(broadcast(logit - most))[0];
                             slopes[v] = static_cast<float>(scale * (all * power / powers - taken));
                         };
    for_vectors<float>(V, [&](std::int64_t v, int count) __attribute__((always_inline)) {
        store_some(slopes + v, part * exp(load_some(x + v, count) - most), count);
    });
    put(call.blank, x_blank, stays);
    if (label >= 0) put(label, x_label, says);
}

}  // namespace

void transducer_scores(const TransducerLoss<float>& call) {
    const std::int64_t V = call.vocabulary;
    each_frame(call, [&](std::int64_t frame, std::int64_t t, std::int64_t b) {
        if (t >= call.lengths[b]) return;
        for (std::int64_t u = 0; u <= call.counts[b]; ++u) {
            const std::int64_t node = frame * rows_of(call) + u;
            const float* x = call.logits + node * V;
            const float most = largest_of(x, V);
            const double powers = sum_of_powers(x, V, most);
            const double all = most + logarithm(powers);
            call.most[node] = most;
            call.powers[node] = powers;
            call.to_frame[node] = x[call.blank] - all;
            if (u < call.counts[b])
                call.to_symbol[node] = x[call.targets[b * call.labels + u]] - all;
        }
    });
}

void transducer_sums(const TransducerLoss<float>& call, Scratch& scratch) {
    const std::int64_t row = rows_of(call);
    const int most = workers_for(call, 100);
    const int workers = call.batch < most ? static_cast<int>(call.batch) : most;
    TransducerSums rooms[kMaxWorkers];
    for (int w = 0; w < workers; ++w) rooms[w] = {call.steps, call.labels, scratch};
    auto work = [&](int w) {
        for (std::int64_t b = w; b < call.batch; b += workers) {
            const std::int64_t first = b * call.steps * row;
            call.losses[b] = call.lengths[b] < 1
                                 ? 0.0
                                 : rooms[w].run(call.lengths[b], call.counts[b], row,
                                                call.to_frame + first, call.to_symbol + first);
        }
    };
    parallel(workers, work);
}

void transducer_slopes(const TransducerLoss<float>& call) {
    const std::int64_t V = call.vocabulary;
    each_frame(call, [&](std::int64_t frame, std::int64_t t, std::int64_t b) {
        const std::int64_t first = frame * rows_of(call);
        const std::int64_t nodes = t < call.lengths[b] ? call.counts[b] + 1 : 0;
        for (std::int64_t u = 0; u < nodes; ++u) {
            const std::int64_t label = u + 1 < nodes ? call.targets[b * call.labels + u] : -1;
            slopes_of_node(call, first + u, label, call.scale[b]);
        }
        float* beyond = call.slopes + (first + nodes) * V;
        for (std::int64_t v = 0; v < (rows_of(call) - nodes) * V; ++v) beyond[v] = 0;
    });
}

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
