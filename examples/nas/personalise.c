/* New classes on top of a trained network: personalise MODEL TARGET CLASS=PICTURE...
 * Pictures are turned into features at once; none is kept. */
#include <scarlet/nas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES_MAX = 100 };

static int32_t class_of(char *name, char **names, int32_t *count)
{
    for (int32_t i = 0; i < *count; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    names[*count] = name;
    return (*count)++;
}

int main(int argc, char **argv)
{
    scarlet_model *model = NULL;
    scarlet_session *session = NULL;
    scarlet_options *options = NULL;
    scarlet_head *head = NULL;
    scarlet_error error = {0};
    char *names[CLASSES_MAX];
    int32_t classes = 0;

    if (argc < 5 || argc > CLASSES_MAX) {
        fprintf(stderr, "usage: %s MODEL TARGET CLASS=PICTURE...\n", argv[0]);
        return 2;
    }
    for (int i = 3; i < argc; i++) {
        argv[i][strcspn(argv[i], "=")] = '\0';
        class_of(argv[i], names, &classes);
    }
    scarlet_status status = scarlet_model_load(argv[1], NULL, &model, &error);
    if (!status)
        status = scarlet_model_options(model, &options, &error);
    if (!status)
        status = scarlet_options_parse(options, "output=features", &error);
    if (!status)
        status = scarlet_session_create(model, options, &session, &error);
    size_t features = (size_t)scarlet_model_get(model, SCARLET_INFO_FEATURES), length = 0;
    float *input = scarlet_session_input(session, &length),
          *vector = calloc(features, sizeof(float));
    if (!status)
        status = scarlet_head_create(features, classes, (const char *const *)names, &head, &error);
    for (int i = 3; i < argc && !status; i++) {
        scarlet_image *image = NULL;
        status = scarlet_image_load(argv[i] + strlen(argv[i]) + 1, options, &image, &error);
        if (!status)
            status = scarlet_preprocess(image, options, input, length, &error);
        scarlet_image_free(image);
        if (!status)
            status = scarlet_infer(session, input, length, 1, vector, features, &error);
        if (!status)
            status = scarlet_head_add(head, vector, features, class_of(argv[i], names, &classes),
                                      &error);
    }
    if (!status)
        status = scarlet_head_fit(head, NULL, &error);
    if (!status)
        status = scarlet_head_write(head, argv[1], argv[2], NULL, &error);
    if (status)
        fprintf(stderr, "%s\n", error.message);
    free(vector);
    scarlet_head_free(head);
    scarlet_session_free(session);
    scarlet_options_free(options);
    scarlet_model_free(model);
    return status ? 1 : 0;
}
