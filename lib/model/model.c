#include "model/model.h"

#include <string.h>

#include "common/cpu.h"
#include "common/error.h"
#include "common/host.h"
#include "common/memory.h"
#include "formats/open.h"
#include "network/architectures.h"
#include "network/find.h"
#include "options/options.h"

/* The fused executor's kernels exist in every set, but in float32 XNNPACK is faster where they were
 * not tuned; if it starts. */
static const scarlet__engine *choose_untuned(const scarlet_options *opts)
{
    scarlet_error cause;
    if (scarlet__engine_xnnpack.start(&cause) == SCARLET_OK)
        return &scarlet__engine_xnnpack;
    scarlet__log(opts, SCARLET__LOG_INFO, "%s; engine=fused is used", cause.message);
    return &scarlet__engine_fused;
}

static scarlet_status choose_engine(const scarlet_options *opts, scarlet_model *model,
                                    scarlet_error *err)
{
    const bool integers = model->precision != SCARLET_PRECISION_F32;
    scarlet_status status;
    switch (scarlet__option(opts, SCARLET_OPT_ENGINE)) {
    case SCARLET_ENGINE_XNNPACK:
        if (integers)
            return scarlet__fail(
                err, SCARLET_ERROR_ARGUMENT,
                "option precision: engine xnnpack computes in f32 only, not in %s; "
                "use engine=fused or auto",
                scarlet_option_value_name(SCARLET_OPT_PRECISION, model->precision));
        status = scarlet__engine_xnnpack.start(err);
        if (status == SCARLET_OK)
            model->engine = &scarlet__engine_xnnpack;
        return status;
    case SCARLET_ENGINE_FUSED:
        model->engine = &scarlet__engine_fused;
        break;
    default:
        model->engine = integers || model->kernels->isa != SCARLET_ISA_PORTABLE
                            ? &scarlet__engine_fused
                            : choose_untuned(opts);
    }
    return SCARLET_OK;
}

/* The kernels for a model: the newest set that has functions of its own for its precision. */
static const scarlet__kernels *choose_kernels(const scarlet_options *opts, int precision)
{
    static const int newest[] = {
        [SCARLET_PRECISION_F32] = SCARLET_ISA_AVX512,
        [SCARLET_PRECISION_INT16] = SCARLET_ISA_AVX512VNNI,
        [SCARLET_PRECISION_INT8] = SCARLET_ISA_AVX512BF16,
    };
    int isa = scarlet__cpu_isa(scarlet__option(opts, SCARLET_OPT_ISA_MAX));
    return scarlet__kernels_for(isa < newest[precision] ? isa : newest[precision]);
}

static scarlet_status build(const scarlet__source *source, const scarlet_options *opts,
                            scarlet_model *model, scarlet_error *err)
{
    scarlet__tensors *tensors = NULL;
    uint64_t max_bytes = (uint64_t)scarlet__option(opts, SCARLET_OPT_MAX_BYTES);
    scarlet_status status = scarlet__tensors_open(source, max_bytes, &tensors, err);
    if (status == SCARLET_OK)
        status = scarlet__network_find(tensors, &model->network, err);
    if (status == SCARLET_OK)
        status = scarlet__metadata_read(tensors, &model->network, &model->metadata, err);
    if (status == SCARLET_OK) {
        model->file_kind = tensors->file_kind;
        memcpy(model->taken, tensors->taken, sizeof model->taken);
        status = model->engine->weights_create(&model->network, tensors, model->kernels,
                                               model->precision, &model->weights,
                                               &model->weight_bytes, err);
    }
    scarlet__tensors_free(tensors);
    return status;
}

enum { IMAGENET_CLASSES = 1000 };

/* Whether the file is like those that the network's authors released, which have no names of
 * classes. */
static bool has_imagenet_classes(const scarlet_model *model)
{
    const scarlet__network *network = &model->network;
    const bool published =
        memcmp(&network->space, &scarlet__space_default, sizeof network->space) == 0 ||
        scarlet__architecture_name(&network->space, &network->style, network->genotype);
    return model->metadata.label_count == 0 && network->classes == IMAGENET_CLASSES && published;
}

