/* Instruction sets that kernels are compiled for, rising: SET(suffix, SCARLET_ISA_*, vector), with
 * as many floats a vector. */
SET(portable, SCARLET_ISA_PORTABLE, 4)
#if defined(__x86_64__)
SET(avx2, SCARLET_ISA_AVX2, 8)
SET(avx512, SCARLET_ISA_AVX512, 16)
#endif
#undef SET
