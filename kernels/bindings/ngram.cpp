#include "unrolled/ngram.h"

#include "fields.h"

namespace nb = nanobind;
using unrolled::bindings::define;
using unrolled::bindings::field;

void init_ngram(nb::module_& m) {
    using Model = unrolled::NGram;
    nb::class_<Model> model(m, "NGram", "A trie of grams (ngram.h); all 0 at first.");
    model.def(nb::init<>());
    field(model, "order", &Model::order);
    field(model, "tokens", &Model::tokens);
    field(model, "nodes", &Model::nodes);
    field(model, "first_child", &Model::first_child);
    field(model, "token", &Model::token);
    field(model, "log_prob", &Model::log_prob);
    field(model, "backoff", &Model::backoff);
    field(model, "suffix", &Model::suffix);

    using Call = unrolled::NGramScores;
    nb::class_<Call> call(m, "NGramScores",
                          "Arguments of an ngram_scores call (ngram.h); all 0 at first.");
    call.def(nb::init<>());
    field(call, "model", &Call::model);
    field(call, "sentences", &Call::sentences);
    field(call, "threads", &Call::threads);
    field(call, "tokens", &Call::tokens);
    field(call, "offsets", &Call::offsets);
    field(call, "states", &Call::states);
    field(call, "log_probs", &Call::log_probs);
    define(m, "ngram_scores", unrolled::ngram_scores,
           "Scores of tokens by an n-gram model (ngram.h).");
    define(m, "oracle_ngram_scores", unrolled::oracle::ngram_scores,
           "The same in plain maps: the fast code's oracle.");
}
