/* From a path of a supernet to a model file of its own. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/host.h"
#include "common/io.h"
#include "common/memory.h"
#include "nas/supernet/merge.h"
#include "nas/supernet/scorer.h"
#include "nas/supernet/torch_write.h"
#include "network/metadata.h"
#include "network/store.h"

enum { PROOF_MAX = SCARLET__SCORE_BATCH }; /* pictures */
static const double proof_bound = 1e-4;

/* The network with its own weights, in the layout of a supernet that has no other choice. */
typedef struct child {
    scarlet_space *space;
    scarlet__network *network;
    scarlet__supernet net;
    scarlet__parameters list; /* of the network; same offsets as the weights and statistics */
    float *weights, *running;
    scarlet__metadata_text metadata;
} child;

static void child_free(child *c)
{
    scarlet__metadata_text_free(&c->metadata);
    scarlet__parameters_free(&c->list);
    scarlet__supernet_free(&c->net);
    scarlet_space_free(c->space);
    scarlet__free(c->network);
    scarlet__free(c->weights);
    scarlet__free(c->running);
}

/* ---- making ---- */

/* A genotype is a list of choices with one for each layer. */
static scarlet_status make_space(const scarlet_supernet *s, const scarlet__path *path, child *c,
                                 scarlet_error *err)
{
    char genotype[SCARLET_GENOTYPE_SIZE];
    scarlet__path_print(s->space, path, "id", genotype);
    const size_t room = strlen(s->space->widths_text) + sizeof genotype + 96;
    char *text = scarlet__alloc(room, 1);
    if (!text)
        return scarlet__fail_memory(err);
    snprintf(text, room, "space %s\nchoices %s\ninput_size %d\nclasses %d\n", s->space->widths_text,
             genotype, s->space->input_size, s->space->classes);
    scarlet_status status = scarlet_space_parse(text, &c->space, err);
    scarlet__free(text);
    return status;
}

static scarlet_status describe(const scarlet_supernet *s, child *c, scarlet_error *err)
{
    static char space_key[] = "scarlet.space";
    scarlet__metadata *changes = scarlet__calloc(1, sizeof *changes);
    if (!changes)
        return scarlet__fail_memory(err);
    double mean[3], std[3];
    scarlet__train_numbers(s->options, SCARLET_TRAIN_MEAN, mean);
    scarlet__train_numbers(s->options, SCARLET_TRAIN_STD, std);
    for (int i = 0; i < 3; i++) {
        changes->mean[i] = (float)mean[i];
        changes->std[i] = (float)std[i];
    }
    changes->label = (const char **)s->dataset->name;
    changes->label_count = (size_t)s->dataset->classes;
    changes->input_size = s->space->input_size;
    changes->resize = (int)scarlet__train_number(s->options, SCARLET_TRAIN_RESIZE);
    changes->has_mean = changes->has_std = changes->has_auto_orient = true;
    changes->auto_orient = scarlet__train_number(s->options, SCARLET_TRAIN_AUTO_ORIENT) > 0;
    char *key[] = {space_key}, *value[] = {s->space->widths_text};
    const scarlet__metadata base = {.count = 1, .key = key, .value = value};
    scarlet_status status = scarlet__metadata_write(&base, changes, &c->metadata, err);
    scarlet__free(changes);
    return status;
}

/* Copies the path's weights, LETs left out, and its statistics. */
static scarlet_status make(const scarlet_supernet *s, const scarlet__runner *from, child *c,
                           scarlet_error *err)
{
    scarlet_status status = make_space(s, &from->path, c, err);
    if (status == SCARLET_OK)
        status = scarlet__supernet_make(c->space, false, SCARLET_SHARE_NONE, &c->net, err);
    if (status == SCARLET_OK)
        status = describe(s, c, err);
    if (status != SCARLET_OK)
        return status;
    c->network = scarlet__alloc(1, sizeof *c->network);
    c->weights = scarlet__alloc(c->net.floats, sizeof *c->weights);
    c->running = scarlet__alloc(c->net.path_statistics, sizeof *c->running);
    if (!c->network || !c->weights || !c->running)
        return scarlet__fail_memory(err);
    scarlet__path_network(s->space, &from->path, c->network);
    if (!scarlet__parameters_list(c->network, &c->list))
        return scarlet__fail_memory(err);
    int part[SCARLET__NETWORK_LAYERS_MAX];
    const int parts = scarlet__supernet_parts(from->net, &from->path, part);
    float *to = c->weights;
    for (int i = 0; i < parts; i++) {
        const scarlet__part *p = &from->net->part[part[i]];
        if (p->unit.kind == SCARLET__UNIT_LET)
            continue;
        scarlet__part_read(from->net, from->weights, p, to);
        to += p->floats;
    }
    memcpy(c->running, from->running, c->net.path_statistics * sizeof *c->running);
    return SCARLET_OK;
}

