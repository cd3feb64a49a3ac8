/* Reads JSON, as json_write.c writes it. */
#ifndef SCARLET_SRC_JSON_READ_H
#define SCARLET_SRC_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A value, followed by the values it contains; in an object each value follows its key. */
typedef struct json_node {
    char kind;        /* '{' '[' '"' '0' 't' 'f' 'n', or 'k': a key */
    const char *text; /* of a string or key; where a number begins */
    size_t end;       /* index of the node after all that this one contains */
} json_node;

typedef struct json_doc {
    json_node *node; /* the first is the value itself */
    size_t count;
} json_doc;

/* Parses NUL-terminated text in place: strings point into it. False if it is not JSON, or nested
 * too deep; json_doc_free even then. */
bool json_parse(json_doc *doc, char *text);
void json_doc_free(json_doc *doc);

/* Value of a key, of the given kind; NULL if there is none. */
const json_node *json_get(const json_doc *doc, const json_node *object, const char *key, char kind);
/* First and next element of an array; NULL after the last. */
const json_node *json_first(const json_doc *doc, const json_node *array);
const json_node *json_next(const json_doc *doc, const json_node *array, const json_node *element);
/* An integer of at least `min`; false if it is not one. */
bool json_get_integer(const json_doc *doc, const json_node *object, const char *key, int64_t min,
                      int64_t *out);
bool json_read_integer(const json_node *node, int64_t min, int64_t *out);
/* Text of a string; NULL if it is not one. */
const char *json_get_text(const json_doc *doc, const json_node *object, const char *key);

#endif
