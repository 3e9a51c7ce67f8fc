// Which rows have which steps, and where each stands: the extent of a call, worked out once.
#pragma once

#include "unrolled/sequence.h"

namespace unrolled {

// Rows are taken by rank: the longest first. Made by make_plan, in memory that the caller gives.
struct Plan {
    Extent extent;
    std::int64_t places;         // N
    const std::int64_t* row;     // (B,) the row of each rank
    const std::int64_t* length;  // (B,) of each rank
    const std::int64_t* active;  // (T,) ranks below this have the step
    const std::int64_t* offset;  // (T,) place of the step's first row where packed; else null
};

// The place of step t of a rank.
static inline __attribute__((always_inline)) std::int64_t place_of(const Plan& plan, std::int64_t t,
                                                                   std::int64_t rank) {
    return plan.offset ? plan.offset[t] + rank : t * plan.extent.batch + plan.row[rank];
}

// Where step t of a rank stands in a tensor of the caller.
template <class Real>
static inline __attribute__((always_inline)) Real* at(const Strided<Real>& tensor, const Plan& plan,
                                                      std::int64_t t, std::int64_t rank) {
    if (plan.offset) return tensor.base + (plan.offset[t] + rank) * tensor.row;
    return tensor.base + t * tensor.time + plan.row[rank] * tensor.row;
}

// Whether the state between steps t - 1 and t of a rank is cut.
static inline __attribute__((always_inline)) bool cut_before(const Plan& plan, std::int64_t t,
                                                             std::int64_t rank) {
    return plan.extent.starts.base && *at(plan.extent.starts, plan, t, rank) != 0;
}

// Where a rank's state comes from at step t: step `before`, or nothing.
struct Origin {
    bool first;           // no step of this row comes before: the given state
    bool cut;             // a reset: zeros
    std::int64_t before;  // otherwise the step before
};

static inline __attribute__((always_inline)) Origin origin(const Plan& plan, std::int64_t t,
                                                           std::int64_t rank) {
    // Going back, the boundary between t + 1 and t belongs to t + 1; the last step has none.
    if (plan.extent.reverse) {
        const bool first = t + 1 == plan.length[rank];
        return {first, !first && cut_before(plan, t + 1, rank), t + 1};
    }
    return {t == 0, cut_before(plan, t, rank), t - 1};
}

// The step that the s-th one (from 0) is, in the direction of the layer.
static inline __attribute__((always_inline)) std::int64_t step_at(const Plan& plan,
                                                                  std::int64_t s) {
    return plan.extent.reverse ? plan.extent.steps - 1 - s : s;
}

class Scratch;
Plan make_plan(const Extent& extent, Scratch& scratch);

}  // namespace unrolled
