#include <stdlib.h>
#include <string.h>

#include "verify.h"

bool answer_hit(const answer *a, int64_t label, size_t top)
{
    for (size_t i = 0; i < top; i++)
        if (a->top[i] == label)
            return true;
    return false;
}

/* ---- JSON ---- */

static void write_answer(json *j, const answer *a, size_t top)
{
    json_key(j, "top");
    json_open(j, '[');
    for (size_t i = 0; i < top; i++)
        json_integer(j, a->top[i]);
    json_close(j, ']');
    json_key(j, "confidence");
    json_float(j, a->confidence);
    json_key(j, "truth");
    json_float(j, a->truth);
}

void record_write(json *j, const record *r, size_t top, bool two)
{
    json_open(j, '{');
    json_key(j, "index");
    json_integer(j, (int64_t)r->index);
    json_key(j, "file");
    json_text(j, r->file);
    json_key(j, "label");
    json_integer(j, r->label);
    if (r->error) {
        json_key(j, "error");
        json_text(j, r->error);
    } else {
        write_answer(j, &r->answer[0], top);
    }
    if (!r->error && two) {
        json_key(j, "second");
        json_open(j, '{');
        write_answer(j, &r->answer[1], top);
        json_close(j, '}');
    }
    json_close(j, '}');
}

static bool read_answer(const json_doc *doc, const json_node *object, answer *out, size_t top)
{
    const json_node *array = json_get(doc, object, "top", '[');
    const json_node *item = json_first(doc, array);
    for (size_t i = 0; i < TOP; i++) {
        int64_t value = -1;
        if (i < top && !json_read_integer(item, 0, &value))
            return false;
        out->top[i] = (int32_t)value;
        item = item ? json_next(doc, array, item) : NULL;
    }
    const json_node *confidence = json_get(doc, object, "confidence", '0');
    const json_node *of_truth = json_get(doc, object, "truth", '0');
    if (item || !confidence || !of_truth)
        return false;
    out->confidence = strtof(confidence->text, NULL);
    out->truth = strtof(of_truth->text, NULL);
    return true;
}

bool record_read(const json_doc *doc, const json_node *object, record *out, size_t top, bool two)
{
    int64_t index;
    *out = (record){0};
    /* They belong to the document, and nobody writes to them. */
    out->file = (char *)(uintptr_t)json_get_text(doc, object, "file");
    out->error = (char *)(uintptr_t)json_get_text(doc, object, "error");
    if (!json_get_integer(doc, object, "index", 0, &index) || !out->file ||
        !json_get_integer(doc, object, "label", NO_LABEL, &out->label))
        return false;
    out->index = (size_t)index;
    if (out->error)
        return true;
    return read_answer(doc, object, &out->answer[0], top) &&
           (!two || read_answer(doc, json_get(doc, object, "second", '{'), &out->answer[1], top));
}

/* ---- the file ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), n = strlen(end);
    return length >= n && strcmp(text + length - n, end) == 0;
}

void predictions_open(predictions *p, const char *path, size_t top, bool two)
{
    *p = (predictions){.path = path, .csv = ends_with(path, ".csv"), .top = top, .two = two};
    p->file = fopen(path, "wb");
    if (!p->file)
        cli_refuse_errno(p->path);
    if (!p->csv)
        return;
    fputs("index,file,label", p->file);
    for (int second = 0; second < 1 + two; second++) {
        const char *prefix = second ? "second_" : "";
        for (size_t i = 1; i <= top; i++)
            fprintf(p->file, ",%stop%zu", prefix, i);
        fprintf(p->file, ",%sconfidence,%struth", prefix, prefix);
    }
    fputs(",error\r\n", p->file);
}

/* RFC 4180: in quotes, with inner ones doubled; bytes as they are. */
static void csv_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void csv_row(const predictions *p, const record *r)
{
    fprintf(p->file, "%zu,", r->index);
    csv_text(p->file, r->file);
    fprintf(p->file, ",%lld", (long long)r->label);
    for (int second = 0; second < 1 + p->two; second++) {
        const answer *a = &r->answer[second];
        for (size_t i = 0; i < p->top; i++)
            if (r->error)
                fputc(',', p->file);
            else
                fprintf(p->file, ",%d", a->top[i]);
        if (r->error)
            fputs(",,", p->file);
        else
            fprintf(p->file, ",%.9g,%.9g", (double)a->confidence, (double)a->truth);
    }
    fputc(',', p->file);
    if (r->error)
        csv_text(p->file, r->error);
    fputs("\r\n", p->file);
}

void predictions_add(predictions *p, const record *r)
{
    if (!p->file)
        return;
    if (p->csv) {
        csv_row(p, r);
    } else {
        json out = {.out = p->file};
        record_write(&out, r, p->top, p->two);
        fputc('\n', p->file);
    }
    if (ferror(p->file))
        cli_refuse_errno(p->path);
}

void predictions_close(predictions *p)
{
    if (p->file && fclose(p->file) != 0)
        cli_refuse_errno(p->path);
    p->file = NULL;
}
