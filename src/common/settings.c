#include "settings.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"

/* Text of "name=value", perhaps several: each must do something. */
static void check_effect(const cli_command *command, const char *text)
{
    while (*text) {
        text += strspn(text, " \t,");
        size_t length = strcspn(text, " \t=,");
        char *name = cli_format("%.*s", (int)length, text);
        if (!cli_has_effect(command, name))
            cli_usage(command, "option %s has no effect here", name);
        free(name);
        text += strcspn(text, ",");
    }
}

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
    check_effect(command, added);
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
