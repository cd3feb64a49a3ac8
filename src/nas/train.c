/* scarlet train: from a folder of pictures to a classifier. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/interrupt.h"
#include "common/json_write.h"
#include "common/message.h"
#include "common/model.h"
#include "common/status.h"
#include "nas.h"
#include "pictures/kind.h"
#include "pictures/thumbnail.h"
#include "report/statistics.h"
#include "train_check.h"
#include "train_data.h"
#include "train_options.h"
#include "train_page.h"
#include "train_progress.h"
#include "train_score.h"

enum { FEW = 5000 /* training pictures */ };

typedef struct training {
    const cli_command *command;
    train_request q;
    train_data data;
    scarlet_trainer *trainer;
} training;

static double number(const scarlet_train_options *opts, scarlet_train_option key)
{
    double value = NAN;
    scarlet_train_options_get(opts, key, &value, 1, NULL);
    return value;
}

/* Wrong options are a usage error. */
static _Noreturn void fail(const training *t, const scarlet_error *err)
{
    if (err->status == SCARLET_ERROR_ARGUMENT)
        cli_usage(t->command, "%s", err->message);
    cli_error("%s", err->message);
    exit(INPUT_FAILED);
}

static char *in_folder(const training *t, const char *name)
{
    return cli_format("%s/%s", t->q.output, name);
}

/* ---- before the training ---- */

/* Names what the data contain that cannot be used; ends the program if that is too much. */
static void judge_data(const training *t)
{
    const train_data *d = &t->data;
    for (size_t i = 0; i < d->unusables; i++) {
        char *text = fault_text(d->unusable[i].name, d->unusable[i].reason);
        cli_error("%s; it is left out", text);
        free(text);
    }
    train_faults faults = train_data_faults(d);
    int part = train_faults_excess(&faults);
    if (part < PARTS)
        cli_refuse(t->q.data, "%zu of %zu pictures of the %s part cannot be read, more than 5 %%",
                   faults.broken[part], faults.pictures[part], part_name((scarlet_part)part));
    bool scratch = !*scarlet_train_options_text(t->q.options, SCARLET_TRAIN_INITIAL_CHECKPOINT);
    if (scratch && d->parts[SCARLET_PART_TRAIN] < FEW && !t->q.quiet)
        cli_error(
            "%zu training pictures are few to train from scratch: expect a model that errs often. "
            "With --initial-checkpoint FILE, of a model trained on ImageNet, the same pictures "
            "give a far better one, and faster",
            d->parts[SCARLET_PART_TRAIN]);
}

static void make_folder(const training *t)
{
    if (mkdir(t->q.output, 0777) == 0)
        return;
    if (errno == EEXIST)
        cli_usage(t->command,
                  "%s exists already: --resume continues it, --output names another folder",
                  t->q.output);
    cli_refuse_errno(t->q.output);
}

static void write_arguments(const training *t)
{
    char *args = in_folder(t, "args.txt"), *split = in_folder(t, "split.csv");
    train_request_write(&t->q, scarlet_trainer_options(t->trainer), args);
    train_data_write(&t->data, split);
    free(split);
    free(args);
}

/* A run that was killed before its first checkpoint begins anew. */
static void start(training *t)
{
    scarlet_error err;
    char *checkpoint = in_folder(t, "last.ckpt");
    bool begun = t->q.resume && access(checkpoint, F_OK) == 0;
    free(checkpoint);
    if (!t->q.resume)
        make_folder(t);
    else if (!is_folder(t->q.output))
        cli_usage(t->command, "%s: no such folder to resume", t->q.output);
    scarlet_status status =
        begun ? scarlet_trainer_resume(t->data.set, t->q.options, t->q.output, &t->trainer, &err)
              : scarlet_trainer_create(t->data.set, t->q.options, t->q.output, &t->trainer, &err);
    if (status != SCARLET_OK) {
        if (!t->q.resume)
            rmdir(t->q.output);
        fail(t, &err);
    }
    if (!begun)
        write_arguments(t);
}

