#include "nas/supernet/share.h"

#include "common/memory.h"

static bool together(const scarlet__choice *a, const scarlet__choice *b, scarlet_share share)
{
    return b->expansion > 0 && a->squeeze == b->squeeze &&
           (share == SCARLET_SHARE_WIDTH || a->expansion == b->expansion);
}

scarlet__choice scarlet__share_block(const scarlet__choices *layer, int index, scarlet_share share)
{
    scarlet__choice block = layer->choice[index];
    for (int i = 0; share != SCARLET_SHARE_NONE && i < layer->count; i++) {
        const scarlet__choice *c = &layer->choice[i];
        if (!together(&layer->choice[index], c, share))
            continue;
        block.kernel = c->kernel > block.kernel ? c->kernel : block.kernel;
        block.expansion = c->expansion > block.expansion ? c->expansion : block.expansion;
    }
    return block;
}

/* Element `index` of the choice's tensor as one of the block's. */
static int64_t element(const scarlet__parameter *choice, const scarlet__parameter *block,
                       int64_t index)
{
    int64_t out = 0, scale = 1;
    for (int i = choice->rank - 1; i >= 0; i--) {
        const int64_t margin = i >= 2 ? (block->shape[i] - choice->shape[i]) / 2 : 0;
        out += (index % choice->shape[i] + margin) * scale;
        index /= choice->shape[i];
        scale *= block->shape[i];
    }
    return out;
}

static bool add(scarlet__runs *out, size_t at, size_t in_block)
{
    scarlet__run *last = out->count ? &out->run[out->count - 1] : NULL;
    if (last && at == last->at + last->count && in_block == last->in_block + last->count) {
        last->count++;
        return true;
    }
    if (out->count == out->capacity &&
        !scarlet__grow((void **)&out->run, &out->capacity, out->count, sizeof *out->run, SIZE_MAX))
        return false;
    /* There is room. NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
    out->run[out->count++] = (scarlet__run){(uint32_t)at, (uint32_t)in_block, 1};
    return true;
}

bool scarlet__share_map(const scarlet__parameter *choice, const scarlet__parameter *block,
                        scarlet__runs *out)
{
    enum { NONE = -1 };
    int64_t *from = scarlet__alloc(choice->floats, sizeof *from);
    if (!from)
        return false;
    for (size_t i = 0; i < choice->floats; i++)
        from[i] = NONE;
    for (int64_t i = 0; i < choice->count; i++)
        from[scarlet__parameter_place(choice, i)] =
            (int64_t)scarlet__parameter_place(block, element(choice, block, i));
    bool ok = true;
    for (size_t i = 0; ok && i < choice->floats; i++)
        ok = from[i] == NONE || add(out, choice->offset + i, block->offset + (size_t)from[i]);
    scarlet__free(from);
    return ok;
}
