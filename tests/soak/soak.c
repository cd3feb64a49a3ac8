/*
 * Uses the library for a long time on two threads, one input in ten broken.
 *
 *   soak [--seconds N] [--threads N] [--seed N] FILE...
 *
 * FILE are valid models and pictures (.jpg, .png), at least one of each. Each input is a random one
 * of them, as it is or with random damage. What a valid one gives must be, bit by bit, what it gave
 * the first time; a broken one must be refused with a message, or used, and leave nothing in
 * memory. Resident memory and open files are counted with the threads paused, twenty times: they
 * must not grow once the first fifth of the time has passed.
 */
#include <dirent.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include "scarlet/scarlet.h"
#include "test.h"

enum { MOST_FILES = 256, MOST_THREADS = 16, TOP = 5, SAMPLES = 20 };
enum { MAX_PIXELS = 4 << 20, MAX_BYTES = 64 << 20 };

/* How models and sessions are made; the number of threads must not change a bit, the rest may. */
static const char *const way_options[] = {
    "threads=1",
    "threads=2",
    "precision=int8,threads=2",
#if XNNPACK
    "engine=xnnpack",
#endif
};
enum { WAYS = sizeof way_options / sizeof *way_options };

typedef struct {
    const char *path;
    unsigned char *data;
    size_t size;
    bool picture;
    uint64_t expected[WAYS], pixels, converted; /* digests of the first run */
} sample;

static sample file[MOST_FILES];
static size_t files;
static scarlet_model *shared[WAYS];
static scarlet_image *frame; /* what models under test are shown */
static scarlet_options *limits;

static atomic_uint_fast64_t tried[2], refused, survived, wrong; /* tried: models, pictures */
static atomic_bool stop;
static pthread_barrier_t ready; /* all threads and main(): the time begins */
/* Held for writing: all paused. Writers first, or the threads would never let one in. */
static pthread_rwlock_t working = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

/* ---- small things ---- */

static uint64_t digest(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *p = data;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ p[i]) * 0x100000001B3u;
    return hash;
}

static uint64_t next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void complain(const char *what, const sample *s, const scarlet_error *err)
{
    atomic_fetch_add(&wrong, 1);
    fprintf(stderr, "%s: %s%s%s\n", s->path, what, err ? ": " : "", err ? err->message : "");
}

static unsigned char *read_file(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    unsigned char *data = NULL;
    *size = 0;
    if (f && fseek(f, 0, SEEK_END) == 0) {
        *size = (size_t)ftell(f);
        data = malloc(*size ? *size : 1);
        rewind(f);
        if (data && fread(data, 1, *size, f) != *size) {
            free(data);
            data = NULL;
        }
    }
    if (f)
        fclose(f);
    return data;
}

static bool write_file(const char *path, const void *data, size_t size)
{
    FILE *f = fopen(path, "wb");
    bool ok = f && fwrite(data, 1, size, f) == size;
    return f && fclose(f) == 0 && ok;
}

/* ---- uses ---- */

static scarlet_session *session(scarlet_model *model, int way, scarlet_error *err)
{
    scarlet_session *s = NULL;
    scarlet_options *opts = scarlet_options_create();
    if (scarlet_options_parse(opts, way_options[way], err) == SCARLET_OK)
        scarlet_session_create(model, opts, &s, err);
    scarlet_options_free(opts);
    return s;
}

static scarlet_status classify(scarlet_session *s, const scarlet_image *image, uint64_t *out,
                               scarlet_error *err)
{
    scarlet_prediction top[TOP];
    size_t n = 0;
    scarlet_status status = scarlet_classify(s, image, NULL, TOP, top, &n, err);
    *out = digest(n, top, n * sizeof *top);
    return status;
}

static scarlet_status use_picture(const void *data, size_t size, scarlet_session *s,
                                  uint64_t *pixels, uint64_t *out, scarlet_error *err)
{
    scarlet_image *image;
    uint32_t width, height;
    scarlet_image_probe(data, size, &width, &height, NULL);
    scarlet_status status = scarlet_image_decode(data, size, limits, &image, err);
    if (status == SCARLET_OK) {
        const unsigned char *p = scarlet_image_pixels(image, &width, &height, NULL, NULL);
        *pixels = digest(width, p, (size_t)3 * width * height);
        status = classify(s, image, out, err);
    }
    scarlet_image_free(image);
    return status;
}

