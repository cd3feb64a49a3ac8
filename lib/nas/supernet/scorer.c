#include "nas/supernet/scorer.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include "common/cpu.h"
#include "common/error.h"
#include "common/host.h"
#include "common/memory.h"
#include "nas/data/digest.h"
#include "nas/real.h"
#include "nas/train/crew.h"

/* Pictures that are kept as the network reads them, if they are not too many. */
enum { KEPT_MAX = 1 << 30 /* bytes of a part */ };

typedef struct frames {
    uint32_t *index; /* of the dataset's pictures */
    size_t count;
    float *kept;  /* the first of them, [side][side][3] each; others are made anew each time */
    size_t ready; /* how many are kept */
} frames;

struct scarlet__scorer {
    const scarlet_supernet *supernet;
    scarlet_options *normalization;
    frames part[SCARLET__PARTS];
    float *memory;
    size_t bytes;
    float **batch; /* a thread's pictures */
    scarlet__track *track;
    /* What runs at present. */
    const scarlet__runner *runner;
    const frames *from;
    size_t batches, pictures;
    atomic_size_t next;
    float *statistics; /* [batch][statistics] */
    double *loss;      /* [batch] */
    int64_t *right;    /* [batch] */
    float *logits;
    atomic_bool failed;
    scarlet_status status;
    scarlet_error error;
    atomic_flag reported;
};

/* ---- pictures ---- */

static size_t floats_of_picture(const scarlet__scorer *s)
{
    const size_t side = (size_t)s->supernet->space->input_size;
    return side * side * 3;
}

static scarlet_status make_picture(const scarlet__scorer *s, uint32_t index, float *out,
                                   scarlet_error *err)
{
    const scarlet_image *image;
    scarlet_status status = scarlet__pictures_take(s->supernet->pictures, index, &image, err);
    if (status != SCARLET_OK)
        return status;
    status = scarlet_preprocess(image, s->normalization, out, floats_of_picture(s), err);
    scarlet__pictures_give_back(s->supernet->pictures, index, image);
    return status;
}

/* Keeps the first pictures of a part, if there is room. */
static scarlet_status keep(scarlet__scorer *s, frames *f, size_t count, scarlet_error *err)
{
    const size_t each = floats_of_picture(s);
    if (f->ready >= count || count > KEPT_MAX / sizeof(float) / each)
        return SCARLET_OK;
    float *kept = scarlet__realloc(f->kept, count * each, sizeof *kept);
    if (!kept)
        return scarlet__fail_memory(err);
    f->kept = kept;
    for (; f->ready < count; f->ready++) {
        scarlet_status status = make_picture(s, f->index[f->ready], kept + f->ready * each, err);
        if (status != SCARLET_OK)
            return status;
    }
    return SCARLET_OK;
}

/* Points a track at a batch. */
static scarlet_status load(scarlet__scorer *s, size_t batch, unsigned member, scarlet__track *t,
                           scarlet_error *err)
{
    const size_t each = floats_of_picture(s), first = batch * SCARLET__SCORE_BATCH;
    size_t count = s->pictures - first;
    count = count < SCARLET__SCORE_BATCH ? count : SCARLET__SCORE_BATCH;
    t->passage.x[0] = s->batch[member];
    if (first + SCARLET__SCORE_BATCH <= s->from->ready) {
        t->passage.x[0] = s->from->kept + first * each;
        return SCARLET_OK;
    }
    for (size_t i = 0; i < count; i++) {
        float *out = s->batch[member] + i * each;
        if (first + i < s->from->ready)
            memcpy(out, s->from->kept + (first + i) * each, each * sizeof *out);
        else if (make_picture(s, s->from->index[first + i], out, err) != SCARLET_OK)
            return err->status;
    }
    return SCARLET_OK;
}

/* ---- making ---- */

static void lay_out(scarlet__scorer *s, scarlet__carver *arena)
{
    const scarlet_supernet *net = s->supernet;
    for (unsigned i = 0; i < net->threads; i++) {
        scarlet__track *t = &s->track[i];
        s->batch[i] = scarlet__carve(arena, SCARLET__SCORE_BATCH * floats_of_picture(s));
        scarlet__track_carve(&net->net, SCARLET__SCORE_BATCH, false, arena, t);
        t->passage.pass.kernels =
            scarlet__training_kernels_for(scarlet__cpu_isa(net->fair.settings.isa_max));
    }
}

