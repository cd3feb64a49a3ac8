/*
 * Runs one unit forward and backward.
 *
 *   unit KIND IN OUT KERNEL STRIDE EXPANSION SQUEEZE SIDE PICTURES RUNNING ISA INPUT OUTPUT
 *
 * KIND: entry (IN is the stem's width), block, let, tail, linear. RUNNING 1: batch norm uses the
 * running statistics. INPUT holds the parameters and statistics in the release's order and shapes,
 * x and y's gradient, both [picture][channel][y][x]. OUTPUT receives y, x's gradient (of an entry
 * none) and then for each tensor of the release its gradient, or the statistics that were used.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cpu.h"
#include "nas/train/graph.h"
#include "nas/units/unit.h"
#include "scarlet/scarlet.h"

static FILE *input, *output;

static void *zeroed(size_t count)
{
    void *memory = calloc(count ? count : 1, sizeof(float));
    if (!memory)
        exit(3);
    return memory;
}

static void read_floats(float *out, size_t count)
{
    if (fread(out, sizeof *out, count, input) != count)
        exit(4);
}

static void write_floats(const float *x, size_t count)
{
    if (fwrite(x, sizeof *x, count, output) != count)
        exit(5);
}

/* Between [picture][channel][pixel] of the files and planes. */
static size_t place(size_t i, size_t channels, size_t pixels, size_t pictures)
{
    const size_t pixel = i % pixels, channel = i / pixels % channels,
                 picture = i / pixels / channels;
    return channel / SCARLET__LANES * scarlet__plane(pixels * pictures) +
           (picture * pixels + pixel) * SCARLET__LANES + channel % SCARLET__LANES;
}

static float *read_planes(int channels, int side, int pictures)
{
    const size_t c = (size_t)channels, pixels = (size_t)side * (size_t)side, n = (size_t)pictures;
    float *planes = zeroed((size_t)scarlet__planes(channels) * scarlet__plane(pixels * n));
    for (size_t i = 0; i < n * c * pixels; i++)
        read_floats(planes + place(i, c, pixels, n), 1);
    return planes;
}

/* Also checks that the padding of channels is 0. */
static void write_planes(const float *planes, int channels, int side, int pictures)
{
    const size_t c = (size_t)channels, pixels = (size_t)side * (size_t)side, n = (size_t)pictures;
    for (size_t i = 0; i < n * c * pixels; i++)
        write_floats(planes + place(i, c, pixels, n), 1);
    for (size_t channel = c; channel % SCARLET__LANES != 0; channel++)
        for (size_t i = 0; i < n * pixels; i++)
            if (planes[channel / SCARLET__LANES * scarlet__plane(pixels * n) + i * SCARLET__LANES +
                       channel % SCARLET__LANES] != 0)
                exit(6);
}

static scarlet__network network_of(char **argv, scarlet__style style)
{
    const char *kind = argv[1];
    scarlet__network net = {.count = 1, .classes = 1};
    scarlet__layer *l = net.layer;
    l->in = atoi(argv[2]);
    l->out = atoi(argv[3]);
    l->kernel = atoi(argv[4]);
    l->stride = atoi(argv[5]);
    l->expansion = atoi(argv[6]);
    l->hidden = l->expansion * l->in;
    l->squeeze = atoi(argv[7]);
    l->residual = l->stride == 1 && l->in == l->out;
    net.style = l->style = style;
    snprintf(l->name, sizeof l->name, "layer");
    if (strcmp(kind, "entry") == 0) {
        l[1] = *l;
        l[1].kind = SCARLET_LAYER_SEPARABLE;
        l[0] = (scarlet__layer){.kind = SCARLET_LAYER_STEM,
                                .name = "stem",
                                .in = 3,
                                .out = l[1].in,
                                .kernel = 3,
                                .stride = 2,
                                .style = style};
        net.count = 2;
    } else if (strcmp(kind, "block") == 0) {
        l->kind = SCARLET_LAYER_BLOCK;
    } else if (strcmp(kind, "tail") == 0) {
        l->kind = SCARLET_LAYER_TAIL;
    } else {
        l->kind = SCARLET_LAYER_CLASSIFIER;
    }
    return net;
}