/* ---- merging ---- */

static float *values(const child *c, const scarlet__parameter *p)
{
    return (scarlet__is_statistic(p) ? c->running : c->weights) + p->offset;
}

/* The first tensor of a layer whose name ends so; each layer that is merged has it. */
static const scarlet__parameter *find(const child *c, int layer, const char *ending)
{
    for (size_t i = 0; i < c->list.count; i++) {
        const scarlet__parameter *p = &c->list.item[i];
        const size_t n = strlen(p->name), m = strlen(ending);
        if (p->layer == layer && n > m && strcmp(p->name + n - m, ending) == 0)
            return p;
    }
    return NULL;
}

/* The convolution that reads a layer's input; that writes its output, and its batch norm. */
static const scarlet__parameter *reader(const child *c, int layer)
{
    const bool block = c->network->layer[layer].kind == SCARLET_LAYER_BLOCK;
    return find(c, layer, block ? ".conv1.weight" : ".0.weight");
}

static const scarlet__parameter *writer(const child *c, int layer)
{
    const bool block = c->network->layer[layer].kind == SCARLET_LAYER_BLOCK;
    return find(c, layer, block ? ".conv3.weight" : ".3.weight");
}

/* E' = E in. */
static bool merge_reader(const child *c, const scarlet__parameter *p, const scarlet__merge *m)
{
    const int n = m->in_size;
    double *row = scarlet__alloc((size_t)n, sizeof *row);
    for (int64_t i = 0; row && i < p->shape[0]; i++) {
        float *from = values(c, p);
        for (int k = 0; k < n; k++) {
            row[k] = 0;
            for (int j = 0; j < n; j++)
                row[k] += (double)from[scarlet__parameter_place(p, i * n + j)] * m->in[j * n + k];
        }
        for (int k = 0; k < n; k++)
            from[scarlet__parameter_place(p, i * n + k)] = (float)row[k];
    }
    scarlet__free(row);
    return row != NULL;
}

/* A batch norm that follows a convolution: y = scale x + shift with its running statistics. */
typedef struct affine {
    double *scale, *shift; /* [n] */
} affine;

/* P' = out P: rows keep their norms, and *a receives what the batch norm is to do with them. */
static bool merge_writer(const child *c, const scarlet__parameter *p, const scarlet__merge *m,
                         affine *a)
{
    const int n = m->out_size;
    const int64_t inputs = p->shape[1];
    const float *gamma = values(c, p + 1), *beta = values(c, p + 2);
    const float *mean = values(c, p + 3), *variance = values(c, p + 4);
    float *weights = values(c, p);
    double *product = scarlet__calloc((size_t)n * (size_t)inputs, sizeof *product);
    a->scale = scarlet__calloc(2 * (size_t)n, sizeof *a->scale);
    if (!product || !a->scale) {
        scarlet__free(product);
        return false;
    }
    a->shift = a->scale + n;
    for (int k = 0; k < n; k++) {
        const double s =
            (double)gamma[k] / sqrt((double)variance[k] + scarlet__style_default.epsilon);
        const double b = (double)beta[k] - (double)mean[k] * s;
        for (int i = 0; i < n; i++) {
            const double factor = m->out[i * n + k];
            a->shift[i] += factor * b;
            for (int64_t j = 0; j < inputs; j++)
                product[i * inputs + j] +=
                    factor * s * (double)weights[scarlet__parameter_place(p, k * inputs + j)];
        }
    }
    for (int i = 0; i < n; i++) {
        double before = 0, after = 0;
        for (int64_t j = 0; j < inputs; j++) {
            const double w = (double)weights[scarlet__parameter_place(p, i * inputs + j)];
            before += w * w;
            after += product[i * inputs + j] * product[i * inputs + j];
        }
        a->scale[i] = before > 0 && after > 0 ? sqrt(after / before) : 1;
        for (int64_t j = 0; j < inputs; j++)
            weights[scarlet__parameter_place(p, i * inputs + j)] =
                (float)(product[i * inputs + j] / a->scale[i]);
    }
    scarlet__free(product);
    return true;
}

