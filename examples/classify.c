/* The smallest classifier: classify MODEL PICTURE */
#include <scarlet/scarlet.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    scarlet_model *model = NULL;
    scarlet_session *session = NULL;
    scarlet_image *image = NULL;
    scarlet_prediction top[3];
    scarlet_error error;
    size_t count = 0;

    if (argc != 3) {
        fprintf(stderr, "usage: %s MODEL PICTURE\n", argv[0]);
        return 2;
    }
    if (scarlet_model_load(argv[1], NULL, &model, &error) ||
        scarlet_session_create(model, NULL, &session, &error) ||
        scarlet_image_load(argv[2], NULL, &image, &error) ||
        scarlet_classify(session, image, NULL, 3, top, &count, &error))
        fprintf(stderr, "%s\n", error.message);

    for (size_t i = 0; i < count; i++) {
        const char *label = scarlet_model_label(model, top[i].class_id);
        printf("%5.1f %%  %s\n", 100 * top[i].score, label ? label : "(no name)");
    }
    scarlet_image_free(image);
    scarlet_session_free(session);
    scarlet_model_free(model);
    return count ? 0 : 1;
}
