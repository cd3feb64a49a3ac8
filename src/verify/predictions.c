#include "predictions.h"

#include "common/message.h"
#include "common/text.h"

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

/* RFC 4180: quoted, with inner quotes doubled; bytes unchanged. */
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
