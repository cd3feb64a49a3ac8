/* Names of classes: from a file, from the model, compiled in, or none. */
#ifndef SCARLET_SRC_COMMON_CLASS_NAMES_H
#define SCARLET_SRC_COMMON_CLASS_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "command.h"
#include "scarlet/scarlet.h"

enum { IMAGENET_CLASSES = 1000 };

typedef struct cli_names {
    const scarlet_model *model;
    scarlet_labels *labels;
    char *const *texts; /* of --merge; NULL: none */
    bool guessed;       /* ImageNet's, for a model of as many classes that has none */
} cli_names;

/* file: of --labels, or NULL. A file that is unusable or of another length is a usage error. */
void cli_names_open(cli_names *names, const cli_command *command, const scarlet_model *model,
                    const char *file);
/* Do the names come from the model or from a file, not from a guess? */
bool cli_names_own(const cli_names *names);
/* NULL if the class has no name. */
const char *cli_name(const cli_names *names, int32_t class_id);

#endif
