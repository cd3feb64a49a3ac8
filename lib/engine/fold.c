#include "engine/fold.h"

#include <math.h>
#include <stdio.h>

#include "common/error.h"
#include "common/finite.h"
#include "common/memory.h"
#include "engine/scale.h"

enum { PIECE = 1 << 16 }; /* values read at once: they are folded and checked while in cache */

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
                         r->tensors->source->name, r->tensor->stored, (unsigned long long)index);
}

static scarlet_status read_vector(reader *r, const char *suffix, size_t n, double *out)
{
    scarlet_status status = select_tensor(r, suffix);
    if (status == SCARLET_OK)
        status = scarlet__tensor_read_f64(r->tensors, r->tensor, 0, n, out, r->err);
    if (status != SCARLET_OK)
        return status;
    for (size_t i = 0; i < n; i++)
        if (!isfinite(out[i]))
            return not_finite(r, i);
    return SCARLET_OK;
}

/* `n` values of the tensor, from value `first` on. */
static scarlet_status check_finite(const reader *r, size_t first, size_t n, const float *weight)
{
    size_t bad = scarlet__first_not_finite(weight, n);
    return bad < n ? not_finite(r, first + bad) : SCARLET_OK;
}

/* Scaled rows of a tensor of doubles, rounded once. */
static scarlet_status read_scaled_f64(reader *r, size_t rows, size_t columns, const double *scale,
                                      float *weight)
{
    double *row = scarlet__alloc(columns, sizeof *row);
    scarlet_status status = row ? SCARLET_OK : scarlet__fail_memory(r->err);
    for (size_t i = 0; i < rows && status == SCARLET_OK; i++, weight += columns) {
        status = scarlet__tensor_read_f64(r->tensors, r->tensor, i * columns, columns, row, r->err);
        for (size_t j = 0; j < columns && status == SCARLET_OK; j++)
            weight[j] = scarlet__scaled(row[j], scale[i]);
        if (status == SCARLET_OK)
            status = check_finite(r, i * columns, columns, weight);
    }
    scarlet__free(row);
    return status;
}

/* `rows` scaled rows from row `first` on. */
static scarlet_status read_scaled_f32(reader *r, size_t first, size_t rows, size_t columns,
                                      const double *scale, float *weight)
{
    scarlet_status status = scarlet__tensor_read_f32(r->tensors, r->tensor, first * columns,
                                                     rows * columns, weight, r->err);
    if (status == SCARLET_OK && !scarlet__scale_rows(weight, rows, columns, scale + first))
        status = check_finite(r, first * columns, rows * columns, weight);
    return status;
}

/* Reads a weight of `rows` x `columns`, row i multiplied by scale[i]. */
static scarlet_status read_scaled(reader *r, const char *suffix, size_t rows, size_t columns,
                                  const double *scale, float *weight)
{
    scarlet_status status = select_tensor(r, suffix);
    if (status != SCARLET_OK)
        return status;
    if (r->tensor->dtype == SCARLET__F64) {
        status = read_scaled_f64(r, rows, columns, scale, weight);
    } else {
        const size_t most = columns < PIECE ? PIECE / columns : 1;
        for (size_t i = 0; i < rows && status == SCARLET_OK; i += most)
            status = read_scaled_f32(r, i, rows - i < most ? rows - i : most, columns, scale,
                                     weight + i * columns);
    }
    return status;
}

/* Reads the batch norm `module`: scale (gamma / sqrt(var + eps)) and the bias that is left.
 * `scale` has room for 5 n numbers: the statistics are read into the rest. */
static scarlet_status read_batch_norm(reader *r, const char *module, size_t n, double *scale,
                                      float *bias)
{
    static const char *const part[] = {"weight", "bias", "running_mean", "running_var"};
    const double *gamma = scale + n, *beta = gamma + n, *mean = beta + n, *var = mean + n;
    for (size_t i = 0; i < 4; i++) {
        char suffix[40];
        snprintf(suffix, sizeof suffix, "%s.%s", module, part[i]);
        scarlet_status status = read_vector(r, suffix, n, scale + (i + 1) * n);
        if (status != SCARLET_OK)
            return status;
    }
    for (size_t i = 0; i < n; i++) {
        if (var[i] < 0)
            return scarlet__fail(r->err, SCARLET_ERROR_CORRUPT,
                                 "%s: tensor %s: value %zu is %g; a variance is not negative",
                                 r->tensors->source->name, r->tensor->stored, i, var[i]);
        scale[i] = gamma[i] / sqrt(var[i] + r->layer->style.epsilon);
        bias[i] = (float)(beta[i] - mean[i] * scale[i]);
    }
    return SCARLET_OK;
}

