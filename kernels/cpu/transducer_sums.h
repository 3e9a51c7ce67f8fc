// The sums over all alignments of one utterance of a transducer, in log space.
#pragma once

#include "logarithms.h"
#include "pack.h"
#include "scratch.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

// Nodes with the same t + u wait for no other of them, so the grid is worked on along such
// diagonals: diagonal d holds node (d - u, u) at place u. Both arcs of a node lead to the next
// diagonal, the blank to the same place, the label to the one after it.
class TransducerSums {
    static constexpr int L = kLanes<double>;
    // The log-probability of what can't be: finite, so that differences are no NaN.
    static constexpr double kNever = -1e30;

  public:
    TransducerSums() = default;

    // Room for utterances of up to so many frames and symbols.
    TransducerSums(std::int64_t steps, std::int64_t labels, Scratch& scratch)
        : pitch_((ceil_div(labels + 1, L) + 2) * L) {
        const std::int64_t size = (steps + labels + 1) * pitch_;
        blank_ = scratch.take<double>(size);
        label_ = scratch.take<double>(size);
        before_ = scratch.take<double>(size);
        after_[0] = scratch.take<double>(pitch_);
        after_[1] = scratch.take<double>(pitch_);
    }

    // `blank` and `label`, from (t, u) to (t + 1, u) `row` numbers on, become what part of all
    // alignments takes them. Gives the loss.
    double run(std::int64_t frames, std::int64_t symbols, std::int64_t row, double* blank,
               double* label) {
        last_ = frames + symbols;
        symbols_ = symbols;
        for (std::int64_t i = 0; i < (last_ + 1) * pitch_; ++i) blank_[i] = label_[i] = kNever;
        each(frames, row, [&](std::int64_t to, std::int64_t from, bool says) {
            blank_[to] = blank[from] >= kNever ? blank[from] : never_or_nan(blank[from]);
            if (says) label_[to] = label[from] >= kNever ? label[from] : never_or_nan(label[from]);
        });
        const double total = forward();
        const bool possible = !(total < kNever / 2);
        if (possible) backward(total);
        each(frames, row, [&](std::int64_t at, std::int64_t to, bool says) {
            blank[to] = possible ? blank_[at] : 0.0;
            label[to] = possible && says ? label_[at] : 0.0;
        });
        return possible ? -total : __builtin_inf();
    }

  private:
    static double never_or_nan(double x) { return x < kNever ? kNever : x; }

    std::int64_t at(std::int64_t diagonal, std::int64_t u) const {
        // Before the first place and after the last stands a vector of what can't be.
        return diagonal * pitch_ + L + u;
    }

    template <class Use>
    void each(std::int64_t frames, std::int64_t row, Use use) const {
        for (std::int64_t t = 0; t < frames; ++t) {
            for (std::int64_t u = 0; u <= symbols_; ++u)
                use(at(t + u, u), t * row + u, u < symbols_);
        }
    }

    // Gives the log-probability of all alignments.
    double forward() {
        for (std::int64_t i = 0; i < pitch_; ++i) before_[i] = kNever;
        before_[at(0, 0)] = 0;
        for (std::int64_t d = 1; d < last_; ++d) {
            store(before_ + d * pitch_, broadcast(kNever));
            for (std::int64_t u = 0; u <= symbols_; u += L) {
                const std::int64_t from = at(d - 1, u);
                const Vec<double> stays = load(before_ + from) + load(blank_ + from);
                const Vec<double> says = load(before_ + from - 1) + load(label_ + from - 1);
                store(before_ + at(d, u), log_add(stays, says));
            }
        }
        const std::int64_t end = at(last_ - 1, symbols_);
        return before_[end] + blank_[end];
    }

    void backward(double total) {
        double *next = after_[0], *now = after_[1];
        for (std::int64_t i = 0; i < pitch_; ++i) next[i] = now[i] = kNever;
        next[L + symbols_] = 0;
        for (std::int64_t d = last_ - 1; d >= 0; --d) {
            for (std::int64_t u = 0; u <= symbols_; u += L) {
                const std::int64_t here = at(d, u);
                const Vec<double> stays = load(blank_ + here) + load(next + L + u);
                const Vec<double> says = load(label_ + here) + load(next + L + u + 1);
                const Vec<double> before = load(before_ + here) - total;
                store(now + L + u, log_add(stays, says));
                store(blank_ + here, exp(before + stays));
                store(label_ + here, exp(before + says));
            }
            double* const was = next;
            next = now;
            now = was;
        }
    }

    std::int64_t pitch_ = 0, last_ = 0, symbols_ = 0;
    double *blank_ = nullptr, *label_ = nullptr, *before_ = nullptr;  // (T + U + 1, pitch)
    double* after_[2] = {};                                           // (pitch,)
};

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
