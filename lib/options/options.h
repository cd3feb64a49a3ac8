/* The options object as other files of the library see it. */
#ifndef SCARLET_OPTIONS_OPTIONS_H
#define SCARLET_OPTIONS_OPTIONS_H

#include <stdbool.h>

#include "scarlet/scarlet.h"

/* How ImageNet's pictures are prepared where neither a caller nor a model file says it. */
#define SCARLET__IMAGENET_MEAN                                                                     \
    {                                                                                              \
        0.485f, 0.456f, 0.406f                                                                     \
    }
#define SCARLET__IMAGENET_STD                                                                      \
    {                                                                                              \
        0.229f, 0.224f, 0.225f                                                                     \
    }
enum { SCARLET__IMAGENET_SIDE = 224 };

/* Value in force: set, else the table's default. opts may be NULL. */
int64_t scarlet__option(const scarlet_options *opts, scarlet_option key);
/* Whether the caller set it; *value receives it then. opts and value may be NULL. */
bool scarlet__option_set(const scarlet_options *opts, scarlet_option key, int64_t *value);
/* Normalization the caller set; false if none: mean and std stay. */
bool scarlet__option_normalization(const scarlet_options *opts, float mean[3], float std[3]);

/* Sends a finished line to the caller's log function, if it wants this level. */
__attribute__((format(printf, 3, 4))) void scarlet__log(const scarlet_options *opts, int level,
                                                        const char *format, ...);
enum { SCARLET__LOG_ERROR = 1, SCARLET__LOG_WARNING, SCARLET__LOG_INFO, SCARLET__LOG_DEBUG };

#endif
