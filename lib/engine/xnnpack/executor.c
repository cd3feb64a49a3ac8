/*
 * The executor for CPUs without tuned kernels: XNNPACK operators for dense layers, our kernels for
 * the rest.
 *
 * Every tensor is NHWC with channels padded to whole vectors. A block runs as
 *   expand (XNNPACK) -> activation and depthwise (ours, chunk by chunk) -> squeeze-excite ->
 *   project (XNNPACK) -> residual.
 * Pictures of a batch run one after the other, so that a picture's scores cannot depend on its
 * place.
 */
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "common/error.h"
#include "common/memory.h"
#include "engine/buffers.h"
#include "engine/engine.h"
#include "engine/fold.h"
#include "engine/geometry.h"
#include "engine/xnnpack/operators.h"
#include "engine/xnnpack/pool.h"

enum {
    BAND_ROWS = 28 /* output rows of a depthwise task; a task's halo rows are activated twice */
};

/* ---- weights: folded, and the depthwise part packed ---- */

typedef struct {
    int count;
    struct {
        scarlet__layer_weights plain;
        float *depthwise, *depthwise_bias; /* packed */
    } layer[SCARLET__NETWORK_LAYERS_MAX];
} weights;

static size_t vectors(const scarlet__kernels *k, int channels)
{
    return scarlet__round_up((size_t)channels, (size_t)k->vector);
}

/* Channels of a layer's depthwise convolution; 0 if it has none. */
static int depthwise_channels(const scarlet__layer *l)
{
    return l->kind == SCARLET_LAYER_SEPARABLE ? l->in : l->hidden;
}

static void weights_free(void *data)
{
    weights *w = data;
    for (int i = 0; w && i < w->count; i++) {
        scarlet__layer_weights_free(&w->layer[i].plain);
        scarlet__free(w->layer[i].depthwise);
        scarlet__free(w->layer[i].depthwise_bias);
    }
    scarlet__free(w);
}

/* Weights and bias, packed. */
static size_t depthwise_floats(const scarlet__layer *l, const scarlet__kernels *k)
{
    return vectors(k, depthwise_channels(l)) * ((size_t)l->kernel * (size_t)l->kernel + 1);
}

static scarlet_status pack_depthwise(const scarlet__layer_weights *plain, const scarlet__layer *l,
                                     const scarlet__kernels *k, float **weight, float **bias,
                                     scarlet_error *err)
{
    size_t channels = (size_t)depthwise_channels(l), padded = vectors(k, (int)channels);
    size_t taps = (size_t)l->kernel * (size_t)l->kernel, vector = (size_t)k->vector;
    *weight = scarlet__alloc(padded * taps, sizeof **weight);
    *bias = scarlet__alloc(padded, sizeof **bias);
    if (!*weight || !*bias)
        return scarlet__fail_memory(err);
    scarlet__pack_depthwise(plain->depthwise, channels, taps, vector, *weight);
    scarlet__pack_bias(plain->depthwise_bias, channels, vector, *bias);
    return SCARLET_OK;
}

/* [out][in][3][3] to [out][3][3][in], in place. */
static void stem_to_nhwc(float *weight, size_t out, size_t in)
{
    for (size_t o = 0; o < out; o++) {
        float plain[3 * 9], *w = weight + o * in * 9;
        memcpy(plain, w, sizeof plain);
        for (size_t i = 0; i < in; i++)
            for (size_t t = 0; t < 9; t++)
                w[t * in + i] = plain[i * 9 + t];
    }
}

