#include "plan.h"

#include <algorithm>

#include "scratch.h"

namespace unrolled {

Plan make_plan(const Extent& extent, Scratch& scratch) {
    const std::int64_t steps = extent.steps, batch = extent.batch;
    auto* row = scratch.take<std::int64_t>(batch);
    auto* length = scratch.take<std::int64_t>(batch);
    auto* active = scratch.take<std::int64_t>(steps);
    Plan plan{extent, steps * batch, row, length, active, nullptr};

    for (std::int64_t b = 0; b < batch; ++b) row[b] = b;
    if (extent.batch_sizes) {
        auto* offset = scratch.take<std::int64_t>(steps);
        plan.places = 0;
        std::fill(length, length + batch, 0);
        for (std::int64_t t = 0; t < steps; ++t) {
            offset[t] = plan.places;
            active[t] = extent.batch_sizes[t];
            plan.places += active[t];
            for (std::int64_t b = 0; b < active[t]; ++b) length[b] = t + 1;
        }
        plan.offset = offset;
        return plan;
    }
    if (extent.lengths) {
        const std::int64_t* of = extent.lengths;
        std::stable_sort(row, row + batch,
                         [of](std::int64_t a, std::int64_t b) { return of[a] > of[b]; });
    }
    for (std::int64_t rank = 0; rank < batch; ++rank) {
        length[rank] = extent.lengths ? extent.lengths[row[rank]] : steps;
    }
    std::int64_t ranks = batch;
    for (std::int64_t t = 0; t < steps; ++t) {
        while (ranks > 0 && length[ranks - 1] <= t) --ranks;
        active[t] = ranks;
    }
    return plan;
}

}  // namespace unrolled
