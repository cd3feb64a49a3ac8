#include "train_check.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/interrupt.h"
#include "common/json_write.h"
#include "common/message.h"
#include "common/progress.h"
#include "pictures/pipeline.h"

enum { SHOWN = 20 };

/* ---- reading all pictures ---- */

typedef struct item {
    size_t index;
    uint64_t digest;
    scarlet_status status;
    scarlet_error err;
} item;

typedef struct print {
    uint64_t digest;
    size_t index;
} print;

typedef struct check {
    const train_data *data;
    size_t next;
    print *prints; /* of the pictures that can be read */
    size_t readable;
    unusable *broken;
    size_t brokens;
    train_faults faults;
} check;

static bool next(void *user, void *slot)
{
    check *c = user;
    item *it = slot;
    if (c->next == c->data->count)
        return false;
    *it = (item){.index = c->next++};
    return true;
}

/* Of size and pixels, eight bytes at a time. */
static uint64_t digest_of(const scarlet_image *image)
{
    uint32_t width, height;
    size_t stride;
    const char *pixels = scarlet_image_pixels(image, &width, &height, &stride, NULL);
    uint64_t hash = (uint64_t)width << 32 | height;
    size_t length = 3 * (size_t)width;
    for (uint32_t y = 0; y < height; y++)
        for (size_t x = 0; x < length; x += sizeof hash) {
            uint64_t bytes = 0;
            memcpy(&bytes, pixels + y * stride + x,
                   length - x < sizeof bytes ? length - x : sizeof bytes);
            hash = (hash ^ bytes) * 0x9E3779B97F4A7C15u;
            hash ^= hash >> 29;
        }
    return hash;
}

static void work(void *user, size_t worker, void *slot)
{
    const check *c = user;
    item *it = slot;
    scarlet_image *image;
    (void)worker;
    it->status = scarlet_dataset_load(c->data->set, it->index, NULL, &image, &it->err);
    if (it->status != SCARLET_OK)
        return;
    it->digest = digest_of(image);
    scarlet_image_free(image);
}

static void add_broken(check *c, const char *name, const char *reason)
{
    c->broken = cli_grow(c->broken, c->brokens, sizeof *c->broken);
    c->broken[c->brokens++] =
        (unusable){.name = cli_format("%s", name), .reason = cli_format("%s", reason)};
}

static bool done(void *user, void *slot)
{
    check *c = user;
    const item *it = slot;
    if (it->status == SCARLET_OK) {
        c->prints[c->readable++] = (print){it->digest, it->index};
    } else {
        add_broken(c, c->data->name[it->index], it->err.message);
        c->faults.broken[train_part(c->data, it->index, NULL)]++;
    }
    progress_step(it->index + 1);
    return true;
}

static void read_all(check *c, bool quiet)
{
    const train_data *d = c->data;
    size_t workers = (size_t)scarlet_cpu_count();
    pipeline p = {.workers = workers,
                  .room = ROOM_PER_WORKER * workers,
                  .size = sizeof(item),
                  .user = c,
                  .next = next,
                  .work = work,
                  .done = done};
    c->prints = cli_alloc(d->count, sizeof *c->prints);
    for (size_t i = 0; i < d->unusables; i++)
        add_broken(c, d->unusable[i].name, d->unusable[i].reason);
    void *items = p.items = cli_alloc(p.room, p.size);
    progress_start(d->count, quiet);
    pipeline_run(&p);
    progress_hide();
    if (interrupted())
        interrupt_finish();
    free(items);
}

/* ---- equal pictures ---- */

