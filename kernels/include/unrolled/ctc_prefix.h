// Prefix beam search over the frames of a CTC output: the likeliest sequences of symbols, each with
// the probability of all its alignments together.
//
// An alignment has one symbol or the blank (0) at each frame; it stands for the sequence that is
// left when repeats are merged, then blanks dropped. For a prefix l with the last symbol e, at
// frame t with the log-probabilities y, in log space:
//
//     blank'(l)  = total(l) + y_0
//     symbol'(l) = symbol(l) + y_e  (+)  from + y_e,    from the prefix k that l extends by e:
//                  from = blank(k) where k ends in e, too, else total(k)
//     total(l)   = blank(l) (+) symbol(l)
//
// with (+) the sum of the probabilities. The `beam` best prefixes by total(l) + bonus(l) go on; of
// equal ones the one that was there before, in the order they had, then the extension of the
// earlier one, then of the lower symbol. bonus(l) is the sum of what is added where a prefix is
// extended: extension[e] for each of its symbols, and what a language model and hot words say of it
// (prefix_scores.h), which depends on the symbols before.
//
// Beside the sums each prefix has its most probable alignment, among those whose prefixes the beam
// kept, with the frames of each symbol; of equal ones the one that came first to where it is.
//
// Prefixes are nodes of a tree, and alignments lists that share their beginnings, so that nothing
// is copied from frame to frame. What no prefix of the beam needs is dropped when a call ends.
//
// Sources: Graves et al. 2006 (CTC); Hannun et al. 2014, arXiv 1408.2873 (this search).
#pragma once

#include <cstdint>

#include "unrolled/prefix_scores.h"

namespace unrolled {

// A prefix: the one that it extends, which stands before it, and by which symbol. Node 0 is the
// empty prefix, {-1, 0}. The place is that of prefix_scores.h; without such scores it is all 0.
struct CtcNode {
    std::int32_t parent, token;
    PrefixPlace place;
};

// A symbol of an alignment.
struct CtcPath {
    std::int32_t previous;  // the symbol before it, which stands before it; -1 for none
    std::int32_t first;     // the frame where it begins
    std::int32_t last;      // the frame where the symbol before it ends; -1 for none
    float peak;             // the largest log-probability of the symbol before it on its frames
};

// A prefix of the beam. What ends in the blank and what ends in the last symbol is kept apart; of
// an alignment that can't be, the probability is -infinity and the rest without a meaning.
struct CtcMember {
    double blank, symbol;            // log-probabilities of all alignments
    double best_blank, best_symbol;  // of the most probable one
    double bonus;
    std::int32_t node;
    std::int32_t path_blank, path_symbol;  // its last symbol, -1 for none
    std::int32_t last;                     // of best_blank: the frame where that ends, -1 for none
    float peak_blank, peak_symbol;         // the largest log-probability of that on its frames
};

// A call goes on from the states of B sentences by up to T frames each; frames are counted from the
// first one that a state saw. At first a state has one node, {-1, 0} in the place where a sentence
// begins, no path, and one member
// {0, -infinity, 0, -infinity, 0, 0, -1, -1, -1, 0, 0}. All arrays are dense but log_probs,
// row-major, and owned by the caller, who keeps them alive until the call returns; none overlaps
// another.
struct CtcPrefix {
    std::int64_t steps, batch, symbols;  // T from 0, B from 1, 1 + V from 2 on
    std::int64_t beam;                   // K, at least 1
    std::int64_t most_symbols;           // only so many best symbols of a frame extend a prefix
    double threshold;                    // nor those so far below the best of its symbols and blank
    int threads;                         // as many as may be used, at least 1

    const float* log_probs;  // (T, B, 1 + V): at most about 0, or -infinity; no NaN, and in each
                             // frame of a sentence one that is finite
    std::int64_t log_probs_time, log_probs_row;  // elements from a frame, a sentence to the next
    const std::int64_t* lengths;                 // (B,) frames of each, 0 to T
    const double* extension;                     // (1 + V,), finite, or null for zeros
    const PrefixScores* scores;                  // of the same symbols, or null for none

    std::int64_t node_room, path_room;  // N, P: at least what is there and K more for each frame
    CtcNode* nodes;                     // (B, N)
    CtcPath* paths;                     // (B, P)
    CtcMember* members;                 // (B, K), best first
    std::int64_t* counts;               // (B, 3): how many nodes, paths, members there are
    std::int64_t* frames;               // (B,): how many frames were seen
};

// The same bits with any number of threads; and however the frames are cut into calls, but for the
// order of the nodes. Throws std::bad_alloc, before anything is written.
void ctc_prefix(const CtcPrefix& call);

namespace oracle {

// The same for one whole sentence in plain maps and double precision, from its beginning.
struct CtcPrefix {
    std::int64_t steps, symbols, beam, most_symbols;
    double threshold;
    const double* log_probs;  // (T, 1 + V)
    const double* extension;  // (1 + V,) or null

    std::int64_t* count;        // (1,) how many prefixes were found, up to K
    double* totals;             // (K,) log-probabilities, without the bonus; best first with it
    double* bests;              // (K,) of the most probable alignments
    std::int64_t* lengths;      // (K,) symbols of each
    std::int64_t* tokens;       // (K, T)
    std::int64_t* first_frame;  // (K, T), of each symbol in the most probable alignment
    std::int64_t* last_frame;   // (K, T)
};
void ctc_prefix(const CtcPrefix& call);

}  // namespace oracle

}  // namespace unrolled
