/*
 * Lists of pictures, of right classes and of the classes of folders (--files-from, --truth and
 * --class-map). The last byte of an input chooses: bit 0, names may have classes; bit 1, the list
 * comes through standard input; bit 2, there is none.
 */
#include <stdio.h>
#include <string.h>

#include "common/status.h"
#include "common/text.h"
#include "fuzz.h"
#include "pictures/kind.h"
#include "pictures/lists.h"
#include "pictures/member_classes.h"
#include "pictures/truth.h"

typedef struct {
    const char *path;
    size_t size;
    bool labels, standard_input;
} list;

/* A few classes with names, as a model has them. */
static char *const texts[] = {"apple", "Ankle boot", "T-shirt/top", "crane", "crane"};
static const cli_names names = {.texts = texts};
static class_table words;

static void read_pictures(void *user)
{
    const list *l = user;
    cli_inputs inputs = {0};
    if (l->standard_input && !(stdin = fopen(l->path, "rb")))
        exit(INPUT_FAILED);
    cli_inputs_add_list(&inputs, l->standard_input ? "-" : l->path, l->labels ? &words : NULL);
    if (l->standard_input)
        fclose(stdin);
    MUST(inputs.count <= l->size + 1);
    for (size_t i = 0; i < inputs.count; i++) {
        const cli_input *item = &inputs.item[i];
        MUST(*item->path && item->label >= NO_LABEL);
        MUST(l->labels || item->label == NO_LABEL);
        is_picture(item->path);
        validation_number(item->path);
        MUST(by_code_points(item->path, item->path) == 0);
    }
    cli_inputs_free(&inputs);
}

static void read_classes(void *user)
{
    const list *l = user;
    truth t;
    truth_open(&t, l->path, &words);
    MUST(!t.names || !t.lines);
    for (size_t i = 0; i < t.names; i++)
        MUST(truth_of(&t, t.named[i].name, i) >= 0);
    for (size_t i = 0; i < t.lines; i++)
        MUST(truth_of(&t, "picture.png", i) == t.by_line[i]);
    MUST(truth_of(&t, "a/ILSVRC2012_val_00000002.JPEG", 0) >= NO_LABEL);
    truth_close(&t);
}

static void read_map(void *user)
{
    const list *l = user;
    class_rules rules = {.classes = words};
    class_map_read(&rules, l->path);
    for (size_t i = 0; i < rules.map_count; i++) {
        int64_t class_id = class_of_member(&rules, rules.map[i].folder);
        MUST(class_id >= NO_CLASS && class_id < (int64_t)words.count);
        MUST(class_of_folder(&rules, rules.map[i].folder) >= 0);
    }
    rules.classes = (class_table){0};
    class_rules_close(&rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    unsigned choice = data[--size];
    if (!words.count)
        classes_open(&words, &names, sizeof texts / sizeof *texts);
    list l = {fuzz_file(0, data, size), size, choice & 1, choice & 2};
    if (choice & 4)
        l.path = "/proc/self/no/such/file";
    FILE *own = stdin;
    trap_run(read_pictures, &l);
    stdin = own;
    input_kind_of(l.path);
    trap_run(read_classes, &l);
    trap_run(read_map, &l);
    return 0;
}