static scarlet_status normalize(scarlet__scorer *s, scarlet_error *err)
{
    const scarlet_train_options *opts = s->supernet->options;
    double mean[3], std[3];
    float mean_f[3], std_f[3];
    scarlet__train_numbers(opts, SCARLET_TRAIN_MEAN, mean);
    scarlet__train_numbers(opts, SCARLET_TRAIN_STD, std);
    for (int c = 0; c < 3; c++) {
        mean_f[c] = (float)mean[c];
        std_f[c] = (float)std[c];
    }
    s->normalization = scarlet_options_create();
    if (!s->normalization)
        return scarlet__fail_memory(err);
    scarlet_status status = scarlet_options_set(s->normalization, SCARLET_OPT_CROP,
                                                s->supernet->space->input_size, err);
    if (status == SCARLET_OK)
        status =
            scarlet_options_set(s->normalization, SCARLET_OPT_RESIZE,
                                (int64_t)scarlet__train_number(opts, SCARLET_TRAIN_RESIZE), err);
    if (status == SCARLET_OK)
        status =
            scarlet_options_set(s->normalization, SCARLET_OPT_LAYOUT, SCARLET_LAYOUT_NHWC, err);
    if (status == SCARLET_OK)
        status = scarlet_options_set_normalization(s->normalization, mean_f, std_f, err);
    return status;
}

static scarlet_status make(scarlet__scorer *s, scarlet_error *err)
{
    const scarlet_supernet *net = s->supernet;
    for (int part = 0; part < SCARLET__PARTS; part++) {
        frames *f = &s->part[part];
        f->index = scarlet__dataset_part(net->dataset, (scarlet_part)part, &f->count);
        if (!f->index)
            return scarlet__fail_memory(err);
    }
    if (s->part[SCARLET_PART_TRAIN].count < SCARLET__SCORE_BATCH)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                             "%zu training pictures are too few: batch norm needs %d at least",
                             s->part[SCARLET_PART_TRAIN].count, SCARLET__SCORE_BATCH);
    s->batch = scarlet__calloc(net->threads, sizeof *s->batch);
    s->track = scarlet__calloc(net->threads, sizeof *s->track);
    if (!s->batch || !s->track)
        return scarlet__fail_memory(err);
    scarlet__carver arena = {0};
    lay_out(s, &arena);
    s->bytes = arena.used * sizeof(float);
    s->memory = scarlet__pages_alloc(s->bytes);
    if (!s->memory)
        return scarlet__fail_memory(err);
    arena = (scarlet__carver){.at = s->memory};
    lay_out(s, &arena);
    return normalize(s, err);
}

scarlet_status scarlet__scorer_get(scarlet_supernet *supernet, scarlet__scorer **out,
                                   scarlet_error *err)
{
    *out = supernet->scorer;
    if (*out)
        return SCARLET_OK;
    scarlet__scorer *s = scarlet__calloc(1, sizeof *s);
    if (!s)
        return scarlet__fail_memory(err);
    s->supernet = supernet;
    scarlet_status status = make(s, err);
    if (status == SCARLET_OK)
        *out = supernet->scorer = s;
    else
        scarlet__scorer_free(s);
    return status;
}

void scarlet__scorer_free(scarlet__scorer *s)
{
    if (!s)
        return;
    for (int part = 0; part < SCARLET__PARTS; part++) {
        scarlet__free(s->part[part].index);
        scarlet__free(s->part[part].kept);
    }
    if (s->memory)
        scarlet__pages_free(s->memory, s->bytes);
    scarlet_options_free(s->normalization);
    scarlet__free(s->batch);
    scarlet__free(s->track);
    scarlet__free(s);
}

/* ---- running ---- */

