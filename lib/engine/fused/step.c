#include "engine/fused/fused.h"

enum { PREFETCH_BYTES = 1 << 20 }; /* how far ahead weights are fetched: a second-level cache */

size_t scarlet__fused_segments(const scarlet__worker *w, const scarlet__step *t,
                               const scarlet__band *band, size_t first)
{
    const scarlet__chunks *c = &t->weights->hidden;
    for (size_t i = 0; i < c->count; i++) {
        const size_t width = scarlet__chunk_width(c, i), offset = scarlet__chunk_offset(c, i);
        const size_t at = band->pixels * offset + (first - band->first) * width;
        w->s->segment[i] =
            (scarlet__segment){band->values + scarlet__step_floats(t, at), width, width};
    }
    return c->count;
}

void scarlet__fused_announce(const scarlet__worker *w, const scarlet__packed_dense *d)
{
    const scarlet__fused_weights *all = w->j->x->weights;
    const char *end = (const char *)all->memory + all->bytes, *here = d->begin;
    scarlet__prefetch *p = &w->s->prefetch;
    if (p->at < here || p->at > here + PREFETCH_BYTES)
        p->at = here;
    p->end = end - here > PREFETCH_BYTES ? here + PREFETCH_BYTES : end;
}
