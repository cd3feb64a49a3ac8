#include "network/weights.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/memory.h"

#define EPSILON 1e-5 /* of batch norm, in the release as in PyTorch */

typedef struct {
    const scarlet__tensors *tensors;
    const scarlet__layer *layer;
    scarlet_error *err;
    char name[80];
    const scarlet__tensor *tensor;
} reader;

/* Makes `suffix` the tensor that is read. The network was checked: it is there. */
static scarlet_status select_tensor(reader *r, const char *suffix)
{
    snprintf(r->name, sizeof r->name, "%s.%s", r->layer->name, suffix);
    r->tensor = scarlet__tensors_find(r->tensors, r->name);
    if (!r->tensor)
        return scarlet__fail(r->err, SCARLET_ERROR_INTERNAL, "%s: tensor %s has gone",
                             r->tensors->source->name, r->name);
    return SCARLET_OK;
}

static scarlet_status not_finite(const reader *r, uint64_t index)
{
    return scarlet__fail(r->err, SCARLET_ERROR_CORRUPT, "%s: tensor %s: value %llu is not finite",
                         r->tensors->source->name, r->name, (unsigned long long)index);
}

/* Index of the first value that is not finite; n if there is none. Summing x * 0 finds a rare one
 * in a loop that is vectorised. */
static size_t first_bad(const double *x, size_t n)
{
    double sum[8] = {0};
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t j = 0; j < 8; j++)
            sum[j] += x[i + j] * 0;
    for (; i < n; i++)
        sum[0] += x[i] * 0;
    if (sum[0] + sum[1] + sum[2] + sum[3] + sum[4] + sum[5] + sum[6] + sum[7] == 0)
        return n;
    i = 0;
    while (i < n && isfinite(x[i]))
        i++;
    return i;
}

static scarlet_status read_vector(reader *r, const char *suffix, size_t n, double *out)
{
    scarlet_status status = select_tensor(r, suffix);
    if (status == SCARLET_OK)
        status = scarlet__tensor_read_f64(r->tensors, r->tensor, 0, n, out, r->err);
    if (status != SCARLET_OK)
        return status;
    size_t bad = first_bad(out, n);
    return bad < n ? not_finite(r, bad) : SCARLET_OK;
}

/* Denormal weights would slow some CPUs down and mean nothing: they become 0. */
static float rounded(double x)
{
    float y = (float)x;
    return fabsf(y) < 0x1p-126f ? 0.0f : y;
}

/* Values read at a time: enough to make the calls cheap, few enough to stay in the cache. */
enum { PIECE = 8192 };

/* Reads a weight of `rows` x `columns`, row i multiplied by scale[i]. */
static scarlet_status read_scaled(reader *r, const char *suffix, size_t rows, size_t columns,
                                  const double *scale, float **out)
{
    scarlet_status status = select_tensor(r, suffix);
    if (status != SCARLET_OK)
        return status;
    const size_t most = columns < PIECE ? PIECE / columns : 1; /* rows of a piece */
    float *weight = *out = scarlet__alloc(rows * columns, sizeof *weight);
    double *piece = scarlet__alloc(most * columns, sizeof *piece);
    if (!weight || !piece)
        status = scarlet__fail_memory(r->err);
    for (size_t i = 0; i < rows && status == SCARLET_OK; i += most) {
        size_t count = (rows - i < most ? rows - i : most), n = count * columns;
        status = scarlet__tensor_read_f64(r->tensors, r->tensor, i * columns, n, piece, r->err);
        if (status != SCARLET_OK)
            break;
        size_t bad = first_bad(piece, n);
        if (bad < n)
            status = not_finite(r, i * columns + bad);
        for (size_t j = 0; j < count; j++)
            for (size_t k = j * columns; k < (j + 1) * columns; k++)
                weight[i * columns + k] = rounded(piece[k] * scale[i + j]);
    }
    scarlet__free(piece);
    return status;
}

/* Reads the batch norm `module`: scale (gamma / sqrt(var + eps)) and the bias that is left. */
static scarlet_status read_batch_norm(reader *r, const char *module, size_t n, double *scale,
                                      float *bias)
{
    static const char *const part[] = {"weight", "bias", "running_mean", "running_var"};
    double *v[4] = {0};
    scarlet_status status = SCARLET_OK;
    for (int i = 0; i < 4 && status == SCARLET_OK; i++) {
        char suffix[40];
        snprintf(suffix, sizeof suffix, "%s.%s", module, part[i]);
        v[i] = scarlet__alloc(n, sizeof *v[i]);
        status = v[i] ? read_vector(r, suffix, n, v[i]) : scarlet__fail_memory(r->err);
    }
    for (size_t i = 0; i < n && status == SCARLET_OK; i++) {
        if (v[3][i] < 0)
            status = scarlet__fail(r->err, SCARLET_ERROR_CORRUPT,
                                   "%s: tensor %s: value %zu is %g; a variance is not negative",
                                   r->tensors->source->name, r->name, i, v[3][i]);
        scale[i] = v[0][i] / sqrt(v[3][i] + EPSILON);
        bias[i] = (float)(v[1][i] - v[2][i] * scale[i]);
    }
    for (int i = 0; i < 4; i++)
        scarlet__free(v[i]);
    return status;
}

