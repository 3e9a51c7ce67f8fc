#include "unrolled/scan.h"

#include "fields.h"

namespace nb = nanobind;
using unrolled::bindings::define;
using unrolled::bindings::extent;
using unrolled::bindings::field;
using unrolled::bindings::strided;

namespace {

template <class Real>
void define_forward(nb::module_& m, const char* name) {
    using Forward = unrolled::ScanForward<Real>;
    nb::class_<Forward> call(m, name,
                             "Arguments of a scan_forward call (scan.h), laid flat; all 0 at "
                             "first.");
    call.def(nb::init<>());

    extent(call, &Forward::extent);

    field(call, "complex", &Forward::complex);
    field(call, "factors", &Forward::factors);
    strided(call, "a", &Forward::a);
    strided(call, "b", &Forward::b);
    field(call, "h0", &Forward::h0);
    strided(call, "y", &Forward::y);
    field(call, "hn", &Forward::hn);
}

template <class Real>
void define_backward(nb::module_& m, const char* name) {
    using Backward = unrolled::ScanBackward<Real>;
    nb::class_<Backward> call(m, name,
                              "Arguments of a scan_backward call (scan.h), laid flat; all 0 at "
                              "first.");
    call.def(nb::init<>());
    call.def_rw("forward", &Backward::forward, "The forward call; copied where it is assigned.");

    strided(call, "dy", &Backward::dy);
    field(call, "dhn", &Backward::dhn);
    strided(call, "da", &Backward::da);
    strided(call, "db", &Backward::db);
    field(call, "dh0", &Backward::dh0);
}

}  // namespace

void init_scan(nb::module_& m) {
    define_forward<float>(m, "ScanForward32");
    define_forward<double>(m, "ScanForward64");
    define_backward<float>(m, "ScanBackward32");
    define_backward<double>(m, "ScanBackward64");

    define(m, "scan_forward", unrolled::scan_forward<float>,
           "A linear recurrence over time, in one direction (scan.h).");
    define(m, "scan_forward", unrolled::scan_forward<double>, "The same in float64.");
    define(m, "scan_backward", unrolled::scan_backward<float>,
           "The gradients of a linear recurrence over time (scan.h).");
    define(m, "scan_backward", unrolled::scan_backward<double>, "The same in float64.");
    define(m, "oracle_scan_forward", unrolled::oracle::scan_forward,
           "A linear recurrence in plain loops: the fast forward's oracle.");
    define(m, "oracle_scan_backward", unrolled::oracle::scan_backward,
           "Its gradients in plain loops: the fast backward's oracle.");
}
