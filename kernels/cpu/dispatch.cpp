// The door of the fast kernels: each public function goes to the copy for the instruction set in
// use. A new cell adds one line to Kernels, one to KERNELS_OF and one at the end.

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#include "unrolled/gru_step.h"
#include "unrolled/isa.h"
#include "unrolled/lstm_step.h"

namespace unrolled {

#define DECLARE_KERNELS_OF(name)            \
    namespace name {                        \
    void lstm_step(const LstmStep<float>&); \
    void gru_step(const GruStep<float>&);   \
    }

DECLARE_KERNELS_OF(generic)
#ifdef UNROLLED_HAS_AVX2
DECLARE_KERNELS_OF(avx2)
#endif

namespace {

struct Kernels {
    const char* isa;
    bool (*runs_here)();
    void (*lstm_step)(const LstmStep<float>&);
    void (*gru_step)(const GruStep<float>&);
};

#define KERNELS_OF(name, runs_here) {#name, runs_here, name::lstm_step, name::gru_step}

bool always() { return true; }

#ifdef UNROLLED_HAS_AVX2
bool runs_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
#endif

// Best first.
const Kernels kAll[] = {
#ifdef UNROLLED_HAS_AVX2
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

void lstm_step(const LstmStep<float>& step) { kernels().lstm_step(step); }
void gru_step(const GruStep<float>& step) { kernels().gru_step(step); }

}  // namespace unrolled
