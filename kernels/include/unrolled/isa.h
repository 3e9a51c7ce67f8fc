// Which instruction set the fast kernels run on. Each is compiled into the library; the choice is
// made at run time.
#pragma once

#include <cstdint>

namespace unrolled {

// The instruction set in use: "generic", "avx2" or "avx512". The first call chooses: what the
// environment variable UNROLLED_ISA names, or else the best one that this processor has. Throws
// std::invalid_argument where UNROLLED_ISA names none, or one that is not at hand. The text is
// static.
const char* isa();

// Uses `name` from now on, for every thread; `name` is not kept. Throws std::invalid_argument as
// isa() does.
void use_isa(const char* name);

// True where `name` is an instruction set that was compiled in and that this processor has.
bool has_isa(const char* name);

// Runs the inner loop of all products `times` times on numbers that lie in the nearest cache, and
// gives the additions and multiplications done: timed, it is what the kernels can reach at best.
double run_tiles(std::int64_t times);

}  // namespace unrolled
