/* What a step sees: which pictures in which order, augmented, mixed, with their targets. */
#ifndef SCARLET_NAS_DATA_LOADER_H
#define SCARLET_NAS_DATA_LOADER_H

#include "nas/data/augment.h"
#include "nas/data/pictures.h"

typedef struct scarlet__loader_settings {
    const scarlet_dataset *dataset; /* these two must outlive the loader */
    scarlet__pictures *pictures;
    scarlet__recipe recipe;
    float mean[3], std[3];
    int micro_batch;   /* pictures */
    int micro_batches; /* of a step */
    uint64_t seed;
    double smoothing;     /* share of a target that all classes get alike */
    double mixup, cutmix; /* alpha; 0: none */
    bool class_weights;   /* beside those of the dataset: inversely as its pictures are many */
    bool balanced;        /* classes are drawn equally often, with repetition; else a permutation */
} scarlet__loader_settings;

typedef struct scarlet__loader scarlet__loader;

/* ARGUMENT if there are fewer training pictures than a step takes. */
scarlet_status scarlet__loader_create(const scarlet__loader_settings *settings,
                                      scarlet__loader **out, scarlet_error *err);
void scarlet__loader_free(scarlet__loader *loader);
/* Steps of an epoch; a last short batch is dropped. */
int64_t scarlet__loader_steps(const scarlet__loader *loader);
/* Puts the pictures in the order of an epoch. Not while pictures are fetched. */
void scarlet__loader_begin(scarlet__loader *loader, int64_t epoch);
/* A scarlet__fetch_fn; user is the loader, step one of the epoch begun. */
scarlet_status scarlet__loader_fetch(void *user, int64_t step, int index, float *pictures,
                                     float *targets, scarlet_error *err);
/* The picture of the dataset that is at `place` of the epoch begun. */
uint32_t scarlet__loader_order(const scarlet__loader *loader, size_t place);

#endif