/* `path`: a name of the thread's own, to go through a file; NULL: from memory. */
static scarlet_status load(const void *data, size_t size, int way, const char *path,
                           scarlet_model **out, scarlet_error *err)
{
    scarlet_options *opts = scarlet_options_create();
    scarlet_options_parse(opts, way_options[way], NULL);
    scarlet_options_set(opts, SCARLET_OPT_MAX_BYTES, MAX_BYTES, NULL);
    scarlet_status status;
    if (path) {
        if (!write_file(path, data, size))
            perror(path);
        status = scarlet_model_load(path, opts, out, err);
    } else {
        status = scarlet_model_load_memory(data, size, opts, out, err);
    }
    scarlet_options_free(opts);
    return status;
}

static scarlet_status use_model(const void *data, size_t size, int way, const char *path,
                                uint64_t *out, scarlet_error *err)
{
    scarlet_model *model;
    scarlet_status status = load(data, size, way, path, &model, err);
    if (status != SCARLET_OK)
        return status;
    scarlet_session *s = session(model, way, err);
    scarlet_model_free(model);
    status = s ? classify(s, frame, out, err) : (scarlet_status)err->status;
    scarlet_session_free(s);
    return status;
}

static scarlet_status use_convert(const void *data, size_t size, const char *path, uint64_t *out,
                                  scarlet_error *err)
{
    char target[4096];
    snprintf(target, sizeof target, "%s.safetensors", path);
    if (!write_file(path, data, size))
        perror(path);
    scarlet_status status = scarlet_convert(path, target, NULL, limits, err);
    size_t length;
    unsigned char *written = read_file(target, &length);
    if (!written != (status != SCARLET_OK))
        status = SCARLET_ERROR_INTERNAL;
    *out = digest(length, written, length);
    free(written);
    unlink(target);
    return status;
}

/* ---- a thread ---- */

/* Random damage: bytes changed, cut off, taken out, put in, or copied from elsewhere. */
static size_t damage(const sample *s, unsigned char *copy, size_t room, uint64_t *random)
{
    size_t size = s->size;
    memcpy(copy, s->data, size);
    for (uint64_t i = 1 + next(random) % 4; i && size; i--) {
        size_t at = next(random) % size, n = 1 + next(random) % 64;
        if (next(random) % 2)
            at %= 1024; /* heads decide more than bodies do */
        at = at < size ? at : size - 1;
        n = n < size - at ? n : size - at;
        switch (next(random) % 6) {
        case 0:
            copy[at] ^= (unsigned char)(1u << next(random) % 8);
            break;
        case 1:
            for (size_t k = 0; k < n; k++)
                copy[at + k] = (unsigned char)next(random);
            break;
        case 2:
            memset(copy + at, next(random) % 2 ? 0xFF : 0, n < 8 ? n : 8);
            break;
        case 3:
            size = at;
            break;
        case 4:
            memmove(copy + at, copy + at + n, size - at - n);
            size -= n;
            break;
        default:
            if (n <= room - size) {
                memmove(copy + at + n, copy + at, size - at);
                size += n;
            }
        }
    }
    return size;
}

/* One input of `size` bytes; the digests of the first run are in s->..., compared if it is whole.
 */
static void check(const sample *s, const unsigned char *data, size_t size, bool whole, int way,
                  scarlet_session *const *own, const char *path, uint64_t *random)
{
    uint64_t found = 0, pixels = 0, wanted;
    scarlet_error err = {0};
    scarlet_status status;
    if (s->picture) {
        status = use_picture(data, size, own[way], &pixels, &found, &err);
        wanted = s->expected[way];
    } else if (next(random) % 8 == 0) {
        status = use_convert(data, size, path, &found, &err);
        wanted = s->converted;
    } else {
        status = use_model(data, size, way, next(random) % 2 ? path : NULL, &found, &err);
        wanted = s->expected[way];
    }
    atomic_fetch_add(&tried[s->picture], 1);
    if (whole) {
        if (status != SCARLET_OK)
            complain("a valid file was refused", s, &err);
        else if (found != wanted || pixels != s->pixels)
            complain("another result than the first time", s, NULL);
    } else if (status == SCARLET_OK) {
        atomic_fetch_add(&survived, 1);
    } else {
        atomic_fetch_add(&refused, 1);
        if (status == SCARLET_ERROR_INTERNAL || status == SCARLET_ERROR_MEMORY ||
            status != (scarlet_status)err.status || !err.message[0])
            complain("damaged, and refused in the wrong way", s, &err);
    }
}

