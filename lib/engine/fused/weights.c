#include "engine/fused/weights.h"

#include "common/error.h"
#include "common/memory.h"
#include "engine/pack.h"
#include "network/weights.h"

/* Takes memory from the block in order; while there is no block it only counts. */
typedef struct {
    float *memory;
    size_t used; /* floats */
} cursor;

static float *take(cursor *c, size_t floats)
{
    float *at = c->memory ? c->memory + c->used : NULL;
    c->used += scarlet__round_up(floats, SCARLET__VECTOR_MAX);
    return at;
}

/* weight is [out][in]; the block of memory they are packed into is zeroed. */
typedef struct {
    const float *weight, *bias;
    size_t out, in; /* of the plain weight */
    size_t k;       /* of the packed one, at least in: the rest is zero */
    size_t most;    /* vectors of a chunk */
    bool stem;      /* [out][3][3][3] is read as [out][ky][kx][channel] */
} plain;

static size_t column(const plain *p, size_t k)
{
    return p->stem ? k % 3 * 9 + k / 3 : k;
}

static void pack(cursor *c, const plain *p, size_t vector, scarlet__packed_dense *d)
{
    d->out = scarlet__cut(p->out, vector, p->most);
    d->k = p->k;
    float *bias = take(c, d->out.padded), *w = take(c, d->out.padded * p->k);
    d->bias = bias;
    d->weight = w;
    if (!w)
        return;
    scarlet__pack_bias(p->bias, p->out, vector, bias);
    for (size_t n = 0; n < d->out.count; n++) {
        size_t width = scarlet__chunk_width(&d->out, n), first = scarlet__chunk_offset(&d->out, n);
        size_t rows = first + width < p->out ? width : p->out - first; /* the rest stays zero */
        for (size_t k = 0; k < p->in; k++) {
            const float *from = p->weight + first * p->in + column(p, k);
            for (size_t j = 0; j < rows; j++)
                w[k * width + j] = from[j * p->in];
        }
        w += width * p->k;
    }
}

static void pack_layer(cursor *c, const scarlet__layer *l, const scarlet__layer_weights *w,
                       size_t vector, scarlet__fused_layer *f)
{
    size_t in = (size_t)l->in, out = (size_t)l->out, h = (size_t)l->hidden, s = (size_t)l->squeeze;
    size_t taps = (size_t)l->kernel * (size_t)l->kernel;
    const size_t gemm = SCARLET__GEMM_VECTORS, gemv = SCARLET__GEMV_VECTORS;
    bool stem = l->kind == SCARLET_LAYER_STEM;
    size_t channels = l->kind == SCARLET_LAYER_SEPARABLE ? in : h;
    size_t project_in = stem ? in * taps : channels ? channels : in;
    size_t project_k = channels ? scarlet__round_up(channels, vector) : project_in;
    if (h)
        pack(c, &(plain){w->expand, w->expand_bias, h, in, in, gemm, false}, vector, &f->expand);
    if (channels) {
        f->hidden = scarlet__cut(channels, vector, gemm);
        float *bias = take(c, f->hidden.padded), *weight = take(c, f->hidden.padded * taps);
        f->depthwise = weight;
        f->depthwise_bias = bias;
        if (weight) {
            scarlet__pack_bias(w->depthwise_bias, channels, vector, bias);
            scarlet__pack_depthwise(w->depthwise, channels, taps, vector, weight);
        }
    }
    if (s) {
        pack(c, &(plain){w->squeeze, w->squeeze_bias, s, h, h, gemv, false}, vector, &f->squeeze);
        pack(c, &(plain){w->excite, w->excite_bias, h, s, s, gemv, false}, vector, &f->excite);
    }
    if (l->kind != SCARLET_LAYER_IDENTITY)
        pack(c,
             &(plain){w->project, w->project_bias, out, project_in, project_k,
                      l->kind == SCARLET_LAYER_CLASSIFIER ? gemv : gemm, stem},
             vector, &f->project);
    f->end = c->memory ? (const char *)(c->memory + c->used) : NULL;
}

void scarlet__fused_weights_free(void *data)
{
    scarlet__fused_weights *w = data;
    if (w)
        scarlet__pages_free(w->memory, w->bytes);
    scarlet__free(w);
}

scarlet_status scarlet__fused_weights_create(const scarlet__network *network,
                                             const scarlet__tensors *tensors,
                                             const scarlet__kernels *kernels, void **out,
                                             size_t *bytes, scarlet_error *err)
{
    const size_t vector = (size_t)kernels->vector;
    scarlet__fused_weights *w = scarlet__calloc(1, sizeof *w);
    *out = NULL;
    if (!w)
        return scarlet__fail_memory(err);
    w->kernels = kernels;
    w->count = network->count;
    cursor c = {0};
    for (int i = 0; i < w->count; i++)
        pack_layer(&c, &network->layer[i], &(scarlet__layer_weights){0}, vector, &w->layer[i]);
    w->bytes = c.used * sizeof(float);
    w->memory = scarlet__pages_alloc(w->bytes);
    scarlet_status status = w->memory ? SCARLET_OK : scarlet__fail_memory(err);
    c = (cursor){w->memory, 0};
    scarlet__layer_weights plain_weights = {0};
    for (int i = 0; i < w->count && status == SCARLET_OK; i++) {
        status = scarlet__layer_weights_read(tensors, &network->layer[i], &plain_weights, err);
        if (status == SCARLET_OK)
            pack_layer(&c, &network->layer[i], &plain_weights, vector, &w->layer[i]);
    }
    scarlet__layer_weights_free(&plain_weights);
    if (status != SCARLET_OK) {
        scarlet__fused_weights_free(w);
        return status;
    }
    *bytes = sizeof *w + w->bytes;
    *out = w;
    return SCARLET_OK;
}
