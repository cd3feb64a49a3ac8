/* Tar archives through libarchive, read once from front to back. Members that share a name up to
 * its first dot belong together, as in WebDataset: KEY.jpg and KEY.cls. */
#include "tar.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/lines.h"
#include "common/standard_input.h"
#include "common/text.h"
#include "kind.h"
#include "lists.h"

#ifdef HAVE_ARCHIVE
#include <archive.h>
#include <archive_entry.h>

enum { MEMBER_MAX = 1 << 30, BLOCK = 1 << 16, CLASS_MAX = 256, RESTARTS_MAX = 256 };

/* ---- one archive ---- */

/* A file, standard input, or a member of the archive around it. */
typedef struct stream {
    struct archive *archive, *outer; /* outer: whose current member this one is; NULL: none */
    char *path;                      /* "-"; ARCHIVE:MEMBER */
    char block[BLOCK];
    size_t ready; /* bytes of the block that were looked at, and come first */
    bool begun;   /* a member was read */
} stream;

/* Filters may be stacked without end, and a file may even unpack to itself: one layer is taken off.
 */
static void add_filter(struct archive *archive, const char *head, size_t size)
{
    static const struct {
        size_t size;
        const char *bytes;
        int filter;
    } marks[] = {
        {2, "\x1F\x8B", ARCHIVE_FILTER_GZIP},
        {3, "BZh", ARCHIVE_FILTER_BZIP2},
        {6,
         "\xFD"
         "7zXZ",
         ARCHIVE_FILTER_XZ},
        {4, "\x28\xB5\x2F\xFD", ARCHIVE_FILTER_ZSTD},
    };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (size >= marks[i].size && memcmp(head, marks[i].bytes, marks[i].size) == 0)
            archive_read_append_filter(archive, marks[i].filter);
}

static la_ssize_t read_block(struct archive *archive, void *user, const void **block)
{
    stream *s = user;
    size_t ready = s->ready;
    (void)archive;
    s->ready = 0;
    *block = s->block;
    if (ready)
        return (la_ssize_t)ready;
    if (!s->outer)
        return (la_ssize_t)stdin_read(s->block, BLOCK);
    la_ssize_t got = archive_read_data(s->outer, s->block, BLOCK);
    if (got < 0)
        archive_set_error(archive, EIO, "%s", archive_error_string(s->outer));
    return got;
}

static int open_stream(stream *s)
{
    if (s->outer) {
        la_ssize_t got = archive_read_data(s->outer, s->block, BLOCK);
        s->ready = got > 0 ? (size_t)got : 0;
        add_filter(s->archive, s->block, s->ready);
    } else if (strcmp(s->path, "-") == 0) {
        const char *head;
        size_t size = stdin_peek(&head);
        add_filter(s->archive, head, size);
    } else {
        FILE *file = fopen(s->path, "rb");
        size_t size = file ? fread(s->block, 1, STDIN_HEAD, file) : 0;
        if (file)
            fclose(file);
        add_filter(s->archive, s->block, size);
        return archive_read_open_filename(s->archive, s->path, 1 << 18);
    }
    return archive_read_open(s->archive, s, NULL, read_block, NULL);
}

/* Takes the path. What fails is found when the first member is read. */
static stream *stream_open(char *path, struct archive *outer)
{
    stream *s = cli_alloc(1, sizeof *s);
    s->path = path;
    s->outer = outer;
    s->archive = archive_read_new();
    if (!s->archive)
        cli_out_of_memory();
    archive_read_support_format_tar(s->archive);
    archive_read_set_format_option(s->archive, "tar", "read_concatenated_archives", "1");
    open_stream(s);
    return s;
}

static void stream_close(stream *s)
{
    if (!s)
        return;
    archive_read_free(s->archive);
    free(s->path);
    free(s);
}

static char *reason(const stream *s)
{
    const char *text = archive_error_string(s->archive);
    if (!text && !s->begun)
        return cli_format("not a readable archive");
    if (!text || strstr(text, "amaged")) /* as where the header of a header ends early */
        return cli_format("the archive is cut short or damaged");
    if (strstr(text, "runcated"))
        return cli_format("the archive is cut short: %s", text);
    if (strstr(text, "Unrecognized"))
        return cli_format("not a tar archive, or one cut short or compressed more than once");
    return cli_format("%s", text);
}

/* The header of the next member; NULL after the last, or on an error, which is then in *error. */
static struct archive_entry *next_header(stream *s, char **error)
{
    struct archive_entry *entry = NULL;
    if (s->begun)
        archive_read_data_skip(s->archive);
    la_int64_t before = archive_filter_bytes(s->archive, 0);
    int code;
    do
        code = archive_read_next_header(s->archive, &entry);
    while (code == ARCHIVE_RETRY);
    if (code == ARCHIVE_OK || code == ARCHIVE_WARN) {
        s->begun = true;
        return entry;
    }
    if (code != ARCHIVE_EOF)
        *error = reason(s);
    else if (s->begun && archive_filter_bytes(s->archive, 0) == before) /* no end marker */
        *error = cli_format("the archive is cut short: it has no end");
    return NULL;
}

