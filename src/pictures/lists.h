/* Lists of pictures. */
#ifndef SCARLET_SRC_PICTURES_LISTS_H
#define SCARLET_SRC_PICTURES_LISTS_H

#include "inputs.h"

/* Adds the files that a list names, relative to its own folder. labels: "name class" is allowed. */
void cli_inputs_add_list(cli_inputs *inputs, const char *path, bool labels);
/* Splits "name class": cuts the text after the name. NO_LABEL: there is no class in it. */
int64_t cut_label(char *text);

#endif
