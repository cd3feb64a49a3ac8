#include "train_data.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "common/alloc.h"
#include "common/cells.h"
#include "common/lines.h"
#include "common/message.h"
#include "common/text.h"
#include "pictures/folders.h"
#include "pictures/kind.h"

/* ---- parts of the work ---- */

static void must(scarlet_status status, const char *path, const scarlet_error *err)
{
    if (status != SCARLET_OK)
        cli_refuse(path, "%s", err->message);
}

static void create(train_data *d, const char *path)
{
    scarlet_error err;
    must(scarlet_dataset_create((int32_t)d->classes, (const char *const *)d->class_name, &d->set,
                                &err),
         path, &err);
}

static void count_parts(train_data *d)
{
    memset(d->parts, 0, sizeof d->parts);
    for (size_t i = 0; i < d->count; i++)
        d->parts[train_part(d, i, NULL)]++;
}

scarlet_part train_part(const train_data *d, size_t index, int32_t *label)
{
    scarlet_part part = SCARLET_PART_TRAIN;
    scarlet_dataset_get(d->set, index, label, &part, NULL);
    return part;
}

static void add_name(void *user, char *text, size_t number)
{
    train_data *d = user;
    (void)number;
    d->class_name = cli_grow(d->class_name, d->classes, sizeof *d->class_name);
    d->class_name[d->classes++] = cli_format("%s", text);
}

/* A model file's names are UTF-8; other bytes of a folder's name become U+FFFD. */
static char *utf8_name(const char *text)
{
    size_t length;
    char *name;
    FILE *out = cli_memory(&name, &length);
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        size_t bytes = utf8_length(s);
        if (bytes)
            fwrite(s, 1, bytes, out);
        else
            fputs("\xEF\xBF\xBD", out);
        s += bytes ? bytes : 1;
    }
    if (fclose(out) != 0)
        cli_out_of_memory();
    return name;
}

/* ---- folders, archives, lists ---- */

static int by_name(const void *a, const void *b)
{
    return by_code_points(*(char *const *)a, *(char *const *)b);
}

/* The distinct class names of the examples, sorted; the texts stay those of the examples. */
static char **distinct(const examples *all, size_t *count)
{
    char **name = cli_alloc(all->count, sizeof *name);
    size_t n = 0, distinct = 0;
    for (size_t i = 0; i < all->count; i++)
        if (all->item[i].class)
            name[n++] = all->item[i].class;
    if (n)
        qsort(name, n, sizeof *name, by_name);
    for (size_t i = 0; i < n; i++)
        if (!distinct || strcmp(name[distinct - 1], name[i]) != 0)
            name[distinct++] = name[i];
    *count = distinct;
    return name;
}

static int32_t find(char *const *name, size_t count, const char *class)
{
    char *const *found = bsearch(&class, name, count, sizeof *name, by_name);
    return (int32_t)(found - name);
}

static int64_t largest(const examples *all)
{
    int64_t most = 0;
    for (size_t i = 0; i < all->count; i++) {
        int64_t number = all->item[i].class ? strtoll(all->item[i].class, NULL, 10) : 0;
        most = number > most ? number : most;
    }
    return most;
}

static void leave_out(train_data *d, const example *one)
{
    d->unusable = cli_grow(d->unusable, d->unusables, sizeof *d->unusable);
    d->unusable[d->unusables++] =
        (unusable){cli_format("%s", one->name), cli_format("%s", one->error), one->part,
                   is_picture(one->name) && !is_folder(one->name)};
}

static void add(train_data *d, const char *path, example *one, int32_t label)
{
    scarlet_error err;
    must(one->data ? scarlet_dataset_add_bytes(d->set, one->data, one->size, label, one->part, &err)
                   : scarlet_dataset_add_file(d->set, one->name, label, one->part, &err),
         path, &err);
    d->name = cli_grow(d->name, d->count, sizeof *d->name);
    d->name[d->count++] = cli_format("%s", one->name);
    example_release(one);
}