static scarlet_status weights_create(const scarlet__network *network,
                                     const scarlet__tensors *tensors, const scarlet__kernels *k,
                                     int precision, void **out, size_t *bytes, scarlet_error *err)
{
    (void)precision; /* float32 only */
    weights *w = scarlet__calloc(1, sizeof *w);
    *out = NULL;
    if (!w)
        return scarlet__fail_memory(err);
    *bytes = sizeof *w;
    scarlet_status status = SCARLET_OK;
    for (int i = 0; i < network->count && status == SCARLET_OK; i++) {
        const scarlet__layer *l = &network->layer[i];
        status = scarlet__layer_weights_read(tensors, l, &w->layer[i].plain, err);
        w->count = i + 1;
        if (status == SCARLET_OK && depthwise_channels(l))
            status = pack_depthwise(&w->layer[i].plain, l, k, &w->layer[i].depthwise,
                                    &w->layer[i].depthwise_bias, err);
        if (status == SCARLET_OK && l->kind == SCARLET_LAYER_STEM)
            stem_to_nhwc(w->layer[i].plain.project, (size_t)l->out, (size_t)l->in);
        *bytes += scarlet__pages_size(w->layer[i].plain.room * sizeof(float)) +
                  depthwise_floats(l, k) * sizeof(float);
    }
    if (status != SCARLET_OK) {
        weights_free(w);
        return status;
    }
    *out = w;
    return SCARLET_OK;
}

/* ---- executor ---- */

typedef struct {
    const scarlet__layer *layer;
    const scarlet__layer_weights *weights;
    const float *depthwise, *depthwise_bias; /* packed */
    int side, out_side;                      /* of the layer's input and output */
    const float *in;                         /* NHWC, channels padded */
    float *out;
    scarlet__operator *expand, *squeeze, *excite, *project;
} step;

/* The depthwise part of a layer, cut into tasks of one chunk and one band of rows. */
typedef struct {
    const scarlet__layer *layer;
    const float *weight, *bias; /* packed */
    const float *in;
    float *out;
    float *sums; /* [band][channels], or NULL */
    int side, out_side;
    size_t channels; /* padded */
    size_t bands, tasks;
    scarlet__activation activate_in, activate_out;
} depthwise;

typedef struct {
    scarlet__execution e;
    int count;
    step step[SCARLET__NETWORK_LAYERS_MAX];
    scarlet__buffers buffers; /* all of those below */
    float *picture;           /* NHWC */
    float *a, *b;             /* inputs and outputs of layers, in turn */
    float *expanded, *hidden; /* before and after depthwise */
    float *sums, *pooled, *squeezed, *gate, *features;
    float *ring; /* of each thread */
    size_t ring_size;
    depthwise work; /* what the threads do now */
    atomic_size_t next;
    atomic_uint handover;  /* orders memory between the pool's threads; the pool promises nothing */
    pthreadpool_t pool;    /* NULL with one thread */
    size_t operator_bytes; /* XNNPACK packs dense weights for each session */
} executor;

/* Channels of a chunk for `padded` channels in all. */
static size_t chunk_size(size_t padded)
{
    return padded < SCARLET__CHUNK_MAX ? padded : SCARLET__CHUNK_MAX;
}

static size_t band_count(int out_side)
{
    return ((size_t)out_side + BAND_ROWS - 1) / BAND_ROWS;
}

static void depthwise_task(executor *x, size_t task, float *ring)
{
    const depthwise *d = &x->work;
    const scarlet__kernels *kernels = x->e.kernels;
    const int k = d->layer->kernel, s = d->layer->stride;
    const int pad = scarlet__layer_padding(d->layer, d->side);
    const size_t first = task / d->bands * SCARLET__CHUNK_MAX, band = task % d->bands;
    const size_t left = d->channels - first;
    const size_t channels = left < SCARLET__CHUNK_MAX ? left : SCARLET__CHUNK_MAX;
    const size_t width = scarlet__ring_width(d->layer, d->side, d->out_side);
    const size_t row = width * channels, taps = (size_t)k * (size_t)k;
    float *zero = ring + (size_t)k * row;
    float *sum = d->sums ? d->sums + band * d->channels + first : NULL;
    const scarlet__depthwise_fn run = kernels->depthwise[k / 2 - 1][s - 1];

    memset(ring, 0, (size_t)(k + 1) * row * sizeof *ring);
    if (sum)
        memset(sum, 0, channels * sizeof *sum);
    int y = (int)band * BAND_ROWS;
    int end = y + BAND_ROWS < d->out_side ? y + BAND_ROWS : d->out_side;
    int ready = y * s - pad; /* input rows below this one are in the ring */
    if (ready < 0)
        ready = 0;
    for (; y < end; y++) {
        const float *rows[7];
        int top = y * s - pad;
        for (; ready < top + k && ready < d->side; ready++)
            kernels->activate(d->in + (size_t)ready * (size_t)d->side * d->channels + first,
                              d->channels,
                              ring + (size_t)(ready % k) * row + (size_t)pad * channels, channels,
                              (size_t)d->side, channels, d->activate_in);
        for (int i = 0; i < k; i++) {
            int r = top + i;
            rows[i] = r < 0 || r >= d->side ? zero : ring + (size_t)(r % k) * row;
        }
        const scarlet__depthwise row_of = {
            .rows = rows,
            .channels = channels,
            .weights = d->weight + first * taps,
            .bias = d->bias + first,
            .out = d->out + (size_t)y * (size_t)d->out_side * d->channels + first,
            .out_stride = d->channels,
            .width = (size_t)d->out_side,
            .activation = d->activate_out,
            .sum = sum,
        };
        run(&row_of);
    }
}