/* Loss and logits of a batch of `count` pictures of the part, the first being number `first`. */
static void judge(scarlet__scorer *s, const scarlet__track *t, size_t batch)
{
    const size_t first = batch * SCARLET__SCORE_BATCH;
    const size_t plane = scarlet__plane(SCARLET__SCORE_BATCH);
    const int classes = s->supernet->space->classes;
    const float *values = t->passage.x[t->graph.count];
    for (size_t i = 0; i < SCARLET__SCORE_BATCH && first + i < s->pictures; i++) {
        const float *logit = values + i * SCARLET__LANES;
#define AT(c) logit[(size_t)(c) / SCARLET__LANES * plane + (size_t)(c) % SCARLET__LANES]
        const int label = s->supernet->dataset->sample[s->from->index[first + i]].label;
        int best = 0;
        double sum = 0;
        for (int c = 1; c < classes; c++)
            best = AT(c) > AT(best) ? c : best;
        for (int c = 0; c < classes; c++) {
            sum += scarlet__real_exp((double)AT(c) - (double)AT(best));
            if (s->logits)
                s->logits[(first + i) * (size_t)classes + (size_t)c] = AT(c);
        }
        s->loss[batch] += scarlet__real_log(sum) + (double)AT(best) - (double)AT(label);
        s->right[batch] += best == label;
#undef AT
    }
}

static void take_batches(void *user, unsigned member)
{
    scarlet__scorer *s = user;
    scarlet__track *t = &s->track[member];
    const scarlet__runner *r = s->runner;
    const scarlet__host host = scarlet__host_enter();
    for (size_t batch; (batch = atomic_fetch_add(&s->next, 1)) < s->batches;) {
        scarlet_error error = {0};
        if (atomic_load(&s->failed))
            break;
        if (load(s, batch, member, t, &error) != SCARLET_OK) {
            if (!atomic_flag_test_and_set(&s->reported)) {
                s->error = error;
                s->status = (scarlet_status)error.status;
            }
            atomic_store(&s->failed, true);
            break;
        }
#if defined(__x86_64__)
        _mm_setcsr(0x9FC0); /* denormals are 0, as in training */
#endif
        scarlet__track_take(r->net, r->weights, &r->path, t);
        t->passage.pass.running_only = !s->statistics;
        if (s->statistics)
            t->passage.pass.statistics = s->statistics + batch * r->net->path_statistics;
        else
            t->passage.pass.running = r->running;
        scarlet__graph_forward(&t->graph, &t->passage);
        if (!s->statistics)
            judge(s, t, batch);
    }
    scarlet__host_leave(&host);
}

static scarlet_status run(scarlet__scorer *s, const scarlet__runner *runner, scarlet_part part,
                          size_t pictures, scarlet_error *err)
{
    frames *f = &s->part[part];
    scarlet_status status = keep(s, f, pictures, err);
    if (status != SCARLET_OK)
        return status;
    s->runner = runner;
    s->from = f;
    s->pictures = pictures;
    s->batches = (pictures + SCARLET__SCORE_BATCH - 1) / SCARLET__SCORE_BATCH;
    s->status = SCARLET_OK;
    atomic_store(&s->next, 0);
    atomic_store(&s->failed, false);
    atomic_flag_clear(&s->reported);
    scarlet__crew_run(s->supernet->threads, take_batches, s);
    if (s->status != SCARLET_OK && err)
        *err = s->error;
    return s->status;
}

scarlet_status scarlet__scorer_measure(scarlet__scorer *s, const scarlet__runner *runner,
                                       scarlet_error *err)
{
    const size_t count = runner->net->path_statistics;
    size_t batches = s->part[SCARLET_PART_TRAIN].count / SCARLET__SCORE_BATCH;
    batches = batches < SCARLET__SCORE_BATCHES ? batches : SCARLET__SCORE_BATCHES;
    s->statistics = scarlet__calloc(batches * count, sizeof *s->statistics);
    if (!s->statistics)
        return scarlet__fail_memory(err);
    scarlet_status status = run(s, runner, SCARLET_PART_TRAIN, batches * SCARLET__SCORE_BATCH, err);
    for (size_t i = 0; status == SCARLET_OK && i < count; i++) {
        double sum = 0;
        for (size_t batch = 0; batch < batches; batch++)
            sum += (double)s->statistics[batch * count + i];
        runner->running[i] = (float)(sum / (double)batches);
    }
    scarlet__free(s->statistics);
    s->statistics = NULL;
    return status;
}

