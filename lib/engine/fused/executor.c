/* Creation, and a picture's way through the layers. */
#include <string.h>

#include "common/error.h"
#include "common/memory.h"
#include "engine/fused/fused.h"

/* ---- one picture ---- */

static void tail(const scarlet__worker *w, const scarlet__step *t, const scarlet__map *in)
{
    const scarlet__packed_dense *d = &t->weights->project;
    const size_t pixels = scarlet__square(t->side);
    scarlet__fused_announce(w, d);
    for (size_t n; scarlet__team_task(w->m, d->out.count, &n);) {
        size_t width = scarlet__chunk_width(&d->out, n);
        scarlet__fused_expand(w, t, n, in, 0, pixels, w->s->ring);
        w->k->mean(w->s->ring, pixels, width, 1.0f / (float)pixels,
                   w->lane->features + scarlet__chunk_offset(&d->out, n));
    }
}

static void trace(const scarlet__worker *w, int layer, const float *values)
{
    const scarlet__job *j = w->j;
    if (!j->tracer)
        return;
    const scarlet__step *t = &j->x->step[layer];
    j->tracer->layer(j->tracer->user, j->index, layer, t->out_side, t->layer->out, values,
                     scarlet__fused_padded(j->x, t->layer->out));
}

/* Stem and separable layer are one phase, the tail and the classifier one each. */
_Static_assert(SCARLET__SPACE_LAYERS_MAX *SCARLET__BLOCK_PHASES + 3 <= SCARLET__TEAM_PHASES,
               "a team has phases enough for the deepest network");

static void run_picture(void *context, scarlet__member *member)
{
    const scarlet__job *j = context;
    scarlet__fused *x = j->x;
    scarlet__lane *lane = j->lane;
    const scarlet__worker w = {j, x->e.kernels, lane, &x->scratch[j->first + member->index],
                               member};
    int at = 0; /* which map holds the input */
    scarlet__fused_stem(&w, &lane->map[0]);
    trace(&w, 0, lane->hidden);
    trace(&w, 1, lane->map[0].values);
    for (int i = 2; i < x->count; i++) {
        const scarlet__step *t = &x->step[i];
        const float *result = lane->map[at].values;
        switch (t->layer->kind) {
        case SCARLET_LAYER_BLOCK:
            scarlet__fused_block(&w, t, &lane->map[at], &lane->map[1 - at]);
            at = 1 - at;
            result = lane->map[at].values;
            break;
        case SCARLET_LAYER_TAIL:
            tail(&w, t, &lane->map[at]);
            result = lane->features;
            break;
        case SCARLET_LAYER_CLASSIFIER:
            for (size_t n; scarlet__team_task(member, t->weights->project.out.count, &n);)
                scarlet__fused_panel(&w, &t->weights->project, n, lane->features, lane->scores);
            result = lane->scores;
            break;
        default:
            break;
        }
        trace(&w, i, result);
    }
    if (member->index == 0)
        memcpy(j->out, x->e.features ? lane->features : lane->scores,
               (size_t)x->step[x->count - 1].layer->out * sizeof *j->out);
}

/* ---- a batch ---- */

typedef struct {
    scarlet__fused *x;
    const float *pictures;
    float *out;
    size_t count; /* pictures that threads take for themselves */
} batch;

static scarlet__job picture_job(scarlet__fused *x, unsigned number, const float *pictures, size_t i,
                                float *out)
{
    size_t length = (size_t)x->step[x->count - 1].layer->out;
    return (scarlet__job){.x = x,
                          .lane = &x->lane[number],
                          .picture = pictures + i * scarlet__square(x->e.side) * 3,
                          .out = out + i * length,
                          .index = i,
                          .first = number};
}

static void run_alone(void *context, scarlet__member *member)
{
    const batch *b = context;
    for (size_t i; scarlet__team_task(member, b->count, &i);) {
        scarlet__job j = picture_job(b->x, member->index, b->pictures, i, b->out);
        scarlet__team_run(&b->x->team[1 + member->index], run_picture, &j);
    }
}

static scarlet_status run(void *data, const float *pictures, size_t count, float *out,
                          const scarlet__tracer *tracer, scarlet_error *err)
{
    scarlet__fused *x = data;
    (void)err;
    /* As many pictures as fill all threads go one a thread, the rest one by one together. Only the
     * calling thread runs a traced picture. */
    batch b = {x, pictures, out, tracer ? 0 : count - count % x->e.threads};
    scarlet__team *together = tracer ? &x->team[1] : &x->team[0];
    if (x->e.threads > 1 && b.count)
        scarlet__team_run(&x->team[0], run_alone, &b);
    else
        b.count = 0;
    for (size_t i = b.count; i < count; i++) {
        scarlet__job j = picture_job(x, 0, pictures, i, out);
        j.tracer = tracer;
        scarlet__team_run(together, run_picture, &j);
    }
    return SCARLET_OK;
}

