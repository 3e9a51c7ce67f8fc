#include "unrolled/top_tokens.h"

#include "bfloat16.h"
#include "norm.h"
#include "scratch.h"
#include "team.h"
#include "threads.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

namespace {

constexpr int L = kLanes<float>;

UNROLLED_INLINE Vec<float> load_products(const float* from, int count) {
    return load_some(from, count);
}
UNROLLED_INLINE float product_at(const float* from) { return *from; }

UNROLLED_INLINE Vec<float> load_products(const Bfloat16* from, int count) {
    return load_bfloat16(from, count);
}
UNROLLED_INLINE float product_at(const Bfloat16* from) { return widened(*from); }

// log x for a normal x > 0, NaN for NaN, to some units in the last place: x = 2^e m with m next to
// 1, and log m = 2 artanh((m - 1) / (m + 1)) as a series. (libm's is not for these files: see
// vec.h.)
inline double logarithm(double x) {
    if (!(x > 0)) return x;
    std::int64_t bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    const std::int64_t exponent = ((bits + 0x95f6200000000) >> 52) - 1023;
    bits -= exponent << 52;
    double m;
    __builtin_memcpy(&m, &bits, sizeof m);
    const double s = (m - 1) / (m + 1), z = s * s;
    double p = 0;
#pragma GCC unroll 12
    for (int k = 23; k >= 3; k -= 2) p = (p + 1.0 / k) * z;
    return static_cast<double>(exponent) * 0.69314718055994530942 + 2 * s * (1 + p);
}

// The best few so far, in descending order; of equal ones the earlier first.
struct Best {
    float* scores;
    std::int64_t* tokens;
    std::int64_t count;

    // Puts a score after all that are not smaller, of `size` that are there.
    void put(float score, std::int64_t token, std::int64_t size) {
        std::int64_t at = size < count ? size : count - 1;
        for (; at > 0 && score > scores[at - 1]; --at) {
            scores[at] = scores[at - 1];
            tokens[at] = tokens[at - 1];
        }
        scores[at] = score;
        tokens[at] = token;
    }
};

template <class Product>
class TopTokensPass {
  public:
    TopTokensPass(const TopTokens<float, Product>& call, Scratch& scratch)
        : call_(call), count_(call.o ? call.candidates : call.top) {
        Extent work = {};
        work.steps = 1;
        work.batch = call.rows;
        work.hidden = call.vocabulary;
        work.input = 4;  // what a score costs, as multiplications
        work.threads = call.threads;
        const int most = workers_of(work, 1);
        workers_ = call.rows < most ? static_cast<int>(call.rows) : most;
        for (int w = 0; w < workers_; ++w)
            best_[w] = {scratch.take<float>(count_), scratch.take<std::int64_t>(count_), count_};
    }

    void run() {
        auto work = [this](int w) {
            const std::int64_t end = call_.rows * (w + 1) / workers_;
            for (std::int64_t r = call_.rows * w / workers_; r < end; ++r) row(r, best_[w]);
        };
        parallel(workers_, work);
    }

  private:
    float score(const Product* row, std::int64_t v) const {
        return product_at(row + v) + (call_.bias ? call_.bias[v] : 0.0f);
    }

    Vec<float> scores(const Product* row, std::int64_t v, int count) const {
        return load_products(row + v, count) + load_or_zero(call_.bias, v, count);
    }

    void row(std::int64_t r, Best best) {
        const Product* row = call_.products + r * call_.vocabulary;
        choose(row, best);
        const float largest = best.scores[0];
        double total = sum_of_powers(row, largest);
        if (call_.o) total += score_again(r, best, largest);
        const double log = logarithm(total);
        for (std::int64_t i = 0; i < call_.top; ++i) {
            const double apart = static_cast<double>(best.scores[i]) - largest;
            call_.values[r * call_.top + i] = static_cast<float>(apart - log);
            call_.tokens[r * call_.top + i] = best.tokens[i];
        }
    }

    void choose(const Product* row, Best& best) const {
        const std::int64_t V = call_.vocabulary;
        std::int64_t v = 0;
        for (; v < best.count; ++v) best.put(score(row, v), v, v);
        constexpr int kTogether = 4;
        const auto some = [&](std::int64_t from, std::int64_t to) {
            for (std::int64_t at = from; at < to; ++at) {
                const float x = score(row, at);
                if (x > best.scores[best.count - 1]) best.put(x, at, best.count);
            }
        };
        for (; v + kTogether * L <= V; v += kTogether * L) {
            Vec<float> most = scores(row, v, L);
#pragma GCC unroll 4
            for (int k = 1; k < kTogether; ++k) most = at_least(scores(row, v + k * L, L), most);
            if (any_above(most, best.scores[best.count - 1])) some(v, v + kTogether * L);
        }
        some(v, V);
    }

    // The sum over the row of exp(score - largest).
    double sum_of_powers(const Product* row, float largest) const {
        constexpr int kStretch = 64 * L;  // sums of sums keep the digits of a long one
        const std::int64_t V = call_.vocabulary;
        double total = 0;
        for (std::int64_t from = 0; from < V; from += kStretch) {
            const std::int64_t to = from + kStretch < V ? from + kStretch : V;
            Vec<float> sums = {};
            std::int64_t v = from;
            for (; v + L <= to; v += L) sums += exp(scores(row, v, L) - largest);
            total += sum<float>(sums);
            for (; v < to; ++v) total += exp(broadcast(score(row, v) - largest))[0];
        }
        return total;
    }

    // Scores the candidates from the weights and puts them in order; gives what the sum of powers
    // changes by.
    double score_again(std::int64_t r, Best& best, float largest) const {
        const std::int64_t E = call_.output;
        const float* o = call_.o + r * E;
        double change = 0;
        for (std::int64_t i = 0; i < best.count; ++i) {
            const std::int64_t v = best.tokens[i];
            Vec<float> sums = {};
            for_vectors<float>(E, [&](std::int64_t j, int count) __attribute__((always_inline)) {
                sums += load_some(o + j, count) * load_some(call_.weight + v * E + j, count);
            });
            const float x = sum<float>(sums) + (call_.bias ? call_.bias[v] : 0.0f);
            const Vec<float> before = exp(broadcast(best.scores[i] - largest));
            change += static_cast<double>(exp(broadcast(x - largest))[0]) - before[0];
            best.scores[i] = x;
        }
        for (std::int64_t i = 1; i < best.count; ++i) {
            const float x = best.scores[i];
            const std::int64_t v = best.tokens[i];
            std::int64_t at = i;
            for (; at > 0; --at) {
                const float other = best.scores[at - 1];
                if (!(x > other || (x == other && v < best.tokens[at - 1]))) break;
                best.scores[at] = other;
                best.tokens[at] = best.tokens[at - 1];
            }
            best.scores[at] = x;
            best.tokens[at] = v;
        }
        return change;
    }

    const TopTokens<float, Product>& call_;
    const std::int64_t count_;
    int workers_;
    Best best_[kMaxWorkers];
};

}  // namespace

template <class Product>
void top_tokens_of(const TopTokens<float, Product>& call, Scratch& scratch) {
    TopTokensPass<Product>(call, scratch).run();
}

template void top_tokens_of(const TopTokens<float, float>&, Scratch&);
template void top_tokens_of(const TopTokens<float, Bfloat16>&, Scratch&);

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
