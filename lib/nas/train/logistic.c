#include "nas/train/logistic.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "common/error.h"
#include "common/memory.h"
#include "nas/real.h"

enum {
    LANES = 16,       /* sums of a dot product: the compiler makes vectors of them */
    ROWS = 64,        /* vectors whose gradient is summed in float */
    PAIRS = 8,        /* steps that the approximation of the Hessian remembers */
    ITERATIONS = 200, /* at most */
    HALVINGS = 30
};
static const double tolerance = 1e-6; /* of the gradient's largest element */

typedef struct {
    const scarlet__logistic *p;
    size_t length;        /* of a point: classes x (features + 1), biases last */
    double *mean, *std;   /* of each feature */
    float *weight, *bias; /* the point, for features as they are */
    float *delta;         /* ROWS x classes: derivative by the scores */
    float *partial;       /* classes x features, of ROWS vectors */
    double loss;          /* mean cross-entropy at the point evaluated last */
} fit;

/* ---- arithmetic ---- */

static float dot_f(const float *a, const float *b, size_t n)
{
    float sum[LANES] = {0}, rest = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            sum[k] += a[i + k] * b[i + k];
    for (; i < n; i++)
        rest += a[i] * b[i];
    for (size_t half = LANES / 2; half > 0; half /= 2)
        for (size_t k = 0; k < half; k++)
            sum[k] += sum[k + half];
    return sum[0] + rest;
}

void scarlet__linear(const float *weight, const float *bias, const float *x, size_t features,
                     size_t classes, float *scores)
{
    for (size_t c = 0; c < classes; c++)
        scores[c] = dot_f(weight + c * features, x, features) + bias[c];
}

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* a += factor * b */
static void add_scaled(double *a, double factor, const double *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        a[i] += factor * b[i];
}

/* ---- the objective ---- */

static void standardise(fit *f)
{
    const scarlet__logistic *p = f->p;
    for (size_t i = 0; i < p->count; i++)
        for (size_t k = 0; k < p->features; k++)
            f->mean[k] += (double)p->x[i * p->features + k] / (double)p->count;
    for (size_t i = 0; i < p->count; i++)
        for (size_t k = 0; k < p->features; k++) {
            double d = (double)p->x[i * p->features + k] - f->mean[k];
            f->std[k] += d * d / (double)p->count;
        }
    for (size_t k = 0; k < p->features; k++) /* a feature that never varies says nothing */
        f->std[k] = f->std[k] > 1e-20 ? sqrt(f->std[k]) : INFINITY;
}

/* From weights of standardised features to those of the features themselves. */
static void unfold(fit *f, const double *point)
{
    size_t features = f->p->features, classes = f->p->classes;
    for (size_t c = 0; c < classes; c++) {
        double bias = point[classes * features + c];
        for (size_t k = 0; k < features; k++) {
            double w = point[c * features + k] / f->std[k];
            f->weight[c * features + k] = (float)w;
            bias -= w * f->mean[k];
        }
        f->bias[c] = (float)bias;
    }
}

/* Scores of one vector become the derivative of its cross-entropy, which is returned. */
static double differentiate(float *scores, size_t classes, size_t label)
{
    double most = -INFINITY, sum = 0;
    for (size_t c = 0; c < classes; c++)
        most = (double)scores[c] > most ? (double)scores[c] : most;
    double loss = most - (double)scores[label];
    for (size_t c = 0; c < classes; c++) {
        double e = scarlet__real_exp((double)scores[c] - most);
        scores[c] = (float)e;
        sum += e;
    }
    for (size_t c = 0; c < classes; c++)
        scores[c] = (float)((double)scores[c] / sum);
    scores[label] -= 1;
    return loss + scarlet__real_log(sum);
}

static double objective(fit *f, const double *point, double *gradient)
{
    const scarlet__logistic *p = f->p;
    size_t features = p->features, classes = p->classes, weights = classes * features;
    double n = (double)p->count, loss = 0;
    unfold(f, point);
    memset(gradient, 0, f->length * sizeof *gradient);
    for (size_t first = 0; first < p->count; first += ROWS) {
        size_t rows = p->count - first < ROWS ? p->count - first : ROWS;
        for (size_t i = 0; i < rows; i++) {
            float *scores = f->delta + i * classes;
            scarlet__linear(f->weight, f->bias, p->x + (first + i) * features, features, classes,
                            scores);
            loss += differentiate(scores, classes, (size_t)p->label[first + i]);
        }
        memset(f->partial, 0, weights * sizeof *f->partial);
        for (size_t c = 0; c < classes; c++)
            for (size_t i = 0; i < rows; i++) {
                const float *x = p->x + (first + i) * features;
                float d = f->delta[i * classes + c];
                float *sum = f->partial + c * features;
                for (size_t k = 0; k < features; k++)
                    sum[k] += d * x[k];
                gradient[weights + c] += (double)d / n;
            }
        for (size_t k = 0; k < weights; k++)
            gradient[k] += (double)f->partial[k] / n;
    }
    for (size_t c = 0; c < classes; c++)
        for (size_t k = 0; k < features; k++) {
            double *g = &gradient[c * features + k];
            *g =
                (*g - gradient[weights + c] * f->mean[k]) / f->std[k] + point[c * features + k] / n;
        }
    f->loss = loss / n;
    return f->loss + dot(point, point, weights) / (2 * n);
}

/* ---- L-BFGS ---- */

