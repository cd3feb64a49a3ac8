/*
 * Answers requests about data/, for comparison with Pillow, torchvision and a random generator
 * written in Python.
 *
 * Request, a line on stdin, fields separated by tabs:
 *   bits SEED PURPOSE EPOCH ITEM COUNT          uint64
 *   below SEED PURPOSE EPOCH ITEM N COUNT       uint32
 *   beta SEED ITEM ALPHA COUNT                  float64
 *   real FUNCTION X                             float64; exp, log or cos of pi X
 *   rate COURSE PEAK LEAST WARM STEPS PERIOD FALL STEP     float64
 *   augment PATH SEED EPOCH ITEM RECIPE         float32 [side][side][3]
 *   split IMAGES LABELS CLASSES FRACTION SEED   uint8, the part of each picture
 *   order IMAGES LABELS CLASSES LOADER EPOCH    uint32, the pictures of an epoch
 *   fetch IMAGES LABELS CLASSES LOADER STEP INDEX     float32 pictures, then targets
 * RECIPE: side resize crop scale scale ratio ratio hflip vflip reprob jitter trivial,
 * separated by spaces.
 * LOADER: micro_batch micro_batches seed smoothing mixup cutmix weights balanced side. weights: 1
 * balanced, 2 those of the dataset (1, 2, 3 ...), 3 both.
 * Answer on stdout: int32 status, uint32 length in bytes, the bytes; or the text of the error.
 */
#include <inttypes.h>

#include "common/memory.h"
#include "nas/data/loader.h"
#include "nas/real.h"
#include "nas/train/schedule.h"
#include "test.h"

enum { FIELDS = 16 };
static char *field[FIELDS];
static size_t fields;

static void split_line(char *line)
{
    line[strcspn(line, "\n")] = '\0';
    fields = 0;
    for (char *p = line; p && fields < FIELDS; fields++) {
        field[fields] = p;
        p = strchr(p, '\t');
        if (p)
            *p++ = '\0';
    }
}

static uint64_t number(size_t i)
{
    return i < fields ? strtoull(field[i], NULL, 10) : 0;
}

static void answer(scarlet_status status, const void *data, size_t size)
{
    int32_t head[2] = {status, (int32_t)size};
    fwrite(head, sizeof head, 1, stdout);
    fwrite(data, 1, size, stdout);
    fflush(stdout);
}

static void answer_error(const scarlet_error *err)
{
    answer((scarlet_status)err->status, err->message, strlen(err->message));
}

static void *room(size_t size)
{
    void *block = calloc(size ? size : 1, 1);
    if (!block)
        exit(2);
    return block;
}

static void draw(void)
{
    bool below = strcmp(field[0], "below") == 0;
    scarlet__random r = scarlet__random_at(number(1), number(2), number(3), number(4));
    size_t count = number(below ? 6 : 5);
    uint64_t *bits = room(count * sizeof *bits);
    uint32_t *values = room(count * sizeof *values);
    for (size_t i = 0; i < count; i++)
        if (below)
            values[i] = scarlet__random_below(&r, (uint32_t)number(5));
        else
            bits[i] = scarlet__random_bits(&r);
    if (below)
        answer(SCARLET_OK, values, count * sizeof *values);
    else
        answer(SCARLET_OK, bits, count * sizeof *bits);
    free(bits);
    free(values);
}

static double real(size_t i)
{
    return i < fields ? strtod(field[i], NULL) : 0;
}

static void compute(void)
{
    double x = real(2), y = strcmp(field[1], "exp") == 0   ? scarlet__real_exp(x)
                            : strcmp(field[1], "log") == 0 ? scarlet__real_log(x)
                                                           : scarlet__real_cos_pi(x);
    answer(SCARLET_OK, &y, sizeof y);
}

static void rate(void)
{
    const scarlet__schedule s = {
        .course = (scarlet__course)number(1),
        .peak = real(2),
        .least = real(3),
        .warm_up = (int64_t)number(4),
        .steps = (int64_t)number(5),
        .period = real(6),
        .fall = real(7),
        .warm_share = real(8),
    };
    double x = scarlet__schedule_rate(&s, (int64_t)number(9));
    answer(SCARLET_OK, &x, sizeof x);
}

