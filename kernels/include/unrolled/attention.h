// Attention of a sequence over another one: scores, a softmax over the sources, a weighted sum.
//
// With t a step of the queries, s one of the sources, and all of it row by row of the batch:
//
//     additive        e_ts = v . tanh(q_t + k_s)
//     multiplicative  e_ts = scale * q_t . k_s
//
//     a_ts = exp(e_ts) / sum over s of exp(e_ts)        over the row's own sources only
//     c_t  = sum over s of a_ts m_s
//
// Sources: Bahdanau et al. 2015, Neural Machine Translation by Jointly Learning to Align and
// Translate, appendix A.1.2, for the additive one (q_t = W s_{t-1} and k_s = U h_s are the
// caller's products); Luong et al. 2015 for the multiplicative one.
#pragma once

#include "unrolled/sequence.h"

namespace unrolled {

enum class Score : int { additive = 0, multiplicative = 1 };

// All sizes at least 1, and their products fit in 63 bits. All strides count single numbers; the
// last axis of every array is dense.
template <class Real>
struct AttentionForward {
    Score score;
    std::int64_t steps;    // T
    std::int64_t sources;  // S
    std::int64_t batch;    // B
    std::int64_t width;    // A
    std::int64_t memory;   // M
    int threads;           // as many as may be used, at least 1

    const std::int64_t* lengths;  // (B,) sources of each row, 0 to S; or null: all S
    Strided<const Real> q;        // (T, B, A) queries
    Strided<const Real> k;        // (S, B, A) keys; never read beyond a row's length, nor is m
    Strided<const Real> m;        // (S, B, M) memory
    const Real* v;                // (A,) additive: not null; multiplicative: not looked at
    Real scale;                   // multiplicative; additive: not looked at

    Real* c;  // (T, B, M) written in full; zero in a row without sources
    Real* a;  // (T, B, S) written in full; zero beyond a row's length
};

// Gradients of a loss L. `forward` holds the arguments of the forward call and the a that it wrote;
// its c is not looked at. The hyperbolic tangents are computed again: kept, they would take T*S*A
// numbers a row.
template <class Real>
struct AttentionBackward {
    AttentionForward<Real> forward;
    Strided<const Real> dc;  // (T, B, M) dL/dc; base null: zero
    Strided<const Real> da;  // (T, B, S) dL/da, from where the weights themselves are used; never
                             //           read beyond a row's length; base null: zero

    // Outputs, written in full, dense. Any may be null: not wanted.
    Real* dq;  // (T, B, A)
    Real* dk;  // (S, B, A) zero beyond a row's length, as is dm
    Real* dm;  // (S, B, M)
    Real* dv;  // (A,) additive
};

// Every array is owned by the caller, who keeps it alive and unchanged until the call returns;
// inputs may alias one another (k and m may be one), an output overlaps no other array. Alignment:
// that of Real. The same bits with any number of threads. NaN in a row of the batch stays in that
// row, but for dv. Throws std::bad_alloc, and std::invalid_argument as isa() does.
template <class Real>
void attention_forward(const AttentionForward<Real>& call);
template <class Real>
void attention_backward(const AttentionBackward<Real>& call);

namespace oracle {
// The same in plain loops and double precision, one thread: what the fast code is tested against.
void attention_forward(const AttentionForward<double>& call);
void attention_backward(const AttentionBackward<double>& call);
}  // namespace oracle

}  // namespace unrolled
