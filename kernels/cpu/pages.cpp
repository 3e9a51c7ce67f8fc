#include "unrolled/pages.h"

#include <cstdint>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace unrolled {

void prefer_large_pages([[maybe_unused]] const void* array, [[maybe_unused]] std::size_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    constexpr std::uintptr_t kPage = std::uintptr_t{1} << 21;
    constexpr std::size_t kLarge = 2 * kPage;
    if (!array || bytes < kLarge) return;
    const auto at = reinterpret_cast<std::uintptr_t>(array);
    const std::uintptr_t from = (at + kPage - 1) / kPage * kPage, to = (at + bytes) / kPage * kPage;
    if (from < to) madvise(reinterpret_cast<void*>(from), to - from, MADV_HUGEPAGE);
#endif
}

}  // namespace unrolled
