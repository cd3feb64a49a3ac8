/* The trainer's refusals and failures: settings, allocations, pictures that do not come, numbers
 * that are not finite. After a failed step all is as before. */
#include <math.h>
#include <string.h>

#include "common/memory.h"
#include "nas/train/trainer.h"
#include "test.h"

static scarlet_error err;
static scarlet__network network;
static size_t calls, fail_at;

static bool gate(size_t size)
{
    (void)size;
    return ++calls != fail_at;
}

static scarlet__trainer_settings settings(void)
{
    return (scarlet__trainer_settings){.network = &network,
                                       .side = 16,
                                       .micro_batch = 2,
                                       .micro_batches = 3,
                                       .threads = 2,
                                       .isa_max = SCARLET_ISA_ANY,
                                       .optimizer = SCARLET__ADAMW,
                                       .beta1 = 0.9,
                                       .beta2 = 0.99,
                                       .epsilon = 1e-8,
                                       .average_decay = 0.9,
                                       .drop = 0.2f};
}

static scarlet__trainer *make(const scarlet__trainer_settings *s)
{
    scarlet__trainer *t = NULL;
    CHECK(scarlet__trainer_create(s, &t, &err) == SCARLET_OK);
    scarlet__trainer_initialise(t, 1);
    return t;
}

/* What goes wrong in which micro-batch. */
enum { NOTHING, NO_PICTURES, NOT_A_NUMBER, FAR_AWAY, STEEP };
typedef struct {
    int index, what;
} fault;

static scarlet_status fetch(void *user, int64_t step, int index, float *pictures, float *targets,
                            scarlet_error *error)
{
    const fault *f = user;
    const scarlet__trainer_settings s = settings();
    const size_t values = (size_t)s.micro_batch * (size_t)(s.side * s.side * 3);
    for (size_t i = 0; i < values; i++)
        pictures[i] = (float)((i + (size_t)step * 31 + (size_t)index) * 7919 % 1009) / 504.5f - 1;
    for (int i = 0; i < s.micro_batch * network.classes; i++)
        targets[i] = i % network.classes == i / network.classes;
    if (index != f->index || f->what == NOTHING)
        return SCARLET_OK;
    if (f->what == NO_PICTURES) {
        *error = (scarlet_error){.status = SCARLET_ERROR_IO};
        snprintf(error->message, sizeof error->message, "the picture is gone");
        return SCARLET_ERROR_IO;
    }
    if (f->what == STEEP) { /* a finite loss whose gradient leaves the range of float32 */
        for (int i = 0; i < s.micro_batch * network.classes; i++)
            targets[i] *= 1e38f;
        memset(pictures, 0, values * sizeof *pictures); /* batch norm enlarges what varies little */
        return SCARLET_OK;
    }
    pictures[values / 2] = f->what == NOT_A_NUMBER ? NAN : 1e30f;
    return SCARLET_OK;
}

/* All states, one after the other; the count. */
static size_t snapshot(const scarlet__trainer *t, float *out)
{
    size_t total = 0;
    for (int state = SCARLET__WEIGHTS; state <= SCARLET__MOMENT_2; state++) {
        for (size_t i = 0; i < scarlet__trainer_tensors(t); i++) {
            scarlet__trainer_tensor tensor = scarlet__trainer_describe(t, i);
            if (state >= SCARLET__MOMENT_1 && tensor.statistic)
                continue;
            if (out)
                scarlet__trainer_read(t, (scarlet__state)state, i, 0, (size_t)tensor.count,
                                      out + total);
            total += (size_t)tensor.count;
        }
    }
    return total;
}

/* Whether the last error is of step 1 and names what is not finite, and of which layer. */
static bool names(const char *rate, const char *what, const char *layer)
{
    char start[160];
    snprintf(start, sizeof start, "step 1, learning rate %s: %s of layer %s", rate, what, layer);
    return strncmp(err.message, start, strlen(start)) == 0 &&
           strstr(err.message, " is not finite; ");
}

