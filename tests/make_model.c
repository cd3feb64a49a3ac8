/*
 * Writes a small model of random weights.
 *
 *   make_model FILE [GENOTYPE [CLASSES [SPACE [STYLE]]]]
 *
 * A genotype may be a released network's name. SPACE "default" is the release's.
 */
#include <stdlib.h>
#include <string.h>

#include "model_file.h"

int main(int argc, char **argv)
{
    const char *genotype = argc > 2 ? argv[2] : "e3k3,e6k5se,id,e3k7se";
    const char *space = argc > 4 ? argv[4] : "stem=16 tail=48 layers=12:2,12:1,12:1,20:2";
    int classes = argc > 3 ? atoi(argv[3]) : 5;
    if (strcmp(space, "default") == 0)
        space = NULL;
    FILE *file = argc > 1 ? fopen(argv[1], "wb") : NULL;
    const char *style = argc > 5 ? argv[5] : NULL;
    if (!file || !model_file(file, genotype, classes, space, style) || fclose(file) != 0) {
        perror(argc > 1 ? argv[1] : "make_model FILE");
        return 1;
    }
    return 0;
}
