/*
 * What the chunks of a PNG file say of its orientation: eXIf, else the text "Raw profile type
 * exif", and where EXIF data say nothing, XMP. The last of a kind counts.
 *
 * Known differences: where the reference (Pillow) fails on damaged metadata, or on text of more
 * than 1 MiB, they are passed over.
 */
#include <string.h>

#include <zlib.h>

#include "common/error.h"
#include "common/memory.h"
#include "common/utf8.h"
#include "image/png_file.h"

enum {
    CHUNK_MAX = 16 << 20,    /* longer chunks are not looked into */
    TEXT_MAX = 1 << 20,      /* of one compressed text, as in the reference */
    UNPACKED_MAX = 64 << 20, /* of all, as in the reference */
    DEFLATE_MOST = 1032      /* bytes that deflate makes of one */
};

typedef struct span {
    uint8_t *at;
    size_t size;
} span;

typedef enum field { NONE, EXIF, PROFILE, XMP } field;
static const char *const keys[] = {
    [EXIF] = "exif", [PROFILE] = "Raw profile type exif", [XMP] = "XML:com.adobe.xmp"};
enum { FIELDS = sizeof keys / sizeof *keys, KEY_MAX = sizeof "Raw profile type exif" };

static field field_of(span text)
{
    for (int f = EXIF; f < FIELDS; f++) {
        size_t n = strlen(keys[f]);
        if (text.size >= n && memcmp(text.at, keys[f], n) == 0 && (text.size == n || !text.at[n]))
            return (field)f;
    }
    return NONE;
}

/* ---- what a field says ---- */

static int from_exif(span s)
{
    static const uint8_t prefix[] = {'E', 'x', 'i', 'f', 0, 0};
    while (s.size >= sizeof prefix && memcmp(s.at, prefix, sizeof prefix) == 0)
        s = (span){s.at + sizeof prefix, s.size - sizeof prefix};
    return scarlet__exif_orientation(s.at, s.size);
}

static int hex_digit(uint8_t c)
{
    return c >= '0' && c <= '9'                 ? c - '0'
           : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                : -1;
}

/* EXIF data in hexadecimal digits, from the fourth line on. Space may be between bytes, a line may
 * end anywhere. Decoded in place. */
static int from_profile(span s)
{
    size_t made = 0;
    int line = 0, high = -1;
    for (size_t i = 0; i < s.size; i++) {
        uint8_t c = s.at[i];
        bool space = c == ' ' || (c >= '\t' && c <= '\r');
        if (c == '\n') {
            line++;
        } else if (line >= 3 && !(space && high < 0)) {
            int digit = hex_digit(c);
            if (digit < 0)
                return 0;
            if (high >= 0)
                s.at[made++] = (uint8_t)(high << 4 | digit);
            high = high < 0 ? digit : -1;
        }
    }
    return high < 0 ? from_exif((span){s.at, made}) : 0;
}

/* The first tiff:Orientation="N" or tiff:Orientation>N. */
static int from_xmp(span s)
{
    static const char name[] = "tiff:Orientation";
    const size_t length = sizeof name - 1;
    const uint8_t *end = s.at + s.size, *at = s.at;
    while ((at = memmem(at, (size_t)(end - at), name, length))) {
        at += length;
        const uint8_t *digit = at;
        if (end - digit >= 2 && digit[0] == '>')
            digit += 1;
        else if (end - digit >= 3 && digit[0] == '=' && digit[1] == '"')
            digit += 2;
        if (digit > at && *digit >= '0' && *digit <= '9')
            return *digit >= '1' && *digit <= '8' ? *digit - '0' : 0;
    }
    return 0;
}

static void note(scarlet__png_marks *m, field f, span s)
{
    if (f == EXIF) {
        m->has_exif = true;
        m->exif = from_exif(s);
    } else if (f == PROFILE) {
        m->has_profile = true;
        m->profile = from_profile(s);
    } else if (f == XMP) {
        m->xmp = from_xmp(s);
    }
}

int scarlet__png_orientation(const scarlet__png_marks *m)
{
    int said = m->has_exif ? m->exif : m->has_profile ? m->profile : 0;
    return said ? said : m->xmp;
}

/* ---- text ---- */

static void *zlib_alloc(void *user, uInt count, uInt size)
{
    (void)user;
    return scarlet__alloc(count, size);
}

static void zlib_free(void *user, void *block)
{
    (void)user;
    scarlet__free(block);
}