/* Measures a batch norm anew and makes it do what it is to. */
static scarlet_status settle(scarlet__scorer *scorer, const child *c, const scarlet__parameter *p,
                             const affine *a, scarlet_error *err)
{
    const scarlet__runner runner = {.net = &c->net,
                                    .weights = c->weights,
                                    .running =
                                        scarlet__alloc(c->net.path_statistics, sizeof(float))};
    if (!runner.running)
        return scarlet__fail_memory(err);
    scarlet_status status = scarlet__scorer_measure(scorer, &runner, err);
    float *gamma = values(c, p + 1), *beta = values(c, p + 2);
    float *mean = values(c, p + 3), *variance = values(c, p + 4);
    for (int64_t i = 0; status == SCARLET_OK && i < p->shape[0]; i++) {
        mean[i] = runner.running[(p + 3)->offset + (size_t)i];
        variance[i] = runner.running[(p + 4)->offset + (size_t)i];
        gamma[i] =
            (float)(a->scale[i] * sqrt((double)variance[i] + scarlet__style_default.epsilon));
        beta[i] = (float)(a->shift[i] + (double)mean[i] * a->scale[i]);
    }
    scarlet__free(runner.running);
    return status;
}

static scarlet_status apply(scarlet__scorer *scorer, const child *c, const scarlet__merge *merge,
                            scarlet_error *err)
{
    for (int i = 0; i < c->network->count; i++) {
        if (merge[i].in && !merge_reader(c, reader(c, i), &merge[i]))
            return scarlet__fail_memory(err);
        if (!merge[i].out)
            continue;
        const scarlet__parameter *p = writer(c, i);
        affine a = {0};
        scarlet_status status = merge_writer(c, p, &merge[i], &a) ? settle(scorer, c, p, &a, err)
                                                                  : scarlet__fail_memory(err);
        scarlet__free(a.scale);
        if (status != SCARLET_OK)
            return status;
    }
    return SCARLET_OK;
}

/* ---- the file ---- */

static scarlet_status read_values(void *user, size_t index, uint64_t first, size_t count,
                                  float *out, scarlet_error *err)
{
    const child *c = user;
    const scarlet__parameter *p = &c->list.item[index];
    (void)err;
    for (size_t i = 0; i < count; i++)
        out[i] = values(c, p)[scarlet__parameter_place(p, (int64_t)(first + i))];
    return SCARLET_OK;
}

static scarlet_status put(child *c, bool half, scarlet__put_fn format, scarlet__output *output,
                          const char *name, scarlet_error *err)
{
    scarlet__entry *entry = scarlet__calloc(c->list.count, sizeof *entry);
    if (!entry)
        return scarlet__fail_memory(err);
    for (size_t i = 0; i < c->list.count; i++) {
        entry[i].name = c->list.item[i].name;
        entry[i].rank = c->list.item[i].rank;
        memcpy(entry[i].shape, c->list.item[i].shape, sizeof c->list.item[i].shape);
    }
    const scarlet__store store = {.put = format,
                                  .metadata = &c->metadata,
                                  .entry = entry,
                                  .count = c->list.count,
                                  .half = half,
                                  .read = read_values,
                                  .user = c};
    scarlet_status status = scarlet__store_put(&store, output, name, err);
    scarlet__free(entry);
    return status;
}

/* By the name's ending. */
static scarlet__put_fn format_of(const char *target)
{
    const size_t length = strlen(target);
    return length > 4 && strcmp(target + length - 4, ".pth") == 0 ? scarlet__torch_put
                                                                  : scarlet__safetensors_put;
}

/* ---- proof ---- */

