// The equations of minGRU and minLSTM on vectors of units: forward, and their slopes.
#pragma once

#include "functions.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

// How a step mixes the old state and the candidate: h_s = old * h + fresh * g(G_h).
template <class Real>
struct Shares {
    Vec<Real> old, fresh;
};

// minGRU: 1 - z and z. With one e^-G for both, neither loses digits next to 0.
template <class Real>
UNROLLED_INLINE Shares<Real> shares(const Vec<Real> (&sums)[1]) {
    const Vec<Real> odds = exp(-sums[0]), z = Real(1) / (Real(1) + odds);
    return {odds * z, z};
}

// What minLSTM's two gates have in common, with p = -G_f and q = -G_i: f = 1 / (1 + e^p). Powers of
// e are taken of what is not above 0, and of a difference, so that none overflows before the ratio
// of f and i is known.
template <class Real>
struct Closed {
    Vec<Real> p, small_p;  // small: e^-|p|
    Vec<Real> q, small_q;
};

template <class Real>
UNROLLED_INLINE Closed<Real> closed(const Vec<Real> (&sums)[2]) {
    const Vec<Real> p = -sums[0], q = -sums[1];
    return {p, exp(p < Real(0) ? p : -p), q, exp(q < Real(0) ? q : -q)};
}

// minLSTM: f / (f + i) and i / (f + i), where
// i / f = (1 + e^p) / (1 + e^q) = e^(max(p, 0) - max(q, 0)) (1 + e^-|p|) / (1 + e^-|q|).
template <class Real>
UNROLLED_INLINE Shares<Real> shares(const Closed<Real>& c) {
    const Vec<Real> zero = {};
    const Vec<Real> odds = exp((c.p < Real(0) ? zero : c.p) - (c.q < Real(0) ? zero : c.q));
    const Vec<Real> i = odds * (Real(1) + c.small_p), f = Real(1) + c.small_q;
    const Vec<Real> scale = Real(1) / (f + i);
    return {f * scale, i * scale};
}
template <class Real>
UNROLLED_INLINE Shares<Real> shares(const Vec<Real> (&sums)[2]) {
    return shares<Real>(closed<Real>(sums));
}

// dL/dG of the gates from dL/d fresh, which is -dL/d old.
template <class Real>
UNROLLED_INLINE Shares<Real> share_slopes(const Vec<Real> (&sums)[1], Vec<Real> d_fresh,
                                          Vec<Real> (&slopes)[1]) {
    const Shares<Real> share = shares<Real>(sums);
    slopes[0] = d_fresh * (share.old * share.fresh);
    return share;
}
template <class Real>
UNROLLED_INLINE Shares<Real> share_slopes(const Vec<Real> (&sums)[2], Vec<Real> d_fresh,
                                          Vec<Real> (&slopes)[2]) {
    const Closed<Real> c = closed<Real>(sums);
    const Shares<Real> share = shares<Real>(c);
    const Vec<Real> one = broadcast(Real(1)), d = d_fresh * (share.old * share.fresh);
    // 1 - f and 1 - i.
    slopes[0] = -d * ((c.p < Real(0) ? c.small_p : one) / (Real(1) + c.small_p));
    slopes[1] = d * ((c.q < Real(0) ? c.small_q : one) / (Real(1) + c.small_q));
    return share;
}

// g(v), negated where v < 0: the mark of the branch that it came from, since g itself is positive.
template <class Real>
UNROLLED_INLINE Vec<Real> marked_candidate(Vec<Real> v) {
    return v < Real(0) ? -sigmoid(v) : v + Real(0.5);
}
template <class Real>
UNROLLED_INLINE Vec<Real> candidate_of(Vec<Real> marked) {
    return marked < Real(0) ? -marked : marked;
}
template <class Real>
UNROLLED_INLINE Vec<Real> candidate_slope(Vec<Real> marked) {
    return marked > Real(0) ? broadcast(Real(1)) : -marked * (Real(1) + marked);
}

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
