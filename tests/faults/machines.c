/*
 * Machines without /proc and /sys, with hardly a descriptor, or with an empty file system: the
 * library computes the same, prints nothing, and recovers.
 *
 *   machines MODEL FOLDER     FOLDER: to write in
 *
 * Needs the right to mount: root's, or that of user namespaces.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scarlet/scarlet.h"
#include "test.h"

enum { SIDE = 32, VALUES = 3 * SIDE * SIDE, CLASSES = 5 };

static scarlet_error err;
static char model_path[4096], folder[4000];
static void *model_data;
static size_t model_size;
static float input[VALUES], expected[CLASSES], portable[CLASSES];

static scarlet_model *load(const char *text, bool file)
{
    scarlet_model *model = NULL;
    scarlet_options *opts = scarlet_options_create();
    if (scarlet_options_parse(opts, text, &err) == SCARLET_OK) {
        if (file)
            scarlet_model_load(model_path, opts, &model, &err);
        else
            scarlet_model_load_memory(model_data, model_size, opts, &model, &err);
    }
    scarlet_options_free(opts);
    return model;
}

static bool infer(scarlet_model *model, float *scores)
{
    scarlet_session *s = NULL;
    bool ok = model && scarlet_session_create(model, NULL, &s, &err) == SCARLET_OK &&
              scarlet_infer(s, input, VALUES, 1, scores, CLASSES, &err) == SCARLET_OK;
    if (!ok)
        fprintf(stdout, "%s\n", err.message);
    scarlet_session_free(s);
    return ok;
}

/* Whether a model gives these scores; `engine` receives what computes them. */
static bool gives(const char *text, bool file, const float *scores, int64_t *engine)
{
    float found[CLASSES] = {0};
    scarlet_model *model = load(text, file);
    bool ok = infer(model, found) && memcmp(found, scores, sizeof found) == 0;
    *engine = scarlet_model_get(model, SCARLET_INFO_ENGINE);
    scarlet_model_free(model);
    return ok;
}

/* XNNPACK rounds otherwise. */
static bool nearly(const char *text, const float *scores)
{
    float found[CLASSES] = {0}, most = 0;
    scarlet_model *model = load(text, false);
    bool ok = infer(model, found);
    for (int i = 0; i < CLASSES; i++) {
        float difference = found[i] > scores[i] ? found[i] - scores[i] : scores[i] - found[i];
        most = difference > most ? difference : most;
    }
    scarlet_model_free(model);
    return ok && most < 1e-4f;
}

static void refused(const char *cause)
{
    scarlet_model *model = load("engine=xnnpack", false);
    CHECK(!model && err.status == SCARLET_ERROR_UNSUPPORTED);
    if (!CHECK(strstr(err.message, cause)))
        printf("%s\n", err.message);
    scarlet_model_free(model);
}

/* ---- the machines ---- */

/* Whatever XNNPACK finds, the fused executor needs nothing. */
static void fused_everywhere(bool file)
{
    int64_t engine;
    CHECK(gives("", file, expected, &engine));
    CHECK(gives("engine=fused,isa_max=portable", file, portable, &engine));
    CHECK(scarlet_cpu_count() >= 1);
}

/* What needs /proc falls back or names the cause, and works once there is one. */
static void without_proc(void)
{
    int64_t engine;
    fused_everywhere(true);
    CHECK(gives("isa_max=portable", true, portable, &engine));
    CHECK(engine == SCARLET_ENGINE_FUSED);
    refused(XNNPACK ? "XNNPACK cannot start: /proc/cpuinfo: No such file or directory"
                    : "no XNNPACK");
}

static void empty_proc(void)
{
    if (!CHECK(mount("none", "/proc", "tmpfs", 0, NULL) == 0))
        return;
    without_proc();
    CHECK(umount("/proc") == 0);
    if (XNNPACK)
        CHECK(nearly("engine=xnnpack", expected));
}

