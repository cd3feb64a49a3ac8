#include "standard_input.h"

#include <stdio.h>
#include <string.h>

static struct {
    char head[STDIN_HEAD];
    size_t size, taken;
} peeked;

size_t stdin_peek(const char **head)
{
    if (!peeked.size)
        peeked.size = fread(peeked.head, 1, STDIN_HEAD, stdin);
    *head = peeked.head;
    return peeked.size;
}

size_t stdin_read(void *to, size_t size)
{
    size_t left = peeked.size - peeked.taken;
    if (!left)
        return fread(to, 1, size, stdin);
    size = size < left ? size : left;
    memcpy(to, peeked.head + peeked.taken, size);
    peeked.taken += size;
    return size;
}
