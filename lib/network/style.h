/*
 * Styles: what networks with the skeleton of SCARLET, inverted residuals between a stem and a tail,
 * compute differently although their tensors have the same shapes.
 */
#ifndef SCARLET_NETWORK_STYLE_H
#define SCARLET_NETWORK_STYLE_H

#include <stdbool.h>

#include "scarlet/scarlet.h"

typedef enum scarlet__block_activation {
    SCARLET__BLOCK_HSWISH,
    SCARLET__BLOCK_RELU6
} scarlet__block_activation;

typedef struct scarlet__style {
    scarlet__block_activation activation; /* of a block's hidden channels; all others have ReLU6 */
    double epsilon;                       /* of batch norms, inside the root */
    /* Padding: kernel / 2 on every side; or as little as gives the same output, and where its
     * pixels are odd in number one more below and on the right than above and on the left, as
     * TensorFlow does. They differ where a stride of 2 meets an even side. */
    bool same;
} scarlet__style;

/* That of the paper: h-swish, 1e-5, kernel / 2. */
extern const scarlet__style scarlet__style_default;

/* Reads "activation=relu6 epsilon=0.001 padding=same", the value of the metadata key
 * scarlet.network. */
scarlet_status scarlet__style_parse(const char *text, scarlet__style *out, scarlet_error *err);
bool scarlet__style_equal(const scarlet__style *a, const scarlet__style *b);

#endif