typedef struct {
    pthread_t thread;
    uint64_t random;
    int number;
} worker;

static void *work(void *arg)
{
    worker *w = arg;
    char path[64];
    scarlet_session *own[WAYS];
    scarlet_error err = {0};
    size_t room = 1 << 16;
    snprintf(path, sizeof path, "soak-%ld-%d", (long)getpid(), w->number);
    for (int i = 0; i < WAYS; i++)
        own[i] = session(shared[i], i, &err);
    for (size_t i = 0; i < files; i++)
        room = room > file[i].size + 4096 ? room : file[i].size + 4096;
    unsigned char *copy = malloc(room);
    for (size_t i = 0; i < files * WAYS; i++) { /* this thread has what memory all that takes */
        const sample *s = &file[i / WAYS];
        check(s, s->data, s->size, true, (int)(i % WAYS), own, path, &w->random);
    }
    pthread_barrier_wait(&ready);
    while (!atomic_load(&stop)) {
        const sample *s = &file[next(&w->random) % files];
        bool whole = next(&w->random) % 10 != 0;
        size_t size = whole ? s->size : damage(s, copy, room, &w->random);
        pthread_rwlock_rdlock(&working);
        check(s, whole ? s->data : copy, size, whole, (int)(next(&w->random) % WAYS), own, path,
              &w->random);
        pthread_rwlock_unlock(&working);
    }
    free(copy);
    for (int i = 0; i < WAYS; i++)
        scarlet_session_free(own[i]);
    unlink(path);
    return NULL;
}

/* ---- the whole ---- */

static bool first_run(sample *s, scarlet_session *const *own)
{
    scarlet_error err = {0};
    bool ok = true;
    for (int way = 0; way < WAYS && ok; way++)
        ok = (s->picture
                  ? use_picture(s->data, s->size, own[way], &s->pixels, &s->expected[way], &err)
                  : use_model(s->data, s->size, way, NULL, &s->expected[way], &err)) == SCARLET_OK;
    if (ok && !s->picture)
        ok = use_convert(s->data, s->size, "soak-first", &s->converted, &err) == SCARLET_OK;
    unlink("soak-first");
    if (!ok)
        fprintf(stderr, "%s: %s\n", s->path, err.message);
    return ok && CHECK(s->expected[0] == s->expected[1]);
}

typedef struct {
    long resident, in_use; /* KB; in_use: by malloc's own count */
    int open;
} usage;

static usage measure(void)
{
    usage u = {0};
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%*d %ld", &u.resident) != 1)
        perror("/proc/self/statm");
    if (f)
        fclose(f);
    u.resident *= sysconf(_SC_PAGESIZE) / 1024;
    DIR *d = opendir("/proc/self/fd");
    while (d && readdir(d))
        u.open++;
    if (d)
        closedir(d);
    u.in_use = (long)(mallinfo2().uordblks / 1024);
    return u;
}

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static usage report(double since)
{
    pthread_rwlock_wrlock(&working);
    usage u = measure();
    pthread_rwlock_unlock(&working);
    printf(
        "%7.0f s: %llu models, %llu pictures; %llu broken: %llu refused, %llu used; "
        "RSS %ld KB, in use %ld KB, %d open files\n",
        seconds_now() - since, (unsigned long long)tried[0], (unsigned long long)tried[1],
        (unsigned long long)(refused + survived), (unsigned long long)refused,
        (unsigned long long)survived, u.resident, u.in_use, u.open);
    fflush(stdout);
    return u;
}