static void say_what(const training *t)
{
    const train_data *d = &t->data;
    const scarlet_train_options *o = scarlet_trainer_options(t->trainer);
    if (t->q.quiet || t->q.json)
        return;
    printf("pictures: %zu for training, %zu for validation%s, %zu for the test; %zu classes\n",
           d->parts[SCARLET_PART_TRAIN], d->parts[SCARLET_PART_VALIDATION],
           d->split ? " (split off)" : "", d->parts[SCARLET_PART_TEST], d->classes);
    const char *initial = scarlet_train_options_text(o, SCARLET_TRAIN_INITIAL_CHECKPOINT);
    printf("%s at %s px, %s, batches of %s, seed %s; to %s/\n",
           *initial ? initial : scarlet_train_options_text(o, SCARLET_TRAIN_ARCH),
           scarlet_train_options_text(o, SCARLET_TRAIN_INPUT_SIZE),
           scarlet_train_options_text(o, SCARLET_TRAIN_OPTIMIZER),
           scarlet_train_options_text(o, SCARLET_TRAIN_BATCH_SIZE),
           scarlet_train_options_text(o, SCARLET_TRAIN_SEED), t->q.output);
    fflush(stdout);
}

/* ---- training ---- */

static void train(training *t)
{
    scarlet_error err;
    train_progress progress = {.data = &t->data, .json = t->q.json, .quiet = t->q.quiet};
    train_progress_open(&progress);
    interrupt_catch();
    interrupt_catch_termination();
    scarlet_trainer_set_callback(t->trainer, train_progress_event, &progress);
    scarlet_status status = scarlet_trainer_run(t->trainer, &err);
    train_progress_hide(&progress);
    if (status != SCARLET_OK)
        fail(t, &err);
    if (!interrupted())
        return;
    if (!t->q.quiet)
        cli_error("interrupted after %.0f epochs; to go on: scarlet train --output %s --resume",
                  scarlet_trainer_get(t->trainer, SCARLET_TRAIN_INFO_EPOCH), t->q.output);
    scarlet_trainer_free(t->trainer);
    cli_finish(DONE);
    interrupt_finish();
}

/* ---- after the training ---- */

static void print_share(const char *name, const tally *t)
{
    double bounds[2];
    wilson(t->right, t->total, bounds);
    printf("%s top-1 %.2f %% (95 %% confidence interval %.2f to %.2f)\n", name,
           percent(t->right, t->total), bounds[0], bounds[1]);
}

static void put_share(json *j, const char *name, const tally *t)
{
    double bounds[2];
    wilson(t->right, t->total, bounds);
    json_key(j, name);
    json_open(j, '{');
    json_key(j, "total");
    json_integer(j, t->total);
    json_key(j, "right");
    json_integer(j, t->right);
    json_key(j, "failed");
    json_integer(j, t->failed);
    json_key(j, "top1");
    json_double(j, percent(t->right, t->total));
    json_key(j, "top1_interval");
    json_open(j, '[');
    json_double(j, bounds[0]);
    json_double(j, bounds[1]);
    json_close(j, ']');
    json_close(j, '}');
}

static void print_result(const training *t, const train_page *page, const char *file)
{
    if (t->q.json) {
        json j = {.out = stdout};
        json_open(&j, '{');
        json_key(&j, "event");
        json_text(&j, "result");
        json_key(&j, "model");
        json_text(&j, file);
        if (page->validation)
            put_share(&j, "validation", &page->validation->tally);
        if (page->test)
            put_share(&j, "test", &page->test->tally);
        json_key(&j, "latency_ms");
        json_double(&j, page->latency);
        json_close(&j, '}');
        json_end(&j);
        return;
    }
    if (t->q.quiet)
        return;
    putchar('\n');
    cli_put(stdout, file);
    printf(": %s, %zu classes, ", page->network, t->data.classes);
    double epoch = scarlet_trainer_get(t->trainer, SCARLET_TRAIN_INFO_BEST_EPOCH);
    if (epoch > 0)
        printf("epoch %.0f; ", epoch);
    else
        printf("the fitted head; ");
    cli_put(stdout, t->q.output);
    printf("/report.html shows more\n");
    if (page->validation)
        print_share("validation", &page->validation->tally);
    if (page->test)
        print_share("test", &page->test->tally);
    printf("%.2f ms a picture on this machine\nNext: scarlet classify -m ", page->latency);
    cli_put(stdout, file);
    printf(" PICTURE\n");
}

