/* Softmax, top-k and labels. */
#include <float.h>
#include <math.h>
#include <unistd.h>

#include "common/memory.h"
#include "common/utf8.h"
#include "scarlet/scarlet.h"
#include "test.h"

static uint32_t seed = 1;

static uint32_t rnd(void)
{
    return (seed = seed * 1664525u + 1013904223u) >> 8;
}

/* ---- softmax ---- */

static int near(float found, long double expected)
{
    return fabsl(found - expected) <= expected * FLT_EPSILON / 2 * 1.0001L + FLT_TRUE_MIN;
}

static void softmax(void)
{
    enum { N = 1000 };
    float scores[N], p[N];
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < N; i++)
            scores[i] = ((float)(rnd() % 20001) / 10000 - 1) * (float)(round * round);
        long double sum = 0;
        for (int i = 0; i < N; i++)
            sum += expl((long double)scores[i]);
        scarlet_softmax(scores, N, p);
        int good = 1;
        for (int i = 0; i < N; i++)
            good &= near(p[i], expl((long double)scores[i]) / sum);
        CHECK(good);
        float in_place[N];
        memcpy(in_place, scores, sizeof scores);
        scarlet_softmax(in_place, N, in_place);
        CHECK(memcmp(in_place, p, sizeof p) == 0);
    }
    const float large[3] = {FLT_MAX, FLT_MAX, -FLT_MAX};
    scarlet_softmax(large, 3, p);
    CHECK(p[0] == 0.5f && p[1] == 0.5f && p[2] == 0);
    const float low[2] = {-INFINITY, -5};
    scarlet_softmax(low, 2, p);
    CHECK(p[0] == 0 && p[1] == 1);
    const float bad[][3] = {
        {NAN, 1, 2}, {1, 2, NAN}, {1, INFINITY, 2}, {-INFINITY, -INFINITY, -INFINITY}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        scarlet_softmax(bad[i], 3, p);
        CHECK(isnan(p[0]) && isnan(p[1]) && isnan(p[2]));
    }
    p[0] = 7;
    scarlet_softmax(large, 0, p);
    scarlet_softmax(NULL, 3, p);
    scarlet_softmax(large, 3, NULL);
    CHECK(p[0] == 7);
}

/* ---- top-k ---- */

/* The order by its definition: numbers before NaN, larger before smaller, lower class first. */
static int order(const void *a, const void *b)
{
    const scarlet_prediction *x = a, *y = b;
    if (isnan(x->score) || isnan(y->score)) {
        if (isnan(x->score) && isnan(y->score))
            return x->class_id - y->class_id;
        return isnan(x->score) ? 1 : -1;
    }
    return x->score > y->score ? -1 : x->score < y->score ? 1 : x->class_id - y->class_id;
}

static void topk(void)
{
    enum { N = 300 };
    static const float special[] = {NAN, INFINITY, -INFINITY, 0.0f, -0.0f};
    float scores[N];
    scarlet_prediction all[N], out[N + 1];
    for (int round = 0; round < 300; round++) {
        size_t n = 1 + rnd() % N;
        for (size_t i = 0; i < n; i++) {
            scores[i] = rnd() % 8 ? (float)(rnd() % 40) - 20 : special[rnd() % 5];
            all[i] = (scarlet_prediction){(int32_t)i, scores[i]};
        }
        qsort(all, n, sizeof *all, order);
        size_t k = round % 3 ? 1 + rnd() % n : n + rnd() % 3;
        size_t expected = k < n ? k : n;
        out[expected].class_id = 12345;
        int good = scarlet_topk(scores, n, k, out) == expected && out[expected].class_id == 12345;
        for (size_t i = 0; i < expected; i++)
            good &= out[i].class_id == all[i].class_id;
        CHECK(good);
    }
    CHECK(scarlet_topk(scores, 3, SIZE_MAX, out) == 3);
    CHECK(scarlet_topk(NULL, 3, 3, out) == 0);
    CHECK(scarlet_topk(scores, 3, 3, NULL) == 0);
    CHECK(scarlet_topk(scores, 3, 0, out) == 0);
    CHECK(scarlet_topk(scores, 0, 3, out) == 0);
    CHECK(scarlet_topk(scores, (size_t)INT32_MAX + 1, 3, out) == 0);
}

/* ---- labels ---- */

static char path[] = "/tmp/scarlet-labels-XXXXXX";

static scarlet_status load(const char *text, size_t size, scarlet_labels **out, scarlet_error *err)
{
    FILE *f = fopen(path, "wb");
    fwrite(text, 1, size, f);
    fclose(f);
    return scarlet_labels_load(path, out, err);
}