/* One of the pool's threads: takes tasks until none is left. */
static void depthwise_worker(void *context, size_t thread)
{
    executor *x = context;
    atomic_load_explicit(&x->handover, memory_order_acquire);
    for (size_t i;
         (i = atomic_fetch_add_explicit(&x->next, 1, memory_order_relaxed)) < x->work.tasks;)
        depthwise_task(x, i, x->ring + thread * x->ring_size);
    atomic_fetch_add_explicit(&x->handover, 1, memory_order_release);
}

static void run_depthwise(executor *x, const step *t, const float *in, float *sums)
{
    const scarlet__layer *l = t->layer;
    const bool block = l->kind == SCARLET_LAYER_BLOCK;
    const bool hswish = block && l->style.activation == SCARLET__BLOCK_HSWISH;
    const scarlet__activation activation = hswish ? SCARLET__HSWISH6 : SCARLET__RELU6;
    size_t channels = vectors(x->e.kernels, depthwise_channels(l));
    x->work = (depthwise){
        .layer = l,
        .weight = t->depthwise,
        .bias = t->depthwise_bias,
        .in = in,
        .out = x->hidden,
        .sums = sums,
        .side = t->side,
        .out_side = t->out_side,
        .channels = channels,
        .bands = band_count(t->out_side),
        .activate_in = block ? activation : SCARLET__LINEAR,
        .activate_out = activation,
    };
    x->work.tasks = x->work.bands * ((channels + SCARLET__CHUNK_MAX - 1) / SCARLET__CHUNK_MAX);
    atomic_store_explicit(&x->next, 0, memory_order_relaxed);
    atomic_fetch_add_explicit(&x->handover, 1, memory_order_release);
    if (x->pool)
        pthreadpool_parallelize_1d(x->pool, depthwise_worker, x, x->e.threads,
                                   PTHREADPOOL_FLAG_YIELD_WORKERS);
    else
        depthwise_worker(x, 0);
    atomic_load_explicit(&x->handover, memory_order_acquire);
}

static scarlet_status run_squeeze_excite(executor *x, const step *t, scarlet_error *err)
{
    const scarlet__kernels *k = x->e.kernels;
    size_t channels = vectors(k, t->layer->hidden);
    k->mean(x->sums, band_count(t->out_side), channels, 1.0f / (float)scarlet__square(t->out_side),
            x->pooled);
    scarlet_status status = scarlet__operator_run(t->squeeze, x->pool, err);
    if (status == SCARLET_OK)
        status = scarlet__operator_run(t->excite, x->pool, err);
    if (status != SCARLET_OK)
        return status;
    k->hard_sigmoid(x->gate, channels);
    k->scale(x->hidden, x->gate, scarlet__square(t->out_side), channels);
    return SCARLET_OK;
}

