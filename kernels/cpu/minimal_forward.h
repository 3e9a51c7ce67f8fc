// minGRU and minLSTM, forward over time.
//
// A worker takes some of its rows through time in stretches of steps; a product with the weights
// for the whole stretch, and what a block of it gives goes straight through the equations into
// the states, while it is still in the nearest cache.
#pragma once

#include "minimal_cells.h"
#include "minimal_share.h"
#include "pack.h"
#include "plan.h"
#include "scratch.h"
#include "threads.h"
#include "unrolled/minimal.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

template <class Real, int kGates>
class MinimalForwardPass {
    static constexpr int L = kLanes<Real>;

  public:
    MinimalForwardPass(const MinimalForward<Real>& call, const Plan& plan, Scratch& scratch)
        : call_(call),
          plan_(plan),
          e_(call.extent),
          // A block is a vector of units, its gates side by side.
          layout_{e_.input, kGates, 1, ceil_div(e_.hidden, L)},
          share_(plan, kGates) {
        data_ = scratch.take<Real>(layout_.elements());
        zeros_ = scratch.take<Real>(e_.hidden);
        for (std::int64_t j = 0; j < e_.hidden; ++j) zeros_[j] = 0;
        for (int w = 0; w < share_.workers(); ++w) {
            workers_[w].inputs = scratch.take<const Real*>(2 * kTogether);
            workers_[w].rows = scratch.take<Row>(2 * kTogether);
        }
    }

    void run() {
        auto prepare = [this](int w) {
            pack_units(call_.weight, kGates, e_.hidden, 1, layout_, share_.part(w, layout_.blocks),
                       share_.part(w + 1, layout_.blocks), data_);
        };
        parallel(share_.workers(), prepare);
        auto work = [this](int w) { rows_of(w); };
        parallel(share_.workers(), work);
    }

  private:
    // One row of the batch at one step.
    struct Row {
        const Real* before;
        Real* after;
        Real* kept;  // or null
    };

    struct Worker {
        const Real** inputs;
        Row* rows;
    };

    void rows_of(int w) {
        const std::int64_t rows = share_.rows(w);
        const std::int64_t together = ranks_together(plan_, call_.x, rows);
        for (std::int64_t begin = 0; begin < rows; begin += together) {
            const std::int64_t end = begin + together < rows ? begin + together : rows;
            Worker& worker = workers_[w];
            in_stretches(
                plan_, share_, w, begin, end, false,
                [&](std::int64_t m, std::int64_t t, std::int64_t rank) {
                    set_row(worker, m, t, rank);
                },
                [&](std::int64_t count) { stretch(w, count); });
            for (std::int64_t i = begin; i < end; ++i) finish(w, share_.rank(w, i));
        }
    }

    void set_row(Worker& worker, std::int64_t m, std::int64_t t, std::int64_t rank) {
        const std::int64_t H = e_.hidden;
        const Origin from = origin(plan_, t, rank);
        worker.inputs[m] = at(call_.x, plan_, t, rank);
        Row& row = worker.rows[m];
        row.before = from.cut     ? zeros_
                     : from.first ? (call_.h0 ? call_.h0 + plan_.row[rank] * H : zeros_)
                                  : at(call_.y, plan_, from.before, rank);
        row.after = at(call_.y, plan_, t, rank);
        row.kept = call_.kept ? call_.kept + place_of(plan_, t, rank) * kGates * H : nullptr;
    }

    void stretch(int w, std::int64_t count) {
        const Worker& worker = workers_[w];
        const std::int64_t H = e_.hidden;
        const auto use = [&](std::int64_t block, std::int64_t first, int n, const Real* out) {
            const std::int64_t j = block * L;
            if (H - j >= L) {
                units(worker.rows + first, n, j, L, out);
            } else {
                units(worker.rows + first, n, j, static_cast<int>(H - j), out);
            }
        };
        multiply(panels_of(layout_, data_), share_.first_block(w), share_.last_block(w),
                 worker.inputs, 0, count, Sums::grouped, use);
    }

    // A vector of units, from their products to their states, in n rows.
    inline __attribute__((always_inline)) void units(const Row* rows, int n, std::int64_t j,
                                                     int count, const Real* out) {
        const std::int64_t H = e_.hidden;
        Vec<Real> bias[kGates];
#pragma GCC unroll 3
        for (int gate = 0; gate < kGates; ++gate) {
            bias[gate] = load_or_zero(call_.bias, gate * H + j, count);
        }
        for (int r = 0; r < n; ++r) {
            Vec<Real> sums[kGates];
#pragma GCC unroll 3
            for (int gate = 0; gate < kGates; ++gate) {
                sums[gate] = load(out + (r * kGates + gate) * L) + bias[gate];
            }
            Vec<Real> of_gates[kGates - 1];
#pragma GCC unroll 2
            for (int gate = 0; gate < kGates - 1; ++gate) of_gates[gate] = sums[gate];
            const Shares<Real> share = shares<Real>(of_gates);
            const Vec<Real> marked = marked_candidate<Real>(sums[kGates - 1]);
            const Row& row = rows[r];
            store_some(row.after + j,
                       share.old * load_some(row.before + j, count) +
                           share.fresh * candidate_of<Real>(marked),
                       count);
            if (!row.kept) continue;
#pragma GCC unroll 2
            for (int gate = 0; gate < kGates - 1; ++gate) {
                store_some(row.kept + gate * H + j, sums[gate], count);
            }
            store_some(row.kept + (kGates - 1) * H + j, marked, count);
        }
    }

    // The last state of a rank, and zeros beyond its length: what of it the worker has.
    void finish(int w, std::int64_t rank) {
        const std::int64_t H = e_.hidden, given = plan_.row[rank], length = plan_.length[rank];
        const std::int64_t from = share_.first_unit(w), to = share_.last_unit(w);
        const Real* h = length > 0 ? at(call_.y, plan_, e_.reverse ? 0 : length - 1, rank)
                        : call_.h0 ? call_.h0 + given * H
                                   : zeros_;
        for (std::int64_t j = from; j < to; ++j) call_.hn[given * H + j] = h[j];
        if (plan_.offset) return;
        for (std::int64_t t = length; t < e_.steps; ++t) {
            Real* y = at(call_.y, plan_, t, rank);
            for (std::int64_t j = from; j < to; ++j) y[j] = 0;
        }
    }

    const MinimalForward<Real>& call_;
    const Plan& plan_;
    const Extent& e_;
    const Layout<Real> layout_;
    const MinimalShare<Real> share_;
    Real *data_, *zeros_;
    Worker workers_[kMaxWorkers];
};

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
