/*
 * dump FILE [VALUES]: prints what the readers see, one JSON object a line: the file's kind and
 * metadata, then each tensor. VALUES receives all elements as doubles, one tensor after the other.
 * A failure prints its status and text and gives exit code 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "formats/json.h"
#include "formats/open.h"

static int failed(const scarlet_error *err)
{
    printf("%s: %s\n", scarlet_status_string(err->status), err->message);
    return EXIT_FAILURE;
}

static void print(scarlet__text *line)
{
    if (line->failed)
        abort();
    puts(line->data);
    scarlet__free(line->data);
    *line = (scarlet__text){0};
}

static void print_head(const scarlet__tensors *t)
{
    scarlet__text line = {0};
    scarlet__text_put(&line, "{\"kind\": ");
    scarlet__text_put_unsigned(&line, (uint64_t)t->file_kind);
    scarlet__text_put(&line, ", \"metadata\": {");
    for (size_t i = 0; i < t->metadata_count; i++) {
        scarlet__text_put(&line, i ? ", " : "");
        scarlet__text_put_string(&line, t->key[i]);
        scarlet__text_put(&line, ": ");
        scarlet__text_put_string(&line, t->value[i]);
    }
    scarlet__text_put(&line, "}}");
    print(&line);
}

static void print_tensor(const scarlet__tensor *tensor)
{
    char shape[256];
    scarlet__text line = {0};
    scarlet__shape_text(tensor, shape, sizeof shape);
    scarlet__text_put(&line, "{\"name\": ");
    scarlet__text_put_string(&line, tensor->name);
    scarlet__text_put(&line, ", \"dtype\": ");
    scarlet__text_put_string(&line, scarlet__dtype_name(tensor->dtype));
    scarlet__text_put(&line, ", \"shape\": ");
    scarlet__text_put(&line, shape);
    scarlet__text_put(&line, "}");
    print(&line);
}

/* Reads a tensor whole and in pieces, as double and as float: all must agree. */
static scarlet_status write_values(const scarlet__tensors *t, const scarlet__tensor *tensor,
                                   FILE *out, scarlet_error *err)
{
    size_t count = (size_t)tensor->count, half = count / 2;
    double *whole = malloc((count + 1) * sizeof *whole),
           *parts = malloc((count + 1) * sizeof *parts);
    float *single = malloc((count + 1) * sizeof *single);
    if (!whole || !parts || !single)
        abort();
    scarlet_status status = scarlet__tensor_read_f64(t, tensor, 0, count, whole, err);
    if (status == SCARLET_OK)
        status = scarlet__tensor_read_f64(t, tensor, 0, half, parts, err);
    if (status == SCARLET_OK)
        status = scarlet__tensor_read_f64(t, tensor, half, count - half, parts + half, err);
    if (status == SCARLET_OK)
        status = scarlet__tensor_read_f32(t, tensor, 0, count, single, err);
    for (size_t i = 0; i < count && status == SCARLET_OK; i++) {
        float narrow = (float)whole[i];
        if (memcmp(&whole[i], &parts[i], sizeof *whole) ||
            (memcmp(&narrow, &single[i], sizeof narrow) && tensor->dtype != SCARLET__I64))
            abort();
    }
    if (status == SCARLET_OK && fwrite(whole, sizeof *whole, count, out) != count)
        abort();
    free(whole);
    free(parts);
    free(single);
    return status;
}

int main(int argc, char **argv)
{
    scarlet_error err = {0};
    scarlet__source source;
    scarlet__tensors *t;
    if (argc < 2)
        return 2;
    if (scarlet__source_open(argv[1], &source, &err) != SCARLET_OK)
        return failed(&err);
    int result = EXIT_SUCCESS;
    if (scarlet__tensors_open(&source, 1u << 30, &t, &err) != SCARLET_OK) {
        scarlet__source_close(&source);
        return failed(&err);
    }
    print_head(t);
    FILE *out = argc > 2 ? fopen(argv[2], "wb") : NULL;
    if (argc > 2 && !out)
        abort();
    for (size_t i = 0; i < t->count && result == EXIT_SUCCESS; i++) {
        const scarlet__tensor *tensor = &t->tensor[i];
        if (scarlet__tensors_find(t, tensor->name) != tensor)
            abort();
        print_tensor(tensor);
        if (out && write_values(t, tensor, out, &err) != SCARLET_OK)
            result = failed(&err);
    }
    if (out)
        fclose(out);
    scarlet__tensors_free(t);
    scarlet__source_close(&source);
    return result;
}
