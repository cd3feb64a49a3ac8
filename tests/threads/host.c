/*
 * What belongs to the host program: rounding mode, flush-to-zero, errno, locale. Every function
 * that computes gives the same bits whatever they are, and leaves them.
 *
 *   host MODEL PICTURE FOLDER
 *
 * FOLDER receives a file. The denormal scores below would be equal to a CPU that flushes them.
 */
#include <errno.h>
#include <fenv.h>
#include <locale.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#define SCARLET_EXPERIMENTAL
#include "scarlet/scarlet.h"

#include "test.h"

enum { TOP = 5, CROP = 24, SIDE = 32, CLASSES = 5, WIDTH = 61, HEIGHT = 43 };

/* How sessions are made. */
static const char *const ways[] = {
    "engine=fused,threads=2",
    "precision=int8,threads=2",
    "precision=int16",
#if XNNPACK
    "engine=xnnpack",
#endif
};
enum { WAYS = sizeof ways / sizeof *ways };

static const char *model_path, *picture_path;
static char target[4096];

/* Everything that the library computes, in one block that can be compared. */
typedef struct {
    scarlet_prediction top[TOP], denormal[TOP];
    float input[3 * CROP * CROP], scores[WAYS][CLASSES], probabilities[CLASSES];
    unsigned char resized[3 * WIDTH * HEIGHT], converted[1 << 17];
    size_t converted_size;
} results;

static results expected, found;

static scarlet_session *session(scarlet_model *model, const char *text)
{
    scarlet_session *s = NULL;
    scarlet_options *opts = scarlet_options_create();
    scarlet_options_parse(opts, text, NULL);
    scarlet_session_create(model, opts, &s, NULL);
    scarlet_options_free(opts);
    return s;
}

static int pictures(scarlet_session *s, results *r)
{
    static unsigned char data[1 << 16];
    scarlet_image *loaded = NULL, *decoded = NULL, *resized = NULL;
    /* 24 digits: read with another rounding mode, they give other floats. */
    const char *text =
        "crop=24,mean=0.4849999999999999999:0.456:4.06e-1,std=0.229:0.2240000001:0.225";
    scarlet_options *opts = scarlet_options_create();
    FILE *f = fopen(picture_path, "rb");
    size_t size = f ? fread(data, 1, sizeof data, f) : 0;
    if (f)
        fclose(f);
    errno = 77; /* of the C library's own, above */
    int ok = scarlet_options_parse(opts, text, NULL) == 0 &&
             scarlet_image_load(picture_path, NULL, &loaded, NULL) == 0 &&
             scarlet_image_decode(data, size, NULL, &decoded, NULL) == 0 &&
             scarlet_image_resize(decoded, WIDTH, HEIGHT, SCARLET_FILTER_BILINEAR, &resized,
                                  NULL) == 0 &&
             scarlet_preprocess(resized, opts, r->input, 3 * CROP * CROP, NULL) == 0 &&
             scarlet_classify(s, loaded, NULL, TOP, r->top, NULL, NULL) == 0;
    if (ok)
        memcpy(r->resized, scarlet_image_pixels(resized, NULL, NULL, NULL, NULL),
               sizeof r->resized);
    scarlet_image_free(loaded);
    scarlet_image_free(decoded);
    scarlet_image_free(resized);
    scarlet_options_free(opts);
    return ok;
}

/* Inference in one way, on a model that is loaded for it. */
static int infer(const char *text, const float *input, float *scores)
{
    scarlet_model *model = NULL;
    scarlet_options *opts = scarlet_options_create();
    scarlet_options_parse(opts, text, NULL);
    scarlet_model_load(model_path, opts, &model, NULL);
    scarlet_options_free(opts);
    scarlet_session *s = session(model, text);
    scarlet_model_free(model);
    int ok = s && scarlet_infer(s, input, 3 * SIDE * SIDE, 1, scores, CLASSES, NULL) == 0;
    scarlet_session_free(s);
    return ok;
}

