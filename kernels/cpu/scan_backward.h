// A linear recurrence, backward through time.
#pragma once

#include "scan_forward.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

template <class Real, bool kComplex>
class ScanBackwardPass {
    // The gradient of an a that steps share is a sum of sums of so many steps: one running sum over
    // thousands of steps loses digits.
    static constexpr std::int64_t kStretch = 64;

  public:
    ScanBackwardPass(const ScanBackward<Real>& call, const Plan& plan, Scratch& scratch)
        : call_(call),
          f_(call.forward),
          plan_(plan),
          width_((kComplex ? 2 : 1) * plan.extent.hidden),
          summed_(call.da.base && f_.factors != Factors::places),
          share_(plan, 1, width_, kScanWork) {
        const std::int64_t all = plan.extent.batch * width_;
        zeros_ = scratch.take<Real>(width_);
        for (std::int64_t j = 0; j < width_; ++j) zeros_[j] = 0;
        carry_ = scratch.take<Real>(all);
        if (!summed_) return;
        sums_ = scratch.take<Real>(all);
        totals_ = f_.factors == Factors::rows ? call.da.base : scratch.take<Real>(all);
    }

    void run() {
        auto work = [this](int w) { rows_of(w); };
        parallel(share_.workers(), work);
        if (!summed_ || f_.factors == Factors::rows) return;
        Real* da = call_.da.base;
        for (std::int64_t j = 0; j < width_; ++j) da[j] = 0;
        for (std::int64_t b = 0; b < plan_.extent.batch; ++b) {
            for (std::int64_t j = 0; j < width_; ++j) da[j] += totals_[b * width_ + j];
        }
    }

  private:
    void rows_of(int w) {
        const std::int64_t rows = share_.rows(w), steps = plan_.extent.steps;
        const std::int64_t together = ranks_together(plan_, f_.y, rows);
        for (std::int64_t begin = 0; begin < rows; begin += together) {
            const std::int64_t end = begin + together < rows ? begin + together : rows;
            for (std::int64_t i = begin; i < end; ++i) start(w, share_.rank(w, i));
            for (std::int64_t s = 0; s < steps; ++s) {
                const std::int64_t t = step_at(plan_, steps - 1 - s), having = share_.rows_at(w, t);
                const std::int64_t stop = end < having ? end : having;
                for (std::int64_t i = begin; i < stop; ++i) step(w, t, share_.rank(w, i));
                if (!summed_ || ((s + 1) % kStretch != 0 && s + 1 < steps)) continue;
                for (std::int64_t i = begin; i < end; ++i) add_up(w, share_.rank(w, i));
            }
            for (std::int64_t i = begin; i < end; ++i) finish(w, share_.rank(w, i));
        }
    }

    // What comes back to a rank from behind its last step.
    void start(int w, std::int64_t rank) {
        const std::int64_t at_row = plan_.row[rank] * width_;
        for (std::int64_t j = share_.first_unit(w); j < share_.last_unit(w); ++j) {
            carry_[at_row + j] = call_.dhn ? call_.dhn[at_row + j] : 0;
            if (summed_) sums_[at_row + j] = totals_[at_row + j] = 0;
        }
    }

    // Goes back through step t of a rank.
    void step(int w, std::int64_t t, std::int64_t rank) {
        const std::int64_t at_row = plan_.row[rank] * width_;
        const bool cut = origin(plan_, t, rank).cut;
        const Real* before = state_before(f_, plan_, width_, zeros_, t, rank);
        const Real* a = factors_at(f_, plan_, t, rank);
        const Real* dy = call_.dy.base ? at(call_.dy, plan_, t, rank) : nullptr;
        Real* db = call_.db.base ? at(call_.db, plan_, t, rank) : nullptr;
        Real* da = call_.da.base && !summed_ ? at(call_.da, plan_, t, rank) : nullptr;
        Real *carry = carry_ + at_row, *sums = summed_ ? sums_ + at_row : nullptr;
        const auto vector = [&](std::int64_t j, int count) __attribute__((always_inline)) {
            const Vec<Real> g = load_some(carry + j, count) + load_or_zero(dy, j, count);
            if (db) store_some(db + j, g, count);
            if (sums || da) {
                const Vec<Real> slope =
                    conjugate_times<Real, kComplex>(load_some(before + j, count), g);
                if (da) store_some(da + j, slope, count);
                if (sums) store_some(sums + j, load_some(sums + j, count) + slope, count);
            }
            const Vec<Real> back = conjugate_times<Real, kComplex>(load_some(a + j, count), g);
            store_some(carry + j, cut ? Vec<Real>{} : back, count);
        };
        each_vector<Real>(share_.first_unit(w), share_.last_unit(w), vector);
    }

    // Ends a stretch of the sums of a rank.
    void add_up(int w, std::int64_t rank) {
        const std::int64_t at_row = plan_.row[rank] * width_;
        for (std::int64_t j = share_.first_unit(w); j < share_.last_unit(w); ++j) {
            totals_[at_row + j] += sums_[at_row + j];
            sums_[at_row + j] = 0;
        }
    }

    // dL/dh0 of a rank, and zeros beyond its length: what of them the worker has.
    void finish(int w, std::int64_t rank) {
        const std::int64_t at_row = plan_.row[rank] * width_;
        const std::int64_t from = share_.first_unit(w), to = share_.last_unit(w);
        for (std::int64_t j = from; j < to && call_.dh0; ++j) {
            call_.dh0[at_row + j] = carry_[at_row + j];
        }
        if (plan_.offset) return;
        for (std::int64_t t = plan_.length[rank]; t < plan_.extent.steps; ++t) {
            Real* db = call_.db.base ? at(call_.db, plan_, t, rank) : nullptr;
            Real* da = call_.da.base && !summed_ ? at(call_.da, plan_, t, rank) : nullptr;
            for (std::int64_t j = from; j < to; ++j) {
                if (db) db[j] = 0;
                if (da) da[j] = 0;
            }
        }
    }

    const ScanBackward<Real>& call_;
    const ScanForward<Real>& f_;
    const Plan& plan_;
    const std::int64_t width_;
    const bool summed_;  // steps share an a, and its gradient is wanted
    const MinimalShare<Real> share_;
    Real *zeros_, *carry_;
    Real *sums_ = nullptr, *totals_ = nullptr;  // (B, W) of the stretch, and of all before it
};

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