static void empty_sys(void)
{
    CHECK(mount("none", "/sys", "tmpfs", 0, NULL) == 0);
    fused_everywhere(true);
    if (XNNPACK)
        CHECK(nearly("engine=xnnpack", expected));
}

/* Everything is in memory; there is not even /dev. */
static void empty_root(void)
{
    int64_t engine;
    if (!CHECK(chroot(folder) == 0 && chdir("/") == 0))
        return;
    fused_everywhere(false);
    CHECK(gives("isa_max=portable", false, portable, &engine) && engine == SCARLET_ENGINE_FUSED);
    refused(XNNPACK ? "/proc/cpuinfo: No such file or directory" : "no XNNPACK");
}

/* Leaves so many descriptors to open. */
static void leave_descriptors(unsigned count)
{
    const struct rlimit limit = {64, 64};
    setrlimit(RLIMIT_NOFILE, &limit);
    int last = -1;
    for (int fd; (fd = dup(STDERR_FILENO)) >= 0;)
        last = fd;
    for (unsigned i = 0; i < count; i++)
        close(last - (int)i);
}

static void one_descriptor(void)
{
    leave_descriptors(1);
    fused_everywhere(true);
    if (XNNPACK)
        CHECK(nearly("engine=xnnpack", expected));
}

static void no_descriptor(void)
{
    int64_t engine;
    leave_descriptors(0);
    fused_everywhere(false);
    CHECK(gives("isa_max=portable", false, portable, &engine) && engine == SCARLET_ENGINE_FUSED);
    refused(XNNPACK ? "/proc/cpuinfo: Too many open files" : "no XNNPACK");
    close(63);
    if (XNNPACK)
        CHECK(nearly("engine=xnnpack", expected));
}

/* ---- */

/* Each machine is a process: what is done once (XNNPACK's start) is done in it. */
static void on(void (*machine)(void), const char *name)
{
    char printed[4096];
    snprintf(printed, sizeof printed, "%s/printed", folder);
    fflush(stdout);
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        test_passed = test_failed = 0;
        int fd = open(printed, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        dup2(fd, STDERR_FILENO);
        close(fd);
        if (geteuid() != 0 && unshare(CLONE_NEWUSER) != 0)
            _exit(2);
        if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
            _exit(2);
        machine();
        fflush(stdout);
        _exit(test_failed || !test_passed); /* without the leak checker, which needs /proc */
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    char text[512] = "";
    FILE *f = fopen(printed, "r");
    size_t length = f ? fread(text, 1, sizeof text - 1, f) : 1;
    if (f)
        fclose(f);
    unlink(printed);
    if (!CHECK(length == 0) || status != 0)
        printf("%s: status %d, printed: %s\n", name, status, text);
}

int main(int argc, char **argv)
{
    if (argc < 3 || !realpath(argv[1], model_path))
        return 2;
    snprintf(folder, sizeof folder, "%s/machines-XXXXXX", argv[2]);
    if (!CHECK(mkdtemp(folder)))
        return test_result();
    for (int i = 0; i < VALUES; i++)
        input[i] = (float)(i * 7919 % 1009) / 504.5f - 1;
    FILE *f = fopen(model_path, "rb");
    struct stat s;
    if (!CHECK(f && fstat(fileno(f), &s) == 0))
        return test_result();
    model_size = (size_t)s.st_size;
    model_data = malloc(model_size);
    CHECK(model_data && fread(model_data, 1, model_size, f) == model_size);
    fclose(f);
    scarlet_model *model = load("engine=fused", false);
    CHECK(infer(model, expected));
    scarlet_model_free(model);
    model = load("engine=fused,isa_max=portable", false);
    CHECK(infer(model, portable));
    scarlet_model_free(model);

    on(empty_proc, "empty /proc");
    on(empty_sys, "empty /sys");
    on(empty_root, "empty root");
    on(one_descriptor, "one descriptor");
    on(no_descriptor, "no descriptor");
    rmdir(folder);
    free(model_data);
    return test_result();
}
