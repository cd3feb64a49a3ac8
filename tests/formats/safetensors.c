/* safetensors: good files, one hand-made file for each false claim, and writing. */
#include "formats/safetensors_write.h"

#include <unistd.h>

#include "common/error.h"
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
        {"{", 0, "corrupt: data in memory: safetensors header, byte 9: expected a string"},
        {"{" A, 8, "corrupt: data in memory: safetensors header, byte 61: expected ',' or '}'"},
        {"{" A ",}", 8, "corrupt: data in memory: safetensors header, byte 62: expected a string"},
        {"{" A "} x", 8, "corrupt: data in memory: safetensors header, byte 63: expected the end"},
        {"{\"a\" 1}", 8, "corrupt: data in memory: safetensors header, byte 13: expected ':'"},
        {"{\"a\":1}", 8, "corrupt: data in memory: safetensors header, byte 13: expected '{'"},
        {"{\"a\xFF\":1}", 8, "corrupt: data in memory: safetensors header, byte 11: not UTF-8"},
        {"{\"a\\u0000\":1}", 8,
         "corrupt: data in memory: safetensors header, byte 17: a string holds a NUL character"},
        {"{\"a\":{\"shape\":[[[[[[[[", 8,
         "corrupt: data in memory: safetensors header, byte 23: expected an unsigned integer"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}", 8,
         "corrupt: data in memory: safetensors header, byte 38: expected ',' or ']'"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8,
         "corrupt: data in memory: safetensors header, byte 37: expected an unsigned integer"},
        {"{\"a\":{\"dtype\":4,\"shape\":[2],\"data_offsets\":[0,8]}}", 8,
         "corrupt: data in memory: safetensors header, byte 22: expected a string"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,9]}}", 8,
         "corrupt: data in memory: safetensors header, byte 59: expected ',' or ']'"},
        {"{\"__metadata__\":{\"a\":1}}", 0,
         "corrupt: data in memory: safetensors header, byte 29: expected a string"},
        {"{\"__metadata__\":{\"a\":null}}", 0,
         "corrupt: data in memory: safetensors header, byte 29: expected a string"},
        {"{\"__metadata__\":{},\"__metadata__\":{}}", 0,
         "corrupt: data in memory: safetensors header, byte 42: __metadata__ occurs twice"},
        {"{\"__metadata__\":{\"k\":\"1\",\"j\":\"\",\"k\":\"2\"}}", 0,
         "corrupt: data in memory: metadata k occurs twice"},

        /* the fields */
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8,
         "corrupt: data in memory: tensor a: dtype, shape or data_offsets is missing"},
        {"{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8,
         "corrupt: data in memory: tensor a: dtype, shape or data_offsets is missing"},
        {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8,
         "corrupt: data in memory: tensor a: a second field \"dtype\""},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"offsets\":[0,8]}}", 8,
         "corrupt: data in memory: tensor a: unknown field \"offsets\""},
        {"{\"a\":{\"dtype\":\"F8_E5M2\",\"shape\":[2],\"data_offsets\":[0,2]}}", 2,
         "unsupported: data in memory: tensor a: element type F8_E5M2 is not supported"},
        {"{\"a\":{\"dtype\":\"f32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8,
         "unsupported: data in memory: tensor a: element type f32 is not supported"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,1]}}", 1,
         "corrupt: data in memory: safetensors header, byte 52: more than 8 dimensions"},

        /* sizes and places */
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8,
         "corrupt: data in memory: tensor a: F32 [3] takes 12 bytes, but its place is 0 to 8"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8,
         "corrupt: data in memory: tensor a: F32 [2] takes 8 bytes, but its place is 8 to 0"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[18446744073709551612,4]}}", 8,
         "corrupt: data in memory: tensor a: F32 [2] takes 8 bytes, but its place is "
         "18446744073709551612 to 4"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0,
         "corrupt: data in memory: tensor a: its size overflows"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}}", 0,
         "corrupt: data in memory: tensor a: its size overflows"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[9223372036854775808],\"data_offsets\":[0,0]}}", 0,
         "corrupt: data in memory: safetensors header, byte 55: a dimension above 2^63"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[18446744073709551616],\"data_offsets\":[0,0]}}", 0,
         "corrupt: data in memory: safetensors header, byte 55: a number above 2^64"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1152921504606846976],"
         "\"data_offsets\":[0,1152921504606846976]}}",
         1,
         "corrupt: data in memory: cut short: the tensors take 1152921504606846976 bytes, the file "
         "has 1 for them"},
        {"{" A "}", 7,
         "corrupt: data in memory: cut short: the tensors take 8 bytes, the file has 7 for them"},
        {"{" A "}", 9,
         "corrupt: data in memory: the tensors take 8 bytes, the file has 9 for them"},
        {"{}", 1, "corrupt: data in memory: the tensors take 0 bytes, the file has 1 for them"},
        {"{" A "," A "}", 8,
         "corrupt: data in memory: tensor a: begins at byte 0 of the data, the one "
         "before ends at 8"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12,
         "corrupt: data in memory: tensor a: begins at byte 4 of the data, the one before ends at "
         "0"},
        {"{" A ",\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[7,8]}}", 8,
         "corrupt: data in memory: tensor b: begins at byte 7 of the data, the one before ends at "
         "8"},
        {"{" A ",\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[9,10]}}", 10,
         "corrupt: data in memory: tensor b: begins at byte 9 of the data, the one before ends at "
         "8"},
        {"{" A ",\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[8,9]}}", 9,
         "corrupt: data in memory: tensor a occurs twice"},
        {"{" A ",\"b\":{\"dtype\":\"U8\",\"shape\":[1073741824],\"data_offsets\":[8,1073741832]}}",
         9,
         "corrupt: data in memory: cut short: the tensors take 1073741832 bytes, the file has 9 "
         "for them"},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        file f = safetensors(row[i].header, row[i].bytes);
        CHECK_TEXT(outcome(&f), row[i].message);
    }
    file f = {.size = 0};
    add_number(&f, 100, 8);
    add_text(&f, "{}");
    CHECK_TEXT(outcome(&f),
               "corrupt: data in memory: cut short: safetensors header of 100 bytes, the file "
               "has 2 after byte 8");
    f.size = 0;
    add_number(&f, UINT64_MAX, 8);
    add_text(&f, "{}");
    CHECK_TEXT(outcome(&f),
               "corrupt: data in memory: safetensors header of 18446744073709551615 bytes, "
               "the format allows 100000000");
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
    static const char *const message[] = {"data in memory: more than 65536 tensors",
                                          "data in memory: more than 65536 metadata entries"};
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
    CHECK_TEXT(err.message,
               "data in memory: its tensors take more than 7 bytes (option max_bytes)");
}

