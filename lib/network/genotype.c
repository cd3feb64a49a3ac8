#include "network/genotype.h"

#include <stdio.h>
#include <string.h>

#include "common/error.h"

bool scarlet__choice_valid(const scarlet__choice *c)
{
    return c->expansion == 0 || ((c->expansion == 3 || c->expansion == 6) &&
                                 (c->kernel == 3 || c->kernel == 5 || c->kernel == 7));
}

void scarlet__choice_print(const scarlet__choice *c, char text[SCARLET__CHOICE_SIZE])
{
    if (c->expansion == 0)
        snprintf(text, SCARLET__CHOICE_SIZE, "id");
    else
        snprintf(text, SCARLET__CHOICE_SIZE, "e%dk%d%s", c->expansion, c->kernel,
                 c->squeeze ? "se" : "");
}

/* Tries each choice: so what is read is what is printed, letter by letter. */
bool scarlet__choice_parse(const char *text, size_t length, scarlet__choice *out)
{
    for (int expansion = 0; expansion <= 6; expansion += 3)
        for (int kernel = 3; kernel <= 7; kernel += 2)
            for (int squeeze = 0; squeeze <= 1; squeeze++) {
                char known[SCARLET__CHOICE_SIZE];
                *out = (scarlet__choice){expansion, kernel, squeeze};
                scarlet__choice_print(out, known);
                if (strlen(known) == length && memcmp(known, text, length) == 0)
                    return true;
            }
    return false;
}

scarlet_status scarlet__genotype_parse(const char *text, scarlet__genotype *out, scarlet_error *err)
{
    *out = (scarlet__genotype){0};
    for (;; text++) {
        size_t length = strcspn(text, ",");
        if (out->count == SCARLET__SPACE_LAYERS_MAX)
            return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "genotype: more than %d layers",
                                 SCARLET__SPACE_LAYERS_MAX);
        if (!scarlet__choice_parse(text, length, &out->layer[out->count]))
            return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                                 "genotype, layer %d: \"%.*s\" is not of the form e3k5se or id "
                                 "(expansion 3 or 6, kernel 3, 5 or 7)",
                                 out->count, (int)(length < 40 ? length : 40), text);
        out->count++;
        text += length;
        if (!*text)
            return SCARLET_OK;
    }
}

void scarlet__genotype_print(const scarlet__genotype *genotype, char text[SCARLET__GENOTYPE_SIZE])
{
    size_t used = 0;
    *text = '\0';
    for (int i = 0; i < genotype->count; i++) {
        char item[SCARLET__CHOICE_SIZE];
        scarlet__choice_print(&genotype->layer[i], item);
        used += (size_t)snprintf(text + used, SCARLET__GENOTYPE_SIZE - used, "%s%s", i ? "," : "",
                                 item);
    }
}

/* ---- released networks ---- */

static const struct {
    const char *name, *genotype;
} released[] = {
    {"SCARLET-A",
     "e3k7,e6k5,e3k5,e3k7se,e6k3se,e3k5se,e6k3se,e3k3,e3k7se,e3k7,"
     "e3k5,e3k7se,e3k3,e3k7se,e6k3se,e6k5se,e3k3se,e6k3se,e6k7se"},
    {"SCARLET-B",
     "e3k3se,e3k5se,e3k3se,e6k7se,e3k3,e3k5,e6k7se,e3k3se,id,e3k5,"
     "e3k3se,e3k3se,e6k7se,e3k3se,e6k5se,e6k5se,id,e6k7se,e6k5se"},
    {"SCARLET-C",
     "e3k5se,e3k3se,e3k5se,id,id,e3k3,e6k7se,e3k3se,e3k3se,e3k5,"
     "e3k7se,e3k7,e3k3se,e3k7se,e3k3se,id,e6k3se,e6k7se,e6k5se"},
};

enum { RELEASED = sizeof released / sizeof *released };

const char *scarlet__genotype_released(const char *name)
{
    for (size_t i = 0; i < RELEASED; i++)
        if (strcmp(name, released[i].name) == 0)
            return released[i].genotype;
    return NULL;
}

const char *scarlet__genotype_name(const char *text)
{
    for (size_t i = 0; i < RELEASED; i++)
        if (strcmp(text, released[i].genotype) == 0)
            return released[i].name;
    return NULL;
}
