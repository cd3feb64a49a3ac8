/*
 * A training, driven from the command line.
 *
 *   run IMAGES LABELS CLASSES FOLDER new|resume CANCEL FRACTION [OPTION=VALUE]...
 *
 * IMAGES and LABELS are IDX files; with "-" as IMAGES, LABELS is a text file of lines
 * "path<TAB>label<TAB>part". FRACTION of the training pictures becomes the validation part; 0:
 * none. CANCEL: step after which the callback cancels; 0: never. Prints a line an epoch, then the
 * broken pictures and how it ended. Exits with 1 after an error, which is the last line.
 */
#include <stdlib.h>
#include <string.h>

#include "scarlet/nas.h"
#include "test.h"

static double cancel_at;

static double get(const scarlet_trainer *t, scarlet_train_info what)
{
    return scarlet_trainer_get(t, what);
}

static int32_t event(void *user, const scarlet_trainer *t, scarlet_train_event what)
{
    (void)user;
    if (what == SCARLET_TRAIN_EVENT_HEAD || what == SCARLET_TRAIN_EVENT_EPOCH)
        printf("epoch %.0f of %.0f: %.9g %.9g %.9g %.9g, best %.0f\n",
               get(t, SCARLET_TRAIN_INFO_EPOCH), get(t, SCARLET_TRAIN_INFO_EPOCHS),
               get(t, SCARLET_TRAIN_INFO_TRAIN_LOSS), get(t, SCARLET_TRAIN_INFO_EVAL_LOSS),
               get(t, SCARLET_TRAIN_INFO_TOP1), get(t, SCARLET_TRAIN_INFO_BALANCED),
               get(t, SCARLET_TRAIN_INFO_BEST_EPOCH));
    fflush(stdout);
    return what == SCARLET_TRAIN_EVENT_STEP && get(t, SCARLET_TRAIN_INFO_STEP) == cancel_at;
}

static scarlet_status add_list(scarlet_dataset *d, const char *path, scarlet_error *err)
{
    char line[4096];
    FILE *file = fopen(path, "r");
    scarlet_status status = SCARLET_OK;
    while (status == SCARLET_OK && file && fgets(line, sizeof line, file)) {
        char *name = strtok(line, "\t\n"), *label = strtok(NULL, "\t\n");
        char *part = strtok(NULL, "\t\n");
        status = scarlet_dataset_add_file(d, name, atoi(label), (scarlet_part)atoi(part), err);
    }
    if (file)
        fclose(file);
    return status;
}

static scarlet_status make_dataset(char **argv, scarlet_dataset **d, scarlet_error *err)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    double fraction = atof(argv[7]);
    scarlet_status status = scarlet_dataset_create(atoi(argv[3]), names, d, err);
    if (status == SCARLET_OK)
        status = strcmp(argv[1], "-") == 0
                     ? add_list(*d, argv[2], err)
                     : scarlet_dataset_add_idx(*d, argv[1], argv[2], SCARLET_PART_TRAIN, err);
    if (status == SCARLET_OK && fraction > 0)
        status = scarlet_dataset_split(*d, fraction, 1, err);
    return status;
}

int main(int argc, char **argv)
{
    scarlet_dataset *dataset = NULL;
    scarlet_trainer *trainer = NULL;
    scarlet_error err = {0};
    if (argc < 8)
        return 2;
    scarlet_train_options *opts = scarlet_train_options_create();
    scarlet_status status = SCARLET_OK;
    for (int i = 8; i < argc && status == SCARLET_OK; i++) {
        char *value = strchr(argv[i], '=');
        *value++ = '\0';
        status = scarlet_train_options_set(opts, argv[i], value, &err);
    }
    cancel_at = atof(argv[6]);
    if (status == SCARLET_OK)
        status = make_dataset(argv, &dataset, &err);
    if (status == SCARLET_OK)
        status = strcmp(argv[5], "resume") == 0
                     ? scarlet_trainer_resume(dataset, opts, argv[4], &trainer, &err)
                     : scarlet_trainer_create(dataset, opts, argv[4], &trainer, &err);
    scarlet_trainer_set_callback(trainer, event, NULL);
    if (status == SCARLET_OK)
        status = scarlet_trainer_run(trainer, &err);
    const char *message;
    for (size_t i = 0; scarlet_trainer_broken(trainer, i, NULL, &message) == SCARLET_OK; i++)
        printf("broken: %s\n", message);
    if (status == SCARLET_OK)
        puts(get(trainer, SCARLET_TRAIN_INFO_FINISHED) > 0 ? "finished" : "cancelled");
    else
        printf("%s: %s\n", scarlet_status_string(status), err.message);
    scarlet_trainer_free(trainer);
    scarlet_dataset_free(dataset);
    scarlet_train_options_free(opts);
    return status == SCARLET_OK ? 0 : 1;
}
