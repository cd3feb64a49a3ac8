/* Tar archives through libarchive, read once from front to back. Members that share a name up to
 * its first dot belong together, as in WebDataset: KEY.jpg and KEY.cls. */
#include "tar.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/lines.h"
#include "common/source.h"
#include "common/text.h"
#include "common/whole.h"
#include "kind.h"
#include "lists.h"

#ifdef HAVE_ARCHIVE
#include <archive.h>
#include <archive_entry.h>
#include <search.h>

enum {
    MEMBER_MAX = 1 << 30,
    BLOCK = 1 << 16,
    CLASS_MAX = 256,
    AGAIN_MIN = 1 << 29,
    AGAIN_TIMES = 8
};

/* ---- names of members ---- */

/* What follows slashes and dots that lead nowhere, as in "./a". */
static const char *skip_idle(const char *name)
{
    while (*name == '/' || (*name == '.' && (name[1] == '/' || !name[1])))
        name++;
    return name;
}

/* Order of names, where "./a//b" is "a/b"; 0: the same. */
static int compare_names(const char *a, const char *b)
{
    for (size_t length = 1; length > 0; a += length, b += length) {
        a = skip_idle(a);
        b = skip_idle(b);
        length = strcspn(a, "/");
        size_t other = strcspn(b, "/");
        int order = strncmp(a, b, length < other ? length : other);
        if (order || length != other)
            return order ? order : length < other ? -1 : 1;
    }
    return 0;
}

/* A hard link: what it leads to, in the end. A class file: its text. */
typedef struct noted {
    char *name, *value;
} noted;

static int by_name(const void *a, const void *b)
{
    return compare_names(((const noted *)a)->name, ((const noted *)b)->name);
}

static void noted_free(void *user)
{
    noted *n = user;
    free(n->name);
    free(n->value);
    free(n);
}

static const noted *noted_find(void *const *tree, const char *name)
{
    noted key = {.name = (char *)(uintptr_t)name};
    void *found = tfind(&key, tree, by_name);
    return found ? *(noted **)found : NULL;
}

/* The last of a name holds. */
static void noted_put(void **tree, const char *name, const char *value)
{
    noted *n = cli_alloc(1, sizeof *n);
    n->name = cli_format("%s", name);
    noted **at = tsearch(n, tree, by_name);
    if (!at)
        cli_out_of_memory();
    if (*at != n)
        noted_free(n);
    free((*at)->value);
    (*at)->value = cli_format("%s", value);
}

/* ---- one archive ---- */

/* A file, a source, or a member of the archive around it. */
typedef struct stream {
    struct archive *archive, *outer; /* outer: whose current member this one is; NULL: none */
    source *once;                    /* NULL: a file or a member */
    char *path;                      /* "-"; ARCHIVE:MEMBER */
    char block[BLOCK];
    size_t ready; /* bytes of the block that were looked at, and come first */
    bool filtered;
    size_t members; /* read so far */
    void *links;    /* tree of those that are hard links */
    void *classes;  /* tree of class files, the first of each text */
    void *texts;    /* tree of their texts */
} stream;

/* Filters may be stacked without end, and a file may even unpack to itself: one layer is taken off.
 */
static int filter_of(const char *head, size_t size)
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
            return marks[i].filter;
    return ARCHIVE_FILTER_NONE;
}

