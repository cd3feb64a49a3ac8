/* Files that are passed over because their names are not those of pictures, by kind. */
#ifndef SCARLET_SRC_PICTURES_SKIPPED_H
#define SCARLET_SRC_PICTURES_SKIPPED_H

#include <stddef.h>

enum { SKIPPED_KINDS = 64 };

/* Start with {0}. */
typedef struct skipped {
    size_t files;
    struct skipped_kind {
        const char *kind; /* a constant; NULL: not a picture */
        size_t files;
    } kinds[SKIPPED_KINDS];
    size_t kinds_count;
} skipped;

/* Counts one file whose first bytes are given. */
void skipped_add(skipped *s, const char *head, size_t size);
/* As skipped_add, for the file of this path. */
void skipped_add_file(skipped *s, const char *path);
/* "3 files skipped: 2 HEIF, 1 GIF", on standard error; nothing if there are none. */
void skipped_report(const skipped *s);

#endif
