#include "feed.h"

#include "common/alloc.h"
#include "tar.h"

bool feed_next(feed *f, cli_picture *out)
{
    for (;;) {
        if (f->tar) {
            if (tar_next(f->tar, f->next, out))
                break;
            tar_close(f->tar);
            f->tar = NULL;
            f->at++;
        }
        if (f->at == f->inputs->count)
            return false;
        const cli_input *input = &f->inputs->item[f->at];
        if (input->archive) {
            f->tar = tar_open(input->path, f->wanted, f->user, &f->skipped);
            continue;
        }
        *out = (cli_picture){.name = cli_format("%s", input->path), .label = input->label};
        if (input->error)
            out->error = cli_format("%s", input->error);
        f->at++;
        break;
    }
    out->index = f->next++;
    return true;
}

void feed_close(feed *f)
{
    if (f->tar)
        tar_close(f->tar);
    f->tar = NULL;
}
