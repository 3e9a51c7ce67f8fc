#include "threads.h"

namespace unrolled {

void parallel(int threads, void (*work)(void* context, int thread), void* context) {
#ifdef _OPENMP
#pragma omp parallel for num_threads(threads) schedule(static, 1)
#endif
    for (int thread = 0; thread < threads; ++thread) work(context, thread);
}

}  // namespace unrolled
