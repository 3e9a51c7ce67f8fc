#include "threads.h"

#ifdef UNROLLED_STD_THREADS
#include <thread>
#include <vector>
#endif

namespace unrolled {

void parallel(int threads, void (*work)(void* context, int thread), void* context) {
#ifdef UNROLLED_STD_THREADS
    // For the thread sanitizer, which does not understand OpenMP's own barriers.
    std::vector<std::thread> others;
    for (int thread = 1; thread < threads; ++thread) others.emplace_back(work, context, thread);
    work(context, 0);
    for (std::thread& other : others) other.join();
#else
#ifdef _OPENMP
#pragma omp parallel for num_threads(threads) schedule(static, 1)
#endif
    for (int thread = 0; thread < threads; ++thread) work(context, thread);
#endif
}

}  // namespace unrolled
