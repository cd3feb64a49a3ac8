/* Every picture's record in a file, safe from kill -9. */
#ifndef SCARLET_SRC_VERIFY_JOURNAL_H
#define SCARLET_SRC_VERIFY_JOURNAL_H

#include "report/record.h"

typedef struct journal journal;

/* Opens the file for one run at a time. `head` describes what is evaluated: a file that exists must
 * begin with the same, and `resume` be true. Ends the program with a message. */
journal *journal_open(const char *path, const char *head, bool resume);
/* Number of records that earlier runs left and that have not been read yet. */
size_t journal_records(const journal *j);
/* The next of them, false after the last; it lives until the next call. */
bool journal_read(journal *j, record *out, size_t top, bool two);
void journal_add(journal *j, const record *r, size_t top, bool two);
void journal_close(journal *j);

#endif
