#include "classes.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/installation.h"
#include "common/lines.h"

/* Letters and digits in lower case; bytes above ASCII stay. */
static char *fold(const char *text, size_t length)
{
    char *folded = cli_alloc(length + 1, 1), *to = folded;
    for (size_t i = 0; i < length; i++)
        if (isalnum((unsigned char)text[i]) || (unsigned char)text[i] >= 0x80)
            *to++ = (char)tolower((unsigned char)text[i]);
    return folded;
}

static void add(class_table *c, const char *text, size_t length, int64_t class_id)
{
    c->words = cli_grow(c->words, c->words_count, sizeof *c->words);
    c->words[c->words_count++] =
        (struct class_word){fold(text, length), cli_format("%.*s", (int)length, text), class_id};
}

/* "tench, Tinca tinca" has three words: all of it, and each synonym. */
static void add_name(class_table *c, const char *name, int64_t class_id)
{
    add(c, name, strlen(name), class_id);
    if (!strchr(name, ','))
        return;
    for (const char *at = name; *at;) {
        size_t length = strcspn(at, ",");
        add(c, at, length, class_id);
        at += length + (at[length] == ',');
    }
}

static void add_id(void *user, char *text, size_t number)
{
    add(user, text, strcspn(text, "\t"), (int64_t)number);
}

static int by_folded(const void *a, const void *b)
{
    return strcmp(((const struct class_word *)a)->folded, ((const struct class_word *)b)->folded);
}

void classes_open(class_table *c, const cli_names *names, size_t count)
{
    *c = (class_table){.count = count, .named = cli_names_own(names)};
    for (size_t i = 0; i < count; i++) {
        const char *name = cli_name(names, (int32_t)i);
        if (name)
            add_name(c, name, (int64_t)i);
    }
    if (count == IMAGENET_CLASSES) {
        char *ids = data_file("imagenet-1k-classes.tsv");
        if (access(ids, R_OK) == 0)
            read_lines(ids, add_id, c);
        free(ids);
    }
    if (c->words_count)
        qsort(c->words, c->words_count, sizeof *c->words, by_folded);
}

void classes_close(class_table *c)
{
    for (size_t i = 0; i < c->words_count; i++) {
        free(c->words[i].folded);
        free(c->words[i].exact);
    }
    free(c->words);
    *c = (class_table){0};
}

/* The class of words first..last-1, of those that are exactly `text` where that is set. */
static int64_t agree(const struct class_word *first, const struct class_word *last,
                     const char *text)
{
    int64_t found = NO_CLASS;
    for (; first < last; first++) {
        if (text && strcmp(first->exact, text) != 0)
            continue;
        if (found != NO_CLASS && found != first->class_id)
            return SEVERAL_CLASSES;
        found = first->class_id;
    }
    return found;
}

int64_t class_of_name(const class_table *c, const char *text)
{
    struct class_word key = {.folded = fold(text, strlen(text))};
    const struct class_word *end = c->words + c->words_count, *first = NULL, *last;
    if (*key.folded && c->words_count)
        first = bsearch(&key, c->words, c->words_count, sizeof key, by_folded);
    int64_t found = NO_CLASS;
    if (first) {
        last = first + 1;
        while (first > c->words && by_folded(first - 1, &key) == 0)
            first--;
        while (last < end && by_folded(last, &key) == 0)
            last++;
        found = agree(first, last, NULL);
        if (found == SEVERAL_CLASSES && agree(first, last, text) >= 0)
            found = agree(first, last, text);
    }
    free(key.folded);
    return found;
}

int64_t class_number(const char *text)
{
    enum { DIGITS_MAX = 9 };
    size_t digits = strspn(text, "0123456789");
    return digits && digits <= DIGITS_MAX && !text[digits] ? strtol(text, NULL, 10) : NO_CLASS;
}

int64_t class_of_word(const class_table *c, const char *text)
{
    int64_t number = class_number(text);
    return number != NO_CLASS ? number : class_of_name(c, text);
}
