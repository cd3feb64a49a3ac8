/* A tar archive of pictures; the last byte of an input chooses which pictures are wanted. */
#include <string.h>

#include "fuzz.h"
#include "pictures/feed.h"
#include "pictures/kind.h"

typedef struct {
    const char *path;
    unsigned every; /* only each such picture is wanted; 0: all are */
} tar_input;

static bool wanted(const void *user, size_t index)
{
    return index % ((const tar_input *)user)->every == 0;
}

static void read_archive(void *user)
{
    const tar_input *t = user;
    cli_inputs inputs = {0};
    cli_inputs_append(&inputs, t->path, NULL, NO_LABEL);
    inputs.item[0].archive = true;
    feed f = {.inputs = &inputs, .wanted = t->every ? wanted : NULL, .user = t};
    cli_picture picture;
    size_t count = 0;
    for (; feed_next(&f, &picture); count++) {
        MUST(picture.index == count && picture.name && picture.label >= NO_LABEL);
        MUST(strncmp(picture.name, t->path, strlen(t->path)) == 0);
        for (size_t i = 0; picture.data && i < picture.size; i += 64) /* every byte is ours */
            picture.data[i] ^= 1;
        cli_picture_free(&picture);
    }
    MUST(count); /* what has no picture says so */
    feed_close(&f);
    cli_inputs_free(&inputs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    unsigned choice = data[--size];
    tar_input t = {fuzz_file(0, data, size), choice % 4};
    input_kind_of(t.path);
    trap_run(read_archive, &t);
    return 0;
}
