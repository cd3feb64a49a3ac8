/*
 * Augmentation as torchvision does it with Pillow pictures: from a decoded picture to the network's
 * normalised input. All random numbers come from one sequence that belongs to the picture.
 */
#ifndef SCARLET_NAS_DATA_AUGMENT_H
#define SCARLET_NAS_DATA_AUGMENT_H

#include <stdbool.h>

#include "nas/data/random.h"
#include "scarlet/nas.h"

typedef struct scarlet__recipe {
    int side;                  /* of the result, pixels */
    int resize;                /* without a random crop: short side before the centre is cut out */
    bool crop;                 /* RandomResizedCrop of these: */
    double scale[2], ratio[2]; /* share of the area; width to height */
    double hflip, vflip, reprob; /* probabilities */
    bool trivial;                /* one random change of TrivialAugment */
    double color_jitter;         /* largest change of brightness, contrast, saturation */
} scarlet__recipe;

/* A region of a picture. */
typedef struct scarlet__box {
    uint32_t x, y, width, height;
} scarlet__box;

/* torchvision's RandomResizedCrop.get_params. */
scarlet__box scarlet__random_crop(const scarlet__recipe *recipe, uint32_t width, uint32_t height,
                                  scarlet__random *random);

/*
 * side x side x 3 floats, NHWC. `normalization`: picture options with crop and resize of `side`,
 * layout NHWC, mean and std. scratch: 3 * side * side bytes.
 */
scarlet_status scarlet__augment(const scarlet__recipe *recipe, const scarlet_image *image,
                                const scarlet_options *normalization, scarlet__random random,
                                uint8_t *scratch, float *out, scarlet_error *err);

/* Swaps or blends two pictures with their targets, in place. share: how much of itself each keeps.
 * cutmix swaps a box of the rest. */
void scarlet__mixup(double share, size_t length, float *a, float *b);
/* The box of cutmix: 1 - share of the area, its centre anywhere, cut at the border. */
scarlet__box scarlet__cutmix_box(int side, double share, scarlet__random *random);
void scarlet__cutmix(const scarlet__box *box, int side, float *a, float *b);
/* A number of Beta(alpha, alpha). */
double scarlet__random_beta(scarlet__random *random, double alpha);

#endif