int main(int argc, char **argv)
{
    scarlet__style style;
    if (argc != 15 || scarlet__style_parse(argv[14], &style, NULL) != SCARLET_OK)
        return 2;
    const int side = atoi(argv[8]), pictures = atoi(argv[9]);
    const bool running = atoi(argv[10]) != 0;
    input = fopen(argv[12], "rb");
    output = fopen(argv[13], "wb");
    if (!input || !output)
        return 2;
    scarlet__network net = network_of(argv, style);
    scarlet__parameters parameters;
    scarlet__graph graph;
    if (!scarlet__parameters_list(&net, &parameters))
        return 3;
    scarlet__graph_build(&net, &parameters, side, pictures, 0, &graph);
    scarlet__unit *unit = &graph.unit[0];
    if (strcmp(argv[1], "let") == 0) { /* no layer of a network: a classifier of every pixel */
        unit->kind = SCARLET__UNIT_LET;
        unit->in_side = unit->side = unit->out_side = side;
        parameters.count = 1;
    }
    const bool flat = unit->kind == SCARLET__UNIT_TAIL || unit->kind == SCARLET__UNIT_LINEAR;
    const int in_side = unit->kind == SCARLET__UNIT_LINEAR ? 1 : side;
    const int out_side = flat ? 1 : unit->out_side;

    const size_t state = parameters.trained + parameters.statistics;
    float *weights = zeroed(state), *gradients = zeroed(state);
    for (size_t i = 0; i < parameters.count; i++) {
        const scarlet__parameter *p = &parameters.item[i];
        float *to = weights + p->offset + (scarlet__is_statistic(p) ? parameters.trained : 0);
        for (int64_t j = 0; j < p->count; j++)
            read_floats(to + scarlet__parameter_place(p, j), 1);
    }
    scarlet__carver arena = {0};
    scarlet__scratch_sizes sizes = graph.sizes;
    scarlet__scratch_carve(&arena, &sizes);
    const size_t kept = scarlet__unit_kept(unit, pictures);
    float *memory = zeroed(arena.used + kept);
    memset(memory, 0xFF, (arena.used + kept) * sizeof *memory); /* NaN: nothing relies on zeros */
    arena = (scarlet__carver){.at = memory};
    scarlet__pass pass = {.kernels =
                              scarlet__training_kernels_for(scarlet__cpu_isa(atoi(argv[11]))),
                          .pictures = pictures,
                          .parameters = weights,
                          .running = weights + parameters.trained,
                          .gradients = gradients,
                          .statistics = gradients + parameters.trained,
                          .running_only = running,
                          .scratch = scarlet__scratch_carve(&arena, &sizes)};

    float *x;
    if (unit->kind == SCARLET__UNIT_ENTRY) {
        const size_t pixels = (size_t)side * (size_t)side;
        x = zeroed((size_t)pictures * pixels * 3);
        for (size_t i = 0; i < (size_t)pictures * 3 * pixels; i++)
            read_floats(x + (i / pixels / 3 * pixels + i % pixels) * 3 + i / pixels % 3, 1);
    } else {
        x = read_planes(unit->in, in_side, pictures);
    }
    float *y_gradient = read_planes(unit->out, out_side, pictures);
    const size_t in_plane = scarlet__plane((size_t)(in_side * in_side * pictures));
    const size_t out_plane = scarlet__plane((size_t)(out_side * out_side * pictures));
    float *y = zeroed((size_t)scarlet__planes(unit->out) * out_plane);
    float *x_gradient = zeroed((size_t)scarlet__planes(unit->in) * in_plane);
    if (unit->residual) {
        free(x_gradient);
        x_gradient = y_gradient;
    }
    scarlet__unit_forward(unit, &pass, x, memory + arena.used, y);
    write_planes(y, unit->out, out_side, pictures);
    if (unit->kind == SCARLET__UNIT_ENTRY) {
        scarlet__unit_backward(unit, &pass, x, memory + arena.used, y_gradient, NULL);
    } else {
        scarlet__unit_backward(unit, &pass, x, memory + arena.used, y_gradient, x_gradient);
        write_planes(x_gradient, unit->in, in_side, pictures);
    }
    for (size_t i = 0; i < parameters.count; i++) {
        const scarlet__parameter *p = &parameters.item[i];
        const float *from =
            gradients + p->offset + (scarlet__is_statistic(p) ? parameters.trained : 0);
        double whole = 0, seen = 0;
        for (size_t j = 0; j < p->floats; j++)
            whole += from[j] != 0;
        for (int64_t j = 0; j < p->count; j++) {
            const float value = from[scarlet__parameter_place(p, j)];
            write_floats(&value, 1);
            seen += value != 0;
        }
        if (whole != seen && !scarlet__is_statistic(p)) /* a gradient of padding */
            return 7;
    }
    if (fclose(output) != 0)
        return 5;
    fclose(input);
    if (x_gradient != y_gradient)
        free(x_gradient);
    free(y_gradient);
    free(x);
    free(y);
    free(memory);
    free(weights);
    free(gradients);
    scarlet__parameters_free(&parameters);
    return 0;
}
