// minGRU and minLSTM, backward through time.
//
// The scan goes back through a stretch of steps, element by element, and leaves dL/dG; the product
// with the weights makes dL/dx of the stretch while that is still in a cache. The gradients of the
// weights come last, from all steps (see place_sums.h).
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
class MinimalBackwardPass {
    static constexpr int L = kLanes<Real>;

  public:
    MinimalBackwardPass(const MinimalBackward<Real>& call, const Plan& plan, Scratch& scratch)
        : call_(call),
          f_(call.forward),
          plan_(plan),
          e_(f_.extent),
          width_(kGates * e_.hidden),
          share_(plan, kGates) {
        if (call.dx.base) {
            const int vecs = plain_vecs<Real>(e_.input);
            layout_ = {width_, vecs, 1, ceil_div(e_.input, vecs * L)};
            data_ = scratch.take<Real>(layout_.elements());
        }
        zeros_ = scratch.take<Real>(e_.hidden);
        for (std::int64_t j = 0; j < e_.hidden; ++j) zeros_[j] = 0;
        carry_ = scratch.take<Real>(e_.batch * e_.hidden);
        for (int w = 0; w < share_.workers(); ++w) {
            workers_[w].slopes = scratch.take<const Real*>(2 * kTogether);
            workers_[w].dx = scratch.take<Real*>(2 * kTogether);
        }
    }

    void run() {
        auto prepare = [this](int w) {
            pack_columns(f_.weight, e_.input, 0, layout_, share_.part(w, layout_.blocks),
                         share_.part(w + 1, layout_.blocks), data_);
        };
        if (call_.dx.base) parallel(share_.workers(), prepare);
        auto scan = [this](int w) { rows_of(w); };
        parallel(share_.workers(), scan);
        if (!call_.dx.base || !share_.by_units()) return;
        // Each had some units of the slopes; dL/dx takes all.
        auto product = [this](int w) { inputs_of_part(w); };
        parallel(share_.workers(), product);
    }

    int workers() const { return share_.workers(); }

  private:
    struct Worker {
        const Real** slopes;  // dL/dG of the stretch
        Real** dx;
    };

    void rows_of(int w) {
        const std::int64_t rows = share_.rows(w);
        const std::int64_t together = ranks_together(plan_, f_.x, rows);
        const bool whole = !share_.by_units();
        for (std::int64_t begin = 0; begin < rows; begin += together) {
            const std::int64_t end = begin + together < rows ? begin + together : rows;
            for (std::int64_t i = begin; i < end; ++i) start(w, share_.rank(w, i));
            in_stretches(
                plan_, share_, w, begin, end, true,
                [&](std::int64_t m, std::int64_t t, std::int64_t rank) {
                    scan_row(w, t, rank);
                    set_inputs(w, m, t, rank);
                },
                [&](std::int64_t count) {
                    if (whole) multiply_inputs(w, count);
                });
            for (std::int64_t i = begin; i < end; ++i) finish(w, share_.rank(w, i));
        }
    }

    // What comes back to a rank from behind its last step.
    void start(int w, std::int64_t rank) {
        const Real* dhn = call_.dhn ? call_.dhn + plan_.row[rank] * e_.hidden : zeros_;
        copy(w, carry_ + rank * e_.hidden, dhn);
    }

    // The worker's units of a row.
    void copy(int w, Real* to, const Real* from) {
        const std::int64_t end = share_.last_unit(w);
        for (std::int64_t j = share_.first_unit(w); j < end; ++j) to[j] = from[j];
    }

