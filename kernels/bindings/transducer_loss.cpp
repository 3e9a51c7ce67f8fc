#include "unrolled/transducer_loss.h"

#include "fields.h"

namespace nb = nanobind;
using unrolled::TransducerLoss;
using unrolled::bindings::define;
using unrolled::bindings::field;

namespace {

template <class Real>
void define_call(nb::module_& m, const char* name) {
    using Call = TransducerLoss<Real>;
    nb::class_<Call> call(m, name,
                          "Arguments of the transducer's calls (transducer_loss.h); all 0 at "
                          "first.");
    call.def(nb::init<>());
    field(call, "batch", &Call::batch);
    field(call, "steps", &Call::steps);
    field(call, "labels", &Call::labels);
    field(call, "vocabulary", &Call::vocabulary);
    field(call, "blank", &Call::blank);
    field(call, "threads", &Call::threads);
    field(call, "lengths", &Call::lengths);
    field(call, "counts", &Call::counts);
    field(call, "targets", &Call::targets);
    field(call, "logits", &Call::logits);
    field(call, "most", &Call::most);
    field(call, "powers", &Call::powers);
    field(call, "to_frame", &Call::to_frame);
    field(call, "to_symbol", &Call::to_symbol);
    field(call, "losses", &Call::losses);
    field(call, "scale", &Call::scale);
    field(call, "slopes", &Call::slopes);
}

}  // namespace

void init_transducer_loss(nb::module_& m) {
    define_call<float>(m, "TransducerLoss32");
    define_call<double>(m, "TransducerLoss64");
    define(m, "transducer_scores", unrolled::transducer_scores,
           "Log-probabilities of a transducer's arcs (transducer_loss.h).");
    define(m, "transducer_sums", unrolled::transducer_sums,
           "The losses, and which part of all alignments takes each arc.");
    define(m, "transducer_slopes", unrolled::transducer_slopes, "The gradient by the logits.");
    define(m, "oracle_transducer_loss", unrolled::oracle::transducer_loss,
           "All three in plain loops on float64 arrays: the fast code's oracle.");
}
