// exp, sigmoid and tanh on vectors, the slopes of the last two, and what a network makes of them.
#pragma once

#include "vec.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

// e^x to 2 units in the last place while it is a normal number, up to 2^126; x beyond is taken as
// that limit, NaN stays NaN.
// x = n ln 2 + r with |r| <= ln 2 / 2, ln 2 in two parts; polynomial in r from Cephes expf.
UNROLLED_INLINE Vec<float> exp(Vec<float> x) {
    x = at_most(at_least(x, broadcast(-87.3365f)), broadcast(87.3365f));
    // Adding 1.5 * 2^23 rounds to a whole number, which then stands in the low bits.
    const Vec<float> shifter = broadcast(12582912.0f);
    const Vec<float> shifted = x * 1.44269504088896341f + shifter;
    const Vec<float> n = shifted - shifter;
    const Vec<float> r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    Vec<float> p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
#if defined(__AVX512F__)
    return (Vec<float>)_mm512_scalef_ps((__m512)p, (__m512)n);
#else
    typedef std::int32_t Bits __attribute__((vector_size(kBytes)));
    return p * (Vec<float>)(((Bits)shifted - (Bits)shifter + 127) << 23);
#endif
}

// The same in double precision for |x| <= 700; the polynomial is the Taylor series to r^13, whose
// next term is below 5e-18.
UNROLLED_INLINE Vec<double> exp(Vec<double> x) {
    x = at_most(at_least(x, broadcast(-700.0)), broadcast(700.0));
    const Vec<double> shifter = broadcast(6755399441055744.0);
    const Vec<double> shifted = x * 1.44269504088896340736 + shifter;
    const Vec<double> n = shifted - shifter;
    const Vec<double> r = (x - n * 6.93145751953125e-1) - n * 1.42860682030941723212e-6;
    Vec<double> p = r * (1.0 / 6227020800.0) + 1.0 / 479001600.0;
    p = p * r + 1.0 / 39916800.0;
    p = p * r + 1.0 / 3628800.0;
    p = p * r + 1.0 / 362880.0;
    p = p * r + 1.0 / 40320.0;
    p = p * r + 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * (r * r) + r + 1.0;
    typedef std::int64_t Bits __attribute__((vector_size(kBytes)));
    return p * (Vec<double>)(((Bits)shifted - (Bits)shifter + 1023) << 52);
}

// 1 / x for x from 1 to 2^126. Divisions were more than half of what the equations of a cell cost
// with AVX-512; one step of Newton's method from its estimate is as good to a unit in the last
// place.
UNROLLED_INLINE Vec<float> reciprocal(Vec<float> x) {
#if defined(__AVX512F__)
    const Vec<float> guess = (Vec<float>)_mm512_rcp14_ps((__m512)x);
    return guess + guess * (1.0f - x * guess);
#else
    return 1.0f / x;
#endif
}
UNROLLED_INLINE Vec<double> reciprocal(Vec<double> x) { return 1.0 / x; }

// 1 / (1 + e^-x): small results keep their relative precision, which a form over tanh would lose.
template <class V>
UNROLLED_INLINE V sigmoid(V x) {
    return reciprocal(1.0f + exp(-x));
}

// x P(x^2) / Q(x^2), a minimax fit of relative error 6e-9 on [-8, 8] (2.4 units in the last place
// with a division); beyond 8 tanh is 1 to float's precision. Never above 1.
UNROLLED_INLINE Vec<float> tanh(Vec<float> x) {
    x = at_most(at_least(x, broadcast(-8.0f)), broadcast(8.0f));
    const Vec<float> u = x * x;
    Vec<float> p = u * 1.523038958e-08f + 2.189464275e-05f;
    p = p * u + 3.571596902e-03f;
    p = p * u + 1.344449705e-01f;
    p = p * u + 1.0f;
    Vec<float> q = u * 8.522435441e-07f + 3.411290151e-04f;
    q = q * u + 2.616443871e-02f;
    q = q * u + 4.677782437e-01f;
    q = q * u + 1.0f;
    return x * p * reciprocal(q);
}

// Near 0 the rational function of Cephes tanh, elsewhere 1 - 2 / (e^2|x| + 1) with the sign of x.
UNROLLED_INLINE Vec<double> tanh(Vec<double> x) {
    const Vec<double> u = x * x;
    Vec<double> p = u * -9.64399179425052238628e-1 - 9.92877231001918586564e1;
    p = p * u - 1.61468768441708447952e3;
    Vec<double> q = u + 1.12811678491632931402e2;
    q = q * u + 2.23548839060100448583e3;
    q = q * u + 4.84406305325125486048e3;
    const Vec<double> near = x + x * u * p / q;
    const Vec<double> size = x < 0.0 ? -x : x;
    const Vec<double> far = 1.0 - 2.0 / (exp(size + size) + 1.0);
    return size < 0.625 ? near : (x < 0.0 ? -far : far);
}

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