static void score(const training *t, train_score *s, scarlet_part part, const cli_loaded *model,
                  bool shown)
{
    char *lines = shown ? in_folder(t, "predictions.csv") : NULL;
    char *matrix = in_folder(t, "confusion.csv");
    score_part(s, t->command, &t->data, part, model, lines, t->q.quiet);
    if (shown)
        score_write_confusion(s, &t->data, matrix);
    free(matrix);
    free(lines);
}

static void take_samples(const training *t, train_page *page)
{
    scarlet_image *image[SAMPLES];
    int32_t label[SAMPLES];
    double micro_batch = number(scarlet_trainer_options(t->trainer), SCARLET_TRAIN_MICRO_BATCH);
    size_t count = micro_batch < SAMPLES ? (size_t)micro_batch : SAMPLES;
    if (scarlet_trainer_samples(t->trainer, count, image, label, NULL) != SCARLET_OK)
        return;
    for (size_t i = 0; i < count; i++) {
        char *html = html_thumbnail(image[i]);
        if (html)
            page->sample[page->samples++] = (struct train_sample){html, label[i]};
        scarlet_image_free(image[i]);
    }
}

/* Scores the best model; the test part is looked at here for the first time. */
static void conclude(const training *t)
{
    const size_t *parts = t->data.parts;
    train_score validation, test;
    char *file = in_folder(t, "best.safetensors");
    cli_loaded model;
    cli_names names;
    cli_load_model(&model, t->command, file, NULL);
    cli_names_open(&names, t->command, model.model, NULL);
    train_page page = {.folder = t->q.output,
                       .source = t->q.data,
                       .network = scarlet_model_name(model.model),
                       .data = &t->data,
                       .names = &names};
    if (parts[SCARLET_PART_VALIDATION]) {
        score(t, &validation, SCARLET_PART_VALIDATION, &model, !parts[SCARLET_PART_TEST]);
        page.validation = &validation;
    }
    if (parts[SCARLET_PART_TEST]) {
        score(t, &test, SCARLET_PART_TEST, &model, true);
        page.test = &test;
    }
    take_samples(t, &page);
    page.latency = score_latency(&t->data, &model);
    scarlet_dataset_hash(t->data.set, &page.data_hash, NULL);
    train_page_write(&page);
    print_result(t, &page, file);
    for (size_t i = 0; i < page.samples; i++)
        free(page.sample[i].html);
    if (page.validation)
        score_free(&validation);
    if (page.test)
        score_free(&test);
    scarlet_labels_free(names.labels);
    cli_unload_model(&model);
    free(file);
}

/* ---- --dry-run ---- */

/* Seconds of one step, by a few of them after one that does not count. */
static double step_seconds(const training *t)
{
    enum { STEPS = 3 };
    scarlet_error err;
    int64_t start = 0;
    for (int i = 0; i <= STEPS; i++) {
        start = i == 1 ? now_nanos() : start;
        if (scarlet_trainer_step(t->trainer, &err) != SCARLET_OK)
            fail(t, &err);
    }
    return (double)(now_nanos() - start) * 1e-9 / STEPS;
}

static int32_t stop_soon(void *user, const scarlet_trainer *trainer, scarlet_train_event event)
{
    enum { ENOUGH = 2000000000 /* ns */ };
    const int64_t *start = user;
    (void)trainer;
    return event != SCARLET_TRAIN_EVENT_FEATURES || now_nanos() - *start > ENOUGH;
}

/* Seconds for the features of all training pictures, by some of them. */
static double feature_seconds(const training *t)
{
    scarlet_error err;
    int64_t start = now_nanos();
    scarlet_trainer_set_callback(t->trainer, stop_soon, &start);
    if (scarlet_trainer_step(t->trainer, &err) != SCARLET_OK)
        fail(t, &err);
    return (double)(now_nanos() - start) * 1e-9 * (double)t->data.parts[SCARLET_PART_TRAIN] /
           scarlet_trainer_get(t->trainer, SCARLET_TRAIN_INFO_FEATURES);
}

