/* What all processes of a group must have in common for their results to be the same bits. */
#ifndef SCARLET_NAS_PARALLEL_ALIKE_H
#define SCARLET_NAS_PARALLEL_ALIKE_H

#include "scarlet/nas.h"

/* ARGUMENT in all processes if a text is not the same in all; it names the first that differs and
 * `what` the text is about. Texts are compared up to 90 bytes. */
scarlet_status scarlet__alike(const scarlet_group *group, const char *what, const char *text,
                              scarlet_error *err);

#endif
