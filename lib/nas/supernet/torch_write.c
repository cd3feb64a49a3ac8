#include "nas/supernet/torch_write.h"

#include <stdio.h>
#include <string.h>

#include <zlib.h>

#include "common/error.h"

enum { NAME_SIZE = 128, ALIGNMENT = 64 /* of records, so that they can be mapped */ };
enum { LOCAL_SIZE = 30, EXTRA_SIZE = 4 };
#define ARCHIVE_MAX UINT32_C(0xF0000000) /* offsets have 32 bits; the rest is for the directory */
enum { VERSION = 20, UTF8_NAMES = 0x800, FIRST_DAY = 0x21 /* of 1980 */ };

typedef struct writer {
    const char *target; /* for messages */
    const scarlet__contents *contents;
    scarlet__output *output, pickle, directory; /* the latter two in memory */
    uint64_t at;                                /* bytes written to the output */
    uint64_t records;
    scarlet_status status; /* after a failure nothing more is written */
    scarlet_error *err;
} writer;

static void put(writer *w, scarlet__output *to, const void *data, size_t size)
{
    if (w->status == SCARLET_OK)
        w->status = scarlet__output_write(to, data, size, w->err);
    if (to == w->output)
        w->at += size;
}

static void put_text(writer *w, scarlet__output *to, const char *text)
{
    put(w, to, text, strlen(text));
}

/* A little-endian number of `size` bytes. */
static void put_number(writer *w, scarlet__output *to, uint64_t value, size_t size)
{
    uint8_t byte[8];
    for (size_t i = 0; i < size; i++)
        byte[i] = (uint8_t)(value >> 8 * i);
    put(w, to, byte, size);
}

/* ---- the archive ---- */

/* What the local head of a record and the directory's entry have in common. */
static void put_record(writer *w, scarlet__output *to, uint64_t size, uint32_t sum, size_t name,
                       size_t extra)
{
    put_number(w, to, VERSION, 2);
    put_number(w, to, UTF8_NAMES, 2);
    put_number(w, to, 0, 2); /* stored */
    put_number(w, to, 0, 2); /* midnight */
    put_number(w, to, FIRST_DAY, 2);
    put_number(w, to, sum, 4);
    put_number(w, to, size, 4);
    put_number(w, to, size, 4);
    put_number(w, to, name, 2);
    put_number(w, to, extra, 2);
}

/* The data of the record follow. */
static void begin_record(writer *w, const char *name, uint64_t size, uint32_t sum)
{
    static const uint8_t zeros[ALIGNMENT];
    const uint64_t start = w->at;
    const size_t length = strlen(name);
    const size_t padding =
        ALIGNMENT - (size_t)((start + LOCAL_SIZE + length + EXTRA_SIZE) % ALIGNMENT);
    if (w->status == SCARLET_OK &&
        (size > ARCHIVE_MAX || start > ARCHIVE_MAX - size || w->records >= UINT16_MAX))
        w->status = scarlet__fail(w->err, SCARLET_ERROR_LIMIT, "%s: more than such a file can hold",
                                  w->target);
    put_text(w, w->output, "PK\3\4");
    put_record(w, w->output, size, sum, length, EXTRA_SIZE + padding);
    put_text(w, w->output, name);
    put_text(w, w->output, "FB");
    put_number(w, w->output, padding, 2);
    put(w, w->output, zeros, padding);

    put_text(w, &w->directory, "PK\1\2");
    put_number(w, &w->directory, VERSION, 2);
    put_record(w, &w->directory, size, sum, length, 0);
    put_number(w, &w->directory, 0, 2); /* comment */
    put_number(w, &w->directory, 0, 2); /* disk */
    put_number(w, &w->directory, 0, 2); /* attributes */
    put_number(w, &w->directory, 0, 4);
    put_number(w, &w->directory, start, 4);
    put_text(w, &w->directory, name);
    w->records++;
}

static void put_small_record(writer *w, const char *name, const void *data, size_t size)
{
    begin_record(w, name, size, (uint32_t)crc32_z(0, data, size));
    put(w, w->output, data, size);
}

static void end_archive(writer *w)
{
    const uint64_t start = w->at;
    put(w, w->output, w->directory.data, w->directory.size);
    put_text(w, w->output, "PK\5\6");
    put_number(w, w->output, 0, 4); /* disks */
    put_number(w, w->output, w->records, 2);
    put_number(w, w->output, w->records, 2);
    put_number(w, w->output, w->directory.size, 4);
    put_number(w, w->output, start, 4);
    put_number(w, w->output, 0, 2); /* comment */
}

/* ---- the pickle ---- */

/* Opcodes with their operands, of protocol 2. */
#define BEGIN "\x80\2ccollections\nOrderedDict\n)R("
#define TENSOR "ctorch._utils\n_rebuild_tensor_v2\n(("
#define TENSOR_END "\x89" /* needs no gradient */ "ccollections\nOrderedDict\n)RtR"
#define STORAGE_END "tQ"
#define TUPLE "("
#define TUPLE_END "t"
#define END "u."

static void pickle_text(writer *w, const char *text)
{
    put_text(w, &w->pickle, "X");
    put_number(w, &w->pickle, strlen(text), 4);
    put_text(w, &w->pickle, text);
}

static void pickle_number(writer *w, uint64_t value)
{
    put_text(w, &w->pickle, "J");
    put_number(w, &w->pickle, value, 4);
}

