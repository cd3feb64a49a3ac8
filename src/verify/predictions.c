#include "predictions.h"

#include "common/cells.h"
#include "common/message.h"
#include "common/number.h"
#include "common/text.h"

void predictions_open(predictions *p, const char *path, size_t top, bool two)
{
    *p = (predictions){.csv = ends_with(path, ".csv"), .top = top, .two = two};
    output_open(&p->out, path);
    output_begin(&p->out);
    if (!p->csv)
        return;
    fputs("index,file,label", p->out.file);
    for (int second = 0; second < 1 + two; second++) {
        const char *prefix = second ? "second_" : "";
        for (size_t i = 1; i <= top; i++)
            fprintf(p->out.file, ",%stop%zu", prefix, i);
        fprintf(p->out.file, ",%sconfidence,%struth", prefix, prefix);
    }
    fputs(",error\r\n", p->out.file);
}

static void csv_row(const predictions *p, const record *r)
{
    fprintf(p->out.file, "%zu,", r->index);
    cell_put_quoted(p->out.file, r->file);
    fprintf(p->out.file, ",%lld", (long long)r->label);
    for (int second = 0; second < 1 + p->two; second++) {
        const answer *a = &r->answer[second];
        for (size_t i = 0; i < p->top; i++)
            if (r->error)
                fputc(',', p->out.file);
            else
                fprintf(p->out.file, ",%d", a->top[i]);
        fputc(',', p->out.file);
        if (!r->error)
            put_float(p->out.file, a->confidence);
        fputc(',', p->out.file);
        if (!r->error)
            put_float(p->out.file, a->truth);
    }
    fputc(',', p->out.file);
    if (r->error)
        cell_put_quoted(p->out.file, r->error);
    fputs("\r\n", p->out.file);
}

void predictions_add(predictions *p, const record *r)
{
    if (!p->out.file)
        return;
    if (p->csv) {
        csv_row(p, r);
    } else {
        json out = {.out = p->out.file};
        record_write(&out, r, p->top, p->two);
        fputc('\n', p->out.file);
    }
    if (ferror(p->out.file))
        cli_refuse_errno(p->out.path);
}

void predictions_close(predictions *p)
{
    if (p->out.file && p->out.file != stdout && fclose(p->out.file) != 0)
        cli_refuse_errno(p->out.path);
    p->out.file = NULL;
}
