/* safetensors: good files, one hand-made file per lie, and writing. */
#include "formats/safetensors_write.h"

#include <unistd.h>

#include "files.h"
#include "formats/sort.h"

#define A "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}"

static void good(void)
{
    static const struct {
        const char *header;
        size_t bytes;
    } row[] = {
        {"{}", 0},
        {"{ }   ", 0},
        {"{" A "}", 8},
        {"{" A "}         \n", 8},
        {"{\"__metadata__\":{}," A "}", 8},
        {"{" A ",\"__metadata__\":{\"k\":\"v\",\"\":\"\"}}", 8},
        /* any order of names and fields; scalars and empty tensors */
        {"{\"b\":{\"shape\":[],\"data_offsets\":[8,16],\"dtype\":\"I64\"}," A "}", 16},
        {"{" A ",\"e\":{\"dtype\":\"F16\",\"shape\":[3,0,9],\"data_offsets\":[8,8]}}", 8},
        {"{\"e\":{\"dtype\":\"F16\",\"shape\":[0],\"data_offsets\":[0,0]}," A "}", 8},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1],\"data_offsets\":[0,1]}}", 1},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        file f = safetensors(row[i].header, row[i].bytes);
        CHECK_TEXT(outcome(&f), "ok: ");
    }
}

static void lies(void)
{
    static const struct {
        const char *header;
        size_t bytes;
        const char *message;
    } row[] = {
        /* the JSON */
        {"{", 0, "corrupt: memory: safetensors header, byte 9: expected a string"},
        {"{" A, 8, "corrupt: memory: safetensors header, byte 61: expected ',' or '}'"},
        {"{" A ",}", 8, "corrupt: memory: safetensors header, byte 62: expected a string"},
        {"{" A "} x", 8, "corrupt: memory: safetensors header, byte 63: expected the end"},
        {"{\"a\" 1}", 8, "corrupt: memory: safetensors header, byte 13: expected ':'"},
        {"{\"a\":1}", 8, "corrupt: memory: safetensors header, byte 13: expected '{'"},
        {"{\"a\xFF\":1}", 8, "corrupt: memory: safetensors header, byte 11: not UTF-8"},
        {"{\"a\\u0000\":1}", 8,
         "corrupt: memory: safetensors header, byte 17: a string holds a NUL character"},
        {"{\"a\":{\"shape\":[[[[[[[[", 8,
         "corrupt: memory: safetensors header, byte 23: expected an unsigned integer"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}", 8,
         "corrupt: memory: safetensors header, byte 38: expected ',' or ']'"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8,
         "corrupt: memory: safetensors header, byte 37: expected an unsigned integer"},
        {"{\"a\":{\"dtype\":4,\"shape\":[2],\"data_offsets\":[0,8]}}", 8,
         "corrupt: memory: safetensors header, byte 22: expected a string"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,9]}}", 8,
         "corrupt: memory: safetensors header, byte 59: expected ',' or ']'"},
        {"{\"__metadata__\":{\"a\":1}}", 0,
         "corrupt: memory: safetensors header, byte 29: expected a string"},
        {"{\"__metadata__\":{\"a\":null}}", 0,
         "corrupt: memory: safetensors header, byte 29: expected a string"},
        {"{\"__metadata__\":{},\"__metadata__\":{}}", 0,
         "corrupt: memory: safetensors header, byte 42: __metadata__ occurs twice"},
        {"{\"__metadata__\":{\"k\":\"1\",\"j\":\"\",\"k\":\"2\"}}", 0,
         "corrupt: memory: metadata k occurs twice"},

        /* the fields */
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8,
         "corrupt: memory: tensor a: dtype, shape or data_offsets is missing"},
        {"{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8,
         "corrupt: memory: tensor a: dtype, shape or data_offsets is missing"},
        {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8,
         "corrupt: memory: tensor a: a second field \"dtype\""},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"offsets\":[0,8]}}", 8,
         "corrupt: memory: tensor a: unknown field \"offsets\""},
        {"{\"a\":{\"dtype\":\"F8_E5M2\",\"shape\":[2],\"data_offsets\":[0,2]}}", 2,
         "unsupported: memory: tensor a: element type F8_E5M2 is not supported"},
        {"{\"a\":{\"dtype\":\"f32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8,
         "unsupported: memory: tensor a: element type f32 is not supported"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,1]}}", 1,
         "corrupt: memory: safetensors header, byte 52: more than 8 dimensions"},

        /* sizes and places */
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8,
         "corrupt: memory: tensor a: F32 [3] takes 12 bytes, but its place is 0 to 8"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8,
         "corrupt: memory: tensor a: F32 [2] takes 8 bytes, but its place is 8 to 0"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[18446744073709551612,4]}}", 8,
         "corrupt: memory: tensor a: F32 [2] takes 8 bytes, but its place is "
         "18446744073709551612 to 4"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0,
         "corrupt: memory: tensor a: its size overflows"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}}", 0,
         "corrupt: memory: tensor a: its size overflows"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[9223372036854775808],\"data_offsets\":[0,0]}}", 0,
         "corrupt: memory: safetensors header, byte 55: a dimension above 2^63"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[18446744073709551616],\"data_offsets\":[0,0]}}", 0,
         "corrupt: memory: safetensors header, byte 55: a number above 2^64"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1152921504606846976],"
         "\"data_offsets\":[0,1152921504606846976]}}",
         1,
         "corrupt: memory: the tensors take 1152921504606846976 bytes, the file has 1 for them "
         "(cut short?)"},
        {"{" A "}", 7,
         "corrupt: memory: the tensors take 8 bytes, the file has 7 for them (cut short?)"},
        {"{" A "}", 9, "corrupt: memory: the tensors take 8 bytes, the file has 9 for them"},
        {"{}", 1, "corrupt: memory: the tensors take 0 bytes, the file has 1 for them"},
        {"{" A "," A "}", 8,
         "corrupt: memory: tensor a: begins at byte 0 of the data, the one "
         "before ends at 8"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12,
         "corrupt: memory: tensor a: begins at byte 4 of the data, the one before ends at 0"},
        {"{" A ",\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[7,8]}}", 8,
         "corrupt: memory: tensor b: begins at byte 7 of the data, the one before ends at 8"},
        {"{" A ",\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[9,10]}}", 10,
         "corrupt: memory: tensor b: begins at byte 9 of the data, the one before ends at 8"},
        {"{" A ",\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[8,9]}}", 9,
         "corrupt: memory: tensor a occurs twice"},
        {"{" A ",\"b\":{\"dtype\":\"U8\",\"shape\":[1073741824],\"data_offsets\":[8,1073741832]}}",
         9,
         "corrupt: memory: the tensors take 1073741832 bytes, the file has 9 for them (cut "
         "short?)"},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        file f = safetensors(row[i].header, row[i].bytes);
        CHECK_TEXT(outcome(&f), row[i].message);
    }
    file f = {.size = 0};
    add_number(&f, 100, 8);
    add_text(&f, "{}");
    CHECK_TEXT(outcome(&f),
               "corrupt: memory: safetensors header of 100 bytes, but the file has 2 "
               "behind byte 8 and the format allows 100000000");
    f.size = 0;
    add_number(&f, UINT64_MAX, 8);
    add_text(&f, "{}");
    CHECK_TEXT(outcome(&f),
               "corrupt: memory: safetensors header of 18446744073709551615 bytes, "
               "but the file has 2 behind byte 8 and the format allows 100000000");
}

