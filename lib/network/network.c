#include "network/network.h"

#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "network/architectures.h"

/* ---- building ---- */

static scarlet__layer *append(scarlet__network *net, int kind, const char *name, int in, int out)
{
    scarlet__layer *l = &net->layer[net->count++];
    *l = (scarlet__layer){.kind = kind, .in = in, .out = out, .kernel = 1, .stride = 1};
    snprintf(l->name, sizeof l->name, "%s", name);
    return l;
}

void scarlet__searched_name(int index, char name[SCARLET__LAYER_NAME_SIZE])
{
    snprintf(name, SCARLET__LAYER_NAME_SIZE, "mb_module.%d", index);
}

static scarlet_status check(const scarlet__space *space, const scarlet__genotype *genotype,
                            int classes, scarlet_error *err)
{
    if (genotype->count != space->count)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                             "a genotype of %d layers in a space of %d", genotype->count,
                             space->count);
    for (int i = 0; i < genotype->count; i++)
        if (!scarlet__choice_valid(&genotype->layer[i]))
            return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                                 "genotype, layer %d: no choice of expansion %d and kernel %d", i,
                                 genotype->layer[i].expansion, genotype->layer[i].kernel);
    if (classes < 1 || classes > SCARLET__CLASSES_MAX)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%d classes are not between 1 and %d",
                             classes, SCARLET__CLASSES_MAX);
    return SCARLET_OK;
}

scarlet_status scarlet__network_build(const scarlet__space *space,
                                      const scarlet__genotype *genotype, int classes,
                                      scarlet__network *net, scarlet_error *err)
{
    scarlet_status status = check(space, genotype, classes, err);
    if (status != SCARLET_OK)
        return status;
    *net = (scarlet__network){.space = *space, .classes = classes, .total_stride = 2};
    int channels = space->stem / 2;
    scarlet__layer *l = append(net, SCARLET_LAYER_STEM, "stem", 3, space->stem);
    l->kernel = 3;
    l->stride = 2;
    l = append(net, SCARLET_LAYER_SEPARABLE, "separable_conv", space->stem, channels);
    l->kernel = 3;
    for (int i = 0; i < space->count; i++) {
        const scarlet__choice *choice = &genotype->layer[i];
        char name[SCARLET__LAYER_NAME_SIZE];
        scarlet__searched_name(i, name);
        if (choice->expansion == 0) {
            /* Carries the narrower input on and drops the layer's stride, as in the release. */
            append(net, SCARLET_LAYER_IDENTITY, name, channels, channels);
            continue;
        }
        l = append(net, SCARLET_LAYER_BLOCK, name, channels, space->layer[i].channels);
        l->kernel = choice->kernel;
        l->stride = space->layer[i].stride;
        l->expansion = choice->expansion;
        l->hidden = choice->expansion * channels;
        l->squeeze = choice->squeeze ? l->hidden / 4 : 0;
        if (choice->squeeze && l->squeeze == 0)
            return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                                 "genotype, layer %d: %d channels are too few for squeeze-excite",
                                 i, l->hidden);
        l->residual = l->stride == 1 && l->in == l->out;
        net->total_stride *= l->stride;
        if (net->total_stride > SCARLET__SIDE_MAX)
            return scarlet__fail(err, SCARLET_ERROR_LIMIT,
                                 "its total stride is more than %d pixels, the largest input",
                                 SCARLET__SIDE_MAX);
        channels = l->out;
    }
    append(net, SCARLET_LAYER_TAIL, "conv_before_pooling", channels, space->tail);
    append(net, SCARLET_LAYER_CLASSIFIER, "classifier", space->tail, classes);

    scarlet__genotype_print(genotype, net->genotype);
    scarlet__network_set_style(net, &scarlet__style_default);
    return SCARLET_OK;
}

static const char *name_of(const scarlet__network *net)
{
    const char *name = NULL;
    if (memcmp(&net->space, &scarlet__space_default, sizeof net->space) == 0 &&
        scarlet__style_equal(&net->style, &scarlet__style_default))
        name = scarlet__genotype_name(net->genotype);
    if (!name)
        name = scarlet__architecture_name(&net->space, &net->style, net->genotype);
    return name ? name : "custom";
}

void scarlet__network_set_style(scarlet__network *net, const scarlet__style *style)
{
    net->style = *style;
    for (int i = 0; i < net->count; i++)
        net->layer[i].style = *style;
    net->name = name_of(net);
}

/* ---- costs ---- */

int scarlet__layer_side(const scarlet__layer *layer, int side)
{
    if (layer->kind == SCARLET_LAYER_TAIL || layer->kind == SCARLET_LAYER_CLASSIFIER)
        return 1;
    return (side - 1) / layer->stride + 1; /* whatever the padding */
}

int scarlet__layer_padding(const scarlet__layer *layer, int side)
{
    const bool fewer = layer->style.same && layer->stride == 2 && side % 2 == 0;
    return layer->kernel / 2 - fewer;
}

