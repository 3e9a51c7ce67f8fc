// How threads share a call.
#pragma once

#include "plan.h"
#include "threads.h"

namespace unrolled {

constexpr int kMaxWorkers = 64;

struct Team {
    int workers;
    bool by_units;  // each has some units of all rows, and all meet after each step; else each has
                    // some rows for the whole sequence, and none waits for another
};

// How many threads a call is worth; `gates` is the number of the cell.
int workers_of(const Extent& extent, int gates);

// `gates` is the number of the cell; layer normalisation and projections need whole rows.
Team team_of(const Extent& extent, int gates, bool whole_rows);

// Calls work(context, part, s) for each part below `parts` and s = 0, 1, ..., steps - 1: all parts
// of a step before any of the next, the parts of one step at the same time on as many threads.
//
// A thread that does not come along, since another process has its core, is not waited for: its
// part of the step is done by one that is there, to the same bits. While that goes on, the calls of
// the next moments keep to one thread.
void in_step(int parts, std::int64_t steps, void (*work)(void* context, int part, std::int64_t s),
             void* context);

template <class Function>
inline __attribute__((always_inline)) void in_step(int parts, std::int64_t steps, Function& f) {
    in_step(
        parts, steps,
        [](void* context, int part, std::int64_t s) {
            (*static_cast<Function*>(context))(part, s);
        },
        &f);
}

}  // namespace unrolled