static int numbers(results *r)
{
    static float input[3 * SIDE * SIDE];
    static const float scores[] = {3, -85, -100, 2.75f, 1e-40f};
    static const float denormal[] = {1e-41f, 3e-41f, 0, 2e-41f, -1e-41f};
    for (int i = 0; i < 3 * SIDE * SIDE; i++)
        input[i] = (float)(i % 101 - 50) / 32; /* exact in every mode */
    int ok = 1;
    for (size_t i = 0; i < WAYS; i++)
        ok &= infer(ways[i], input, r->scores[i]);
    scarlet_softmax(scores, CLASSES, r->probabilities);
    return ok && scarlet_topk(denormal, TOP, TOP, r->denormal) == TOP;
}

static int files(results *r)
{
    int ok = scarlet_convert(model_path, target, NULL, NULL, NULL) == 0;
    int code = errno;
    FILE *f = fopen(target, "rb");
    r->converted_size = f ? fread(r->converted, 1, sizeof r->converted, f) : 0;
    if (f)
        fclose(f);
    unlink(target);
    errno = code;
    return ok && r->converted_size > 1000 && r->converted_size < sizeof r->converted;
}

static int all(results *r)
{
    scarlet_model *model = NULL;
    memset(r, 0, sizeof *r);
    int ok = scarlet_model_load(model_path, NULL, &model, NULL) == 0;
    scarlet_session *s = session(model, "threads=2");
    ok = ok && s && pictures(s, r) && numbers(r) && files(r);
    scarlet_session_free(s);
    scarlet_model_free(model);
    return ok && scarlet_build_info();
}

/* Calls that the operating system fails inside. */
static int failures(void)
{
    scarlet_model *model;
    scarlet_image *image;
    scarlet_labels *labels;
    return scarlet_model_load("/nowhere/a", NULL, &model, NULL) == SCARLET_ERROR_IO &&
           scarlet_image_load("/nowhere/a", NULL, &image, NULL) == SCARLET_ERROR_IO &&
           scarlet_labels_load("/nowhere/a", &labels, NULL) == SCARLET_ERROR_IO &&
           scarlet_convert("/nowhere/a", target, NULL, NULL, NULL) == SCARLET_ERROR_IO &&
           scarlet_convert(model_path, "/nowhere/a", NULL, NULL, NULL) == SCARLET_ERROR_IO;
}

#if defined(__x86_64__)
enum { FLUSH = 0x8040, STICKY = 0x3F }; /* flush to zero, denormals are zero; exception flags */
static unsigned control(void)
{
    return _mm_getcsr();
}
static void set_control(unsigned word)
{
    _mm_setcsr(word);
}
#else
enum { FLUSH = 0, STICKY = 0 };
static unsigned control(void)
{
    return 0;
}
static void set_control(unsigned word)
{
    (void)word;
}
#endif

/* Turkish has another upper case of i, German another decimal point. */
static void locales(void)
{
    static const char *const names[] = {"tr_TR.UTF-8", "de_DE.UTF-8"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        CHECK(setlocale(LC_ALL, names[i]));
        CHECK(all(&found));
        CHECK(memcmp(&found, &expected, sizeof found) == 0);
        CHECK_TEXT(setlocale(LC_ALL, NULL), names[i]);
    }
    setlocale(LC_ALL, "C");
}

int main(int argc, char **argv)
{
    static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    if (argc < 4)
        return 2;
    model_path = argv[1];
    picture_path = argv[2];
    snprintf(target, sizeof target, "%s/host-converted.safetensors", argv[3]);
    CHECK(all(&expected));
    CHECK(expected.probabilities[2] > 0 && expected.probabilities[2] < 1.1e-38f);
    CHECK(expected.denormal[0].class_id == 1 && expected.denormal[4].class_id == 4);
    locales();
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        unsigned usual = control();
        fesetround(modes[i]);
        set_control(control() | FLUSH);
        unsigned before = control();
        errno = 77;
        int good = all(&found), code = errno;
        errno = 78;
        int refused = failures(), failing_code = errno, mode = fegetround();
        unsigned after = control();
        fesetround(FE_TONEAREST);
        set_control(usual);
        CHECK(good);
        CHECK(memcmp(&found, &expected, sizeof found) == 0);
        CHECK(refused);
        CHECK(code == 77);
        CHECK(failing_code == 78);
        CHECK(mode == modes[i]);
        CHECK((before & ~(unsigned)STICKY) == (after & ~(unsigned)STICKY));
    }
    return test_result();
}
