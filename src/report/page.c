#include "page.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/message.h"
#include "html.h"
#include "statistics.h"

static const char style[] =
    ":root{color-scheme:light dark;--page:#fff;--card:#f4f5f7;--text:#1c2330;--dim:#5b6575;"
    "--line:#d5d9e0;--blue:47 111 179;--amber:217 130 "
    "43;--right:rgb(var(--blue));--wrong:rgb(var(--amber));--ideal:#8a93a3}\n"
    "@media(prefers-color-scheme:dark){:root{--page:#14171c;--card:#1e232b;--text:#e6e9ee;"
    "--dim:#9aa4b2;--line:#343b46;--blue:91 157 224;--amber:232 154 74;--ideal:#76808f}}\n"
    "*{box-sizing:border-box}body{margin:0 auto;max-width:1100px;padding:16px;"
    "background:var(--page);color:var(--text);font:16px/1.45 system-ui,sans-serif;"
    "overflow-wrap:anywhere}\n"
    "h1{font-size:1.5em;margin:.3em 0}h2{font-size:1.15em;margin:1.6em 0 .5em}"
    "p{margin:.4em 0}.dim,figcaption{color:var(--dim);font-size:.88em}\n"
    ".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:10px;"
    "margin:10px 0}.card{background:var(--card);border-radius:8px;padding:10px 12px}"
    ".card b{display:block;font-size:1.35em;font-variant-numeric:tabular-nums}\n"
    ".plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(320px,100%),1fr));"
    "gap:16px}figure{margin:0}svg{width:100%;max-width:500px;height:auto;display:block}\n"
    ".right{fill:var(--right)}.wrong{fill:var(--wrong)}.dot{fill:var(--text)}"
    ".grid{stroke:var(--line);fill:none}.ideal{stroke:var(--ideal);stroke-dasharray:4 3;fill:none}"
    ".tick{fill:var(--dim);font:11px system-ui,sans-serif}"
    ".dots circle{fill:var(--right);stroke:var(--page);stroke-width:.5}"
    ".dots .other,.key.other{fill:var(--ideal);background:var(--ideal);stroke:none;fill-opacity:.5}"
    ".dots circle:hover,.dots circle:focus{fill:var(--text);outline:none}"
    ".limit{stroke:var(--wrong);stroke-dasharray:6 3;fill:none}"
    ".network{min-width:16em}.network "
    "code{font-size:.88em}.path{max-width:none;height:32px}input[type=range]{accent-color:var(--"
    "right);width:12em;"
    "max-width:60%;vertical-align:middle}"
    ".curve{fill:none;stroke-width:2}.curve.c0{stroke:var(--right)}.curve.c1{stroke:var(--wrong)}"
    ".spot{opacity:0}.spot:hover,.lone{opacity:1}.spot.c0,.key.c0{fill:var(--right);"
    "background:var(--right)}.spot.c1,.key.c1{fill:var(--wrong);background:var(--wrong)}"
    ".mark{fill:none;stroke:var(--text);stroke-width:2}"
    ".key{display:inline-block;width:.7em;height:.7em;margin-right:.3em;border-radius:2px}\n"
    "pre{background:var(--card);border-radius:8px;padding:8px 12px;overflow-x:auto;"
    "white-space:pre-wrap}h3{font-size:1em;margin:1.2em 0 .3em}\n"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}.wide{width:100%}"
    ".wide th:first-child,.wide td:first-child{min-width:7em}"
    "th,td{text-align:left;padding:4px 8px;border-bottom:1px solid var(--line)}"
    "th button{all:unset;cursor:pointer;font-weight:bold}th button:focus-visible,"
    ".scroll:focus-visible{outline:2px solid var(--right)}"
    "th[aria-sort] button::after{content:' \\2191'}"
    "th[aria-sort=descending] button::after{content:' \\2193'}tfoot td{font-weight:bold}\n"
    ".matrix{font-size:.8em}"
    ".matrix td,.matrix th{padding:2px;border:1px solid "
    "var(--line);text-align:center;min-width:2.6em}"
    ".matrix th span{display:block;max-height:9em;max-width:12em;overflow:hidden;"
    "text-overflow:ellipsis;white-space:nowrap;font-weight:normal}"
    ".matrix th[scope=col] span{writing-mode:vertical-rl;transform:rotate(180deg);margin:auto}"
    ".matrix th[scope=row]{text-align:right;position:sticky;left:0;background:var(--page)}"
    ".dense td,.dense th[scope=col]{min-width:0;padding:0;color:transparent;width:1.5em;"
    "max-width:1.5em;overflow:hidden;font-size:.8em}.dense th span{color:var(--text)}"
    ".hit{background:rgb(var(--blue)/calc(.06 + .54*var(--v)))}"
    ".miss{background:rgb(var(--amber)/calc(.12 + .68*var(--v)))}\n"
    ".n{text-align:right;white-space:nowrap}.scroll{overflow-x:auto}summary{cursor:pointer;padding:"
    "6px 0}\n"
    ".worst{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:12px}"
    ".worst figure{background:var(--card);border-radius:8px;padding:8px}"
    ".worst img{display:block;margin:0 auto 6px;max-width:100%;height:auto}\n";

