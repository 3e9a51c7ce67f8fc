// Compiled once: what costs here are waits for memory, not arithmetic.

#include "unrolled/ngram.h"

#include <algorithm>

#include "threads.h"

namespace unrolled {

namespace {

// A call of fewer tokens is quicker on one thread.
constexpr std::int64_t kWorthThreads = 16384;

void score(const NGramScores& call, std::int64_t first, std::int64_t last) {
    for (std::int64_t s = first; s < last; ++s) {
        std::int32_t state = call.states[s];
        for (std::int64_t t = call.offsets[s]; t < call.offsets[s + 1]; ++t)
            call.log_probs[t] = step(call.model, state, call.tokens[t], &state);
        call.states[s] = state;
    }
}

}  // namespace

void ngram_scores(const NGramScores& call) {
    const std::int64_t S = call.sentences;
    if (S == 0) return;
    const std::int64_t begin = call.offsets[0], total = call.offsets[S] - begin;
    const int threads = total < kWorthThreads ? 1 : call.threads;
    // The sentences whose first token is in a thread's share of all tokens.
    const auto from = [&](int thread) {
        const std::int64_t token = begin + total * thread / threads;
        return thread == threads
                   ? S
                   : std::lower_bound(call.offsets, call.offsets + S, token) - call.offsets;
    };
    auto work = [&](int thread) { score(call, from(thread), from(thread + 1)); };
    parallel(threads, work);
}

}  // namespace unrolled
