/* The parts of the API's fuzzer: where its calls come from and what each must keep to. */
#ifndef SCARLET_TESTS_FUZZ_API_H
#define SCARLET_TESTS_FUZZ_API_H

#define SCARLET_EXPERIMENTAL
#include "fuzz.h"
#include "scarlet/scarlet.h"

enum {
    SLOTS = 3, /* of each kind of object */
    SIDE_MAX = 128,
    BATCH_MAX = 3,
    THREADS_MAX = 3,
    PIXELS_MAX = 4000000, /* of a picture that is decoded */
    RESIZED_MAX = 1000000
};

/* ---- the input: 0 when it has ended ---- */

unsigned byte(void);
unsigned below(unsigned limit);
/* True for one value in `limit`. */
bool seldom(unsigned limit);
/* Small ones, and the edges of types. */
int64_t any_integer(void);
/* Finite, as often as not. */
float number(void);
/* The next bytes of the input, at most `most`; the two before them say how many. */
const uint8_t *bytes(size_t most, size_t *size);

/* ---- what every call keeps to ---- */

extern scarlet_error err;
/* err, with a pattern in it. */
scarlet_error *fresh(void);
/* Checks err after a call that was given fresh(); returns the status. */
scarlet_status done(scarlet_status status);
#define CREATED(status, object) MUST((done(status) == SCARLET_OK) == ((object) != NULL))

/* ---- objects ---- */

/* Options of a slot or NULL, with everything kept small that costs memory or time. */
scarlet_options *small_options(void);
/* The picture and the names of some slot, or NULL. */
const scarlet_image *some_picture(void);
const scarlet_labels *some_labels(void);

void call_model(void);
void call_session(void);
void call_picture(void);
void free_models(bool before_sessions);
void free_pictures(void);

#endif
