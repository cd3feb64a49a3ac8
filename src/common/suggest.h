/* What a mistyped word may have meant. */
#ifndef SCARLET_SRC_COMMON_SUGGEST_H
#define SCARLET_SRC_COMMON_SUGGEST_H

#include <stddef.h>

/* The word closest to a mistyped one; NULL if none is close. */
const char *suggest(const char *typed, const char *const *words, size_t count);

#endif
