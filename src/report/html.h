/* Text for HTML. */
#ifndef SCARLET_SRC_REPORT_HTML_H
#define SCARLET_SRC_REPORT_HTML_H

#include <stdint.h>
#include <stdio.h>

#include "common/class_names.h"

/* Special characters are escaped, bytes that are not UTF-8 replaced. */
void html_text(FILE *out, const char *text);
/* Name of a class, or "class N". */
void html_class(FILE *out, const cli_names *names, int64_t class_id);

#endif
