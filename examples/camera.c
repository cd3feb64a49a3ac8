/*
 * Frames of a camera, classified without being copied: camera MODEL
 *
 * A camera driver fills the same buffers again and again. Each is wrapped once, without a copy;
 * here one is BGRA, the other NV12, and of both only a square region in the middle counts, given by
 * a pointer to its first pixel and the stride of the whole frame. Once both have been seen,
 * classifying allocates nothing: malloc is replaced below by one that counts, to prove it.
 */
#include <scarlet/scarlet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    WIDTH = 640,
    HEIGHT = 480,
    SIDE = 320,
    LEFT = (WIDTH - SIDE) / 2,
    TOP = (HEIGHT - SIDE) / 2
};
enum { FRAMES = 12 };

static uint8_t bgra[HEIGHT][WIDTH][4];
static struct {
    uint8_t y[HEIGHT][WIDTH], cbcr[HEIGHT / 2][WIDTH / 2][2];
} nv12;

/* ---- allocations, counted ---- */

static unsigned long allocations;

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
#define COUNTED 1
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

void *malloc(size_t size)
{
    __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
    return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
    __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
    return __libc_realloc(block, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    *out = aligned_alloc(alignment, size);
    return *out ? 0 : 12; /* ENOMEM */
}
#else
#define COUNTED 0
#endif

/* ---- the camera ---- */

/* A bright disc that moves over a dark ground; Y, Cb, Cr of limited range. */
static void expose_nv12(int frame)
{
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            int dx = x - WIDTH / 2 - 4 * frame, dy = y - HEIGHT / 2;
            nv12.y[y][x] = dx * dx + dy * dy < 100 * 100 ? 200 : 40;
        }
    memset(nv12.cbcr, 128, sizeof nv12.cbcr); /* grey */
}

static void expose_bgra(int frame)
{
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            int inside = abs(x - WIDTH / 2 - 4 * frame) < 90 && abs(y - HEIGHT / 2) < 120;
            memset(bgra[y][x], inside ? 220 : 20, 4);
        }
}

static scarlet_status wrap_frames(scarlet_image *out[2], scarlet_error *error)
{
    const void *planes[2] = {&nv12.y[TOP][LEFT], nv12.cbcr[TOP / 2][LEFT / 2]};
    const size_t strides[2] = {sizeof nv12.y[0], sizeof nv12.cbcr[0]};
    scarlet_status status = scarlet_image_wrap(bgra[TOP][LEFT], SIDE, SIDE, sizeof bgra[0],
                                               SCARLET_PIXELS_BGRA, NULL, NULL, &out[0], error);
    if (status != SCARLET_OK)
        return status;
    return scarlet_image_wrap_planes(planes, strides, 2, SIDE, SIDE, SCARLET_PIXELS_NV12, NULL,
                                     NULL, &out[1], error);
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* Classifies FRAMES frames; *steady receives the allocations after the first frame of each kind. */
static scarlet_status run(const scarlet_model *model, scarlet_session *session,
                          scarlet_image *const images[2], unsigned long *steady,
                          scarlet_error *error)
{
    for (int frame = 0; frame < FRAMES; frame++) {
        (frame % 2 ? expose_nv12 : expose_bgra)(frame);
        scarlet_prediction best;
        unsigned long before = allocations;
        double start = now_ms();
        scarlet_status status =
            scarlet_classify(session, images[frame % 2], NULL, 1, &best, NULL, error);
        double took = now_ms() - start;
        if (status != SCARLET_OK)
            return status;
        if (frame >= 2)
            *steady += allocations - before;
        const char *label = scarlet_model_label(model, best.class_id);
        printf("frame %2d  %s  %5.1f %%  %-16s  %6.2f ms\n", frame, frame % 2 ? "NV12" : "BGRA",
               100 * (double)best.score, label ? label : "(no name)", took);
    }
    return SCARLET_OK;
}

int main(int argc, char **argv)
{
    scarlet_model *model = NULL;
    scarlet_session *session = NULL;
    scarlet_image *images[2] = {NULL, NULL};
    scarlet_error error;
    scarlet_status status;
    unsigned long steady = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s MODEL\n", argv[0]);
        return 2;
    }
    if ((status = scarlet_model_load(argv[1], NULL, &model, &error)) ||
        (status = scarlet_session_create(model, NULL, &session, &error)) ||
        (status = wrap_frames(images, &error)) ||
        (status = run(model, session, images, &steady, &error)))
        fprintf(stderr, "%s\n", error.message);
    else if (COUNTED)
        printf("allocations after the first frames: %lu\n", steady);

    scarlet_image_free(images[0]);
    scarlet_image_free(images[1]);
    scarlet_session_free(session);
    scarlet_model_free(model);
    return status || steady ? 1 : 0;
}
