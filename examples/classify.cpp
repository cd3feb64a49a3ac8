/* The smallest classifier in C++: classify MODEL PICTURE */
#include <scarlet/scarlet.hpp>

#include <cstdio>

int main(int argc, char **argv)
try {
    if (argc != 3) {
        std::fprintf(stderr, "usage: %s MODEL PICTURE\n", argv[0]);
        return 2;
    }
    scarlet::Model model(argv[1]);
    scarlet::Session session(model);
    for (const scarlet_prediction &best : session.classify(scarlet::Image(argv[2]), 3)) {
        const char *label = model.label(best.class_id);
        std::printf("%5.1f %%  %s\n", 100 * best.score, label ? label : "(no name)");
    }
    return 0;
} catch (const scarlet::Exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
