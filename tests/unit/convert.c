/*
 * scarlet_convert: what becomes of values and metadata, and of the target.
 *
 *   test-convert MODEL
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io.h"
#include "common/memory.h"
#include "formats/open.h"
#include "test.h"

static uint8_t *model;
static size_t model_size;

static void write_file(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    CHECK(file && fwrite(data, 1, size, file) == size && fclose(file) == 0);
}

/* The model with another first value in a tensor. */
static void with_value(const char *path, const char *name, float value)
{
    scarlet__source source;
    scarlet__tensors *t;
    scarlet__source_memory(model, model_size, &source);
    if (!CHECK(scarlet__tensors_open(&source, 1 << 30, &t, NULL) == SCARLET_OK))
        return;
    float before;
    void *place = model + scarlet__tensors_find(t, name)->offset;
    scarlet__tensors_free(t);
    memcpy(&before, place, sizeof before);
    memcpy(place, &value, sizeof value);
    write_file(path, model, model_size);
    memcpy(place, &before, sizeof before);
}

static scarlet_status convert(const char *source, const char *target, const char *options,
                              scarlet_error *err)
{
    scarlet_options *opts = scarlet_options_create();
    CHECK(scarlet_options_parse(opts, options, NULL) == SCARLET_OK);
    scarlet_status status = scarlet_convert(source, target, NULL, opts, err);
    scarlet_options_free(opts);
    return status;
}

static void halves(const char *source, const char *target)
{
    static const char *const NAME = "mb_module.0.conv1.weight";
    scarlet_error err = {0};
    char expected[300];
    with_value(source, NAME, -65520);
    CHECK(convert(source, target, "storage=f16", &err) == SCARLET_ERROR_UNSUPPORTED);
    snprintf(expected, sizeof expected, "%s: tensor %s: the value of element 0 does not fit F16",
             target, NAME);
    CHECK_TEXT(err.message, expected);
    CHECK(access(target, F_OK) != 0);

    with_value(source, NAME, -65519);
    CHECK(convert(source, target, "storage=f16", &err) == SCARLET_OK);
    scarlet__source opened;
    scarlet__tensors *t;
    CHECK(scarlet__source_open(target, &opened, NULL) == SCARLET_OK);
    if (CHECK(scarlet__tensors_open(&opened, 1 << 30, &t, NULL) == SCARLET_OK)) {
        float value;
        for (size_t i = 0; i < t->count; i++)
            CHECK(t->tensor[i].dtype == (t->tensor[i].rank > 1 ? SCARLET__F16 : SCARLET__F32));
        const scarlet__tensor *tensor = scarlet__tensors_find(t, NAME);
        CHECK(scarlet__tensor_read_f32(t, tensor, 0, 1, &value, NULL) == SCARLET_OK);
        CHECK(value == -65504);
        scarlet__tensors_free(t);
    }
    scarlet__source_close(&opened);
    unlink(target);
    unlink(source);
}

static void expect(const char *path, const char *key, const char *value)
{
    scarlet_model *loaded;
    if (!CHECK(scarlet_model_load(path, NULL, &loaded, NULL) == SCARLET_OK))
        return;
    CHECK_TEXT(scarlet_model_metadata(loaded, key), value);
    scarlet_model_free(loaded);
}

/* What is not said again stays letter by letter; what is said takes the shortest text. */
static void described(const char *first, const char *second, const char *third)
{
    write_file(first, model, model_size);
    CHECK(convert(first, second, "mean=0.1:0.333333343:1e-20,std=0.1:0.2:3,resize=48", NULL) ==
          SCARLET_OK);
    expect(second, "scarlet.format", "1");
    expect(second, "scarlet.space", "stem=16 tail=48 layers=12:2,12:1,12:1,20:2");
    expect(second, "scarlet.input_size", "32");
    expect(second, "scarlet.resize", "48");
    expect(second, "scarlet.mean", "0.1,0.33333334,1e-20");
    expect(second, "scarlet.std", "0.1,0.2,3");
    CHECK(convert(second, third, "input_size=64", NULL) == SCARLET_OK);
    expect(third, "scarlet.input_size", "64");
    expect(third, "scarlet.resize", "96");
    scarlet_error err;
    CHECK(convert(second, third, "resize=31", &err) == SCARLET_ERROR_ARGUMENT);
    CHECK_TEXT(err.message, "option resize: 31 is less than the input size 32");
    CHECK(convert(second, third, "input_size=64,resize=48", NULL) == SCARLET_ERROR_ARGUMENT);
    expect(third, "scarlet.mean", "0.1,0.33333334,1e-20");
    unlink(first);
    unlink(second);
    unlink(third);
}

