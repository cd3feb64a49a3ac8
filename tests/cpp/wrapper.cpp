// Uses all of scarlet.hpp: wrapper MODEL PICTURE. Compiled for every standard, with and without
// exceptions.
#include <scarlet/scarlet.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <type_traits>

static int failures;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            std::printf("%d: %s\n", __LINE__, #condition);                                         \
            failures++;                                                                            \
        }                                                                                          \
    } while (0)

template <class T> static void move_only()
{
    static_assert(!std::is_copy_constructible<T>::value, "one owner");
    static_assert(!std::is_copy_assignable<T>::value, "one owner");
    static_assert(std::is_nothrow_move_constructible<T>::value, "moves");
    static_assert(std::is_nothrow_move_assignable<T>::value, "moves");
    static_assert(sizeof(T) == sizeof(void *), "a pointer and no more");
    T empty, other(std::move(empty));
    CHECK(!empty && !other && !other.get());
}

static std::vector<char> read(const char *path)
{
    std::ifstream file(path, std::ios::binary);
    return std::vector<char>(std::istreambuf_iterator<char>(file),
                             std::istreambuf_iterator<char>());
}

static void count(void *user, const void *)
{
    ++*static_cast<int *>(user);
}

static void objects(const char *model_path, const char *picture)
{
    scarlet::Error error;
    scarlet::Model model(model_path, &error);
    CHECK(model && !error && error.status() == SCARLET_OK);
    CHECK(std::strcmp(model.name(), "custom") == 0 && std::strchr(model.genotype(), ','));
    CHECK(model.info(SCARLET_INFO_CLASSES) == 5);
    CHECK(model.info(0, SCARLET_INFO_KIND) == SCARLET_LAYER_STEM);
    CHECK(std::strcmp(model.label(0), "apple") == 0 && !model.label(5));
    CHECK(std::strcmp(model.metadata("scarlet.input_size"), "32") == 0 && !model.metadata("none"));

    scarlet::Options options("batch_max=2", &error);
    options.set(SCARLET_OPT_THREADS, 2, &error).parse("output=scores", &error);
    CHECK(!error);
    scarlet::Session session(model, options, &error);
    CHECK(session && session.info(SCARLET_INFO_BATCH_MAX) == 2 && session.output_length() == 5);

    scarlet::Image image(picture, &error);
    CHECK(image && image.width() == 28 && image.height() == 28);
    std::vector<scarlet_prediction> best = session.classify(image, 99, scarlet::Options(), &error);
    CHECK(best.size() == 5 && best[0].score >= best[4].score);

    // The same in steps, from memory.
    std::vector<char> bytes = read(picture), weights = read(model_path);
    scarlet::Model again =
        scarlet::Model::from_memory(weights.data(), weights.size(), scarlet::Options(), &error);
    session = scarlet::Session(again, options, &error);
    scarlet::Image decoded =
        scarlet::Image::decode(bytes.data(), bytes.size(), scarlet::Options(), &error);
    scarlet::Options wanted = again.options(&error);
    wanted.set(SCARLET_OPT_CROP, 32, &error);
    std::vector<float> input = scarlet::preprocess(decoded, wanted, &error);
    CHECK(input.size() == 3 * 32 * 32);
    std::vector<float> scores = session.infer(input, 1, &error);
    CHECK(scores.size() == 5);
    scarlet::softmax(scores);
    std::vector<scarlet_prediction> steps = scarlet::topk(scores, 7);
    CHECK(steps.size() == 5);
    for (std::size_t i = 0; i < 5; i++)
        CHECK(steps[i].class_id == best[i].class_id && steps[i].score == best[i].score);

    std::size_t length = 0;
    float *own = session.input(&length);
    CHECK(own && length == 2 * input.size());
    std::copy(input.begin(), input.end(), own);
    float first[5];
    CHECK(session.infer(own, input.size(), 1, first, 5, &error));
    scarlet_prediction one;
    CHECK(session.classify(decoded, 1, &one, scarlet::Options(), &error) == 1);
    CHECK(one.class_id == best[0].class_id);
#if __cplusplus >= 202002L
    std::vector<float> through(5);
    CHECK(session.infer(session.input().first(input.size()), 1, through, &error));
    CHECK(std::memcmp(through.data(), first, sizeof first) == 0);
    CHECK(
        scarlet::Model::from_memory(std::as_bytes(std::span(weights)), scarlet::Options(), &error));
    CHECK(scarlet::Image::decode(std::as_bytes(std::span(bytes)), scarlet::Options(), &error));
#endif

    int released = 0;
    const unsigned char pixels[3 * 4] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    {
        scarlet::Image wrapped =
            scarlet::Image::wrap(pixels, 2, 2, 6, SCARLET_PIXELS_RGB, count, &released, &error);
        scarlet::Image moved = std::move(wrapped);
        CHECK(!wrapped && moved && released == 0);
        scarlet::Image larger = moved.resize(5, 3, &error);
        CHECK(larger.width() == 5 && larger.height() == 3);
    }
    CHECK(released == 1);

    scarlet::Labels labels = scarlet::Labels::builtin("imagenet-1k", &error);
    CHECK(labels.size() == 1000 && std::strcmp(labels[0], "tench") == 0 && !labels[1000]);
    std::string target = std::string(model_path) + ".half";
    CHECK(scarlet::convert(model_path, target, scarlet::Labels(),
                           scarlet::Options("storage=f16", &error), &error));
    CHECK(scarlet::Model(target, &error));
    CHECK(!scarlet::convert(model_path, target, labels, scarlet::Options(), &error));
    std::remove(target.c_str());
}

