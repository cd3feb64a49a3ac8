#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

void cli_set(char **settings, const cli_command *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *added = cli_vformat(format, args);
    va_end(args);
    scarlet_error err;
    scarlet_options *trial = cli_options(NULL, NULL);
    if (scarlet_options_parse(trial, added, &err) != SCARLET_OK)
        cli_usage(command, "%s", err.message);
    scarlet_options_free(trial);
    char *old = *settings;
    *settings = cli_format("%s,%s", old ? old : "", added);
    free(old);
    free(added);
}

scarlet_options *cli_options(const char *settings, scarlet_options *base)
{
    scarlet_options *opts = base ? base : scarlet_options_create();
    if (!opts)
        cli_out_of_memory();
    if (settings)
        scarlet_options_parse(opts, settings, NULL); /* cli_set has checked them */
    return opts;
}

const char *cli_model_path(const cli_command *command, const char *path)
{
    if (!path)
        path = getenv("SCARLET_MODEL");
    if (!path || !*path)
        cli_usage(command, "no model: name its file, or set SCARLET_MODEL");
    return path;
}

void cli_model_failed(const cli_command *command, const scarlet_error *err)
{
    if (err->status == SCARLET_ERROR_ARGUMENT)
        cli_usage(command, "%s", err->message);
    cli_error("%s", err->message);
    exit(MODEL_UNUSABLE);
}

void cli_load_model(cli_loaded *loaded, const cli_command *command, const char *path,
                    const char *settings)
{
    scarlet_error err;
    scarlet_options *own = cli_options(settings, NULL);
    *loaded = (cli_loaded){0};
    if (scarlet_model_load(path, own, &loaded->model, &err) != SCARLET_OK ||
        scarlet_session_create(loaded->model, own, &loaded->session, &err) != SCARLET_OK ||
        scarlet_model_options(loaded->model, &loaded->opts, &err) != SCARLET_OK)
        cli_model_failed(command, &err);
    scarlet_options_free(own);
    cli_options(settings, loaded->opts);
    scarlet_options_set(loaded->opts, SCARLET_OPT_CROP,
                        scarlet_session_get(loaded->session, SCARLET_INFO_INPUT_SIZE), NULL);
}

void cli_unload_model(cli_loaded *loaded)
{
    scarlet_options_free(loaded->opts);
    scarlet_session_free(loaded->session);
    scarlet_model_free(loaded->model);
}

void cli_names_open(cli_names *names, const cli_command *command, const scarlet_model *model,
                    const char *file)
{
    int64_t classes = scarlet_model_get(model, SCARLET_INFO_CLASSES);
    scarlet_error err = {0};
    scarlet_status status = SCARLET_OK;
    *names = (cli_names){.model = model};
    if (file)
        status = scarlet_labels_load(file, &names->labels, &err);
    else if (!scarlet_model_label(model, 0) && classes == IMAGENET_CLASSES)
        status = scarlet_labels_builtin("imagenet-1k", &names->labels, &err);
    if (status != SCARLET_OK)
        cli_usage(command, "%s", err.message);
    size_t count = scarlet_labels_count(names->labels);
    if (names->labels && (int64_t)count != classes)
        cli_usage(command, "%s: %zu names, but the model has %lld classes", file, count,
                  (long long)classes);
}

const char *cli_name(const cli_names *names, int32_t class_id)
{
    if (names->labels)
        return scarlet_labels_get(names->labels, class_id);
    return scarlet_model_label(names->model, class_id);
}
