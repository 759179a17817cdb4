// One binary for all machines: the loader picks the widest vectors that the processor has.
#pragma once

#include <cstdint>

#if defined(__x86_64__) && defined(__linux__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif
#define INLINED inline __attribute__((always_inline))

// Eight numbers at once; compilers turn it into what the processor has.
template <typename T>
struct Pack {
  typedef T type __attribute__((vector_size(8 * sizeof(T))));
};
