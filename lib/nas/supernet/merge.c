#include "nas/supernet/merge.h"

#include <math.h>
#include <string.h>

#include "common/error.h"
#include "common/memory.h"
#include "nas/supernet/svd.h"

enum { BEFORE = 2 };                        /* layers of a network before the first searched one */
static const double floor_of_values = 1e-6; /* of the largest singular value */
static const double nothing = 1e-9;         /* a LET with smaller elements carries nothing */

/* ---- matrices [n][n]; NULL is the identity ---- */

static double *copy(const double *a, int n)
{
    double *out = scarlet__alloc((size_t)n * (size_t)n, sizeof *out);
    if (out)
        memcpy(out, a, (size_t)n * (size_t)n * sizeof *out);
    return out;
}

/* a b; false if out of memory. */
static bool multiply(const double *a, const double *b, int n, double **out)
{
    *out = NULL;
    if (!a && !b)
        return true;
    if (!a || !b)
        return (*out = copy(a ? a : b, n)) != NULL;
    double *c = scarlet__calloc((size_t)n * (size_t)n, sizeof *c);
    if (!c)
        return false;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n; k++)
            for (int j = 0; j < n; j++)
                c[i * n + j] += a[i * n + k] * b[k * n + j];
    *out = c;
    return true;
}

static bool zero(int n, double **out)
{
    return (*out = scarlet__calloc((size_t)n * (size_t)n, sizeof **out)) != NULL;
}

/* U diag(s^power), or its transpose. */
static double *scaled(const double *u, const double *s, double power, bool transposed, int n)
{
    double *out = scarlet__alloc((size_t)n * (size_t)n, sizeof *out);
    for (int k = 0; out && k < n; k++) {
        const double factor = pow(s[k], power);
        for (int i = 0; i < n; i++)
            out[transposed ? k * n + i : i * n + k] = factor * u[i * n + k];
    }
    return out;
}

/* Singular values no smaller than a part of the largest. */
static void raise_values(double *s, int n)
{
    for (int i = 0; i < n; i++)
        s[i] = fmax(s[i], floor_of_values * s[0]);
}

/* Room for a decomposition. */
typedef struct decomposition {
    double *u, *s, *v;
} decomposition;

static bool decompose(const double *a, int n, decomposition *out)
{
    const size_t square = (size_t)n * (size_t)n;
    out->u = scarlet__alloc(2 * square + (size_t)n, sizeof *out->u);
    if (!out->u)
        return false;
    out->v = out->u + square;
    out->s = out->v + square;
    scarlet__svd(a, n, out->u, out->s, out->v);
    return true;
}

/* U diag(s) V^T of other singular values or vectors. */
static double *recompose(const double *u, const double *s, double power, const double *v, int n)
{
    double *out = NULL, *left = scaled(u, s, power, false, n), *right = scaled(v, s, 0, true, n);
    if (left && right)
        multiply(left, right, n, &out);
    scarlet__free(left);
    scarlet__free(right);
    return out;
}

/* Makes a matrix regular that may not be. */
static bool regularise(double **a, int n)
{
    decomposition d;
    if (!decompose(*a, n, &d))
        return false;
    raise_values(d.s, n);
    scarlet__free(*a);
    *a = recompose(d.u, d.s, 1, d.v, n);
    scarlet__free(d.u);
    return *a != NULL;
}

static double *inverse(const double *a, int n)
{
    decomposition d;
    if (!decompose(a, n, &d))
        return NULL;
    double *out = recompose(d.v, d.s, -1, d.u, n);
    scarlet__free(d.u);
    return out;
}

/* ---- a stage: from a block without residual to the next ---- */

typedef struct stage {
    int n;                                      /* channels */
    int count;                                  /* of residual blocks between the two */
    int layer[SCARLET__NETWORK_LAYERS_MAX];     /* first block, residual ones, next block */
    double *gap[SCARLET__NETWORK_LAYERS_MAX];   /* product of the LETs after each but the last */
    double *basis[SCARLET__NETWORK_LAYERS_MAX]; /* that the map is written in after each gap */
    double *back[SCARLET__NETWORK_LAYERS_MAX];  /* its inverse */
} stage;

static void clear(stage *s)
{
    for (int i = 0; i < SCARLET__NETWORK_LAYERS_MAX; i++) {
        scarlet__free(s->gap[i]);
        scarlet__free(s->basis[i]);
        scarlet__free(s->back[i]);
    }
    *s = (stage){0};
}

/* The last gap between residual blocks that lets nothing through; 0: there is none. */
static int last_closed(const stage *s)
{
    for (int i = s->count - 1; i > 0; i--) {
        double most = 0;
        for (int k = 0; s->gap[i] && k < s->n * s->n; k++)
            most = fmax(most, fabs(s->gap[i][k]));
        if (s->gap[i] && most < nothing)
            return i;
    }
    return 0;
}

/* Bases that turn the LETs between residual blocks after gap `open` into identities:
 * basis[i - 1] = basis[i] gap[i], the first and the last from the product of all by halves. */