int scarlet__network_side(const scarlet__network *network, int side, size_t index)
{
    for (size_t i = 0; i < index; i++)
        side = scarlet__layer_side(&network->layer[i], side);
    return side;
}

static bool add_parameters(void *user, const char *name, scarlet__role role, int rank,
                           const int64_t *shape)
{
    int64_t *sum = user, product = 1;
    (void)name;
    for (int i = 0; i < rank; i++)
        product *= shape[i];
    if (role != SCARLET__MEAN && role != SCARLET__VARIANCE) /* those are measured, not learned */
        *sum += product;
    return true;
}

int64_t scarlet__layer_parameters(const scarlet__layer *layer)
{
    int64_t sum = 0;
    scarlet__layer_visit(layer, add_parameters, &sum);
    return sum;
}

int64_t scarlet__layer_macs(const scarlet__layer *l, int side)
{
    int64_t in = (int64_t)side * side, out_side = scarlet__layer_side(l, side);
    int64_t out = out_side * out_side, spatial = (int64_t)l->kernel * l->kernel;
    switch (l->kind) {
    case SCARLET_LAYER_STEM:
        return out * l->in * l->out * spatial;
    case SCARLET_LAYER_SEPARABLE:
        return out * (l->in * spatial + (int64_t)l->in * l->out);
    case SCARLET_LAYER_BLOCK:
        return in * l->in * l->hidden + out * l->hidden * spatial + 2LL * l->hidden * l->squeeze +
               out * l->hidden * l->out;
    case SCARLET_LAYER_TAIL:
        return in * l->in * l->out;
    case SCARLET_LAYER_CLASSIFIER:
        return (int64_t)l->in * l->out;
    default:
        return 0;
    }
}

/* ---- tensors of a layer ---- */

typedef struct {
    scarlet__visit_fn visit;
    void *user;
    const char *prefix;
} visitor;

static bool one(const visitor *v, const char *suffix, scarlet__role role, int rank, int64_t a,
                int64_t b, int64_t c, int64_t d)
{
    char name[80];
    const int64_t shape[4] = {a, b, c, d};
    snprintf(name, sizeof name, "%s.%s", v->prefix, suffix);
    return v->visit(v->user, name, role, rank, shape);
}

static bool batch_norm(const visitor *v, const char *module, int64_t n)
{
    static const struct {
        const char *name;
        scarlet__role role;
    } part[] = {
        {"weight", SCARLET__GAMMA},
        {"bias", SCARLET__BETA},
        {"running_mean", SCARLET__MEAN},
        {"running_var", SCARLET__VARIANCE},
    };
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        char suffix[40];
        snprintf(suffix, sizeof suffix, "%s.%s", module, part[i].name);
        if (!one(v, suffix, part[i].role, 1, n, 0, 0, 0))
            return false;
    }
    return true;
}

bool scarlet__layer_visit(const scarlet__layer *l, scarlet__visit_fn visit, void *user)
{
    const visitor v = {visit, user, l->name};
    int64_t in = l->in, out = l->out, k = l->kernel, h = l->hidden, s = l->squeeze;
    switch (l->kind) {
    case SCARLET_LAYER_STEM:
        return one(&v, "0.weight", SCARLET__WEIGHT, 4, out, in, k, k) && batch_norm(&v, "1", out);
    case SCARLET_LAYER_SEPARABLE:
        return one(&v, "0.weight", SCARLET__WEIGHT, 4, in, 1, k, k) && batch_norm(&v, "1", in) &&
               one(&v, "3.weight", SCARLET__WEIGHT, 4, out, in, 1, 1) && batch_norm(&v, "4", out);
    case SCARLET_LAYER_BLOCK:
        return one(&v, "conv1.weight", SCARLET__WEIGHT, 4, h, in, 1, 1) &&
               batch_norm(&v, "bn1", h) &&
               one(&v, "conv2.weight", SCARLET__WEIGHT, 4, h, 1, k, k) &&
               batch_norm(&v, "bn2", h) &&
               (!s || (one(&v, "mid_se.squeeze_conv.weight", SCARLET__WEIGHT, 4, s, h, 1, 1) &&
                       one(&v, "mid_se.squeeze_conv.bias", SCARLET__BIAS, 1, s, 0, 0, 0) &&
                       one(&v, "mid_se.excite_conv.weight", SCARLET__WEIGHT, 4, h, s, 1, 1) &&
                       one(&v, "mid_se.excite_conv.bias", SCARLET__BIAS, 1, h, 0, 0, 0))) &&
               one(&v, "conv3.weight", SCARLET__WEIGHT, 4, out, h, 1, 1) &&
               batch_norm(&v, "bn3", out);
    case SCARLET_LAYER_TAIL:
        return one(&v, "0.weight", SCARLET__WEIGHT, 4, out, in, 1, 1) && batch_norm(&v, "1", out);
    case SCARLET_LAYER_CLASSIFIER:
        return one(&v, "weight", SCARLET__WEIGHT, 2, out, in, 0, 0) &&
               one(&v, "bias", SCARLET__BIAS, 1, out, 0, 0, 0);
    default:
        return true; /* an identity has no tensors */
    }
}
