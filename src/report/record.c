#include "record.h"

#include <stdlib.h>

#include "pictures/inputs.h"

bool answer_hit(const answer *a, int64_t label, size_t top)
{
    for (size_t i = 0; i < top; i++)
        if (a->top[i] == label)
            return true;
    return false;
}

/* ---- JSON ---- */

static void write_answer(json *j, const answer *a, size_t top)
{
    json_key(j, "top");
    json_open(j, '[');
    for (size_t i = 0; i < top; i++)
        json_integer(j, a->top[i]);
    json_close(j, ']');
    json_key(j, "confidence");
    json_float(j, a->confidence);
    json_key(j, "truth");
    json_float(j, a->truth);
}

void record_write(json *j, const record *r, size_t top, bool two)
{
    json_open(j, '{');
    json_key(j, "index");
    json_integer(j, (int64_t)r->index);
    json_key(j, "file");
    json_text(j, r->file);
    json_key(j, "label");
    json_integer(j, r->label);
    if (r->error) {
        json_key(j, "error");
        json_text(j, r->error);
    } else {
        write_answer(j, &r->answer[0], top);
    }
    if (!r->error && two) {
        json_key(j, "second");
        json_open(j, '{');
        write_answer(j, &r->answer[1], top);
        json_close(j, '}');
    }
    json_close(j, '}');
}

static bool read_answer(const json_doc *doc, const json_node *object, answer *out, size_t top)
{
    const json_node *array = json_get(doc, object, "top", '[');
    const json_node *item = json_first(doc, array);
    for (size_t i = 0; i < TOP; i++) {
        int64_t value = -1;
        if (i < top && !json_read_integer(item, 0, &value))
            return false;
        out->top[i] = (int32_t)value;
        item = item ? json_next(doc, array, item) : NULL;
    }
    const json_node *confidence = json_get(doc, object, "confidence", '0');
    const json_node *of_truth = json_get(doc, object, "truth", '0');
    if (item || !confidence || !of_truth)
        return false;
    out->confidence = strtof(confidence->text, NULL);
    out->truth = strtof(of_truth->text, NULL);
    return true;
}

bool record_read(const json_doc *doc, const json_node *object, record *out, size_t top, bool two)
{
    int64_t index;
    *out = (record){0};
    /* They belong to the document and are never written to. */
    out->file = (char *)(uintptr_t)json_get_text(doc, object, "file");
    out->error = (char *)(uintptr_t)json_get_text(doc, object, "error");
    if (!json_get_integer(doc, object, "index", 0, &index) || !out->file ||
        !json_get_integer(doc, object, "label", NO_LABEL, &out->label))
        return false;
    out->index = (size_t)index;
    if (out->error)
        return true;
    return read_answer(doc, object, &out->answer[0], top) &&
           (!two || read_answer(doc, json_get(doc, object, "second", '{'), &out->answer[1], top));
}

answer answer_of(float *scores, size_t classes, int64_t label)
{
    answer a;
    scarlet_prediction top[TOP];
    size_t count = scarlet_topk(scores, classes, TOP, top);
    scarlet_softmax(scores, classes, scores);
    for (size_t i = 0; i < TOP; i++)
        a.top[i] = i < count ? top[i].class_id : -1;
    a.confidence = scores[a.top[0]];
    a.truth = scores[label];
    return a;
}
