#include "html.h"

#include "common/text.h"

void html_text(FILE *out, const char *text)
{
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        size_t length = utf8_length(s);
        if (*s == '<' || *s == '>' || *s == '&' || *s == '"' || *s == '\'')
            fprintf(out, "&#%d;", *s);
        else if (!length || *s < 0x20 || *s == 0x7F)
            fputs("\xEF\xBF\xBD", out);
        else
            fwrite(s, 1, length, out);
        s += length ? length : 1;
    }
}

void html_class(FILE *out, const cli_names *names, int64_t class_id)
{
    const char *name = cli_name(names, (int32_t)class_id);
    if (name)
        html_text(out, name);
    else
        fprintf(out, "class %lld", (long long)class_id);
}
