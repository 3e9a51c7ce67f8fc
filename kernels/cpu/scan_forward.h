// A linear recurrence, forward over time. It has little to compute: what counts is that each number
// of b is read once, in the order in which it lies in memory, and that the state stays in a cache.
#pragma once

#include "minimal_share.h"
#include "pairs.h"
#include "plan.h"
#include "scratch.h"
#include "threads.h"
#include "unrolled/scan.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

// What one unit of a step costs, as multiplications of a product: nearly all of it is memory.
constexpr std::int64_t kScanWork = 32;

// Where the factors of step t of a rank stand.
template <class Real>
UNROLLED_INLINE const Real* factors_at(const ScanForward<Real>& call, const Plan& plan,
                                       std::int64_t t, std::int64_t rank) {
    if (call.factors == Factors::units) return call.a.base;
    if (call.factors == Factors::rows) return call.a.base + plan.row[rank] * call.a.row;
    return at(call.a, plan, t, rank);
}

// The state that entered step t of a rank; `zeros` where there was none.
template <class Real>
UNROLLED_INLINE const Real* state_before(const ScanForward<Real>& call, const Plan& plan,
                                         std::int64_t width, const Real* zeros, std::int64_t t,
                                         std::int64_t rank) {
    const Origin from = origin(plan, t, rank);
    if (from.cut) return zeros;
    if (!from.first) return at(call.y, plan, from.before, rank);
    return call.h0 ? call.h0 + plan.row[rank] * width : zeros;
}

// Calls vector(j, count) for the units from `begin` to `end`, a vector of them at a time.
template <class Real, class Function>
UNROLLED_INLINE void each_vector(std::int64_t begin, std::int64_t end, Function vector) {
    constexpr int L = kLanes<Real>;
    std::int64_t j = begin;
    for (; j + L <= end; j += L) vector(j, L);
    if (j < end) vector(j, static_cast<int>(end - j));
}

template <class Real, bool kComplex>
class ScanForwardPass {
  public:
    ScanForwardPass(const ScanForward<Real>& call, const Plan& plan, Scratch& scratch)
        : call_(call),
          plan_(plan),
          width_((kComplex ? 2 : 1) * plan.extent.hidden),
          share_(plan, 1, width_, kScanWork) {
        zeros_ = scratch.take<Real>(width_);
        for (std::int64_t j = 0; j < width_; ++j) zeros_[j] = 0;
    }

    void run() {
        auto work = [this](int w) { rows_of(w); };
        parallel(share_.workers(), work);
    }

  private:
    void rows_of(int w) {
        const std::int64_t rows = share_.rows(w), steps = plan_.extent.steps;
        const std::int64_t together = ranks_together(plan_, call_.b, rows);
        for (std::int64_t begin = 0; begin < rows; begin += together) {
            const std::int64_t end = begin + together < rows ? begin + together : rows;
            for (std::int64_t s = 0; s < steps; ++s) {
                const std::int64_t t = step_at(plan_, s), having = share_.rows_at(w, t);
                const std::int64_t stop = end < having ? end : having;
                for (std::int64_t i = begin; i < stop; ++i) step(w, t, share_.rank(w, i));
            }
            for (std::int64_t i = begin; i < end; ++i) finish(w, share_.rank(w, i));
        }
    }

    void step(int w, std::int64_t t, std::int64_t rank) {
        const Real* before = state_before(call_, plan_, width_, zeros_, t, rank);
        const Real* a = factors_at(call_, plan_, t, rank);
        const Real* b = at(call_.b, plan_, t, rank);
        Real* after = at(call_.y, plan_, t, rank);
        const auto vector = [&](std::int64_t j, int count) __attribute__((always_inline)) {
            const Vec<Real> kept =
                times<Real, kComplex>(load_some(a + j, count), load_some(before + j, count));
            store_some(after + j, kept + load_some(b + j, count), count);
        };
        each_vector<Real>(share_.first_unit(w), share_.last_unit(w), vector);
    }

    // The last state of a rank, and zeros beyond its length: what of it the worker has.
    void finish(int w, std::int64_t rank) {
        const std::int64_t given = plan_.row[rank] * width_, length = plan_.length[rank];
        const std::int64_t from = share_.first_unit(w), to = share_.last_unit(w);
        const std::int64_t last = plan_.extent.reverse ? 0 : length - 1;
        const Real* h = length > 0 ? at(call_.y, plan_, last, rank)
                        : call_.h0 ? call_.h0 + given
                                   : zeros_;
        for (std::int64_t j = from; j < to; ++j) call_.hn[given + j] = h[j];
        if (plan_.offset) return;
        for (std::int64_t t = length; t < plan_.extent.steps; ++t) {
            Real* y = at(call_.y, plan_, t, rank);
            for (std::int64_t j = from; j < to; ++j) y[j] = 0;
        }
    }

    const ScanForward<Real>& call_;
    const Plan& plan_;
    const std::int64_t width_;
    const MinimalShare<Real> share_;
    Real* zeros_;
};

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
