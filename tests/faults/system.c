/*
 * Fails each call into the operating system in turn and expects the right status, a message,
 * nothing half-made, nothing leaked, nothing printed.
 *
 *   system FILE...
 *
 * FILE are models and pictures (.jpg, .png) in the working folder. Each attempt is a process of its
 * own, so that what is done once in a process (XNNPACK, cpuinfo) fails too, and LeakSanitizer looks
 * at each.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scarlet/scarlet.h"

#include "failing.h"
#include "test.h"

/* ---- uses; each gives the first status that is not OK, or OK ---- */

typedef scarlet_status (*use)(const char *path, scarlet_error *err);

static scarlet_status load(const char *path, scarlet_error *err)
{
    scarlet_model *model;
    scarlet_status status = scarlet_model_load(path, NULL, &model, err);
    if (!model != (status != SCARLET_OK))
        return SCARLET_ERROR_INTERNAL;
    scarlet_model_free(model);
    return status;
}

static scarlet_status new_options(const char *text, scarlet_options **out, scarlet_error *err)
{
    *out = scarlet_options_create();
    if (*out)
        return scarlet_options_parse(*out, text, err);
    *err = (scarlet_error){SCARLET_ERROR_MEMORY, 0, "out of memory"};
    return SCARLET_ERROR_MEMORY;
}

static scarlet_status run(const char *path, const char *text, scarlet_error *err)
{
    static float input[3 * 224 * 224], scores[1000];
    scarlet_model *model = NULL;
    scarlet_session *s = NULL;
    scarlet_options *opts;
    scarlet_status status = new_options(text, &opts, err);
    if (status == SCARLET_OK)
        status = scarlet_model_load(path, opts, &model, err);
    if (status == SCARLET_OK)
        status = scarlet_session_create(model, opts, &s, err);
    if (!s != (status != SCARLET_OK))
        return SCARLET_ERROR_INTERNAL;
    size_t classes = (size_t)scarlet_model_get(model, SCARLET_INFO_CLASSES);
    if (status == SCARLET_OK)
        status = scarlet_infer(s, input, sizeof input / sizeof *input, 1, scores, classes, err);
    scarlet_session_free(s);
    scarlet_model_free(model);
    scarlet_options_free(opts);
    return status;
}

static scarlet_status fused(const char *path, scarlet_error *err)
{
    return run(path, "engine=fused,input_size=224,batch_max=4,threads=4", err);
}

static scarlet_status int8(const char *path, scarlet_error *err)
{
    return run(path, "precision=int8,input_size=224,batch_max=4,threads=4", err);
}

static scarlet_status int16(const char *path, scarlet_error *err)
{
    return run(path, "precision=int16,input_size=224", err);
}

/* More than one thread only where none of pthreadpool's own fails: it would wait for ever, which
 * is why the library tries first (engine/xnnpack/pool.c). */
static scarlet_status xnnpack(const char *path, scarlet_error *err)
{
    return run(path, "engine=xnnpack,input_size=224", err);
}

static scarlet_status pool(const char *path, scarlet_error *err)
{
    return run(path, "engine=xnnpack,input_size=224,threads=4", err);
}

static const char *const converted = "converted.safetensors";

static scarlet_status convert(const char *path, scarlet_error *err)
{
    scarlet_status status = scarlet_convert(path, converted, NULL, NULL, err);
    if ((access(converted, F_OK) == 0) != (status == SCARLET_OK))
        return SCARLET_ERROR_INTERNAL;
    unlink(converted);
    return status;
}

static scarlet_status decode_as(const char *path, const scarlet_options *opts, scarlet_error *err)
{
    static float out[3 * 224 * 224];
    scarlet_image *image;
    scarlet_status status = scarlet_image_load(path, opts, &image, err);
    if (!image != (status != SCARLET_OK))
        return SCARLET_ERROR_INTERNAL;
    if (status == SCARLET_OK)
        status = scarlet_preprocess(image, NULL, out, 3 * 224 * 224, err);
    scarlet_image_free(image);
    return status;
}

static scarlet_status decode(const char *path, scarlet_error *err)
{
    return decode_as(path, NULL, err);
}

/* A JPEG at half its size. */
static scarlet_status decode_fast(const char *path, scarlet_error *err)
{
    scarlet_options *opts;
    scarlet_status status = new_options("decode=fast,resize=9", &opts, err);
    if (status == SCARLET_OK)
        status = decode_as(path, opts, err);
    scarlet_options_free(opts);
    return status;
}