static void beta(void)
{
    scarlet__random r = scarlet__random_at(number(1), SCARLET__RANDOM_MIX, 0, number(2));
    size_t count = number(4);
    double *values = room(count * sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = scarlet__random_beta(&r, strtod(field[3], NULL));
    answer(SCARLET_OK, values, count * sizeof *values);
    free(values);
}

static scarlet_options *normalization(int side)
{
    scarlet_options *opts = scarlet_options_create();
    scarlet_options_set(opts, SCARLET_OPT_CROP, side, NULL);
    scarlet_options_set(opts, SCARLET_OPT_RESIZE, side, NULL);
    scarlet_options_set(opts, SCARLET_OPT_LAYOUT, SCARLET_LAYOUT_NHWC, NULL);
    return opts;
}

static void augment(void)
{
    scarlet__recipe r = {0};
    int crop = 0, trivial = 0;
    scarlet_error err;
    scarlet_image *image = NULL;
    if (sscanf(field[5], "%d %d %d %lf %lf %lf %lf %lf %lf %lf %lf %d", &r.side, &r.resize, &crop,
               &r.scale[0], &r.scale[1], &r.ratio[0], &r.ratio[1], &r.hflip, &r.vflip, &r.reprob,
               &r.color_jitter, &trivial) != 12)
        exit(2);
    r.crop = crop;
    r.trivial = trivial;
    size_t count = (size_t)r.side * (size_t)r.side * 3;
    uint8_t *scratch = room(count);
    float *out = room(count * sizeof *out);
    scarlet_options *opts = normalization(r.side);
    scarlet__random random =
        scarlet__random_at(number(2), SCARLET__RANDOM_AUGMENT, number(3), number(4));
    if (scarlet_image_load(field[1], NULL, &image, &err) == SCARLET_OK &&
        scarlet__augment(&r, image, opts, random, scratch, out, &err) == SCARLET_OK)
        answer(SCARLET_OK, out, count * sizeof *out);
    else
        answer_error(&err);
    scarlet_image_free(image);
    scarlet_options_free(opts);
    free(scratch);
    free(out);
}

static bool given_weights;

static scarlet__loader_settings settings_of(const char *text)
{
    scarlet__loader_settings s = {.mean = {0.5f, 0.25f, 0}, .std = {1, 0.5f, 0.25f}};
    int weights, balanced;
    if (sscanf(text, "%d %d %" SCNu64 " %lf %lf %lf %d %d %d", &s.micro_batch, &s.micro_batches,
               &s.seed, &s.smoothing, &s.mixup, &s.cutmix, &weights, &balanced,
               &s.recipe.side) != 9)
        exit(2);
    s.class_weights = weights & 1;
    given_weights = weights & 2;
    s.balanced = balanced;
    s.recipe.resize = s.recipe.side;
    return s;
}

static void answer_parts(const scarlet_dataset *d)
{
    uint8_t *parts = room(d->count);
    for (size_t i = 0; i < d->count; i++)
        parts[i] = (uint8_t)d->sample[i].part;
    answer(SCARLET_OK, parts, d->count);
    free(parts);
}

static void answer_order(scarlet__loader *loader, const scarlet_dataset *d)
{
    uint32_t *order = room(d->count * sizeof *order);
    for (size_t i = 0; i < d->count; i++)
        order[i] = scarlet__loader_order(loader, i);
    answer(SCARLET_OK, order, d->count * sizeof *order);
    free(order);
}

static void answer_batch(scarlet__loader *loader, const scarlet__loader_settings *s,
                         const scarlet_dataset *d)
{
    size_t n = (size_t)s->micro_batch, side = (size_t)s->recipe.side;
    size_t pixels = n * side * side * 3, targets = n * (size_t)d->classes;
    float *out = room((pixels + targets) * sizeof *out);
    scarlet_error err;
    if (scarlet__loader_fetch(loader, (int64_t)number(5), (int)number(6), out, out + pixels,
                              &err) == SCARLET_OK)
        answer(SCARLET_OK, out, (pixels + targets) * sizeof *out);
    else
        answer_error(&err);
    free(out);
}

static void with_dataset(void)
{
    scarlet_dataset *d = NULL;
    scarlet__pictures *pictures = NULL;
    scarlet__loader *loader = NULL;
    scarlet_error err;
    if (scarlet_dataset_create((int32_t)number(3), NULL, &d, &err) != SCARLET_OK ||
        scarlet_dataset_add_idx(d, field[1], field[2], SCARLET_PART_TRAIN, &err) != SCARLET_OK) {
        answer_error(&err);
    } else if (strcmp(field[0], "split") == 0) {
        scarlet_dataset_split(d, strtod(field[4], NULL), number(5), &err);
        answer_parts(d);
    } else {
        scarlet__loader_settings s = settings_of(field[4]);
        s.dataset = d;
        float weights[256];
        for (int c = 0; c < 256; c++)
            weights[c] = (float)(c + 1);
        if (given_weights)
            scarlet_dataset_set_class_weights(d, weights, (size_t)d->classes, &err);
        scarlet_status status =
            scarlet__pictures_create(d, scarlet_options_create(), 0, &pictures, &err);
        s.pictures = pictures;
        if (status == SCARLET_OK)
            status = scarlet__loader_create(&s, &loader, &err);
        if (status == SCARLET_OK) {
            bool fetch = strcmp(field[0], "fetch") == 0;
            int64_t given = (int64_t)number(5);
            scarlet__loader_begin(loader, fetch ? given / scarlet__loader_steps(loader) : given);
            if (fetch)
                answer_batch(loader, &s, d);
            else
                answer_order(loader, d);
        } else {
            answer_error(&err);
        }
    }
    scarlet__loader_free(loader);
    scarlet__pictures_free(pictures);
    scarlet_dataset_free(d);
}

int main(void)
{
    static char line[8192];
    while (fgets(line, sizeof line, stdin)) {
        split_line(line);
        if (strcmp(field[0], "bits") == 0 || strcmp(field[0], "below") == 0)
            draw();
        else if (strcmp(field[0], "beta") == 0)
            beta();
        else if (strcmp(field[0], "real") == 0)
            compute();
        else if (strcmp(field[0], "rate") == 0)
            rate();
        else if (strcmp(field[0], "augment") == 0)
            augment();
        else
            with_dataset();
    }
    return 0;
}
