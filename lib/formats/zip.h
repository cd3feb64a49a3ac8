/* The directory of a zip archive. */
#ifndef SCARLET_FORMATS_ZIP_H
#define SCARLET_FORMATS_ZIP_H

#include "common/io.h"
#include "formats/names.h"

typedef struct scarlet__zip_entry {
    const char *name;
    uint64_t header;         /* of the local header: file offset */
    uint64_t offset, packed; /* of the data: within the file */
    uint64_t size;           /* of what they unpack to; `packed` if they are stored as they are */
    bool deflated;
    const char *unusable; /* NULL, or why: static text */
} scarlet__zip_entry;

typedef struct scarlet__zip {
    scarlet__zip_entry *entry; /* in the directory's order */
    size_t count;
    scarlet__names by_name; /* of `entry` */
    void *directory;        /* what the names point into */
} scarlet__zip;

/*
 * Reads the central directory; the local headers say where data begins, the rest of them is
 * ignored. Refuses duplicate names, and entries that overlap or pass the end of the file. Checksums
 * are not compared: torch can leave them out. Close it also after a failure.
 */
scarlet_status scarlet__zip_open(const scarlet__source *source, scarlet__zip *out,
                                 scarlet_error *err);
void scarlet__zip_close(scarlet__zip *zip);
/* NULL if there is none of this name. It may be unusable. */
const scarlet__zip_entry *scarlet__zip_find(const scarlet__zip *zip, const char *name);

#endif