/* A convolution and the batch norm after it; `factor` multiplies only the weight. */
static scarlet_status read_conv(reader *r, const char *conv, const char *norm, size_t rows,
                                size_t columns, double factor, float *weight, float *bias)
{
    char suffix[40];
    double *scale = scarlet__alloc(rows, 5 * sizeof *scale);
    scarlet_status status =
        scale ? read_batch_norm(r, norm, rows, scale, bias) : scarlet__fail_memory(r->err);
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
                                  double factor, float *weight, float *bias)
{
    char suffix[40];
    double *v = scarlet__alloc(rows, sizeof *v);
    snprintf(suffix, sizeof suffix, "%sbias", prefix);
    scarlet_status status = v ? read_vector(r, suffix, rows, v) : scarlet__fail_memory(r->err);
    if (status == SCARLET_OK) {
        for (size_t i = 0; i < rows; i++) {
            bias[i] = (float)v[i];
            v[i] = factor;
        }
        snprintf(suffix, sizeof suffix, "%sweight", prefix);
        status = read_scaled(r, suffix, rows, columns, v, weight);
    }
    scarlet__free(v);
    return status;
}

/* Cuts memory for the layer's weights. */
static scarlet_status reserve(const scarlet__layer *l, scarlet__layer_weights *w,
                              scarlet_error *err)
{
    size_t in = (size_t)l->in, out = (size_t)l->out, h = (size_t)l->hidden, s = (size_t)l->squeeze;
    size_t taps = (size_t)l->kernel * (size_t)l->kernel;
    bool separable = l->kind == SCARLET_LAYER_SEPARABLE;
    size_t channels = separable ? in : h; /* of the depthwise convolution */
    size_t project_in = l->kind == SCARLET_LAYER_STEM ? in * taps : h ? h : in;
    size_t project_out = l->kind == SCARLET_LAYER_IDENTITY ? 0 : out;
    const struct {
        float **where;
        size_t n;
    } part[] = {
        {&w->expand, h * in},
        {&w->expand_bias, h},
        {&w->depthwise, channels * taps},
        {&w->depthwise_bias, channels},
        {&w->squeeze, s * h},
        {&w->squeeze_bias, s},
        {&w->excite, h * s},
        {&w->excite_bias, s ? h : 0},
        {&w->project, project_out * project_in},
        {&w->project_bias, project_out},
    };
    size_t total = 0;
    for (size_t i = 0; i < sizeof part / sizeof *part; i++)
        total += part[i].n;
    if (total > w->room) {
        size_t bytes;
        scarlet__layer_weights_free(w);
        if (!__builtin_mul_overflow(total, sizeof *w->memory, &bytes))
            w->memory = scarlet__pages_alloc(bytes);
        if (!w->memory)
            return scarlet__fail_memory(err);
        w->room = total;
    }
    for (size_t i = 0, at = 0; i < sizeof part / sizeof *part; at += part[i++].n)
        *part[i].where = part[i].n ? w->memory + at : NULL;
    return SCARLET_OK;
}

scarlet_status scarlet__layer_weights_read(const scarlet__tensors *tensors, const scarlet__layer *l,
                                           scarlet__layer_weights *w, scarlet_error *err)
{
    const double gain = l->style.activation == SCARLET__BLOCK_HSWISH ? 1.0 / 6 : 1;
    reader r = {.tensors = tensors, .layer = l, .err = err};
    size_t in = (size_t)l->in, out = (size_t)l->out, h = (size_t)l->hidden, s = (size_t)l->squeeze;
    size_t k2 = (size_t)l->kernel * (size_t)l->kernel;
    scarlet_status status = reserve(l, w, err);
    if (status != SCARLET_OK)
        return status;
    switch (l->kind) {
    case SCARLET_LAYER_STEM:
        return read_conv(&r, "0", "1", out, in * k2, 1, w->project, w->project_bias);
    case SCARLET_LAYER_SEPARABLE:
        status = read_conv(&r, "0", "1", in, k2, 1, w->depthwise, w->depthwise_bias);
        if (status == SCARLET_OK)
            status = read_conv(&r, "3", "4", out, in, 1, w->project, w->project_bias);
        return status;
    case SCARLET_LAYER_BLOCK:
        status = read_conv(&r, "conv1", "bn1", h, in, 1, w->expand, w->expand_bias);
        if (status == SCARLET_OK)
            status = read_conv(&r, "conv2", "bn2", h, k2, gain, w->depthwise, w->depthwise_bias);
        if (status == SCARLET_OK && s)
            status =
                read_linear(&r, "mid_se.squeeze_conv.", s, h, gain, w->squeeze, w->squeeze_bias);
        if (status == SCARLET_OK && s)
            status = read_linear(&r, "mid_se.excite_conv.", h, s, 1, w->excite, w->excite_bias);
        if (status == SCARLET_OK)
            status = read_conv(&r, "conv3", "bn3", out, h, gain, w->project, w->project_bias);
        return status;
    case SCARLET_LAYER_TAIL:
        return read_conv(&r, "0", "1", out, in, 1, w->project, w->project_bias);
    case SCARLET_LAYER_CLASSIFIER:
        return read_linear(&r, "", out, in, 1, w->project, w->project_bias);
    default:
        return SCARLET_OK;
    }
}

void scarlet__layer_weights_free(scarlet__layer_weights *w)
{
    scarlet__pages_free(w->memory, w->room * sizeof *w->memory);
    *w = (scarlet__layer_weights){0};
}