/* Each class needs pictures to learn from. */
static void check_classes(const train_data *d, const char *path)
{
    bool *trained = cli_alloc(d->classes, sizeof *trained);
    size_t lone = d->count; /* the first picture of a class without any */
    scarlet_part part = SCARLET_PART_TRAIN;
    int32_t label = 0;
    char number[16];
    for (size_t i = 0; i < d->count; i++)
        if (train_part(d, i, &label) == SCARLET_PART_TRAIN)
            trained[label] = true;
    for (size_t i = 0; i < d->count && lone == d->count; i++) {
        part = train_part(d, i, &label);
        if (!trained[label])
            lone = i;
    }
    free(trained);
    if (lone < d->count)
        cli_refuse(path, "class \"%s\" of the %s part has no training pictures: %s",
                   train_class(d, label, number), part_name(part), d->name[lone]);
}

/* There are fewer than two classes: `only`, or none. */
static _Noreturn void refuse_classes(const char *path, const examples *all, const char *only)
{
    if (only)
        cli_refuse(path, "only one class, \"%s\": a classifier needs two", only);
    cli_refuse(path, "no picture with a class: %s", all->item[0].error);
}

static void open_examples(train_data *d, const char *path, const char *names)
{
    examples all;
    size_t count;
    examples_open(&all, path);
    char **class = distinct(&all, &count);
    if (names && !all.numbered)
        cli_refuse(names, "not needed: the classes of %s have names", path);
    if (names) {
        read_lines(names, add_name, d);
    } else if (all.numbered) {
        d->classes = count ? (size_t)largest(&all) + 1 : 0;
    } else {
        d->classes = count;
        d->class_name = cli_alloc(count, sizeof *d->class_name);
        for (size_t i = 0; i < count; i++)
            d->class_name[i] = utf8_name(class[i]);
    }
    if (count < 2)
        refuse_classes(path, &all, count ? class[0] : NULL);
    if (all.numbered && (size_t)largest(&all) >= d->classes)
        cli_refuse(path, "class %lld, but %s has %zu names", (long long)largest(&all), names,
                   d->classes);
    create(d, path);
    for (size_t i = 0; i < all.count; i++) {
        example *one = &all.item[i];
        if (one->error)
            leave_out(d, one);
        else
            add(d, path, one,
                all.numbered ? (int32_t)strtol(one->class, NULL, 10)
                             : find(class, count, one->class));
    }
    free(class);
    examples_close(&all);
}

/* ---- IDX files ---- */

/* The file "HEAD-KIND" of a folder as MNIST's are named, compressed or not; free it. NULL: none. */
static char *idx_file(const char *folder, const char *head, const char *kind)
{
    static const char *const endings[] = {"-ubyte", "-ubyte.gz"};
    for (size_t dot = 0; dot < 2; dot++)
        for (size_t i = 0; i < 2; i++) {
            char *path = cli_format("%s/%s-%.6s%s%s%s", folder, head, kind, dot ? "." : "-",
                                    kind + 7, endings[i]);
            if (access(path, F_OK) == 0)
                return path;
            free(path);
        }
    return NULL;
}

/* Number of classes by the labels of an IDX file; what is wrong with it scarlet_dataset_add_idx
 * says. */
static size_t idx_classes(const char *path)
{
    enum { HEAD = 8 };
    unsigned char block[1 << 14];
    gzFile file = gzopen(path, "rb");
    size_t most = 1;
    if (!file)
        cli_refuse_errno(path);
    int got = gzread(file, block, HEAD);
    while (got > 0 && (got = gzread(file, block, sizeof block)) > 0)
        for (int i = 0; i < got; i++)
            most = block[i] > most ? block[i] : most;
    gzclose(file);
    return most + 1;
}

static void add_idx(train_data *d, const char *images, const char *labels, scarlet_part part)
{
    scarlet_error err;
    must(scarlet_dataset_add_idx(d->set, images, labels, part, &err), images, &err);
    size_t before = d->count, count = scarlet_dataset_count(d->set);
    for (; d->count < count; d->count++) {
        d->name = cli_grow(d->name, d->count, sizeof *d->name);
        d->name[d->count] = cli_format("%s#%zu", images, d->count - before);
    }
}

/* False if the folder holds no IDX files. */
static bool open_idx(train_data *d, const char *folder, const char *names)
{
    static const char *const heads[] = {"train", "t10k", "test"};
    static const scarlet_part parts[] = {SCARLET_PART_TRAIN, SCARLET_PART_TEST, SCARLET_PART_TEST};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        char *images = idx_file(folder, heads[i], "images-idx3");
        char *labels = idx_file(folder, heads[i], "labels-idx1");
        if (!images != !labels)
            cli_refuse(images ? images : labels, "its %s are missing",
                       images ? "labels" : "images");
        if (images && i == 0) {
            if (names)
                read_lines(names, add_name, d);
            else
                d->classes = idx_classes(labels);
            create(d, folder);
        }
        if (images && d->set)
            add_idx(d, images, labels, parts[i]);
        free(images);
        free(labels);
    }
    return d->set != NULL;
}

