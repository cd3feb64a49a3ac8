/* Mutates a PNG file and makes the checksums of its chunks right again, most of the time: behind a
 * wrong one nothing would be seen. */
#include <zlib.h>

#include "fuzz.h"

enum { SIGNATURE = 8, HEAD = 8, SUM = 4 };

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);

static uint32_t get(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void repair(uint8_t *data, size_t size)
{
    for (size_t at = SIGNATURE; at < size && size - at >= HEAD + SUM;) {
        uint32_t length = get(data + at);
        if (length > size - at - HEAD - SUM)
            return;
        uint32_t sum = (uint32_t)crc32(0, data + at + 4, length + 4);
        for (int i = 0; i < SUM; i++)
            data[at + HEAD + length + (size_t)i] = (uint8_t)(sum >> (24 - 8 * i) & 0xFF);
        at += HEAD + length + SUM;
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
    size = LLVMFuzzerMutate(data, size, room);
    if (seed % 8)
        repair(data, size);
    return size;
}