/* A valid file cut anywhere is refused. */
static void cuts(void)
{
    file whole = safetensors("{\"__metadata__\":{\"k\":\"v\"}," A "}", 8);
    CHECK_TEXT(outcome(&whole), "ok: ");
    for (file f = whole; f.size-- > 0;) {
        scarlet_status status;
        open_message(&f, &status);
        CHECK(status == (f.size < 9 ? SCARLET_ERROR_FORMAT : SCARLET_ERROR_CORRUPT));
    }
}

/* More entries than any checkpoint has are refused before they cost anything. */
static void crowds(void)
{
    static const char *const message[] = {"memory: more than 65536 tensors",
                                          "memory: more than 65536 metadata entries"};
    for (int kind = 0; kind < 2; kind++) {
        for (size_t count = SCARLET__ENTRIES_MAX; count <= SCARLET__ENTRIES_MAX + 1; count++) {
            char *text = malloc(count * 70 + 64);
            if (!text)
                abort();
            size_t at = 8 + (size_t)sprintf(text + 8, kind ? "{\"__metadata__\":{" : "{");
            for (size_t i = 0; i < count; i++)
                at += (size_t)(kind ? sprintf(text + at, "\"%zu\":\"\",", i)
                                    : sprintf(text + at,
                                              "\"%zu\":{\"dtype\":\"U8\",\"shape\":[0],"
                                              "\"data_offsets\":[0,0]},",
                                              i));
            at = at - 1 + (size_t)sprintf(text + at - 1, kind ? "}}" : "}");
            uint64_t length = at - 8;
            memcpy(text, &length, 8);
            scarlet__source source;
            scarlet__tensors *t;
            scarlet_error err = {0};
            scarlet__source_memory(text, at, &source);
            scarlet_status status = scarlet__tensors_open(&source, 1, &t, &err);
            if (count == SCARLET__ENTRIES_MAX) {
                CHECK(status == SCARLET_OK);
            } else {
                CHECK(status == SCARLET_ERROR_LIMIT);
                CHECK_TEXT(err.message, message[kind]);
            }
            scarlet__tensors_free(t);
            free(text);
        }
    }
}

