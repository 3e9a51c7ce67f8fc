// The transducer loss: minus the log-probability of a target, summed over all its alignments.
//
// The nodes of an utterance are (t, u): t frames passed, u symbols said. With the joiner's logits
// x_tuv there, y the target and 0 <= t < T', 0 <= u <= U' (its own lengths):
//
//     p_tuv  = exp(x_tuv) / sum over v of exp(x_tuv)
//     blank  from (t, u) to (t + 1, u) has p_tu0, label from (t, u) to (t, u + 1) has p_tu y_{u+1}
//     a_tu   = a_{t-1,u} blank_{t-1,u} + a_{t,u-1} label_{t,u-1},       a_00 = 1
//     b_tu   = blank_tu b_{t+1,u} + label_tu b_{t,u+1},                 b_{T'U'} = 1
//     loss   = -log b_00
//
//     taken_tu = a_tu p b / b_00 of an arc with probability p that leads to b
//     dloss/dx_tuv = (blank taken + label taken) p_tuv - [v is blank] taken - [v is y_{u+1}] taken
//
// Three calls, in this order, on one struct: the scores of all arcs, the sums over the alignments,
// the slopes. They are apart so that the first and the last can go over a few frames at a time.
//
// Source: Graves 2012, Sequence Transduction with Recurrent Neural Networks (arXiv 1211.3711),
// equations 16 to 20.
#pragma once

#include <cstdint>

namespace unrolled {

// Sizes at least 1, but labels, and their products fit in 63 bits. Every array is dense and
// row-major, needs the alignment of its numbers only, and is owned by the caller, who keeps it
// alive and unchanged until the call returns. What stands beyond a row's lengths is never read.
template <class Real>
struct TransducerLoss {
    std::int64_t batch;       // B
    std::int64_t steps;       // T
    std::int64_t labels;      // U, 0 or more
    std::int64_t vocabulary;  // V
    std::int64_t blank;       // below V
    int threads;              // as many as may be used, at least 1

    const std::int64_t* lengths;  // (B,) frames of each row, 0 to T; 0: the row counts for nothing
    const std::int64_t* counts;   // (B,) symbols of each row, 0 to U
    const std::int64_t* targets;  // (B, U) symbols below V; null where U is 0
    const Real* logits;           // (B, T, U + 1, V)

    // Written by the scores, read by the slopes; beyond a row's lengths as they were.
    Real* most;      // (B, T, U + 1) the largest logit
    double* powers;  // (B, T, U + 1) sum over v of exp(logit - largest)

    // Written by the scores as log-probabilities of the arcs; the sums put in their place which
    // part of all alignments takes the arc, which the slopes read.
    double* to_frame;   // (B, T, U + 1) the blank's
    double* to_symbol;  // (B, T, U + 1) the label's; none leaves u = U': 0 after the sums

    // Written by the sums. Infinite where no alignment is possible, whose arcs are then taken by
    // none; NaN where a logit is NaN or +infinite; 0 without frames.
    double* losses;  // (B,)

    const Real* scale;  // (B,) what a row's slopes are multiplied by
    Real* slopes;       // (B, T, U + 1, V) dloss/dlogits in full, 0 beyond the lengths; may be
                        // `logits` itself, which are lost then
};

// Arcs that less of all alignments take than 2^-40 have no slopes: they would be below the rounding
// of the others. The same bits with any number of threads, and NaN in a row stays there. Throw
// std::bad_alloc, and std::invalid_argument as isa() does.
void transducer_scores(const TransducerLoss<float>& call);
void transducer_sums(const TransducerLoss<float>& call);
void transducer_slopes(const TransducerLoss<float>& call);

namespace oracle {
// All three in plain loops and double precision, one thread: what the fast code is tested against.
// Where `slopes` is null there are none.
void transducer_loss(const TransducerLoss<double>& call);
}  // namespace oracle

}  // namespace unrolled