/* ---- one attempt ---- */

enum { DONE, REFUSED, WRONG, CRASHED, MISSED = 4 /* a bit: the call to fail was not met */ };

/* XNNPACK of 2024 does not look whether it got the memory for its first convolution. */
#ifdef SCARLET__XNNPACK_RESHAPE
enum { KNOWN_CRASHES = 1 };
#else
enum { KNOWN_CRASHES = 0 };
#endif

static int attempt(use fn, const char *path, const char *kind, size_t n, int code,
                   scarlet_status expected, const char *message)
{
    scarlet_error err = {0};
    failing_arm(kind, n, code);
    scarlet_status status = fn(path, &err);
    int missed = failing_hit() ? 0 : MISSED;
    failing_arm(NULL, 0, 0);
    if (status == SCARLET_OK)
        return DONE | missed;
    if (status == expected && err.status == expected && strstr(err.message, message) && !missed &&
        err.detail == (expected == SCARLET_ERROR_IO ? code : 0))
        return REFUSED;
    /* XNNPACK of 2024 needs what libcpuinfo finds, which does not say why it found nothing. */
    if (fn == xnnpack && status == SCARLET_ERROR_UNSUPPORTED && err.status == status && !missed &&
        strstr(err.message, "memory was short"))
        return REFUSED;
    dprintf(STDOUT_FILENO, "status %d, error %d, %d: %s\n", status, err.status, err.detail,
            err.message);
    return WRONG;
}

static int in_child(use fn, const char *path, const char *kind, size_t n, int code,
                    scarlet_status expected, const char *message)
{
    int status = -1;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        if (dup2(open("printed", O_WRONLY | O_CREAT | O_APPEND, 0666), STDERR_FILENO) < 0)
            _exit(WRONG);
        exit(attempt(fn, path, kind, n, code, expected, message)); /* exit: leaks are looked for */
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return WRONG;
    return WIFEXITED(status) ? WEXITSTATUS(status) : CRASHED;
}

static size_t files_here(void)
{
    size_t count = 0;
    DIR *folder = opendir(".");
    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count;
}

/* n = 1, 2, 3 ... until the call is not met. Where a failure need not be fatal, as of a close after
 * reading, `may_succeed`; `least` calls are expected to be met. */
static void each(const char *name, use fn, const char *path, const char *kind, int code,
                 scarlet_status expected, const char *message, bool may_succeed, size_t least)
{
    size_t before = files_here(), n = 1;
    int result, known = fn == xnnpack && strcmp(kind, "malloc") == 0 ? KNOWN_CRASHES : 0;
    while ((result = in_child(fn, path, kind, n, code, expected, message)) == REFUSED ||
           (result == DONE && may_succeed) || (result == CRASHED && known-- > 0))
        n++;
    if (!CHECK(result == (DONE | MISSED)) || !CHECK(n > least) || !CHECK(files_here() == before))
        fprintf(stderr, "%s: %s, %s, call %zu of it, code %d: %d\n", path, name, kind, n, code,
                result);
    printf("%s: %s: %zu calls of %s failed with %d\n", path, name, n - 1, kind, code);
}

/* A fault that must not be noticed. */
static void harmless(const char *name, use fn, const char *path, const char *kind, int code)
{
    if (!CHECK(in_child(fn, path, kind, 1, code, SCARLET_OK, "") == DONE))
        fprintf(stderr, "%s: %s, %s, code %d\n", path, name, kind, code);
}

/* Cuts the file while it is read, at each read in turn; the file is put back. */
static void shrinking(const char *name, use fn, const char *path)
{
    static char data[1 << 22];
    int fd = open(path, O_RDONLY);
    ssize_t size = fd < 0 ? -1 : read(fd, data, sizeof data);
    CHECK(size > 0 && size < (ssize_t)sizeof data && close(fd) == 0);
    int result = REFUSED;
    for (size_t n = 1; result != (DONE | MISSED); n++) {
        result = in_child(fn, path, "pread", n, FAILING_SHRINK, SCARLET_ERROR_CORRUPT,
                          "cut short: it ends at byte");
        fd = open(path, O_WRONLY | O_TRUNC);
        CHECK(fd >= 0 && write(fd, data, (size_t)size) == size && close(fd) == 0);
        if (!CHECK(result == REFUSED || (result & ~MISSED) == DONE)) {
            fprintf(stderr, "%s: %s, cut at read %zu: %d\n", path, name, n, result);
            break;
        }
    }
}

