/*
 * ONNX Runtime through its C interface. worker_ort LIBRARY MODEL INPUT BATCH THREADS
 *
 * The npm package brings the library but no header. Its interface is one table of functions whose
 * order never changes; the few that are needed are called by their place in it.
 */
#include "worker.h"

#include <dlfcn.h>
#include <stdint.h>

enum { API_VERSION = 17 };
enum { ENABLE_ALL = 99, SEQUENTIAL = 0, LOG_ERRORS = 3, ARENA = 1, DEFAULT_MEMORY = 0, FLOAT = 1 };

typedef struct status status;
typedef void (*function)(void);

typedef struct {
    const function *(*get)(uint32_t version);
    const char *(*version)(void);
} api_base;

static const function *api;
static void *session;
static void *tensor_in, *tensor_out;

#define CALL(place, result, parameters) ((result(*) parameters)api[place])
#define GET_ERROR_MESSAGE CALL(2, const char *, (status *))
#define CREATE_ENV CALL(3, status *, (int, const char *, void **))
#define CREATE_SESSION CALL(7, status *, (void *, const char *, void *, void **))
#define RUN                                                                                        \
    CALL(9, status *,                                                                              \
         (void *, void *, const char *const *, void *const *, size_t, const char *const *, size_t, \
          void **))
#define CREATE_SESSION_OPTIONS CALL(10, status *, (void **))
#define SET_EXECUTION_MODE CALL(13, status *, (void *, int))
#define SET_OPTIMIZATION_LEVEL CALL(23, status *, (void *, int))
#define SET_INTRA_OP_THREADS CALL(24, status *, (void *, int))
#define SET_INTER_OP_THREADS CALL(25, status *, (void *, int))
#define CREATE_TENSOR                                                                              \
    CALL(49, status *, (void *, void *, size_t, const int64_t *, size_t, int, void **))
#define CREATE_CPU_MEMORY_INFO CALL(69, status *, (int, int, void **))

static void must(status *s)
{
    if (s)
        worker_fail("ONNX Runtime", GET_ERROR_MESSAGE(s));
}

static void open_library(worker *w, const char *path)
{
    void *library = dlopen(path, RTLD_NOW);
    if (!library)
        worker_fail("dlopen", dlerror());
    const api_base *(*base)(void);
    *(void **)&base = dlsym(library, "OrtGetApiBase");
    if (!base)
        worker_fail(path, "no OrtGetApiBase");
    w->version = base()->version();
    api = base()->get(API_VERSION);
    if (!api)
        worker_fail(path, "does not know version 17 of the interface");
}

static void load(worker *w, char **argv)
{
    void *env, *options, *memory;
    const size_t batch = (size_t)w->batch;
    const int64_t in[] = {w->batch, 3, SIDE, SIDE}, out[] = {w->batch, CLASSES};
    open_library(w, argv[1]);
    must(CREATE_ENV(LOG_ERRORS, "bench", &env));
    must(CREATE_SESSION_OPTIONS(&options));
    must(SET_INTRA_OP_THREADS(options, atoi(argv[5])));
    must(SET_INTER_OP_THREADS(options, 1));
    must(SET_EXECUTION_MODE(options, SEQUENTIAL));
    must(SET_OPTIMIZATION_LEVEL(options, ENABLE_ALL));
    must(CREATE_SESSION(env, argv[2], options, &session));
    must(CREATE_CPU_MEMORY_INFO(ARENA, DEFAULT_MEMORY, &memory));
    must(
        CREATE_TENSOR(memory, w->input, batch * PICTURE * sizeof(float), in, 4, FLOAT, &tensor_in));
    must(CREATE_TENSOR(memory, w->scores, batch * CLASSES * sizeof(float), out, 2, FLOAT,
                       &tensor_out));
}

static void run(worker *w)
{
    (void)w;
    static const char *const in[] = {"input"}, *const out[] = {"scores"};
    must(RUN(session, NULL, in, &tensor_in, 1, out, 1, &tensor_out));
}

int main(int argc, char **argv)
{
    if (argc != 6)
        worker_fail("usage", "worker_ort LIBRARY MODEL INPUT BATCH THREADS");
    worker w = {.version = "", .load = load, .run = run};
    int result = worker_serve(&w, argc, argv);
    fflush(stdout);
    _Exit(result); /* its threads outlive main */
}
