// Attention forward: a row of the batch at a time.
#pragma once

#include "attention_parts.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

template <class Real>
class AttentionForwardPass {
    struct Worker {
        Real *q, *k, *m;
    };

  public:
    AttentionForwardPass(const AttentionForward<Real>& call, Scratch& scratch)
        : call_(call), count_(workers_for(call)) {
        const std::int64_t pitch = scratch_pitch<Real>(call.width);
        const std::int64_t pitch_m = scratch_pitch<Real>(call.memory);
        for (int w = 0; w < count_; ++w) {
            workers_[w] = {scratch.take<Real>(call.steps * pitch),
                           scratch.take<Real>(call.sources * pitch),
                           scratch.take<Real>(call.sources * pitch_m)};
        }
    }

    void run() {
        auto work = [this](int w) {
            for (std::int64_t b = w; b < call_.batch; b += count_) row(workers_[w], b);
        };
        parallel(count_, work);
    }

  private:
    void row(const Worker& room, std::int64_t b) {
        const std::int64_t T = call_.steps, S = call_.sources, B = call_.batch, M = call_.memory;
        const std::int64_t length = length_of(call_, b), pitch = B * S;
        Real *a = call_.a + b * S, *c = call_.c + b * M;
        for (std::int64_t t = 0; t < T; ++t) zero(a + t * pitch + length, S - length);
        if (length == 0) {
            for (std::int64_t t = 0; t < T; ++t) zero(c + t * B * M, M);
            return;
        }
        const Operands<Real> of = operands(call_, b, length, room.q, room.k, false);
        const Real scale = scores(of, length, a, pitch);
        for (std::int64_t t = 0; t < T; ++t) softmax(a + t * pitch, length, scale);
        const Rows<Real> m = rows_of(call_.m, b, length, M, T >= kOften, room.m);
        mix<Real>({a, pitch, 1}, T, m, length, M, c, B * M);
    }

    // Gives what the scores are yet to be multiplied by.
    Real scores(const Operands<Real>& of, std::int64_t length, Real* a, std::int64_t pitch) {
        const std::int64_t T = call_.steps, A = call_.width;
        if (call_.score == Score::multiplicative) {
            pairs_of<Real, Dot<Real>>(of.q, T, of.k, length, nullptr, A, a, pitch);
            return call_.scale;
        }
        if (of.exponentials) {
            pairs_of<Real, Logistic<Real>>(of.q, T, of.k, length, call_.v, A, a, pitch);
            return Logistic<Real>::kScale;
        }
        pairs_of<Real, Tangent<Real>>(of.q, T, of.k, length, call_.v, A, a, pitch);
        return Tangent<Real>::kScale;
    }

    const AttentionForward<Real>& call_;
    const int count_;
    Worker workers_[kMaxWorkers];
};

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
