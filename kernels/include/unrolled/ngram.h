// N-gram language models in back-off form: the probability of a token after the last few.
//
//     p(w | u) = p(u w)                 where the gram u w is in the model
//                b(u) p(w | u')         else, with u' the context u without its first token
//
// A model is a trie of its grams. A state is a node, the longest context that still tells apart
// what may follow: one int32, which can be kept, copied and compared.
//
// Source: Katz 1987 (back-off); Heafield 2011, "KenLM: faster and smaller language model queries"
// (short states).
#pragma once

#include <cstdint>

namespace unrolled {

// Node 0 is the empty gram. Nodes are ordered by length, then by parent (the gram without its last
// token), then by token, so that the children of a node are a run. All V tokens are children of
// the root: token w alone is node 1 + w. The arrays are owned by the caller, who keeps them alive
// and unchanged until a call returns; none is null.
struct NGram {
    std::int32_t order;               // length of the longest gram, at least 1
    std::int64_t tokens;              // V, at least 1
    std::int64_t nodes;               // N, above V and below 2^31
    const std::int32_t* first_child;  // (N + 1,) children of n: first_child[n] .. [n + 1] - 1
    const std::int32_t* token;        // (N,) the last token of the gram, 0 to V - 1
    const float* log_prob;            // (N,) log10 p(last token | those before); of node 0 unused
    const float* backoff;             // (N,) log10 b, 0 where there is none
    const std::int32_t* suffix;       // (N,) node of the longest proper suffix that is in the
                                      // model, below its own; of the root -1
};

constexpr double kLn10 = 2.302585092994045684;

// The child of `node` by `token`, or -1.
inline std::int32_t child(const NGram& m, std::int32_t node, std::int32_t token) {
    if (node == 0) return 1 + token;
    const std::int32_t* first = m.token + m.first_child[node];
    std::int32_t count = m.first_child[node + 1] - m.first_child[node];
    if (count == 0) return -1;
    // Without branches: where a token stands can't be foretold.
    while (count > 1) {
        const std::int32_t half = count / 2;
        first += first[half] <= token ? half : 0;
        count -= half;
    }
    return *first == token ? static_cast<std::int32_t>(first - m.token) : -1;
}

// The natural log of p(token | state), and the state after it: the longest suffix of both together
// that has children or a back-off weight, since others tell nothing apart.
inline double step(const NGram& m, std::int32_t state, std::int32_t token, std::int32_t* next) {
    double log10 = 0.0;
    std::int32_t found = child(m, state, token);
    while (found < 0) {
        log10 += m.backoff[state];
        state = m.suffix[state];
        found = child(m, state, token);
    }
    log10 += m.log_prob[found];
    while (found && m.first_child[found] == m.first_child[found + 1] && m.backoff[found] == 0.0f)
        found = m.suffix[found];
    *next = found;
    return kLn10 * log10;
}

// Tokens of S sentences, scored in order, each sentence from a state of its own.
struct NGramScores {
    NGram model;
    std::int64_t sentences;       // S, 0 or more
    int threads;                  // as many as may be used, at least 1
    const std::int32_t* tokens;   // (T,) 0 to V - 1
    const std::int64_t* offsets;  // (S + 1,) sentence s: tokens offsets[s] .. offsets[s + 1] - 1
    std::int32_t* states;         // (S,) before the first token; written: after the last
    double* log_probs;            // (T,) natural logs
};

// The same bits with any number of threads.
void ngram_scores(const NGramScores& call);

namespace oracle {
// The same in plain maps from grams, found by their tokens alone, not by `suffix`; a state is any
// node whose tokens are a context.
void ngram_scores(const NGramScores& call);
}  // namespace oracle

}  // namespace unrolled