static int by_digest(const void *a, const void *b)
{
    const print *x = a, *y = b;
    if (x->digest != y->digest)
        return x->digest < y->digest ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

typedef struct twins {
    size_t first, second; /* pictures of the set */
} twins;

/* Equal pictures in different parts or classes; free it. */
static twins *find_twins(const check *c, size_t *count)
{
    twins *found = NULL;
    *count = 0;
    if (c->readable)
        qsort(c->prints, c->readable, sizeof *c->prints, by_digest);
    for (size_t i = 1, first = 0; i < c->readable; i++) {
        if (c->prints[i].digest != c->prints[first].digest) {
            first = i;
            continue;
        }
        int32_t a, b;
        size_t x = c->prints[first].index, y = c->prints[i].index;
        bool same_part = train_part(c->data, x, &a) == train_part(c->data, y, &b);
        if (same_part && a == b)
            continue;
        found = cli_grow(found, *count, sizeof *found);
        found[(*count)++] = (twins){x, y};
    }
    return found;
}

/* ---- results ---- */

/* Pictures of each class and part: [classes][PARTS]; free it. */
static size_t *count_classes(const train_data *d)
{
    size_t *count = cli_alloc(d->classes, PARTS * sizeof *count);
    for (size_t i = 0; i < d->count; i++) {
        int32_t label = 0;
        scarlet_part part = train_part(d, i, &label);
        count[(size_t)label * PARTS + part]++;
    }
    return count;
}

static void print_text(const train_data *d, const char *path, const size_t *count)
{
    cli_put(stdout, path);
    printf(": %zu pictures of %zu classes\n%10s %10s %10s  class%s\n", d->count, d->classes,
           "train", "validation", "test",
           d->split ? " (the validation part is split off the training pictures)" : "");
    for (size_t c = 0; c < d->classes; c++) {
        char number[16];
        for (int part = 0; part < PARTS; part++)
            printf("%10zu ", count[c * PARTS + (size_t)part]);
        putchar(' ');
        cli_put(stdout, train_class(d, (int32_t)c, number));
        putchar('\n');
    }
    printf("%10zu %10zu %10zu  all\n", d->parts[0], d->parts[1], d->parts[2]);
}

static void name_counts(const train_faults *faults)
{
    size_t broken = 0, pictures = 0;
    int excess = train_faults_excess(faults);
    for (int part = 0; part < PARTS; part++) {
        broken += faults->broken[part];
        pictures += faults->pictures[part];
    }
    if (broken)
        cli_error("%zu of %zu pictures %s broken", broken, pictures, broken == 1 ? "is" : "are");
    if (excess < PARTS)
        cli_error("%zu of %zu in the %s part: more than 5 %% would stop a training",
                  faults->broken[excess], faults->pictures[excess],
                  part_name((scarlet_part)excess));
    if (faults->others)
        cli_error("%zu of the folders and archives cannot be used", faults->others);
}

static void name_faults(const check *c, const twins *found, size_t count)
{
    const train_data *d = c->data;
    for (size_t i = 0; i < c->brokens && i < SHOWN; i++) {
        char *text = fault_text(c->broken[i].name, c->broken[i].reason);
        cli_error("%s", text);
        free(text);
    }
    for (size_t i = 0; i < count && i < SHOWN; i++) {
        int32_t a, b;
        char room_a[16], room_b[16];
        const char *x = part_name(train_part(d, found[i].first, &a));
        const char *y = part_name(train_part(d, found[i].second, &b));
        cli_error("the same picture: %s (%s, %s) and %s (%s, %s)", d->name[found[i].first], x,
                  train_class(d, a, room_a), d->name[found[i].second], y,
                  train_class(d, b, room_b));
    }
    name_counts(&c->faults);
    if (count)
        cli_error("%zu picture%s in different parts or classes at once", count,
                  count == 1 ? " is" : "s are");
}

static void print_json(const check *c, const char *path, const size_t *count, const twins *found,
                       size_t found_count)
{
    const train_data *d = c->data;
    json j = {.out = stdout};
    json_open(&j, '{');
    json_key(&j, "data");
    json_text(&j, path);
    json_key(&j, "classes");
    json_open(&j, '[');
    for (size_t i = 0; i < d->classes; i++) {
        char number[16];
        json_open(&j, '{');
        json_key(&j, "name");
        json_text(&j, train_class(d, (int32_t)i, number));
        for (int part = 0; part < PARTS; part++) {
            json_key(&j, part_name((scarlet_part)part));
            json_integer(&j, (int64_t)count[i * PARTS + (size_t)part]);
        }
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_key(&j, "split");
    json_bool(&j, d->split);
    json_key(&j, "broken");
    json_open(&j, '[');
    for (size_t i = 0; i < c->brokens; i++) {
        json_open(&j, '{');
        json_key(&j, "file");
        json_text(&j, c->broken[i].name);
        json_key(&j, "error");
        json_text(&j, c->broken[i].reason);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_key(&j, "duplicates");
    json_open(&j, '[');
    for (size_t i = 0; i < found_count; i++) {
        json_open(&j, '[');
        json_text(&j, d->name[found[i].first]);
        json_text(&j, d->name[found[i].second]);
        json_close(&j, ']');
    }
    json_close(&j, ']');
    json_close(&j, '}');
    json_end(&j);
}

bool train_check(const train_data *d, const char *path, bool as_json, bool quiet)
{
    check c = {.data = d, .faults = train_data_faults(d)};
    size_t found_count;
    read_all(&c, quiet);
    twins *found = find_twins(&c, &found_count);
    size_t *count = count_classes(d);
    if (as_json)
        print_json(&c, path, count, found, found_count);
    else
        print_text(d, path, count);
    if (!quiet)
        name_faults(&c, found, found_count);
    bool good = !c.brokens && !found_count;
    if (good && !as_json && !quiet)
        puts("No picture is broken, and none is in two parts or classes at once.");
    for (size_t i = 0; i < c.brokens; i++) {
        free(c.broken[i].name);
        free(c.broken[i].reason);
    }
    free(c.broken);
    free(c.prints);
    free(count);
    free(found);
    return good;
}
