#include "train_list.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/lines.h"
#include "common/message.h"
#include "common/text.h"
#include "pictures/feed.h"
#include "pictures/folders.h"
#include "pictures/kind.h"
#include "pictures/lists.h"
#include "pictures/table.h"

static example *append(examples *all, const char *name, const char *error, scarlet_part part)
{
    all->item = cli_grow(all->item, all->count, sizeof *all->item);
    example *one = &all->item[all->count++];
    *one = (example){.name = cli_format("%s", name), .part = part};
    if (error)
        one->error = cli_format("%s", error);
    return one;
}

void example_release(example *one)
{
    free(one->data);
    one->data = NULL;
}

void examples_close(examples *all)
{
    for (size_t i = 0; i < all->count; i++) {
        example *one = &all->item[i];
        free(one->name);
        free(one->data);
        free(one->error);
        free(one->class);
    }
    free(all->item);
    *all = (examples){0};
}

/* ---- parts ---- */

static const struct {
    const char *word;
    scarlet_part part;
} part_words[] = {
    {"train", SCARLET_PART_TRAIN},      {"val", SCARLET_PART_VALIDATION},
    {"valid", SCARLET_PART_VALIDATION}, {"validation", SCARLET_PART_VALIDATION},
    {"test", SCARLET_PART_TEST},        {"training", SCARLET_PART_TRAIN},
};

enum { PART_WORDS = sizeof part_words / sizeof *part_words };

const char *part_name(scarlet_part part)
{
    static const char *const names[PARTS] = {"train", "validation", "test"};
    return names[part];
}

bool part_of_word(const char *word, size_t length, scarlet_part *part)
{
    for (size_t i = 0; i < PART_WORDS; i++)
        if (strlen(part_words[i].word) == length &&
            strncasecmp(word, part_words[i].word, length) == 0) {
            *part = part_words[i].part;
            return true;
        }
    return false;
}

/* ---- folders ---- */

/* All class folders of `root` as one part. */
static void add_classes(examples *all, const char *root, scarlet_part part)
{
    cli_inputs inputs = {0};
    cli_inputs_add_classes(&inputs, root, NULL);
    size_t skip = strlen(root) + !ends_with(root, "/");
    for (size_t i = 0; i < inputs.count; i++) {
        const cli_input *input = &inputs.item[i];
        example *one = append(all, input->path, input->error, part);
        const char *class = input->path + skip;
        if (!input->error)
            one->class = cli_format("%.*s", (int)strcspn(class, "/"), class);
    }
    cli_inputs_free(&inputs);
}

static void add_folder(examples *all, const char *path)
{
    const char *seen[PARTS] = {NULL};
    for (size_t i = 0; i < PART_WORDS; i++) {
        char *root = cli_format("%s/%s", path, part_words[i].word);
        if (is_folder(root) && has_folders(root)) {
            scarlet_part part = part_words[i].part;
            if (seen[part])
                cli_refuse(path, "has %s/ and %s/: keep one of them", seen[part],
                           part_words[i].word);
            seen[part] = part_words[i].word;
            add_classes(all, root, part);
        }
        free(root);
    }
    if (seen[SCARLET_PART_TRAIN])
        return;
    for (int part = 1; part < PARTS; part++)
        if (seen[part])
            cli_refuse(path, "has %s/ but no train/", seen[part]);
    if (!has_folders(path))
        cli_refuse(path,
                   "no folders in it: it needs one for each class, with that class's "
                   "pictures");
    add_classes(all, path, SCARLET_PART_TRAIN);
}

/* ---- archives ---- */

/* Length of the folders that all members share: "photos/" of photos/cat/1.jpg, photos/dog/2.jpg.
 * What has an error need not be a member. */
static size_t shared_folders(const examples *all, size_t skip)
{
    const char *first = NULL;
    size_t shared = 0;
    for (size_t i = 0; i < all->count; i++) {
        if (all->item[i].error)
            continue;
        const char *name = all->item[i].name + skip, *slash = strrchr(name, '/');
        size_t same = 0;
        if (!first) {
            first = name;
            shared = slash ? (size_t)(slash + 1 - name) : 0;
        }
        while (same < shared && name[same] == first[same])
            same++;
        while (same && first[same - 1] != '/')
            same--;
        shared = same;
    }
    return shared;
}

