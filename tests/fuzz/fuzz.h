/* A fuzzer is one function, called with inputs by libFuzzer or by replay.c. */
#ifndef SCARLET_TESTS_FUZZ_H
#define SCARLET_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
