#include "unrolled/isa.h"

#include <nanobind/nanobind.h>

#include "address.h"
#include "unrolled/pages.h"

namespace nb = nanobind;

void init_isa(nb::module_& m) {
    m.def("isa", &unrolled::isa, "The instruction set in use: 'generic', 'avx2' or 'avx512'.");
    m.def("use_isa", &unrolled::use_isa, nb::arg("name"),
          "Use this instruction set from now on; ValueError where it is not at hand.");
    m.def("has_isa", &unrolled::has_isa, nb::arg("name"),
          "True where this instruction set was compiled in and the processor has it.");
    m.def("run_tiles", &unrolled::run_tiles, nb::arg("times"),
          nb::call_guard<nb::gil_scoped_release>(),
          "Run the inner loop of all products so often; gives the floating-point operations done.");
    m.def(
        "prefer_large_pages",
        [](unrolled::bindings::Address array, std::size_t bytes) {
            unrolled::prefer_large_pages(unrolled::bindings::at<void>(array), bytes);
        },
        nb::arg("array"), nb::arg("bytes"),
        "Ask the system to back an array by large pages, where it is large (pages.h).");
    m.def(
        "compiler", []() { return UNROLLED_COMPILER; },
        "The compiler that made this module, with its version.");
}
