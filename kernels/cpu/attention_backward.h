// Attention backward: a row of the batch at a time.
#pragma once

#include "attention_parts.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

template <class Real>
class AttentionBackwardPass {
    struct Worker {
        Real *q, *k, *m, *dc;
        Real* dk;  // (S, A) sums over the steps
        Real* de;  // (T, S) slopes of the scores
    };

  public:
    AttentionBackwardPass(const AttentionBackward<Real>& call, Scratch& scratch)
        : call_(call), f_(call.forward), count_(workers_for(f_)) {
        const std::int64_t T = f_.steps, S = f_.sources;
        const std::int64_t pitch = scratch_pitch<Real>(f_.width);
        const std::int64_t pitch_m = scratch_pitch<Real>(f_.memory);
        for (int w = 0; w < count_; ++w) {
            workers_[w] = {scratch.take<Real>(T * pitch),   scratch.take<Real>(S * pitch),
                           scratch.take<Real>(S * pitch_m), scratch.take<Real>(T * pitch_m),
                           scratch.take<Real>(S * pitch),   scratch.take<Real>(T * S)};
        }
        // One row for each row of the batch, added up in their order: the same bits with any number
        // of threads.
        dv_ = call.dv ? scratch.take<Real>(f_.batch * f_.width) : nullptr;
    }

    void run() {
        auto work = [this](int w) {
            for (std::int64_t b = w; b < f_.batch; b += count_) row(workers_[w], b);
        };
        parallel(count_, work);
        if (!dv_) return;
        zero(call_.dv, f_.width);
        for (std::int64_t b = 0; b < f_.batch; ++b) {
            for (std::int64_t j = 0; j < f_.width; ++j) call_.dv[j] += dv_[b * f_.width + j];
        }
    }

  private:
    void row(const Worker& room, std::int64_t b) {
        const std::int64_t T = f_.steps, S = f_.sources, B = f_.batch, A = f_.width, M = f_.memory;
        const std::int64_t length = length_of(f_, b);
        for (std::int64_t s = length; s < S; ++s) {
            if (call_.dk) zero(call_.dk + (s * B + b) * A, A);
            if (call_.dm) zero(call_.dm + (s * B + b) * M, M);
        }
        if (length == 0) {
            for (std::int64_t t = 0; t < T && call_.dq; ++t) zero(call_.dq + (t * B + b) * A, A);
            if (dv_) zero(dv_ + b * A, A);
            return;
        }
        slopes_of_scores(room, b, length);
        if (!call_.dq && !call_.dk && !dv_) return;
        const Operands<Real> of = operands(f_, b, length, room.q, room.k, true);
        if (f_.score == Score::multiplicative) {
            through_products(room, of, b, length);
        } else if (of.exponentials) {
            through_terms<Logistic<Real>>(room, of, b, length);
        } else {
            through_terms<Tangent<Real>>(room, of, b, length);
        }
    }

    // dL/de, and dL/dm on the way.
    void slopes_of_scores(const Worker& room, std::int64_t b, std::int64_t length) {
        const std::int64_t T = f_.steps, S = f_.sources, B = f_.batch, M = f_.memory;
        const Real* a = f_.a + b * S;
        if (call_.dc.base) {
            const Rows<Real> dc = rows_of(call_.dc, b, T, M, length >= kOften, room.dc);
            const Rows<Real> m = rows_of(f_.m, b, length, M, T >= kOften, room.m);
            pairs_of<Real, Dot<Real>>(dc, T, m, length, nullptr, M, room.de, length);
            if (call_.dm) mix<Real>({a, 1, B * S}, length, dc, T, M, call_.dm + b * M, B * M);
        } else {
            zero(room.de, T * length);
            for (std::int64_t s = 0; s < length && call_.dm; ++s)
                zero(call_.dm + (s * B + b) * M, M);
        }
        for (std::int64_t t = 0; t < T; ++t) {
            const Real* da =
                call_.da.base ? call_.da.base + t * call_.da.time + b * call_.da.row : nullptr;
            softmax_back(a + t * B * S, da, room.de + t * length, length);
        }
    }

    // slopes (S,) by the weights a, but for `more`, become those by the scores.
    static void softmax_back(const Real* a, const Real* more, Real* slopes, std::int64_t length) {
        Vec<Real> total = {};
        for_vectors<Real>(length, [&](std::int64_t j, int count) __attribute__((always_inline)) {
            const Vec<Real> slope = load_some(slopes + j, count) + load_or_zero(more, j, count);
            store_some(slopes + j, slope, count);
            total += load_some(a + j, count) * slope;
        });
        const Real mean = sum<Real>(total);
        for_vectors<Real>(length, [&](std::int64_t j, int count) __attribute__((always_inline)) {
            const Vec<Real> apart = load_some(slopes + j, count) - mean;
            store_some(slopes + j, load_some(a + j, count) * apart, count);
        });
    }

