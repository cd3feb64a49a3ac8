/* The memory that a training takes is what it announces: nearly all of that, and no more. */
#include <math.h>
#include <string.h>

#include "scarlet/nas.h"
#include "test.h"

enum { PICTURES = 300, SIDE = 28 };
static uint8_t pixels[PICTURES][SIDE * SIDE];

/* A line of /proc/self/status, in bytes. */
static double status(const char *name)
{
    char line[256];
    double kilobytes = NAN;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0)
            kilobytes = atof(line + strlen(name));
    if (file)
        fclose(file);
    return kilobytes * 1024;
}

static scarlet_dataset *dataset(void)
{
    scarlet_dataset *d = NULL;
    scarlet_dataset_create(10, NULL, &d, NULL);
    for (int i = 0; i < PICTURES; i++) {
        scarlet_image *image = NULL;
        memset(pixels[i], i, sizeof pixels[i]);
        scarlet_image_wrap(pixels[i], SIDE, SIDE, SIDE, SCARLET_PIXELS_GRAY, NULL, NULL, &image,
                           NULL);
        CHECK(scarlet_dataset_add_image(d, image, i % 10,
                                        i < 280 ? SCARLET_PART_TRAIN : SCARLET_PART_VALIDATION,
                                        NULL) == SCARLET_OK);
    }
    return d;
}

int main(int argc, char **argv)
{
    scarlet_error err = {0};
    scarlet_trainer *t = NULL;
    scarlet_dataset *d = dataset();
    scarlet_train_options *opts = scarlet_train_options_create();
    for (int i = 1; i + 1 < argc; i += 2)
        CHECK(scarlet_train_options_set(opts, argv[i], argv[i + 1], &err) == SCARLET_OK);
    double before = status("VmRSS:");
    if (!CHECK(scarlet_trainer_create(d, opts, NULL, &t, &err) == SCARLET_OK))
        fprintf(stderr, "%s\n", err.message);
    double announced = scarlet_trainer_get(t, SCARLET_TRAIN_INFO_BYTES);
    for (int i = 0; i < 2; i++)
        CHECK(scarlet_trainer_step(t, &err) == SCARLET_OK);
    CHECK(scarlet_trainer_evaluate(t, SCARLET_PART_VALIDATION, &err) == SCARLET_OK);
    double taken = status("VmHWM:") - before;
    printf("announced %.1f MB, taken %.1f MB\n", announced / 1e6, taken / 1e6);
    CHECK(taken < 1.03 * announced && taken > 0.7 * announced);
    scarlet_trainer_free(t);
    scarlet_train_options_free(opts);
    scarlet_dataset_free(d);
    return test_result();
}
