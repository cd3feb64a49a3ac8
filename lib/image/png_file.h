/* PNG files chunk by chunk, as the reference (Pillow) reads them. */
#ifndef SCARLET_IMAGE_PNG_FILE_H
#define SCARLET_IMAGE_PNG_FILE_H

#include <string.h>

#include "common/io.h"
#include "image/image.h"

typedef struct scarlet__chunk {
    char kind[4];
    uint64_t at;     /* place of its data in the file */
    uint32_t length; /* of its data, as the file says: may reach past the end */
} scarlet__chunk;

static inline bool scarlet__chunk_is(const scarlet__chunk *chunk, const char *kind)
{
    return memcmp(chunk->kind, kind, sizeof chunk->kind) == 0;
}

/* What the chunks seen so far say of the picture's orientation. Zeroed to begin with. */
typedef struct scarlet__png_marks {
    int exif, profile, xmp; /* 1 .. 8, or 0 */
    bool has_exif, has_profile;
    uint64_t unpacked; /* bytes of compressed text */
} scarlet__png_marks;

/* Takes note of a chunk. Damaged metadata are none: only IO, CORRUPT (the file ends) and MEMORY. */
scarlet_status scarlet__png_mark(scarlet__png_marks *marks, scarlet__window *window,
                                 const scarlet__chunk *chunk, scarlet_error *err);
/* 1 .. 8; 0 if nothing was said. */
int scarlet__png_orientation(const scarlet__png_marks *marks);

/* Begins with the window's source and end set, the rest 0. */
typedef struct scarlet__png_file {
    scarlet__window window;
    uint64_t next; /* place of the next chunk */
    uint32_t width, height;
    int type, depth; /* as in IHDR; depth 0: none was legal */
    bool interlaced;
    uint8_t palette[256][3]; /* black where the file has no entry */
    size_t colours;          /* in the file */
    uint64_t frames;         /* of an animation; the picture itself is one if no frame is it */
    bool framed;
} scarlet__png_file;

/* Reads up to the first chunk with picture data, which is then the next. `marks` may be NULL. */
scarlet_status scarlet__png_begin(scarlet__png_file *file, scarlet__png_marks *marks,
                                  scarlet_error *err);
/* The chunk with more picture data, which it passes; false if no such chunk comes next. */
bool scarlet__png_data(scarlet__png_file *file, scarlet__chunk *chunk);
/* Reads the chunks after the picture data. `marks` may be NULL. */
scarlet_status scarlet__png_end(scarlet__png_file *file, scarlet__png_marks *marks,
                                scarlet_error *err);

#endif
