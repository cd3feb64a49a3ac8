/*
 * Times steps of the trainer on made-up pictures.
 *
 *   step SPACE GENOTYPE SIDE CLASSES MICRO_BATCH MICRO_BATCHES THREADS SECONDS [ISA]
 *
 * ISA: newest instruction set, 0 portable, 1 AVX2, 2 AVX-512. Prints, of a picture, median and
 * least seconds of CPU time and the median of the clock's; GFLOP/s of CPU time (6 a multiply-add of
 * the network) by its median; the peak of a core, measured between steps; the trainer's memory in
 * MB.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cpu.h"
#include "engine/kernels/kernels.h"
#include "nas/train/trainer.h"

enum { MOST = 10000 };

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static const scarlet__trainer_settings *current;

static scarlet_status fetch(void *user, int64_t step, int index, float *pictures, float *targets,
                            scarlet_error *err)
{
    const scarlet__trainer_settings *s = current;
    const size_t each = (size_t)s->side * (size_t)s->side * 3;
    const size_t classes = (size_t)s->network->classes;
    (void)user, (void)err;
    if (step > 0 && targets[0] == 1) /* the last ones are still there: PyTorch's stay too */
        return SCARLET_OK;
    uint32_t bits = (uint32_t)(step * s->micro_batches + index + 1) * 2654435761u;
    for (size_t i = 0; i < each * (size_t)s->micro_batch; i++) {
        bits = bits * 1664525u + 1013904223u;
        pictures[i] = (float)(bits >> 8) * 0x1p-23f - 1;
    }
    memset(targets, 0, (size_t)s->micro_batch * classes * sizeof *targets);
    for (size_t i = 0; i < (size_t)s->micro_batch; i++)
        targets[i * classes + i % classes] = 1;
    return SCARLET_OK;
}

/* GFLOP/s of independent multiply-adds in registers. */
static double peak(int isa)
{
    const scarlet__kernels *kernels = scarlet__kernels_for(scarlet__cpu_isa(isa));
    const size_t steps = 1000000;
    const double begin = seconds(CLOCK_THREAD_CPUTIME_ID);
    volatile float sink = kernels->peak(steps);
    (void)sink;
    return 2e-9 * (double)steps * SCARLET__PEAK_CHAINS * kernels->vector /
           (seconds(CLOCK_THREAD_CPUTIME_ID) - begin);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    if (argc != 9 && argc != 10)
        return 2;
    scarlet_error err;
    scarlet__space space;
    scarlet__genotype genotype;
    scarlet__network network;
    scarlet__trainer *trainer;
    const char *released = scarlet__genotype_released(argv[2]);
    if (scarlet__space_parse(argv[1], &space, &err) != SCARLET_OK ||
        scarlet__genotype_parse(released ? released : argv[2], &genotype, &err) != SCARLET_OK ||
        scarlet__network_build(&space, &genotype, atoi(argv[4]), &network, &err) != SCARLET_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 2;
    }
    const scarlet__trainer_settings settings = {.network = &network,
                                                .side = atoi(argv[3]),
                                                .micro_batch = atoi(argv[5]),
                                                .micro_batches = atoi(argv[6]),
                                                .threads = (unsigned)atoi(argv[7]),
                                                .isa_max =
                                                    argc > 9 ? atoi(argv[9]) : SCARLET_ISA_AVX512,
                                                .optimizer = SCARLET__SGD,
                                                .momentum = 0.9};
    current = &settings;
    if (scarlet__trainer_create(&settings, &trainer, &err) != SCARLET_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 2;
    }
    scarlet__trainer_initialise(trainer, 1);
    int64_t macs = 0;
    for (int i = 0; i < network.count; i++)
        macs += scarlet__layer_macs(&network.layer[i],
                                    scarlet__network_side(&network, settings.side, (size_t)i));
    static double cpu[MOST], wall[MOST], peaks[MOST];
    int steps = -1; /* the first does not count */
    for (const double end = seconds(CLOCK_MONOTONIC) + atof(argv[8]);
         steps < 2 || (seconds(CLOCK_MONOTONIC) < end && steps < MOST);) {
        double begin = seconds(CLOCK_PROCESS_CPUTIME_ID), clock = seconds(CLOCK_MONOTONIC);
        if (scarlet__trainer_step(trainer, fetch, NULL, 0.01, NULL, &err) != SCARLET_OK) {
            fprintf(stderr, "%s\n", err.message);
            return 1;
        }
        if (++steps > 0) {
            cpu[steps - 1] = seconds(CLOCK_PROCESS_CPUTIME_ID) - begin;
            wall[steps - 1] = seconds(CLOCK_MONOTONIC) - clock;
            peaks[steps - 1] = peak(settings.isa_max);
        }
    }
    qsort(cpu, (size_t)steps, sizeof *cpu, ascending);
    qsort(wall, (size_t)steps, sizeof *wall, ascending);
    qsort(peaks, (size_t)steps, sizeof *peaks, ascending);
    const double pictures = (double)settings.micro_batch * settings.micro_batches;
    printf("%.6g %.6g %.6g %.4g %.4g %.4g\n", cpu[steps / 2] / pictures, cpu[0] / pictures,
           wall[steps / 2] / pictures, 6e-9 * (double)macs * pictures / cpu[steps / 2],
           peaks[steps / 2], (double)scarlet__trainer_memory(&settings) / 1e6);
    scarlet__trainer_free(trainer);
    return 0;
}
