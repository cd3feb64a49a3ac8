/* The JSON that safetensors files need: objects, arrays, strings and unsigned integers. */
#ifndef SCARLET_FORMATS_JSON_H
#define SCARLET_FORMATS_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A reader that takes one token after another. It builds no tree and knows no nesting: the grammar,
 * and so the depth, is up to the caller. A function that finds something else returns false, leaves
 * the reader there and sets `problem`.
 */
typedef struct scarlet__json {
    char *text; /* well-formed UTF-8; strings are decoded in place */
    size_t length, at;
    const char *problem; /* static text */
} scarlet__json;

/* Takes the character, one of {}[]:, if it comes next; sets no problem. */
bool scarlet__json_take(scarlet__json *json, char c);
/* Takes the character, which must come next. */
bool scarlet__json_expect(scarlet__json *json, char c);
/* A string, decoded and NUL-terminated, within `text`; one that holds U+0000 is refused. */
bool scarlet__json_string(scarlet__json *json, char **string);
/* Digits only, up to 2^64 - 1. */
bool scarlet__json_unsigned(scarlet__json *json, uint64_t *value);
/* Nothing but spaces may be left. */
bool scarlet__json_end(scarlet__json *json);

/* Reads a whole text that is an array of strings. Returns one block, to be freed with
 * scarlet__free. NULL if out of memory (*problem is NULL) or if the text is wrong (*problem says
 * how). */
char **scarlet__json_strings(const char *text, size_t *count, const char **problem);

/* Text being written. `failed` is set for good when memory runs out. */
typedef struct scarlet__text {
    char *data; /* NUL-terminated once anything was put; free with scarlet__free */
    size_t length, capacity;
    bool failed;
} scarlet__text;

void scarlet__text_put(scarlet__text *text, const char *piece);
void scarlet__text_put_unsigned(scarlet__text *text, uint64_t value);
/* As a JSON string: quoted and escaped. */
void scarlet__text_put_string(scarlet__text *text, const char *string);

#endif
