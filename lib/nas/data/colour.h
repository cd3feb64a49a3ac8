/* Changes of RGB pixels without gaps, with Pillow's results to the bit. */
#ifndef SCARLET_NAS_DATA_COLOUR_H
#define SCARLET_NAS_DATA_COLOUR_H

#include <stddef.h>

#include "nas/data/random.h"
#include "scarlet/scarlet.h"

/* ImageEnhance of `count` pixels; factor 1 changes nothing. */
void scarlet__brightness(uint8_t *pixels, size_t count, float factor);
void scarlet__contrast(uint8_t *pixels, size_t count, float factor);
void scarlet__saturation(uint8_t *pixels, size_t count, float factor);

/* torchvision's ColorJitter, without hue: the three in random order, factors 1 - strength .. 1 +
 * strength. */
void scarlet__color_jitter(uint8_t *pixels, size_t count, double strength, scarlet__random *random);

/* torchvision's TrivialAugmentWide: one of 14 changes of a picture of side x side, of one of 31
 * strengths. Allocates a copy: MEMORY. */
scarlet_status scarlet__trivial_augment(uint8_t *pixels, uint32_t side, scarlet__random *random,
                                        scarlet_error *err);

#endif