/* ---- all ---- */

void train_data_open(train_data *d, const char *path, const char *names, double fraction,
                     uint64_t seed)
{
    *d = (train_data){0};
    if (!is_folder(path) || has_folders(path) || !open_idx(d, path, names))
        open_examples(d, path, names);
    check_classes(d, path);
    count_parts(d);
    d->split = !d->parts[SCARLET_PART_VALIDATION];
    if (d->split) {
        scarlet_error err;
        must(scarlet_dataset_split(d->set, fraction, seed, &err), path, &err);
        count_parts(d);
    }
}

typedef struct weights {
    const char *path;
    float *weight;
    size_t count;
} weights;

static void add_weight(void *user, char *text, size_t number)
{
    weights *w = user;
    char *end;
    double value = strtod(text, &end);
    if (end == text || end[strspn(end, " \t")])
        cli_refuse(w->path, "line %zu: not a number", number + 1);
    w->weight = cli_grow(w->weight, w->count, sizeof *w->weight);
    w->weight[w->count++] = (float)value;
}

void train_data_weigh(train_data *d, const char *path)
{
    weights w = {.path = path};
    scarlet_error err;
    read_lines(path, add_weight, &w);
    must(scarlet_dataset_set_class_weights(d->set, w.weight, w.count, &err), path, &err);
    free(w.weight);
}

void train_data_close(train_data *d)
{
    scarlet_dataset_free(d->set);
    for (size_t i = 0; i < d->count; i++)
        free(d->name[i]);
    free(d->name);
    for (size_t i = 0; d->class_name && i < d->classes; i++)
        free(d->class_name[i]);
    free(d->class_name);
    for (size_t i = 0; i < d->unusables; i++) {
        free(d->unusable[i].name);
        free(d->unusable[i].reason);
    }
    free(d->unusable);
}

train_faults train_data_faults(const train_data *d)
{
    train_faults faults = {0};
    memcpy(faults.pictures, d->parts, sizeof d->parts);
    for (size_t i = 0; i < d->unusables; i++) {
        const unusable *u = &d->unusable[i];
        faults.broken[u->part] += u->picture;
        faults.pictures[u->part] += u->picture;
        faults.others += !u->picture;
    }
    return faults;
}

int train_faults_excess(const train_faults *faults)
{
    enum { TOLERATED = 20 }; /* one broken picture in so many */
    int part = 0;
    while (part < PARTS && faults->broken[part] <= faults->pictures[part] / TOLERATED)
        part++;
    return part;
}

/* The library shows control characters and what is not UTF-8 as '?', and leaves out the middle of
 * what is long. */
static bool begins_with(const char *reason, const char *name)
{
    while (*name && (*reason == *name || *reason == '?')) {
        reason++;
        name++;
    }
    return !*name || strncmp(reason, "...", 3) == 0;
}

char *fault_text(const char *name, const char *reason)
{
    static const char memory[] = "data in memory: "; /* the name of what has no path */
    if (begins_with(reason, name))
        return cli_format("%s", reason);
    bool unnamed = strncmp(reason, memory, sizeof memory - 1) == 0;
    return cli_format("%s: %s", name, reason + (unnamed ? sizeof memory - 1 : 0));
}

const char *train_class(const train_data *d, int32_t class_id, char room[16])
{
    if (d->class_name)
        return d->class_name[class_id];
    snprintf(room, 16, "%d", (int)class_id);
    return room;
}

void train_data_write(const train_data *d, const char *path)
{
    FILE *out = fopen(path, "wb");
    if (!out)
        cli_refuse_errno(path);
    fputs("path,class,part\n", out);
    for (size_t i = 0; i < d->count; i++) {
        int32_t label = 0;
        char number[16];
        scarlet_part part = train_part(d, i, &label);
        cell_put(out, d->name[i]);
        fputc(',', out);
        cell_put(out, train_class(d, label, number));
        fprintf(out, ",%s\n", part_name(part));
    }
    bool failed = ferror(out);
    if (fclose(out) != 0 || failed)
        cli_discard(path);
}
