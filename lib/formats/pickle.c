#include "formats/pickle.h"

#include <string.h>

#include "common/error.h"
#include "common/memory.h"
#include "formats/torch_names.h"

enum { TEXT_MAX = 1024 /* a line of text: a name or a number */ };

typedef struct {
    scarlet__pickle *out;
    uint64_t at;    /* file offset of the next byte; the last one allowed is before window.end */
    bool capped;    /* the window's end is the limit, not the end of the data */
    uint64_t op_at; /* of the opcode being run */

    scarlet__value *stack;
    size_t depth, stack_room;
    scarlet__value *memo;
    size_t memo_count, memo_room;

    scarlet_status status; /* set for good by the first failure */
    scarlet_error *err;
    scarlet__window window;
} machine;

/* ---- failures: all give false ---- */

static bool bad(machine *m, const char *what)
{
    m->status = scarlet__fail(m->err, SCARLET_ERROR_CORRUPT, "%s: pickle, byte %llu: %s",
                              m->window.source->name, (unsigned long long)m->op_at, what);
    return false;
}

static bool limit(machine *m, const char *what)
{
    m->status = scarlet__fail(m->err, SCARLET_ERROR_LIMIT, "%s: pickle, byte %llu: %s",
                              m->window.source->name, (unsigned long long)m->op_at, what);
    return false;
}

/* What a call or reference cannot be: `below` values under the top, the name of the tensor it was
 * to be is the nearest string. */
static bool bad_tensor(machine *m, size_t below, const char *what)
{
    for (size_t i = m->depth - below; i > 0; i--) {
        if (m->stack[i - 1].kind != SCARLET__STRING)
            continue;
        m->status = scarlet__fail(m->err, SCARLET_ERROR_CORRUPT,
                                  "%s: pickle, byte %llu: tensor %.96s: %s", m->window.source->name,
                                  (unsigned long long)m->op_at, m->stack[i - 1].bytes, what);
        return false;
    }
    return bad(m, what);
}

/* An allocation did not succeed. */
static bool starved(machine *m)
{
    if (m->out->heap.arena.spent)
        return limit(m, "it builds more than 64 MiB");
    m->status = scarlet__fail_memory(m->err);
    return false;
}

/* ---- bytes ---- */

static bool available(machine *m, uint64_t size)
{
    if (size <= m->window.end - m->at)
        return true;
    return m->capped ? limit(m, "it is longer than 64 MiB")
                     : bad(m, "the data ends in the middle of the pickle");
}

static bool fetch(machine *m, void *out, size_t size)
{
    if (!available(m, size))
        return false;
    m->status = scarlet__window_read(&m->window, m->at, out, size, m->err);
    if (m->status != SCARLET_OK)
        return false;
    m->at += size;
    return true;
}

/* A little-endian number of 1, 2, 4 or 8 bytes. */
static bool number(machine *m, size_t size, uint64_t *value)
{
    *value = 0;
    return fetch(m, value, size);
}

static bool skip(machine *m, uint64_t size)
{
    if (!available(m, size))
        return false;
    m->at += size;
    return true;
}

/* A line without its newline. */
static bool line(machine *m, char text[TEXT_MAX])
{
    for (size_t i = 0; i < TEXT_MAX; i++) {
        if (!fetch(m, &text[i], 1))
            return false;
        if (text[i] == '\n') {
            text[i] = '\0';
            return strlen(text) == i || bad(m, "a NUL in a line of text");
        }
    }
    return bad(m, "a line of text without an end");
}

/* ---- stack ---- */

static bool push(machine *m, scarlet__value value)
{
    if (m->depth == SCARLET__PICKLE_STACK_MAX)
        return limit(m, "more than 1048576 values on the stack");
    if (!scarlet__grow((void **)&m->stack, &m->stack_room, m->depth, sizeof *m->stack,
                       SCARLET__PICKLE_STACK_MAX))
        return starved(m);
    m->stack[m->depth++] = value;
    return true;
}