static void good_labels(void)
{
    static const struct {
        const char *text;
        size_t count;
        const char *last;
    } good[] = {
        {"a\nb\nc\n", 3, "c"},
        {"a\nb b", 2, "b b"},
        {"a\r\nb\r\n", 2, "b"},
        {"a  \r\nb c \n", 2, "b c"},
        {"n01440764\ttench\nn01443537\tgold fish\n", 2, "gold fish"},
        {"\xEF\xBB\xBF"
         "first",
         1, "first"},
        {"\xC3\xA9t\xC3\xA9\n\xF0\x9F\x91\xA2", 2, "\xF0\x9F\x91\xA2"},
        {" x ", 1, " x"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        scarlet_error err = {0};
        scarlet_labels *labels = NULL;
        CHECK(load(good[i].text, strlen(good[i].text), &labels, &err) == SCARLET_OK);
        CHECK_TEXT(err.message, "");
        CHECK(scarlet_labels_count(labels) == good[i].count);
        CHECK_TEXT(scarlet_labels_get(labels, (int32_t)good[i].count - 1), good[i].last);
        CHECK(!scarlet_labels_get(labels, (int32_t)good[i].count));
        CHECK(!scarlet_labels_get(labels, -1));
        scarlet_labels_free(labels);
    }
}

static void bad_labels(void)
{
#define TEXT(s) s, sizeof s - 1
    static const struct {
        const char *text;
        size_t size;
        const char *message;
    } bad[] = {
        {TEXT(""), "empty; expected a class name a line"},
        {TEXT("\xEF\xBB\xBF"), "empty; expected a class name a line"},
        {TEXT("\n"), "line 1 is empty"},
        {TEXT("a\n\nb\n"), "line 2 is empty"},
        {TEXT("a\nb\n\n"), "line 3 is empty"},
        {TEXT("a\r\n\r\n"), "line 2 is empty"},
        {TEXT("a\nn01\t\n"), "line 2 has no name after its tab"},
        {TEXT("a\tb\tc"), "line 1 has more than one tab; expected a name, or \"wnid<TAB>name\""},
        {TEXT("ok\nred\x1B[31m"), "line 2 holds a control character"},
        {TEXT("a\rb"), "line 1 holds a control character"},
        {TEXT("a\nb\xFF"), "not a UTF-8 text: byte 3 is 0xff; expected a class name a line"},
        {TEXT("ab\0c\xFF"), "not a UTF-8 text: byte 2 is 0x00; expected a class name a line"},
    };
#undef TEXT
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char message[256];
        scarlet_error err = {0};
        scarlet_labels *labels = (scarlet_labels *)&err;
        CHECK(load(bad[i].text, bad[i].size, &labels, &err) == SCARLET_ERROR_FORMAT);
        CHECK(!labels);
        snprintf(message, sizeof message, "%s: %s", path, bad[i].message);
        CHECK_TEXT(err.message, message);
    }
}

static void many_labels(void)
{
    enum { MOST = 1000000 };
    char *text = malloc(2 * (MOST + 1)), message[256];
    for (size_t i = 0; i <= MOST; i++)
        memcpy(text + 2 * i, "x\n", 2);
    scarlet_error err = {0};
    scarlet_labels *labels = NULL;
    CHECK(load(text, 2 * MOST, &labels, &err) == SCARLET_OK);
    CHECK(scarlet_labels_count(labels) == MOST);
    scarlet_labels_free(labels);
    CHECK(load(text, 2 * MOST + 1, &labels, &err) == SCARLET_ERROR_LIMIT);
    snprintf(message, sizeof message, "%s: 1000001 lines, at most 1000000 are read", path);
    CHECK_TEXT(err.message, message);
    CHECK(!labels);
    free(text);
}

