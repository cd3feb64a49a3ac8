/* The JSON reader and writer. */
#include "formats/json.h"

#include "common/memory.h"
#include "test.h"

static char *copy(const char *text, scarlet__json *json)
{
    char *data = scarlet__strdup(text);
    *json = (scarlet__json){.text = data, .length = strlen(text)};
    return data;
}

/* Strings that are read, and what they decode to. */
static void strings(void)
{
    static const char *const good[][2] = {
        {"\"\"", ""},
        {"  \"a b\"", "a b"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"", "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
        {"\"\\uD800\\uDC00\\uDBFF\\uDFFF\"", "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"},
        {"\"\xC3\xA9\"", "\xC3\xA9"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        scarlet__json json;
        char *string = NULL, *data = copy(good[i][0], &json);
        CHECK(scarlet__json_string(&json, &string));
        CHECK_TEXT(string, good[i][1]);
        CHECK(scarlet__json_end(&json));
        scarlet__free(data);
    }
    static const struct {
        const char *text, *problem;
        size_t at;
    } bad[] = {
        {"", "expected a string", 0},
        {" a", "expected a string", 1},
        {"\"abc", "a string without an end", 4},
        {"\"abc\\", "a string without an end", 5},
        {"\"\\x\"", "unknown escape", 2},
        {"\"a\nb\"", "control character in a string", 2},
        {"\"\\u00", "expected four hexadecimal digits", 3},
        {"\"\\u00g0\"", "expected four hexadecimal digits", 5},
        {"\"\\u0000\"", "a string holds a NUL character", 7},
        {"\"\\ud83d\"", "half of a surrogate pair", 7},
        {"\"\\ud83dx\\u0041\"", "half of a surrogate pair", 7},
        {"\"\\ud83d\\u0041\"", "half of a surrogate pair", 13},
        {"\"\\ude00\\ud83d\"", "half of a surrogate pair", 7},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        scarlet__json json;
        char *string, *data = copy(bad[i].text, &json);
        CHECK(!scarlet__json_string(&json, &string));
        CHECK_TEXT(json.problem, bad[i].problem);
        CHECK(json.at == bad[i].at);
        scarlet__free(data);
    }
}

static void numbers(void)
{
    static const struct {
        const char *text, *problem;
        uint64_t value;
    } row[] = {
        {"0", NULL, 0},
        {" 42,", NULL, 42},
        {"18446744073709551615", NULL, UINT64_MAX},
        {"18446744073709551616", "a number above 2^64", 0},
        {"99999999999999999999999", "a number above 2^64", 0},
        {"007", "a number with a leading 0", 0},
        {"-1", "expected an unsigned integer", 0},
        {"+1", "expected an unsigned integer", 0},
        {"true", "expected an unsigned integer", 0},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        scarlet__json json;
        uint64_t value;
        char *data = copy(row[i].text, &json);
        CHECK(scarlet__json_unsigned(&json, &value) == !row[i].problem);
        CHECK_TEXT(json.problem, row[i].problem);
        CHECK(row[i].problem || value == row[i].value);
        scarlet__free(data);
    }
}

static void tokens(void)
{
    scarlet__json json;
    char *data = copy(" \t\r\n{ } x", &json);
    CHECK(!scarlet__json_take(&json, '['));
    CHECK(scarlet__json_take(&json, '{'));
    CHECK(scarlet__json_expect(&json, '}'));
    CHECK(!scarlet__json_expect(&json, ':') && json.at == 8);
    CHECK_TEXT(json.problem, "expected ':'");
    CHECK(!scarlet__json_end(&json));
    scarlet__free(data);
    data = copy("1.5", &json); /* fractions are nothing this grammar knows */
    uint64_t value;
    CHECK(scarlet__json_unsigned(&json, &value) && !scarlet__json_expect(&json, ']'));
    CHECK_TEXT(json.problem, "expected ',' or ']'");
    scarlet__free(data);
}

static void lists(void)
{
    size_t count;
    const char *problem;
    char **list = scarlet__json_strings("[\"\",\"\",\"\",\"b\\u0063\"]", &count, &problem);
    CHECK(list && count == 4 && !problem);
    if (list)
        CHECK_TEXT(list[3], "bc");
    scarlet__free(list);
    list = scarlet__json_strings(" [ ] ", &count, &problem);
    CHECK(list && count == 0);
    scarlet__free(list);
    static const char *const bad[][2] = {
        {"", "expected '['"},
        {"[\"a\"", "expected ',' or ']'"},
        {"[\"a\",]", "expected a string"},
        {"[\"a\" \"b\"]", "expected ',' or ']'"},
        {"[[\"a\"]]", "expected a string"},
        {"[\"\",\"\",\"\",\"", "a string without an end"},
        {"[\"a\"] 1", "expected the end"},
        {"[\"\xC0\"]", "not UTF-8"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(!scarlet__json_strings(bad[i][0], &count, &problem) && count == 0);
        CHECK_TEXT(problem, bad[i][1]);
    }
}

static void writing(void)
{
    scarlet__text text = {0};
    scarlet__text_put_string(&text, "a\"b\\c\n\x01\xC3\xA9");
    scarlet__text_put(&text, ":");
    scarlet__text_put_unsigned(&text, UINT64_MAX);
    CHECK_TEXT(text.data, "\"a\\\"b\\\\c\\u000a\\u0001\xC3\xA9\":18446744073709551615");
    CHECK(text.length == strlen(text.data) && !text.failed);
    scarlet__free(text.data);
    text = (scarlet__text){0};
    for (int i = 0; i < 1000; i++)
        scarlet__text_put(&text, "0123456789");
    CHECK(text.length == 10000 && strlen(text.data) == 10000);
    scarlet__free(text.data);
}

static bool refuse(size_t size)
{
    (void)size;
    return false;
}

static void out_of_memory(void)
{
    size_t count;
    const char *problem;
    scarlet__text text = {0};
    scarlet__alloc_gate = refuse;
    CHECK(!scarlet__json_strings("[\"a\"]", &count, &problem) && !problem);
    scarlet__text_put(&text, "a");
    CHECK(text.failed);
    scarlet__alloc_gate = NULL;
    scarlet__text_put(&text, "a");
    CHECK(text.failed && !text.data); /* for good */
}

int main(void)
{
    strings();
    numbers();
    tokens();
    lists();
    writing();
    out_of_memory();
    return test_result();
}