/* Part and class by the folders of a member's name. */
static void classify_member(example *one, const char *name)
{
    size_t length = strcspn(name, "/");
    if (name[length] && part_of_word(name, length, &one->part)) {
        name += length + 1;
        length = strcspn(name, "/");
    }
    if (name[length])
        one->class = cli_format("%.*s", (int)length, name);
    else
        one->error = cli_format("is in no class folder of the archive");
}

static void add_archive(examples *all, const char *path)
{
    cli_inputs inputs = {0};
    cli_inputs_add(&inputs, path);
    feed f = {.inputs = &inputs};
    cli_picture picture = {0};
    size_t labelled = 0, named = 0, folders = 0;
    while (feed_next(&f, &picture)) {
        example *one = append(all, picture.name, picture.error, SCARLET_PART_TRAIN);
        one->data = picture.data;
        one->size = picture.size;
        picture.data = NULL;
        if (picture.class_name && !picture.error)
            one->class = cli_format("%s", picture.class_name);
        else if (picture.label != NO_LABEL && !picture.error)
            one->class = cli_format("%lld", (long long)picture.label);
        named += picture.class_name && !picture.error;
        labelled += one->class != NULL;
        folders += !picture.error && !one->class;
        cli_picture_free(&picture);
    }
    feed_close(&f);
    cli_inputs_free(&inputs);
    if (labelled && folders)
        cli_refuse(path, "some pictures have a .cls member, others have none");
    all->numbered = labelled > 0 && !named;
    size_t skip = strlen(path) + 1, shared = shared_folders(all, skip);
    for (size_t i = 0; i < all->count && !labelled; i++)
        if (!all->item[i].error)
            classify_member(&all->item[i], all->item[i].name + skip + shared);
}

/* ---- lists ---- */

typedef struct list {
    examples *all;
    const char *path, *base; /* base: what relative names follow */
    table table;
} list;

/* "NAME CLASS": names may contain blanks, classes may not. */
static table_row cut_line(char *text)
{
    cut_blanks(text);
    char *blank = strrchr(text, ' ');
    if (!blank)
        return (table_row){.name = text};
    *blank = '\0';
    return (table_row){.name = text, .label = blank + 1};
}

static void add_line(void *user, char *text, size_t number)
{
    list *l = user;
    table_row row;
    if (*text == '#')
        return;
    table_line kind = table_read(&l->table, text, &row);
    if (kind == TABLE_HEADER)
        return;
    if (kind == TABLE_NONE)
        row = cut_line(text);
    if (!row.name || !*row.name || !row.label || !*row.label)
        cli_refuse(l->path, "line %zu: not a picture and its class", number + 1);
    scarlet_part part = SCARLET_PART_TRAIN;
    if (row.part && *row.part && !part_of_word(row.part, strlen(row.part), &part))
        cli_refuse(l->path, "line %zu: \"%s\" is none of train, val, test", number + 1, row.part);
    char *name = cli_format("%s%s", *row.name == '/' ? "" : l->base, row.name);
    append(l->all, name, NULL, part)->class = cli_format("%s", row.label);
    free(name);
}

static bool is_number(const char *text)
{
    enum { DIGITS_MAX = 6 };
    size_t digits = strspn(text, "0123456789");
    return digits && digits <= DIGITS_MAX && !text[digits];
}

static void add_list(examples *all, const char *path)
{
    char *base = list_base(path);
    list l = {all, path, base, {.csv = ends_with_any_case(path, ".csv"), .separated = true}};
    read_lines(path, add_line, &l);
    free(base);
    all->numbered = true;
    for (size_t i = 0; i < all->count; i++)
        all->numbered &= is_number(all->item[i].class);
}

/* ---- all ---- */

void examples_open(examples *all, const char *path)
{
    *all = (examples){0};
    switch (input_kind_of(path)) {
    case INPUT_FOLDER:
        add_folder(all, path);
        break;
    case INPUT_FILE:
        add_list(all, path);
        break;
    case INPUT_PICTURE:
        cli_refuse(path, "a picture, not a folder of class folders, an archive or a list");
    default: /* archives of other kinds are refused by name */
        add_archive(all, path);
    }
    if (!all->count)
        cli_refuse(path, "no pictures");
}
