#include "model_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "network/network.h"

static uint64_t state = 0x853C49E6748FEA9Bu;

/* Uniform in -1 .. 1. */
static float random_value(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (float)((double)(state >> 11) / (double)(UINT64_C(1) << 52) - 1);
}

typedef struct {
    FILE *header, *data;
    uint64_t end;
    const char *separator;
} writer;

static bool put(void *user, const char *name, scarlet__role role, int rank, const int64_t *shape)
{
    writer *w = user;
    int64_t count = 1, fan_in = 1;
    fprintf(w->header, "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[", w->separator, name);
    for (int i = 0; i < rank; i++) {
        fprintf(w->header, "%s%" PRId64, i ? "," : "", shape[i]);
        count *= shape[i];
        fan_in *= i ? shape[i] : 1;
    }
    uint64_t end = w->end + (uint64_t)count * 4;
    fprintf(w->header, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", w->end, end);
    w->end = end;
    w->separator = ",";
    float scale = role == SCARLET__WEIGHT ? sqrtf(3.0f / (float)fan_in) : 0.2f;
    bool ones = role == SCARLET__GAMMA || role == SCARLET__VARIANCE;
    for (int64_t i = 0; i < count; i++) {
        float x = (ones ? 1.0f : 0.0f) + scale * random_value();
        fwrite(&x, sizeof x, 1, w->data);
    }
    return true;
}

bool model_file(FILE *file, const char *genotype, int classes, const char *text, const char *style)
{
    scarlet__space space = scarlet__space_default;
    scarlet__genotype choices;
    scarlet__network network;
    const char *released = scarlet__genotype_released(genotype);
    if ((text && scarlet__space_parse(text, &space, NULL) != SCARLET_OK) ||
        scarlet__genotype_parse(released ? released : genotype, &choices, NULL) != SCARLET_OK ||
        scarlet__network_build(&space, &choices, classes, &network, NULL) != SCARLET_OK)
        return false;
    char *header = NULL, *data = NULL;
    size_t header_size, data_size;
    writer w = {open_memstream(&header, &header_size), open_memstream(&data, &data_size), 0, ","};
    fprintf(w.header, "{\"__metadata__\":{");
    if (text)
        fprintf(w.header, "\"scarlet.space\":\"%s\",", text);
    if (style)
        fprintf(w.header, "\"scarlet.format\":\"2\",\"scarlet.network\":\"%s\",", style);
    fprintf(w.header, "\"scarlet.input_size\":\"32\"}");
    for (int i = 0; i < network.count; i++)
        scarlet__layer_visit(&network.layer[i], put, &w);
    fputc('}', w.header);
    fclose(w.header);
    fclose(w.data);
    uint64_t n = header_size;
    bool written = fwrite(&n, 8, 1, file) == 1 && fwrite(header, 1, header_size, file) == n &&
                   fwrite(data, 1, data_size, file) == data_size;
    free(header);
    free(data);
    return written;
}
