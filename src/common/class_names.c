#include "class_names.h"

void cli_names_open(cli_names *names, const cli_command *command, const scarlet_model *model,
                    const char *file)
{
    int64_t classes = scarlet_model_get(model, SCARLET_INFO_CLASSES);
    scarlet_error err = {0};
    scarlet_status status = SCARLET_OK;
    *names = (cli_names){.model = model};
    if (file)
        status = scarlet_labels_load(file, &names->labels, &err);
    else if ((names->guessed =
                  !scarlet_model_metadata(model, "scarlet.labels") && classes == IMAGENET_CLASSES))
        status = scarlet_labels_builtin("imagenet-1k", &names->labels, &err);
    if (status != SCARLET_OK)
        cli_usage(command, "%s", err.message);
    size_t count = scarlet_labels_count(names->labels);
    if (names->labels && (int64_t)count != classes)
        cli_usage(command, "%s: %zu names, but the model has %lld classes", file, count,
                  (long long)classes);
}

bool cli_names_own(const cli_names *names)
{
    return !names->guessed && cli_name(names, 0);
}

const char *cli_name(const cli_names *names, int32_t class_id)
{
    if (names->labels)
        return scarlet_labels_get(names->labels, class_id);
    if (names->texts)
        return names->texts[class_id];
    return scarlet_model_label(names->model, class_id);
}
