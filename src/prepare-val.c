#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "common/alloc.h"
#include "common/class_names.h"
#include "common/installation.h"
#include "common/interrupt.h"
#include "common/lines.h"
#include "common/message.h"
#include "common/progress.h"
#include "common/status.h"
#include "pictures/feed.h"
#include "pictures/folders.h"
#include "pictures/truth.h"

enum { PICTURES = 50000, ID = 9 /* characters of a WordNet id */ };
enum { HOW = 128, DRY_RUN };

static const cli_option options[] = {
    {HOW, "how", "link|symlink|copy|move",
     "link (default: hard links), symlink, copy or move; an archive's pictures\n"
     "are always copied"},
    {DRY_RUN, "dry-run", NULL, "check and count but change nothing"},
    {'q', "quiet", NULL, "no progress bar, no summary"},
    {0},
};

enum { LINK, SYMLINK, COPY, MOVE };
static const char *const ways[] = {"link", "symlink", "copy", "move", NULL};

typedef struct plan {
    const char *source, *target;
    int way;
    bool dry, quiet;
    truth labels;
    char ids[IMAGENET_CLASSES][ID + 1];
    size_t classes; /* ids read so far */
    bool *there;    /* already in the target, by number from 0 */
    size_t done, kept;
} plan;

/* ---- names ---- */

static void add_id(void *user, char *text, size_t number)
{
    plan *p = user;
    if (number < IMAGENET_CLASSES && strcspn(text, "\t") == ID) {
        memcpy(p->ids[number], text, ID);
        p->classes++;
    }
}

static void read_tables(plan *p)
{
    char *path = data_file("imagenet-1k-classes.tsv");
    read_lines(path, add_id, p);
    truth_open(&p->labels, NULL, NULL);
    if (p->classes != IMAGENET_CLASSES || p->labels.lines != PICTURES)
        cli_refuse(path, "scarlet's data files are incomplete");
    free(path);
}

static char *file_name(size_t number)
{
    return cli_format("ILSVRC2012_val_%08zu.JPEG", number + 1);
}

static char *source_path(const plan *p, size_t number)
{
    char *name = file_name(number), *path = cli_format("%s/%s", p->source, name);
    free(name);
    return path;
}

static char *target_path(const plan *p, size_t number)
{
    char *name = file_name(number);
    char *path = cli_format("%s/%s/%s", p->target, p->ids[p->labels.by_line[number]], name);
    free(name);
    return path;
}

/* ---- one picture ---- */

