#include <nanobind/nanobind.h>

namespace nb = nanobind;

// One for each binding file.
void init_isa(nb::module_&);
void init_lstm_step(nb::module_&);
void init_gru_step(nb::module_&);
void init_gates(nb::module_&);
void init_sequence(nb::module_&);
void init_minimal(nb::module_&);
void init_scan(nb::module_&);
void init_attention(nb::module_&);
void init_top_tokens(nb::module_&);
void init_ctc_prefix(nb::module_&);
void init_ngram(nb::module_&);
void init_prefix_scores(nb::module_&);
void init_transducer_loss(nb::module_&);
void init_stream(nb::module_&);

NB_MODULE(_kernels, m) {
    m.doc() =
        "The compiled kernels. Arrays come as addresses, 0 for null; nothing is checked here: "
        "shapes, "
        "owners and aliasing stand in kernels/include/unrolled, and unrolled.kernels is the door.";
    // Layers keep arguments of the kernels, and Python does not free every layer before it ends
    // (one in a graph that holds its own gradient, say): no fault to tell a user of at exit.
    nb::set_leak_warnings(false);
    init_isa(m);
    init_lstm_step(m);
    init_gru_step(m);
    init_gates(m);
    init_sequence(m);
    init_minimal(m);
    init_scan(m);
    init_attention(m);
    init_top_tokens(m);
    init_ctc_prefix(m);
    init_ngram(m);
    init_prefix_scores(m);
    init_transducer_loss(m);
    init_stream(m);
}
