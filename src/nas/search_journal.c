#include "search_journal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/json_read.h"
#include "common/json_write.h"
#include "common/message.h"

const char *const figure_names[FIGURES] = {"cross_entropy", "top1", "latency", "macs",
                                           "parameters"};

struct search_journal {
    char *path;
    FILE *file;
    uint64_t seed;
    candidate *item; /* by genotype */
    size_t count;
};

static int by_genotype(const void *a, const void *b)
{
    return strcmp(((const candidate *)a)->genotype, ((const candidate *)b)->genotype);
}

void candidate_take(candidate *c, const candidate *from)
{
    memcpy(c->figure, from->figure, sizeof c->figure);
    c->statistics = from->statistics;
}

/* ---- reading ---- */

static void read_record(search_journal *j, const json_doc *doc)
{
    const char *genotype = json_get_text(doc, doc->node, "genotype");
    if (!genotype)
        cli_refuse(j->path, "damaged: a line without a genotype");
    candidate c = {.genotype = cli_format("%s", genotype)};
    for (int i = 0; i < FIGURES; i++) {
        const json_node *number = json_get(doc, doc->node, figure_names[i], '0');
        c.figure[i] = number ? strtod(number->text, NULL) : NAN;
    }
    const char *statistics = json_get_text(doc, doc->node, "statistics");
    c.statistics = statistics ? strtoull(statistics, NULL, 16) : 0;
    j->item = cli_grow(j->item, j->count, sizeof *j->item);
    j->item[j->count++] = c;
}

static void read_line(search_journal *j, char *line, const char *about, bool first)
{
    json_doc doc;
    if (!json_parse(&doc, line) || doc.node->kind != '{')
        cli_refuse(j->path, "damaged: a line is no JSON object");
    if (!first) {
        read_record(j, &doc);
    } else {
        const char *kind = json_get_text(&doc, doc.node, "journal");
        const char *space = json_get_text(&doc, doc.node, "space");
        if (!kind || strcmp(kind, "scarlet-search-1") != 0)
            cli_refuse(j->path, "not the journal of a search");
        if (!space || strcmp(space, about) != 0)
            cli_refuse(j->path, "of a search in another space, or with another supernet");
    }
    json_doc_free(&doc);
}

/* Reads whole lines, and cuts off what follows the last. */
static void read_all(search_journal *j, const char *about)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    off_t end = 0;
    bool first = true;
    while ((length = getline(&line, &room, j->file)) > 0 && line[length - 1] == '\n') {
        end += length;
        line[length - 1] = '\0';
        if (strlen(line) != (size_t)length - 1)
            cli_refuse(j->path, "damaged: a line with a NUL");
        read_line(j, line, about, first);
        first = false;
    }
    free(line);
    if (ferror(j->file) || ftruncate(fileno(j->file), end) != 0 ||
        fseeko(j->file, end, SEEK_SET) != 0)
        cli_refuse_errno(j->path);
    if (j->count)
        qsort(j->item, j->count, sizeof *j->item, by_genotype);
}

/* ---- writing ---- */

static void sync_line(search_journal *j)
{
    if (fflush(j->file) != 0 || fdatasync(fileno(j->file)) != 0)
        cli_refuse_errno(j->path);
}

search_journal *journal_open(const char *path, const char *about, uint64_t seed, bool resume)
{
    search_journal *j = cli_alloc(1, sizeof *j);
    j->path = cli_format("%s", path);
    j->seed = seed;
    const bool there = access(path, F_OK) == 0;
    if (there && !resume)
        cli_refuse(path, "exists already");
    j->file = fopen(path, there ? "r+" : "w+");
    if (!j->file)
        cli_refuse_errno(path);
    if (there)
        read_all(j, about);
    if (ftello(j->file) == 0) {
        json line = {.out = j->file};
        json_open(&line, '{');
        json_key(&line, "journal");
        json_text(&line, "scarlet-search-1");
        json_key(&line, "space");
        json_text(&line, about);
        json_close(&line, '}');
        json_end(&line);
        sync_line(j);
    }
    return j;
}

bool journal_find(const search_journal *j, candidate *c)
{
    const candidate *found =
        j->count ? bsearch(c, j->item, j->count, sizeof *j->item, by_genotype) : NULL;
    if (found)
        candidate_take(c, found);
    return found != NULL;
}

void journal_add(search_journal *j, const candidate *c)
{
    json line = {.out = j->file};
    json_open(&line, '{');
    json_key(&line, "genotype");
    json_text(&line, c->genotype);
    for (int i = 0; i < FIGURES; i++) {
        json_key(&line, figure_names[i]);
        json_double(&line, c->figure[i]);
    }
    if (c->statistics) {
        char *digest = cli_format("%016" PRIx64, c->statistics);
        json_key(&line, "statistics");
        json_text(&line, digest);
        free(digest);
    }
    json_key(&line, "seed");
    json_integer(&line, (int64_t)j->seed);
    json_close(&line, '}');
    json_end(&line);
    sync_line(j);
}

void journal_close(search_journal *j)
{
    fclose(j->file);
    for (size_t i = 0; i < j->count; i++)
        free(j->item[i].genotype);
    free(j->item);
    free(j->path);
    free(j);
}
