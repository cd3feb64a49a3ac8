#include "network/find.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "network/foreign.h"

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

static const scarlet__tensor *find(const scarlet__tensors *tensors, const char *layer,
                                   const char *suffix)
{
    char name[80];
    snprintf(name, sizeof name, "%s.%s", layer, suffix);
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
        if (strstr(r->text, t->stored)) /* its kernel or expansion was refused already */
            return true;
        r->misshapen++;
        scarlet__shape_text(t, found, sizeof found);
        note(r, "%s has shape %s, expected %s", t->stored, found, wanted);
    } else if (!floating(t)) {
        r->misshapen++;
        note(r, "%s is of type %s, expected F32, F16, BF16 or F64", t->stored,
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

/* Reads one searched layer's choice from its tensors' shapes; what does not fit is noted, and a
 * choice made that lets the review go on. `in`: channels of its input. */
static scarlet__choice choose(review *r, const char *layer, int in)
{
    const scarlet__tensor *conv1 = find(r->tensors, layer, "conv1.weight");
    const scarlet__tensor *conv2 = find(r->tensors, layer, "conv2.weight");
    scarlet__choice choice = {.expansion = 3, .kernel = 3};
    char text[64];
    if (conv1 && conv1->rank == 4) {
        if (conv1->shape[0] == 6 * (int64_t)in) {
            choice.expansion = 6;
        } else if (conv1->shape[0] != 3 * (int64_t)in) {
            scarlet__shape_text(conv1, text, sizeof text);
            note(r, "%s has shape %s; expansion of %d channels must be 3 or 6", conv1->stored, text,
                 in);
            r->misshapen++;
        }
    }
    if (conv2 && conv2->rank == 4) {
        int64_t k = conv2->shape[3];
        if (k == 3 || k == 5 || k == 7) {
            choice.kernel = (int)k;
        } else {
            scarlet__shape_text(conv2, text, sizeof text);
            note(r, "%s has shape %s; kernel must be 3, 5 or 7", conv2->stored, text);
            r->misshapen++;
        }
    }
    /* Fewer channels leave none after the squeeze: then its tensors are unexpected. */
    choice.squeeze =
        choice.expansion * in >= 4 && (find(r->tensors, layer, "mid_se.squeeze_conv.weight") ||
                                       find(r->tensors, layer, "mid_se.squeeze_conv.bias") ||
                                       find(r->tensors, layer, "mid_se.excite_conv.weight") ||
                                       find(r->tensors, layer, "mid_se.excite_conv.bias"));
    return choice;
}

static void choose_all(review *r, const scarlet__space *space, scarlet__genotype *genotype)
{
    int channels = space->stem / 2;
    *genotype = (scarlet__genotype){.count = space->count};
    for (int i = 0; i < space->count; i++) {
        char name[SCARLET__LAYER_NAME_SIZE];
        scarlet__searched_name(i, name);
        if (present(r->tensors, name)) {
            genotype->layer[i] = choose(r, name, channels);
            channels = space->layer[i].channels;
        }
    }
}

/* 1 where the classifier is missing or has another rank, which the review will say. */
static int count_classes(const scarlet__tensors *tensors)
{
    const scarlet__tensor *classifier = scarlet__tensors_find(tensors, "classifier.weight");
    bool usable = classifier && classifier->rank == 2 && classifier->shape[0] >= 1 &&
                  classifier->shape[0] <= SCARLET__CLASSES_MAX;
    return usable ? (int)classifier->shape[0] : 1;
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
        note(r, "unexpected tensor %.60s %s", t->stored, text);
    }
}

/* Length of what all names begin with, to the last dot. */
static size_t common_prefix(const scarlet__tensors *tensors)
{
    const char *first = tensors->count ? tensors->tensor[0].name : "";
    size_t length = strlen(first);
    for (size_t i = 1; i < tensors->count; i++) {
        const char *name = tensors->tensor[i].name;
        size_t same = 0;
        while (same < length && name[same] == first[same])
            same++;
        length = same;
    }
    while (length > 0 && first[length - 1] != '.')
        length--;
    return length;
}

static scarlet_status not_of_family(const review *r, scarlet_error *err)
{
    char first[160] = "";
    size_t length = common_prefix(r->tensors);
    const int prefix = length < 60 ? (int)length : 60;
    if (prefix && r->tensors->count > 1)
        return scarlet__fail(err, SCARLET_ERROR_MODEL,
                             "%s: not a SCARLET checkpoint: all names begin with the unknown "
                             "prefix \"%.*s\", as %.60s",
                             r->tensors->source->name, prefix, r->tensors->tensor[0].name,
                             r->tensors->tensor[0].name);
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

/* What the metadata say of the network. */
static scarlet_status describe(const scarlet__tensors *tensors, scarlet__space *space,
                               scarlet__style *style, scarlet_error *err)
{
    const char *format = scarlet__tensors_metadata(tensors, "scarlet.format");
    const char *widths = scarlet__tensors_metadata(tensors, "scarlet.space");
    const char *network = scarlet__tensors_metadata(tensors, "scarlet.network");
    scarlet_status status = SCARLET_OK;
    *space = scarlet__space_default;
    *style = scarlet__style_default;
    if (format && strcmp(format, "1") != 0 && strcmp(format, "2") != 0)
        return scarlet__fail(
            err, SCARLET_ERROR_UNSUPPORTED,
            "metadata scarlet.format is \"%.20s\"; this library reads \"1\" and \"2\"", format);
    if (widths)
        status = scarlet__space_parse(widths, space, err);
    if (status != SCARLET_OK || !network)
        return status;
    if (!format || strcmp(format, "2") != 0)
        return scarlet__fail(err, SCARLET_ERROR_CORRUPT,
                             "metadata scarlet.network: only files of scarlet.format 2 have it");
    return scarlet__style_parse(network, style, err);
}

scarlet_status scarlet__network_find(scarlet__tensors *tensors, scarlet__network *out,
                                     scarlet_error *err)
{
    scarlet__space space;
    scarlet__style style;
    scarlet__genotype genotype;
    review r = {.tensors = tensors};
    scarlet_status status = scarlet__foreign_adopt(tensors, err);
    if (status != SCARLET_OK) /* it names the file */
        return status;
    status = describe(tensors, &space, &style, err);
    if (status == SCARLET_OK) {
        choose_all(&r, &space, &genotype);
        status = scarlet__network_build(&space, &genotype, count_classes(tensors), out, err);
    }
    if (status != SCARLET_OK) {
        scarlet__error_prefix(err, tensors->source->name);
        return status;
    }
    scarlet__network_set_style(out, &style);
    for (int i = 0; i < out->count; i++)
        scarlet__layer_visit(&out->layer[i], check, &r);
    if (scarlet__tensors_metadata(tensors, "scarlet.choices"))
        return scarlet__fail(
            err, SCARLET_ERROR_MODEL,
            "%s: a supernet; scarlet export writes a network of it as a model file",
            tensors->source->name);
    if (r.found * 2 < r.expected)
        return not_of_family(&r, err);
    unexpected(&r, out);
    int faults = r.missing + r.misshapen + r.unknown;
    if (faults) {
        return scarlet__fail(err, SCARLET_ERROR_MODEL,
                             "%s: %s (%d missing, %d unexpected, %d wrong)", tensors->source->name,
                             r.text, r.missing, r.unknown, r.misshapen);
    }
    return SCARLET_OK;
}
