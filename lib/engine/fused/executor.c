/* Creation, and the way of a picture through the layers. */
#include <string.h>

#include "common/error.h"
#include "common/memory.h"
#include "engine/buffers.h"
#include "engine/fused/fused.h"

/* ---- one picture ---- */

static void tail(const scarlet__worker *w, const scarlet__step *t, const scarlet__map *in)
{
    const scarlet__packed_dense *d = &t->weights->project;
    const size_t pixels = scarlet__square(t->side);
    scarlet__fused_announce(w, d->bias);
    for (size_t n; scarlet__team_task(w->m, d->out.count, &n);) {
        size_t width = scarlet__chunk_width(&d->out, n);
        scarlet__fused_expand(w, d, n, in, t->layer->in, 0, pixels, w->s->ring, SCARLET__RELU6);
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
    /* As many pictures as fill all threads go one a thread, the rest one by one together. Tracing
     * is left to the calling thread alone. */
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
    scarlet__pages_free(x->memory, x->memory_size);
    if (x->team)
        scarlet__team_end(&x->team[0]);
    scarlet__pages_free(x->team, (x->e.threads + 1) * sizeof *x->team);
    scarlet__free(x->segments);
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

static scarlet_status allocate(scarlet__fused *x, size_t *bytes, scarlet_error *err)
{
    const size_t threads = x->e.threads, per_lane = 13, per_thread = 4;
    size_t map = 0, map_integers = 0, map_pixels = 0, hidden = 0, sums = 0, channels = 0, ring = 0,
           gated = 0;
    const size_t scores = scarlet__fused_padded(x, x->e.network->classes);
    for (int i = 0; i < x->count; i++) {
        const scarlet__step *t = &x->step[i];
        const scarlet__layer *l = t->layer;
        const scarlet__chunks *c = &t->weights->hidden;
        size_t out = scarlet__square(t->out_side) * scarlet__fused_padded(x, l->out);
        ring = scarlet__max(ring, ring_floats(x, t));
        x->segment_count = scarlet__max(x->segment_count, c->count);
        if (l->kind == SCARLET_LAYER_STEM)
            hidden = scarlet__max(hidden, out);
        if (l->kind == SCARLET_LAYER_SEPARABLE || l->kind == SCARLET_LAYER_BLOCK)
            map = scarlet__max(map, out);
        if (t->reader && t->reader->integers) {
            map_integers = scarlet__max(map_integers, out / t->reader->kernels->group);
            map_pixels = scarlet__max(map_pixels, scarlet__square(t->out_side));
        }
        if (l->kind != SCARLET_LAYER_BLOCK)
            continue;
        channels = scarlet__max(channels, c->padded);
        if (l->squeeze || !t->rows_outermost)
            hidden = scarlet__max(
                hidden, scarlet__step_floats(t, scarlet__square(t->out_side) * c->padded));
        if (!l->squeeze)
            continue;
        sums = scarlet__max(sums, (size_t)t->out_side * c->padded);
        if (scarlet__fused_gates_weights(t))
            gated = scarlet__max(gated, t->weights->project.k * t->weights->project.out.padded);
    }
    size_t features = scarlet__fused_padded(x, x->e.network->space.tail);
    const bool integers = x->weights->precision != SCARLET_PRECISION_F32;
    const size_t quantized =
        integers ? (SCARLET__QUANTIZED_PIXELS * channels + 1) / 2 : 0; /* words too */
    const size_t scale = integers ? SCARLET__QUANTIZED_PIXELS : 0;
    scarlet__buffer *buffer = scarlet__calloc(threads * (per_lane + per_thread), sizeof *buffer);
    x->lane = scarlet__calloc(threads, sizeof *x->lane);
    x->scratch = scarlet__calloc(threads, sizeof *x->scratch);
    x->segments = scarlet__calloc(threads * x->segment_count, sizeof *x->segments);
    x->team = scarlet__pages_alloc((threads + 1) * sizeof *x->team);
    if (!buffer || !x->lane || !x->scratch || !x->segments || !x->team) {
        scarlet__free(buffer);
        return scarlet__fail_memory(err);
    }
    scarlet__buffer *b = buffer;
    for (size_t i = 0; i < threads; i++) {
        scarlet__lane *l = &x->lane[i];
        scarlet__scratch *s = &x->scratch[i];
        for (size_t m = 0; m < 2; m++) {
            *b++ = (scarlet__buffer){&l->map[m].values, map};
            *b++ = (scarlet__buffer){&l->map[m].integers, map_integers};
            *b++ = (scarlet__buffer){&l->map[m].scale, map_pixels};
        }
        *b++ = (scarlet__buffer){&l->sums, sums};
        *b++ = (scarlet__buffer){&l->squeezed, channels};
        *b++ = (scarlet__buffer){&l->scores, scores};
        *b++ = (scarlet__buffer){&l->gate, channels};
        *b++ = (scarlet__buffer){&l->gated_weights, gated};
        *b++ = (scarlet__buffer){&l->features, features};
        *b++ = (scarlet__buffer){&s->ring, ring};
        *b++ = (scarlet__buffer){&s->pooled, channels};
        *b++ = (scarlet__buffer){&s->quantized, quantized};
        *b++ = (scarlet__buffer){&s->quantized_scale, scale};
        *b++ = (scarlet__buffer){&l->hidden, hidden}; /* its end is touched by tracing alone */
        s->segment = x->segments + i * x->segment_count;
    }
    scarlet_status status =
        scarlet__buffers_take(buffer, (size_t)(b - buffer), &x->memory, &x->memory_size, err);
    scarlet__free(buffer);
    *bytes =
        sizeof *x + threads * (sizeof *x->lane + sizeof *x->scratch + sizeof *x->team->worker) +
        threads * x->segment_count * sizeof *x->segments + scarlet__pages_size(x->memory_size) +
        scarlet__pages_size((threads + 1) * sizeof *x->team);
    return status;
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
    int side = e->side;
    for (int i = 0; i < x->count; i++) {
        scarlet__step *t = &x->step[i];
        t->layer = &e->network->layer[i];
        t->weights = &x->weights->layer[i];
        t->side = side;
        side = t->out_side = scarlet__layer_side(t->layer, side);
        t->rows_outermost =
            t->layer->kind == SCARLET_LAYER_BLOCK && scarlet__fused_rows_outermost(t);
    }
    const scarlet__packed_dense *reader = NULL;
    for (int i = x->count; i-- > 0;) {
        scarlet__step *t = &x->step[i];
        t->reader = reader;
        if (t->layer->kind == SCARLET_LAYER_TAIL)
            reader = &t->weights->project;
        if (t->layer->kind == SCARLET_LAYER_BLOCK)
            reader = &t->weights->expand;
    }
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
