#include "nas/train/graph.h"

#include "common/finite.h"
#include "nas/units/loss.h"

/* ---- building ---- */

/* Takes the parameters of the network in their order. */
typedef struct {
    const scarlet__parameter *next;
    int frozen_layers;
    double epsilon;
} cursor;

static size_t take(cursor *c)
{
    return c->next++->offset;
}

static scarlet__norm take_norm(cursor *c)
{
    scarlet__norm norm = {.channels = (int)c->next->shape[0],
                          .epsilon = c->epsilon,
                          .running = c->next->layer < c->frozen_layers};
    norm.gamma = take(c);
    norm.beta = take(c);
    norm.mean = take(c);
    norm.variance = take(c);
    return norm;
}

/* The stem is the expansion of the separable layer that follows it. */
static void add_stem(scarlet__unit *u, const scarlet__layer *layer, int side, cursor *c)
{
    u->kind = SCARLET__UNIT_ENTRY;
    u->in = layer->in;
    u->in_padding = scarlet__layer_padding(layer, side);
    u->hidden = layer->out;
    u->nonlinearity = SCARLET__F_RELU6;
    u->expand = take(c);
    u->expanded = take_norm(c);
}

static void add_filter(scarlet__unit *u, const scarlet__layer *layer, int side, cursor *c)
{
    u->side = side;
    u->out_side = scarlet__layer_side(layer, side);
    u->out = layer->out;
    u->kernel = layer->kernel;
    u->stride = layer->stride;
    u->padding = scarlet__layer_padding(layer, side);
    u->depthwise = take(c);
    u->filtered = take_norm(c);
    if (layer->squeeze) {
        u->excite.hidden = layer->hidden;
        u->excite.squeeze = layer->squeeze;
        u->excite.squeeze_weights = take(c);
        u->excite.squeeze_bias = take(c);
        u->excite.excite_weights = take(c);
        u->excite.excite_bias = take(c);
    }
    u->project = take(c);
    u->projected = take_norm(c);
}

static void add_block(scarlet__unit *u, const scarlet__layer *layer, int side, cursor *c)
{
    u->kind = SCARLET__UNIT_BLOCK;
    u->in = layer->in;
    u->hidden = layer->hidden;
    u->residual = layer->residual;
    u->nonlinearity =
        layer->style.activation == SCARLET__BLOCK_HSWISH ? SCARLET__F_HSWISH : SCARLET__F_RELU6;
    u->expand = take(c);
    u->expanded = take_norm(c);
    add_filter(u, layer, side, c);
}

static void add_tail(scarlet__unit *u, const scarlet__layer *layer, int side, cursor *c)
{
    u->kind = SCARLET__UNIT_TAIL;
    u->in = layer->in;
    u->out = layer->out;
    u->side = u->out_side = side;
    u->nonlinearity = SCARLET__F_RELU6;
    u->expand = take(c);
    u->expanded = take_norm(c);
}

static void add_classifier(scarlet__unit *u, const scarlet__layer *layer, cursor *c)
{
    u->kind = SCARLET__UNIT_LINEAR;
    u->in = layer->in;
    u->out = layer->out;
    u->in_side = u->side = u->out_side = 1;
    u->expand = take(c);
    u->bias = take(c);
}

void scarlet__graph_build(const scarlet__network *network, const scarlet__parameters *parameters,
                          int side, int pictures, int frozen_layers, scarlet__graph *out)
{
    *out = (scarlet__graph){.pictures = pictures, .side = side, .classes = network->classes};
    cursor c = {parameters->item, frozen_layers, network->style.epsilon};
    for (int i = 0; i < network->count; i++) {
        const scarlet__layer *layer = &network->layer[i];
        scarlet__unit *u = &out->unit[out->count];
        if (layer->kind != SCARLET_LAYER_SEPARABLE)
            u->in_side = side;
        switch (layer->kind) {
        case SCARLET_LAYER_STEM:
            add_stem(u, layer, side, &c);
            break;
        case SCARLET_LAYER_SEPARABLE:
            add_filter(u, layer, side, &c);
            break;
        case SCARLET_LAYER_BLOCK:
            add_block(u, layer, side, &c);
            break;
        case SCARLET_LAYER_TAIL:
            add_tail(u, layer, side, &c);
            break;
        case SCARLET_LAYER_CLASSIFIER:
            add_classifier(u, layer, &c);
            break;
        default: /* an identity is no unit */
            continue;
        }
        side = scarlet__layer_side(layer, side);
        if (layer->kind == SCARLET_LAYER_STEM)
            continue;
        if (i < frozen_layers)
            out->first = out->count + 1;
        scarlet__unit_needs(u, pictures, &out->sizes);
        out->layer[out->count++] = i;
    }
}