static scarlet_status run_step(executor *x, const step *t, scarlet_error *err)
{
    const scarlet__kernels *k = x->e.kernels;
    scarlet_status status = SCARLET_OK;
    switch (t->layer->kind) {
    case SCARLET_LAYER_SEPARABLE:
        run_depthwise(x, t, t->in, NULL);
        return scarlet__operator_run(t->project, x->pool, err);
    case SCARLET_LAYER_BLOCK:
        status = scarlet__operator_run(t->expand, x->pool, err);
        if (status == SCARLET_OK) {
            run_depthwise(x, t, x->expanded, t->squeeze ? x->sums : NULL);
            if (t->squeeze)
                status = run_squeeze_excite(x, t, err);
        }
        if (status == SCARLET_OK)
            status = scarlet__operator_run(t->project, x->pool, err);
        if (status == SCARLET_OK && t->layer->residual)
            k->add(t->out, t->in, scarlet__square(t->side) * vectors(k, t->layer->out));
        return status;
    case SCARLET_LAYER_TAIL:
        status = scarlet__operator_run(t->project, x->pool, err);
        if (status == SCARLET_OK)
            k->mean(x->expanded, scarlet__square(t->side), vectors(k, t->layer->out),
                    1.0f / (float)scarlet__square(t->side), x->features);
        return status;
    case SCARLET_LAYER_IDENTITY:
        return SCARLET_OK;
    default: /* stem, classifier */
        return scarlet__operator_run(t->project, x->pool, err);
    }
}

/* Puts a picture into the stem's buffer, NHWC. */
static void take_picture(executor *x, const float *picture)
{
    size_t pixels = scarlet__square(x->e.side);
    if (x->e.nhwc) {
        memcpy(x->picture, picture, pixels * 3 * sizeof *picture);
        return;
    }
    for (size_t p = 0; p < pixels; p++)
        for (size_t c = 0; c < 3; c++)
            x->picture[p * 3 + c] = picture[c * pixels + p];
}

static scarlet_status run(void *data, const float *pictures, size_t batch, float *out,
                          const scarlet__tracer *tracer, scarlet_error *err)
{
    executor *x = data;
    const step *last = &x->step[x->count - 1];
    size_t length = (size_t)last->layer->out;
    for (size_t i = 0; i < batch; i++) {
        take_picture(x, pictures + i * scarlet__square(x->e.side) * 3);
        for (int j = 0; j < x->count; j++) {
            const step *t = &x->step[j];
            scarlet_status status = run_step(x, t, err);
            if (status != SCARLET_OK)
                return status;
            if (tracer)
                tracer->layer(tracer->user, i, j, t->out_side, t->layer->out, t->out,
                              vectors(x->e.kernels, t->layer->out));
        }
        memcpy(out + i * length, last->out, length * sizeof *out);
    }
    return SCARLET_OK;
}

static void executor_free(void *data)
{
    executor *x = data;
    for (int i = 0; x && i < x->count; i++) {
        scarlet__operator_free(x->step[i].expand);
        scarlet__operator_free(x->step[i].squeeze);
        scarlet__operator_free(x->step[i].excite);
        scarlet__operator_free(x->step[i].project);
    }
    if (x) {
        scarlet__pages_free(x->buffers.memory, x->buffers.bytes);
        if (x->pool)
            pthreadpool_destroy(x->pool);
    }
    scarlet__free(x);
}

/* ---- creation ---- */

/* Floats of the buffers, as the largest layer of each kind needs them. */
typedef struct {
    size_t map, expanded, hidden, channels, squeeze, ring, sums;
} sizes;

static sizes measure(const executor *x)
{
    const scarlet__kernels *k = x->e.kernels;
    sizes n = {0};
    for (int i = 0; i < x->count; i++) {
        const step *t = &x->step[i];
        const scarlet__layer *l = t->layer;
        size_t wide = vectors(k, depthwise_channels(l)), in = scarlet__square(t->side);
        n.map = scarlet__max(n.map, scarlet__square(t->out_side) * vectors(k, l->out));
        if (l->kind == SCARLET_LAYER_TAIL)
            n.expanded = scarlet__max(n.expanded, in * vectors(k, l->out));
        if (!wide)
            continue;
        n.expanded = scarlet__max(n.expanded, in * wide);
        n.hidden = scarlet__max(n.hidden, scarlet__square(t->out_side) * wide);
        n.channels = scarlet__max(n.channels, wide);
        n.squeeze = scarlet__max(n.squeeze, vectors(k, l->squeeze));
        n.ring = scarlet__max(n.ring, scarlet__ring_width(l, t->side, t->out_side) *
                                          chunk_size(wide) * (size_t)(l->kernel + 1));
        n.sums = scarlet__max(n.sums, band_count(t->out_side) * wide);
    }
    return n;
}