static uint64_t count_of(const scarlet__entry *entry)
{
    uint64_t count = 1;
    for (int i = 0; i < entry->rank; i++)
        count *= (uint64_t)entry->shape[i];
    return count;
}

/* "name": a tensor that is all of the storage `key`. */
static void pickle_tensor(writer *w, const scarlet__entry *entry, const char *key)
{
    uint64_t stride = count_of(entry);
    pickle_text(w, entry->name);
    put_text(w, &w->pickle, TENSOR);
    pickle_text(w, "storage");
    put_text(w, &w->pickle,
             entry->dtype == SCARLET__F32   ? "ctorch\nFloatStorage\n"
             : entry->dtype == SCARLET__F16 ? "ctorch\nHalfStorage\n"
                                            : "ctorch\nLongStorage\n");
    pickle_text(w, key);
    pickle_text(w, "cpu");
    pickle_number(w, stride);
    put_text(w, &w->pickle, STORAGE_END);
    pickle_number(w, 0); /* where in it */
    put_text(w, &w->pickle, TUPLE);
    for (int i = 0; i < entry->rank; i++)
        pickle_number(w, (uint64_t)entry->shape[i]);
    put_text(w, &w->pickle, TUPLE_END TUPLE);
    for (int i = 0; i < entry->rank; i++)
        pickle_number(w, stride /= (uint64_t)entry->shape[i]);
    put_text(w, &w->pickle, TUPLE_END TENSOR_END);
}

/* ---- tensors ---- */

/* The elements of entry `index`: written, or only summed up. */
static uint32_t visit(writer *w, size_t index, bool write)
{
    const scarlet__contents *c = w->contents;
    const scarlet__entry *entry = &c->entry[index];
    const size_t size = scarlet__dtype_size(entry->dtype), most = SCARLET__PIECE / size;
    const uint64_t count = count_of(entry);
    uint32_t sum = 0;
    scarlet__piece piece;
    for (uint64_t at = 0; at < count && w->status == SCARLET_OK;) {
        const size_t n = count - at < most ? (size_t)(count - at) : most;
        w->status = c->elements(c->user, index, at, n, &piece, w->err);
        if (w->status == SCARLET_OK && write)
            put(w, w->output, &piece, n * size);
        else if (w->status == SCARLET_OK)
            sum = (uint32_t)crc32_z(sum, piece.u8, n * size);
        at += n;
    }
    return sum;
}

/* The counter after a running_var; false: the entry is none. */
static bool counter(const scarlet__entry *entry, char name[NAME_SIZE], scarlet__entry *out)
{
    static const char ending[] = "running_var", other[] = "num_batches_tracked";
    const size_t length = strlen(entry->name), tail = sizeof ending - 1;
    if (length < tail || strcmp(entry->name + length - tail, ending) != 0)
        return false;
    snprintf(name, NAME_SIZE, "%.*s%s", (int)(length - tail), entry->name, other);
    *out = (scarlet__entry){.name = name, .dtype = SCARLET__I64};
    return true;
}

/* Calls for each tensor of the file, with its key; `index` is that of the entry, or past the last
 * for a counter. */
static void each(writer *w,
                 void (*fn)(writer *w, const scarlet__entry *entry, size_t index, const char *key))
{
    char key[24], name[NAME_SIZE];
    uint64_t number = 0;
    const scarlet__contents *c = w->contents;
    for (size_t i = 0; i < c->count && w->status == SCARLET_OK; i++) {
        scarlet__entry more;
        snprintf(key, sizeof key, "%llu", (unsigned long long)number++);
        fn(w, &c->entry[i], i, key);
        if (!counter(&c->entry[i], name, &more))
            continue;
        snprintf(key, sizeof key, "%llu", (unsigned long long)number++);
        fn(w, &more, c->count, key);
    }
}

static void describe(writer *w, const scarlet__entry *entry, size_t index, const char *key)
{
    (void)index;
    pickle_tensor(w, entry, key);
}

static void put_storage(writer *w, const scarlet__entry *entry, size_t index, const char *key)
{
    static const int64_t none;
    char name[NAME_SIZE];
    snprintf(name, sizeof name, "archive/data/%s", key);
    if (index == w->contents->count) {
        put_small_record(w, name, &none, sizeof none);
        return;
    }
    const uint32_t sum = visit(w, index, false);
    begin_record(w, name, count_of(entry) * scarlet__dtype_size(entry->dtype), sum);
    visit(w, index, true);
}

scarlet_status scarlet__torch_put(scarlet__output *output, const char *name,
                                  const scarlet__contents *contents, scarlet_error *err)
{
    writer w = {.target = name, .contents = contents, .output = output, .err = err};
    scarlet__output_memory(&w.pickle);
    scarlet__output_memory(&w.directory);
    put_text(&w, &w.pickle, BEGIN);
    each(&w, describe);
    put_text(&w, &w.pickle, END);
    put_small_record(&w, "archive/data.pkl", w.pickle.data, w.pickle.size);
    put_small_record(&w, "archive/byteorder", "little", 6);
    each(&w, put_storage);
    put_small_record(&w, "archive/version", "3\n", 2);
    end_archive(&w);
    scarlet__output_abandon(&w.pickle);
    scarlet__output_abandon(&w.directory);
    return w.status;
}
