/*
 * How often a supernet's training deals each choice, and what depths there are.
 *
 *   dealing SPACE TRAINING SEED FIRST STEPS    a path a line, for steps FIRST .. FIRST + STEPS - 1
 */
#include <stdio.h>
#include <stdlib.h>

#include "nas/supernet/deal.h"

int main(int argc, char **argv)
{
    scarlet_space *space;
    if (argc != 6 || scarlet_space_load(argv[1], &space, NULL) != SCARLET_OK)
        return 2;
    const scarlet_training training = (scarlet_training)atoi(argv[2]);
    const int first = atoi(argv[4]), steps = atoi(argv[5]);
    for (int step = first; step < first + steps; step++) {
        scarlet__path path[SCARLET__CHOICES_MAX];
        scarlet__deal(space, training, strtoull(argv[3], NULL, 10), step, path);
        for (int i = 0; i < scarlet__deal_paths(space, training); i++) {
            char genotype[SCARLET_GENOTYPE_SIZE];
            scarlet__path_print(space, &path[i], "id", genotype);
            puts(genotype);
        }
    }
    scarlet_space_free(space);
    return 0;
}