    // Goes back through step t of a rank.
    void scan_row(int w, std::int64_t t, std::int64_t rank) {
        const std::int64_t H = e_.hidden, place = place_of(plan_, t, rank);
        const Origin from = origin(plan_, t, rank);
        const Real* before = from.cut     ? zeros_
                             : from.first ? (f_.h0 ? f_.h0 + plan_.row[rank] * H : zeros_)
                                          : at(f_.y, plan_, from.before, rank);
        const Real* dy = call_.dy.base ? at(call_.dy, plan_, t, rank) : nullptr;
        const Real* kept = f_.kept + place * width_;
        Real* slopes = call_.dsums + place * width_;
        Real *carry = carry_ + rank * H, *dh = call_.dh ? call_.dh + place * H : nullptr;
        const auto vector = [&](std::int64_t j, int count) __attribute__((always_inline)) {
            Vec<Real> sums[kGates - 1], of_gates[kGates - 1];
#pragma GCC unroll 2
            for (int gate = 0; gate < kGates - 1; ++gate) {
                sums[gate] = load_some(kept + gate * H + j, count);
            }
            const Vec<Real> marked = load_some(kept + (kGates - 1) * H + j, count);
            const Vec<Real> d = load_some(carry + j, count) + load_or_zero(dy, j, count);
            if (dh) store_some(dh + j, d, count);
            const Vec<Real> apart = candidate_of<Real>(marked) - load_some(before + j, count);
            const Shares<Real> share = share_slopes<Real>(sums, d * apart, of_gates);
#pragma GCC unroll 2
            for (int gate = 0; gate < kGates - 1; ++gate) {
                store_some(slopes + gate * H + j, of_gates[gate], count);
            }
            store_some(slopes + (kGates - 1) * H + j,
                       d * share.fresh * candidate_slope<Real>(marked), count);
            store_some(carry + j, from.cut ? Vec<Real>{} : d * share.old, count);
        };
        const std::int64_t end = share_.last_unit(w);
        std::int64_t j = share_.first_unit(w);
        for (; j + L <= end; j += L) vector(j, L);
        if (j < end) vector(j, static_cast<int>(end - j));
    }

    void set_inputs(int w, std::int64_t m, std::int64_t t, std::int64_t rank) {
        workers_[w].slopes[m] = call_.dsums + place_of(plan_, t, rank) * width_;
        if (call_.dx.base) workers_[w].dx[m] = at(call_.dx, plan_, t, rank);
    }

    // dL/dx of a stretch.
    void multiply_inputs(int w, std::int64_t count) {
        if (!call_.dx.base) return;
        const Worker& worker = workers_[w];
        const int vecs = layout_.vecs;
        const auto use = [&](std::int64_t block, std::int64_t first, int n, const Real* out) {
            for (int vec = 0; vec < vecs; ++vec) {
                const std::int64_t j = (block * vecs + vec) * L, left = e_.input - j;
                if (left <= 0) break;
                const int lanes = left < L ? static_cast<int>(left) : L;
                for (int r = 0; r < n; ++r) {
                    store_some(worker.dx[first + r] + j, load(out + (r * vecs + vec) * L), lanes);
                }
            }
        };
        multiply(panels_of(layout_, data_), 0, layout_.blocks, worker.slopes, 0, count,
                 Sums::grouped, use);
    }

    // dL/dx of the worker's part of all steps.
    void inputs_of_part(int w) {
        const std::int64_t end = share_.part(w + 1, e_.steps);
        std::int64_t m = 0;
        for (std::int64_t t = share_.part(w, e_.steps); t < end; ++t) {
            for (std::int64_t rank = 0; rank < plan_.active[t]; ++rank) {
                set_inputs(w, m++, t, rank);
                if (m < kTogether) continue;
                multiply_inputs(w, m);
                m = 0;
            }
        }
        multiply_inputs(w, m);
    }

    // dL/dh0 of a rank, and zeros beyond its length: what of them the worker has.
    void finish(int w, std::int64_t rank) {
        const std::int64_t H = e_.hidden;
        if (call_.dh0) copy(w, call_.dh0 + plan_.row[rank] * H, carry_ + rank * H);
        if (plan_.offset) return;
        for (std::int64_t t = plan_.length[rank]; t < e_.steps; ++t) {
            if (call_.dh) copy(w, call_.dh + place_of(plan_, t, rank) * H, zeros_);
            if (!call_.dx.base || (share_.by_units() && w != 0)) continue;
            Real* dx = at(call_.dx, plan_, t, rank);
            for (std::int64_t j = 0; j < e_.input; ++j) dx[j] = 0;
        }
    }

    const MinimalBackward<Real>& call_;
    const MinimalForward<Real>& f_;
    const Plan& plan_;
    const Extent& e_;
    const std::int64_t width_;
    const MinimalShare<Real> share_;
    Layout<Real> layout_;
    Real *data_ = nullptr, *zeros_, *carry_;
    Worker workers_[kMaxWorkers];
};

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
