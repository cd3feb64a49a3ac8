#include "nas/supernet/spaces.h"

#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/io.h"
#include "common/memory.h"

/* ---- spaces that come with the library ---- */

/* All twelve blocks, and with the identity. */
#define ALL "*"
#define SKIP "*|id"

static const struct {
    const char *name, *text;
} builtin[] = {
    /* Of the paper, arXiv 1908.06022. */
    {"default",
     "space stem=32 tail=1280 layers=32:2,32:1,40:2,40:1,40:1,40:1,80:2,80:1,80:1,80:1,"
     "96:1,96:1,96:1,96:1,192:2,192:1,192:1,192:1,320:1\n"
     "choices " ALL "," SKIP "," ALL "," SKIP "," SKIP "," SKIP "," ALL "," SKIP "," SKIP "," SKIP
     "," ALL "," SKIP "," SKIP "," SKIP "," ALL "," SKIP "," SKIP "," SKIP "," ALL "\n"
     "input_size 224\nclasses 1000\n"},
    {"28px",
     "space stem=16 tail=128 layers=16:1,24:2,24:1,24:1,40:2,40:1,40:1,40:1\n"
     "choices " ALL "," ALL "," SKIP "," SKIP "," ALL "," SKIP "," SKIP "," SKIP "\n"
     "input_size 28\nclasses 10\n"},
    /* Small enough to train every network of it. */
    {"243",
     "space stem=16 tail=128 layers=16:2,16:1,16:1,16:1,32:2,32:1,32:1\n"
     "choices e3k3,e3k3|e6k5se|id,e3k3|e6k5se|id,e3k3|e6k5se|id,e3k3,e3k3|e6k5se|id,"
     "e3k3|e6k5se|id\n"
     "input_size 28\nclasses 10\n"},
};

/* ---- text ---- */

enum { TEXT_MAX = 65536, SIDE_MAX = 4096 };

static scarlet_status malformed(scarlet_error *err, const char *what, const char *text)
{
    return scarlet__fail(err, SCARLET_ERROR_CORRUPT, "space: %s: \"%.60s\"", what, text);
}

/* Whether an identity in layer `index` would keep the shape. */
static bool may_skip(const scarlet__space *widths, int index)
{
    int in = index ? widths->layer[index - 1].channels : widths->stem / 2;
    return widths->layer[index].stride == 1 && widths->layer[index].channels == in;
}

/* Index of a choice in a layer; -1 if it is not there. */
static int find_choice(const scarlet__choices *layer, const scarlet__choice *choice)
{
    for (int i = 0; i < layer->count; i++) {
        const scarlet__choice *c = &layer->choice[i];
        if (c->expansion == choice->expansion &&
            (c->expansion == 0 || (c->kernel == choice->kernel && c->squeeze == choice->squeeze)))
            return i;
    }
    return -1;
}

static bool add_choice(scarlet__choices *layer, const scarlet__choice *choice)
{
    if (find_choice(layer, choice) >= 0)
        return false;
    if (choice->expansion == 0)
        layer->skip = layer->count;
    layer->choice[layer->count++] = *choice; /* no more than there are choices */
    return true;
}

static bool add_all_blocks(scarlet__choices *layer)
{
    for (int expansion = 3; expansion <= 6; expansion += 3)
        for (int kernel = 3; kernel <= 7; kernel += 2)
            for (int squeeze = 0; squeeze <= 1; squeeze++) {
                if (!add_choice(layer, &(scarlet__choice){expansion, kernel, squeeze}))
                    return false;
            }
    return true;
}

/* "e3k3|e6k5se|id" or "*|id"; *p moves past it. */
static scarlet_status parse_layer(scarlet_space *s, int index, const char **p, scarlet_error *err)
{
    scarlet__choices *layer = &s->layer[index];
    *layer = (scarlet__choices){.skip = -1};
    for (;; ++*p) {
        size_t length = strcspn(*p, "|,");
        scarlet__choice choice;
        bool all = length == 1 && **p == '*';
        if (!all && !scarlet__choice_parse(*p, length, &choice))
            return malformed(err, "not a choice", *p);
        if (!all && choice.expansion == 0 && !may_skip(&s->widths, index))
            return scarlet__fail(err, SCARLET_ERROR_CORRUPT,
                                 "space: layer %d cannot be the identity: it changes the shape",
                                 index);
        if (all ? !add_all_blocks(layer) : !add_choice(layer, &choice))
            return malformed(err, "a choice occurs twice", *p);
        *p += length;
        if (**p != '|')
            return SCARLET_OK;
    }
}

static scarlet_status parse_choices(scarlet_space *s, const char *text, scarlet_error *err)
{
    for (int i = 0; i < s->widths.count; i++) {
        scarlet_status status = parse_layer(s, i, &text, err);
        if (status != SCARLET_OK)
            return status;
        if (*text != (i + 1 < s->widths.count ? ',' : '\0'))
            return scarlet__fail(err, SCARLET_ERROR_CORRUPT,
                                 "space: choices for other than its %d layers", s->widths.count);
        text++;
    }
    return SCARLET_OK;
}

