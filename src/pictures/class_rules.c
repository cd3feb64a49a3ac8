#include "class_rules.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/json_read.h"
#include "common/lines.h"
#include "common/message.h"
#include "common/status.h"
#include "lists.h"

#define HINT                                                                                       \
    "--class-order folders numbers them in sorted order, as the reference does; --class-map FILE " \
    "gives the class of each"

/* ---- the map ---- */

static int by_folder(const void *a, const void *b)
{
    return strcmp(((const struct class_mapping *)a)->folder,
                  ((const struct class_mapping *)b)->folder);
}

static void sort_map(class_rules *rules)
{
    if (rules->map_count)
        qsort(rules->map, rules->map_count, sizeof *rules->map, by_folder);
}

static void put(class_rules *rules, const char *folder, int64_t class_id)
{
    if (class_id < 0 || (size_t)class_id >= rules->classes.count)
        cli_refuse(rules->map_path, "\"%s\" has no class of the model, which has %zu", folder,
                   rules->classes.count);
    rules->map = cli_grow(rules->map, rules->map_count, sizeof *rules->map);
    rules->map[rules->map_count++] = (struct class_mapping){cli_format("%s", folder), class_id};
}

static void add_line(void *user, char *text, size_t number)
{
    class_rules *rules = user;
    cut_blanks(text);
    int64_t class_id = cut_class(text, &rules->classes);
    if (class_id < 0)
        cli_refuse(rules->map_path, "line %zu is not \"FOLDER CLASS\": \"%s\"", number + 1, text);
    put(rules, text, class_id);
}

static void read_json(class_rules *rules, char *text)
{
    json_doc doc;
    if (!json_parse(&doc, text) || doc.node->kind != '{')
        cli_refuse(rules->map_path, "not a JSON object, though it begins as one");
    for (size_t i = 1; i < doc.node->end; i = doc.node[i + 1].end) {
        int64_t class_id = NO_CLASS;
        json_read_integer(&doc.node[i + 1], 0, &class_id);
        put(rules, doc.node[i].text, class_id);
    }
    json_doc_free(&doc);
}

void class_map_read(class_rules *rules, const char *path)
{
    text_file file;
    rules->map_path = path;
    text_open(&file, path);
    if (file.text[strspn(file.text, " \t\r\n")] == '{')
        read_json(rules, file.text);
    else
        text_lines(&file, add_line, rules);
    text_close(&file);
    sort_map(rules);
}

void class_rules_close(class_rules *rules)
{
    for (size_t i = 0; i < rules->map_count; i++)
        free(rules->map[i].folder);
    free(rules->map);
    classes_close(&rules->classes);
}

/* ---- one folder ---- */

/* What follows a number and a separator, as "boot" in "09-boot"; NULL if there is none. */
static const char *after_number(const char *name)
{
    size_t digits = strspn(name, "0123456789");
    size_t separator = digits ? strspn(name + digits, "-_. ") : 0;
    return separator && name[digits + separator] ? name + digits + separator : NULL;
}

/* Numbers from 1 contradict nothing, nor do those that are no class. */
static void check_number(class_rules *rules, const char *name, int64_t class_id)
{
    unsigned long number = strtoul(name, NULL, 10);
    if (rules->warned || class_id < 0 || number >= rules->classes.count ||
        number == (size_t)class_id || number == (size_t)class_id + 1)
        return;
    rules->warned = true;
    cli_error("folder \"%s\" counts as class %lld by its name, though its number is %lu; " HINT,
              name, (long long)class_id, number);
}

static int64_t by_name(class_rules *rules, const char *name)
{
    int64_t found = class_of_name(&rules->classes, name);
    if (found == NO_CLASS && after_number(name)) {
        found = class_of_name(&rules->classes, after_number(name));
        check_number(rules, name, found);
    }
    return found;
}

int64_t class_of_folder(class_rules *rules, const char *name)
{
    if (rules->map_path) {
        struct class_mapping key = {.folder = (char *)(uintptr_t)name};
        const struct class_mapping *found =
            rules->map_count ? bsearch(&key, rules->map, rules->map_count, sizeof key, by_folder)
                             : NULL;
        return found ? found->class_id : NO_CLASS;
    }
    return rules->order == ORDER_NUMBERS ? class_number(name) : by_name(rules, name);
}

bool class_order_is_sorted(const class_rules *rules)
{
    return !rules->map_path && (rules->order == ORDER_FOLDERS ||
                                (rules->order == ORDER_AUTO && !rules->classes.words_count));
}

