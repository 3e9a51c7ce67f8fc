#include "unrolled/minimal.h"

#include "fields.h"

namespace nb = nanobind;
using unrolled::bindings::define;
using unrolled::bindings::extent;
using unrolled::bindings::field;
using unrolled::bindings::strided;

namespace {

template <class Real>
void define_forward(nb::module_& m, const char* name) {
    using Forward = unrolled::MinimalForward<Real>;
    nb::class_<Forward> call(
        m, name, "Arguments of a minimal_forward call (minimal.h), laid flat; all 0 at first.");
    call.def(nb::init<>());

    extent(call, &Forward::extent);

    field(call, "weight", &Forward::weight);
    field(call, "bias", &Forward::bias);
    strided(call, "x", &Forward::x);
    field(call, "h0", &Forward::h0);
    strided(call, "y", &Forward::y);
    field(call, "hn", &Forward::hn);
    field(call, "kept", &Forward::kept);
}

template <class Real>
void define_backward(nb::module_& m, const char* name) {
    using Backward = unrolled::MinimalBackward<Real>;
    nb::class_<Backward> call(
        m, name, "Arguments of a minimal_backward call (minimal.h), laid flat; all 0 at first.");
    call.def(nb::init<>());
    call.def_rw("forward", &Backward::forward, "The forward call; copied where it is assigned.");

    strided(call, "dy", &Backward::dy);
    field(call, "dhn", &Backward::dhn);
    field(call, "dsums", &Backward::dsums);
    strided(call, "dx", &Backward::dx);
    field(call, "dh0", &Backward::dh0);
    field(call, "d_weight", &Backward::d_weight);
    field(call, "d_bias", &Backward::d_bias);
    field(call, "dh", &Backward::dh);
}

}  // namespace

void init_minimal(nb::module_& m) {
    define_forward<float>(m, "MinimalForward32");
    define_forward<double>(m, "MinimalForward64");
    define_backward<float>(m, "MinimalBackward32");
    define_backward<double>(m, "MinimalBackward64");

    define(m, "minimal_forward", unrolled::minimal_forward<float>,
           "A minGRU or minLSTM layer over time, in one direction (minimal.h).");
    define(m, "minimal_forward", unrolled::minimal_forward<double>, "The same in float64.");
    define(m, "minimal_backward", unrolled::minimal_backward<float>,
           "The gradients of a minGRU or minLSTM layer over time (minimal.h).");
    define(m, "minimal_backward", unrolled::minimal_backward<double>, "The same in float64.");
    define(m, "oracle_minimal_forward", unrolled::oracle::minimal_forward,
           "A minGRU or minLSTM layer in plain loops: the fast forward's oracle.");
    define(m, "oracle_minimal_backward", unrolled::oracle::minimal_backward,
           "Its gradients in plain loops: the fast backward's oracle.");
}
