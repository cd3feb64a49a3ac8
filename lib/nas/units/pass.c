#include "nas/units/pass.h"

const float scarlet__ones[SCARLET__LANES] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
const float scarlet__zeros[SCARLET__LANES] = {0};

void scarlet__flush(double *sum, float *part, int planes)
{
    for (int i = 0; i < planes * 2 * SCARLET__LANES; i++) {
        sum[i] += (double)part[i];
        part[i] = 0;
    }
}

scarlet__pass_scratch scarlet__scratch_carve(scarlet__carver *arena,
                                             const scarlet__scratch_sizes *sizes)
{
    const size_t block = (size_t)SCARLET__GROUP_MAX * SCARLET__BLOCK * SCARLET__LANES;
    scarlet__pass_scratch scratch;
    scratch.block_in = scarlet__carve(arena, block);
    scratch.block_gradient = scarlet__carve(arena, block);
    scratch.padded_in = scarlet__carve(arena, sizes->padded_in);
    scratch.padded_gradient = scarlet__carve(arena, sizes->padded_gradient);
    scratch.transposed = scarlet__carve(arena, sizes->transposed);
    scratch.wide = scarlet__carve(arena, sizes->wide);
    scratch.group = scarlet__carve(arena, sizes->group);
    scratch.narrow = scarlet__carve(arena, sizes->narrow);
    return scratch;
}