static void add_filter(stream *s, const char *head, size_t size)
{
    int filter = filter_of(head, size);
    s->filtered = filter != ARCHIVE_FILTER_NONE;
    if (s->filtered)
        archive_read_append_filter(s->archive, filter);
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
        return (la_ssize_t)source_read(s->once, s->block, BLOCK);
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
        add_filter(s, s->block, s->ready);
    } else if (s->once) {
        const char *head;
        size_t size = source_peek(s->once, &head);
        add_filter(s, head, size);
    } else {
        FILE *file = fopen(s->path, "rb");
        size_t size = file ? fread(s->block, 1, SOURCE_HEAD, file) : 0;
        if (file)
            fclose(file);
        add_filter(s, s->block, size);
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
    s->once = outer ? NULL : source_open(path);
    s->archive = archive_read_new();
    if (!s->archive)
        cli_out_of_memory();
    archive_read_support_format_tar(s->archive);
    archive_read_support_format_raw(s->archive); /* what is no tar archive, to say what it is */
    archive_read_set_format_option(s->archive, "tar", "read_concatenated_archives", "1");
    open_stream(s);
    return s;
}

static void stream_close(stream *s)
{
    if (!s)
        return;
    archive_read_free(s->archive);
    tdestroy(s->links, noted_free);
    tdestroy(s->classes, noted_free);
    tdestroy(s->texts, noted_free);
    free(s->path);
    free(s);
}

static char *reason(const stream *s)
{
    const char *text = archive_error_string(s->archive);
    if (!text && !s->members)
        return cli_format("not a readable archive");
    if (!text || strstr(text, "amaged")) /* as where the header of a header ends early */
        return cli_format("the archive is cut short or damaged");
    if (strstr(text, "runcated"))
        return cli_format("the archive is cut short: %s", text);
    if (strstr(text, "Unrecognized"))
        return cli_format(s->filtered ? "the archive is cut short or damaged"
                                      : "not a readable archive");
    return cli_format("%s", text);
}

/* What is there in place of a tar archive. */
static char *other_contents(stream *s)
{
    la_ssize_t got = archive_read_data(s->archive, s->block, SOURCE_HEAD);
    if (got < 0)
        return reason(s);
    if (filter_of(s->block, (size_t)got) != ARCHIVE_FILTER_NONE)
        return cli_format("compressed more than once: one layer is taken off");
    return cli_format(got < SOURCE_HEAD ? "too short for a tar archive" : "not a tar archive");
}

