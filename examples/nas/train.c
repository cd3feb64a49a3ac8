/* Trains a classifier on IDX files: train IMAGES LABELS CLASSES FOLDER [OPTION=VALUE]...
 * Run again after an interruption, it goes on. */
#include <scarlet/nas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int32_t progress(void *user, const scarlet_trainer *trainer, scarlet_train_event event)
{
    (void)user;
    if (event == SCARLET_TRAIN_EVENT_EPOCH)
        printf("epoch %.0f of %.0f: loss %.4f, validation top-1 %.2f %%\n",
               scarlet_trainer_get(trainer, SCARLET_TRAIN_INFO_EPOCH),
               scarlet_trainer_get(trainer, SCARLET_TRAIN_INFO_EPOCHS),
               scarlet_trainer_get(trainer, SCARLET_TRAIN_INFO_TRAIN_LOSS),
               100 * scarlet_trainer_get(trainer, SCARLET_TRAIN_INFO_TOP1));
    fflush(stdout);
    return 0; /* anything else would cancel */
}

int main(int argc, char **argv)
{
    scarlet_dataset *dataset = NULL;
    scarlet_trainer *trainer = NULL;
    scarlet_train_options *options = scarlet_train_options_create();
    scarlet_error error = {0};
    scarlet_status status = SCARLET_OK;
    char checkpoint[4096];

    if (argc < 5) {
        fprintf(stderr, "usage: %s IMAGES LABELS CLASSES FOLDER [OPTION=VALUE]...\n", argv[0]);
        return 2;
    }
    for (int i = 5; i < argc && !status; i++) {
        char *value = strchr(argv[i], '=');
        if (value)
            *value++ = '\0';
        status = scarlet_train_options_set(options, argv[i], value, &error);
    }
    if (!status)
        status = scarlet_dataset_create(atoi(argv[3]), NULL, &dataset, &error);
    if (!status)
        status = scarlet_dataset_add_idx(dataset, argv[1], argv[2], SCARLET_PART_TRAIN, &error);
    if (!status)
        status = scarlet_dataset_split(dataset, 0.1, 1, &error);
    snprintf(checkpoint, sizeof checkpoint, "%s/last.ckpt", argv[4]);
    FILE *before = fopen(checkpoint, "rb");
    if (!status && before)
        status = scarlet_trainer_resume(dataset, options, argv[4], &trainer, &error);
    else if (!status)
        status = scarlet_trainer_create(dataset, options, argv[4], &trainer, &error);
    if (before)
        fclose(before);
    scarlet_trainer_set_callback(trainer, progress, NULL);
    if (!status)
        status = scarlet_trainer_run(trainer, &error);
    if (status)
        fprintf(stderr, "%s\n", error.message);
    scarlet_trainer_free(trainer);
    scarlet_dataset_free(dataset);
    scarlet_train_options_free(options);
    return status ? 1 : 0;
}
