/*
 * Instruction sets that kernels exist for, rising, and the kernel files that each compiles:
 *
 *   SET(suffix, SCARLET_ISA_*, vector)   with `vector` floats a vector
 *   FILL(suffix, file)                   file.c defines scarlet__fill_FILE_SUFFIX
 *
 * A set has the functions of the set before it, except those that its own files fill. meson.build
 * lists the same files, with each set's compiler flags.
 */
#ifndef SET
#define SET(suffix, isa, vector)
#endif
#ifndef FILL
#define FILL(suffix, file)
#endif

#define FILL_FLOATS(suffix)                                                                        \
    FILL(suffix, depthwise)                                                                        \
    FILL(suffix, elementwise)                                                                      \
    FILL(suffix, gemm)

SET(portable, SCARLET_ISA_PORTABLE, 4)
FILL_FLOATS(portable)
FILL(portable, integer)
#if defined(__x86_64__)
SET(avx2, SCARLET_ISA_AVX2, 8)
FILL_FLOATS(avx2)
FILL(avx2, integer)
SET(avx512, SCARLET_ISA_AVX512, 16)
FILL_FLOATS(avx512)
FILL(avx512, integer)
SET(avx512vnni, SCARLET_ISA_AVX512VNNI, 16)
FILL(avx512vnni, integer)
SET(avx512bf16, SCARLET_ISA_AVX512BF16, 16)
FILL(avx512bf16, bf16)
#endif

#undef FILL_FLOATS
#undef FILL
#undef SET
