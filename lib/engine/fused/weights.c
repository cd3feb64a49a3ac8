#include "engine/fused/weights.h"

#include "common/error.h"
#include "common/memory.h"
#include "engine/fold.h"
#include "engine/fused/packing.h"
#include "engine/pack.h"

static size_t column(const scarlet__plain *p, size_t k)
{
    return p->stem ? k % 3 * 9 + k / 3 : k;
}

static void pack(scarlet__cursor *c, const scarlet__plain *p, size_t vector,
                 scarlet__packed_dense *d)
{
    d->out = scarlet__cut(p->out, vector, p->most);
    d->begin = scarlet__cursor_place(c);
    d->k = p->k;
    float *bias = scarlet__cursor_take(c, d->out.padded * sizeof *bias);
    float *w = scarlet__cursor_take(c, d->out.padded * p->k * sizeof *w);
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
                /* Weights are absent only while counting. NOLINTNEXTLINE(clang-analyzer-core.*) */
                w[k * width + j] = from[j * p->in];
        }
        w += width * p->k;
    }
}

/* For gemms of bfloat16. Each row of the stem's 3x3 kernel, 9 values, becomes 5 pairs. */
static void pack_pairs(scarlet__cursor *c, const scarlet__plain *p, size_t vector,
                       scarlet__packed_dense *d)
{
    const size_t row = p->stem ? 9 : p->in, padded = p->stem ? 10 : p->k;
    d->out = scarlet__cut(p->out, vector, p->most);
    d->begin = scarlet__cursor_place(c);
    d->k = p->in / row * padded;
    d->pairs = true;
    float *bias = scarlet__cursor_take(c, d->out.padded * sizeof *bias);
    uint16_t *w = scarlet__cursor_take(c, d->out.padded * d->k * sizeof *w);
    d->bias = bias;
    d->weight = (const float *)(const void *)w;
    c->row_room = p->in > c->row_room ? p->in : c->row_room;
    if (!w)
        return;
    scarlet__pack_bias(p->bias, p->out, vector, bias);
    uint16_t *values = (uint16_t *)(void *)(c->row);
    for (size_t n = 0; n < d->out.count; n++) {
        size_t width = scarlet__chunk_width(&d->out, n), first = scarlet__chunk_offset(&d->out, n);
        for (size_t j = 0; j < width && first + j < p->out; j++) {
            const float *from = p->weight + (first + j) * p->in;
            for (size_t k = 0; k < p->in; k += p->stem ? 9 : 1)
                scarlet__taps_to_bf16(from + k, p->gain, p->stem ? 9 : 1, values + k);
            for (size_t k = 0; k < p->in; k++) {
                const size_t place = k / row * padded + k % row;
                w[(place / 2 * width + j) * 2 + place % 2] = values[column(p, k)];
            }
        }
        w += width * d->k;
    }
}

static void pack_layer(scarlet__cursor *c, const scarlet__layer *l, const scarlet__layer_weights *w,
                       const scarlet__kernels *kernels, int precision, scarlet__fused_layer *f)
{
    size_t in = (size_t)l->in, out = (size_t)l->out, h = (size_t)l->hidden, s = (size_t)l->squeeze;
    size_t taps = (size_t)l->kernel * (size_t)l->kernel, vector = (size_t)kernels->vector;
    const size_t gemm = SCARLET__GEMM_VECTORS, gemv = SCARLET__GEMV_VECTORS;
    bool stem = l->kind == SCARLET_LAYER_STEM, classifier = l->kind == SCARLET_LAYER_CLASSIFIER;
    bool integers = f->precision != SCARLET_PRECISION_F32;
    size_t channels = l->kind == SCARLET_LAYER_SEPARABLE ? in : h;
    size_t project_in = stem ? in * taps : channels ? channels : in;
    size_t project_k = channels ? scarlet__round_up(channels, vector) : project_in;
    const scarlet__plain expand = {w->expand, w->expand_bias, h, in, in, gemm, .gain = 1};
    const scarlet__plain squeeze = {w->squeeze, w->squeeze_bias, s, h, h, gemv, .gain = 1};
    const scarlet__plain excite = {w->excite, w->excite_bias, h, s, s, gemv, .gain = 1};
    /* The project reads what the depthwise part has cut. */
    const float gain = f->pairs && channels ? SCARLET__BF16_GAIN : 1;
    const scarlet__plain project = {.weight = w->project,
                                    .bias = w->project_bias,
                                    .out = out,
                                    .in = project_in,
                                    .k = project_k,
                                    .most = classifier ? gemv : gemm,
                                    .stem = stem,
                                    .gain = gain,
                                    .hidden = channels > 0,
                                    .least = scarlet__least(f->activation)};
    if (h && integers)
        scarlet__pack_integers(c, kernels, precision, &expand, &f->expand);
    else if (h)
        pack(c, &expand, vector, &f->expand);
    if (channels) {
        f->hidden = scarlet__cut(channels, vector, gemm);
        float *bias = scarlet__cursor_take(c, f->hidden.padded * sizeof *bias);
        size_t lanes = f->pairs ? scarlet__bf16_depthwise_lanes((size_t)l->kernel) : taps;
        float *weight = scarlet__cursor_take(c, f->hidden.padded * lanes * sizeof *weight);
        f->depthwise = weight;
        f->depthwise_bias = bias;
        if (weight) {
            scarlet__pack_bias(w->depthwise_bias, channels, vector, bias);
            if (f->pairs)
                scarlet__pack_bf16_depthwise(w->depthwise, gain, channels, (size_t)l->kernel,
                                             vector, (uint32_t *)(void *)weight);
            else
                scarlet__pack_depthwise(w->depthwise, channels, taps, vector, weight);
        }
    }
    if (s && integers) {
        scarlet__pack_vector_integers(c, kernels, precision, &squeeze, &f->squeeze);
        scarlet__pack_vector_integers(c, kernels, precision, &excite, &f->excite);
    } else if (s) {
        pack(c, &squeeze, vector, &f->squeeze);
        pack(c, &excite, vector, &f->excite);
    }
    if (integers && classifier)
        scarlet__pack_vector_integers(c, kernels, precision, &project, &f->project);
    else if (integers && l->kind != SCARLET_LAYER_IDENTITY)
        scarlet__pack_integers(c, kernels, f->precision, &project, &f->project);
    else if (f->pairs && l->kind != SCARLET_LAYER_IDENTITY)
        pack_pairs(c, &project, vector, &f->project);
    else if (l->kind != SCARLET_LAYER_IDENTITY)
        pack(c, &project, vector, &f->project);
    if (f->pairs && integers) {
        f->expand.kernels = &kernels->bf16.expand;
        f->project.kernels = &kernels->bf16.project;
    }
}