/* Contents of the current member. Its size is only what the archive claims: memory grows with the
 * bytes actually read. */
static void read_member(stream *s, struct archive_entry *entry, cli_picture *out)
{
    int64_t size = archive_entry_size(entry);
    bool possible = size >= 0 && size <= MEMBER_MAX;
    if (!possible || archive_entry_sparse_count(entry) > 0) {
        out->error =
            possible ? cli_format("a sparse file, not a picture")
                     : cli_format("%lld bytes, at most %d are read", (long long)size, MEMBER_MAX);
        return;
    }
    la_ssize_t got = BLOCK;
    for (size_t blocks = 0; got == BLOCK; blocks++) {
        out->data = cli_grow(out->data, blocks, BLOCK); /* even for an empty member */
        got = archive_read_data(s->archive, out->data + blocks * BLOCK, BLOCK);
        out->size += got > 0 ? (size_t)got : 0;
    }
    if (got < 0)
        out->error = reason(s);
    else if (out->size != (size_t)size)
        out->error = cli_format("the archive ends within it");
}

static const char *member_name(struct archive_entry *entry)
{
    const char *name = archive_entry_pathname(entry);
    return name ? name : archive_entry_pathname_utf8(entry);
}

/* ---- all of them ---- */

struct tar {
    stream *outer, *inner; /* inner: of a member that is an archive; NULL: none */
    stream *links;         /* reads the outer one again, for what hard links name */
    size_t restarts;       /* of links */
    picture_wanted wanted;
    const void *user;
    skipped *skipped;
    char *key;        /* of the last member read */
    int64_t label;    /* from KEY.cls, else NO_LABEL */
    cli_picture held; /* a picture waiting for its KEY.cls; no name: none */
    bool ended;
    size_t pictures; /* of the stream being read */
};

struct tar *tar_open(const char *path, picture_wanted wanted, const void *user, skipped *others)
{
    struct tar *tar = cli_alloc(1, sizeof *tar);
    *tar = (struct tar){.outer = stream_open(cli_format("%s", path), NULL),
                        .wanted = wanted,
                        .user = user,
                        .skipped = others,
                        .key = cli_format("%s", ""),
                        .label = NO_LABEL};
    return tar;
}

void tar_close(struct tar *tar)
{
    stream_close(tar->inner);
    stream_close(tar->outer);
    stream_close(tar->links);
    cli_picture_free(&tar->held);
    free(tar->key);
    free(tar);
}

static stream *current(const struct tar *tar)
{
    return tar->inner ? tar->inner : tar->outer;
}

/* Length of the name up to the first dot of its last part, a leading dot aside. */
static size_t key_length(const char *name)
{
    const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
    return *base ? (size_t)(base - name) + 1 + strcspn(base + 1, ".") : strlen(name);
}

static bool has_key(const struct tar *tar, const char *name)
{
    size_t length = key_length(name);
    return strlen(tar->key) == length && strncmp(tar->key, name, length) == 0;
}

static void set_key(struct tar *tar, const char *name)
{
    free(tar->key);
    tar->key = cli_format("%.*s", (int)key_length(name), name);
    tar->label = NO_LABEL;
}

static void read_class(struct tar *tar)
{
    char text[CLASS_MAX] = "";
    archive_read_data(current(tar)->archive, text, sizeof text - 1);
    text[strcspn(text, "\n")] = '\0';
    cut_blanks(text);
    tar->label = class_number(text);
}

/* What a hard link names: the data of a member before it. */
static void read_linked(struct tar *tar, const char *target, cli_picture *out)
{
    bool fresh = !tar->links;
    while (!tar->inner && strcmp(tar->outer->path, "-") != 0 && tar->restarts <= RESTARTS_MAX) {
        if (!tar->links)
            tar->links = stream_open(cli_format("%s", tar->outer->path), NULL);
        char *error = NULL;
        for (struct archive_entry *entry; (entry = next_header(tar->links, &error));) {
            const char *name = member_name(entry);
            if (name && strcmp(name, target) == 0 && !archive_entry_hardlink(entry) &&
                archive_entry_filetype(entry) == AE_IFREG) {
                read_member(tar->links, entry, out);
                return;
            }
        }
        free(error);
        stream_close(tar->links);
        tar->links = NULL;
        if (fresh)
            break;
        fresh = true;
        tar->restarts++;
    }
    out->error = cli_format("a hard link to \"%s\", which cannot be read here", target);
}