static void cut(executor *x, const sizes *n)
{
    scarlet__buffers *b = &x->buffers;
    const size_t tail = vectors(x->e.kernels, x->e.network->space.tail);
    x->picture = scarlet__buffer(b, scarlet__square(x->e.side) * 3, sizeof(float));
    x->a = scarlet__buffer(b, n->map, sizeof(float));
    x->b = scarlet__buffer(b, n->map, sizeof(float));
    x->expanded = scarlet__buffer(b, n->expanded, sizeof(float));
    x->hidden = scarlet__buffer(b, n->hidden, sizeof(float));
    x->sums = scarlet__buffer(b, n->sums, sizeof(float));
    x->pooled = scarlet__buffer(b, n->channels, sizeof(float));
    x->squeezed = scarlet__buffer(b, n->squeeze, sizeof(float));
    x->gate = scarlet__buffer(b, n->channels, sizeof(float));
    x->features = scarlet__buffer(b, tail, sizeof(float));
    x->ring_size = n->ring;
    x->ring = scarlet__buffer(b, n->ring * x->e.threads, sizeof(float));
}

static scarlet_status allocate(executor *x, scarlet_error *err)
{
    const sizes n = measure(x);
    cut(x, &n);
    scarlet_status status = scarlet__buffers_take(&x->buffers, x->e.taken, x->e.limit, err);
    if (status == SCARLET_OK)
        cut(x, &n);
    return status;
}

/* Makes an operator for a layer of which only strides are missing. */
static scarlet_status dense(executor *x, scarlet__operator_layer layer, scarlet__operator **op,
                            scarlet_error *err)
{
    layer.in_stride = vectors(x->e.kernels, (int)layer.in);
    layer.out_stride = vectors(x->e.kernels, (int)layer.out);
    x->operator_bytes += scarlet__operator_dense_bytes(&layer);
    return scarlet__operator_dense(&layer, x->pool, op, err);
}

static scarlet_status stem(executor *x, step *t, scarlet_error *err)
{
    const scarlet__operator_layer layer = {
        .in = (size_t)t->layer->in,
        .out = (size_t)t->layer->out,
        .in_stride = (size_t)t->layer->in,
        .out_stride = vectors(x->e.kernels, t->layer->out),
        .weight = t->weights->project,
        .bias = t->weights->project_bias,
        .low = 0,
        .high = 6,
        .pixels = (size_t)t->side,
        .padding = (size_t)scarlet__layer_padding(t->layer, t->side),
        .input = t->in,
        .output = t->out,
    };
    x->operator_bytes += scarlet__operator_stem_bytes(&layer);
    return scarlet__operator_stem(&layer, x->pool, &t->project, err);
}