int64_t scarlet__graph_fewest(const scarlet__graph *graph)
{
    int64_t fewest = INT64_MAX;
    for (int i = 0; i < graph->count; i++) {
        const scarlet__unit *u = &graph->unit[i];
        const int side = u->out_side;
        const bool all = u->kind == SCARLET__UNIT_TAIL ? u->expanded.running : u->projected.running;
        const int64_t values = (int64_t)graph->pictures * side * side;
        if (u->kind != SCARLET__UNIT_LINEAR && !all && values < fewest)
            fewest = values;
    }
    return fewest;
}

/* ---- running ---- */

size_t scarlet__graph_output(const scarlet__unit *u, int pictures)
{
    size_t pixels = (size_t)pictures;
    if (u->kind != SCARLET__UNIT_TAIL && u->kind != SCARLET__UNIT_LINEAR)
        pixels *= (size_t)u->out_side * (size_t)u->out_side;
    return (size_t)scarlet__planes(u->out) * scarlet__plane(pixels);
}

void scarlet__passage_carve(const scarlet__graph *graph, bool drop, scarlet__carver *arena,
                            scarlet__passage *out)
{
    const size_t pictures = (size_t)graph->pictures, side = (size_t)graph->side;
    size_t largest = 0;
    *out = (scarlet__passage){.pass = {.pictures = graph->pictures}};
    out->pictures = scarlet__carve(arena, pictures * side * side * 3);
    out->targets = scarlet__carve(arena, pictures * (size_t)graph->classes);
    out->x[0] = out->pictures;
    for (int i = 0; i < graph->count; i++) {
        const size_t floats = scarlet__graph_output(&graph->unit[i], graph->pictures);
        out->kept[i] = scarlet__carve(arena, scarlet__unit_kept(&graph->unit[i], graph->pictures));
        out->x[i + 1] = scarlet__carve(arena, floats);
        scarlet__raise(&largest, floats);
        if (drop && graph->unit[i].kind == SCARLET__UNIT_TAIL)
            out->drop = scarlet__carve(arena, floats);
    }
    out->gradient[0] = scarlet__carve(arena, largest);
    out->gradient[1] = scarlet__carve(arena, largest);
    out->pass.scratch = scarlet__scratch_carve(arena, &graph->sizes);
}

static void multiply(const scarlet__graph *graph, const float *factors, float *features)
{
    const size_t floats = scarlet__graph_output(&graph->unit[graph->count - 2], graph->pictures);
    for (size_t i = 0; factors && i < floats; i++)
        features[i] *= factors[i];
}

/* The pass as unit `index` sees it. */
static scarlet__pass pass_of(const scarlet__graph *graph, const scarlet__passage *passage,
                             int index)
{
    const scarlet__base *base = &graph->base[index];
    scarlet__pass pass = passage->pass;
    pass.parameters += base->parameters;
    pass.gradients += base->gradients;
    pass.running += base->running;
    pass.statistics += base->statistics;
    return pass;
}

void scarlet__graph_forward(const scarlet__graph *graph, scarlet__passage *passage)
{
    for (int i = 0; i < graph->count; i++) {
        const scarlet__pass pass = pass_of(graph, passage, i);
        if (i == graph->count - 1)
            multiply(graph, passage->drop, passage->x[i]);
        scarlet__unit_forward(&graph->unit[i], &pass, passage->x[i], passage->kept[i],
                              passage->x[i + 1]);
    }
}

int scarlet__graph_first_not_finite(const scarlet__graph *graph, const scarlet__passage *passage)
{
    int i = 0;
    for (; i < graph->count; i++) {
        const size_t floats = scarlet__graph_output(&graph->unit[i], graph->pictures);
        if (scarlet__first_not_finite(passage->x[i + 1], floats) < floats)
            break;
    }
    return i;
}

double scarlet__graph_run(const scarlet__graph *graph, scarlet__passage *passage, float factor)
{
    const int last = graph->count - 1;
    scarlet__graph_forward(graph, passage);
    /* The gradient takes the place of the logits, and moves on between two arrays. */
    float *y = passage->x[last + 1];
    const double loss = scarlet__loss(&passage->pass, graph->classes, passage->targets, factor, y);
    for (int i = last; i >= graph->first; i--) {
        const scarlet__unit *unit = &graph->unit[i];
        const scarlet__pass pass = pass_of(graph, passage, i);
        float *x = y == passage->gradient[0] ? passage->gradient[1] : passage->gradient[0];
        if (unit->residual)
            x = y;
        scarlet__unit_backward(unit, &pass, passage->x[i], passage->kept[i], y,
                               i > graph->first ? x : NULL);
        if (i == last && i > graph->first)
            multiply(graph, passage->drop, x);
        y = x;
    }
    return loss;
}
