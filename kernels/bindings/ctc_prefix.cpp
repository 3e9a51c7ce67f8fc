#include "unrolled/ctc_prefix.h"

#include "fields.h"

namespace nb = nanobind;
using unrolled::bindings::define;
using unrolled::bindings::field;

namespace {

void define_call(nb::module_& m) {
    using Call = unrolled::CtcPrefix;
    nb::class_<Call> call(m, "CtcPrefix",
                          "Arguments of a ctc_prefix call (ctc_prefix.h); all 0 at first.");
    call.def(nb::init<>());
    field(call, "steps", &Call::steps);
    field(call, "batch", &Call::batch);
    field(call, "symbols", &Call::symbols);
    field(call, "beam", &Call::beam);
    field(call, "most_symbols", &Call::most_symbols);
    field(call, "threshold", &Call::threshold);
    field(call, "threads", &Call::threads);
    field(call, "log_probs", &Call::log_probs);
    field(call, "log_probs_time", &Call::log_probs_time);
    field(call, "log_probs_row", &Call::log_probs_row);
    field(call, "lengths", &Call::lengths);
    field(call, "extension", &Call::extension);
    field(call, "scores", &Call::scores);
    field(call, "node_room", &Call::node_room);
    field(call, "path_room", &Call::path_room);
    field(call, "nodes", &Call::nodes);
    field(call, "paths", &Call::paths);
    field(call, "members", &Call::members);
    field(call, "counts", &Call::counts);
    field(call, "frames", &Call::frames);
}

void define_oracle_call(nb::module_& m) {
    using Call = unrolled::oracle::CtcPrefix;
    nb::class_<Call> call(m, "OracleCtcPrefix",
                          "Arguments of an oracle_ctc_prefix call (ctc_prefix.h); all 0 at first.");
    call.def(nb::init<>());
    field(call, "steps", &Call::steps);
    field(call, "symbols", &Call::symbols);
    field(call, "beam", &Call::beam);
    field(call, "most_symbols", &Call::most_symbols);
    field(call, "threshold", &Call::threshold);
    field(call, "log_probs", &Call::log_probs);
    field(call, "extension", &Call::extension);
    field(call, "count", &Call::count);
    field(call, "totals", &Call::totals);
    field(call, "bests", &Call::bests);
    field(call, "lengths", &Call::lengths);
    field(call, "tokens", &Call::tokens);
    field(call, "first_frame", &Call::first_frame);
    field(call, "last_frame", &Call::last_frame);
}

}  // namespace

void init_ctc_prefix(nb::module_& m) {
    define_call(m);
    define_oracle_call(m);
    define(m, "ctc_prefix", unrolled::ctc_prefix,
           "Prefix beam search over frames of a CTC output (ctc_prefix.h).");
    define(m, "oracle_ctc_prefix", unrolled::oracle::ctc_prefix,
           "The same in plain maps and double precision: the fast code's oracle.");
}
