/* The checkpoint of a training: what is accepted is sane, and can be written and read again. Once
 * more with an allocation that fails. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/memory.h"
#include "fuzz.h"
#include "nas/train/checkpoint.h"

/* As small as networks come; seeds_nas.py has the same. */
static scarlet__trainer *small_trainer(void)
{
    static scarlet__trainer *trainer;
    static scarlet__network network;
    scarlet__space space;
    scarlet__genotype genotype;
    if (trainer)
        return trainer;
    MUST(scarlet__space_parse("stem=2 tail=1 layers=1:2", &space, NULL) == SCARLET_OK &&
         scarlet__genotype_parse("e3k3", &genotype, NULL) == SCARLET_OK &&
         scarlet__network_build(&space, &genotype, 2, &network, NULL) == SCARLET_OK);
    const scarlet__trainer_settings settings = {
        .network = &network,
        .side = 16,
        .micro_batch = 4,
        .micro_batches = 1,
        .threads = 1,
        .isa_max = SCARLET_ISA_PORTABLE,
        .optimizer = SCARLET__SGD,
    };
    MUST(scarlet__trainer_create(&settings, &trainer, NULL) == SCARLET_OK);
    return trainer;
}

static bool same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static void again(const scarlet__progress *p, const scarlet__trainer *trainer)
{
    char path[64];
    scarlet__checkpoint *c;
    scarlet__progress q;
    snprintf(path, sizeof path, "/tmp/scarlet-fuzz-%ld", (long)getpid());
    MUST(scarlet__checkpoint_write(path, trainer, p, NULL) == SCARLET_OK);
    MUST(scarlet__checkpoint_open(path, &c, &q, NULL) == SCARLET_OK);
    MUST(p->step == q.step && p->steps == q.steps && p->epoch == q.epoch && p->data == q.data &&
         p->best_epoch == q.best_epoch && p->finished == q.finished && same(p->loss, q.loss) &&
         same(p->best, q.best) && strcmp(p->rows, q.rows) == 0 &&
         !scarlet__train_differs(p->options, q.options));
    scarlet__progress_clear(&q);
    scarlet__checkpoint_close(c);
    unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { ALLOCATIONS = 200 };
    scarlet__checkpoint *c;
    scarlet__progress p;
    scarlet_error err;
    scarlet__trainer *trainer = small_trainer();
    scarlet_status status = scarlet__checkpoint_open(fuzz_file(0, data, size), &c, &p, &err);
    MUST((status == SCARLET_OK) == (c != NULL) && (c || (!p.options && !p.rows)));
    MUST(c || (err.status == status && memchr(err.message, '\0', sizeof err.message)));
    if (c) {
        MUST(p.step >= 0 && p.epoch >= 0 && p.best_epoch >= 0 && isfinite(p.loss));
        if (scarlet__checkpoint_load(c, trainer, &err) == SCARLET_OK)
            again(&p, trainer);
    }
    scarlet__progress_clear(&p);
    scarlet__checkpoint_close(c);
    fuzz_starve(fuzz_pick(data, size, ALLOCATIONS));
    scarlet_status starved = scarlet__checkpoint_open(fuzz_file(0, data, size), &c, &p, NULL);
    fuzz_starve(0);
    MUST(starved == status || starved == SCARLET_ERROR_MEMORY);
    scarlet__progress_clear(&p);
    scarlet__checkpoint_close(c);
    return 0;
}