/* ---- writing ---- */

/* Values of the test's entries, as a training program has them: in arrays. */
static const float VALUES_B[2] = {1.5f, -2.25f}, VALUES_H[2] = {1, 0x1p-24f};
static const uint16_t VALUES_A[2] = {0x7BFF, 0xAE66};
static const int64_t VALUE_N = -1;
static const void *const VALUES[] = {VALUES_H, &VALUE_N, VALUES_B, VALUES_A};
static const scarlet__entry ENTRIES[] = {
    {.name = "h", .dtype = SCARLET__F32, .rank = 1, .shape = {2}},
    {.name = "n", .dtype = SCARLET__I64},
    {.name = "b\n", .dtype = SCARLET__F32, .rank = 2, .shape = {1, 2}},
    {.name = "a", .dtype = SCARLET__F16, .rank = 1, .shape = {2}},
};

static scarlet_status copy(void *user, size_t index, uint64_t first, size_t count, void *out,
                           scarlet_error *err)
{
    const size_t *refused = user, size = scarlet__dtype_size(ENTRIES[index].dtype);
    if (index == *refused)
        return scarlet__fail(err, SCARLET_ERROR_UNSUPPORTED, "refused");
    memcpy(out, (const char *)VALUES[index] + first * size, count * size);
    return SCARLET_OK;
}