static bool has_halves(const char *path)
{
    scarlet__source opened;
    scarlet__tensors *t;
    bool halves = false;
    CHECK(scarlet__source_open(path, &opened, NULL) == SCARLET_OK);
    if (CHECK(scarlet__tensors_open(&opened, 1 << 30, &t, NULL) == SCARLET_OK)) {
        for (size_t i = 0; i < t->count; i++)
            halves = halves || t->tensor[i].dtype == SCARLET__F16;
        scarlet__tensors_free(t);
    }
    scarlet__source_close(&opened);
    return halves;
}

static mode_t mode_of(const char *path)
{
    struct stat st = {0};
    CHECK(lstat(path, &st) == 0);
    return st.st_mode;
}

/* The source's storage is kept, also in its own place; what is asked for wins. */
static void storage(const char *source, const char *target)
{
    write_file(source, model, model_size);
    CHECK(convert(source, target, "", NULL) == SCARLET_OK && !has_halves(target));
    CHECK(convert(source, target, "storage=f16", NULL) == SCARLET_OK && has_halves(target));
    CHECK(convert(target, target, "", NULL) == SCARLET_OK && has_halves(target));
    CHECK(convert(target, target, "storage=source", NULL) == SCARLET_OK && has_halves(target));
    CHECK(convert(target, target, "storage=f32", NULL) == SCARLET_OK && !has_halves(target));
    unlink(source);
    unlink(target);
}

/* Modes and symbolic links stay as they are: links to files that are there, to none, of links. */
static void places(const char *folder, const char *source, const char *target)
{
    char link[80], second[80], below[80];
    snprintf(link, sizeof link, "%s/link", folder);
    snprintf(second, sizeof second, "%s/second", folder);
    snprintf(below, sizeof below, "%s/below", folder);
    write_file(source, model, model_size);
    write_file(target, "", 0);
    CHECK(chmod(target, 0600) == 0);
    CHECK(convert(source, target, "", NULL) == SCARLET_OK && mode_of(target) == (S_IFREG | 0600));
    CHECK(chmod(target, 0751) == 0);
    CHECK(symlink("b.safetensors", link) == 0 && symlink(link, second) == 0);
    CHECK(convert(source, second, "", NULL) == SCARLET_OK && mode_of(target) == (S_IFREG | 0751));
    CHECK(S_ISLNK(mode_of(link)) && S_ISLNK(mode_of(second)));
    unlink(target);
    CHECK(convert(source, second, "", NULL) == SCARLET_OK && S_ISREG(mode_of(target)));
    CHECK(S_ISLNK(mode_of(link)) && S_ISLNK(mode_of(second)));
    expect(second, "scarlet.format", "1");
    /* The source itself by way of a link. */
    unlink(link);
    CHECK(symlink(source, link) == 0);
    CHECK(convert(source, link, "resize=99", NULL) == SCARLET_OK && S_ISLNK(mode_of(link)));
    expect(source, "scarlet.resize", "99");
    /* A link to itself, and one into a folder that is not there. */
    unlink(link);
    CHECK(symlink(link, link) == 0);
    CHECK(convert(source, link, "", NULL) == SCARLET_ERROR_IO);
    unlink(link);
    CHECK(symlink("none/x", link) == 0);
    CHECK(convert(source, link, "", NULL) == SCARLET_ERROR_IO && S_ISLNK(mode_of(link)));
    unlink(link);
    /* Links of a folder on the way, and a relative one from there. */
    CHECK(mkdir(below, 0700) == 0 && symlink("below", link) == 0);
    unlink(target);
    unlink(second);
    snprintf(second, sizeof second, "%s/link/to", folder);
    CHECK(symlink("../b.safetensors", second) == 0);
    CHECK(convert(source, second, "", NULL) == SCARLET_OK && S_ISREG(mode_of(target)));
    unlink(second);
    unlink(link);
    CHECK(rmdir(below) == 0);
    unlink(target);
    unlink(source);
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/scarlet-test-XXXXXX", a[64], b[64], c[64];
    scarlet__source source;
    if (!CHECK(argc == 2 && mkdtemp(folder)))
        return test_result();
    CHECK(scarlet__source_open(argv[1], &source, NULL) == SCARLET_OK);
    CHECK(scarlet__source_read_all(&source, 1 << 30, &model, &model_size, NULL) == SCARLET_OK);
    scarlet__source_close(&source);
    snprintf(a, sizeof a, "%s/a.safetensors", folder);
    snprintf(b, sizeof b, "%s/b.safetensors", folder);
    snprintf(c, sizeof c, "%s/c.safetensors", folder);
    halves(a, b);
    described(a, b, c);
    storage(a, b);
    places(folder, a, b);
    scarlet__free(model);
    CHECK(rmdir(folder) == 0);
    return test_result();
}
