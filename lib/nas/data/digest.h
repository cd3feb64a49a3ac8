/* 64 bits of any data, to notice that it has changed; no protection against forgery. */
#ifndef SCARLET_NAS_DATA_DIGEST_H
#define SCARLET_NAS_DATA_DIGEST_H

#include <string.h>

#include "nas/data/random.h"

/* Begins with 0. What is put and where it is cut into pieces both count. */
static inline uint64_t scarlet__digest(uint64_t digest, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    digest = scarlet__random_mix(digest ^ size);
    for (; size >= 8; size -= 8, bytes += 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        digest = (digest ^ word) * SCARLET__RANDOM_STEP;
        digest ^= digest >> 32;
    }
    uint64_t rest = 0;
    memcpy(&rest, bytes, size);
    return scarlet__random_mix(digest ^ rest);
}

static inline uint64_t scarlet__digest_text(uint64_t digest, const char *text)
{
    return scarlet__digest(digest, text, strlen(text));
}

#endif