int scarlet__fused_layer_precision(const scarlet__network *network, int layer, int precision)
{
    const scarlet__layer *l = &network->layer[layer];
    if (l->kind == SCARLET_LAYER_STEM || l->kind == SCARLET_LAYER_SEPARABLE)
        return SCARLET_PRECISION_F32;
    if (l->kind != SCARLET_LAYER_BLOCK || precision != SCARLET_PRECISION_INT8)
        return precision;
    for (int i = layer + 1; i < network->count; i++)
        if (network->layer[i].kind == SCARLET_LAYER_BLOCK)
            return precision;
    return SCARLET_PRECISION_INT16;
}

/* Is a layer of an int8 network computed in bfloat16 where the CPU can? */
static bool in_pairs(const scarlet__layer *l, int precision)
{
    return l->kind == SCARLET_LAYER_STEM || l->kind == SCARLET_LAYER_SEPARABLE ||
           (l->kind == SCARLET_LAYER_BLOCK && precision == SCARLET_PRECISION_INT8);
}

static scarlet__activation activation_of(const scarlet__layer *l)
{
    return l->kind == SCARLET_LAYER_BLOCK && l->style.activation == SCARLET__BLOCK_HSWISH
               ? SCARLET__HSWISH6
               : SCARLET__RELU6;
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
                                             const scarlet__kernels *kernels, int precision,
                                             void **out, size_t *bytes, scarlet_error *err)
{
    scarlet__fused_weights *w = scarlet__calloc(1, sizeof *w);
    *out = NULL;
    if (!w)
        return scarlet__fail_memory(err);
    w->precision = precision;
    w->count = network->count;
    scarlet__cursor c = {0};
    for (int i = 0; i < w->count; i++) {
        scarlet__fused_layer *f = &w->layer[i];
        f->precision = scarlet__fused_layer_precision(network, i, precision);
        f->activation = activation_of(&network->layer[i]);
        f->pairs = precision == SCARLET_PRECISION_INT8 && kernels->bf16.expand.group &&
                   in_pairs(&network->layer[i], f->precision);
        pack_layer(&c, &network->layer[i], &(scarlet__layer_weights){0}, kernels, precision, f);
    }
    w->bytes = c.used * sizeof(float);
    w->memory = scarlet__pages_alloc(w->bytes);
    scarlet_status status = w->memory ? SCARLET_OK : scarlet__fail_memory(err);
    c = (scarlet__cursor){.memory = w->memory, .row_room = c.row_room};
    if (status == SCARLET_OK)
        status = scarlet__cursor_make_room(&c, err);
    scarlet__layer_weights plain_weights = {0};
    for (int i = 0; i < w->count && status == SCARLET_OK; i++) {
        status = scarlet__layer_weights_read(tensors, &network->layer[i], &plain_weights, err);
        if (status == SCARLET_OK)
            pack_layer(&c, &network->layer[i], &plain_weights, kernels, precision, &w->layer[i]);
    }
    scarlet__layer_weights_free(&plain_weights);
    scarlet__free(c.row);
    if (status != SCARLET_OK) {
        scarlet__fused_weights_free(w);
        return status;
    }
    *bytes = sizeof *w + scarlet__pages_size(w->bytes);
    *out = w;
    return SCARLET_OK;
}