static void limit(void)
{
    file f = safetensors("{" A "}", 8);
    scarlet__source source;
    scarlet__tensors *t;
    scarlet_error err = {0};
    scarlet__source_memory(f.data, f.size, &source);
    CHECK(scarlet__tensors_open(&source, 8, &t, NULL) == SCARLET_OK);
    scarlet__tensors_free(t);
    CHECK(scarlet__tensors_open(&source, 7, &t, &err) == SCARLET_ERROR_LIMIT && !t);
    CHECK_TEXT(err.message, "memory: its tensors take more than 7 bytes (option max_bytes)");
}

/* ---- writing ---- */

static const char header[] =
    "{\"__metadata__\":{\"old\":\"\"},"
    "\"module.h\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[24,28]},"
    "\"module.n\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
    "\"module.b\\n\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[8,16]},"
    "\"module.a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[16,24]}}";

static bool choose(const void *user, const scarlet__tensor *tensor, scarlet__dtype *dtype)
{
    const char *left_out = user;
    *dtype = tensor->dtype == SCARLET__I64    ? SCARLET__I64
             : strcmp(tensor->name, "a") == 0 ? SCARLET__F16
                                              : SCARLET__F32;
    return strcmp(tensor->name, left_out) != 0;
}

static scarlet_status rewrite(const char *target, float largest, int64_t counter,
                              const char *left_out, scarlet_error *err)
{
    file f = safetensors(header, 0);
    const float b[2] = {1.5f, -2.25f}, a[2] = {largest, -0.1f};
    const uint16_t h[2] = {0x3C00, 0x0001};
    add(&f, &counter, 8);
    add(&f, b, 8);
    add(&f, a, 8);
    add(&f, h, 4);
    scarlet__source source;
    scarlet__tensors *t;
    scarlet__source_memory(f.data, f.size, &source);
    CHECK(scarlet__tensors_open(&source, 1 << 20, &t, err) == SCARLET_OK);
    static const char *const key[] = {"scarlet.format", "\""}, *const value[] = {"1", "\xC3\xA9"};
    scarlet_status status =
        scarlet__safetensors_write(target, t, choose, left_out, key, value, 2, err);
    scarlet__tensors_free(t);
    return status;
}