static void print_time(const training *t)
{
    const scarlet_train_options *o = scarlet_trainer_options(t->trainer);
    double hours = number(o, SCARLET_TRAIN_TIME);
    bool tuning = *scarlet_train_options_text(o, SCARLET_TRAIN_INITIAL_CHECKPOINT);
    double steps = scarlet_trainer_get(t->trainer, SCARLET_TRAIN_INFO_STEPS);
    char *text = duration(hours > 0 ? 3600 * hours
                          : tuning  ? feature_seconds(t)
                                    : steps * step_seconds(t));
    if (hours > 0)
        printf("time: %s\n", text);
    else if (!tuning)
        printf("time: %s, without evaluation\n", text);
    else if (number(o, SCARLET_TRAIN_FREEZE) < 0)
        printf("time: %s for features of the pictures\n", text);
    else
        printf("time: %s for features of the pictures, then %.0f steps\n", text, steps);
    free(text);
}

static void dry_run(training *t)
{
    scarlet_error err;
    if (scarlet_trainer_create(t->data.set, t->q.options, NULL, &t->trainer, &err) != SCARLET_OK)
        fail(t, &err);
    const scarlet_train_options *o = scarlet_trainer_options(t->trainer);
    scarlet_train_option key;
    const char *name;
    for (size_t i = 0;
         scarlet_train_option_describe(i, &key, &name, NULL, NULL, NULL, NULL, NULL) == SCARLET_OK;
         i++)
        printf("%s = %s\n", name, train_option_text(o, key));
    double mib = scarlet_trainer_get(t->trainer, SCARLET_TRAIN_INFO_BYTES) / (1 << 20);
    double cache = number(o, SCARLET_TRAIN_CACHE) > 0 ? number(o, SCARLET_TRAIN_CACHE_SIZE) : 0;
    double steps = scarlet_trainer_get(t->trainer, SCARLET_TRAIN_INFO_STEPS_PER_EPOCH);
    printf("\n%zu training pictures, %.0f step%s an epoch\n", t->data.parts[SCARLET_PART_TRAIN],
           steps, steps > 1 ? "s" : "");
    printf("memory: %.0f MiB, and at most %.0f MiB of cached pictures\n", mib, cache);
    print_time(t);
}

/* ---- command ---- */

static int run(const cli_command *base, int argc, char **argv)
{
    cli_command command = train_command(base);
    training t = {.command = &command};
    int code = DONE;
    train_request_read(&t.q, &command, argc, argv);
    train_data_open(&t.data, t.q.data, t.q.names, number(t.q.options, SCARLET_TRAIN_VAL_FRACTION),
                    (uint64_t)number(t.q.options, SCARLET_TRAIN_SEED));
    if (t.q.weights)
        train_data_weigh(&t.data, t.q.weights);
    if (t.q.check) {
        code = train_check(&t.data, t.q.data, t.q.json, t.q.quiet) ? DONE : INPUT_FAILED;
    } else if (t.q.dry_run) {
        dry_run(&t);
    } else {
        judge_data(&t);
        start(&t);
        say_what(&t);
        train(&t);
        conclude(&t);
    }
    scarlet_trainer_free(t.trainer);
    train_data_close(&t.data);
    train_request_free(&t.q);
    train_command_free(&command);
    return code;
}

const cli_command cli_nas = {
    .name = "scarlet train",
    .summary =
        "Trains a classifier on pictures: a folder with one folder for each class, the same in\n"
        "train/, val/ and test/, a tar archive of such a folder, a list of \"path,class\" lines, "
        "or\n"
        "the IDX files of MNIST. The run's folder receives best.safetensors, which the other\n"
        "commands take, and report.html. Options that are auto follow from the pictures: "
        "--dry-run\n"
        "prints what they become.",
    .synopsis = "[OPTION]... DATA\n--output FOLDER --resume [OPTION]...",
    .notes =
        "Examples:\n"
        "  scarlet train photos/ --output run\n"
        "  scarlet classify -m run/best.safetensors new.jpg\n"
        "  scarlet train photos/ --initial-checkpoint scarlet-a.pth.tar --freeze backbone --output "
        "tuned\n"
        "  scarlet train photos/ --check\n",
    .run = run,
};
