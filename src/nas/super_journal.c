#include "super_journal.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/message.h"
#include "super_folder.h"

/* Cuts off what follows the last whole line. */
static void cut(super_journal *j)
{
    off_t end = 0, at = 0;
    for (int c; (c = getc(j->line.out)) != EOF;) {
        at++;
        end = c == '\n' ? at : end;
    }
    if (ferror(j->line.out) || ftruncate(fileno(j->line.out), end) != 0)
        cli_refuse_errno(j->path);
}

void super_journal_open(super_journal *j, const char *folder)
{
    *j = (super_journal){.path = super_file(folder, "journal.jsonl")};
    j->line.out = fopen(j->path, "a+");
    if (!j->line.out)
        cli_refuse_errno(j->path);
    cut(j);
}

void super_journal_begin(super_journal *j, const char *event, const scarlet_supernet *net)
{
    char text[32];
    const time_t now = time(NULL);
    struct tm utc;
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    json_open(&j->line, '{');
    json_key(&j->line, "event");
    json_text(&j->line, event);
    json_key(&j->line, "time");
    json_text(&j->line, text);
    json_key(&j->line, "step");
    json_integer(&j->line, (int64_t)scarlet_supernet_get(net, SCARLET_SUPERNET_STEP));
}

void super_journal_end(super_journal *j)
{
    json_close(&j->line, '}');
    json_end(&j->line);
    if (ferror(j->line.out))
        cli_refuse_errno(j->path);
}

void super_journal_add(super_journal *j, const char *event, const scarlet_supernet *net)
{
    super_journal_begin(j, event, net);
    super_journal_end(j);
}

void super_journal_close(super_journal *j)
{
    if (fclose(j->line.out) != 0)
        cli_refuse_errno(j->path);
    free(j->path);
}
