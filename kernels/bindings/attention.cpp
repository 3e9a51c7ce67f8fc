#include "unrolled/attention.h"

#include "fields.h"

namespace nb = nanobind;
using unrolled::bindings::define;
using unrolled::bindings::field;
using unrolled::bindings::strided;

namespace {

template <class Real>
void define_forward(nb::module_& m, const char* name) {
    using Forward = unrolled::AttentionForward<Real>;
    nb::class_<Forward> call(m, name,
                             "Arguments of an attention_forward call (attention.h), laid flat; "
                             "all 0 at first.");
    call.def(nb::init<>());

    field(call, "score", &Forward::score);
    field(call, "steps", &Forward::steps);
    field(call, "sources", &Forward::sources);
    field(call, "batch", &Forward::batch);
    field(call, "width", &Forward::width);
    field(call, "memory", &Forward::memory);
    field(call, "threads", &Forward::threads);
    field(call, "lengths", &Forward::lengths);
    strided(call, "q", &Forward::q);
    strided(call, "k", &Forward::k);
    strided(call, "m", &Forward::m);
    field(call, "v", &Forward::v);
    field(call, "scale", &Forward::scale);
    field(call, "c", &Forward::c);
    field(call, "a", &Forward::a);
}

template <class Real>
void define_backward(nb::module_& m, const char* name) {
    using Backward = unrolled::AttentionBackward<Real>;
    nb::class_<Backward> call(m, name,
                              "Arguments of an attention_backward call (attention.h), laid flat; "
                              "all 0 at first.");
    call.def(nb::init<>());
    call.def_rw("forward", &Backward::forward, "The forward call; copied where it is assigned.");

    strided(call, "dc", &Backward::dc);
    strided(call, "da", &Backward::da);
    field(call, "dq", &Backward::dq);
    field(call, "dk", &Backward::dk);
    field(call, "dm", &Backward::dm);
    field(call, "dv", &Backward::dv);
}

}  // namespace

void init_attention(nb::module_& m) {
    define_forward<float>(m, "AttentionForward32");
    define_forward<double>(m, "AttentionForward64");
    define_backward<float>(m, "AttentionBackward32");
    define_backward<double>(m, "AttentionBackward64");

    define(m, "attention_forward", unrolled::attention_forward<float>,
           "Attention of a sequence over another one (attention.h).");
    define(m, "attention_forward", unrolled::attention_forward<double>, "The same in float64.");
    define(m, "attention_backward", unrolled::attention_backward<float>,
           "The gradients of attention (attention.h).");
    define(m, "attention_backward", unrolled::attention_backward<double>, "The same in float64.");
    define(m, "oracle_attention_forward", unrolled::oracle::attention_forward,
           "Attention in plain loops: the fast forward's oracle.");
    define(m, "oracle_attention_backward", unrolled::oracle::attention_backward,
           "Its gradients in plain loops: the fast backward's oracle.");
}