static void soak(double seconds, int threads, uint64_t seed)
{
    worker w[MOST_THREADS];
    pthread_barrier_init(&ready, NULL, (unsigned)threads + 1);
    for (int i = 0; i < threads; i++) {
        w[i] = (worker){.number = i, .random = (seed + (uint64_t)i) * 0x9E3779B97F4A7C15u | 1};
        if (!CHECK(pthread_create(&w[i].thread, NULL, work, &w[i]) == 0))
            exit(EXIT_FAILURE);
    }
    pthread_barrier_wait(&ready);
    double begun = seconds_now();
    usage warm = {0}, end = {0};
    for (int i = 1; i <= SAMPLES; i++) {
        double left = begun + seconds * i / SAMPLES - seconds_now();
        if (left > 0)
            nanosleep(&(struct timespec){(time_t)left, (long)((left - (double)(time_t)left) * 1e9)},
                      NULL);
        end = report(begun);
        if (i <= SAMPLES / 5) { /* what the allocator keeps by then is what it needs */
            warm.resident = warm.resident > end.resident ? warm.resident : end.resident;
            warm.in_use = warm.in_use > end.in_use ? warm.in_use : end.in_use;
            warm.open = end.open;
        }
    }
    atomic_store(&stop, true);
    for (int i = 0; i < threads; i++)
        pthread_join(w[i].thread, NULL);
    CHECK(wrong == 0);
    CHECK(tried[0] > 0 && tried[1] > 0 && refused > 0);
    CHECK(end.open == warm.open);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* they hold freed memory */
    CHECK(end.in_use <= warm.in_use + 256); /* malloc counts its caches as in use */
    CHECK(end.resident <= warm.resident + 8192);
#endif
    printf("%llu inputs, %llu faults survived, RSS %ld KB at the start, %ld KB at the end\n",
           (unsigned long long)(tried[0] + tried[1]), (unsigned long long)(refused + survived),
           warm.resident, end.resident);
}

int main(int argc, char **argv)
{
    double seconds = 10;
    int threads = 2;
    uint64_t seed = 1;
    scarlet_error err = {0};
    scarlet_session *own[WAYS] = {NULL};
    const sample *model = NULL, *picture = NULL;
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) == 0 && i + 1 < argc) {
            double value = atof(argv[++i]);
            if (strcmp(argv[i - 1], "--seconds") == 0)
                seconds = value;
            else if (strcmp(argv[i - 1], "--threads") == 0 && value >= 1 && value <= MOST_THREADS)
                threads = (int)value;
            else if (strcmp(argv[i - 1], "--seed") == 0)
                seed = (uint64_t)value;
            else
                return 2;
        } else if (files < MOST_FILES) {
            sample *s = &file[files++];
            const char *dot = strrchr(argv[i], '.');
            s->path = argv[i];
            s->picture = dot && (strcmp(dot, ".jpg") == 0 || strcmp(dot, ".png") == 0);
            s->data = read_file(s->path, &s->size);
            if (!s->data) {
                perror(s->path);
                return 2;
            }
            *(s->picture ? &picture : &model) = s;
        }
    }
    limits = scarlet_options_create();
    scarlet_options_set(limits, SCARLET_OPT_MAX_PIXELS, MAX_PIXELS, NULL);
    scarlet_options_set(limits, SCARLET_OPT_MAX_BYTES, MAX_BYTES, NULL);
    if (!model || !picture ||
        scarlet_image_decode(picture->data, picture->size, limits, &frame, &err) != SCARLET_OK) {
        fprintf(stderr, "a model and a picture are needed: %s\n", err.message);
        return 2;
    }
    bool ok = true;
    for (int i = 0; i < WAYS; i++) {
        ok &= CHECK(load(model->data, model->size, i, NULL, &shared[i], &err) == SCARLET_OK);
        own[i] = session(shared[i], i, &err);
    }
    for (size_t i = 0; i < files; i++)
        ok &= CHECK(first_run(&file[i], own));
    if (ok)
        soak(seconds, threads, seed);
    for (int i = 0; i < WAYS; i++) {
        scarlet_session_free(own[i]);
        scarlet_model_free(shared[i]);
    }
    scarlet_image_free(frame);
    scarlet_options_free(limits);
    for (size_t i = 0; i < files; i++)
        free(file[i].data);
    return test_result();
}