static void writing(const char *target)
{
    static const char expected[] =
        "{\"__metadata__\":{\"scarlet.format\":\"1\",\"\\\"\":\"\xC3\xA9\"},"
        "\"n\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
        "\"b\\u000a\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[8,16]},"
        "\"h\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[16,24]},"
        "\"a\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[24,28]}}";
    scarlet_error err = {0};
    if (!CHECK(rewrite(target, 65519.9f, -1, "", &err) == SCARLET_OK))
        fprintf(stderr, "%s\n", err.message);

    scarlet__source source;
    scarlet__tensors *t;
    uint8_t *data;
    size_t size;
    CHECK(scarlet__source_open(target, &source, &err) == SCARLET_OK);
    CHECK(scarlet__source_read_all(&source, 4096, &data, &size, &err) == SCARLET_OK);
    uint64_t length;
    memcpy(&length, data, 8);
    CHECK(length % 8 == 0 && length < sizeof expected - 1 + 8 && size == 8 + length + 28);
    CHECK(memcmp(data + 8, expected, sizeof expected - 1) == 0);
    for (size_t i = sizeof expected - 1; i < length; i++)
        CHECK(data[8 + i] == ' ');
    scarlet__free(data);

    CHECK(scarlet__tensors_open(&source, 1 << 20, &t, &err) == SCARLET_OK);
    double value[2];
    CHECK(scarlet__tensor_read_f64(t, scarlet__tensors_find(t, "a"), 0, 2, value, &err) == 0);
    CHECK(value[0] == 65504 && value[1] == -0.0999755859375);
    CHECK(scarlet__tensor_read_f64(t, scarlet__tensors_find(t, "h"), 0, 2, value, &err) == 0);
    CHECK(value[0] == 1 && value[1] == 0x1p-24);
    CHECK(scarlet__tensor_read_f64(t, scarlet__tensors_find(t, "n"), 0, 1, value, &err) == 0);
    CHECK(value[0] == -1);
    CHECK_TEXT(scarlet__tensors_metadata(t, "\""), "\xC3\xA9");
    CHECK_TEXT(scarlet__tensors_metadata(t, "old"), NULL);
    CHECK(!scarlet__tensors_find(t, "c"));
    scarlet__tensors_free(t);
    scarlet__source_close(&source);
    unlink(target);
}

/* A failure leaves nothing behind. */
static void not_writing(const char *target)
{
    scarlet_error err = {0};
    char expected[256];
    CHECK(rewrite(target, 65520, 0, "", &err) == SCARLET_ERROR_UNSUPPORTED);
    snprintf(expected, sizeof expected, "%s: tensor a: the value of element 0 does not fit F16",
             target);
    CHECK_TEXT(err.message, expected);
    CHECK(access(target, F_OK) != 0);
    CHECK(rewrite(target, 65520, 0, "a", &err) == SCARLET_OK);
    unlink(target);
    CHECK(rewrite(target, 0, INT64_MAX, "", &err) == SCARLET_ERROR_UNSUPPORTED);
    snprintf(expected, sizeof expected, "%s: tensor n: the value of element 0 does not fit I64",
             target);
    CHECK_TEXT(err.message, expected);
    CHECK(rewrite("/nonexistent/x", 0, 0, "", &err) == SCARLET_ERROR_IO);
    CHECK_TEXT(err.message, "/nonexistent/x: No such file or directory");
}

int main(void)
{
    char folder[] = "/tmp/scarlet-test-XXXXXX", target[64];
    good();
    lies();
    cuts();
    crowds();
    limit();
    if (!CHECK(mkdtemp(folder)))
        return test_result();
    snprintf(target, sizeof target, "%s/x.safetensors", folder);
    writing(target);
    not_writing(target);
    CHECK(rmdir(folder) == 0); /* so no temporary file is left */
    return test_result();
}
