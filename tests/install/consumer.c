/* A program outside the project, valid C and C++: classifies a picture, names a built-in class. */
#include <scarlet/scarlet.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    scarlet_model *model = NULL;
    scarlet_session *session = NULL;
    scarlet_image *image = NULL;
    scarlet_labels *labels = NULL;
    scarlet_prediction best = {-1, 0};
    scarlet_error error;
    if (argc != 3)
        return 2;
    if (scarlet_labels_builtin("imagenet-1k", &labels, &error) ||
        scarlet_model_load(argv[1], NULL, &model, &error) ||
        scarlet_session_create(model, NULL, &session, &error) ||
        scarlet_image_load(argv[2], NULL, &image, &error) ||
        scarlet_classify(session, image, NULL, 1, &best, NULL, &error)) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    printf("%s, %s, class %d\n", scarlet_version_string(), scarlet_labels_get(labels, 0),
           (int)best.class_id);
    scarlet_image_free(image);
    scarlet_session_free(session);
    scarlet_model_free(model);
    scarlet_labels_free(labels);
    return 0;
}