typedef struct {
    double *step[PAIRS], *change[PAIRS]; /* of the point and of the gradient */
    double inverse[PAIRS];               /* 1 / (step . change) */
    size_t count;                        /* pairs ever taken; the newest is (count - 1) % PAIRS */
} memory;

/* direction = - (approximate inverse Hessian) x gradient: the two loops of Nocedal. */
static void descend(const memory *m, const double *gradient, size_t n, double *direction)
{
    double share[PAIRS] = {0};
    size_t kept = m->count < PAIRS ? m->count : PAIRS;
    memcpy(direction, gradient, n * sizeof *direction);
    for (size_t i = 0; i < kept; i++) {
        size_t k = (m->count - 1 - i) % PAIRS;
        share[k] = m->inverse[k] * dot(m->step[k], direction, n);
        add_scaled(direction, -share[k], m->change[k], n);
    }
    if (kept) {
        size_t k = (m->count - 1) % PAIRS;
        double scale = 1 / (m->inverse[k] * dot(m->change[k], m->change[k], n));
        for (size_t i = 0; i < n; i++)
            direction[i] *= scale;
    }
    for (size_t i = kept; i-- > 0;) {
        size_t k = (m->count - 1 - i) % PAIRS;
        double other = m->inverse[k] * dot(m->change[k], direction, n);
        add_scaled(direction, share[k] - other, m->step[k], n);
    }
    for (size_t i = 0; i < n; i++)
        direction[i] = -direction[i];
}

static double largest(const double *x, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = fabs(x[i]) > most ? fabs(x[i]) : most;
    return most;
}

typedef struct {
    double *point, *gradient, *direction, *next_point, *next_gradient;
} state;

/* Goes down as far as Armijo's rule allows; false if nowhere is lower. */
static bool search(fit *f, state *s, double *value, double first_step)
{
    size_t n = f->length;
    double slope = dot(s->gradient, s->direction, n), step = first_step;
    for (int i = 0; i < HALVINGS && slope < 0; i++) {
        memcpy(s->next_point, s->point, n * sizeof *s->point);
        add_scaled(s->next_point, step, s->direction, n);
        double next = objective(f, s->next_point, s->next_gradient);
        if (next <= *value + 1e-4 * step * slope) {
            *value = next;
            return true;
        }
        step /= 2;
    }
    return false;
}

static void remember(memory *m, state *s, size_t n)
{
    size_t k = m->count % PAIRS;
    for (size_t i = 0; i < n; i++) {
        m->step[k][i] = s->next_point[i] - s->point[i];
        m->change[k][i] = s->next_gradient[i] - s->gradient[i];
    }
    double product = dot(m->step[k], m->change[k], n);
    if (product > 0) {
        m->inverse[k] = 1 / product;
        m->count++;
    }
}

static void swap(double **a, double **b)
{
    double *other = *a;
    *a = *b;
    *b = other;
}

static void minimise(fit *f, memory *m, state *s)
{
    size_t n = f->length;
    double value = objective(f, s->point, s->gradient);
    for (int i = 0; i < ITERATIONS && largest(s->gradient, n) > tolerance; i++) {
        descend(m, s->gradient, n, s->direction);
        double first = m->count ? 1 : 1 / sqrt(dot(s->gradient, s->gradient, n));
        if (!search(f, s, &value, first))
            break;
        remember(m, s, n);
        swap(&s->point, &s->next_point);
        swap(&s->gradient, &s->next_gradient);
    }
    objective(f, s->point, s->gradient); /* loss, weight and bias of the best point */
}

/* One block for all vectors of doubles. */
static void share_out(memory *m, state *s, size_t n, double *block)
{
    double **vectors[] = {&s->point, &s->gradient, &s->direction, &s->next_point,
                          &s->next_gradient};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++, block += n)
        *vectors[i] = block;
    for (size_t i = 0; i < PAIRS; i++, block += 2 * n) {
        m->step[i] = block;
        m->change[i] = block + n;
    }
}

scarlet_status scarlet__logistic_fit(const scarlet__logistic *p, float *weight, float *bias,
                                     double *loss, scarlet_error *err)
{
    fit f = {.p = p, .weight = weight, .bias = bias};
    memory m = {0};
    state s;
    enum { VECTORS = 5 + 2 * PAIRS };
    if (__builtin_add_overflow(p->features, 1, &f.length) ||
        __builtin_mul_overflow(f.length, p->classes, &f.length) ||
        f.length > SIZE_MAX / VECTORS / sizeof(double))
        return scarlet__fail_memory(err);
    double *block = scarlet__calloc(f.length, VECTORS * sizeof *block);
    f.mean = scarlet__calloc(p->features, sizeof *f.mean);
    f.std = scarlet__calloc(p->features, sizeof *f.std);
    f.delta = scarlet__alloc(p->classes, ROWS * sizeof *f.delta);
    f.partial = scarlet__alloc(f.length, sizeof *f.partial);
    bool room = block && f.mean && f.std && f.delta && f.partial;
    if (room) {
        share_out(&m, &s, f.length, block);
        standardise(&f);
        minimise(&f, &m, &s);
        if (loss)
            *loss = f.loss;
    }
    scarlet__free(block);
    scarlet__free(f.mean);
    scarlet__free(f.std);
    scarlet__free(f.delta);
    scarlet__free(f.partial);
    return room ? SCARLET_OK : scarlet__fail_memory(err);
}
