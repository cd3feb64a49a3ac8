/* Options: the table, set, parse, normalization, log. */
#include <math.h>

#include "options/options.h"
#include "test.h"

static void table(void)
{
    size_t rows = 0;
    const char *name, *help;
    int64_t min, max, dflt;
    scarlet_option key;
    while (scarlet_option_describe(rows, &key, &name, &min, &max, &dflt, &help) == SCARLET_OK) {
        CHECK(min <= max && *name && *help);
        CHECK(dflt <= max);
        rows++;
    }
    CHECK(rows >= 15);
    CHECK(scarlet_option_describe(0, NULL, NULL, NULL, NULL, NULL, NULL) == SCARLET_OK);
    CHECK_TEXT(scarlet_option_value_name(SCARLET_OPT_LAYOUT, 1), "nhwc");
    CHECK_TEXT(scarlet_option_value_name(SCARLET_OPT_LAYOUT, 2), NULL);
    CHECK_TEXT(scarlet_option_value_name(SCARLET_OPT_THREADS, 1), NULL);
}

static void parse(void)
{
    scarlet_error err = {0};
    scarlet_options *o = scarlet_options_create();
    int64_t v;
    CHECK(scarlet_options_parse(o, " threads = 4, layout=nhwc,isa_max=avx2 ,,", &err) == 0);
    CHECK(scarlet_options_get(o, SCARLET_OPT_THREADS, &v, NULL) == 0 && v == 4);
    CHECK(scarlet__option(o, SCARLET_OPT_LAYOUT) == SCARLET_LAYOUT_NHWC);
    CHECK(scarlet__option(o, SCARLET_OPT_ISA_MAX) == SCARLET_ISA_AVX2);
    CHECK(!scarlet__option_set(o, SCARLET_OPT_CROP, &v));

    static const struct {
        const char *text, *message;
    } bad[] = {
        {"threads=2,crop=0", "option crop: 0 is not between 1 and 4096"},
        {"threads=2,nothing=1", "unknown option \"nothing\""},
        {"threads=2,threads", "option \"threads\": expected name=value"},
        {"threads=two", "option threads: \"two\" is not an integer"},
        {"threads=", "option threads: \"\" is not an integer"},
        {"threads=99999999999999999999",
         "option threads: \"99999999999999999999\" is not an integer"},
        {"layout=x", "option layout: \"x\" is not one of nchw, nhwc"},
        {"precision=int4", "option precision: \"int4\" is not one of f32, int16, int8"},
        {"mean=1:2", "option mean: \"1:2\" is not three numbers, or one for all"},
        {"mean=1:2:3:4", "option mean: \"1:2:3:4\" is not three numbers, or one for all"},
        {"mean=1:2:nan", "option mean: \"1:2:nan\" is not three numbers, or one for all"},
        {"mean=1,2", "option mean: \"1,2\" is not three numbers, or one for all"},
        {"mean=1,2:3", "option mean: \"1,2:3\" is not three numbers, or one for all"},
        {"mean=1,2,,3", "option mean: \"1,2\" is not three numbers, or one for all"},
        {"mean=", "option mean: \"\" is not three numbers, or one for all"},
        {"threads=2,3", "option threads: \"2,3\" is not an integer"},
        {"std=1:0:1", "normalization: mean must be finite and std finite and above 0"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(scarlet_options_parse(o, bad[i].text, &err) == SCARLET_ERROR_ARGUMENT);
        CHECK_TEXT(err.message, bad[i].message);
        CHECK(scarlet__option(o, SCARLET_OPT_THREADS) == 4); /* all or nothing */
    }
    float mean[3] = {9, 9, 9}, std[3] = {9, 9, 9};
    CHECK(!scarlet__option_normalization(o, mean, std) && mean[0] == 9);
    CHECK(scarlet_options_parse(o, "mean=0.5:-0.25:1e-1", NULL) == 0);
    CHECK(scarlet__option_normalization(o, mean, std));
    CHECK(mean[0] == 0.5f && mean[1] == -0.25f && mean[2] == 0.1f && std[2] == 0.225f);
    CHECK(scarlet_options_parse(o, "mean=.5, -1 ,2 , std = 0.25,threads=3", NULL) == 0);
    CHECK(scarlet__option_normalization(o, mean, std));
    CHECK(mean[0] == 0.5f && mean[1] == -1 && mean[2] == 2 && std[0] == 0.25f && std[2] == 0.25f);
    CHECK(scarlet__option(o, SCARLET_OPT_THREADS) == 3);
    CHECK(scarlet_options_parse(NULL, "", NULL) == SCARLET_ERROR_ARGUMENT);
    CHECK(scarlet_options_parse(o, NULL, NULL) == SCARLET_ERROR_ARGUMENT);
    scarlet_options_free(o);
    scarlet_options_free(NULL);
}

static void set(void)
{
    scarlet_error err = {0};
    scarlet_options *o = scarlet_options_create();
    CHECK(scarlet_options_set(o, SCARLET_OPT_BATCH_MAX, 8, NULL) == SCARLET_OK);
    CHECK(scarlet_options_set(o, SCARLET_OPT_BATCH_MAX, 0, &err) == SCARLET_ERROR_ARGUMENT);
    CHECK_TEXT(err.message, "option batch_max: 0 is not between 1 and 4096");
    CHECK(err.status == SCARLET_ERROR_ARGUMENT);
    CHECK(scarlet_options_set(o, (scarlet_option)77, 0, &err) == SCARLET_ERROR_ARGUMENT);
    CHECK_TEXT(err.message, "unknown option key 77");
    CHECK(scarlet__option(o, SCARLET_OPT_BATCH_MAX) == 8);
    const float mean[3] = {0, 0, 0}, good[3] = {1, 1, 1}, bad[3] = {1, NAN, 1};
    CHECK(scarlet_options_set_normalization(o, mean, good, NULL) == SCARLET_OK);
    CHECK(scarlet_options_set_normalization(o, mean, bad, NULL) == SCARLET_ERROR_ARGUMENT);
    CHECK(scarlet_options_set_normalization(o, NULL, good, &err) == SCARLET_ERROR_ARGUMENT);
    CHECK_TEXT(err.message, "mean is NULL");
    scarlet_options_free(o);
}

static char logged[64];

static void keep(void *user, int32_t level, const char *line)
{
    snprintf(logged, sizeof logged, "%s %d %s", (const char *)user, (int)level, line);
}

static void log_lines(void)
{
    scarlet_options *o = scarlet_options_create();
    char user[] = "me";
    scarlet__log(o, SCARLET__LOG_ERROR, "no listener");
    CHECK(scarlet_options_set_log(o, keep, user, 2) == SCARLET_OK);
    scarlet__log(o, SCARLET__LOG_INFO, "too fine");
    CHECK_TEXT(logged, "");
    scarlet__log(o, SCARLET__LOG_WARNING, "line %d", 7);
    CHECK_TEXT(logged, "me 2 line 7");
    scarlet_options_free(o);
}

int main(void)
{
    table();
    parse();
    set();
    log_lines();
    return test_result();
}