/* ---- creation ---- */

static void executor_free(void *data)
{
    scarlet__fused *x = data;
    if (!x)
        return;
    scarlet__pages_free(x->buffers.memory, x->buffers.bytes);
    if (x->team)
        scarlet__team_end(&x->team[0]);
    scarlet__pages_free(x->team, (x->e.threads + 1) * sizeof *x->team);
    scarlet__free(x->lane);
    scarlet__free(x->scratch);
    scarlet__free(x);
}

/* Floats that one thread's ring must hold for a layer. */
static size_t ring_floats(const scarlet__fused *x, const scarlet__step *t)
{
    const scarlet__chunks *hidden = &t->weights->hidden;
    const size_t ring = (size_t)(t->layer->kernel + 1) * scarlet__step_width(t);
    switch (t->layer->kind) {
    case SCARLET_LAYER_SEPARABLE:
        return scarlet__fused_stem_floats(x);
    case SCARLET_LAYER_BLOCK:
        return t->rows_outermost ? (ring + (size_t)t->out_side) * hidden->padded
                                 : ring * scarlet__chunk_width(hidden, 0);
    case SCARLET_LAYER_TAIL:
        return scarlet__square(t->side) * scarlet__chunk_width(&t->weights->project.out, 0);
    default:
        return 0;
    }
}

/* Values that the largest step of each kind needs, of one picture or one thread. */
typedef struct {
    size_t map, map_integers, map_pixels;
    size_t hidden, sums, channels, gated_weights, features, scores;
    size_t ring, segments, quantized, quantized_pixels;
} sizes;

static sizes measure(const scarlet__fused *x)
{
    sizes n = {.features = scarlet__fused_padded(x, x->e.network->space.tail),
               .scores = scarlet__fused_padded(x, x->e.network->classes)};
    for (int i = 0; i < x->count; i++) {
        const scarlet__step *t = &x->step[i];
        const scarlet__layer *l = t->layer;
        const scarlet__chunks *c = &t->weights->hidden;
        const size_t pixels = scarlet__square(t->out_side);
        const size_t out = pixels * scarlet__fused_padded(x, l->out);
        n.ring = scarlet__max(n.ring, ring_floats(x, t));
        n.segments = scarlet__max(n.segments, c->count);
        if (l->kind == SCARLET_LAYER_STEM)
            n.hidden = scarlet__max(n.hidden, out);
        if (l->kind == SCARLET_LAYER_SEPARABLE || l->kind == SCARLET_LAYER_BLOCK)
            n.map = scarlet__max(n.map, out);
        if (t->reader && t->reader->integers) {
            n.map_integers = scarlet__max(n.map_integers, out * 4 / t->reader->kernels->group);
            n.map_pixels = scarlet__max(n.map_pixels, pixels);
        }
        if (l->kind != SCARLET_LAYER_BLOCK)
            continue;
        n.channels = scarlet__max(n.channels, c->padded);
        if (l->squeeze || !t->rows_outermost)
            n.hidden = scarlet__max(n.hidden, scarlet__step_floats(t, pixels * c->padded));
        if (l->squeeze)
            n.sums = scarlet__max(n.sums, (size_t)t->out_side * c->padded);
        if (t->gates_weights)
            n.gated_weights = scarlet__max(n.gated_weights,
                                           t->weights->project.k * t->weights->project.out.padded);
    }
    if (x->weights->precision != SCARLET_PRECISION_F32) {
        n.quantized_pixels = SCARLET__QUANTIZED_PIXELS;
        n.quantized = n.quantized_pixels * n.channels * sizeof(int16_t); /* words are the widest */
    }
    return n;
}

