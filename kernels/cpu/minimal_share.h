// How minGRU and minLSTM, and a scan alone, share a call between workers.
//
// No state enters a product, and the scan knows nothing of other rows or units: a worker has some
// rows and all units, or all rows and some units, and never waits for another one.
#pragma once

#include "share.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

template <class Real>
class MinimalShare : public Share {
    static constexpr int L = kLanes<Real>;

  public:
    MinimalShare(const Plan& plan, int gates)
        : MinimalShare(plan, gates, plan.extent.hidden, plan.extent.input) {}

    // `width` units, each of which costs as much as a product with `input` numbers.
    MinimalShare(const Plan& plan, int gates, std::int64_t width, std::int64_t input)
        : Share(plan, team(plan, gates, width, input)), hidden_(width) {}

    // A worker's blocks of L units, and the units in them.
    std::int64_t first_block(int worker) const { return Share::first_block(worker, blocks()); }
    std::int64_t last_block(int worker) const { return Share::last_block(worker, blocks()); }
    std::int64_t first_unit(int worker) const { return first_block(worker) * L; }
    std::int64_t last_unit(int worker) const {
        const std::int64_t end = last_block(worker) * L;
        return end < hidden_ ? end : hidden_;
    }

  private:
    std::int64_t blocks() const { return ceil_div(hidden_, L); }

    static Team team(const Plan& plan, int gates, std::int64_t width, std::int64_t input) {
        Extent product = plan.extent;
        product.hidden = width;
        product.input = input;
        product.output = 0;  // no state is multiplied
        const std::int64_t most = workers_of(product, gates), batch = plan.extent.batch;
        const std::int64_t blocks = ceil_div(width, L);
        const std::int64_t by_rows = batch < most ? batch : most;
        const std::int64_t by_units = blocks < most ? blocks : most;
        // By units where the largest share of the work is then smaller.
        const bool units = ceil_div(blocks, by_units) * batch < ceil_div(batch, by_rows) * blocks;
        return {static_cast<int>(units ? by_units : by_rows), units};
    }

    const std::int64_t hidden_;
};

// Rows and steps that are worked on together: their inputs, and what comes of them, stay in a cache
// from one use to the next, and the weights are read once for all of them.
constexpr std::int64_t kTogether = 96;

// Of `rows` ranks, how many go through time together; the others follow after them. Where a row's
// steps lie side by side in memory, a few rows and many steps are taken, else many rows.
template <class Real>
UNROLLED_INLINE std::int64_t ranks_together(const Plan& plan, const Strided<Real>& tensor,
                                            std::int64_t rows) {
    const bool by_row = !plan.offset && tensor.time < tensor.row;
    const std::int64_t ranks = by_row ? ceil_div(kTogether, plan.extent.steps) : kTogether;
    return ranks < rows ? ranks : rows;
}

// Calls set(m, t, rank) for m = 0, 1, ... and the steps and ranks of a stretch, then stretch(count)
// for it, and so on through all steps of the worker's rows in [begin, end), in the order of time or
// against it. A stretch has fewer than 2 * kTogether places.
template <class Real, class Set, class Stretch>
UNROLLED_INLINE void in_stretches(const Plan& plan, const MinimalShare<Real>& share, int worker,
                                  std::int64_t begin, std::int64_t end, bool back, Set set,
                                  Stretch stretch) {
    const std::int64_t steps = plan.extent.steps;
    std::int64_t m = 0;
    for (std::int64_t s = 0; s < steps; ++s) {
        const std::int64_t t = step_at(plan, back ? steps - 1 - s : s);
        const std::int64_t having = share.rows_at(worker, t), stop = end < having ? end : having;
        for (std::int64_t i = begin; i < stop; ++i, ++m) set(m, t, share.rank(worker, i));
        if (m >= kTogether || s + 1 == steps) {
            stretch(m);
            m = 0;
        }
    }
}

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
