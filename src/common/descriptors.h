/* Descriptors 0 to 2. */
#ifndef SCARLET_SRC_COMMON_DESCRIPTORS_H
#define SCARLET_SRC_COMMON_DESCRIPTORS_H

/* Opens those that were closed at start, so that no file opened later becomes standard input,
 * output or error. Reading or writing them still fails. Call it first. */
void descriptors_fill(void);

#endif