/* A convolution and the batch norm behind it; `factor` multiplies the weight alone. */
static scarlet_status read_conv(reader *r, const char *conv, const char *norm, size_t rows,
                                size_t columns, double factor, float **weight, float **bias)
{
    char suffix[40];
    double *scale = scarlet__alloc(rows, sizeof *scale);
    *bias = scarlet__alloc(rows, sizeof **bias);
    scarlet_status status = scale && *bias ? read_batch_norm(r, norm, rows, scale, *bias)
                                           : scarlet__fail_memory(r->err);
    if (status == SCARLET_OK) {
        for (size_t i = 0; i < rows; i++)
            scale[i] *= factor;
        snprintf(suffix, sizeof suffix, "%s.weight", conv);
        status = read_scaled(r, suffix, rows, columns, scale, weight);
    }
    scarlet__free(scale);
    return status;
}

/* A convolution or linear layer with a bias of its own. */
static scarlet_status read_linear(reader *r, const char *prefix, size_t rows, size_t columns,
                                  double factor, float **weight, float **bias)
{
    char suffix[40];
    double *v = scarlet__alloc(rows, sizeof *v);
    *bias = scarlet__alloc(rows, sizeof **bias);
    scarlet_status status = SCARLET_OK;
    if (!v || !*bias)
        status = scarlet__fail_memory(r->err);
    if (status == SCARLET_OK) {
        snprintf(suffix, sizeof suffix, "%sbias", prefix);
        status = read_vector(r, suffix, rows, v);
    }
    if (status == SCARLET_OK) {
        for (size_t i = 0; i < rows; i++) {
            (*bias)[i] = (float)v[i];
            v[i] = factor;
        }
        snprintf(suffix, sizeof suffix, "%sweight", prefix);
        status = read_scaled(r, suffix, rows, columns, v, weight);
    }
    scarlet__free(v);
    return status;
}

scarlet_status scarlet__layer_weights_read(const scarlet__tensors *tensors, const scarlet__layer *l,
                                           scarlet__layer_weights *w, scarlet_error *err)
{
    const double sixth = 1.0 / 6;
    reader r = {.tensors = tensors, .layer = l, .err = err};
    size_t in = (size_t)l->in, out = (size_t)l->out, h = (size_t)l->hidden, s = (size_t)l->squeeze;
    size_t k2 = (size_t)l->kernel * (size_t)l->kernel;
    scarlet_status status = SCARLET_OK;
    *w = (scarlet__layer_weights){0};
    switch (l->kind) {
    case SCARLET_LAYER_STEM:
        status = read_conv(&r, "0", "1", out, in * k2, 1, &w->project, &w->project_bias);
        break;
    case SCARLET_LAYER_SEPARABLE:
        status = read_conv(&r, "0", "1", in, k2, 1, &w->depthwise, &w->depthwise_bias);
        if (status == SCARLET_OK)
            status = read_conv(&r, "3", "4", out, in, 1, &w->project, &w->project_bias);
        break;
    case SCARLET_LAYER_BLOCK:
        status = read_conv(&r, "conv1", "bn1", h, in, 1, &w->expand, &w->expand_bias);
        if (status == SCARLET_OK)
            status = read_conv(&r, "conv2", "bn2", h, k2, sixth, &w->depthwise, &w->depthwise_bias);
        if (status == SCARLET_OK && s)
            status =
                read_linear(&r, "mid_se.squeeze_conv.", s, h, sixth, &w->squeeze, &w->squeeze_bias);
        if (status == SCARLET_OK && s)
            status = read_linear(&r, "mid_se.excite_conv.", h, s, 1, &w->excite, &w->excite_bias);
        if (status == SCARLET_OK)
            status = read_conv(&r, "conv3", "bn3", out, h, sixth, &w->project, &w->project_bias);
        break;
    case SCARLET_LAYER_TAIL:
        status = read_conv(&r, "0", "1", out, in, 1, &w->project, &w->project_bias);
        break;
    case SCARLET_LAYER_CLASSIFIER:
        status = read_linear(&r, "", out, in, 1, &w->project, &w->project_bias);
        break;
    default:
        break;
    }
    if (status != SCARLET_OK)
        scarlet__layer_weights_free(w);
    return status;
}

void scarlet__layer_weights_free(scarlet__layer_weights *w)
{
    float *all[] = {w->expand,  w->expand_bias,  w->depthwise, w->depthwise_bias,
                    w->squeeze, w->squeeze_bias, w->excite,    w->excite_bias,
                    w->project, w->project_bias};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        scarlet__free(all[i]);
    *w = (scarlet__layer_weights){0};
}