static scarlet_status load(const scarlet__source *source, const scarlet_options *opts,
                           scarlet_model **out, scarlet_error *err)
{
    scarlet_model *model = scarlet__calloc(1, sizeof *model);
    scarlet_status status = SCARLET_OK;
    if (model) {
        atomic_init(&model->references, 1);
        model->precision = (int)scarlet__option(opts, SCARLET_OPT_PRECISION);
        model->kernels = choose_kernels(opts, model->precision);
        status = choose_engine(opts, model, err);
        if (status == SCARLET_OK)
            status = build(source, opts, model, err);
    } else {
        status = scarlet__fail_memory(err);
    }
    if (status == SCARLET_OK && has_imagenet_classes(model))
        status = scarlet_labels_builtin("imagenet-1k", &model->imagenet, err);
    if (status == SCARLET_OK) {
        scarlet__log(opts, SCARLET__LOG_INFO, "%s: %s, %d classes", source->name,
                     model->network.name, model->network.classes);
        *out = model;
    } else {
        scarlet_model_free(model);
    }
    return status;
}

scarlet_status scarlet_model_load(const char *path, const scarlet_options *opts,
                                  scarlet_model **out, scarlet_error *err)
{
    if (!out)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    if (!path)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "path is NULL");
    scarlet__host host = scarlet__host_enter();
    scarlet__source source;
    scarlet_status status = scarlet__source_open(path, &source, err);
    if (status == SCARLET_OK)
        status = load(&source, opts, out, err);
    scarlet__source_close(&source);
    scarlet__host_leave(&host);
    return status;
}

scarlet_status scarlet_model_load_memory(const void *data, size_t size, const scarlet_options *opts,
                                         scarlet_model **out, scarlet_error *err)
{
    if (!out)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    if (!data)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "data is NULL");
    scarlet__source source;
    scarlet__source_memory(data, size, &source);
    scarlet__host host = scarlet__host_enter();
    scarlet_status status = load(&source, opts, out, err);
    scarlet__host_leave(&host);
    return status;
}

void scarlet__model_retain(scarlet_model *model)
{
    atomic_fetch_add_explicit(&model->references, 1, memory_order_relaxed);
}

void scarlet_model_free(scarlet_model *model)
{
    if (!model || atomic_fetch_sub_explicit(&model->references, 1, memory_order_acq_rel) != 1)
        return;
    if (model->engine)
        model->engine->weights_free(model->weights);
    scarlet__metadata_free(&model->metadata);
    scarlet_labels_free(model->imagenet);
    scarlet__free(model);
}

int scarlet__model_side(const scarlet_model *model)
{
    return model->metadata.input_size ? model->metadata.input_size : SCARLET__IMAGENET_SIDE;
}

/* ---- what a caller may ask ---- */

const char *scarlet_model_name(const scarlet_model *model)
{
    return model ? model->network.name : NULL;
}

const char *scarlet_model_genotype(const scarlet_model *model)
{
    return model ? model->network.genotype : NULL;
}

const char *scarlet_model_label(const scarlet_model *model, int32_t class_id)
{
    if (!model || class_id < 0)
        return NULL;
    if (model->metadata.label_count == 0)
        return scarlet_labels_get(model->imagenet, class_id);
    return (size_t)class_id < model->metadata.label_count ? model->metadata.label[class_id] : NULL;
}

const char *scarlet_model_metadata(const scarlet_model *model, const char *key)
{
    return model && key ? scarlet__metadata_get(&model->metadata, key) : NULL;
}

const char *scarlet_model_metadata_key(const scarlet_model *model, size_t index)
{
    return model && index < model->metadata.count ? model->metadata.key[index] : NULL;
}

const char *scarlet_model_weights_key(const scarlet_model *model)
{
    return model && model->file_kind != SCARLET_FILE_SAFETENSORS ? model->taken : NULL;
}