/* The value `down` places below the top, above the last mark; NULL if there is none. */
static scarlet__value *peek(machine *m, size_t down)
{
    for (size_t i = 0; i <= down; i++) {
        if (m->depth <= i || m->stack[m->depth - 1 - i].kind == SCARLET__MARK) {
            bad(m, "its stack has too few values");
            return NULL;
        }
    }
    return &m->stack[m->depth - 1 - down];
}

/* Takes all values above the last mark, and the mark. They stay readable until the next push. */
static bool pop_mark(machine *m, const scarlet__value **values, size_t *count)
{
    size_t base = m->depth;
    while (base > 0 && m->stack[base - 1].kind != SCARLET__MARK)
        base--;
    if (base == 0)
        return bad(m, "its stack has no mark");
    *values = m->stack + base;
    *count = m->depth - base;
    m->depth = base - 1;
    return true;
}

static bool push_kind(machine *m, scarlet__kind kind)
{
    return push(m, (scarlet__value){.kind = kind});
}

static bool push_int(machine *m, int64_t value)
{
    return push(m, (scarlet__value){.kind = SCARLET__INT, .integer = value});
}

/* ---- literals ---- */

static bool push_bytes(machine *m, scarlet__kind kind, uint64_t length)
{
    if (length > SCARLET__PICKLE_STRING_MAX)
        return skip(m, length) && push_kind(m, SCARLET__OPAQUE);
    if (!available(m, length))
        return false;
    char *copy = scarlet__arena_alloc(&m->out->heap.arena, (size_t)length + 1, 1);
    if (!copy)
        return starved(m);
    copy[length] = '\0';
    return fetch(m, copy, (size_t)length) &&
           push(m, (scarlet__value){.kind = kind, .length = (uint32_t)length, .bytes = copy});
}

/* Two's complement of any length. */
static bool push_long(machine *m, uint64_t length)
{
    uint64_t value;
    if (length > 8)
        return push_bytes(m, SCARLET__LONG, length);
    if (!number(m, (size_t)length, &value))
        return false;
    if (length > 0 && length < 8 && value >> (8 * length - 1)) /* negative: extend the sign */
        value |= ~(UINT64_MAX >> (64 - 8 * length));
    return push_int(m, (int64_t)value);
}

/* "123" or "-4" (Python 2 writes integers beyond 32 bits so); "00" and "01" are bools. */
static bool push_decimal(machine *m)
{
    char text[TEXT_MAX];
    if (!line(m, text))
        return false;
    int64_t value = 0;
    bool negative = text[0] == '-';
    const char *p = text + negative;
    do {
        if (*p < '0' || *p > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, *p - '0', &value)) /* the negative side holds one more */
            return bad(m, "a number that is not an integer of 64 bits");
    } while (*++p);
    if (!negative && __builtin_sub_overflow(0, value, &value))
        return bad(m, "a number that is not an integer of 64 bits");
    return push_int(m, value);
}

static bool push_global(machine *m, const char *module, const char *name)
{
    scarlet__arena *arena = &m->out->heap.arena;
    size_t module_size = strlen(module) + 1, name_size = strlen(name) + 1;
    scarlet__global *global = scarlet__arena_alloc(arena, 1, sizeof *global);
    char *text = scarlet__arena_alloc(arena, module_size + name_size, 1);
    if (!global || !text)
        return starved(m);
    memcpy(text, module, module_size);
    memcpy(text + module_size, name, name_size);
    *global = (scarlet__global){.module = text, .name = text + module_size};
    scarlet__global_lookup(global);
    if (global->meaning == SCARLET__MEANS_DANGER) {
        m->status =
            scarlet__fail(m->err, SCARLET_ERROR_UNSUPPORTED,
                          "%s: refused: its pickle names the global '%s.%s' at byte %llu",
                          m->window.source->name, module, name, (unsigned long long)m->op_at);
        return false;
    }
    return push(m, (scarlet__value){.kind = SCARLET__GLOBAL, .global = global});
}