static void misused_labels(void)
{
    scarlet_error err = {0};
    scarlet_labels *labels = (scarlet_labels *)&err;
    CHECK(scarlet_labels_load("/tmp", &labels, &err) == SCARLET_ERROR_IO);
    CHECK_TEXT(err.message, "/tmp: a directory, not a regular file");
    CHECK(!labels);
    CHECK(scarlet_labels_load("/no/such", &labels, &err) == SCARLET_ERROR_IO);
    CHECK_TEXT(err.message, "/no/such: No such file or directory");
    CHECK(scarlet_labels_load(NULL, &labels, &err) == SCARLET_ERROR_ARGUMENT);
    CHECK_TEXT(err.message, "path is NULL");
    CHECK(scarlet_labels_load(path, NULL, &err) == SCARLET_ERROR_ARGUMENT);
    CHECK_TEXT(err.message, "out is NULL");
    CHECK(scarlet_labels_load(path, NULL, NULL) == SCARLET_ERROR_ARGUMENT);
    CHECK(scarlet_labels_builtin("cifar", &labels, &err) == SCARLET_ERROR_ARGUMENT);
    CHECK_TEXT(err.message, "no compiled-in labels \"cifar\"; there is \"imagenet-1k\"");
    CHECK(scarlet_labels_builtin(NULL, &labels, &err) == SCARLET_ERROR_ARGUMENT);
    CHECK_TEXT(err.message, "name is NULL");
    CHECK(scarlet_labels_builtin("imagenet-1k", NULL, &err) == SCARLET_ERROR_ARGUMENT);
    CHECK(scarlet_labels_count(NULL) == 0);
    CHECK(!scarlet_labels_get(NULL, 0));
    scarlet_labels_free(NULL);
}

/* Each allocation of loading fails once; the last round has none left to fail. */
static size_t allowed;

static bool gate(size_t size)
{
    (void)size;
    return allowed && allowed--;
}

static void starved_labels(void)
{
    size_t round = 0;
    scarlet_status status = SCARLET_ERROR_MEMORY;
    scarlet__alloc_gate = gate;
    for (; status == SCARLET_ERROR_MEMORY && round < 100; round++) {
        scarlet_labels *labels;
        allowed = round;
        status = load("a\nb\n", 4, &labels, NULL);
        CHECK((status == SCARLET_OK) == (labels != NULL));
        scarlet_labels_free(labels);
    }
    CHECK(status == SCARLET_OK && round > 3);
    allowed = 0;
    scarlet_labels *labels;
    CHECK(scarlet_labels_builtin("imagenet-1k", &labels, NULL) == SCARLET_ERROR_MEMORY && !labels);
    scarlet__alloc_gate = NULL;
}

/* The compiled-in names are those of the file they are made from. */
static void imagenet(const char *tsv)
{
    scarlet_labels *builtin, *file;
    CHECK(scarlet_labels_builtin("imagenet-1k", &builtin, NULL) == SCARLET_OK);
    CHECK(scarlet_labels_load(tsv, &file, NULL) == SCARLET_OK);
    CHECK(scarlet_labels_count(builtin) == 1000 && scarlet_labels_count(file) == 1000);
    for (int32_t i = 0; i < 1000; i++)
        CHECK_TEXT(scarlet_labels_get(builtin, i), scarlet_labels_get(file, i));
    CHECK_TEXT(scarlet_labels_get(builtin, 0), "tench");
    CHECK_TEXT(scarlet_labels_get(builtin, 282), "tiger cat");
    CHECK_TEXT(scarlet_labels_get(builtin, 607), "jack-o'-lantern");
    CHECK_TEXT(scarlet_labels_get(builtin, 999), "toilet tissue");
    scarlet_labels_free(builtin);
    scarlet_labels_free(file);
}

/* ---- UTF-8 ---- */

static void utf8(void)
{
    static const struct {
        const char *text;
        size_t good;
    } cases[] = {
        {"", 0},
        {"plain", 5},
        {"\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", 18},
        {"a\x80", 1},             /* a continuation byte by itself */
        {"a\xC1\xBF", 1},         /* overlong */
        {"a\xE0\x9F\xBF", 1},     /* overlong */
        {"a\xF0\x8F\xBF\xBF", 1}, /* overlong */
        {"a\xED\xA0\x80", 1},     /* surrogate */
        {"a\xED\x9F\xBF", 4},     /* the last before the surrogates */
        {"a\xF4\x90\x80\x80", 1}, /* past U+10FFFF */
        {"a\xF5\x80\x80\x80", 1},
        {"ab\xC3", 2}, /* cut */
        {"ab\xE2\x82", 2},
        {"ab\xF0\x9F\x91", 2},
        {"ab\xC3(", 2},
        {"ab\xE2\x82(", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (!CHECK(scarlet__utf8_check(cases[i].text, strlen(cases[i].text)) == cases[i].good))
            fprintf(stderr, "    case %zu\n", i);
    CHECK(scarlet__utf8_check("a\0b", 3) == 3);
}

int main(int argc, char **argv)
{
    if (argc != 2 || close(mkstemp(path)) != 0)
        return EXIT_FAILURE;
    softmax();
    topk();
    good_labels();
    bad_labels();
    many_labels();
    misused_labels();
    starved_labels();
    imagenet(argv[1]);
    utf8();
    unlink(path);
    return test_result();
}