static bool number(const char *text, int low, int high, int *out)
{
    int value = 0;
    size_t n = strlen(text);
    if (n < 1 || n > 7)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (text[i] - '0');
    }
    *out = value;
    return value >= low && value <= high;
}

/* Takes the value of a line "key value"; NULL if it is of another key. */
static const char *value_of(const char *line, const char *key)
{
    size_t n = strlen(key);
    return strncmp(line, key, n) == 0 && line[n] == ' ' ? line + n + 1 : NULL;
}

static scarlet_status keep(char **where, const char *value, scarlet_error *err)
{
    if (*where)
        return malformed(err, "a key occurs twice", value);
    *where = scarlet__strdup(value);
    return *where ? SCARLET_OK : scarlet__fail_memory(err);
}

static scarlet_status parse_line(scarlet_space *s, const char *line, scarlet_error *err)
{
    const char *value;
    if (*line == '\0' || *line == '#')
        return SCARLET_OK;
    if ((value = value_of(line, "space")))
        return keep(&s->widths_text, value, err);
    if ((value = value_of(line, "choices")))
        return keep(&s->choices_text, value, err);
    if ((value = value_of(line, "input_size"))) {
        if (!number(value, 2, SIDE_MAX, &s->input_size) || s->input_size % 2)
            return malformed(err, "input_size is not an even number up to 4096", value);
        return SCARLET_OK;
    }
    if ((value = value_of(line, "classes"))) {
        if (!number(value, 1, SCARLET__CLASSES_MAX, &s->classes))
            return malformed(err, "classes is not a number up to 1000000", value);
        return SCARLET_OK;
    }
    return malformed(err, "not a line of space, choices, input_size or classes", line);
}

/* Splits a text into its lines, in place. */
static scarlet_status parse_lines(scarlet_space *s, char *text, scarlet_error *err)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        char *next = text + length + (text[length] == '\n');
        text[length] = '\0';
        if (length && text[length - 1] == '\r')
            text[length - 1] = '\0';
        scarlet_status status = parse_line(s, text, err);
        if (status != SCARLET_OK)
            return status;
        text = next;
    }
    return SCARLET_OK;
}

static scarlet_status finish(scarlet_space *s, scarlet_error *err)
{
    if (!s->widths_text || !s->choices_text)
        return scarlet__fail(err, SCARLET_ERROR_CORRUPT, "space: no line of %s",
                             s->widths_text ? "choices" : "space");
    scarlet_status status = scarlet__space_parse(s->widths_text, &s->widths, err);
    if (status == SCARLET_OK)
        status = parse_choices(s, s->choices_text, err);
    if (status != SCARLET_OK)
        return status;
    size_t room = strlen(s->widths_text) + strlen(s->choices_text) + 80;
    s->text = scarlet__alloc(room, 1);
    if (!s->text)
        return scarlet__fail_memory(err);
    snprintf(s->text, room, "space %s\nchoices %s\ninput_size %d\nclasses %d\n", s->widths_text,
             s->choices_text, s->input_size, s->classes);
    return SCARLET_OK;
}

/* ---- public ---- */

scarlet_status scarlet_space_parse(const char *text, scarlet_space **out, scarlet_error *err)
{
    if (!out)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    if (!text)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "text is NULL");
    if (strlen(text) > TEXT_MAX)
        return scarlet__fail(err, SCARLET_ERROR_LIMIT, "space: a text of more than %d bytes",
                             TEXT_MAX);
    scarlet_space *s = scarlet__calloc(1, sizeof *s);
    char *copy = scarlet__strdup(text);
    scarlet_status status = s && copy ? SCARLET_OK : scarlet__fail_memory(err);
    if (status == SCARLET_OK) {
        s->input_size = 224;
        s->classes = 1000;
        status = parse_lines(s, copy, err);
    }
    if (status == SCARLET_OK)
        status = finish(s, err);
    scarlet__free(copy);
    if (status == SCARLET_OK)
        *out = s;
    else
        scarlet_space_free(s);
    return status;
}

scarlet_status scarlet_space_load(const char *name, scarlet_space **out, scarlet_error *err)
{
    if (!out)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    if (!name)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "name is NULL");
    for (size_t i = 0; i < sizeof builtin / sizeof *builtin; i++)
        if (strcmp(name, builtin[i].name) == 0)
            return scarlet_space_parse(builtin[i].text, out, err);
    scarlet__source source;
    scarlet_status status = scarlet__source_open(name, &source, err);
    if (status != SCARLET_OK)
        return status;
    uint8_t *data = NULL;
    size_t size;
    status = scarlet__source_read_all(&source, TEXT_MAX, &data, &size, err);
    scarlet__source_close(&source);
    if (status != SCARLET_OK)
        return status;
    char *text = scarlet__strndup((const char *)data, size);
    scarlet__free(data);
    if (!text)
        return scarlet__fail_memory(err);
    if (strlen(text) != size)
        status = scarlet__fail(err, SCARLET_ERROR_FORMAT, "not a text");
    else
        status = scarlet_space_parse(text, out, err);
    scarlet__free(text);
    if (status != SCARLET_OK)
        scarlet__error_prefix(err, name);
    return status;
}

