#include "unrolled/attention.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "plain.h"

namespace unrolled::oracle {
namespace {

const double* at(const Strided<const double>& tensor, std::int64_t t, std::int64_t b) {
    return tensor.base + t * tensor.time + b * tensor.row;
}

std::int64_t length_of(const AttentionForward<double>& call, std::int64_t b) {
    return call.lengths ? call.lengths[b] : call.sources;
}

double score(const AttentionForward<double>& call, const double* q, const double* k) {
    if (call.score == Score::multiplicative) return call.scale * dot(q, k, call.width);
    double e = 0.0;
    for (std::int64_t j = 0; j < call.width; ++j) e += call.v[j] * std::tanh(q[j] + k[j]);
    return e;
}

void zero(double* array, std::int64_t size) {
    if (array) std::fill_n(array, size, 0.0);
}

void add(double* array, std::int64_t at, double what) {
    if (array) array[at] += what;
}

}  // namespace

void attention_forward(const AttentionForward<double>& call) {
    const std::int64_t T = call.steps, S = call.sources, B = call.batch, M = call.memory;
    zero(call.c, T * B * M);
    zero(call.a, T * B * S);
    for (std::int64_t b = 0; b < B; ++b) {
        const std::int64_t length = length_of(call, b);
        for (std::int64_t t = 0; t < T && length > 0; ++t) {
            std::vector<double> e(length);
            for (std::int64_t s = 0; s < length; ++s)
                e[s] = score(call, at(call.q, t, b), at(call.k, s, b));
            const double largest = *std::max_element(e.begin(), e.end());
            double total = 0.0;
            for (double& of : e) total += of = std::exp(of - largest);
            for (std::int64_t s = 0; s < length; ++s) {
                const double a = call.a[(t * B + b) * S + s] = e[s] / total;
                for (std::int64_t j = 0; j < M; ++j)
                    call.c[(t * B + b) * M + j] += a * at(call.m, s, b)[j];
            }
        }
    }
}

void attention_backward(const AttentionBackward<double>& call) {
    const AttentionForward<double>& f = call.forward;
    const std::int64_t T = f.steps, S = f.sources, B = f.batch, A = f.width, M = f.memory;
    zero(call.dq, T * B * A);
    zero(call.dk, S * B * A);
    zero(call.dm, S * B * M);
    zero(call.dv, A);
    for (std::int64_t b = 0; b < B; ++b) {
        const std::int64_t length = length_of(f, b);
        for (std::int64_t t = 0; t < T; ++t) {
            const double* a = f.a + (t * B + b) * S;
            std::vector<double> slope(length);  // dL/da of every path
            double mean = 0.0;
            for (std::int64_t s = 0; s < length; ++s) {
                if (call.da.base) slope[s] += at(call.da, t, b)[s];
                for (std::int64_t j = 0; j < M && call.dc.base; ++j) {
                    slope[s] += at(call.dc, t, b)[j] * at(f.m, s, b)[j];
                    add(call.dm, (s * B + b) * M + j, a[s] * at(call.dc, t, b)[j]);
                }
                mean += a[s] * slope[s];
            }
            const double* q = at(f.q, t, b);
            for (std::int64_t s = 0; s < length; ++s) {
                const double de = a[s] * (slope[s] - mean), *k = at(f.k, s, b);
                for (std::int64_t j = 0; j < A; ++j) {
                    const std::int64_t of_q = (t * B + b) * A + j, of_k = (s * B + b) * A + j;
                    if (f.score == Score::multiplicative) {
                        add(call.dq, of_q, f.scale * de * k[j]);
                        add(call.dk, of_k, f.scale * de * q[j]);
                        continue;
                    }
                    const double tangent = std::tanh(q[j] + k[j]);
                    const double through = de * f.v[j] * (1.0 - tangent * tangent);
                    add(call.dq, of_q, through);
                    add(call.dk, of_k, through);
                    add(call.dv, j, de * tangent);
                }
            }
        }
    }
}

}  // namespace unrolled::oracle
