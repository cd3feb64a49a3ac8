#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/json_read.h"
#include "common/message.h"

/* One JSON object a line: the head, then the records in order. A line is written by one call and
 * ends with its newline: only the last line can be cut short, by a kill or a full disk, and it is
 * dropped. */
struct journal {
    char *path;
    int fd;
    FILE *old; /* what earlier runs left, read from the start */
    char *line;
    size_t room, number, records; /* number: of the line; records: still to be read */
    json_doc doc;
};

static void write_line(journal *j, const char *text, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t n = write(j->fd, text + done, length - done);
        if (n < 0 && errno != EINTR)
            cli_refuse_errno(j->path);
        done += n > 0 ? (size_t)n : 0;
    }
}

/* The next whole line, without its newline; false at the end or at a line cut short. */
static bool read_line(journal *j)
{
    ssize_t length = getline(&j->line, &j->room, j->old);
    if (length <= 0 || j->line[length - 1] != '\n')
        return false;
    j->line[length - 1] = '\0';
    j->number++;
    return true;
}

/* Counts whole lines and truncates what follows them. */
static void scan(journal *j)
{
    off_t whole = 0;
    size_t lines = 0;
    for (; read_line(j); lines++)
        whole = ftello(j->old);
    if (ferror(j->old) || ftruncate(j->fd, whole) != 0)
        cli_refuse_errno(j->path);
    j->records = lines ? lines - 1 : 0;
    j->number = 0;
    rewind(j->old);
}

/* Says in what the journal differs from this run, and ends the program. */
static _Noreturn void refuse_other(const journal *j, const char *head)
{
    char *own = cli_format("%s", head);
    json_doc now, then;
    json_parse(&now, own);
    if (!json_parse(&then, j->line) || !json_get_text(&then, then.node, "journal"))
        cli_refuse(j->path, "not a journal of scarlet verify");
    for (size_t i = 1; i < now.node->end; i = now.node[i + 1].end) {
        const char *key = now.node[i].text, *value = now.node[i + 1].text;
        const char *before = json_get_text(&then, then.node, key);
        if (!before || strcmp(before, value) != 0)
            cli_refuse(j->path, "a journal of another run: its %s: \"%s\", now \"%s\"", key,
                       before ? before : "", value);
    }
    cli_refuse(j->path, "a journal of another version of scarlet verify");
}

journal *journal_open(const char *path, const char *head, bool resume)
{
    journal *j = cli_alloc(1, sizeof *j);
    j->path = cli_format("%s", path);
    if (strcmp(path, "-") == 0)
        cli_refuse(path, "a journal must be a file");
    j->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    struct stat st;
    if (j->fd < 0 || fstat(j->fd, &st) != 0)
        cli_refuse_errno(j->path);
    if (!S_ISREG(st.st_mode))
        cli_refuse(j->path, "not a regular file");
    if (flock(j->fd, LOCK_EX | LOCK_NB) != 0)
        cli_refuse(j->path, "another run is writing this journal");
    if (st.st_size && !resume)
        cli_refuse(j->path, "already exists: continue it with --resume, or remove it");
    j->old = fopen(path, "rb");
    if (!j->old)
        cli_refuse_errno(j->path);
    /* Only a journal is truncated. */
    if (read_line(j) && strcmp(j->line, head) != 0)
        refuse_other(j, head);
    rewind(j->old);
    scan(j);
    if (!read_line(j)) {
        char *line = cli_format("%s\n", head);
        write_line(j, line, strlen(line));
        free(line);
    }
    return j;
}

size_t journal_records(const journal *j)
{
    return j->records;
}

bool journal_read(journal *j, record *out, size_t top, bool two)
{
    json_doc_free(&j->doc);
    if (!j->records)
        return false;
    j->records--;
    if (!read_line(j) || !json_parse(&j->doc, j->line) ||
        !record_read(&j->doc, j->doc.node, out, top, two))
        cli_refuse(j->path, "line %zu is damaged", j->number);
    return true;
}

void journal_add(journal *j, const record *r, size_t top, bool two)
{
    char *text = NULL;
    size_t length = 0;
    FILE *memory = cli_memory(&text, &length);
    json out = {.out = memory};
    record_write(&out, r, top, two);
    fputc('\n', memory);
    if (fclose(memory) != 0)
        cli_refuse_errno(j->path);
    write_line(j, text, length);
    free(text);
}

void journal_close(journal *j)
{
    if (!j)
        return;
    fclose(j->old);
    if (fsync(j->fd) != 0 || close(j->fd) != 0)
        cli_refuse_errno(j->path);
    json_doc_free(&j->doc);
    free(j->line);
    free(j->path);
    free(j);
}
