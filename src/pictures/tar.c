/* Tar archives through libarchive, read once from front to back. Members that share a name up to
 * its first dot belong together, as in WebDataset: KEY.jpg and KEY.cls. */
#include "tar.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/text.h"
#include "kind.h"
#include "lists.h"

#ifdef HAVE_ARCHIVE
#include <archive.h>
#include <archive_entry.h>

enum { MEMBER_MAX = 1 << 30, BLOCK = 1 << 16, CLASS_MAX = 16 };

struct tar {
    struct archive *archive;
    picture_wanted wanted;
    const void *user;
    char *path, *key;  /* key: of the last member read */
    int64_t label;     /* from KEY.cls, else NO_LABEL */
    cli_picture held;  /* a picture waiting for its KEY.cls; no name: none */
    const char *error; /* of the archive itself */
    bool ended;
    size_t pictures;
};

static const char *reason(const struct tar *tar)
{
    const char *text = archive_error_string(tar->archive);
    return text ? text : "not a readable archive";
}

struct tar *tar_open(const char *path, picture_wanted wanted, const void *user)
{
    struct tar *tar = cli_alloc(1, sizeof *tar);
    tar->path = cli_format("%s", path);
    tar->wanted = wanted;
    tar->user = user;
    tar->key = cli_format("%s", "");
    tar->label = NO_LABEL;
    tar->archive = archive_read_new();
    if (!tar->archive)
        cli_out_of_memory();
    /* No others: some would run programs. */
    archive_read_support_filter_gzip(tar->archive);
    archive_read_support_filter_bzip2(tar->archive);
    archive_read_support_filter_xz(tar->archive);
    archive_read_support_filter_zstd(tar->archive);
    archive_read_support_format_tar(tar->archive);
    if (archive_read_open_filename(tar->archive, path, 1 << 18) != ARCHIVE_OK)
        tar->error = reason(tar);
    return tar;
}

void tar_close(struct tar *tar)
{
    archive_read_free(tar->archive);
    cli_picture_free(&tar->held);
    free(tar->path);
    free(tar->key);
    free(tar);
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

/* Contents of the current member. Its size is only what the archive claims: memory grows with the
 * bytes actually read. */
static void read_member(struct tar *tar, struct archive_entry *entry, cli_picture *out)
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
        got = archive_read_data(tar->archive, out->data + blocks * BLOCK, BLOCK);
        out->size += got > 0 ? (size_t)got : 0;
    }
    if (got < 0 || out->size != (size_t)size)
        out->error = cli_format("%s", got < 0 ? reason(tar) : "the archive ends within it");
}

static void read_class(struct tar *tar)
{
    char text[CLASS_MAX + 2] = {'x', ' '};
    la_ssize_t got = archive_read_data(tar->archive, text + 2, CLASS_MAX - 1);
    while (got > 0 && strchr(" \r\n", text[got + 1]))
        text[got-- + 1] = '\0';
    tar->label = got > 0 ? cut_label(text) : NO_LABEL;
}

/* Hands out the picture held, if there is one. */
static bool release(struct tar *tar, cli_picture *out)
{
    *out = tar->held;
    tar->pictures += out->name != NULL;
    tar->held = (cli_picture){0};
    return out->name != NULL;
}

/* Reads the header of the next member; NULL at the end or on an error, which is then set. */
static struct archive_entry *next_member(struct tar *tar)
{
    struct archive_entry *entry = NULL;
    if (tar->error || tar->ended)
        return NULL;
    int code = archive_read_next_header(tar->archive, &entry);
    while (code == ARCHIVE_RETRY)
        code = archive_read_next_header(tar->archive, &entry);
    if (code == ARCHIVE_OK || code == ARCHIVE_WARN)
        return entry;
    tar->ended = true;
    if (code != ARCHIVE_EOF)
        tar->error = reason(tar);
    return NULL;
}

/* A member that is a picture takes the place of the one held. */
static bool hold(struct tar *tar, struct archive_entry *entry, const char *name, bool wanted,
                 cli_picture *out)
{
    bool had = release(tar, out);
    tar->held = (cli_picture){.name = cli_format("%s:%s", tar->path, name), .label = tar->label};
    if (archive_entry_hardlink(entry) || archive_entry_filetype(entry) != AE_IFREG)
        tar->held.error = cli_format("%s", "a link, not a regular file of the archive");
    else if (wanted)
        read_member(tar, entry, &tar->held);
    return had;
}

bool tar_next(struct tar *tar, size_t index, cli_picture *out)
{
    struct archive_entry *entry;
    while ((entry = next_member(tar))) {
        const char *name = archive_entry_pathname(entry);
        if (!name)
            name = archive_entry_pathname_utf8(entry);
        if (!name || archive_entry_filetype(entry) == AE_IFDIR)
            continue;
        if (!has_key(tar, name)) {
            free(tar->key);
            tar->key = cli_format("%.*s", (int)key_length(name), name);
            tar->label = NO_LABEL;
        }
        if (ends_with(name, ".cls")) {
            read_class(tar);
            if (tar->held.name && has_key(tar, tar->held.name + strlen(tar->path) + 1))
                tar->held.label = tar->label;
        } else if (is_picture(name)) {
            size_t own = index + (tar->held.name != NULL);
            if (hold(tar, entry, name, !tar->wanted || tar->wanted(tar->user, own), out))
                return true;
        }
    }
    if (release(tar, out))
        return true;
    if (!tar->error && !tar->pictures)
        tar->error = "an archive without pictures";
    if (!tar->error)
        return false;
    tar->pictures++;
    *out = (cli_picture){.name = cli_format("%s", tar->path),
                         .error = cli_format("%s", tar->error),
                         .label = NO_LABEL};
    tar->error = NULL;
    tar->ended = true;
    return true;
}

#else

struct tar {
    char *path;
};

struct tar *tar_open(const char *path, picture_wanted wanted, const void *user)
{
    (void)wanted, (void)user;
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
