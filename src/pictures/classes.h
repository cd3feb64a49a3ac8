/* Which class a word means: a class name of the model, or a WordNet id of ImageNet. */
#ifndef SCARLET_SRC_PICTURES_CLASSES_H
#define SCARLET_SRC_PICTURES_CLASSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/class_names.h"

enum { NO_CLASS = -1, SEVERAL_CLASSES = -2 };

typedef struct class_table {
    size_t count;
    bool named; /* the model or the user names them; false: ImageNet's names or none */
    struct class_word {
        char *folded, *exact;
        int64_t class_id;
    } * words; /* sorted */
    size_t words_count;
} class_table;

/* Words for a model of `count` classes: its names (each synonym, where commas separate them), and
 * for 1000 classes the WordNet ids of ImageNet. */
void classes_open(class_table *c, const cli_names *names, size_t count);
void classes_close(class_table *c);
/* Class of a name or id, in any case and with any punctuation. NO_CLASS: none. SEVERAL_CLASSES:
 * more than one. */
int64_t class_of_name(const class_table *c, const char *text);
/* As class_of_name, or a class number. */
int64_t class_of_word(const class_table *c, const char *text);
/* The number that a text of digits is; NO_CLASS if it is something else. */
int64_t class_number(const char *text);

#endif