static bool choose_bases(stage *s, int open)
{
    const int last = s->count - 1, n = s->n;
    double *product = NULL;
    for (int i = open + 1; i <= last; i++) {
        double *longer;
        if (!s->gap[i])
            continue;
        if (!regularise(&s->gap[i], n) || !multiply(s->gap[i], product, n, &longer)) {
            scarlet__free(product);
            return false;
        }
        scarlet__free(product);
        product = longer;
    }
    if (!product)
        return true;
    decomposition d;
    bool ok = decompose(product, n, &d);
    scarlet__free(product);
    if (!ok)
        return false;
    s->basis[last] = scaled(d.u, d.s, -0.5, true, n);
    s->back[last] = scaled(d.u, d.s, 0.5, false, n);
    s->basis[open] = scaled(d.v, d.s, 0.5, true, n);
    s->back[open] = scaled(d.v, d.s, -0.5, false, n);
    scarlet__free(d.u);
    ok = s->basis[last] && s->back[last] && s->basis[open] && s->back[open];
    for (int i = last - 1; ok && i > open; i--) {
        ok = multiply(s->basis[i + 1], s->gap[i + 1], n, &s->basis[i]);
        if (ok)
            ok = (s->back[i] = inverse(s->basis[i], n)) != NULL;
    }
    return ok;
}

/* Ends a stage: sets the merges of its blocks. Those before a gap that lets nothing through write
 * 0, which is what the gap would make of anything. */
static bool finish(stage *s, scarlet__merge *merge)
{
    const int n = s->n;
    scarlet__merge *first = &merge[s->layer[0]], *next = &merge[s->layer[s->count + 1]];
    first->out_size = next->in_size = n;
    if (s->count == 0)
        return multiply(s->gap[0], NULL, n, &next->in);
    const int open = last_closed(s);
    bool ok = choose_bases(s, open) &&
              multiply(s->gap[s->count], s->back[s->count - 1], n, &next->in) &&
              (open ? zero(n, &first->out) : multiply(s->basis[0], s->gap[0], n, &first->out));
    for (int i = 1; ok && i <= s->count; i++) {
        scarlet__merge *m = &merge[s->layer[i]];
        m->in_size = m->out_size = n;
        ok = i <= open ? zero(n, &m->out)
                       : multiply(s->back[i - 1], NULL, n, &m->in) &&
                             multiply(s->basis[i - 1], NULL, n, &m->out);
    }
    return ok;
}

/* Adds a LET after the stage's last block so far. */
static bool add_let(stage *s, const scarlet__supernet *net, const float *weights,
                    const scarlet__part *part)
{
    double **gap = &s->gap[s->count], *product;
    double *matrix = scarlet__part_matrix(net, weights, part);
    const bool ok = matrix && multiply(matrix, *gap, s->n, &product);
    scarlet__free(matrix);
    if (ok) {
        scarlet__free(*gap);
        *gap = product;
    }
    return ok;
}

static bool plan(const scarlet__supernet *net, const float *weights, const scarlet__path *path,
                 const scarlet__network *network, stage *s, scarlet__merge *merge)
{
    const int tail = net->space->widths.count + BEFORE;
    s->layer[0] = BEFORE - 1; /* the separable layer */
    s->n = network->layer[BEFORE - 1].out;
    for (int i = BEFORE; i <= tail; i++) {
        const scarlet__layer *layer = &network->layer[i];
        if (layer->kind == SCARLET_LAYER_IDENTITY) {
            const scarlet__part *part =
                &net->part[net->layer[i - BEFORE] + path->choice[i - BEFORE]];
            if (!part->empty && !add_let(s, net, weights, part))
                return false;
            continue;
        }
        s->layer[s->count + 1] = i;
        if (layer->residual) {
            s->count++;
            continue;
        }
        if (!finish(s, merge))
            return false;
        clear(s);
        s->layer[0] = i;
        s->n = layer->out;
    }
    return true;
}

scarlet_status scarlet__merge_plan(const scarlet__supernet *net, const float *weights,
                                   const scarlet__path *path, const scarlet__network *network,
                                   scarlet__merge merge[SCARLET__NETWORK_LAYERS_MAX],
                                   scarlet_error *err)
{
    memset(merge, 0, SCARLET__NETWORK_LAYERS_MAX * sizeof *merge);
    stage *s = scarlet__calloc(1, sizeof *s);
    const bool ok = s && plan(net, weights, path, network, s, merge);
    if (s)
        clear(s);
    scarlet__free(s);
    return ok ? SCARLET_OK : scarlet__fail_memory(err);
}

void scarlet__merge_free(scarlet__merge merge[SCARLET__NETWORK_LAYERS_MAX])
{
    for (int i = 0; i < SCARLET__NETWORK_LAYERS_MAX; i++) {
        scarlet__free(merge[i].in);
        scarlet__free(merge[i].out);
        merge[i] = (scarlet__merge){0};
    }
}
