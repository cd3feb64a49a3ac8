#include "network/network.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/error.h"

/* ---- costs ---- */

int scarlet__layer_side(const scarlet__layer *layer, int side)
{
    if (layer->kind == SCARLET_LAYER_TAIL || layer->kind == SCARLET_LAYER_CLASSIFIER)
        return 1;
    return (side - 1) / layer->stride + 1; /* padding is kernel / 2 everywhere */
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

/* ---- from tensors to layers ---- */

typedef struct {
    const scarlet__tensors *tensors;
    int expected, found;             /* tensors */
    int missing, misshapen, unknown; /* faults */
    char text[200];                  /* the first faults */
} review;

__attribute__((format(printf, 2, 3))) static void note(review *r, const char *format, ...)
{
    size_t used = strlen(r->text);
    va_list args;
    va_start(args, format);
    char line[160];
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (used + strlen(line) + 2 < sizeof r->text - 24) /* room for "(and N more)" */
        snprintf(r->text + used, sizeof r->text - used, "%s%s", used ? "; " : "", line);
}

static const scarlet__tensor *find(const scarlet__tensors *tensors, const scarlet__layer *layer,
                                   const char *suffix)
{
    char name[80];
    snprintf(name, sizeof name, "%s.%s", layer->name, suffix);
    return scarlet__tensors_find(tensors, name);
}

static void shape_text(int rank, const int64_t *shape, char *text, size_t room)
{
    scarlet__tensor t = {.rank = rank};
    memcpy(t.shape, shape, (size_t)rank * sizeof *shape);
    scarlet__shape_text(&t, text, room);
}

static bool floating(const scarlet__tensor *t)
{
    return t->dtype == SCARLET__F64 || t->dtype == SCARLET__F32 || t->dtype == SCARLET__F16 ||
           t->dtype == SCARLET__BF16;
}

static bool check(void *user, const char *name, scarlet__role role, int rank, const int64_t *shape)
{
    review *r = user;
    const scarlet__tensor *t = scarlet__tensors_find(r->tensors, name);
    char wanted[48], found[64];
    (void)role;
    r->expected++;
    shape_text(rank, shape, wanted, sizeof wanted);
    if (!t) {
        r->missing++;
        note(r, "missing tensor %s %s", name, wanted);
        return true;
    }
    r->found++;
    if (t->rank != rank || memcmp(t->shape, shape, (size_t)rank * sizeof *shape) != 0) {
        if (strstr(r->text, name)) /* its kernel or expansion was refused already */
            return true;
        r->misshapen++;
        scarlet__shape_text(t, found, sizeof found);
        note(r, "%s has shape %s, expected %s", name, found, wanted);
    } else if (!floating(t)) {
        r->misshapen++;
        note(r, "%s is of type %s, expected F32, F16, BF16 or F64", name,
             scarlet__dtype_name(t->dtype));
    }
    return true;
}

/* Whether any tensor of this layer is there: an identity has none. */
static bool present(const scarlet__tensors *tensors, const char *prefix)
{
    size_t n = strlen(prefix);
    for (size_t i = 0; i < tensors->count; i++)
        if (strncmp(tensors->tensor[i].name, prefix, n) == 0 && tensors->tensor[i].name[n] == '.')
            return true;
    return false;
}

static scarlet__layer *append(scarlet__network *net, int kind, const char *name, int in, int out)
{
    scarlet__layer *l = &net->layer[net->count++];
    *l = (scarlet__layer){.kind = kind, .in = in, .out = out, .kernel = 1, .stride = 1};
    snprintf(l->name, sizeof l->name, "%s", name);
    return l;
}

/* Reads expansion, kernel and squeeze-excite of one searched layer from its tensors' shapes; what
 * does not fit is noted, and a choice made that lets the review go on. */
static void choose(review *r, scarlet__layer *l)
{
    const scarlet__tensor *conv1 = find(r->tensors, l, "conv1.weight");
    const scarlet__tensor *conv2 = find(r->tensors, l, "conv2.weight");
    char text[64];
    l->expansion = 3;
    l->kernel = 3;
    if (conv1 && conv1->rank == 4) {
        if (conv1->shape[0] == 6 * (int64_t)l->in) {
            l->expansion = 6;
        } else if (conv1->shape[0] != 3 * (int64_t)l->in) {
            scarlet__shape_text(conv1, text, sizeof text);
            note(r, "%s.conv1.weight has shape %s; expansion of %d channels must be 3 or 6",
                 l->name, text, l->in);
            r->misshapen++;
        }
    }
    if (conv2 && conv2->rank == 4) {
        int64_t k = conv2->shape[3];
        if (k == 3 || k == 5 || k == 7) {
            l->kernel = (int)k;
        } else {
            scarlet__shape_text(conv2, text, sizeof text);
            note(r, "%s.conv2.weight has shape %s; kernel must be 3, 5 or 7", l->name, text);
            r->misshapen++;
        }
    }
    l->hidden = l->expansion * l->in;
    if (find(r->tensors, l, "mid_se.squeeze_conv.weight") ||
        find(r->tensors, l, "mid_se.squeeze_conv.bias") ||
        find(r->tensors, l, "mid_se.excite_conv.weight") ||
        find(r->tensors, l, "mid_se.excite_conv.bias"))
        l->squeeze = l->hidden / 4;
}

static void layers(review *r, scarlet__network *net)
{
    const scarlet__space *space = &net->space;
    int channels = space->stem / 2;
    scarlet__layer *l = append(net, SCARLET_LAYER_STEM, "stem", 3, space->stem);
    l->kernel = 3;
    l->stride = 2;
    l = append(net, SCARLET_LAYER_SEPARABLE, "separable_conv", space->stem, channels);
    l->kernel = 3;
    net->total_stride = 2;
    for (int i = 0; i < space->count; i++) {
        char name[24];
        snprintf(name, sizeof name, "mb_module.%d", i);
        if (!present(r->tensors, name)) {
            /* Carries the narrower input on and drops the layer's stride, as in the release. */
            append(net, SCARLET_LAYER_IDENTITY, name, channels, channels);
            continue;
        }
        l = append(net, SCARLET_LAYER_BLOCK, name, channels, space->layer[i].channels);
        l->stride = space->layer[i].stride;
        l->residual = l->stride == 1 && l->in == l->out;
        choose(r, l);
        net->total_stride *= l->stride;
        channels = l->out;
    }
    append(net, SCARLET_LAYER_TAIL, "conv_before_pooling", channels, space->tail);
    const scarlet__tensor *classifier = scarlet__tensors_find(r->tensors, "classifier.weight");
    net->classes = 1;
    if (classifier && classifier->rank == 2 && classifier->shape[0] >= 1 &&
        classifier->shape[0] <= SCARLET__CLASSES_MAX)
        net->classes = (int)classifier->shape[0];
    append(net, SCARLET_LAYER_CLASSIFIER, "classifier", space->tail, net->classes);
}

bool scarlet__network_is_counter(const char *name)
{
    static const char suffix[] = ".num_batches_tracked";
    size_t n = strlen(name), m = sizeof suffix - 1;
    return n >= m && strcmp(name + n - m, suffix) == 0;
}

typedef struct {
    const char *name;
    bool known;
} lookup;

static bool same_name(void *user, const char *name, scarlet__role role, int rank,
                      const int64_t *shape)
{
    lookup *l = user;
    (void)role, (void)rank, (void)shape;
    l->known = strcmp(l->name, name) == 0;
    return !l->known;
}

/* Whether the tensor belongs to the network. Its prefix leads to at most one layer. */
static bool belongs(const scarlet__network *net, const char *name)
{
    lookup l = {name, false};
    for (int i = 0; i < net->count && !l.known; i++) {
        size_t n = strlen(net->layer[i].name);
        if (strncmp(name, net->layer[i].name, n) == 0 && name[n] == '.')
            scarlet__layer_visit(&net->layer[i], same_name, &l);
    }
    return l.known;
}

static void unexpected(review *r, const scarlet__network *net)
{
    for (size_t i = 0; i < r->tensors->count; i++) {
        const scarlet__tensor *t = &r->tensors->tensor[i];
        char text[64];
        if (scarlet__network_is_counter(t->name) || belongs(net, t->name))
            continue;
        r->unknown++;
        scarlet__shape_text(t, text, sizeof text);
        note(r, "unexpected tensor %.60s %s", t->name, text);
    }
}

static scarlet_status not_of_family(const review *r, scarlet_error *err)
{
    char first[160] = "";
    for (size_t i = 0; i < r->tensors->count && i < 3; i++) {
        char text[64];
        size_t used = strlen(first);
        scarlet__shape_text(&r->tensors->tensor[i], text, sizeof text);
        snprintf(first + used, sizeof first - used, "%s%.40s %s", i ? ", " : "",
                 r->tensors->tensor[i].name, text);
    }
    return scarlet__fail(err, SCARLET_ERROR_MODEL, "%s: not a SCARLET checkpoint (%s%s%s)",
                         r->tensors->source->name,
                         r->tensors->count ? "first tensors: " : "no tensors", first,
                         r->tensors->count > 3 ? ", ..." : "");
}

/* ---- names ---- */

static const struct {
    const char *name, *genotype;
} released[] = {
    {"SCARLET-A",
     "e3k7,e6k5,e3k5,e3k7se,e6k3se,e3k5se,e6k3se,e3k3,e3k7se,e3k7,"
     "e3k5,e3k7se,e3k3,e3k7se,e6k3se,e6k5se,e3k3se,e6k3se,e6k7se"},
    {"SCARLET-B",
     "e3k3se,e3k5se,e3k3se,e6k7se,e3k3,e3k5,e6k7se,e3k3se,id,e3k5,"
     "e3k3se,e3k3se,e6k7se,e3k3se,e6k5se,e6k5se,id,e6k7se,e6k5se"},
    {"SCARLET-C",
     "e3k5se,e3k3se,e3k5se,id,id,e3k3,e6k7se,e3k3se,e3k3se,e3k5,"
     "e3k7se,e3k7,e3k3se,e3k7se,e3k3se,id,e6k3se,e6k7se,e6k5se"},
};

static void name(scarlet__network *net)
{
    size_t used = 0;
    for (int i = 0; i < net->count; i++) {
        const scarlet__layer *l = &net->layer[i];
        char item[8] = "id";
        if (l->kind != SCARLET_LAYER_BLOCK && l->kind != SCARLET_LAYER_IDENTITY)
            continue;
        if (l->kind == SCARLET_LAYER_BLOCK)
            snprintf(item, sizeof item, "e%dk%d%s", l->expansion, l->kernel,
                     l->squeeze ? "se" : "");
        used += (size_t)snprintf(net->genotype + used, sizeof net->genotype - used, "%s%s",
                                 used ? "," : "", item);
    }
    net->name = "custom";
    if (memcmp(&net->space, &scarlet__space_default, sizeof net->space) == 0)
        for (size_t i = 0; i < sizeof released / sizeof *released; i++)
            if (strcmp(net->genotype, released[i].genotype) == 0)
                net->name = released[i].name;
}

scarlet_status scarlet__network_find(const scarlet__tensors *tensors, scarlet__network *out,
                                     scarlet_error *err)
{
    *out = (scarlet__network){.space = scarlet__space_default};
    const char *text = scarlet__tensors_metadata(tensors, "scarlet.space");
    if (text) {
        scarlet_status status = scarlet__space_parse(text, &out->space, err);
        if (status != SCARLET_OK) {
            scarlet__error_prefix(err, tensors->source->name);
            return status;
        }
    }
    review r = {.tensors = tensors};
    layers(&r, out);
    for (int i = 0; i < out->count; i++)
        scarlet__layer_visit(&out->layer[i], check, &r);
    if (r.found * 2 < r.expected)
        return not_of_family(&r, err);
    unexpected(&r, out);
    int faults = r.missing + r.misshapen + r.unknown;
    if (faults) {
        return scarlet__fail(err, SCARLET_ERROR_MODEL,
                             "%s: %s (%d missing, %d unexpected, %d wrong)", tensors->source->name,
                             r.text, r.missing, r.unknown, r.misshapen);
    }
    name(out);
    return SCARLET_OK;
}