/* Hands out the picture held, if there is one. */
static bool release(struct tar *tar, cli_picture *out)
{
    *out = tar->held;
    tar->pictures += out->name != NULL;
    tar->held = (cli_picture){0};
    return out->name != NULL;
}

static cli_picture picture_of(const struct tar *tar, const char *name)
{
    const stream *s = current(tar);
    return (cli_picture){.name = cli_format("%s:%s", s->path, name),
                         .member = strlen(tar->outer->path) + 1,
                         .label = tar->label};
}

/* A member that is a picture takes the place of the one held. */
static bool hold(struct tar *tar, struct archive_entry *entry, const char *name, bool wanted,
                 cli_picture *out)
{
    bool had = release(tar, out);
    const char *target = archive_entry_hardlink(entry);
    tar->held = picture_of(tar, name);
    if (!target && archive_entry_filetype(entry) != AE_IFREG)
        tar->held.error = cli_format("a link, not a regular file of the archive");
    else if (wanted && target)
        read_linked(tar, target, &tar->held);
    else if (wanted)
        read_member(current(tar), entry, &tar->held);
    return had;
}

static void skip(struct tar *tar)
{
    char head[STDIN_HEAD];
    la_ssize_t got = archive_read_data(current(tar)->archive, head, sizeof head);
    if (tar->skipped && got > 0 && scarlet_image_kind(head, (size_t)got))
        skipped_add(tar->skipped, head, (size_t)got);
}

/* An archive within the archive. */
static bool enter(struct tar *tar, const char *name, cli_picture *out)
{
    bool had = release(tar, out);
    if (tar->inner) {
        tar->held = picture_of(tar, name);
        tar->held.error = cli_format("an archive in an archive in an archive");
        return had;
    }
    tar->inner = stream_open(cli_format("%s:%s", tar->outer->path, name), tar->outer->archive);
    tar->pictures = 0;
    set_key(tar, "");
    return had;
}

/* One member; true if a picture is out. */
static bool take(struct tar *tar, struct archive_entry *entry, size_t index, cli_picture *out)
{
    const char *name = member_name(entry);
    if (!name || archive_entry_filetype(entry) == AE_IFDIR)
        return false;
    if (!has_key(tar, name))
        set_key(tar, name);
    if (ends_with(name, ".cls")) {
        read_class(tar);
        if (tar->held.name && has_key(tar, tar->held.name + strlen(current(tar)->path) + 1))
            tar->held.label = tar->label;
        return false;
    }
    size_t own = index + (tar->held.name != NULL);
    if (is_picture(name))
        return hold(tar, entry, name, !tar->wanted || tar->wanted(tar->user, own), out);
    if (is_archive_name(name) && archive_entry_filetype(entry) == AE_IFREG)
        return enter(tar, name, out);
    skip(tar);
    return false;
}

/* The end of the archive being read. What is wrong with it comes after its pictures, but before one
 * that may have lost its class with what is missing. */
static bool end(struct tar *tar, char *error, cli_picture *out)
{
    cli_picture held = tar->held, wrong = {0};
    if (error && held.error) { /* it says so already */
        free(error);
        error = NULL;
    }
    if (!error && !tar->pictures && !held.name)
        error = cli_format("an archive without pictures");
    if (error)
        wrong = (cli_picture){
            .name = cli_format("%s", current(tar)->path), .error = error, .label = NO_LABEL};
    bool wrong_first = wrong.name && (!held.name || held.label == NO_LABEL);
    *out = wrong_first ? wrong : held;
    tar->held = wrong_first ? held : wrong;
    tar->ended = !tar->inner;
    tar->pictures = 1; /* an archive in it counts */
    stream_close(tar->inner);
    tar->inner = NULL;
    set_key(tar, "");
    return out->name != NULL;
}

bool tar_next(struct tar *tar, size_t index, cli_picture *out)
{
    while (!tar->ended) {
        char *error = NULL;
        struct archive_entry *entry = next_header(current(tar), &error);
        if (entry ? take(tar, entry, index, out) : end(tar, error, out))
            return true;
    }
    return release(tar, out);
}

#else

struct tar {
    char *path;
};

struct tar *tar_open(const char *path, picture_wanted wanted, const void *user, skipped *others)
{
    (void)wanted, (void)user, (void)others;
    struct tar *tar = cli_alloc(1, sizeof *tar);
    tar->path = cli_format("%s", path);
    return tar;
}

bool tar_next(struct tar *tar, size_t index, cli_picture *out)
{
    (void)index;
    if (!tar->path)
        return false;
    *out = (cli_picture){.name = tar->path,
                         .error =
                             cli_format("a tar archive; this scarlet was built without libarchive"),
                         .label = NO_LABEL};
    tar->path = NULL;
    return true;
}

void tar_close(struct tar *tar)
{
    free(tar->path);
    free(tar);
}

#endif
