/* Writes JSON, with commas where they belong. */
#ifndef SCARLET_SRC_COMMON_JSON_WRITE_H
#define SCARLET_SRC_COMMON_JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "scarlet/scarlet.h"

/* Start with {.out = file}. */
typedef struct json {
    FILE *out;
    bool comma;
} json;

void json_open(json *j, char bracket);  /* '{' or '[' */
void json_close(json *j, char bracket); /* '}' or ']' */
void json_key(json *j, const char *key);
/* Bytes that are not UTF-8 become lone surrogates \udc80 .. \udcff, as Python's surrogateescape
 * reads them. NULL: null. */
void json_text(json *j, const char *text);
void json_integer(json *j, int64_t value);
void json_bool(json *j, bool value);
/* The shortest decimals that read back as the same float; null if it is not finite. */
void json_float(json *j, float value);
/* The shortest decimals that read back as the same double; null if it is not finite. */
void json_double(json *j, double value);
/* The keys "error" and "status". */
void json_failure(json *j, const scarlet_error *err);
void json_end(json *j); /* end of the line; flushes */

#endif