static void failures_are_reported(const char *model_path)
{
    scarlet::Error error;
    scarlet::Model none("/no/model", &error);
    CHECK(!none && error && error.status() == SCARLET_ERROR_IO && error.detail() == 2);
    CHECK(std::strcmp(error.message(), "/no/model: No such file or directory") == 0);
    CHECK(!scarlet::Session(none, &error) && error.status() == SCARLET_ERROR_ARGUMENT);
    CHECK(!scarlet::Image("/no/picture", &error) && !scarlet::Labels("/no/labels", &error));
    CHECK(error.status() == SCARLET_ERROR_IO);
    CHECK(scarlet::preprocess(scarlet::Image(), scarlet::Options(), &error).empty() && error);
    scarlet::Options options;
    options.set(SCARLET_OPT_THREADS, -1, &error);
    CHECK(error.status() == SCARLET_ERROR_ARGUMENT);
    const float mean[3] = {0, 0, 0}, std[3] = {1, 0, 1};
    options.set_normalization(mean, std, &error);
    CHECK(error.status() == SCARLET_ERROR_ARGUMENT);

    scarlet::Model model(model_path, &error);
    scarlet::Session session(model, &error);
    CHECK(session && !error);
    std::vector<float> input(3 * 32 * 32, std::nanf("")), many(input.size() * 9);
    CHECK(session.infer(input, 1, &error).empty() && error);
    CHECK(session.infer(many, 9, &error).empty() && error.status() == SCARLET_ERROR_ARGUMENT);
    CHECK(session.classify(scarlet::Image(), 3, scarlet::Options(), &error).empty() && error);

#if defined(__cpp_exceptions)
    bool thrown = false;
    try {
        scarlet::Model("/no/model");
    } catch (const scarlet::Exception &e) {
        thrown = e.status() == SCARLET_ERROR_IO && e.error().detail() == 2 &&
                 std::strcmp(e.what(), "/no/model: No such file or directory") == 0;
    }
    CHECK(thrown);
    thrown = false;
    try {
        session.infer(input);
    } catch (const std::runtime_error &) {
        thrown = true;
    }
    CHECK(thrown);
#else
    CHECK(!scarlet::Model("/no/model"));
    CHECK(session.infer(input).empty());
#endif
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    move_only<scarlet::Options>();
    move_only<scarlet::Labels>();
    move_only<scarlet::Image>();
    move_only<scarlet::Model>();
    move_only<scarlet::Session>();
    objects(argv[1], argv[2]);
    failures_are_reported(argv[1]);
    return failures ? 1 : 0;
}
