// Memory that a call needs while it runs, kept by each thread for the next call.
#pragma once

#include <cstddef>

namespace unrolled {

// Hands out arrays that live until the object dies. Not for two threads at once; not nested.
class Scratch {
  public:
    Scratch();
    ~Scratch();
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    // `count` uninitialised elements, aligned to a cache line and with one between neighbours, so
    // that two threads never write to the same. Throws std::bad_alloc.
    // Inlined by force, as all that the files of several instruction sets share (see vec.h).
    template <class T>
    inline __attribute__((always_inline)) T* take(std::ptrdiff_t count) {
        return static_cast<T*>(bytes(static_cast<std::size_t>(count) * sizeof(T)));
    }

  private:
    void* bytes(std::size_t size);
};

}  // namespace unrolled
