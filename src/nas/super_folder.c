#include "super_folder.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/lines.h"
#include "common/message.h"
#include "common/number.h"
#include "common/status.h"
#include "pictures/kind.h"

void super_option(super_options *o, const cli_command *command, int key)
{
    switch (key) {
    case 'O':
        o->output = optarg;
        break;
    case SUPER_DATA:
        o->data = optarg;
        break;
    case 't':
        o->threads = (uint32_t)cli_integer(command, "--threads", optarg, 0, 256);
        break;
    case 'q':
        o->quiet = true;
        break;
    }
}

char *super_file(const char *folder, const char *name)
{
    return cli_format("%s/%s", folder, name);
}

void super_must(const cli_command *command, scarlet_status status, const scarlet_error *err)
{
    if (status == SCARLET_OK)
        return;
    if (status == SCARLET_ERROR_ARGUMENT)
        cli_usage(command, "%s", err->message);
    cli_error("%s", err->message);
    exit(INPUT_FAILED);
}

/* ---- data.txt: "key value" lines ---- */

void super_source_write(const super_source *source, const char *folder)
{
    char *path = super_file(folder, "data.txt");
    FILE *out = fopen(path, "w");
    if (!out)
        cli_refuse_errno(path);
    fprintf(out, "data %s\nval-fraction ", source->data);
    put_double(out, source->fraction);
    fprintf(out, "\nseed %" PRId64 "\n", source->seed);
    if (source->names)
        fprintf(out, "names %s\n", source->names);
    bool failed = ferror(out);
    if (fclose(out) != 0 || failed)
        cli_discard(path);
    free(path);
}

static void read_line(void *user, char *text, size_t number)
{
    super_source *s = user;
    char *value = strchr(text, ' ');
    (void)number;
    if (!value)
        return;
    *value++ = '\0';
    if (strcmp(text, "data") == 0 && !s->data)
        s->data = cli_format("%s", value);
    else if (strcmp(text, "names") == 0 && !s->names)
        s->names = cli_format("%s", value);
    else if (strcmp(text, "val-fraction") == 0)
        s->fraction = strtod(value, NULL);
    else if (strcmp(text, "seed") == 0)
        s->seed = strtoll(value, NULL, 10);
}

static void read_source(super_source *source, const char *folder)
{
    char *path = super_file(folder, "data.txt");
    *source = (super_source){0};
    read_lines(path, read_line, source);
    if (!source->data || !(source->fraction > 0 && source->fraction < 1) || source->seed < 0)
        cli_refuse(path, "damaged");
    free(path);
}

/* ---- opening ---- */

void super_open(super_folder *s, const cli_command *command, const char *path,
                const super_options *o)
{
    *s = (super_folder){.path = path};
    if (!is_folder(path))
        cli_usage(command, "%s: no such folder of a supernet", path);
    read_source(&s->source, path);
    train_data_open(&s->data, o->data ? o->data : s->source.data, s->source.names,
                    s->source.fraction, (uint64_t)s->source.seed);
    char *file = super_file(path, "supernet.safetensors");
    scarlet_error err;
    super_must(command, scarlet_supernet_load(file, s->data.set, o->threads, &s->net, &err), &err);
    free(file);
}

void super_join(super_folder *s, const cli_command *command, const scarlet_group *job)
{
    scarlet_error err;
    if (job)
        super_must(command, scarlet_supernet_join(s->net, job, &err), &err);
}

void super_close(super_folder *s)
{
    scarlet_supernet_free(s->net);
    train_data_close(&s->data);
    free(s->source.data);
    free(s->source.names);
}
