/* What a file is, by its first bytes; file names are never looked at. */
#ifndef SCARLET_FORMATS_SNIFF_H
#define SCARLET_FORMATS_SNIFF_H

#include <stddef.h>
#include <stdint.h>

enum { SCARLET__SNIFF_SIZE = 512 }; /* no more bytes are needed */

/* SCARLET_FILE_*; or 0, then *what is a text for messages, "looks like ...". */
int scarlet__sniff(const uint8_t *head, size_t length, const char **what);

#endif
