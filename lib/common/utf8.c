#include "common/utf8.h"

size_t scarlet__utf8_check(const char *text, size_t length)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t i = 0;
    while (i < length) {
        unsigned char lead = s[i];
        size_t tail = lead < 0x80 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
        if ((lead >= 0x80 && lead < 0xC2) || lead > 0xF4 || tail > length - i - 1)
            return i;
        for (size_t j = 1; j <= tail; j++)
            if ((s[i + j] & 0xC0) != 0x80)
                return i;
        if ((lead == 0xE0 && s[i + 1] < 0xA0) || (lead == 0xED && s[i + 1] > 0x9F) ||
            (lead == 0xF0 && s[i + 1] < 0x90) || (lead == 0xF4 && s[i + 1] > 0x8F))
            return i;
        i += tail + 1;
    }
    return length;
}
