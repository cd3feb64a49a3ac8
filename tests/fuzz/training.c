/*
 * What scarlet train reads: lists of pictures, archives in the forms for training, and files of
 * options (--config). The last byte of an input chooses: bit 0, it is a file of options.
 */
#include <getopt.h>
#include <string.h>

#include "fuzz.h"
#include "train_list.h"
#include "train_options.h"

static void read_list(void *user)
{
    examples all;
    examples_open(&all, user);
    MUST(all.count > 0);
    for (size_t i = 0; i < all.count; i++) {
        const example *one = &all.item[i];
        MUST(one->name && *one->name && !one->error == !!one->class);
        MUST((unsigned)one->part < PARTS && (!one->class || *one->class || one->data));
    }
    examples_close(&all);
}

static int nothing(const cli_command *command, int argc, char **argv)
{
    (void)command, (void)argc, (void)argv;
    return 0;
}

static void read_options(void *user)
{
    static const cli_command base = {.name = "scarlet train", .run = nothing};
    static char program[] = "train", option[] = "--config", data[] = "photos", seed[] = "--seed=7";
    char *argv[] = {program, option, user, seed, data, NULL};
    cli_command command = train_command(&base);
    train_request q;
    optind = 0;
    train_request_read(&q, &command, 5, argv);
    MUST(strcmp(q.data, "photos") == 0 && q.output && *q.output);
    MUST(strcmp(scarlet_train_options_text(q.options, SCARLET_TRAIN_SEED), "7") == 0);
    train_request_free(&q);
    train_command_free(&command);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    bool options = data[--size] & 1;
    char *path = (char *)(uintptr_t)fuzz_file(0, data, size);
    trap_run(options ? read_options : read_list, path);
    return 0;
}
