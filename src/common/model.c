#include "model.h"

#include <getopt.h>
#include <stdlib.h>

#include "message.h"
#include "settings.h"
#include "status.h"
#include "text.h"

const char *cli_model_path(const cli_command *command, const char *path)
{
    if (!path)
        path = getenv("SCARLET_MODEL");
    if (!path || !*path)
        cli_usage(command, "no model: name its file, or set SCARLET_MODEL");
    return path;
}

static bool names_model(const char *path)
{
    static const char *const endings[] = {".safetensors", ".pth", ".pth.tar", ".pt", ".ckpt"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (ends_with_any_case(path, endings[i]))
            return true;
    return false;
}

const char *cli_model_argument(const cli_command *command, const char *path, int argc, char **argv)
{
    if (!path && optind < argc && names_model(argv[optind]))
        path = argv[optind++];
    return cli_model_path(command, path);
}

void cli_model_failed(const cli_command *command, const scarlet_error *err)
{
    if (err->status == SCARLET_ERROR_ARGUMENT)
        cli_usage(command, "%s", err->message);
    cli_error("%s", err->message);
    exit(MODEL_UNUSABLE);
}

/* Pictures for the session's input size, which may not be the file's: its resize follows it. */
static void fit_pictures(const cli_loaded *loaded, const cli_command *command, const char *settings)
{
    int64_t side = scarlet_session_get(loaded->session, SCARLET_INFO_INPUT_SIZE), own, resize;
    scarlet_options_get(loaded->opts, SCARLET_OPT_CROP, &own, NULL);
    scarlet_options_get(loaded->opts, SCARLET_OPT_RESIZE, &resize, NULL);
    if (resize && side != own)
        scarlet_options_set(loaded->opts, SCARLET_OPT_RESIZE, resize * side / own, NULL);
    cli_options(settings, loaded->opts);
    scarlet_options_set(loaded->opts, SCARLET_OPT_CROP, side, NULL);
    scarlet_options_get(loaded->opts, SCARLET_OPT_RESIZE, &resize, NULL);
    if (resize && resize < side)
        cli_usage(command,
                  "a resize of %lld is less than the input size, %lld; --opt resize=N sets another",
                  (long long)resize, (long long)side);
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
    fit_pictures(loaded, command, settings);
}

void cli_unload_model(cli_loaded *loaded)
{
    scarlet_options_free(loaded->opts);
    scarlet_session_free(loaded->session);
    scarlet_model_free(loaded->model);
}
