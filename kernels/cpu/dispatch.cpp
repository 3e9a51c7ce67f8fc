// The door of the fast kernels: each public function goes to the copy for the instruction set in
// use. A new function adds one line to Kernels, one to KERNELS_OF and one at the end.

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#include "plan.h"
#include "scratch.h"
#include "stream.h"
#include "unrolled/attention.h"
#include "unrolled/gates.h"
#include "unrolled/gru_step.h"
#include "unrolled/isa.h"
#include "unrolled/lstm_step.h"
#include "unrolled/minimal.h"
#include "unrolled/pages.h"
#include "unrolled/scan.h"
#include "unrolled/sequence.h"
#include "unrolled/top_tokens.h"
#include "unrolled/transducer_loss.h"

namespace unrolled {

#define DECLARE_KERNELS_OF(name)                                                   \
    namespace name {                                                               \
    void lstm_step(const LstmStep<float>&);                                        \
    void gru_step(const GruStep<float>&);                                          \
    void gates(const Gates<float, Bfloat16>&, Scratch&);                           \
    double run_tiles(std::int64_t times);                                          \
    const StreamKernels& stream_kernels(Precision);                                \
    template <class Real, CellKind kCell>                                          \
    void forward_of(const Forward<Real>&, const Plan&, Scratch&);                  \
    template <class Real, CellKind kCell>                                          \
    void backward_of(const Backward<Real>&, const Plan&, Scratch&);                \
    template <class Real>                                                          \
    void minimal_forward_of(const MinimalForward<Real>&, const Plan&, Scratch&);   \
    template <class Real>                                                          \
    void minimal_backward_of(const MinimalBackward<Real>&, const Plan&, Scratch&); \
    template <class Real>                                                          \
    void scan_forward_of(const ScanForward<Real>&, const Plan&, Scratch&);         \
    template <class Real>                                                          \
    void scan_backward_of(const ScanBackward<Real>&, const Plan&, Scratch&);       \
    template <class Real>                                                          \
    void attention_forward_of(const AttentionForward<Real>&, Scratch&);            \
    template <class Real>                                                          \
    void attention_backward_of(const AttentionBackward<Real>&, Scratch&);          \
    template <class Product>                                                       \
    void top_tokens_of(const TopTokens<float, Product>&, Scratch&);                \
    void transducer_scores(const TransducerLoss<float>&);                          \
    void transducer_sums(const TransducerLoss<float>&, Scratch&);                  \
    void transducer_slopes(const TransducerLoss<float>&);                          \
    }

DECLARE_KERNELS_OF(generic)
#ifdef UNROLLED_HAS_X86
DECLARE_KERNELS_OF(avx2)
DECLARE_KERNELS_OF(avx512)
#endif

namespace {

template <class Real>
struct OverTime {
    // By CellKind.
    void (*forward[4])(const Forward<Real>&, const Plan&, Scratch&);
    void (*backward[4])(const Backward<Real>&, const Plan&, Scratch&);
};

template <class Real>
struct Minimal {
    void (*forward)(const MinimalForward<Real>&, const Plan&, Scratch&);
    void (*backward)(const MinimalBackward<Real>&, const Plan&, Scratch&);
};

template <class Real>
struct Scan {
    void (*forward)(const ScanForward<Real>&, const Plan&, Scratch&);
    void (*backward)(const ScanBackward<Real>&, const Plan&, Scratch&);
};

template <class Real>
struct Attention {
    void (*forward)(const AttentionForward<Real>&, Scratch&);
    void (*backward)(const AttentionBackward<Real>&, Scratch&);
};

struct Kernels {
    const char* isa;
    bool (*runs_here)();
    void (*lstm_step)(const LstmStep<float>&);
    void (*gru_step)(const GruStep<float>&);
    void (*gates)(const Gates<float, Bfloat16>&, Scratch&);
    double (*run_tiles)(std::int64_t times);
    const StreamKernels& (*stream_kernels)(Precision);
    OverTime<float> over_time;
    OverTime<double> over_time_double;
    Minimal<float> minimal;
    Minimal<double> minimal_double;
    Scan<float> scan;
    Scan<double> scan_double;
    Attention<float> attention;
    Attention<double> attention_double;
    void (*top_tokens)(const TopTokens<float, float>&, Scratch&);
    void (*top_tokens_int32)(const TopTokens<float, std::int32_t>&, Scratch&);
    void (*transducer_scores)(const TransducerLoss<float>&);
    void (*transducer_sums)(const TransducerLoss<float>&, Scratch&);
    void (*transducer_slopes)(const TransducerLoss<float>&);
};

#define OF_ALL_CELLS(function, Real)                                         \
    {function<Real, CellKind::rnn_tanh>, function<Real, CellKind::rnn_relu>, \
     function<Real, CellKind::gru>, function<Real, CellKind::lstm>}

#define KERNELS_OF(name, runs_here)                                                     \
    {#name,                                                                             \
     runs_here,                                                                         \
     name::lstm_step,                                                                   \
     name::gru_step,                                                                    \
     name::gates,                                                                       \
     name::run_tiles,                                                                   \
     name::stream_kernels,                                                              \
     {OF_ALL_CELLS(name::forward_of, float), OF_ALL_CELLS(name::backward_of, float)},   \
     {OF_ALL_CELLS(name::forward_of, double), OF_ALL_CELLS(name::backward_of, double)}, \
     {name::minimal_forward_of<float>, name::minimal_backward_of<float>},               \
     {name::minimal_forward_of<double>, name::minimal_backward_of<double>},             \
     {name::scan_forward_of<float>, name::scan_backward_of<float>},                     \
     {name::scan_forward_of<double>, name::scan_backward_of<double>},                   \
     {name::attention_forward_of<float>, name::attention_backward_of<float>},           \
     {name::attention_forward_of<double>, name::attention_backward_of<double>},         \
     name::top_tokens_of<float>,                                                        \
     name::top_tokens_of<std::int32_t>,                                                 \
     name::transducer_scores,                                                           \
     name::transducer_sums,                                                             \
     name::transducer_slopes}

bool always() { return true; }

#ifdef UNROLLED_HAS_X86
// Every processor with AVX2 has F16C, too; compilers before GCC 11 can't be asked about it.
bool runs_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
bool runs_avx512() {
    return runs_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}
#endif

// Best first.
const Kernels kAll[] = {
#ifdef UNROLLED_HAS_X86
    KERNELS_OF(avx512, runs_avx512),
    KERNELS_OF(avx2, runs_avx2),
#endif
    KERNELS_OF(generic, always),
};

std::atomic<const Kernels*> in_use{nullptr};

// The kernels that `name` stands for; null where there are none, or the processor can't run them.
const Kernels* find(const char* name) {
    for (const Kernels& kernels : kAll) {
        if (std::strcmp(kernels.isa, name) == 0) return kernels.runs_here() ? &kernels : nullptr;
    }
    return nullptr;
}

const Kernels& named(const char* name) {
    if (const Kernels* kernels = find(name)) return *kernels;
    std::string at_hand;
    for (const Kernels& kernels : kAll) {
        if (kernels.runs_here()) at_hand += std::string(at_hand.empty() ? "" : ", ") + kernels.isa;
    }
    throw std::invalid_argument("UNROLLED_ISA is '" + std::string(name) +
                                "', which is no instruction set of the kernels on this machine; " +
                                "it can be: " + at_hand + " (or unset, for the best)");
}

const Kernels& best() {
    for (const Kernels& kernels : kAll) {
        if (kernels.runs_here()) return kernels;
    }
    return kAll[sizeof kAll / sizeof *kAll - 1];
}

const Kernels& kernels() {
    const Kernels* chosen = in_use.load(std::memory_order_acquire);
    if (!chosen) {
        const char* asked = std::getenv("UNROLLED_ISA");
        chosen = asked && *asked ? &named(asked) : &best();
        in_use.store(chosen, std::memory_order_release);
    }
    return *chosen;
}

}  // namespace

const char* isa() { return kernels().isa; }

void use_isa(const char* name) { in_use.store(&named(name), std::memory_order_release); }

bool has_isa(const char* name) { return find(name) != nullptr; }

namespace {

const OverTime<float>& over_time(float) { return kernels().over_time; }
const OverTime<double>& over_time(double) { return kernels().over_time_double; }
const Minimal<float>& minimal(float) { return kernels().minimal; }
const Minimal<double>& minimal(double) { return kernels().minimal_double; }
const Scan<float>& scan(float) { return kernels().scan; }
const Scan<double>& scan(double) { return kernels().scan_double; }
const Attention<float>& attention(float) { return kernels().attention; }
const Attention<double>& attention(double) { return kernels().attention_double; }

}  // namespace

namespace {

template <class Real>
std::size_t bytes_of(const Strided<Real>& tensor, const Plan& plan) {
    const Extent& e = plan.extent;
    const std::int64_t by_time = e.steps * tensor.time, by_row = e.batch * tensor.row;
    const std::int64_t all = plan.offset        ? plan.places * tensor.row
                             : by_time > by_row ? by_time
                                                : by_row;
    return static_cast<std::size_t>(all) * sizeof(Real);
}

}  // namespace

template <class Real>
void forward(const Forward<Real>& call) {
    Scratch scratch;
    const Plan plan = make_plan(call.extent, scratch);
    prefer_large_pages(call.y.base, bytes_of(call.y, plan));
    over_time(Real()).forward[static_cast<int>(call.extent.cell)](call, plan, scratch);
}

template <class Real>
void backward(const Backward<Real>& call) {
    Scratch scratch;
    const Plan plan = make_plan(call.forward.extent, scratch);
    if (call.dx.base) prefer_large_pages(call.dx.base, bytes_of(call.dx, plan));
    over_time(Real()).backward[static_cast<int>(call.forward.extent.cell)](call, plan, scratch);
}

template void forward<float>(const Forward<float>&);
template void forward<double>(const Forward<double>&);
template void backward<float>(const Backward<float>&);
template void backward<double>(const Backward<double>&);

template <class Real>
void minimal_forward(const MinimalForward<Real>& call) {
    Scratch scratch;
    const Plan plan = make_plan(call.extent, scratch);
    minimal(Real()).forward(call, plan, scratch);
}

template <class Real>
void minimal_backward(const MinimalBackward<Real>& call) {
    Scratch scratch;
    const Plan plan = make_plan(call.forward.extent, scratch);
    minimal(Real()).backward(call, plan, scratch);
}

template void minimal_forward<float>(const MinimalForward<float>&);
template void minimal_forward<double>(const MinimalForward<double>&);
template void minimal_backward<float>(const MinimalBackward<float>&);
template void minimal_backward<double>(const MinimalBackward<double>&);

template <class Real>
void scan_forward(const ScanForward<Real>& call) {
    Scratch scratch;
    const Plan plan = make_plan(call.extent, scratch);
    prefer_large_pages(call.y.base, bytes_of(call.y, plan));
    scan(Real()).forward(call, plan, scratch);
}

template <class Real>
void scan_backward(const ScanBackward<Real>& call) {
    Scratch scratch;
    const Plan plan = make_plan(call.forward.extent, scratch);
    if (call.db.base) prefer_large_pages(call.db.base, bytes_of(call.db, plan));
    if (call.da.base && call.forward.factors == Factors::places) {
        prefer_large_pages(call.da.base, bytes_of(call.da, plan));
    }
    scan(Real()).backward(call, plan, scratch);
}

template void scan_forward<float>(const ScanForward<float>&);
template void scan_forward<double>(const ScanForward<double>&);
template void scan_backward<float>(const ScanBackward<float>&);
template void scan_backward<double>(const ScanBackward<double>&);

template <class Real>
void attention_forward(const AttentionForward<Real>& call) {
    Scratch scratch;
    attention(Real()).forward(call, scratch);
}

template <class Real>
void attention_backward(const AttentionBackward<Real>& call) {
    Scratch scratch;
    attention(Real()).backward(call, scratch);
}

template void attention_forward<float>(const AttentionForward<float>&);
template void attention_forward<double>(const AttentionForward<double>&);
template void attention_backward<float>(const AttentionBackward<float>&);
template void attention_backward<double>(const AttentionBackward<double>&);

namespace {

auto top_tokens_for(const TopTokens<float, float>&) { return kernels().top_tokens; }
auto top_tokens_for(const TopTokens<float, std::int32_t>&) { return kernels().top_tokens_int32; }

}  // namespace

template <class Product>
void top_tokens(const TopTokens<float, Product>& call) {
    Scratch scratch;
    top_tokens_for(call)(call, scratch);
}

template void top_tokens<float>(const TopTokens<float, float>&);
template void top_tokens<std::int32_t>(const TopTokens<float, std::int32_t>&);

void transducer_scores(const TransducerLoss<float>& call) { kernels().transducer_scores(call); }

void transducer_sums(const TransducerLoss<float>& call) {
    Scratch scratch;
    kernels().transducer_sums(call, scratch);
}

void transducer_slopes(const TransducerLoss<float>& call) { kernels().transducer_slopes(call); }

double run_tiles(std::int64_t times) { return kernels().run_tiles(times); }

void lstm_step(const LstmStep<float>& step) { kernels().lstm_step(step); }
void gru_step(const GruStep<float>& step) { kernels().gru_step(step); }

void gates(const Gates<float, Bfloat16>& call) {
    Scratch scratch;
    kernels().gates(call, scratch);
}

const StreamKernels& stream_kernels(Precision precision) {
    return kernels().stream_kernels(precision);
}

}  // namespace unrolled
