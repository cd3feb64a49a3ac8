/* The learning rate of each step. */
#ifndef SCARLET_NAS_TRAIN_SCHEDULE_H
#define SCARLET_NAS_TRAIN_SCHEDULE_H

#include <stdint.h>

typedef enum scarlet__course { SCARLET__COSINE, SCARLET__STEP, SCARLET__CONSTANT } scarlet__course;

typedef struct scarlet__schedule {
    scarlet__course course;
    double peak;
    double least;        /* cosine: at the end */
    int64_t warm_up;     /* steps in which the rate rises to its peak */
    int64_t steps;       /* in all; 0: not known yet, the rate stays at its peak */
    double warm_share;   /* of these steps that the warm-up takes at most; 0: any */
    double period, fall; /* step: steps from one fall to the next, and the factor of each */
} scarlet__schedule;

/* step counts from 0. */
double scarlet__schedule_rate(const scarlet__schedule *schedule, int64_t step);

#endif
