// Sums over all places of slope times input, a transposed product: the gradient of a weight.
#pragma once

#include "pack.h"
#include "plan.h"
#include "scratch.h"
#include "team.h"
#include "threads.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

// out (rows, columns) = sum over places of slopes[row] * inputs[column]; sums (rows,) of the
// slopes. The rows of both are the slopes' columns, turned: column m is row (m + turn) mod rows.
template <class Real>
struct WeightGradient {
    std::int64_t rows, columns, turn;
    Real* out;   // or null: only the sums
    Real* sums;  // or null
};

template <class Real>
class PlaceSums {
    static constexpr int L = kLanes<Real>;
    static constexpr std::int64_t kAtOnce = 128;  // places: their inputs stay in the caches

  public:
    PlaceSums(const Plan& plan, int workers, std::int64_t most_columns, Scratch& scratch)
        : plan_(plan), workers_(workers) {
        const std::int64_t widest = ceil_div(most_columns, L) + kPlainVecs;
        for (int w = 0; w < workers; ++w) {
            slopes_[w] = scratch.take<const Real*>(kAtOnce);
            packed_[w] = scratch.take<Real>(kAtOnce * widest * L);
        }
    }

    // `slopes(place)`, `inputs(t, rank, place)` and `mask(rank)`, which may be null, say where a
    // place's numbers stand. Each worker has some of the rows and adds up in the order of the
    // places.
    template <class Slopes, class Inputs, class Mask>
    void add(const WeightGradient<Real>& to, Slopes slopes, Inputs inputs, Mask mask) {
        if (!to.out && !to.sums) return;
        auto work = [&](int w) { share(w, to, slopes, inputs, mask); };
        parallel(workers_, work);
    }

  private:
    // Walks over the places in order: steps, and the ranks of each.
    struct Walk {
        std::int64_t t = 0, rank = 0;
    };

    static bool next(const Plan& plan, Walk& walk) {
        while (walk.t < plan.extent.steps && walk.rank >= plan.active[walk.t]) {
            ++walk.t;
            walk.rank = 0;
        }
        return walk.t < plan.extent.steps;
    }

    template <class Slopes, class Inputs, class Mask>
    void share(int w, const WeightGradient<Real>& to, Slopes slopes, Inputs inputs, Mask mask) {
        const int vecs = plain_vecs<Real>(to.columns);
        const std::int64_t blocks = ceil_div(to.columns, vecs * L);
        const std::int64_t begin = to.rows * w / workers_, end = to.rows * (w + 1) / workers_;
        bool more = false;
        const auto add_products = [&](std::int64_t block, std::int64_t first, int n,
                                      const Real* products) __attribute__((always_inline)) {
            for (int r = 0; r < n; ++r) {
                Real* out = to.out + row_turned(to, first + r) * to.columns;
                for (int vec = 0; vec < vecs; ++vec) {
                    const std::int64_t j = (block * vecs + vec) * L, left = to.columns - j;
                    if (left <= 0) break;
                    const int lanes = left >= L ? L : static_cast<int>(left);
                    Vec<Real> v = load(products + (r * vecs + vec) * L);
                    if (more) v += load_some(out + j, lanes);
                    store_some(out + j, v, lanes);
                }
            }
        };
        Walk walk;
        do {
            std::int64_t count = 0;
            for (; count < kAtOnce && next(plan_, walk); ++count, ++walk.rank) {
                const std::int64_t place = place_of(plan_, walk.t, walk.rank);
                slopes_[w][count] = slopes(place);
                if (!to.out) continue;
                pack(inputs(walk.t, walk.rank, place), mask(walk.rank), to.columns, vecs, blocks,
                     packed_[w] + count * vecs * L);
            }
            if (to.out) {
                const Panels<Real> panels = {packed_[w],         count,   vecs, 1, blocks,
                                             kAtOnce * vecs * L, vecs * L};
                multiply(panels, 0, blocks, slopes_[w], begin, end - begin, Sums::columns,
                         add_products);
            }
            if (to.sums) add_slopes(w, to, begin, end, count, more);
            more = true;
        } while (next(plan_, walk));
    }

    // One place's inputs as one k of all panels.
    static void pack(const Real* inputs, const Real* mask, std::int64_t columns, int vecs,
                     std::int64_t blocks, Real* to) {
        for (std::int64_t block = 0; block < blocks; ++block, to += kAtOnce * vecs * L) {
            for (int vec = 0; vec < vecs; ++vec) {
                const std::int64_t j = (block * vecs + vec) * L, left = columns - j;
                const int lanes = left >= L ? L : left > 0 ? static_cast<int>(left) : 0;
                Vec<Real> v = {};
                if (lanes > 0) v = load_some(inputs + j, lanes);
                if (mask && lanes > 0) v *= load_some(mask + j, lanes);
                store(to + vec * L, v);
            }
        }
    }

    void add_slopes(int w, const WeightGradient<Real>& to, std::int64_t begin, std::int64_t end,
                    std::int64_t count, bool more) {
        for (std::int64_t from = begin; from < end; from += L) {
            const int lanes = end - from < L ? static_cast<int>(end - from) : L;
            // Four sums in turns, which are more precise than one long sum, and quicker.
            Vec<Real> totals[4] = {};
            for (std::int64_t k = 0; k < count; ++k) {
                totals[k % 4] += load_some(slopes_[w][k] + from, lanes);
            }
            const Vec<Real> total = (totals[0] + totals[1]) + (totals[2] + totals[3]);
            for (int lane = 0; lane < lanes; ++lane) {
                Real& sum = to.sums[row_turned(to, from + lane)];
                sum = more ? sum + total[lane] : total[lane];
            }
        }
    }

    static std::int64_t row_turned(const WeightGradient<Real>& to, std::int64_t m) {
        return m + to.turn < to.rows ? m + to.turn : m + to.turn - to.rows;
    }

    const Plan& plan_;
    const int workers_;
    const Real** slopes_[kMaxWorkers];
    Real* packed_[kMaxWorkers];
};

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