void page_begin(FILE *out, const char *title)
{
    fputs(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
        "<link rel=\"icon\" href=\"data:,\"><title>",
        out);
    html_text(out, title);
    fprintf(out, "</title>\n<style>\n%s</style></head>\n<body>\n<h1>", style);
    html_text(out, title);
    fputs("</h1>\n", out);
}

void page_end(FILE *out)
{
    fputs("</body></html>\n", out);
}

FILE *page_open(const char *path, const char *title)
{
    FILE *out = fopen(path, "wb");
    if (!out)
        cli_refuse_errno(path);
    page_begin(out, title);
    return out;
}

void page_close(FILE *out, const char *path)
{
    page_end(out);
    bool failed = ferror(out);
    if (fclose(out) != 0 || failed)
        cli_discard(path);
}

/* ---- tables ---- */

static const char sorting[] =
    "<script>document.querySelectorAll('th button').forEach(b=>b.onclick=()=>{"
    "const h=b.parentNode,t=h.closest('table').tBodies[0],i=h.cellIndex,"
    "d=h.ariaSort=='ascending'?-1:1,v=r=>r.cells[i].textContent,"
    "n=r=>parseFloat(v(r)),text=i==0;"
    "h.parentNode.querySelectorAll('th').forEach(x=>x.ariaSort=null);"
    "h.ariaSort=d>0?'ascending':'descending';"
    "t.append(...[...t.rows].sort((x,y)=>text?d*v(x).localeCompare(v(y),'en',{numeric:true}):"
    "isNaN(n(x))-isNaN(n(y))||d*(n(x)-n(y))||0))})</script>\n";

void page_sorting(FILE *out)
{
    fputs(sorting, out);
}

/* ---- cards ---- */

void page_cards_open(FILE *out)
{
    fputs("<div class=\"cards\">\n", out);
}

void page_cards_close(FILE *out)
{
    fputs("</div>\n", out);
}

void page_card(FILE *out, const char *id, const char *name, const char *note, const char *format,
               ...)
{
    va_list args;
    va_start(args, format);
    char *value = cli_vformat(format, args);
    va_end(args);
    fputs("<div class=\"card\">", out);
    html_text(out, name);
    fprintf(out, "<b id=\"%s\">", id);
    html_text(out, value);
    fprintf(out, "</b><span class=\"dim\" id=\"%s-note\">", id);
    html_text(out, note);
    fputs("</span></div>\n", out);
    free(value);
}

void page_share(FILE *out, const char *id, const char *name, int64_t part, int64_t whole)
{
    double bounds[2];
    wilson(part, whole, bounds);
    char *note = cli_format("95 %% confidence interval: %.2f to %.2f", bounds[0], bounds[1]);
    page_card(out, id, name, note, "%.4f %%", percent(part, whole));
    free(note);
}
