/* Reading and writing files: the only file system calls of the library. */
#ifndef SCARLET_COMMON_IO_H
#define SCARLET_COMMON_IO_H

#include "scarlet/scarlet.h"

/* Bytes that are read at offsets: a regular file held open, or memory of the caller. */
typedef struct scarlet__source {
    int fd;                /* -1 for memory */
    const uint8_t *memory; /* NULL for a file */
    uint64_t size;         /* when opened; reading a file that shrinks later fails */
    const char *name;      /* for messages: the path as given (not copied), or the next */
} scarlet__source;
#define SCARLET__IN_MEMORY "data in memory"

/* Opens a regular file; anything else (a directory, FIFO, device) is refused without blocking. */
scarlet_status scarlet__source_open(const char *path, scarlet__source *out, scarlet_error *err);
void scarlet__source_memory(const void *data, size_t size, scarlet__source *out);
void scarlet__source_close(scarlet__source *source);
/* Reads exactly `size` bytes at `offset`; past the end is CORRUPT ("cut short: ..."). */
scarlet_status scarlet__source_read(const scarlet__source *source, uint64_t offset, void *out,
                                    size_t size, scarlet_error *err);
/* A buffer on a source, so that many small reads are few system calls. Set `source` and `end`, the
 * rest to 0. */
typedef struct scarlet__window {
    const scarlet__source *source;
    uint64_t end; /* nothing from here on is read ahead */
    uint64_t at;  /* offset of the bytes that are there */
    size_t size;
    uint8_t bytes[16384];
} scarlet__window;

/* As scarlet__source_read. */
scarlet_status scarlet__window_read(scarlet__window *window, uint64_t offset, void *out,
                                    size_t size, scarlet_error *err);
/* Reads a whole source into a new block (free with scarlet__free). LIMIT above `limit` bytes. */
scarlet_status scarlet__source_read_all(const scarlet__source *source, uint64_t limit,
                                        uint8_t **data, size_t *size, scarlet_error *err);

/* A file being written under a temporary name beside its target, which does not exist yet or is a
 * regular file; or memory. */
typedef struct scarlet__output {
    int fd;
    char *target, *temporary; /* of a file; NULL for memory, which has */
    uint8_t *data;
    size_t size, capacity;
} scarlet__output;

/* Symbolic links are followed, and stay; a file that is replaced hands on its mode and, where that
 * is allowed, its owner. */
scarlet_status scarlet__output_open(const char *target, scarlet__output *out, scarlet_error *err);
/* Output that is only collected in `data`, until it is abandoned. */
void scarlet__output_memory(scarlet__output *out);
scarlet_status scarlet__output_write(scarlet__output *output, const void *data, size_t size,
                                     scarlet_error *err);
/* Puts the finished file in the target's place, synced to disk. */
scarlet_status scarlet__output_commit(scarlet__output *output, scarlet_error *err);
/* Removes the temporary file, or frees the memory. Does nothing after a commit or a failed open. */
void scarlet__output_abandon(scarlet__output *output);
/* Removes temporary files of the target that killed processes left behind. */
void scarlet__output_sweep(const char *target);

#endif