static void failed_steps(void)
{
    const scarlet__trainer_settings s = settings();
    scarlet__trainer *t = make(&s), *untouched = make(&s);
    const size_t count = snapshot(t, NULL);
    float *before = malloc(count * sizeof *before), *after = malloc(count * sizeof *after);
    const fault none = {0};
    double loss;
    CHECK(scarlet__trainer_step(t, fetch, (void *)&none, 0.01, &loss, &err) == SCARLET_OK);
    CHECK(scarlet__trainer_step(untouched, fetch, (void *)&none, 0.01, &loss, &err) == SCARLET_OK);
    snapshot(t, before);
    for (int index = 0; index < s.micro_batches; index++) {
        for (int what = NO_PICTURES; what <= STEEP; what++) {
            const fault f = {index, what};
            scarlet_status status = scarlet__trainer_step(t, fetch, (void *)&f, 0.01, &loss, &err);
            CHECK(status != SCARLET_OK);
            if (status == SCARLET_OK)
                continue;
            CHECK(status == err.status);
            if (what == NO_PICTURES)
                CHECK(strcmp(err.message, "the picture is gone") == 0);
            else
                CHECK(names("0.01", what == STEEP ? "the gradient" : "the output",
                            what == STEEP ? "" : "stem"));
            snapshot(t, after);
            CHECK(memcmp(before, after, count * sizeof *before) == 0);
            CHECK(scarlet__trainer_steps(t) == 1);
        }
    }
    /* Rates that leave the range of float32. */
    CHECK(scarlet__trainer_step(t, fetch, (void *)&none, 1e38, &loss, &err) != SCARLET_OK);
    CHECK(names("1e+38", "the update", ""));
    CHECK(scarlet__trainer_step(t, fetch, (void *)&none, NAN, &loss, &err) != SCARLET_OK);
    CHECK(names("nan", "the update", ""));
    snapshot(t, after);
    CHECK(memcmp(before, after, count * sizeof *before) == 0);
    /* And it goes on as if nothing had happened. */
    CHECK(scarlet__trainer_step(t, fetch, (void *)&none, 0.01, &loss, &err) == SCARLET_OK);
    CHECK(scarlet__trainer_step(untouched, fetch, (void *)&none, 0.01, &loss, &err) == SCARLET_OK);
    snapshot(t, before);
    snapshot(untouched, after);
    CHECK(memcmp(before, after, count * sizeof *before) == 0);
    free(before);
    free(after);
    scarlet__trainer_free(t);
    scarlet__trainer_free(untouched);
}

/* Decay that takes weights out of the range of float32. */
static void failed_update(void)
{
    scarlet__trainer_settings s = settings();
    s.weight_decay = 1e20;
    scarlet__trainer *t = make(&s);
    const fault none = {0};
    CHECK(scarlet__trainer_step(t, fetch, (void *)&none, 1e-25, NULL, &err) == SCARLET_OK);
    CHECK(scarlet__trainer_step(t, fetch, (void *)&none, 1e20, NULL, &err) ==
          SCARLET_ERROR_ARGUMENT);
    CHECK(names("1e+20", "a weight", ""));
    scarlet__trainer_free(t);
}

static void refusals(void)
{
    const struct {
        int side, micro_batch, micro_batches;
        unsigned threads;
        float drop;
    } wrong[] = {{-2, 2, 1, 1, 0},   {0, 2, 1, 1, 0},  {8192, 2, 1, 1, 0},
                 {16, 0, 1, 1, 0},   {16, 2, 0, 1, 0}, {16, 2, 1, 0, 0},
                 {16, 2, 1, 257, 0}, {16, 2, 1, 1, 1}, {4, 1, 1, 1, 0} /* maps of one pixel */,
                 {16, 2, 1, 1, NAN}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        scarlet__trainer_settings s = settings();
        scarlet__trainer *t;
        s.side = wrong[i].side;
        s.micro_batch = wrong[i].micro_batch;
        s.micro_batches = wrong[i].micro_batches;
        s.threads = wrong[i].threads;
        s.drop = wrong[i].drop;
        CHECK(scarlet__trainer_create(&s, &t, &err) == SCARLET_ERROR_ARGUMENT);
        CHECK(!t && err.status == SCARLET_ERROR_ARGUMENT && err.message[0]);
        CHECK(scarlet__trainer_memory(&s) == -1);
    }
}

static void allocations(void)
{
    const scarlet__trainer_settings s = settings();
    const int64_t memory = scarlet__trainer_memory(&s);
    bool done = false;
    CHECK(memory > 0);
    scarlet__alloc_gate = gate;
    for (fail_at = 1; !done && fail_at < 100; fail_at++) {
        scarlet__trainer *t;
        calls = 0;
        done = scarlet__trainer_create(&s, &t, &err) == SCARLET_OK;
        if (done)
            scarlet__trainer_free(t);
        else
            CHECK(!t && err.status == SCARLET_ERROR_MEMORY);
        calls = 0;
        const int64_t found = scarlet__trainer_memory(&s);
        CHECK(found == memory || found == -1);
    }
    CHECK(done);
    scarlet__alloc_gate = NULL;
}

int main(void)
{
    scarlet__genotype genotype;
    scarlet__space space;
    if (scarlet__space_parse("stem=16 tail=40 layers=16:2,24:2", &space, &err) != SCARLET_OK ||
        scarlet__genotype_parse("e3k3se,e3k5", &genotype, &err) != SCARLET_OK ||
        scarlet__network_build(&space, &genotype, 3, &network, &err) != SCARLET_OK)
        return 2;
    refusals();
    allocations();
    failed_steps();
    failed_update();
    return test_result();
}