/* ---- all folders ---- */

static void refuse_number(const class_rules *rules, const char *root, size_t count)
{
    cli_error("%s: %zu class folders, but the model has %zu classes; " HINT, root, count,
              rules->classes.count);
    exit(USAGE);
}

/* Warns of "10" before "2". */
static void check_numbers(const char *root, char *const *names, size_t count)
{
    int64_t before = NO_CLASS;
    bool ordered = true;
    for (size_t i = 0; i < count; i++) {
        int64_t number = class_number(names[i]);
        if (number == NO_CLASS)
            return;
        ordered &= number > before;
        before = number;
    }
    if (!ordered)
        cli_error(
            "%s: folders named by numbers count in sorted order of their names (\"10\" is "
            "before \"2\"), as in the reference; --class-order numbers takes each for its "
            "number",
            root);
}

static void in_order(const class_rules *rules, const char *root, char *const *names, size_t count,
                     int64_t *class_ids)
{
    size_t all = rules->classes.count;
    if (count > all || (count < all && rules->order == ORDER_AUTO))
        refuse_number(rules, root, count);
    if (count < all)
        cli_error(
            "%s: %zu class folders for a model of %zu classes; they count as classes 0 to "
            "%zu",
            root, count, all, count - 1);
    check_numbers(root, names, count);
    for (size_t i = 0; i < count; i++)
        class_ids[i] = (int64_t)i;
}

/* Is every folder's name its place in the order? Then both readings agree. */
static bool are_places(const class_rules *rules, char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (class_number(names[i]) != (int64_t)i)
            return false;
    return count == rules->classes.count;
}

/* No two folders may be of one class. */
static void check_distinct(const class_rules *rules, const char *root, char *const *names,
                           size_t count, const int64_t *class_ids)
{
    size_t *owner = cli_alloc(rules->classes.count, sizeof *owner); /* from 1; 0: none */
    for (size_t i = 0; i < count; i++) {
        size_t *o = &owner[class_ids[i]];
        if (*o && !rules->map_path) {
            cli_error("%s: folders \"%s\" and \"%s\" are both of class %lld; " HINT, root,
                      names[*o - 1], names[i], (long long)class_ids[i]);
            free(owner);
            exit(USAGE);
        }
        *o = i + 1;
    }
    free(owner);
}

static _Noreturn void refuse_folder(const class_rules *rules, const char *root, const char *name,
                                    int64_t found)
{
    if (rules->map_path)
        cli_error("%s: folder \"%s\" is not in %s", root, name, rules->map_path);
    else if (rules->order == ORDER_NUMBERS)
        cli_error("%s: folder \"%s\" is not a class number of the model, which has %zu classes",
                  root, name, rules->classes.count);
    else
        cli_error("%s: folder \"%s\" is %s of the model; " HINT "%s", root, name,
                  found == SEVERAL_CLASSES ? "more than one class" : "not a class",
                  class_number(name) == NO_CLASS
                      ? ""
                      : "; --class-order numbers takes names for class numbers");
    exit(USAGE);
}

void class_folders_map(class_rules *rules, const char *root, char *const *names, size_t count,
                       int64_t *class_ids)
{
    if (class_order_is_sorted(rules)) {
        in_order(rules, root, names, count, class_ids);
        return;
    }
    size_t matched = 0, odd = 0;
    for (size_t i = 0; i < count; i++) {
        class_ids[i] = class_of_folder(rules, names[i]);
        bool fits = class_ids[i] >= 0 && (size_t)class_ids[i] < rules->classes.count;
        odd = !fits && matched == i ? i : odd; /* the first */
        matched += fits;
    }
    if (matched == count) {
        check_distinct(rules, root, names, count, class_ids);
        return;
    }
    bool unnamed = !rules->classes.named && count == rules->classes.count;
    if (rules->order == ORDER_AUTO && !rules->map_path && !matched &&
        (unnamed || are_places(rules, names, count)))
        in_order(rules, root, names, count, class_ids);
    else
        refuse_folder(rules, root, names[odd], class_ids[odd]);
}

void class_map_set(class_rules *rules, const char *root, char *const *names, size_t count)
{
    int64_t *class_ids = cli_alloc(count, sizeof *class_ids);
    class_folders_map(rules, root, names, count, class_ids);
    rules->map_path = root;
    for (size_t i = 0; i < count; i++)
        put(rules, names[i], class_ids[i]);
    sort_map(rules);
    free(class_ids);
}
