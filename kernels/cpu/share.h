// What each worker of a team has: some rows for the whole sequence, or some units of all rows.
#pragma once

#include "pack.h"
#include "plan.h"
#include "team.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

class Share {
  public:
    Share(const Plan& plan, Team team) : plan_(plan), team_(team) {}

    int workers() const { return team_.workers; }
    bool by_units() const { return team_.by_units; }

    // A worker's blocks of units.
    std::int64_t first_block(int worker, std::int64_t blocks) const {
        return team_.by_units ? part(worker, blocks) : 0;
    }
    std::int64_t last_block(int worker, std::int64_t blocks) const {
        return team_.by_units ? part(worker + 1, blocks) : blocks;
    }

    // A worker's rows, those of them that have step t, and the rank of the i-th.
    std::int64_t rows(int worker) const { return of(worker, plan_.extent.batch); }
    std::int64_t rows_at(int worker, std::int64_t t) const { return of(worker, plan_.active[t]); }
    std::int64_t rank(int worker, std::int64_t i) const {
        return team_.by_units ? i : worker + i * team_.workers;
    }

    // Where the worker's share of `count` things of any kind begins.
    std::int64_t part(int worker, std::int64_t count) const {
        return count * worker / team_.workers;
    }

  private:
    std::int64_t of(int worker, std::int64_t ranks) const {
        if (team_.by_units) return ranks;
        return ranks > worker ? ceil_div(ranks - worker, team_.workers) : 0;
    }

    const Plan& plan_;
    const Team team_;
};

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
