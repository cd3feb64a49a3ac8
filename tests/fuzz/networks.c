/*
 * Complete networks: a space, a genotype and classes from the input, up to 64 blocks of 2 to 9
 * channels, as a model file that is loaded and run. It must load unless no input has its total
 * stride; what is asked of it must be sane; running it twice must give the same bits.
 */
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "model_file.h"
#include "scarlet/scarlet.h"

enum { LAYERS_MAX = 64, CLASSES_MAX = 9, SIDE_MAX = 40 };

static const uint8_t *input;
static size_t left;

static unsigned below(unsigned n)
{
    if (!left)
        return 0;
    left--;
    return *input++ % n;
}

/* Appends to a text of `room` bytes. */
#define PUT(text, room, ...) snprintf((text) + strlen(text), (room)-strlen(text), __VA_ARGS__)

/* A space and a genotype; returns how often the side of a picture is halved. */
static int describe(char *space, char *genotype, size_t room)
{
    int halvings = 1;
    unsigned layers = 1 + below(LAYERS_MAX);
    snprintf(space, room, "stem=%u tail=%u layers=", 4 + 2 * below(3), 1 + below(9));
    *genotype = '\0';
    for (unsigned i = 0; i < layers; i++) {
        unsigned choice = below(13), stride = 1 + below(8) / 7;
        PUT(space, room, "%s%u:%u", i ? "," : "", 2 + below(8), stride);
        PUT(genotype, room, i ? "," : "");
        if (choice == 12)
            PUT(genotype, room, "id");
        else
            PUT(genotype, room, "e%uk%u%s", choice / 6 * 3 + 3, choice % 3 * 2 + 3,
                choice / 3 % 2 ? "se" : "");
        halvings += choice != 12 && stride == 2;
    }
    return halvings;
}

static scarlet_options *options(void)
{
    static const char *const ways[] = {"",
                                       "engine=xnnpack",
                                       "engine=fused,isa_max=portable",
                                       "engine=fused",
                                       "precision=int16",
                                       "precision=int8",
                                       "precision=int8,isa_max=avx512vnni",
                                       "precision=int8,isa_max=avx2"};
    char text[128];
    scarlet_options *opts = scarlet_options_create();
    snprintf(text, sizeof text, "%s,input_size=%u,output=%s", ways[below(8)], 1 + below(SIDE_MAX),
             below(4) ? "scores" : "features");
    MUST(opts && scarlet_options_parse(opts, text, NULL) == SCARLET_OK);
    return opts;
}

static void query(const scarlet_model *model)
{
    int64_t layers = scarlet_model_get(model, SCARLET_INFO_LAYERS), macs = 0, parameters = 0;
    int64_t stride = scarlet_model_get(model, SCARLET_INFO_TOTAL_STRIDE);
    MUST(stride >= 2 && stride <= 4096 && (stride & (stride - 1)) == 0);
    for (size_t i = 0; i < (size_t)layers; i++) {
        int64_t of_layer = scarlet_model_layer_get(model, i, SCARLET_INFO_MACS);
        MUST(of_layer >= 0 && scarlet_model_layer_name(model, i));
        macs += of_layer;
        parameters += scarlet_model_layer_get(model, i, SCARLET_INFO_PARAMETERS);
    }
    MUST(macs > 0 && macs == scarlet_model_get(model, SCARLET_INFO_MACS));
    MUST(parameters > 0 && parameters == scarlet_model_get(model, SCARLET_INFO_PARAMETERS));
}

static void run(scarlet_model *model, const scarlet_options *opts)
{
    scarlet_session *session;
    scarlet_error err;
    MUST(scarlet_session_create(model, opts, &session, &err) == SCARLET_OK);
    size_t length, out = (size_t)scarlet_session_get(session, SCARLET_INFO_OUTPUT_LENGTH);
    float *picture = scarlet_session_input(session, &length), first[CLASSES_MAX],
          second[CLASSES_MAX];
    MUST(out <= CLASSES_MAX);
    for (size_t i = 0; i < length; i++)
        picture[i] = (float)below(256) / 64 - 2;
    MUST(scarlet_infer(session, picture, length, 1, first, out, &err) == SCARLET_OK);
    MUST(scarlet_infer(session, picture, length, 1, second, out, &err) == SCARLET_OK);
    MUST(memcmp(first, second, out * sizeof *first) == 0);
    scarlet_session_free(session);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { ROOM = 1024 };
    char space[ROOM], genotype[ROOM], *bytes = NULL;
    size_t count;
    scarlet_model *model;
    scarlet_error err;
    input = data;
    left = size;
    int halvings = describe(space, genotype, ROOM), classes = 1 + (int)below(CLASSES_MAX);
    static const char *const styles[] = {NULL, "activation=relu6 epsilon=0.001 padding=same",
                                         "activation=hswish epsilon=0.5 padding=same",
                                         "activation=relu6 epsilon=1e-5 padding=symmetric"};
    scarlet_options *opts = options();
    const char *style = styles[below(4)];
    FILE *file = open_memstream(&bytes, &count);
    MUST(file);
    bool built = model_file(file, genotype, classes, space, style);
    MUST(fclose(file) == 0);
    MUST(built == (halvings <= 12));
    if (built) {
        scarlet_status status = scarlet_model_load_memory(bytes, count, opts, &model, &err);
        MUST(status == SCARLET_OK);
        MUST(strcmp(scarlet_model_genotype(model), genotype) == 0);
        query(model);
        run(model, opts);
        scarlet_model_free(model);
    }
    scarlet_options_free(opts);
    free(bytes);
    return 0;
}
