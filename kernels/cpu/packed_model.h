// The packed weights of a stack, and the memory that holds them.
#pragma once

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "stream.h"

namespace unrolled {

// Arrays that live as long as this object: zeros at first, each aligned to a cache line.
class Blocks {
  public:
    template <class T>
    T* take(std::int64_t count) {
        constexpr std::size_t kLine = 64;
        const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T);
        const std::size_t size = (bytes + kLine) / kLine * kLine;  // never none
        blocks_.reserve(blocks_.size() + 1);
        void* block = std::aligned_alloc(kLine, size);
        if (!block) throw std::bad_alloc();
        blocks_.emplace_back(block);
        std::memset(block, 0, size);
        return static_cast<T*>(block);
    }

    // A copy of an array; null stays null.
    float* copy(const float* from, std::int64_t count) {
        if (!from) return nullptr;
        float* to = take<float>(count);
        std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(float));
        return to;
    }

  private:
    struct Free {
        void operator()(void* block) const { std::free(block); }
    };
    std::vector<std::unique_ptr<void, Free>> blocks_;
};

struct PackedModel {
    const StreamKernels* kernels;
    std::vector<PackedLayer> layers;
    PackedMatrix readout;  // data null: none
    const float* readout_bias;
    std::int64_t weight_bytes;
    Blocks blocks;
};

}  // namespace unrolled