static bool global_lines(machine *m)
{
    char module[TEXT_MAX], name[TEXT_MAX];
    return line(m, module) && line(m, name) && push_global(m, module, name);
}

static bool global_stack(machine *m)
{
    const scarlet__value *name = peek(m, 0), *module = name ? peek(m, 1) : NULL;
    if (!module)
        return false;
    if (name->kind != SCARLET__STRING || module->kind != SCARLET__STRING ||
        strlen(name->bytes) != name->length || strlen(module->bytes) != module->length)
        return bad(m, "a global whose name is not a string");
    m->depth -= 2;
    return push_global(m, module->bytes, name->bytes);
}

/* ---- containers ---- */

static bool push_items(machine *m, scarlet__kind kind, const scarlet__value *values, size_t count)
{
    scarlet__items *items = scarlet__arena_alloc(&m->out->heap.arena, 1, sizeof *items);
    if (!items)
        return starved(m);
    *items = (scarlet__items){0};
    if (!scarlet__items_add(&m->out->heap.arena, items, values, count))
        return starved(m);
    return push(m, (scarlet__value){.kind = kind, .items = items});
}

static bool push_tuple_marked(machine *m)
{
    const scarlet__value *values;
    size_t count;
    return pop_mark(m, &values, &count) && push_items(m, SCARLET__TUPLE, values, count);
}

static bool push_tuple(machine *m, size_t count)
{
    if (!peek(m, count - 1))
        return false;
    m->depth -= count;
    return push_items(m, SCARLET__TUPLE, m->stack + m->depth, count);
}

/* Adds values to the container on the stack's top; to an opaque one nothing is added. */
static bool add(machine *m, scarlet__kind kind, const scarlet__value *values, size_t count)
{
    const scarlet__value *target = peek(m, 0);
    if (!target)
        return false;
    if (target->kind == SCARLET__OPAQUE)
        return true;
    if (target->kind != kind)
        return bad(m, "items for a value that takes none");
    if (kind == SCARLET__DICT && count % 2)
        return bad(m, "a key without a value");
    return scarlet__items_add(&m->out->heap.arena, target->items, values, count) || starved(m);
}

static bool add_top(machine *m, scarlet__kind kind, size_t count)
{
    if (!peek(m, count - 1))
        return false;
    m->depth -= count;
    return add(m, kind, m->stack + m->depth, count);
}

static bool add_marked(machine *m, scarlet__kind kind)
{
    const scarlet__value *values;
    size_t count;
    return pop_mark(m, &values, &count) && add(m, kind, values, count);
}

static bool frozenset(machine *m)
{
    const scarlet__value *values;
    size_t count;
    return pop_mark(m, &values, &count) && push_kind(m, SCARLET__OPAQUE);
}

/* ---- memo ---- */

static bool put(machine *m, uint64_t index)
{
    const scarlet__value *value = peek(m, 0);
    if (!value)
        return false;
    if (index >= SCARLET__PICKLE_MEMO_MAX)
        return limit(m, "more than 1048576 memo entries");
    if (index > m->memo_count + 1) /* Python 2 begins at 1 */
        return bad(m, "a memo index that leaves a gap");
    while (m->memo_count <= index) {
        if (!scarlet__grow((void **)&m->memo, &m->memo_room, m->memo_count, sizeof *m->memo,
                           SCARLET__PICKLE_MEMO_MAX))
            return starved(m);
        m->memo[m->memo_count++] = (scarlet__value){.kind = SCARLET__MARK}; /* not set */
    }
    m->memo[index] = *value;
    return true;
}

static bool get(machine *m, uint64_t index)
{
    if (index >= m->memo_count || m->memo[index].kind == SCARLET__MARK)
        return bad(m, "a memo entry that was never set");
    return push(m, m->memo[index]);
}

/* ---- objects ---- */