void scarlet_space_free(scarlet_space *s)
{
    if (!s)
        return;
    scarlet__free(s->widths_text);
    scarlet__free(s->choices_text);
    scarlet__free(s->text);
    scarlet__free(s);
}

const char *scarlet_space_text(const scarlet_space *space)
{
    return space ? space->text : NULL;
}

int32_t scarlet_space_get(const scarlet_space *space, scarlet_space_info what)
{
    if (!space)
        return -1;
    switch (what) {
    case SCARLET_SPACE_LAYERS:
        return space->widths.count;
    case SCARLET_SPACE_INPUT_SIZE:
        return space->input_size;
    case SCARLET_SPACE_CLASSES:
        return space->classes;
    case SCARLET_SPACE_TERMS: {
        int terms = 1;
        for (int i = 0; i < space->widths.count; i++)
            terms += space->layer[i].count - 1;
        return terms;
    }
    default:
        return -1;
    }
}

scarlet_status scarlet_space_costs(const scarlet_space *space, const char *genotype, int64_t *macs,
                                   int64_t *parameters, scarlet_error *err)
{
    if (!space || !genotype)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%s is NULL",
                             space ? "genotype" : "space");
    scarlet__path path;
    scarlet_status status = scarlet__path_parse(space, genotype, &path, err);
    if (status != SCARLET_OK)
        return status;
    scarlet__network *net = scarlet__alloc(1, sizeof *net);
    if (!net)
        return scarlet__fail_memory(err);
    scarlet__path_network(space, &path, net);
    int64_t sums[2] = {0, 0};
    for (int i = 0, side = space->input_size; i < net->count; i++) {
        sums[0] += scarlet__layer_macs(&net->layer[i], side);
        sums[1] += scarlet__layer_parameters(&net->layer[i]);
        side = scarlet__layer_side(&net->layer[i], side);
    }
    scarlet__free(net);
    if (macs)
        *macs = sums[0];
    if (parameters)
        *parameters = sums[1];
    return SCARLET_OK;
}

scarlet_status scarlet__space_copy(const scarlet_space *space, int side, int classes,
                                   scarlet_space **out, scarlet_error *err)
{
    const size_t room = strlen(space->text) + 32;
    char *text = scarlet__alloc(room, 1);
    if (!text)
        return scarlet__fail_memory(err);
    snprintf(text, room, "space %s\nchoices %s\ninput_size %d\nclasses %d\n", space->widths_text,
             space->choices_text, side, classes);
    scarlet_status status = scarlet_space_parse(text, out, err);
    scarlet__free(text);
    return status;
}

/* ---- paths ---- */

static int read_choice(const scarlet__choices *layer, const char *text, size_t length)
{
    scarlet__choice choice;
    if (length == 3 && memcmp(text, "let", 3) == 0)
        return layer->skip;
    return scarlet__choice_parse(text, length, &choice) ? find_choice(layer, &choice) : -1;
}

scarlet_status scarlet__path_parse(const scarlet_space *space, const char *text, scarlet__path *out,
                                   scarlet_error *err)
{
    *out = (scarlet__path){0};
    for (int i = 0; i < space->widths.count; i++) {
        size_t length = strcspn(text, ",");
        out->choice[i] = read_choice(&space->layer[i], text, length);
        if (out->choice[i] < 0)
            return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                                 "genotype, layer %d: \"%.*s\" is no choice of the space", i,
                                 (int)(length < 40 ? length : 40), text);
        text += length;
        if (*text != (i + 1 < space->widths.count ? ',' : '\0'))
            return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                                 "genotype: not of the space's %d layers", space->widths.count);
        text++;
    }
    return SCARLET_OK;
}

void scarlet__path_print(const scarlet_space *space, const scarlet__path *path, const char *skip,
                         char text[SCARLET_GENOTYPE_SIZE])
{
    size_t used = 0;
    for (int i = 0; i < space->widths.count; i++) {
        char item[SCARLET__CHOICE_SIZE];
        scarlet__choice_print(&space->layer[i].choice[path->choice[i]], item);
        used += (size_t)snprintf(text + used, SCARLET_GENOTYPE_SIZE - used, "%s%s", i ? "," : "",
                                 path->choice[i] == space->layer[i].skip ? skip : item);
    }
}

void scarlet__path_network(const scarlet_space *space, const scarlet__path *path,
                           scarlet__network *out)
{
    scarlet__genotype genotype = {.count = space->widths.count};
    for (int i = 0; i < genotype.count; i++)
        genotype.layer[i] = space->layer[i].choice[path->choice[i]];
    scarlet__network_build(&space->widths, &genotype, space->classes, out, NULL); /* it is valid */
}

int64_t scarlet__choice_macs(const scarlet_space *space, int layer, int choice)
{
    scarlet__path path = {0};
    scarlet__network net;
    path.choice[layer] = choice;
    scarlet__path_network(space, &path, &net);
    int index = layer + 2; /* after stem and separable layer */
    return scarlet__layer_macs(&net.layer[index],
                               scarlet__network_side(&net, space->input_size, (size_t)index));
}
