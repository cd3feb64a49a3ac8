#include "bench.h"

#include <stdlib.h>
#include <string.h>

enum { RANDOM = 48, STRIDE = 151, LAYERS = 64, CHOICES = 16, ALL = 1000 };

typedef struct choices {
    int count;
    const char *name[CHOICES];
} choices;

/* Splits the space's choices, of which `text` is a copy; returns the number of networks, 0 for more
 * than ALL. */
static int split(char *text, choices layer[LAYERS], int *layers)
{
    char *line = strstr(text, "\nchoices ");
    if (!line)
        fail("the space has no choices");
    line += strlen("\nchoices ");
    line[strcspn(line, "\n")] = 0;
    char *rest, *names;
    int all = 1;
    *layers = 0;
    for (char *one = strtok_r(line, ",", &rest); one; one = strtok_r(NULL, ",", &rest)) {
        choices *c = &layer[(*layers)++];
        if (*layers == LAYERS)
            fail("too many layers");
        for (char *name = strtok_r(one, "|", &names); name; name = strtok_r(NULL, "|", &names)) {
            if (c->count == CHOICES || *name == '*')
                return 0;
            c->name[c->count++] = name;
        }
        all *= c->count;
        if (all > ALL)
            return 0;
    }
    return all;
}

/* The last layer's choice changes fastest. */
static void print(const choices *layer, int layers, int index, char *out)
{
    const char *name[LAYERS];
    for (int i = layers; i-- > 0; index /= layer[i].count)
        name[i] = layer[i].name[index % layer[i].count];
    size_t length = 0;
    for (int i = 0; i < layers; i++)
        length += (size_t)snprintf(out + length, sizeof(genotype) - length, "%s%s", i ? "," : "",
                                   name[i]);
}

void networks_load(networks *n, const char *space)
{
    scarlet_error err;
    must(scarlet_space_load(space, &n->space, &err), &err);
    char *text = strdup(scarlet_space_text(n->space));
    if (!text)
        fail("no memory");
    choices layer[LAYERS] = {0};
    int layers, all = split(text, layer, &layers);
    n->count = all ? all : RANDOM;
    n->item = must_alloc((size_t)n->count, sizeof *n->item);
    for (int i = 0; i < n->count; i++) {
        if (all)
            print(layer, layers, i, n->item[i]);
        else
            must(scarlet_space_sample(n->space, SCARLET_SAMPLING_UNIFORM, 1, (uint64_t)i,
                                      n->item[i], &err),
                 &err);
    }
    free(text);
}

void networks_free(networks *n)
{
    scarlet_space_free(n->space);
    free(n->item);
}

int networks_at(const networks *n, int place)
{
    return place * STRIDE % n->count; /* a prime that divides neither 243 nor 48 */
}

bool networks_thrice(int index)
{
    int sum = 0; /* of the digits to base 3: each choice of each layer occurs equally often */
    for (; index; index /= 3)
        sum += index % 3;
    return sum % 3 == 0;
}
