// Work on several threads: the pool of OpenMP that PyTorch uses too.
#pragma once

#include <cstdint>

namespace unrolled {

// Calls work(context, 0), ..., work(context, threads - 1), each on a thread of its own where it can
// be had, and returns when all are done. `work` throws nothing.
void parallel(int threads, void (*work)(void* context, int thread), void* context);

// Calls f(thread) for each thread below `threads`.
template <class Function>
inline __attribute__((always_inline)) void parallel(int threads, Function& f) {
    if (threads <= 1) return f(0);
    parallel(
        threads, [](void* context, int thread) { (*static_cast<Function*>(context))(thread); }, &f);
}

}  // namespace unrolled