scarlet_status scarlet__scorer_classify(scarlet__scorer *s, const scarlet__runner *runner,
                                        scarlet_part part, size_t most, scarlet_score *score,
                                        float *logits, scarlet_error *err)
{
    const size_t pictures = s->part[part].count < most ? s->part[part].count : most;
    const size_t batches = (pictures + SCARLET__SCORE_BATCH - 1) / SCARLET__SCORE_BATCH;
    if (!pictures)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "the dataset has no pictures to score");
    s->loss = scarlet__calloc(batches, sizeof *s->loss);
    s->right = scarlet__calloc(batches, sizeof *s->right);
    s->logits = logits;
    scarlet_status status =
        s->loss && s->right ? run(s, runner, part, pictures, err) : scarlet__fail_memory(err);
    *score = (scarlet_score){.pictures = (int64_t)pictures};
    for (size_t i = 0; status == SCARLET_OK && i < batches; i++) {
        score->cross_entropy += s->loss[i];
        score->top1 += (double)s->right[i];
    }
    score->cross_entropy /= (double)pictures;
    score->top1 /= (double)pictures;
    scarlet__free(s->loss);
    scarlet__free(s->right);
    s->loss = NULL;
    s->right = NULL;
    s->logits = NULL;
    return status;
}

scarlet_status scarlet__scorer_infer(scarlet__scorer *s, const void *file, size_t size,
                                     size_t count, float *logits, scarlet_error *err)
{
    const size_t classes = (size_t)s->supernet->space->classes;
    scarlet_options *opts = scarlet_options_create();
    scarlet_model *model = NULL;
    scarlet_session *session = NULL;
    scarlet_status status = opts ? SCARLET_OK : scarlet__fail_memory(err);
    if (status == SCARLET_OK)
        status = scarlet_options_set(opts, SCARLET_OPT_LAYOUT, SCARLET_LAYOUT_NHWC, err);
    if (status == SCARLET_OK)
        status = scarlet_model_load_memory(file, size, NULL, &model, err);
    if (status == SCARLET_OK)
        status = scarlet_session_create(model, opts, &session, err);
    for (size_t i = 0; status == SCARLET_OK && i < count; i++) {
        size_t length;
        float *input = scarlet_session_input(session, &length);
        status = make_picture(s, s->part[SCARLET_PART_TRAIN].index[i], input, err);
        if (status == SCARLET_OK)
            status = scarlet_infer(session, input, length, 1, logits + i * classes, classes, err);
    }
    scarlet_session_free(session);
    scarlet_model_free(model);
    scarlet_options_free(opts);
    return status;
}

/* ---- public ---- */

scarlet_status scarlet_supernet_score(scarlet_supernet *s, const char *genotype, scarlet_part part,
                                      scarlet_score *score, scarlet_error *err)
{
    if (!s || !genotype || !score || part < SCARLET_PART_TRAIN || part > SCARLET_PART_TEST)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "an argument is NULL or no part");
    scarlet__host host = scarlet__host_enter();
    scarlet__runner runner = {.net = &s->net, .weights = s->fair.weights};
    scarlet__scorer *scorer;
    scarlet_status status = scarlet__path_parse(s->space, genotype, &runner.path, err);
    if (status == SCARLET_OK)
        status = scarlet__scorer_get(s, &scorer, err);
    if (status == SCARLET_OK) {
        runner.running = scarlet__alloc(s->net.path_statistics, sizeof *runner.running);
        status = runner.running ? scarlet__scorer_measure(scorer, &runner, err)
                                : scarlet__fail_memory(err);
        if (status == SCARLET_OK)
            status = scarlet__scorer_classify(scorer, &runner, part, SIZE_MAX, score, NULL, err);
        if (status == SCARLET_OK)
            score->statistics =
                scarlet__digest(0, runner.running, s->net.path_statistics * sizeof *runner.running);
        scarlet__free(runner.running);
    }
    scarlet__host_leave(&host);
    return status;
}
