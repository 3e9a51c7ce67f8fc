#include "unrolled/top_tokens.h"

#include "logarithms.h"
#include "norm.h"
#include "scratch.h"
#include "team.h"
#include "threads.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

namespace {

constexpr int L = kLanes<float>;

UNROLLED_INLINE Vec<float> load_products(const float* from) { return load(from); }
UNROLLED_INLINE Vec<float> load_products(const std::int32_t* from) {
    typename VecOf<float>::Index whole;
    __builtin_memcpy(&whole, from, sizeof whole);
    return __builtin_convertvector(whole, Vec<float>);
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
    // One after another, since a row is longer than what a sum of floats keeps its digits over.
    static constexpr int kStretch = 64 * L;

    void row(std::int64_t r, Best best) const {
        const std::int64_t V = call_.vocabulary;
        alignas(kBytes) float scores[kStretch];
        // Finite, so that minus infinity is nothing beside it.
        float largest = -__FLT_MAX__;
        double total = 0;
        for (std::int64_t from = 0; from < V; from += kStretch) {
            const std::int64_t count = from + kStretch < V ? kStretch : V - from;
            score(r, from, count, scores);
            choose(from, count, scores, best);
            if (best.scores[0] > largest) {
                total *= exp(broadcast(largest - best.scores[0]))[0];
                largest = best.scores[0];
            }
            Vec<float> sums = {};
            for (std::int64_t k = 0; k < count; k += L) sums += exp(load(scores + k) - largest);
            total += sum<float>(sums);
        }
        if (call_.o) total += score_again(r, best, largest);
        const double log = logarithm(total);
        for (std::int64_t i = 0; i < call_.top; ++i) {
            const double apart = static_cast<double>(best.scores[i]) - largest;
            call_.values[r * call_.top + i] = static_cast<float>(apart - log);
            call_.tokens[r * call_.top + i] = best.tokens[i];
        }
    }

    // The scores of `count` tokens from one on; what is missing to whole vectors can't be.
    void score(std::int64_t r, std::int64_t from, std::int64_t count, float* scores) const {
        const Product* products = call_.products + r * call_.vocabulary + from;
        const float unit = call_.row ? call_.row[r] : 1.0f;
        const auto scored = [&](Vec<float> product, std::int64_t k,
                                int lanes) __attribute__((always_inline)) {
            if (call_.row) product *= unit * load_some(call_.scale + from + k, lanes);
            store(scores + k, product + load_or_zero(call_.bias, from + k, lanes));
        };
        std::int64_t k = 0;
        for (; k + L <= count; k += L) scored(load_products(products + k), k, L);
        if (k == count) return;
        Product last[L] = {};
        const int lanes = static_cast<int>(count - k);
        for (int lane = 0; lane < lanes; ++lane) last[lane] = products[k + lane];
        scored(load_products(last), k, lanes);
        for (int lane = lanes; lane < L; ++lane) scores[k + lane] = -__builtin_inff();
    }

    static void choose(std::int64_t from, std::int64_t count, const float* scores, Best& best) {
        std::int64_t k = 0;
        for (; k < count && from + k < best.count; ++k) best.put(scores[k], from + k, from + k);
        const auto consider = [&](std::int64_t at) {
            if (scores[at] > best.scores[best.count - 1])
                best.put(scores[at], from + at, best.count);
        };
        for (; k < count && k % L; ++k) consider(k);
        for (; k < count; k += L) {
            std::uint32_t above = lanes_above(load(scores + k), best.scores[best.count - 1]);
            for (; above; above &= above - 1) consider(k + __builtin_ctz(above));
        }
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
template void top_tokens_of(const TopTokens<float, std::int32_t>&, Scratch&);

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