    void through_products(const Worker& room, const Operands<Real>& of, std::int64_t b,
                          std::int64_t length) {
        const std::int64_t T = f_.steps, B = f_.batch, A = f_.width;
        for (std::int64_t i = 0; i < T * length; ++i) room.de[i] *= f_.scale;
        if (call_.dq) mix<Real>({room.de, length, 1}, T, of.k, length, A, call_.dq + b * A, B * A);
        if (call_.dk) mix<Real>({room.de, 1, length}, length, of.q, T, A, call_.dk + b * A, B * A);
        if (dv_) zero(dv_ + b * A, A);
    }

    template <class Term>
    void through_terms(const Worker& room, const Operands<Real>& of, std::int64_t b,
                       std::int64_t length) {
        for_vectors<Real>(f_.width, [&](std::int64_t j, int count) __attribute__((always_inline)) {
            column<Term>(room, of, b, length, j, count);
        });
    }

    // One vector of units, for all pairs.
    template <class Term>
    void column(const Worker& room, const Operands<Real>& of, std::int64_t b, std::int64_t length,
                std::int64_t j, int count) {
        constexpr int kSteps = kRegisters == 32 ? 4 : 2;
        const std::int64_t T = f_.steps, B = f_.batch, A = f_.width, pitch = of.k.pitch;
        const Vec<Real> weight = Term::kSlope * load_some(f_.v + j, count);
        const Rows<Real> k = {of.k.base + j, pitch};
        Vec<Real> dv = {};
        std::int64_t t = 0;
        const auto steps = [&](auto tile, int many) __attribute__((always_inline)) {
            const Rows<Real> q = {of.q.base + t * of.q.pitch + j, of.q.pitch};
            Real* dq = call_.dq ? call_.dq + (t * B + b) * A + j : nullptr;
            tile(q, k, room.de + t * length, length, weight, t > 0, room.dk + j, pitch, dq, B * A,
                 dv, count);
            t += many;
        };
        while (t + kSteps <= T) steps(terms_back<Term, kSteps>, kSteps);
        while (t < T) steps(terms_back<Term, 1>, 1);
        if (dv_) store_some(dv_ + b * A + j, Term::kScale * dv, count);
        for (std::int64_t s = 0; s < length && call_.dk; ++s) {
            const Vec<Real> sum = load_some(room.dk + s * pitch + j, count);
            store_some(call_.dk + (s * B + b) * A + j, weight * sum, count);
        }
    }

    // The same for kSteps steps: their dq is written, dk before the weight and dv before its scale
    // are added to (dk written where there is not yet `more`).
    template <class Term, int kSteps>
    static inline __attribute__((always_inline)) void terms_back(
        const Rows<Real>& q, const Rows<Real>& k, const Real* de, std::int64_t length,
        Vec<Real> weight, bool more, Real* dk, std::int64_t dk_pitch, Real* dq,
        std::int64_t dq_pitch, Vec<Real>& dv, int count) {
        Vec<Real> x[kSteps], sums[kSteps] = {}, total = {};
#pragma GCC unroll 4
        for (int i = 0; i < kSteps; ++i) x[i] = load_some(q.base + i * q.pitch, count);
#pragma GCC unroll 1
        for (std::int64_t s = 0; s < length; ++s) {
            const Vec<Real> y = load_some(k.base + s * k.pitch, count);
            Vec<Real> to_key = more ? load_some(dk + s * dk_pitch, count) : Vec<Real>{};
#pragma GCC unroll 4
            for (int i = 0; i < kSteps; ++i) {
                const Vec<Real> slope = broadcast(de[i * length + s]);
                const Vec<Real> term = Term::term(x[i], y);
                const Vec<Real> through = slope * Term::slope(term);
                sums[i] += through;
                to_key += through;
                total += slope * term;
            }
            store_some(dk + s * dk_pitch, to_key, count);
        }
#pragma GCC unroll 4
        for (int i = 0; i < kSteps && dq; ++i)
            store_some(dq + i * dq_pitch, weight * sums[i], count);
        dv += total;
    }

    const AttentionBackward<Real>& call_;
    const AttentionForward<Real>& f_;
    const int count_;
    Real* dv_;  // (B, A)
    Worker workers_[kMaxWorkers];
};

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