/* `spare`: some memory can be done without: libjpeg asks for less when it is refused much. */
static void files(const char *name, use fn, const char *path, bool spare)
{
    each(name, fn, path, "open", EMFILE, SCARLET_ERROR_IO, "Too many open files", false, 1);
    each(name, fn, path, "open", EACCES, SCARLET_ERROR_IO, "Permission denied", false, 1);
    each(name, fn, path, "fstat", EIO, SCARLET_ERROR_IO, "Input/output error", false, 1);
    each(name, fn, path, "pread", EIO, SCARLET_ERROR_IO, path, false, 1);
    harmless(name, fn, path, "pread", FAILING_AGAIN);
    harmless(name, fn, path, "pread", FAILING_SHORT);
    shrinking(name, fn, path);
    if (FAILING_MALLOC)
        each(name, fn, path, "malloc", ENOMEM, SCARLET_ERROR_MEMORY, "out of memory", spare, 2);
}

static void conversion(const char *path)
{
    files("convert", convert, path, false);
    each("convert", convert, path, "write", ENOSPC, SCARLET_ERROR_IO, "No space left", false, 2);
    each("convert", convert, path, "fsync", EIO, SCARLET_ERROR_IO, converted, false, 1);
    each("convert", convert, path, "close", EIO, SCARLET_ERROR_IO, converted, true, 2);
    each("convert", convert, path, "rename", EXDEV, SCARLET_ERROR_IO, converted, false, 1);
    harmless("convert", convert, path, "write", FAILING_AGAIN);
    harmless("convert", convert, path, "write", FAILING_SHORT);
}

static void sessions(const char *path)
{
    static const struct {
        const char *name;
        use fn;
        bool threads;
    } way[] = {{"fused", fused, true}, {"int8", int8, true}, {"int16", int16, false}};
    const char *no_threads = "cannot start 3 threads";
    for (size_t i = 0; i < sizeof way / sizeof *way; i++) {
        each(way[i].name, way[i].fn, path, "mmap", ENOMEM, SCARLET_ERROR_MEMORY, "out of memory",
             false, 1);
        each(way[i].name, way[i].fn, path, "madvise", EINVAL, SCARLET_OK, "", true, 1);
        if (way[i].threads)
            each(way[i].name, way[i].fn, path, "pthread_create", EAGAIN, SCARLET_ERROR_MEMORY,
                 no_threads, false, 3);
        if (FAILING_MALLOC)
            each(way[i].name, way[i].fn, path, "malloc", ENOMEM, SCARLET_ERROR_MEMORY, "", true, 2);
    }
    for (size_t n = 1; XNNPACK && n <= 3; n++)
        CHECK(in_child(pool, path, "pthread_create", n, EAGAIN, SCARLET_ERROR_MEMORY, no_threads) ==
              REFUSED);
    if (XNNPACK && FAILING_MALLOC)
        each("XNNPACK", xnnpack, path, "malloc", ENOMEM, SCARLET_ERROR_MEMORY, "out of memory",
             true, 2);
}

/* The library prints nothing; libcpuinfo does when it is out of memory. */
static void nothing_printed(void)
{
    static const char known[] = "Error in cpuinfo: ";
    char line[512];
    FILE *f = fopen("printed", "r");
    CHECK(f);
    while (f && fgets(line, sizeof line, f))
        if (!CHECK(strncmp(line, known, sizeof known - 1) == 0))
            fprintf(stderr, "printed: %s", line);
    if (f)
        fclose(f);
    unlink("printed");
}

int main(int argc, char **argv)
{
    FILE *f = fopen("printed", "w");
    CHECK(f && fclose(f) == 0);
    for (int i = 1; i < argc; i++) {
        const char *path = argv[i], *dot = strrchr(path, '.');
        if (dot && (strcmp(dot, ".jpg") == 0 || strcmp(dot, ".png") == 0)) {
            files("decode", decode, path, true);
            files("decode=fast", decode_fast, path, true);
            continue;
        }
        files("load", load, path, false);
        /* How a kind of file is read is seen by now; the rest is the same for all. */
        if (dot && strcmp(dot, ".safetensors") == 0) {
            conversion(path);
            sessions(path);
        }
    }
    nothing_printed();
    return test_result();
}