int64_t scarlet_model_layer_get(const scarlet_model *model, size_t layer, scarlet_info what)
{
    if (!model || layer >= (size_t)model->network.count)
        return -1;
    const scarlet__layer *l = &model->network.layer[layer];
    switch (what) {
    case SCARLET_INFO_KIND:
        return l->kind;
    case SCARLET_INFO_CHANNELS_IN:
        return l->in;
    case SCARLET_INFO_CHANNELS_OUT:
        return l->out;
    case SCARLET_INFO_KERNEL:
        return l->kernel;
    case SCARLET_INFO_STRIDE:
        return l->stride;
    case SCARLET_INFO_EXPANSION:
        return l->expansion;
    case SCARLET_INFO_SE:
        return l->squeeze;
    case SCARLET_INFO_RESIDUAL:
        return l->residual;
    case SCARLET_INFO_PARAMETERS:
        return scarlet__layer_parameters(l);
    case SCARLET_INFO_MACS:
        return scarlet__layer_macs(
            l, scarlet__network_side(&model->network, scarlet__model_side(model), layer));
    case SCARLET_INFO_PRECISION:
        return model->engine->layer_precision
                   ? model->engine->layer_precision(&model->network, (int)layer, model->precision)
                   : model->precision;
    default:
        return -1;
    }
}

const char *scarlet_model_layer_name(const scarlet_model *model, size_t layer)
{
    return model && layer < (size_t)model->network.count ? model->network.layer[layer].name : NULL;
}

int64_t scarlet_model_get(const scarlet_model *model, scarlet_info what)
{
    if (!model)
        return -1;
    switch (what) {
    case SCARLET_INFO_CLASSES:
        return model->network.classes;
    case SCARLET_INFO_INPUT_SIZE:
        return scarlet__model_side(model);
    case SCARLET_INFO_FEATURES:
        return model->network.space.tail;
    case SCARLET_INFO_LAYERS:
        return model->network.count;
    case SCARLET_INFO_PARAMETERS:
    case SCARLET_INFO_MACS: {
        int64_t sum = 0;
        for (size_t i = 0; i < (size_t)model->network.count; i++)
            sum += scarlet_model_layer_get(model, i, what);
        return sum;
    }
    case SCARLET_INFO_BYTES:
        return (int64_t)(sizeof *model + model->weight_bytes);
    case SCARLET_INFO_FILE_KIND:
        return model->file_kind;
    case SCARLET_INFO_TOTAL_STRIDE:
        return model->network.total_stride;
    case SCARLET_INFO_PRECISION:
        return model->precision;
    case SCARLET_INFO_ENGINE:
        return model->engine->id;
    case SCARLET_INFO_ISA:
        return model->kernels->isa;
    default:
        return -1;
    }
}

scarlet_status scarlet_model_options(const scarlet_model *model, scarlet_options **out,
                                     scarlet_error *err)
{
    if (!out)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    if (!model)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "model is NULL");
    scarlet_options *opts = scarlet_options_create();
    if (!opts)
        return scarlet__fail_memory(err);
    const scarlet__metadata *m = &model->metadata;
    float mean[3], std[3];
    scarlet__metadata_normalization(m, mean, std);
    scarlet_status status =
        scarlet_options_set(opts, SCARLET_OPT_CROP, scarlet__model_side(model), err);
    if (status == SCARLET_OK && m->resize)
        status = scarlet_options_set(opts, SCARLET_OPT_RESIZE, m->resize, err);
    if (status == SCARLET_OK && m->has_auto_orient)
        status = scarlet_options_set(opts, SCARLET_OPT_AUTO_ORIENT, m->auto_orient, err);
    if (status == SCARLET_OK)
        status = scarlet_options_set_normalization(opts, mean, std, err);
    if (status == SCARLET_OK)
        *out = opts;
    else
        scarlet_options_free(opts);
    return status;
}
