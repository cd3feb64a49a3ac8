/*
 * Uses one file and reports what it cost.
 *
 *   bounded model|convert|session|picture|labels|options FILE [OPTIONS]
 *
 * Prints the milliseconds of CPU time, the KB of memory at the peak above those at the start, the
 * status, and the message.
 */
#include <stdbool.h>
#include <time.h>

#include "scarlet/scarlet.h"

#include "test.h"

static long status_line(const char *name)
{
    char line[256];
    long kb = -1;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, name, strlen(name)) == 0)
            kb = atol(line + strlen(name));
    if (f)
        fclose(f);
    return kb;
}

static scarlet_status use(const char *kind, const char *path, const scarlet_options *opts,
                          scarlet_error *err)
{
    scarlet_model *model = NULL;
    scarlet_session *session = NULL;
    scarlet_image *image = NULL;
    scarlet_labels *labels = NULL;
    scarlet_status status = SCARLET_ERROR_INTERNAL;
    if (strcmp(kind, "model") == 0 || strcmp(kind, "session") == 0) {
        status = scarlet_model_load(path, opts, &model, err);
        const char *key;
        for (size_t i = 0; (key = scarlet_model_metadata_key(model, i)); i++)
            if (!scarlet_model_metadata(model, key))
                status = SCARLET_ERROR_INTERNAL;
        if (status == SCARLET_OK && strcmp(kind, "session") == 0)
            status = scarlet_session_create(model, opts, &session, err);
    } else if (strcmp(kind, "convert") == 0) {
        char target[4096];
        snprintf(target, sizeof target, "%s.new", path);
        status = scarlet_convert(path, target, NULL, opts, err);
    } else if (strcmp(kind, "picture") == 0)
        status = scarlet_image_load(path, opts, &image, err);
    else if (strcmp(kind, "labels") == 0)
        status = scarlet_labels_load(path, &labels, err);
    scarlet_session_free(session);
    scarlet_model_free(model);
    scarlet_image_free(image);
    scarlet_labels_free(labels);
    return status;
}

/* The file's text as options. */
static scarlet_status parse(const char *path, scarlet_options *opts, scarlet_error *err)
{
    static char text[1 << 24];
    FILE *f = fopen(path, "rb");
    size_t size = f ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f)
        fclose(f);
    text[size] = '\0';
    return scarlet_options_parse(opts, text, err);
}

int main(int argc, char **argv)
{
    scarlet_error err = {0};
    if (argc < 3)
        return 2;
    scarlet_options *opts = scarlet_options_create();
    if (argc > 3 && scarlet_options_parse(opts, argv[3], &err) != SCARLET_OK)
        return 2;
    long before = status_line("VmHWM:");
    clock_t begun = clock();
    bool text = strcmp(argv[1], "options") == 0;
    scarlet_status status = text ? parse(argv[2], opts, &err) : use(argv[1], argv[2], opts, &err);
    double milliseconds = (double)(clock() - begun) * 1000 / CLOCKS_PER_SEC;
    printf("%.0f %ld %s %s\n", milliseconds, status_line("VmHWM:") - before,
           scarlet_status_string(status), err.message);
    scarlet_options_free(opts);
    return 0;
}
