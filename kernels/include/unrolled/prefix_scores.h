// What a language model and a list of hot words say of a prefix that is written symbol by symbol:
// how much to add to its score where a symbol extends it.
//
// Symbols are written in letters (one, several, or a whole word), and letter 0 ends a word. With
// the words v_1 ... v_n that are over, the letters h of one that goes on, and the parameters
// weight a, word bonus b and unknown u, the additions come to
//
//     sum over i of  a log p(v_i | v_1 ... v_i-1) + b + u [v_i is not in the model]
//       + a max over words v that begin with h of log p(v)              where h begins any word
//       + a log p(<unk>) + u                                           where it begins none
//       + the weights of the hot words that ended, and the share of one that goes on
//
// The second line looks ahead: a word has its probability, without what stands before, while it is
// being written, and the right one when it is over. A model over letters needs none of it: it adds
// a log p(letter | letters before) at each, and b at each end of a word.
//
// Where a space is a symbol of its own, one that follows another, or nothing, adds -infinity: it
// would write the same words again.
//
// Sources: Hannun et al. 2014, arXiv 1408.2873 (weight and bonus); Ortmanns, Ney and Eiden 1996,
// "Language-model look-ahead for large vocabulary speech recognition" (with unigrams).
#pragma once

#include <cstdint>

#include "unrolled/ngram.h"

namespace unrolled {

// Where a prefix stands: a state of the model, the letters of the word that goes on as a node of
// the words' trie (0: none yet; -1: they begin no word of the model), and those of the hot words
// that they may become. It depends on the prefix alone.
struct PrefixPlace {
    std::int32_t context, word, hot;
};

// All arrays are owned by the caller, who keeps them alive and unchanged until a call returns.
struct PrefixScores {
    // Letters of the symbols, one after the other; those of symbol e, 1 to V, are from
    // letters_begin[e] to before letters_begin[e + 1]. A letter is 0 (the end of a word) to A.
    const std::int32_t* letters;
    const std::int32_t* letters_begin;  // (1 + V + 1,)
    std::int32_t alphabet;              // A
    std::int32_t single_spaces;         // not 0: each symbol is one letter, and no word is empty

    NGram model;  // over words or letters; of no node: none
    double weight, word_bonus, unknown;
    std::int32_t unknown_token, end_token;  // the model's <unk> and </s>

    // Of a model over letters the token of each; null where it is over words. Letters that are not
    // in the model have its <unk>, and `unknown` is added where one is written.
    const std::int32_t* letter_tokens;  // (1 + A,)

    // The words of the model as a trie of letters: node 0 has none, and the children of a node are
    // a run, by letter. Null where the model is over letters, or there is none.
    const std::int32_t* trie_first;   // (M + 1,) children of n: trie_first[n] .. [n + 1] - 1
    const std::int32_t* trie_letter;  // (M,)
    const std::int32_t* trie_word;    // (M,) token of the word that ends there, or -1
    const float* trie_best;           // (M,) the largest log p of a word that goes through it, nats

    // Hot words as an automaton over letters with H states, of which 0 is the beginning of a word;
    // null where there are none.
    const std::int32_t* hot_next;  // (H, 1 + A)
    const double* hot_gain;        // (H, 1 + A) what is added on the way, nats
    const double* hot_pending;     // (H,) of that, what is taken back where nothing follows
    double hot_most;               // the largest gain, at least 0
};

// What symbol e adds to a prefix, and where that stands then.
double extended(const PrefixScores& scores, PrefixPlace place, std::int32_t symbol,
                PrefixPlace* after);

// At least what any symbol adds that is a single letter, or a single end of a word.
struct AtMost {
    double letter, end;
};
AtMost extended_at_most(const PrefixScores& scores, PrefixPlace place);

// What the end of a sentence adds: its last word is over, and nothing follows.
double ended(const PrefixScores& scores, PrefixPlace place);

// Whole sentences by the two above, and what each symbol added.
struct PrefixScoresOf {
    const PrefixScores* scores;
    std::int64_t sentences;
    const std::int32_t* symbols;  // (N,) 1 to V
    const std::int64_t* offsets;  // (S + 1,) sentence s: symbols offsets[s] .. offsets[s + 1] - 1
    PrefixPlace* places;          // (S,) before the first symbol; written: after the last
    double* added;                // (N,) by each symbol
    double* at_end;               // (S,) by the end
};
void prefix_scores(const PrefixScoresOf& call);

}  // namespace unrolled
