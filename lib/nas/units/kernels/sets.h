/* The instruction sets that the kernels of training are compiled for, rising: SET(suffix,
 * SCARLET_ISA_*). */
#ifndef SET
#define SET(suffix, isa)
#endif

SET(portable, SCARLET_ISA_PORTABLE)
#if defined(__x86_64__)
SET(avx2, SCARLET_ISA_AVX2)
SET(avx512, SCARLET_ISA_AVX512)
#endif

#undef SET