/* callable and arguments (and keywords) give way to the result. */
static bool call(machine *m, size_t operands, bool may_mean)
{
    const scarlet__value *callable = peek(m, operands - 1);
    if (!callable)
        return false;
    if (callable->kind != SCARLET__GLOBAL && callable->kind != SCARLET__OPAQUE)
        return bad(m, "a call of something that is no function");
    scarlet__value result = {.kind = SCARLET__OPAQUE, .global = callable->global};
    const char *problem;
    if (may_mean && callable->kind == SCARLET__GLOBAL &&
        !scarlet__torch_call(&m->out->heap, callable->global, callable + 1, &result, &problem))
        return problem ? bad_tensor(m, operands, problem) : starved(m);
    m->depth -= operands;
    return push(m, result);
}

/* Sets attributes: of an OrderedDict they are not needed, and nothing else has any here. */
static bool build(machine *m)
{
    const scarlet__value *target = peek(m, 1);
    if (!target)
        return false;
    if (target->kind != SCARLET__DICT && target->kind != SCARLET__OPAQUE)
        return bad(m, "attributes for a value that has none");
    m->depth--;
    return true;
}

static bool persistent(machine *m)
{
    scarlet__value *id = peek(m, 0), result;
    const char *problem;
    if (!id)
        return false;
    if (!scarlet__torch_persistent(&m->out->heap, id, &result, &problem))
        return problem ? bad_tensor(m, 1, problem) : starved(m);
    *id = result;
    return true;
}

/* ---- the machine ---- */

static bool unsupported(machine *m, uint64_t op)
{
    m->status = scarlet__fail(m->err, SCARLET_ERROR_UNSUPPORTED,
                              "%s: unsupported pickle opcode 0x%02X at byte %llu",
                              m->window.source->name, (unsigned)op, (unsigned long long)m->op_at);
    return false;
}

