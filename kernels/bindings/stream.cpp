#include "unrolled/stream.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/vector.h>

#include "address.h"

namespace nb = nanobind;
using namespace nb::literals;
using unrolled::StreamModel;
using unrolled::StreamSession;
using unrolled::bindings::Address;
using unrolled::bindings::at;

namespace {

// A layer as a forward call describes it.
unrolled::StreamLayer layer_of(const unrolled::Forward<float>* call) {
    const unrolled::Extent& e = call->extent;
    return {
        e.cell, e.input, e.hidden, e.output, call->weights, call->masks.rate_h, call->masks.rate_c};
}

void define_model(nb::module_& m) {
    nb::class_<StreamModel> model(m, "StreamModel",
                                  "A stack's weights, packed once and shared (stream.h).");
    model.def(
        "__init__",
        [](StreamModel* self, const std::vector<unrolled::Forward<float>*>& layers,
           std::int64_t readout_size, Address readout_weight, Address readout_bias, bool float16) {
            std::vector<unrolled::StreamLayer> stack;
            for (const unrolled::Forward<float>* call : layers) stack.push_back(layer_of(call));
            new (self) StreamModel(
                stack.data(), static_cast<int>(stack.size()),
                {readout_size, at<const float>(readout_weight), at<const float>(readout_bias)},
                float16 ? unrolled::Precision::float16 : unrolled::Precision::float32);
        },
        "layers"_a, "readout_size"_a, "readout_weight"_a, "readout_bias"_a, "float16"_a,
        "Of each layer, a call's cell, input, hidden, output, weights, epsilon and rates count; "
        "all are copied.");
    model.def_prop_ro("weight_bytes", &StreamModel::weight_bytes,
                      "Memory of the packed matrices: what a step reads.");
}

void define_session(nb::module_& m) {
    using NoGil = nb::call_guard<nb::gil_scoped_release>;
    nb::class_<StreamSession> session(m, "StreamSession", "A state of a StreamModel (stream.h).");
    session.def(nb::init<const StreamModel&, std::int64_t>(), "model"_a, "batch"_a);
    session.def(
        "step",
        [](StreamSession& self, Address x, Address y) {
            self.step(at<const float>(x), at<float>(y));
        },
        "x"_a, "y"_a, NoGil(), "One step; RuntimeError while another thread's call is under way.");
    session.def(
        "run",
        [](StreamSession& self, std::int64_t steps, Address x, Address y) {
            self.run(steps, at<const float>(x), at<float>(y));
        },
        "steps"_a, "x"_a, "y"_a, NoGil(), "Several steps at once; RuntimeError as of `step`.");
    session.def(
        "step_array",
        [](StreamSession& self, nb::handle x, Address y) {
            Py_buffer view;
            if (PyObject_GetBuffer(x.ptr(), &view, PyBUF_SIMPLE) != 0) throw nb::python_error();
            struct Release {
                Py_buffer& view;
                ~Release() { PyBuffer_Release(&view); }
            } release{view};
            nb::gil_scoped_release no_gil;
            self.step(static_cast<const float*>(view.buf), at<float>(y));
        },
        "x"_a, "y"_a,
        "The same from a contiguous numpy array, whose address takes Python longer to find.");
    session.def(
        "get_state",
        [](const StreamSession& self, int layer, Address h, Address c) {
            self.get_state(layer, at<float>(h), at<float>(c));
        },
        "layer"_a, "h"_a, "c"_a);
    session.def(
        "set_state",
        [](StreamSession& self, int layer, Address h, Address c) {
            self.set_state(layer, at<const float>(h), at<const float>(c));
        },
        "layer"_a, "h"_a, "c"_a);
    session.def("reset", &StreamSession::reset, "The state becomes zero.");
    session.def(
        "copy", [](const StreamSession& self) { return new StreamSession(self); },
        "The same weights, a state of its own.");
}

}  // namespace

void init_stream(nb::module_& m) {
    define_model(m);
    define_session(m);
}
