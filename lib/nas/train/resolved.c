#include "nas/train/resolved.h"

#include <math.h>

#include "common/error.h"

static double option(const scarlet_train_options *opts, scarlet_train_option key)
{
    return scarlet__train_number(opts, key);
}

scarlet_status scarlet__resolved_pictures(const scarlet_dataset *dataset,
                                          const scarlet_train_options *opts,
                                          scarlet__pictures **out, scarlet_error *err)
{
    scarlet_options *decoding = scarlet_options_create();
    if (!decoding)
        return scarlet__fail_memory(err);
    const struct {
        scarlet_option key;
        int64_t value;
    } settings[] = {
        {SCARLET_OPT_AUTO_ORIENT, (int64_t)option(opts, SCARLET_TRAIN_AUTO_ORIENT)},
        {SCARLET_OPT_DECODE, (int64_t)option(opts, SCARLET_TRAIN_DECODE)},
        {SCARLET_OPT_RESIZE, (int64_t)option(opts, SCARLET_TRAIN_RESIZE)},
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        scarlet_status status =
            scarlet_options_set(decoding, settings[i].key, settings[i].value, err);
        if (status != SCARLET_OK) {
            scarlet_options_free(decoding);
            return status;
        }
    }
    uint64_t cache = option(opts, SCARLET_TRAIN_CACHE) > 0
                         ? (uint64_t)option(opts, SCARLET_TRAIN_CACHE_SIZE) << 20
                         : 0;
    return scarlet__pictures_create(dataset, decoding, cache, out, err);
}

scarlet_status scarlet__resolved_loader(const scarlet_dataset *dataset, scarlet__pictures *pictures,
                                        const scarlet_train_options *opts, int micro_batch,
                                        int micro_batches, scarlet__loader **out,
                                        scarlet_error *err)
{
    scarlet__loader_settings s = {
        .dataset = dataset,
        .pictures = pictures,
        .recipe =
            {
                .side = (int)option(opts, SCARLET_TRAIN_INPUT_SIZE),
                .resize = (int)option(opts, SCARLET_TRAIN_RESIZE),
                .crop = option(opts, SCARLET_TRAIN_AUG) > 0,
                .hflip = option(opts, SCARLET_TRAIN_HFLIP),
                .vflip = option(opts, SCARLET_TRAIN_VFLIP),
                .reprob = option(opts, SCARLET_TRAIN_REPROB),
                .trivial = option(opts, SCARLET_TRAIN_AUTO_AUGMENT) > 0,
                .color_jitter = option(opts, SCARLET_TRAIN_COLOR_JITTER),
            },
        .micro_batch = micro_batch,
        .micro_batches = micro_batches,
        .seed = (uint64_t)option(opts, SCARLET_TRAIN_SEED),
        .smoothing = option(opts, SCARLET_TRAIN_LABEL_SMOOTHING),
        .mixup = option(opts, SCARLET_TRAIN_MIXUP),
        .cutmix = option(opts, SCARLET_TRAIN_CUTMIX),
        .class_weights = option(opts, SCARLET_TRAIN_CLASS_WEIGHTS) > 0,
        .balanced = option(opts, SCARLET_TRAIN_SAMPLER) > 0,
    };
    double scale[3], ratio[3], mean[3], std[3];
    scarlet__train_numbers(opts, SCARLET_TRAIN_SCALE, scale);
    scarlet__train_numbers(opts, SCARLET_TRAIN_RATIO, ratio);
    scarlet__train_numbers(opts, SCARLET_TRAIN_MEAN, mean);
    scarlet__train_numbers(opts, SCARLET_TRAIN_STD, std);
    for (int i = 0; i < 2; i++) {
        s.recipe.scale[i] = scale[i];
        s.recipe.ratio[i] = ratio[i];
    }
    for (int c = 0; c < 3; c++) {
        s.mean[c] = (float)mean[c];
        s.std[c] = (float)std[c];
    }
    return scarlet__loader_create(&s, out, err);
}

scarlet__schedule scarlet__resolved_schedule(const scarlet_train_options *opts, int64_t per_epoch)
{
    bool timed = option(opts, SCARLET_TRAIN_TIME) > 0; /* the epochs do not say how short it is */
    return (scarlet__schedule){
        .warm_share = timed ? 0.1 : 0,
        .course = (scarlet__course)option(opts, SCARLET_TRAIN_SCHED),
        .peak = option(opts, SCARLET_TRAIN_LR),
        .least = option(opts, SCARLET_TRAIN_MIN_LR),
        .warm_up = (int64_t)rint(option(opts, SCARLET_TRAIN_WARMUP_EPOCHS) * (double)per_epoch),
        .steps = timed ? 0 : (int64_t)option(opts, SCARLET_TRAIN_EPOCHS) * per_epoch,
        .period = option(opts, SCARLET_TRAIN_DECAY_EPOCHS) * (double)per_epoch,
        .fall = option(opts, SCARLET_TRAIN_DECAY_RATE),
    };
}

unsigned scarlet__resolved_threads(const scarlet_train_options *opts)
{
    const double threads = option(opts, SCARLET_TRAIN_THREADS);
    return threads > 0 ? (unsigned)threads : (unsigned)scarlet_cpu_count();
}

int scarlet__resolved_isa(const scarlet_train_options *opts)
{
    static const int isa[] = {SCARLET_ISA_PORTABLE,   SCARLET_ISA_AVX2,       SCARLET_ISA_AVX512,
                              SCARLET_ISA_AVX512VNNI, SCARLET_ISA_AVX512BF16, SCARLET_ISA_ANY};
    return isa[(int)option(opts, SCARLET_TRAIN_ISA_MAX)];
}
