#include "formats/sniff.h"

#include <stdbool.h>
#include <string.h>

#include "scarlet/scarlet.h"

typedef struct {
    size_t at, length;
    const char *bytes;
    const char *what;
} mark;

#define MARK(at, bytes, what)                                                                      \
    {                                                                                              \
        at, sizeof bytes - 1, bytes, what                                                          \
    }

static const char torch_tar[] =
    "looks like a tar archive made by torch before 0.1.10; load it with such a torch and save "
    "its state_dict() again";

/* In the order in which they are tried. */
static const mark marks[] = {
    MARK(0, "version https://git-lfs",
         "looks like a git-lfs pointer (the file itself was not fetched: git lfs pull)"),
    MARK(0, "\x1F\x8B", "looks like a gzip file (unpack it first)"),
    MARK(0,
         "\xFD"
         "7zXZ",
         "looks like an xz file (unpack it first)"),
    MARK(0, "BZh", "looks like a bzip2 file (unpack it first)"),
    MARK(0, "\x28\xB5\x2F\xFD", "looks like a zstd file (unpack it first)"),
    MARK(0, "7z\xBC\xAF", "looks like a 7z file (unpack it first)"),
    MARK(0, "\x89HDF", "looks like an HDF5 file (Keras?)"),
    MARK(0, "GGUF", "looks like a GGUF file"),
    MARK(0, "\x93NUMPY", "looks like a NumPy array"),
    MARK(0, "\x89PNG", "looks like a PNG picture"),
    MARK(0, "\xFF\xD8\xFF", "looks like a JPEG picture"),
    MARK(4, "TFL3", "looks like a TensorFlow Lite model"),
    MARK(0, "sys_info\0", torch_tar),
    MARK(0, "storages\0", torch_tar),
    MARK(0, "tensors\0", torch_tar),
    MARK(0, "pickle\0", torch_tar),
    MARK(257, "ustar", "looks like a tar archive (unpack it first)"),
};

static bool has(const uint8_t *head, size_t length, const mark *m)
{
    return m->at <= length && m->length <= length - m->at &&
           memcmp(head + m->at, m->bytes, m->length) == 0;
}

static bool contains(const uint8_t *head, size_t length, const char *text)
{
    const size_t size = strlen(text);
    for (size_t i = 0; i + size <= length; i++)
        if (memcmp(head + i, text, size) == 0)
            return true;
    return false;
}

/* '<' after blanks, perhaps after a byte order mark. */
static bool markup(const uint8_t *head, size_t length)
{
    size_t i = length >= 3 && memcmp(head, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    while (i < length && memchr(" \t\r\n", head[i], 4))
        i++;
    return i < length && head[i] == '<';
}

/* Protocol buffers have no mark: field 1 (the IR version, under 32), then a field of the model. */
static bool onnx(const uint8_t *head, size_t length)
{
    return length >= 3 && head[0] == 0x08 && head[1] > 0 && head[1] < 32 &&
           (head[2] == 0x12 || head[2] == 0x1A || head[2] == 0x22 || head[2] == 0x3A ||
            head[2] == 0x42);
}

int scarlet__sniff(const uint8_t *head, size_t length, const char **what)
{
    *what = "neither a torch file nor safetensors";
    if (length >= 4 && memcmp(head, "PK\3\4", 4) == 0)
        return SCARLET_FILE_ZIP;
    if (length >= 2 && head[0] == 0x80 && head[1] >= 1 && head[1] <= 5) /* PROTO */
        return SCARLET_FILE_LEGACY;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (has(head, length, &marks[i])) {
            *what = marks[i].what;
            return 0;
        }
    }
    if (length == 0)
        *what = "the file is empty";
    else if (length >= 9 && head[8] == '{' &&
             !(head[0] == '{' && head[7])) /* text has no such length */
        return SCARLET_FILE_SAFETENSORS;
    else if (contains(head, length, "\"weight_map\""))
        *what =
            "looks like the index of a model in several files (model.safetensors.index.json); "
            "join them into one safetensors file";
    else if (length && head[0] == '{')
        *what = "looks like JSON text";
    else if (markup(head, length))
        *what = "looks like an HTML page (a failed download?)";
    else if (onnx(head, length))
        *what = "looks like an ONNX model";
    return 0;
}