/* A file appears complete or not at all: it is written under another name in the same folder. */
static int begin_copy(const char *target, char **part)
{
    *part = cli_format("%s.part", target);
    int fd = open(*part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        cli_refuse_errno(*part);
    return fd;
}

static void end_copy(int fd, char *part, const char *target)
{
    if (close(fd) != 0 || rename(part, target) != 0)
        cli_discard(part);
    free(part);
}

static void copy(const char *source, const char *target)
{
    char *part;
    int in = open(source, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (in < 0 || fstat(in, &st) != 0)
        cli_refuse_errno(source);
    int out = begin_copy(target, &part);
    for (off_t left = st.st_size; left > 0;) {
        ssize_t n = sendfile(out, in, NULL, (size_t)left);
        if (n < 0)
            cli_discard(part);
        if (n == 0) { /* it has shrunk */
            unlink(part);
            free(part);
            errno = EIO;
            cli_refuse_errno(source);
        }
        left -= n;
    }
    close(in);
    end_copy(out, part, target);
}

static void put_data(const cli_picture *picture, const char *target)
{
    char *part;
    int out = begin_copy(target, &part);
    for (size_t done = 0; done < picture->size;) {
        ssize_t n = write(out, picture->data + done, picture->size - done);
        if (n < 0 && errno != EINTR)
            cli_discard(part);
        done += n > 0 ? (size_t)n : 0;
    }
    end_copy(out, part, target);
}

static void move(const char *source, const char *target)
{
    if (rename(source, target) == 0)
        return;
    if (errno != EXDEV)
        cli_refuse_errno(target);
    copy(source, target);
    if (unlink(source) != 0)
        cli_refuse_errno(source);
}

static void put_file(const plan *p, const char *source, const char *target)
{
    char *full;
    switch (p->way) {
    case LINK:
        if (link(source, target) == 0)
            break;
        if (errno != EXDEV)
            cli_refuse_errno(target);
        cli_refuse(target, "on another file system: use --how symlink, copy or move");
    case SYMLINK:
        full = realpath(source, NULL);
        if (!full)
            cli_refuse_errno(source);
        if (symlink(full, target) != 0)
            cli_refuse_errno(target);
        free(full);
        break;
    case COPY:
        copy(source, target);
        break;
    default:
        move(source, target);
    }
}

/* ---- all ---- */

/* Finds what is already in the target; it must have the size of its source, if that still exists.
 */
static void look(plan *p)
{
    size_t missing = 0, first = 0;
    for (size_t i = 0; i < PICTURES; i++) {
        char *source = source_path(p, i), *target = target_path(p, i);
        struct stat from, to;
        bool have = stat(source, &from) == 0 && S_ISREG(from.st_mode);
        free(source);
        p->there[i] = stat(target, &to) == 0;
        if (have && p->there[i] && from.st_size != to.st_size)
            cli_refuse(target, "already exists, with %lld bytes instead of %lld",
                       (long long)to.st_size, (long long)from.st_size);
        if (!have && !p->there[i] && !missing++)
            first = i;
        p->kept += p->there[i];
        free(target);
    }
    if (missing) {
        char *name = source_path(p, first);
        cli_error("%zu of %d pictures are missing, the first is %s", missing, PICTURES, name);
        exit(INPUT_FAILED);
    }
}

static void make_folders(const plan *p)
{
    if (mkdir(p->target, 0777) != 0 && errno != EEXIST)
        cli_refuse_errno(p->target);
    for (size_t i = 0; i < IMAGENET_CLASSES; i++) {
        char *path = cli_format("%s/%s", p->target, p->ids[i]);
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            cli_refuse_errno(path);
        free(path);
    }
}

static void from_folder(plan *p)
{
    look(p);
    if (p->dry)
        return;
    make_folders(p);
    for (size_t i = 0; i < PICTURES && !interrupted(); i++) {
        progress_step(i);
        if (p->there[i])
            continue;
        char *source = source_path(p, i), *target = target_path(p, i);
        put_file(p, source, target);
        p->done++;
        free(source);
        free(target);
    }
}

static void from_archive(plan *p)
{
    cli_inputs inputs = {0};
    cli_inputs_add(&inputs, p->source);
    feed f = {.inputs = &inputs};
    cli_picture picture = {0};
    size_t seen = 0;
    if (!p->dry)
        make_folders(p);
    while (!interrupted() && feed_next(&f, &picture)) {
        size_t number = validation_number(picture.name);
        if (picture.error)
            cli_refuse(picture.name, "%s", picture.error);
        if (number && number <= PICTURES) {
            char *target = target_path(p, number - 1);
            struct stat st;
            p->there[number - 1] = stat(target, &st) == 0 && (size_t)st.st_size == picture.size;
            p->kept += p->there[number - 1];
            if (!p->there[number - 1] && !p->dry) {
                put_data(&picture, target);
                p->done++;
            }
            free(target);
            progress_step(++seen);
        }
        cli_picture_free(&picture);
    }
    feed_close(&f);
    cli_inputs_free(&inputs);
    if (!interrupted() && seen != PICTURES)
        cli_refuse(p->source, "holds %zu of %d pictures", seen, PICTURES);
}

/* Counts what ImageFolder will find. */
static void check(const plan *p)
{
    cli_inputs inputs = {0};
    size_t folders = cli_inputs_add_classes(&inputs, p->target, NULL), wrong = 0;
    for (size_t i = 0; i < inputs.count; i++) {
        size_t number = validation_number(inputs.item[i].path);
        wrong +=
            !number || number > PICTURES || p->labels.by_line[number - 1] != inputs.item[i].label;
    }
    if (folders != IMAGENET_CLASSES || inputs.count != PICTURES || wrong) {
        cli_error(
            "%s: %zu folders with %zu pictures, %zu of them in the wrong place; expected %d "
            "folders with %d",
            p->target, folders, inputs.count, wrong, IMAGENET_CLASSES, PICTURES);
        exit(INPUT_FAILED);
    }
    cli_inputs_free(&inputs);
}

static int run(const cli_command *command, int argc, char **argv)
{
    plan *p = cli_alloc(1, sizeof *p);
    bool given = false;
    for (int key; (key = cli_next(command, argc, argv)) != CLI_END;) {
        p->dry |= key == DRY_RUN;
        p->quiet |= key == 'q';
        if (key != HOW)
            continue;
        given = true;
        p->way = cli_choice(command, "--how", optarg, ways);
    }
    if (argc - optind != 2)
        cli_usage(command, "expected SOURCE and TARGET, found %d", argc - optind);
    p->source = argv[optind];
    p->target = argv[optind + 1];
    p->there = cli_alloc(PICTURES, sizeof *p->there);
    struct stat st;
    if (stat(p->source, &st) != 0)
        cli_refuse_errno(p->source);
    bool folder = S_ISDIR(st.st_mode);
    if (!folder && given && p->way != COPY)
        cli_usage(command, "--how: an archive's pictures can only be copied");
    read_tables(p);
    progress_start(PICTURES, p->quiet);
    interrupt_catch();
    if (folder)
        from_folder(p);
    else
        from_archive(p);
    progress_hide();
    if (interrupted()) {
        cli_error("interrupted after %zu pictures; run the same command again to continue",
                  p->done + p->kept);
        interrupt_finish();
    }
    if (!p->dry)
        check(p);
    if (!p->quiet)
        printf("%zu pictures %s, %zu already in place; %d in %d folders\n",
               p->dry ? PICTURES - p->kept : p->done, p->dry ? "to arrange" : "arranged", p->kept,
               PICTURES, IMAGENET_CLASSES);
    truth_close(&p->labels);
    free(p->there);
    free(p);
    return DONE;
}

const cli_command cli_prepare_val = {
    .name = "scarlet prepare-val",
    .summary =
        "Arranges the 50,000 validation pictures of ILSVRC2012, a flat folder or the archive\n"
        "ILSVRC2012_img_val.tar, into 1000 folders named by WordNet ids, as ImageFolder and\n"
        "scarlet verify expect them. May be interrupted and run again; checks all counts.",
    .synopsis = "[OPTION]... SOURCE TARGET",
    .options = options,
    .notes =
        "Examples:\n"
        "  scarlet prepare-val --dry-run val/ imagenet/valid\n"
        "  scarlet prepare-val ILSVRC2012_img_val.tar imagenet/valid\n",
    .run = run,
};