/* The header of the next member; NULL after the last, or on an error, which is then in *error. */
static struct archive_entry *next_header(stream *s, char **error)
{
    struct archive_entry *entry = NULL;
    if (s->members)
        archive_read_data_skip(s->archive);
    la_int64_t before = archive_filter_bytes(s->archive, 0);
    int code;
    do
        code = archive_read_next_header(s->archive, &entry);
    while (code == ARCHIVE_RETRY);
    bool taken = code == ARCHIVE_OK || code == ARCHIVE_WARN;
    if (taken && archive_format(s->archive) == ARCHIVE_FORMAT_RAW) {
        *error = other_contents(s);
        return NULL;
    }
    s->members += taken;
    if (taken)
        return entry;
    if (code != ARCHIVE_EOF)
        *error = reason(s);
    else if (s->members && archive_filter_bytes(s->archive, 0) == before) /* no end marker */
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
    stream *outer, *inner;       /* inner: of a member that is an archive; NULL: none */
    stream *again, *again_outer; /* the one being read, opened anew for what hard links name */
    int64_t again_bytes;         /* read so */
    picture_wanted wanted;
    const void *user;
    skipped *skipped;
    char *key;        /* of the last member read */
    int64_t label;    /* from KEY.cls, else NO_LABEL */
    char *class_name; /* the same, if it is not a number; else NULL */
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

/* Bytes read of it, unpacked; NULL: 0. */
static int64_t bytes_of(const stream *s)
{
    return s ? archive_filter_bytes(s->archive, 0) : 0;
}

static void close_again(struct tar *tar)
{
    tar->again_bytes += bytes_of(tar->again) + bytes_of(tar->again_outer);
    stream_close(tar->again);
    stream_close(tar->again_outer);
    tar->again = tar->again_outer = NULL;
}

void tar_close(struct tar *tar)
{
    close_again(tar);
    stream_close(tar->inner);
    stream_close(tar->outer);
    cli_picture_free(&tar->held);
    free(tar->key);
    free(tar->class_name);
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
    name = skip_idle(name);
    size_t length = key_length(name);
    return strlen(tar->key) == length && strncmp(tar->key, name, length) == 0;
}

static void set_key(struct tar *tar, const char *name)
{
    name = skip_idle(name);
    free(tar->key);
    tar->key = cli_format("%.*s", (int)key_length(name), name);
    tar->label = NO_LABEL;
    free(tar->class_name);
    tar->class_name = NULL;
}

/* ---- hard links ---- */

/* Reading again is bounded: a small file could cause much work otherwise. */
static bool may_reopen(const struct tar *tar)
{
    int64_t again = tar->again_bytes + bytes_of(tar->again) + bytes_of(tar->again_outer);
    return again <= AGAIN_MIN + AGAIN_TIMES * (bytes_of(tar->outer) + bytes_of(tar->inner));
}

/* Opens anew what is being read: an archive within an archive is found by its place. */
static void reopen(struct tar *tar)
{
    close_again(tar);
    tar->again = stream_open(cli_format("%s", tar->outer->path), NULL);
    if (!tar->inner)
        return;
    char *error = NULL;
    tar->again_outer = tar->again;
    while (tar->again_outer->members < tar->outer->members && next_header(tar->again_outer, &error))
        ;
    free(error); /* of a file that changes as it is read: then there are no members */
    tar->again = stream_open(cli_format("%s", tar->inner->path), tar->again_outer->archive);
}

/* Reads the member of that name, and of those the next to come; false: none comes. */
static bool read_named(struct tar *tar, const char *name, cli_picture *out)
{
    char *error = NULL;
    for (struct archive_entry *entry; (entry = next_header(tar->again, &error));) {
        const char *own = member_name(entry);
        if (own && compare_names(own, name) == 0 && !archive_entry_hardlink(entry) &&
            archive_entry_filetype(entry) == AE_IFREG) {
            read_member(tar->again, entry, out);
            return true;
        }
    }
    free(error);
    return false;
}

/* Where a hard link leads in the end. */
static const char *end_of_link(const struct tar *tar, const char *target)
{
    const noted *n = noted_find(&current(tar)->links, target);
    return n ? n->value : target;
}

/* What a hard link names: the data of a member before it. */
static void read_linked(struct tar *tar, const char *target, cli_picture *out)
{
    target = end_of_link(tar, target);
    const char *cause = "which is no file of the archive";
    if (tar->outer->once)
        cause = "but a pipe cannot be read twice: name the archive as a file";
    else if (tar->again && read_named(tar, target, out))
        return;
    else if (!may_reopen(tar))
        cause = "and too many before it led back in the archive";
    else {
        reopen(tar);
        if (read_named(tar, target, out))
            return;
    }
    out->error = cli_format("a hard link to \"%s\", %s", target, cause);
}

static void note_link(struct tar *tar, const char *name, const char *target)
{
    char *end = cli_format("%s", end_of_link(tar, target)); /* may be the value replaced */
    noted_put(&current(tar)->links, name, end);
    free(end);
}

/* ---- classes ---- */

/* The first file of each text is remembered: hard links name it where equal files were put in an
 * archive once. */
static void note_class(stream *s, const char *name, const char *text)
{
    if (noted_find(&s->texts, text))
        return;
    noted_put(&s->texts, text, "");
    noted_put(&s->classes, name, text);
}

/* The text of KEY.cls. Returns why there is none, NULL if there is one; free it. */
static char *read_class_text(struct tar *tar, const char *target, char text[CLASS_MAX])
{
    if (!target) {
        archive_read_data(current(tar)->archive, text, CLASS_MAX - 1);
        return NULL;
    }
    cli_picture linked = {0};
    read_linked(tar, target, &linked);
    size_t size = linked.size < CLASS_MAX - 1 ? linked.size : CLASS_MAX - 1;
    if (linked.data)
        memcpy(text, linked.data, size);
    free(linked.data);
    return linked.error;
}

/* Its first line, without a mark and blanks around it. */
static const char *first_line(char *text)
{
    char *line = after_mark(text);
    line[strcspn(line, "\n")] = '\0';
    cut_blanks(line);
    return line + strspn(line, " \t");
}

static char *read_class(struct tar *tar, const char *name, const char *target)
{
    stream *s = current(tar);
    const char *end = target ? end_of_link(tar, target) : name;
    const noted *known = target ? noted_find(&s->classes, end) : NULL;
    char text[CLASS_MAX] = "", *error = NULL;
    const char *line = known ? known->value : NULL;
    if (!known) {
        error = read_class_text(tar, target, text);
        line = first_line(text);
        if (*line)
            note_class(s, end, line);
    }
    tar->label = class_number(line);
    free(tar->class_name);
    tar->class_name = tar->label < 0 && *line ? cli_format("%s", line) : NULL;
    return error;
}

/* ---- members ---- */

/* Hands out the picture held, if there is one. */
static bool release(struct tar *tar, cli_picture *out)
{
    *out = tar->held;
    tar->pictures += out->name != NULL;
    tar->held = (cli_picture){0};
    return out->name != NULL;
}

/* Gives a picture the class that KEY.cls names. */
static void put_class(const struct tar *tar, cli_picture *picture)
{
    free(picture->class_name);
    picture->label = tar->label;
    picture->class_name = tar->class_name ? cli_format("%s", tar->class_name) : NULL;
}

static cli_picture picture_of(const struct tar *tar, const char *name)
{
    const stream *s = current(tar);
    cli_picture picture = {.name = cli_format("%s:%s", s->path, name),
                           .member = strlen(tar->outer->path) + 1};
    put_class(tar, &picture);
    return picture;
}

/* A member that cannot be used takes the place of the picture held. */
static bool hold_error(struct tar *tar, const char *name, char *error, cli_picture *out)
{
    bool had = release(tar, out);
    tar->held = picture_of(tar, name);
    tar->held.error = error;
    return had;
}

/* As does a picture. */
static bool hold(struct tar *tar, struct archive_entry *entry, const char *name, const char *target,
                 bool wanted, cli_picture *out)
{
    bool had = hold_error(tar, name, NULL, out);
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
    char head[SOURCE_HEAD];
    la_ssize_t got = archive_read_data(current(tar)->archive, head, sizeof head);
    if (tar->skipped && got > 0 && scarlet_image_kind(head, (size_t)got))
        skipped_add(tar->skipped, head, (size_t)got);
}

/* An archive within the archive. */
static bool enter(struct tar *tar, const char *name, cli_picture *out)
{
    if (tar->inner)
        return hold_error(tar, name, cli_format("an archive in an archive in an archive"), out);
    bool had = release(tar, out);
    close_again(tar);
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
    const char *target = archive_entry_size(entry) > 0 ? NULL : archive_entry_hardlink(entry);
    if (target)
        note_link(tar, name, target);
    if (!has_key(tar, name))
        set_key(tar, name);
    if (ends_with(name, ".cls")) {
        char *error = read_class(tar, name, target);
        if (error)
            return hold_error(tar, name, error, out);
        if (tar->held.name && has_key(tar, tar->held.name + strlen(current(tar)->path) + 1))
            put_class(tar, &tar->held);
        return false;
    }
    size_t own = index + (tar->held.name != NULL);
    if (is_picture(name))
        return hold(tar, entry, name, target, !tar->wanted || tar->wanted(tar->user, own), out);
    if (is_archive_name(name) && (target || archive_entry_filetype(entry) != AE_IFREG))
        return hold_error(tar, name, cli_format("a link to an archive, which is not followed"),
                          out);
    if (is_archive_name(name))
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
    close_again(tar);
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