/* Memory receives what a file does. */
static void same_in_memory(const scarlet__contents *contents, const char *target)
{
    scarlet__output memory;
    scarlet__source source;
    uint8_t *data;
    size_t size;
    scarlet__output_memory(&memory);
    CHECK(scarlet__safetensors_put(&memory, "memory", contents, NULL) == SCARLET_OK);
    CHECK(scarlet__source_open(target, &source, NULL) == SCARLET_OK);
    CHECK(scarlet__source_read_all(&source, 4096, &data, &size, NULL) == SCARLET_OK);
    CHECK(size == memory.size && memcmp(data, memory.data, size) == 0);
    scarlet__free(data);
    scarlet__source_close(&source);
    scarlet__output_abandon(&memory);
    CHECK(!memory.data);
}

static scarlet_status write_file(const char *target, size_t refused, scarlet_error *err)
{
    static const char *const KEY[] = {"scarlet.format", "\""}, *const VALUE[] = {"1", "\xC3\xA9"};
    const scarlet__contents contents = {.key = KEY,
                                        .value = VALUE,
                                        .metadata_count = 2,
                                        .entry = ENTRIES,
                                        .count = 4,
                                        .elements = copy,
                                        .user = &refused};
    scarlet_status status = scarlet__safetensors_write(target, &contents, err);
    if (status == SCARLET_OK)
        same_in_memory(&contents, target);
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
    if (!CHECK(write_file(target, SIZE_MAX, &err) == SCARLET_OK))
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
    scarlet__tensors_free(t);
    scarlet__source_close(&source);
    unlink(target);
}

/* Elements k, k + 1, ... of one tensor that takes many pieces. */
static scarlet_status ramp(void *user, size_t index, uint64_t first, size_t count, void *out,
                           scarlet_error *err)
{
    uint64_t *next = user;
    int32_t *element = out;
    (void)index, (void)err;
    CHECK(first == *next && count * sizeof *element <= SCARLET__PIECE);
    for (size_t i = 0; i < count; i++)
        element[i] = (int32_t)(first + i);
    *next += count;
    return SCARLET_OK;
}

static void large(const char *target)
{
    enum { COUNT = 100003 };
    const scarlet__entry entry = {.name = "r", .dtype = SCARLET__I32, .rank = 1, .shape = {COUNT}};
    uint64_t next = 0;
    scarlet__contents contents = {.entry = &entry, .count = 1, .elements = ramp, .user = &next};
    scarlet_error err = {0};
    scarlet__source source;
    scarlet__tensors *t;
    CHECK(scarlet__safetensors_write(target, &contents, &err) == SCARLET_OK && next == COUNT);
    CHECK(scarlet__source_open(target, &source, &err) == SCARLET_OK);
    if (CHECK(scarlet__tensors_open(&source, 1 << 20, &t, &err) == SCARLET_OK)) {
        double value[COUNT];
        CHECK(scarlet__tensor_read_f64(t, t->tensor, 0, COUNT, value, &err) == SCARLET_OK);
        for (int i = 0; i < COUNT; i++)
            CHECK(value[i] == i);
        scarlet__tensors_free(t);
    }
    scarlet__source_close(&source);
    unlink(target);

    const scarlet__entry endless = {
        .name = "e", .dtype = SCARLET__F64, .rank = 2, .shape = {INT64_MAX, INT64_MAX}};
    contents.entry = &endless;
    CHECK(scarlet__safetensors_write(target, &contents, &err) == SCARLET_ERROR_LIMIT);
    CHECK(access(target, F_OK) != 0);
}

/* A failure leaves nothing behind. */
static void not_writing(const char *target)
{
    scarlet_error err = {0};
    for (size_t i = 0; i < 4; i++) {
        CHECK(write_file(target, i, &err) == SCARLET_ERROR_UNSUPPORTED);
        CHECK_TEXT(err.message, "refused");
        CHECK(access(target, F_OK) != 0);
    }
    CHECK(write_file("/nonexistent/x", SIZE_MAX, &err) == SCARLET_ERROR_IO);
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
    large(target);
    not_writing(target);
    CHECK(rmdir(folder) == 0); /* so no temporary file is left */
    return test_result();
}
