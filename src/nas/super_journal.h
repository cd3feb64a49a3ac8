/*
 * What happened in a supernet's training: journal.jsonl in its folder, a JSON object a line, each
 * with "event", "time" (UTC) and "step". start: the settings; resume; epoch: its figures, before
 * its checkpoint, so it may come again after an interruption; checkpoint: it is written; interrupt;
 * end. Lines are only ever added.
 */
#ifndef SCARLET_SRC_NAS_SUPER_JOURNAL_H
#define SCARLET_SRC_NAS_SUPER_JOURNAL_H

#include "common/json_write.h"
#include "scarlet/nas.h"

typedef struct super_journal {
    char *path;
    json line;
} super_journal;

/* Opens it for more events, without a last line that was cut off. Ends the program with a message
 * if that, or later a write, fails. */
void super_journal_open(super_journal *journal, const char *folder);
/* Begins an event; more keys may be put into journal->line. */
void super_journal_begin(super_journal *journal, const char *event, const scarlet_supernet *net);
void super_journal_end(super_journal *journal);
/* An event without more keys. */
void super_journal_add(super_journal *journal, const char *event, const scarlet_supernet *net);
void super_journal_close(super_journal *journal);

#endif