/* Unpacks a text; out->at is NULL if it is damaged or too long. */
static scarlet_status unpack(scarlet__png_marks *m, span packed, span *out, scarlet_error *err)
{
    *out = (span){0};
    if (m->unpacked >= UNPACKED_MAX)
        return SCARLET_OK;
    size_t room = TEXT_MAX;
    if (packed.size < TEXT_MAX / DEFLATE_MOST)
        room = (packed.size + 1) * DEFLATE_MOST;
    z_stream z = {.zalloc = zlib_alloc,
                  .zfree = zlib_free,
                  .next_in = packed.at,
                  .avail_in = (uInt)packed.size};
    uint8_t *text = scarlet__alloc(room, 1);
    if (!text || inflateInit(&z) != Z_OK) {
        scarlet__free(text);
        return scarlet__fail_memory(err);
    }
    z.next_out = text;
    z.avail_out = (uInt)room;
    int result = inflate(&z, Z_SYNC_FLUSH);
    inflateEnd(&z);
    size_t size = room - z.avail_out;
    m->unpacked += size;
    bool cut_short = result == Z_BUF_ERROR || (result == Z_OK && z.avail_in == 0);
    if (result == Z_STREAM_END || cut_short) /* what is there counts */
        *out = (span){text, size};
    else
        scarlet__free(text);
    return result == Z_MEM_ERROR ? scarlet__fail_memory(err) : SCARLET_OK;
}

/* Takes what comes before a NUL off *rest, and the NUL; all of it, and false, if there is none. */
static bool cut(span *rest, span *first)
{
    const uint8_t *zero = rest->size ? memchr(rest->at, 0, rest->size) : NULL;
    first->at = rest->at;
    first->size = zero ? (size_t)(zero - rest->at) : rest->size;
    size_t gone = first->size + (zero ? 1 : 0);
    *rest = (span){rest->at + gone, rest->size - gone};
    return zero;
}

static bool is_utf8(span s)
{
    return scarlet__utf8_check((const char *)s.at, s.size) == s.size;
}

/* zTXt: a NUL for deflate, the text. */
static scarlet_status note_packed(scarlet__png_marks *m, field f, span s, scarlet_error *err)
{
    if (s.size == 0 || s.at[0])
        return SCARLET_OK;
    span text;
    scarlet_status status = unpack(m, (span){s.at + 1, s.size - 1}, &text, err);
    if (status == SCARLET_OK) /* damaged text is empty text, and EXIF data are none as text */
        note(m, f, f == EXIF || !text.at ? (span){s.at, 0} : text);
    scarlet__free(text.at);
    return status;
}

/* iTXt: whether it is packed, a NUL for deflate, language, translated key, the text. */
static scarlet_status note_international(scarlet__png_marks *m, field f, span s, scarlet_error *err)
{
    if (s.size < 2 || (s.at[0] && s.at[1]))
        return SCARLET_OK;
    bool packed = s.at[0];
    span text = {s.at + 2, s.size - 2}, language, translated, unpacked = {0};
    if (!cut(&text, &language) || !cut(&text, &translated) || !is_utf8(language) ||
        !is_utf8(translated))
        return SCARLET_OK;
    scarlet_status status = SCARLET_OK;
    if (packed) {
        status = unpack(m, text, &unpacked, err);
        text = unpacked;
    }
    if (status == SCARLET_OK && (text.at || !packed) && is_utf8(text))
        note(m, f, f == EXIF ? (span){s.at, 0} : text);
    scarlet__free(unpacked.at);
    return status;
}

scarlet_status scarlet__png_mark(scarlet__png_marks *m, scarlet__window *window,
                                 const scarlet__chunk *chunk, scarlet_error *err)
{
    bool exif = scarlet__chunk_is(chunk, "eXIf"), plain = scarlet__chunk_is(chunk, "tEXt");
    bool packed = scarlet__chunk_is(chunk, "zTXt");
    if (chunk->length > CHUNK_MAX ||
        (!exif && !plain && !packed && !scarlet__chunk_is(chunk, "iTXt")))
        return SCARLET_OK;

    uint8_t head[KEY_MAX];
    size_t size = chunk->length < sizeof head ? chunk->length : sizeof head;
    scarlet_status status = scarlet__window_read(window, chunk->at, head, size, err);
    if (status != SCARLET_OK)
        return status;
    field f = exif ? EXIF : field_of((span){head, size});
    if (f == NONE)
        return SCARLET_OK;

    span s = {scarlet__alloc((size_t)chunk->length + 1, 1), chunk->length}, key;
    if (!s.at)
        return scarlet__fail_memory(err);
    uint8_t *block = s.at;
    status = scarlet__window_read(window, chunk->at, s.at, s.size, err);
    if (!exif)
        cut(&s, &key);
    if (status == SCARLET_OK && (exif || plain))
        note(m, f, s);
    else if (status == SCARLET_OK)
        status = packed ? note_packed(m, f, s, err) : note_international(m, f, s, err);
    scarlet__free(block);
    return status;
}
