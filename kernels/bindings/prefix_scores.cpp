#include "unrolled/prefix_scores.h"

#include "fields.h"

namespace nb = nanobind;
using unrolled::PrefixScores;
using unrolled::bindings::Address;
using unrolled::bindings::define;
using unrolled::bindings::field;

namespace {

void fields(nb::class_<PrefixScores>& owner) {
    field(owner, "letters", &PrefixScores::letters);
    field(owner, "letters_begin", &PrefixScores::letters_begin);
    field(owner, "alphabet", &PrefixScores::alphabet);
    field(owner, "single_spaces", &PrefixScores::single_spaces);
    field(owner, "model", &PrefixScores::model);
    field(owner, "weight", &PrefixScores::weight);
    field(owner, "word_bonus", &PrefixScores::word_bonus);
    field(owner, "unknown", &PrefixScores::unknown);
    field(owner, "unknown_token", &PrefixScores::unknown_token);
    field(owner, "end_token", &PrefixScores::end_token);
    field(owner, "letter_tokens", &PrefixScores::letter_tokens);
    field(owner, "trie_first", &PrefixScores::trie_first);
    field(owner, "trie_letter", &PrefixScores::trie_letter);
    field(owner, "trie_word", &PrefixScores::trie_word);
    field(owner, "trie_best", &PrefixScores::trie_best);
    field(owner, "hot_next", &PrefixScores::hot_next);
    field(owner, "hot_gain", &PrefixScores::hot_gain);
    field(owner, "hot_pending", &PrefixScores::hot_pending);
    field(owner, "hot_most", &PrefixScores::hot_most);
}

}  // namespace

void init_prefix_scores(nb::module_& m) {
    nb::class_<PrefixScores> scores(
        m, "PrefixScores", "What symbols add to prefixes (prefix_scores.h); all 0 at first.");
    scores.def(nb::init<>());
    fields(scores);
    scores.def_prop_ro("address", [](PrefixScores& s) { return reinterpret_cast<Address>(&s); });

    using Call = unrolled::PrefixScoresOf;
    nb::class_<Call> call(m, "PrefixScoresOf",
                          "Arguments of a prefix_scores call (prefix_scores.h); all 0 at first.");
    call.def(nb::init<>());
    field(call, "scores", &Call::scores);
    field(call, "sentences", &Call::sentences);
    field(call, "symbols", &Call::symbols);
    field(call, "offsets", &Call::offsets);
    field(call, "places", &Call::places);
    field(call, "added", &Call::added);
    field(call, "at_end", &Call::at_end);
    define(m, "prefix_scores", unrolled::prefix_scores,
           "What symbols add to the prefixes of whole sentences (prefix_scores.h).");
}