/* Largest difference of the file's logits from the path's, over the path's largest. */
static scarlet_status compare(scarlet__scorer *scorer, const scarlet__runner *path, child *c,
                              bool half, double *difference, scarlet_error *err)
{
    const size_t classes = (size_t)c->network->classes;
    float *wanted = scarlet__alloc(2 * PROOF_MAX * classes, sizeof *wanted);
    if (!wanted)
        return scarlet__fail_memory(err);
    float *found = wanted + PROOF_MAX * classes;
    scarlet_score score;
    scarlet__output file;
    scarlet__output_memory(&file);
    scarlet_status status =
        scarlet__scorer_classify(scorer, path, SCARLET_PART_TRAIN, PROOF_MAX, &score, wanted, err);
    if (status == SCARLET_OK)
        status = put(c, half, scarlet__safetensors_put, &file, "memory", err);
    if (status == SCARLET_OK)
        status = scarlet__scorer_infer(scorer, file.data, file.size, PROOF_MAX, found, err);
    scarlet__output_abandon(&file);
    double most = 0, worst = 0;
    for (size_t i = 0; status == SCARLET_OK && i < PROOF_MAX * classes; i++) {
        most = fmax(most, fabs((double)wanted[i]));
        worst = fmax(worst, fabs((double)found[i] - (double)wanted[i]));
    }
    *difference = most > 0 ? worst / most : worst;
    scarlet__free(wanted);
    return status;
}

static scarlet_status prove(scarlet__scorer *scorer, const scarlet__runner *path, child *c,
                            bool half, bool exact, double *difference, scarlet_error *err)
{
    scarlet_status status = compare(scorer, path, c, false, difference, err);
    if (status == SCARLET_OK && exact && !(*difference <= proof_bound))
        return scarlet__fail(err, SCARLET_ERROR_INTERNAL,
                             "the exported network differs from the supernet's by %.2g of the "
                             "largest logit, more than %g",
                             *difference, proof_bound);
    return status == SCARLET_OK && half ? compare(scorer, path, c, true, difference, err) : status;
}

/* ---- public ---- */

static scarlet_status export_child(scarlet_supernet *s, scarlet__scorer *scorer,
                                   const scarlet__runner *path, child *c, const char *target,
                                   bool drop, bool half, double *difference, scarlet_error *err)
{
    scarlet__merge *merge = scarlet__calloc(SCARLET__NETWORK_LAYERS_MAX, sizeof *merge);
    scarlet_status status =
        merge ? scarlet__scorer_measure(scorer, path, err) : scarlet__fail_memory(err);
    if (status == SCARLET_OK)
        status = make(s, path, c, err);
    if (status == SCARLET_OK && !drop) {
        status = scarlet__merge_plan(&s->net, s->fair.weights, &path->path, c->network, merge, err);
        if (status == SCARLET_OK)
            status = apply(scorer, c, merge, err);
    }
    if (merge)
        scarlet__merge_free(merge);
    scarlet__free(merge);
    if (status == SCARLET_OK)
        status = prove(scorer, path, c, half, !drop, difference, err);
    if (status != SCARLET_OK)
        return status;
    scarlet__output output;
    status = scarlet__output_open(target, &output, err);
    if (status != SCARLET_OK)
        return status;
    status = put(c, half, format_of(target), &output, target, err);
    if (status == SCARLET_OK)
        status = scarlet__output_commit(&output, err);
    scarlet__output_abandon(&output);
    return status;
}

scarlet_status scarlet_supernet_export(scarlet_supernet *s, const char *genotype, const char *path,
                                       int32_t drop_let, const scarlet_options *opts,
                                       double *difference, scarlet_error *err)
{
    if (!s || !genotype || !path)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "an argument is NULL");
    int64_t storage = SCARLET_STORAGE_F32;
    if (opts)
        scarlet_options_get(opts, SCARLET_OPT_STORAGE, &storage, NULL);
    scarlet__host host = scarlet__host_enter();
    scarlet__runner runner = {.net = &s->net, .weights = s->fair.weights};
    scarlet__scorer *scorer = NULL;
    child c = {0};
    double found = 0;
    scarlet_status status = scarlet__path_parse(s->space, genotype, &runner.path, err);
    if (status == SCARLET_OK)
        status = scarlet__scorer_get(s, &scorer, err);
    if (status == SCARLET_OK) {
        runner.running = scarlet__alloc(s->net.path_statistics, sizeof *runner.running);
        status = runner.running ? export_child(s, scorer, &runner, &c, path, drop_let != 0,
                                               storage == SCARLET_STORAGE_F16, &found, err)
                                : scarlet__fail_memory(err);
        scarlet__free(runner.running);
        child_free(&c);
    }
    if (difference)
        *difference = found;
    scarlet__host_leave(&host);
    return status;
}