static bool step(machine *m, uint64_t op)
{
    uint64_t n;
    const scarlet__value *top;
    switch (op) {
    case 0x80: /* PROTO */
        return number(m, 1, &n) && (n <= 5 || bad(m, "a protocol above 5"));
    case 0x95: /* FRAME: a hint for buffering */
        return number(m, 8, &n);

    case 'N': /* NONE */
        return push_kind(m, SCARLET__NONE);
    case 0x88: /* NEWTRUE */
        return push_int(m, 1);
    case 0x89: /* NEWFALSE */
        return push_int(m, 0);
    case 'K': /* BININT1 */
        return number(m, 1, &n) && push_int(m, (int64_t)n);
    case 'M': /* BININT2 */
        return number(m, 2, &n) && push_int(m, (int64_t)n);
    case 'J': /* BININT */
        return number(m, 4, &n) && push_int(m, (int32_t)(uint32_t)n);
    case 'I': /* INT */
        return push_decimal(m);
    case 0x8A: /* LONG1 */
        return number(m, 1, &n) && push_long(m, n);
    case 0x8B: /* LONG4 */
        return number(m, 4, &n) && push_long(m, n);
    case 'G': /* BINFLOAT */
        return skip(m, 8) && push_kind(m, SCARLET__OPAQUE);

    case 'U':  /* SHORT_BINSTRING */
    case 0x8C: /* SHORT_BINUNICODE */
        return number(m, 1, &n) && push_bytes(m, SCARLET__STRING, n);
    case 'T': /* BINSTRING */
    case 'X': /* BINUNICODE */
        return number(m, 4, &n) && push_bytes(m, SCARLET__STRING, n);
    case 0x8D: /* BINUNICODE8 */
        return number(m, 8, &n) && push_bytes(m, SCARLET__STRING, n);
    case 'C': /* SHORT_BINBYTES */
        return number(m, 1, &n) && skip(m, n) && push_kind(m, SCARLET__OPAQUE);
    case 'B': /* BINBYTES */
        return number(m, 4, &n) && skip(m, n) && push_kind(m, SCARLET__OPAQUE);
    case 0x8E: /* BINBYTES8 */
    case 0x96: /* BYTEARRAY8 */
        return number(m, 8, &n) && skip(m, n) && push_kind(m, SCARLET__OPAQUE);

    case ')': /* EMPTY_TUPLE */
        return push_items(m, SCARLET__TUPLE, NULL, 0);
    case 't': /* TUPLE */
        return push_tuple_marked(m);
    case 0x85: /* TUPLE1 */
    case 0x86: /* TUPLE2 */
    case 0x87: /* TUPLE3 */
        return push_tuple(m, (size_t)op - 0x84);
    case ']': /* EMPTY_LIST */
        return push_items(m, SCARLET__LIST, NULL, 0);
    case 'a': /* APPEND */
        return add_top(m, SCARLET__LIST, 1);
    case 'e': /* APPENDS */
        return add_marked(m, SCARLET__LIST);
    case '}': /* EMPTY_DICT */
        return push_items(m, SCARLET__DICT, NULL, 0);
    case 's': /* SETITEM */
        return add_top(m, SCARLET__DICT, 2);
    case 'u': /* SETITEMS */
        return add_marked(m, SCARLET__DICT);
    case 0x8F: /* EMPTY_SET */
        return push_kind(m, SCARLET__OPAQUE);
    case 0x90: /* ADDITEMS: sets are opaque */
        return add_marked(m, SCARLET__OPAQUE);
    case 0x91: /* FROZENSET */
        return frozenset(m);

    case '(': /* MARK */
        return push_kind(m, SCARLET__MARK);
    case '0': /* POP */
        return m->depth > 0 ? m->depth--, true : bad(m, "its stack is empty");
    case '1': { /* POP_MARK */
        const scarlet__value *values;
        size_t count;
        return pop_mark(m, &values, &count);
    }
    case '2': /* DUP */
        return (top = peek(m, 0)) && push(m, *top);

    case 'q': /* BINPUT */
        return number(m, 1, &n) && put(m, n);
    case 'r': /* LONG_BINPUT */
        return number(m, 4, &n) && put(m, n);
    case 0x94: /* MEMOIZE */
        return put(m, m->memo_count);
    case 'h': /* BINGET */
        return number(m, 1, &n) && get(m, n);
    case 'j': /* LONG_BINGET */
        return number(m, 4, &n) && get(m, n);

    case 'c': /* GLOBAL */
        return global_lines(m);
    case 0x93: /* STACK_GLOBAL */
        return global_stack(m);
    case 'R': /* REDUCE */
        return call(m, 2, true);
    case 0x81: /* NEWOBJ */
        return call(m, 2, false);
    case 0x92: /* NEWOBJ_EX */
        return call(m, 3, false);
    case 'b': /* BUILD */
        return build(m);
    case 'Q': /* BINPERSID */
        return persistent(m);
    default:
        return unsupported(m, op);
    }
}

static void run(machine *m)
{
    uint64_t op;
    for (;;) {
        m->op_at = m->at;
        if (!number(m, 1, &op))
            return;
        if (op == '.') /* STOP */
            break;
        if (!step(m, op))
            return;
    }
    if (m->depth != 1 || m->stack[0].kind == SCARLET__MARK) {
        bad(m, "it does not end with one value");
        return;
    }
    m->out->value = m->stack[0];
    m->out->end = m->at;
}

scarlet_status scarlet__pickle_load(const scarlet__source *source, uint64_t offset, uint64_t size,
                                    scarlet__pickle *out, scarlet_error *err)
{
    *out = (scarlet__pickle){.heap.arena.budget = SCARLET__PICKLE_MEMORY_MAX};
    machine m = {.out = out, .at = offset, .status = SCARLET_OK, .err = err};
    m.capped = size > SCARLET__PICKLE_MAX;
    m.window.source = source;
    m.window.end = offset + (m.capped ? SCARLET__PICKLE_MAX : size);
    run(&m);
    scarlet__free(m.stack);
    scarlet__free(m.memo);
    return m.status;
}

void scarlet__pickle_free(scarlet__pickle *pickle)
{
    scarlet__heap_free(&pickle->heap);
    *pickle = (scarlet__pickle){0};
}
