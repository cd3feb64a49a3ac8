/*
 * Random numbers as a function of what they are for: seed, purpose, epoch and picture. No state is
 * carried from one picture to the next, so neither threads nor an interruption change a result.
 */
#ifndef SCARLET_NAS_DATA_RANDOM_H
#define SCARLET_NAS_DATA_RANDOM_H

#include <stdint.h>

/* What numbers are drawn for: each purpose has a sequence of its own. */
enum {
    SCARLET__RANDOM_SPLIT = 1,
    SCARLET__RANDOM_ORDER,
    SCARLET__RANDOM_AUGMENT,
    SCARLET__RANDOM_MIX,
    SCARLET__RANDOM_DROP,
    SCARLET__RANDOM_INITIAL,
    SCARLET__RANDOM_SAMPLE,
    SCARLET__RANDOM_DEAL,
    SCARLET__RANDOM_ROTATION,
    SCARLET__RANDOM_LET,
    SCARLET__RANDOM_SEARCH
};

typedef struct scarlet__random {
    uint64_t key, counter;
} scarlet__random;

/* The finaliser of splitmix64: each bit of x changes half of the bits of the result. */
static inline uint64_t scarlet__random_mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* Odd: multiples of it run through all 64-bit numbers. */
#define SCARLET__RANDOM_STEP 0x9e3779b97f4a7c15u

/* The sequence that belongs to (seed, purpose, epoch, item). */
static inline scarlet__random scarlet__random_at(uint64_t seed, uint64_t purpose, uint64_t epoch,
                                                 uint64_t item)
{
    uint64_t key = scarlet__random_mix(seed + SCARLET__RANDOM_STEP);
    key = scarlet__random_mix(key + purpose * SCARLET__RANDOM_STEP);
    key = scarlet__random_mix(key + epoch * SCARLET__RANDOM_STEP);
    key = scarlet__random_mix(key + item * SCARLET__RANDOM_STEP);
    return (scarlet__random){.key = key, .counter = 0};
}

static inline uint64_t scarlet__random_bits(scarlet__random *r)
{
    return scarlet__random_mix(r->key + ++r->counter * SCARLET__RANDOM_STEP);
}

/* Uniform in [0, 1), a multiple of 2^-53. */
static inline double scarlet__random_unit(scarlet__random *r)
{
    return (double)(scarlet__random_bits(r) >> 11) * 0x1p-53;
}

static inline double scarlet__random_between(scarlet__random *r, double low, double high)
{
    return low + (high - low) * scarlet__random_unit(r);
}

/* Uniform in 0 .. n-1, n >= 1: Lemire's method, without bias. */
static inline uint32_t scarlet__random_below(scarlet__random *r, uint32_t n)
{
    uint64_t product = (scarlet__random_bits(r) >> 32) * n;
    if ((uint32_t)product < n)
        for (uint32_t threshold = -n % n; (uint32_t)product < threshold;)
            product = (scarlet__random_bits(r) >> 32) * n;
    return (uint32_t)(product >> 32);
}

#endif
