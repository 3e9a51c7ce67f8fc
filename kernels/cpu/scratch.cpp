#include "scratch.h"

#include <cstdlib>
#include <new>
#include <vector>

namespace unrolled {

namespace {

constexpr std::size_t kLine = 64;
constexpr std::size_t kKeep = std::size_t{64} << 20;  // a thread keeps no more than this

// One block for the usual call, which grows to what the last calls needed; what does not fit goes
// into blocks of its own until the call is over.
struct Memory {
    char* block = nullptr;
    std::size_t capacity = 0, used = 0, asked = 0;
    std::vector<void*> others;

    ~Memory() { std::free(block); }
};

thread_local Memory memory;

void* allocate(std::size_t size) {
    void* block = std::aligned_alloc(kLine, size);
    if (!block) throw std::bad_alloc();
    return block;
}

}  // namespace

Scratch::Scratch() { memory.used = memory.asked = 0; }

Scratch::~Scratch() {
    for (void* block : memory.others) std::free(block);
    memory.others.clear();
    if (memory.asked <= memory.capacity || memory.asked > kKeep) return;
    std::free(memory.block);
    memory.block = static_cast<char*>(std::aligned_alloc(kLine, memory.asked));
    memory.capacity = memory.block ? memory.asked : 0;
}

void* Scratch::bytes(std::size_t size) {
    size = (size + 2 * kLine - 1) / kLine * kLine;
    memory.asked += size;
    if (memory.used + size <= memory.capacity) {
        void* at = memory.block + memory.used;
        memory.used += size;
        return at;
    }
    memory.others.reserve(memory.others.size() + 1);
    memory.others.push_back(allocate(size));
    return memory.others.back();
}

}  // namespace unrolled
