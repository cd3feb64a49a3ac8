/* The truth: networks trained alone, one after another. */
#include "bench.h"

#include <inttypes.h>

enum { EPOCHS = 6 };

static scarlet_train_options *options_for(const task *t, const networks *n, int index, int seed)
{
    scarlet_train_options *opts = scarlet_train_options_create();
    scarlet_error err;
    char widths[256];
    if (!opts)
        fail("no memory");
    set_protocol(opts, t->epochs ? t->epochs : EPOCHS, seed);
    must(scarlet_train_options_set(opts, "clip-grad", "0", &err), &err);
    must(scarlet_train_options_set(opts, "arch", n->item[index], &err), &err);
    if (sscanf(scarlet_space_text(n->space), "space %255[^\n]", widths) != 1)
        fail("the space has no widths");
    must(scarlet_train_options_set(opts, "space", widths, &err), &err);
    return opts;
}

static void train(const task *t, const networks *n, const pictures *p, int index, int seed,
                  journal *j, const char *key)
{
    scarlet_train_options *opts = options_for(t, n, index, seed);
    scarlet_trainer *trainer;
    scarlet_error err;
    int64_t macs, parameters;
    double begin = cpu_seconds();
    must(scarlet_space_costs(n->space, n->item[index], &macs, &parameters, &err), &err);
    must(scarlet_trainer_create(p->dataset, opts, NULL, &trainer, &err), &err);
    must(scarlet_trainer_run(trainer, &err), &err);
    double loss = scarlet_trainer_get(trainer, SCARLET_TRAIN_INFO_TRAIN_LOSS), trained[2],
           tested[2];
    static const scarlet_train_info info[2] = {SCARLET_TRAIN_INFO_EVAL_LOSS,
                                               SCARLET_TRAIN_INFO_TOP1};
    for (int i = 0; i < 2; i++) /* the last epoch was evaluated at its end */
        trained[i] = scarlet_trainer_get(trainer, info[i]);
    must(scarlet_trainer_evaluate(trainer, SCARLET_PART_TEST, &err), &err);
    for (int i = 0; i < 2; i++)
        tested[i] = scarlet_trainer_get(trainer, info[i]);
    journal_add(j, key, "\"%s\",%" PRId64 ",%" PRId64 ",%.17g,%.17g,%.4f,%.17g,%.4f,%.1f",
                n->item[index], macs, parameters, loss, trained[0], trained[1], tested[0],
                tested[1], cpu_seconds() - begin);
    scarlet_trainer_free(trainer);
    scarlet_train_options_free(opts);
}

void truth(const task *t)
{
    networks n;
    pictures p;
    journal j;
    journal_open(&j, t, "truth", 2,
                 "seed,index,genotype,macs,parameters,train_loss,validation_loss,validation_top1,"
                 "test_loss,test_top1,cpu_seconds");
    networks_load(&n, t->space);
    pictures_load(&p, t->data, t->pictures, PROBE_TEST);
    int done = 0;
    for (int seed = t->first_seed; seed <= t->last_seed; seed++)
        for (int place = 0; place < n.count; place++) {
            char key[32];
            int index = networks_at(&n, place);
            snprintf(key, sizeof key, "%d,%d", seed, index);
            if (place % t->shards != t->shard || (t->only >= 0 && index != t->only) ||
                (seed > 2 && !networks_thrice(index)) || journal_has(&j, key) ||
                (t->most && done == t->most))
                continue;
            train(t, &n, &p, index, seed, &j, key);
            done++;
        }
    pictures_free(&p);
    networks_free(&n);
    journal_close(&j);
}