static void cut(scarlet__fused *x, const sizes *n, scarlet__buffers *b)
{
    for (size_t i = 0; i < x->e.threads; i++) {
        scarlet__lane *l = &x->lane[i];
        scarlet__scratch *s = &x->scratch[i];
        for (size_t m = 0; m < 2; m++) {
            l->map[m].values = scarlet__buffer(b, n->map, sizeof(float));
            l->map[m].integers = scarlet__buffer(b, n->map_integers, 1);
            l->map[m].scale = scarlet__buffer(b, n->map_pixels, sizeof(float));
        }
        l->sums = scarlet__buffer(b, n->sums, sizeof(float));
        l->squeezed = scarlet__buffer(b, n->channels, sizeof(float));
        l->scores = scarlet__buffer(b, n->scores, sizeof(float));
        l->gate = scarlet__buffer(b, n->channels, sizeof(float));
        l->gated_weights = scarlet__buffer(b, n->gated_weights, sizeof(float));
        l->features = scarlet__buffer(b, n->features, sizeof(float));
        s->ring = scarlet__buffer(b, n->ring, sizeof(float));
        s->pooled = scarlet__buffer(b, n->channels, sizeof(float));
        s->quantized = scarlet__buffer(b, n->quantized, 1);
        s->quantized_scale = scarlet__buffer(b, n->quantized_pixels, sizeof(float));
        s->segment = scarlet__buffer(b, n->segments, sizeof *s->segment);
        /* The last: only tracing touches its end. */
        l->hidden = scarlet__buffer(b, n->hidden, sizeof(float));
    }
}

static scarlet_status allocate(scarlet__fused *x, size_t *bytes, scarlet_error *err)
{
    const size_t threads = x->e.threads;
    const sizes n = measure(x);
    x->lane = scarlet__calloc(threads, sizeof *x->lane);
    x->scratch = scarlet__calloc(threads, sizeof *x->scratch);
    x->team = scarlet__pages_alloc((threads + 1) * sizeof *x->team);
    if (!x->lane || !x->scratch || !x->team)
        return scarlet__fail_memory(err);
    cut(x, &n, &x->buffers);
    scarlet_status status = scarlet__buffers_take(&x->buffers, x->e.taken, x->e.limit, err);
    if (status == SCARLET_OK)
        cut(x, &n, &x->buffers);
    *bytes = sizeof *x +
             threads * (sizeof *x->lane + sizeof *x->scratch + sizeof *x->team->worker) +
             scarlet__pages_size(x->buffers.bytes) +
             scarlet__pages_size((threads + 1) * sizeof *x->team);
    return status;
}

/* What reads the step's input map. */
static const scarlet__packed_dense *entry(const scarlet__step *t)
{
    switch (t->layer->kind) {
    case SCARLET_LAYER_BLOCK:
        return &t->weights->expand;
    case SCARLET_LAYER_TAIL:
        return &t->weights->project;
    default:
        return NULL;
    }
}

/* Plans each layer. */
static void plan(scarlet__fused *x)
{
    int side = x->e.side;
    for (int i = 0; i < x->count; i++) {
        scarlet__step *t = &x->step[i];
        t->layer = &x->e.network->layer[i];
        t->weights = &x->weights->layer[i];
        t->entry = entry(t);
        t->side = side;
        t->padding = scarlet__layer_padding(t->layer, side);
        side = t->out_side = scarlet__layer_side(t->layer, side);
        if (t->layer->kind == SCARLET_LAYER_BLOCK)
            scarlet__fused_plan_block(t);
    }
    const scarlet__packed_dense *reader = NULL;
    for (int i = x->count; i-- > 0;) {
        scarlet__step *t = &x->step[i];
        t->reader = reader;
        reader = t->entry ? t->entry : reader;
    }
}

static scarlet_status create(const scarlet__execution *e, void **out, size_t *bytes,
                             scarlet_error *err)
{
    scarlet__fused *x = scarlet__calloc(1, sizeof *x);
    *out = NULL;
    if (!x)
        return scarlet__fail_memory(err);
    x->e = *e;
    x->weights = e->weights;
    x->count = e->network->count - (e->features ? 1 : 0);
    plan(x);
    scarlet_status status = allocate(x, bytes, err);
    for (unsigned i = 1; i <= e->threads && status == SCARLET_OK; i++)
        status = scarlet__team_begin(&x->team[i], 1, err);
    if (status == SCARLET_OK)
        status = scarlet__team_begin(&x->team[0], e->threads, err);
    if (status != SCARLET_OK) {
        executor_free(x);
        return status;
    }
    *out = x;
    return SCARLET_OK;
}

const scarlet__engine scarlet__engine_fused = {
    .id = SCARLET_ENGINE_FUSED,
    .weights_create = scarlet__fused_weights_create,
    .weights_free = scarlet__fused_weights_free,
    .layer_precision = scarlet__fused_layer_precision,
    .create = create,
    .free = executor_free,
    .run = run,
};