/* Makes the operators of one layer, bound to their buffers. */
static scarlet_status prepare(executor *x, step *t, scarlet_error *err)
{
    const scarlet__layer *l = t->layer;
    const scarlet__layer_weights *w = t->weights;
    const float inf = INFINITY;
    const size_t in = scarlet__square(t->side), out = scarlet__square(t->out_side);
    const size_t narrow = (size_t)l->in, hidden = (size_t)l->hidden, squeeze = (size_t)l->squeeze;
    const scarlet__operator_layer expand = {.in = narrow,
                                            .out = hidden,
                                            .weight = w->expand,
                                            .bias = w->expand_bias,
                                            .low = -inf,
                                            .high = inf,
                                            .pixels = in,
                                            .input = t->in,
                                            .output = x->expanded};
    const scarlet__operator_layer squeezing = {.in = hidden,
                                               .out = squeeze,
                                               .weight = w->squeeze,
                                               .bias = w->squeeze_bias,
                                               .low = 0,
                                               .high = inf,
                                               .pixels = 1,
                                               .input = x->pooled,
                                               .output = x->squeezed};
    const scarlet__operator_layer excite = {.in = squeeze,
                                            .out = hidden,
                                            .weight = w->excite,
                                            .bias = w->excite_bias,
                                            .low = -inf,
                                            .high = inf,
                                            .pixels = 1,
                                            .input = x->squeezed,
                                            .output = x->gate};
    scarlet__operator_layer project = {.in = narrow,
                                       .out = (size_t)l->out,
                                       .weight = w->project,
                                       .bias = w->project_bias,
                                       .low = -inf,
                                       .high = inf,
                                       .pixels = out,
                                       .input = x->hidden,
                                       .output = t->out};
    scarlet_status status = SCARLET_OK;
    switch (l->kind) {
    case SCARLET_LAYER_STEM:
        return stem(x, t, err);
    case SCARLET_LAYER_BLOCK:
        project.in = hidden;
        status = dense(x, expand, &t->expand, err);
        if (status == SCARLET_OK && l->squeeze)
            status = dense(x, squeezing, &t->squeeze, err);
        if (status == SCARLET_OK && l->squeeze)
            status = dense(x, excite, &t->excite, err);
        if (status == SCARLET_OK)
            status = dense(x, project, &t->project, err);
        return status;
    case SCARLET_LAYER_SEPARABLE:
        return dense(x, project, &t->project, err);
    case SCARLET_LAYER_TAIL: /* averaged after it */
        project.low = 0;
        project.high = 6;
        project.pixels = in;
        project.input = t->in;
        project.output = x->expanded;
        return dense(x, project, &t->project, err);
    case SCARLET_LAYER_CLASSIFIER:
        project.pixels = 1;
        project.input = t->in;
        return dense(x, project, &t->project, err);
    default:
        return SCARLET_OK;
    }
}

/* Gives each layer its buffers: outputs alternate between two, an identity's output is its input.
 */
static void connect(executor *x)
{
    const float *in = x->picture;
    float *next = x->a;
    for (int i = 0; i < x->count; i++) {
        step *t = &x->step[i];
        t->in = in;
        if (t->layer->kind == SCARLET_LAYER_IDENTITY) {
            t->out = next == x->a ? x->b : x->a; /* where the input is */
            continue;
        }
        if (t->layer->kind == SCARLET_LAYER_TAIL) {
            t->out = x->features;
        } else {
            t->out = next;
            next = next == x->a ? x->b : x->a;
        }
        in = t->out;
    }
}

static scarlet_status create(const scarlet__execution *e, void **out, size_t *bytes,
                             scarlet_error *err)
{
    const weights *w = e->weights;
    *out = NULL;
    executor *x = scarlet__calloc(1, sizeof *x);
    if (!x)
        return scarlet__fail_memory(err);
    x->e = *e;
    x->count = e->network->count - (e->features ? 1 : 0);
    int side = e->side;
    for (int i = 0; i < x->count; i++) {
        step *t = &x->step[i];
        t->layer = &e->network->layer[i];
        t->weights = &w->layer[i].plain;
        t->depthwise = w->layer[i].depthwise;
        t->depthwise_bias = w->layer[i].depthwise_bias;
        t->side = side;
        side = t->out_side = scarlet__layer_side(t->layer, side);
    }
    scarlet_status status = SCARLET_OK;
    if (e->threads > 1)
        status = scarlet__pool_create(e->threads, &x->pool, err);
    if (status == SCARLET_OK)
        status = allocate(x, err);
    if (status == SCARLET_OK)
        connect(x);
    for (int i = 0; i < x->count && status == SCARLET_OK; i++)
        status = prepare(x, &x->step[i], err);
    *bytes = sizeof *x + scarlet__pages_size(x->buffers.bytes) + x->operator_bytes;
    if (status != SCARLET_OK) {
        executor_free(x);
        return status;
    }
    *out = x;
    return SCARLET_OK;
}

const scarlet__engine scarlet__engine_xnnpack = {
    .id = SCARLET_ENGINE_XNNPACK,
    .start = scarlet__xnnpack_start,
    .weights_create = weights_create,
    .weights_free = weights_free,
    .create = create,
    .free = executor_free,
    .run = run,
};
