#include "origin.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "common/alloc.h"
#include "html.h"
#include "scarlet/scarlet.h"

/* The processor as Linux names it, or the machine's architecture. */
static char *processor(void)
{
    char line[256], *name = NULL;
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && !name && fgets(line, sizeof line, file)) {
        char *colon = strchr(line, ':');
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "model name", 10) == 0 && colon && colon[1])
            name = cli_format("%s", colon + 2);
    }
    if (file)
        fclose(file);
    struct utsname system;
    if (!name)
        name = cli_format("%s", uname(&system) == 0 ? system.machine : "unknown processor");
    return name;
}

origin origin_here(void)
{
    char date[sizeof "2026-01-31T12:59:59Z"] = "";
    time_t now = time(NULL);
    struct tm fields;
    if (gmtime_r(&now, &fields))
        strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &fields);
    char *name = processor();
    int cpus = scarlet_cpu_count();
    origin o = {.date = cli_format("%s", date),
                .library = cli_format("%s", scarlet_build_info()),
                .machine = cli_format("%s, %d CPU%s", name, cpus, cpus == 1 ? "" : "s")};
    free(name);
    return o;
}

static void join(char **text, const char *other)
{
    if (strstr(*text, other))
        return;
    char *both = cli_format("%s%s%s", *text, **text ? "; " : "", other);
    free(*text);
    *text = both;
}

void origin_join(origin *o, const origin *other)
{
    if (strcmp(o->date, other->date) < 0) {
        free(o->date);
        o->date = cli_format("%s", other->date);
    }
    join(&o->library, other->library);
    join(&o->machine, other->machine);
}

void origin_put(FILE *out, const origin *o)
{
    fputs("<p class=\"dim\" id=\"origin\">", out);
    html_text(out, o->date);
    fputs("<br>", out);
    html_text(out, o->machine);
    fputs("<br>", out);
    html_text(out, o->library);
    fputs("</p>\n", out);
}

void origin_free(origin *o)
{
    free(o->date);
    free(o->library);
    free(o->machine);
}
