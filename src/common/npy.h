/* A NumPy matrix of float32, written row by row. */
#ifndef SCARLET_SRC_NPY_H
#define SCARLET_SRC_NPY_H

#include <stddef.h>

typedef struct npy npy;

/* path: "-" is standard output. The file contains whole rows at any time; its header, with their
 * number, is written at the end. What cannot be written ends the program with a message. */
npy *npy_create(const char *path, size_t columns);
void npy_row(npy *n, const float *row); /* NULL: a row of NaN */
void npy_close(npy *n);

#endif
