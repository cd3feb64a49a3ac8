/*
 * libscarlet-nas: training SCARLET image classifiers on CPUs. EXPERIMENTAL: names, meanings and the
 * binary interface may change with every release, without a promise of any kind.
 *
 * This header is the manual. It has these parts:
 *
 *   datasets  pictures and labels, from memory, files or IDX files; splits
 *   training  options, a step or an epoch at a time, evaluation, checkpoints, deployable files
 *   heads     personalisation: features and labels in, a new model file out
 *   spaces    families of networks as text, their members and costs
 *   supernets weights for all networks of a space, trained at once; scores of them
 *   search    networks that are best in several respects
 *   latency   how long the networks of a space take on this machine, predicted from some of them
 *
 * The rules of scarlet.h hold for every function here too: statuses and `err`, ownership, lengths
 * in elements, strings, no printing, errno and floating-point modes.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SCARLET_NAS_H
#define SCARLET_NAS_H

#include "scarlet/scarlet.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Pictures with labels. Built by one thread; from any number of threads once it only serves. */
typedef struct scarlet_dataset scarlet_dataset;
/* Settings of a training. Calls that take `const scarlet_train_options *` may run at once. */
typedef struct scarlet_train_options scarlet_train_options;
/* A network being trained, with its threads. One thread at a time. */
typedef struct scarlet_trainer scarlet_trainer;
/* Features with labels, and the classifier fitted to them. One thread at a time. */
typedef struct scarlet_head scarlet_head;

/* ======================================================================== *
 * Datasets                                                                 *
 * ======================================================================== */

/* What a picture is for. */
typedef enum scarlet_part {
    SCARLET_PART_TRAIN = 0,      /* gradients */
    SCARLET_PART_VALIDATION = 1, /* chooses the best epoch */
    SCARLET_PART_TEST = 2,       /* chooses nothing */
    SCARLET_PART_INT = 0x7fffffff
} scarlet_part;

/*
 * Makes an empty dataset.
 *
 * classes  at least 2, at most 1,000,000; labels are 0 .. classes-1
 * names    one UTF-8 name a class, copied, for the model file; or NULL: the file has none
 *
 * Errors: ARGUMENT, MEMORY.
 */
SCARLET_API scarlet_status scarlet_dataset_create(int32_t classes, const char *const *names,
                                                  scarlet_dataset **out, scarlet_error *err);
/* Frees a dataset and its pictures. No trainer may use it any more. */
SCARLET_API void scarlet_dataset_free(scarlet_dataset *dataset);

/* Adds a decoded or wrapped picture, which the dataset owns from then on: it is freed with it, and
 * so are wrapped pixels by their release function. On failure the picture stays the caller's. */
SCARLET_API scarlet_status scarlet_dataset_add_image(scarlet_dataset *dataset, scarlet_image *image,
                                                     int32_t label, scarlet_part part,
                                                     scarlet_error *err);
/* Adds a JPEG or PNG file in memory, which is copied; decoded each time unless the cache holds it.
 * Its contents are not looked at yet. */
SCARLET_API scarlet_status scarlet_dataset_add_bytes(scarlet_dataset *dataset, const void *data,
                                                     size_t size, int32_t label, scarlet_part part,
                                                     scarlet_error *err);
/* Adds a JPEG or PNG file by its path, which is opened only when the picture is needed. */
SCARLET_API scarlet_status scarlet_dataset_add_file(scarlet_dataset *dataset, const char *path,
                                                    int32_t label, scarlet_part part,
                                                    scarlet_error *err);
/*
 * Adds grey pictures and their labels from two IDX files, as MNIST and Fashion-MNIST come; plain or
 * compressed by gzip, told by content. All or nothing.
 *
 * Errors: IO, FORMAT (not an IDX file of bytes), CORRUPT (lengths that disagree), LIMIT (more than
 * 1 GiB), MODEL (a label that is no class of the dataset), MEMORY.
 */
SCARLET_API scarlet_status scarlet_dataset_add_idx(scarlet_dataset *dataset, const char *images,
                                                   const char *labels, scarlet_part part,
                                                   scarlet_error *err);

/*
 * Moves part of the training pictures to validation: of each class the share `fraction` (above 0,
 * below 1), rounded, at least one of two or more; which ones follows from `seed` alone.
 */
SCARLET_API scarlet_status scarlet_dataset_split(scarlet_dataset *dataset, double fraction,
                                                 uint64_t seed, scarlet_error *err);

/*
 * Weighs the classes in the training's loss: `weights` has one number a class, finite and not below
 * 0, not all 0. Only their ratios count: the mean over the training pictures becomes 1. The option
 * class-weights=balanced multiplies them. NULL: no weights. Evaluation does not know them.
 */
SCARLET_API scarlet_status scarlet_dataset_set_class_weights(scarlet_dataset *dataset,
                                                             const float *weights, size_t classes,
                                                             scarlet_error *err);

/* Number of classes. */
SCARLET_API int32_t scarlet_dataset_classes(const scarlet_dataset *dataset);
/* Number of pictures, of all parts. */
SCARLET_API size_t scarlet_dataset_count(const scarlet_dataset *dataset);
/* Label and part of picture `index`, in the order of adding, and its path (NULL for one from
 * memory). Each output may be NULL. ARGUMENT past the last. */
SCARLET_API scarlet_status scarlet_dataset_get(const scarlet_dataset *dataset, size_t index,
                                               int32_t *label, scarlet_part *part,
                                               const char **path);
/* Picture `index` as a new RGB picture, the caller's to free. opts: picture options, as for
 * scarlet_image_load, whose errors it has; NULL: the defaults. From any number of threads. */
SCARLET_API scarlet_status scarlet_dataset_load(const scarlet_dataset *dataset, size_t index,
                                                const scarlet_options *opts, scarlet_image **out,
                                                scarlet_error *err);
/* 64 bits that differ for other lists: paths, sizes of files, pixels in memory, labels, parts,
 * class weights. Asks the file system for each file's size. */
SCARLET_API scarlet_status scarlet_dataset_hash(const scarlet_dataset *dataset, uint64_t *hash,
                                                scarlet_error *err);

/* ======================================================================== *
 * Options of a training                                                    *
 * ======================================================================== */

/* Keys of options; numbers are never reused. Names, kinds, ranges, defaults and help:
 * scarlet_train_option_describe. "auto" is a value of each option whose default it is. */
typedef enum scarlet_train_option {
    SCARLET_TRAIN_ARCH = 1,
    SCARLET_TRAIN_SPACE = 2,
    SCARLET_TRAIN_INITIAL_CHECKPOINT = 3,
    SCARLET_TRAIN_FREEZE = 4,
    SCARLET_TRAIN_EPOCHS = 5,
    SCARLET_TRAIN_TIME = 6,
    SCARLET_TRAIN_BATCH_SIZE = 7,
    SCARLET_TRAIN_MICRO_BATCH = 8,
    SCARLET_TRAIN_OPTIMIZER = 9,
    SCARLET_TRAIN_LR = 10,
    SCARLET_TRAIN_WEIGHT_DECAY = 11,
    SCARLET_TRAIN_MOMENTUM = 12,
    SCARLET_TRAIN_SCHED = 13,
    SCARLET_TRAIN_WARMUP_EPOCHS = 14,
    SCARLET_TRAIN_MIN_LR = 15,
    SCARLET_TRAIN_DECAY_EPOCHS = 16,
    SCARLET_TRAIN_DECAY_RATE = 17,
    SCARLET_TRAIN_CLIP_GRAD = 18,
    SCARLET_TRAIN_EMA = 19,
    SCARLET_TRAIN_EMA_DECAY = 20,
    SCARLET_TRAIN_LABEL_SMOOTHING = 21,
    SCARLET_TRAIN_DROP = 22,
    SCARLET_TRAIN_INPUT_SIZE = 23,
    SCARLET_TRAIN_RESIZE = 24,
    SCARLET_TRAIN_AUG = 25,
    SCARLET_TRAIN_SCALE = 26,
    SCARLET_TRAIN_RATIO = 27,
    SCARLET_TRAIN_HFLIP = 28,
    SCARLET_TRAIN_VFLIP = 29,
    SCARLET_TRAIN_COLOR_JITTER = 30,
    SCARLET_TRAIN_REPROB = 31,
    SCARLET_TRAIN_MIXUP = 32,
    SCARLET_TRAIN_CUTMIX = 33,
    SCARLET_TRAIN_CLASS_WEIGHTS = 34,
    SCARLET_TRAIN_SAMPLER = 35,
    SCARLET_TRAIN_PATIENCE = 36,
    SCARLET_TRAIN_EVAL_METRIC = 37,
    SCARLET_TRAIN_SEED = 38,
    SCARLET_TRAIN_THREADS = 39,
    SCARLET_TRAIN_CACHE = 40,
    SCARLET_TRAIN_CACHE_SIZE = 41,
    SCARLET_TRAIN_DECODE = 42,
    SCARLET_TRAIN_AUTO_ORIENT = 43,
    SCARLET_TRAIN_MEAN = 44,
    SCARLET_TRAIN_STD = 45,
    SCARLET_TRAIN_STORAGE = 46,
    SCARLET_TRAIN_VAL_FRACTION = 47,
    SCARLET_TRAIN_ISA_MAX = 48,
    SCARLET_TRAIN_FEATURES = 49,
    SCARLET_TRAIN_AUTO_AUGMENT = 50,
    SCARLET_TRAIN_INT = 0x7fffffff
} scarlet_train_option;

/* What the text of a value looks like. */
typedef enum scarlet_train_kind {
    SCARLET_TRAIN_KIND_TEXT = 0,
    SCARLET_TRAIN_KIND_INTEGER = 1,
    SCARLET_TRAIN_KIND_REAL = 2,
    SCARLET_TRAIN_KIND_CHOICE = 3, /* one of the names that scarlet_train_option_value_name lists */
    SCARLET_TRAIN_KIND_PAIR = 4,   /* two reals, "0.2,1"; the first is not above the second */
    SCARLET_TRAIN_KIND_TRIPLE = 5, /* three reals, for R, G, B */
    SCARLET_TRAIN_KIND_INT = 0x7fffffff
} scarlet_train_kind;

/* NULL if out of memory. */
SCARLET_API scarlet_train_options *scarlet_train_options_create(void);
/* A copy; NULL for NULL or if out of memory. */
SCARLET_API scarlet_train_options *scarlet_train_options_copy(const scarlet_train_options *opts);
SCARLET_API void scarlet_train_options_free(scarlet_train_options *opts);
/* Sets one option by its name: ("lr", "0.05"). Spaces around the value are fine. ARGUMENT for an
 * unknown name, a value of another kind or out of range; nothing is clamped. */
SCARLET_API scarlet_status scarlet_train_options_set(scarlet_train_options *opts, const char *name,
                                                     const char *value, scarlet_error *err);
/* Text of the value in force, as scarlet_train_options_set takes it; NULL for an unknown key. It
 * lives until the option is set again. */
SCARLET_API const char *scarlet_train_options_text(const scarlet_train_options *opts,
                                                   scarlet_train_option key);
/* Numbers of the value in force: `count` is 1, 2 for a pair, 3 for a triple; a choice is counted
 * from 0; NaN for "auto". ARGUMENT for a text, an unknown key or another count. */
SCARLET_API scarlet_status scarlet_train_options_get(const scarlet_train_options *opts,
                                                     scarlet_train_option key, double *values,
                                                     size_t count, scarlet_error *err);
/* Walks the table: index 0, 1, ... until ARGUMENT. Each output may be NULL. dflt is text. */
SCARLET_API scarlet_status scarlet_train_option_describe(size_t index, scarlet_train_option *key,
                                                         const char **name,
                                                         scarlet_train_kind *kind, double *min,
                                                         double *max, const char **dflt,
                                                         const char **help);
/* Name of value `index` of a choice, or of an integer that has names; NULL past the last. */
SCARLET_API const char *scarlet_train_option_value_name(scarlet_train_option key, size_t index);

/* ======================================================================== *
 * Training                                                                 *
 * ======================================================================== */

/* What scarlet_trainer_get reports. NaN for what is not known yet. */
typedef enum scarlet_train_info {
    SCARLET_TRAIN_INFO_STEP = 1,            /* steps done */
    SCARLET_TRAIN_INFO_STEPS = 2,           /* in all; NaN until --time has been measured */
    SCARLET_TRAIN_INFO_EPOCH = 3,           /* epochs finished */
    SCARLET_TRAIN_INFO_EPOCHS = 4,          /* in all, rounded up; as STEPS */
    SCARLET_TRAIN_INFO_STEPS_PER_EPOCH = 5, /* a last short batch is dropped */
    SCARLET_TRAIN_INFO_FINISHED = 6,        /* 1: nothing is left to do */
    SCARLET_TRAIN_INFO_PICTURES = 7,        /* of the training part */
    SCARLET_TRAIN_INFO_BROKEN = 8,          /* pictures that could not be read so far */
    SCARLET_TRAIN_INFO_BYTES = 9,           /* memory at most, without pictures */
    SCARLET_TRAIN_INFO_CACHE_BYTES = 10,    /* pictures cached so far */
    SCARLET_TRAIN_INFO_FEATURES = 11,       /* pictures whose features for the head are there */

    SCARLET_TRAIN_INFO_LOSS = 20,       /* of the last step */
    SCARLET_TRAIN_INFO_RATE = 21,       /* learning rate of the last step */
    SCARLET_TRAIN_INFO_TRAIN_LOSS = 22, /* mean of the last finished epoch */

    SCARLET_TRAIN_INFO_COUNT = 40,    /* pictures of the last evaluation */
    SCARLET_TRAIN_INFO_TOP1 = 41,     /* share of them that is right, 0 .. 1 */
    SCARLET_TRAIN_INFO_BALANCED = 42, /* mean of the classes' shares */
    SCARLET_TRAIN_INFO_EVAL_LOSS = 43,
    SCARLET_TRAIN_INFO_BEST = 44,       /* best value of eval-metric */
    SCARLET_TRAIN_INFO_BEST_EPOCH = 45, /* counted from 1; 0 for the fitted head alone */
    SCARLET_TRAIN_INFO_INT = 0x7fffffff
} scarlet_train_info;

/* What a trainer has just done, for the callback. */
typedef enum scarlet_train_event {
    SCARLET_TRAIN_EVENT_STEP = 1,
    SCARLET_TRAIN_EVENT_EPOCH = 2,      /* evaluated, best and checkpoint written */
    SCARLET_TRAIN_EVENT_CHECKPOINT = 3, /* written between epochs */
    SCARLET_TRAIN_EVENT_FEATURES = 4,   /* of some more pictures, for the head */
    SCARLET_TRAIN_EVENT_HEAD = 5,       /* fitted and evaluated */
    SCARLET_TRAIN_EVENT_INT = 0x7fffffff
} scarlet_train_event;

/* Called on the thread that called the library. It may call scarlet_trainer_get; anything but 0
 * cancels: the call that is running returns SCARLET_OK after the step, with a checkpoint written,
 * and may be made again to go on. */
typedef int32_t (*scarlet_train_fn)(void *user, const scarlet_trainer *trainer,
                                    scarlet_train_event event);

/*
 * Prepares a training: resolves every "auto", builds or loads the network, takes the memory of a
 * step and starts the threads.
 *
 * dataset  has training pictures, at least one batch; must outlive the trainer, unchanged. Without
 *          validation pictures nothing is evaluated and the last epoch counts as the best
 * opts     NULL: the defaults
 * folder   exists; receives last.ckpt (every epoch and every 5 minutes), best.safetensors (a
 *          deployable file, complete or not at all) and results.csv (a row an epoch). NULL: nothing
 *          is written
 *
 * With a folder that holds last.ckpt already: ARGUMENT; use scarlet_trainer_resume.
 * Errors: ARGUMENT (options that contradict each other or the dataset), MODEL, IO and so on for the
 * initial checkpoint, LIMIT, MEMORY, UNSUPPORTED.
 */
SCARLET_API scarlet_status scarlet_trainer_create(const scarlet_dataset *dataset,
                                                  const scarlet_train_options *opts,
                                                  const char *folder, scarlet_trainer **out,
                                                  scarlet_error *err);
/*
 * The same, going on from last.ckpt of the folder: the same final bits as without interruption, in
 * one build and instruction set. results.csv is cut back to the checkpoint. Options that change no
 * result (threads, cache, cache-size) may differ.
 *
 * Errors as scarlet_trainer_create; IO if there is no checkpoint, FORMAT or CORRUPT if it is none
 * or damaged, ARGUMENT for a checkpoint of other data or options, naming the first that differs.
 */
SCARLET_API scarlet_status scarlet_trainer_resume(const scarlet_dataset *dataset,
                                                  const scarlet_train_options *opts,
                                                  const char *folder, scarlet_trainer **out,
                                                  scarlet_error *err);
/* Frees a trainer, ends its threads. What was not written is lost. */
SCARLET_API void scarlet_trainer_free(scarlet_trainer *trainer);

/* fn = NULL: no callback (the default). */
SCARLET_API void scarlet_trainer_set_callback(scarlet_trainer *trainer, scarlet_train_fn fn,
                                              void *user);
/* A number describing a trainer; NaN if it does not apply. */
SCARLET_API double scarlet_trainer_get(const scarlet_trainer *trainer, scarlet_train_info what);
/* The options with every "auto" resolved; they live as long as the trainer. */
SCARLET_API const scarlet_train_options *scarlet_trainer_options(const scarlet_trainer *trainer);
/* Picture `index`, from 0, of those that could not be read, with the reason; ARGUMENT past the
 * last. Each output may be NULL. They are skipped; more than 5 % of a part stop the training. */
SCARLET_API scarlet_status scarlet_trainer_broken(const scarlet_trainer *trainer, size_t index,
                                                  size_t *picture, const char **message);

/*
 * One optimisation step; after the last of an epoch also what belongs to its end: evaluation, best
 * file, checkpoint. With an initial checkpoint the first call is the head's: features, fit and
 * evaluation. Does nothing once the training is finished.
 *
 * Errors: ARGUMENT with step, layer and learning rate if an output, a gradient or a weight is no
 * longer finite (the files of the last checkpoint stay); CORRUPT for too many broken pictures; IO
 * (also a full disk; the files written before stay), MEMORY.
 */
SCARLET_API scarlet_status scarlet_trainer_step(scarlet_trainer *trainer, scarlet_error *err);
/* Steps until an epoch has ended. */
SCARLET_API scarlet_status scarlet_trainer_epoch(scarlet_trainer *trainer, scarlet_error *err);
/* Steps until the training is finished, or cancelled by the callback. */
SCARLET_API scarlet_status scarlet_trainer_run(scarlet_trainer *trainer, scarlet_error *err);
/* The first `count` pictures of the training as the network sees them, augmented and mixed, as RGB
 * pictures that are the caller's to free; labels: their classes (of a mixture the larger part's).
 * Changes nothing of the training. ARGUMENT for more than a micro-batch. */
SCARLET_API scarlet_status scarlet_trainer_samples(scarlet_trainer *trainer, size_t count,
                                                   scarlet_image **images, int32_t *labels,
                                                   scarlet_error *err);
/* Evaluates the average of the weights (or the weights, with ema=off) on a part, by the inference
 * engine on the file that would be written; scarlet_trainer_get reports the result. Changes nothing
 * of the training. ARGUMENT for a part without pictures. */
SCARLET_API scarlet_status scarlet_trainer_evaluate(scarlet_trainer *trainer, scarlet_part part,
                                                    scarlet_error *err);
/* Writes a deployable model file of the weights as they are now. The target appears complete or not
 * at all. */
SCARLET_API scarlet_status scarlet_trainer_write(scarlet_trainer *trainer, const char *path,
                                                 scarlet_error *err);

/* ======================================================================== *
 * Heads: personalisation on a device                                       *
 * ======================================================================== */

/*
 * A new classifier on top of a trained network: add feature vectors with labels, fit, write. The
 * features come from a session with output=features; no picture is kept, and a vector cannot be
 * turned back into one. Fitting is a multinomial logistic regression: seconds for thousands.
 *
 * features  length of a vector, as SCARLET_INFO_FEATURES reports
 * classes   at least 2
 * names     one a class for the model file, copied; or NULL
 */
SCARLET_API scarlet_status scarlet_head_create(size_t features, int32_t classes,
                                               const char *const *names, scarlet_head **out,
                                               scarlet_error *err);
/* Frees a head. */
SCARLET_API void scarlet_head_free(scarlet_head *head);
/* Copies one vector of `length` features; they are finite. */
SCARLET_API scarlet_status scarlet_head_add(scarlet_head *head, const float *features,
                                            size_t length, int32_t label, scarlet_error *err);
/* Fits weights and biases to all vectors added so far; the same bits for the same vectors in the
 * same order. `loss`, if not NULL, receives the mean cross-entropy. ARGUMENT without vectors. */
SCARLET_API scarlet_status scarlet_head_fit(scarlet_head *head, double *loss, scarlet_error *err);
/* Scores of one vector, as the new model would give them. ARGUMENT before scarlet_head_fit. */
SCARLET_API scarlet_status scarlet_head_scores(const scarlet_head *head, const float *features,
                                               size_t length, float *scores, size_t classes,
                                               scarlet_error *err);
/* Writes `base` (any checkpoint that scarlet_model_load reads) with the fitted classifier in place
 * of its own and the new names: a complete model file. opts: storage. Errors as scarlet_convert. */
SCARLET_API scarlet_status scarlet_head_write(const scarlet_head *head, const char *base,
                                              const char *target, const scarlet_options *opts,
                                              scarlet_error *err);

/* ======================================================================== *
 * Spaces                                                                   *
 * ======================================================================== */

/* A family of networks: widths and strides, and the choices of each layer. Immutable: any thread
 * may read it. */
typedef struct scarlet_space scarlet_space;

/* Room for the text of a genotype and its NUL. */
enum { SCARLET_GENOTYPE_SIZE = 512 };

/*
 * Reads a space from text, of a line each:
 *
 *   space stem=16 tail=128 layers=16:2,16:1,32:2    as in a model file's metadata
 *   choices *,e3k3|e6k5se|id,*                      of each layer; *: all 12 blocks
 *   input_size 28                                   pixels, even; without the line 224
 *   classes 10                                      without the line 1000
 *
 * Empty lines and lines that begin with # are skipped. The identity ("id") is a choice only where
 * it keeps the shape. Errors: CORRUPT, LIMIT, MEMORY.
 */
SCARLET_API scarlet_status scarlet_space_parse(const char *text, scarlet_space **out,
                                               scarlet_error *err);
/* A space of the library by its name ("default": the paper's; "28px": 8 layers; "243": so many
 * networks), else from the text file of that name. Errors as scarlet_space_parse; IO, FORMAT. */
SCARLET_API scarlet_status scarlet_space_load(const char *name, scarlet_space **out,
                                              scarlet_error *err);
/* Frees a space. */
SCARLET_API void scarlet_space_free(scarlet_space *space);
/* The text of a space, as scarlet_space_parse reads it. */
SCARLET_API const char *scarlet_space_text(const scarlet_space *space);

/* What scarlet_space_get reports. */
typedef enum scarlet_space_info {
    SCARLET_SPACE_LAYERS = 1, /* with choices */
    SCARLET_SPACE_INPUT_SIZE = 2,
    SCARLET_SPACE_CLASSES = 3,
    SCARLET_SPACE_TERMS = 4, /* free terms of a sum over layers: 1 + choices - 1 of each */
    SCARLET_SPACE_INT = 0x7fffffff
} scarlet_space_info;
/* A number describing a space; -1 if it does not apply. */
SCARLET_API int32_t scarlet_space_get(const scarlet_space *space, scarlet_space_info what);

/* Multiply-adds at the space's input size, and learned parameters, of a network of the space. Each
 * output may be NULL. ARGUMENT: the genotype is no network of the space. */
SCARLET_API scarlet_status scarlet_space_costs(const scarlet_space *space, const char *genotype,
                                               int64_t *macs, int64_t *parameters,
                                               scarlet_error *err);

/* How networks are drawn from a space. */
typedef enum scarlet_sampling {
    SCARLET_SAMPLING_UNIFORM = 0, /* each layer's choice with equal probability */
    SCARLET_SAMPLING_SPREAD = 1,  /* all depths alike, and from cheap to costly choices */
    SCARLET_SAMPLING_SMALL = 2,   /* few layers, cheap choices */
    SCARLET_SAMPLING_INT = 0x7fffffff
} scarlet_sampling;
/* Writes the genotype of network `index` of a sample; it follows from the arguments alone. */
SCARLET_API scarlet_status scarlet_space_sample(const scarlet_space *space,
                                                scarlet_sampling sampling, uint64_t seed,
                                                uint64_t index,
                                                char genotype[SCARLET_GENOTYPE_SIZE],
                                                scarlet_error *err);

/* ======================================================================== *
 * Supernets                                                                *
 * ======================================================================== */

/* How a step chooses the paths it trains. m: the most choices that a layer has. */
typedef enum scarlet_training {
    SCARLET_TRAINING_FAIR = 0,         /* m paths; each choice of each layer equally often */
    SCARLET_TRAINING_DEPTHS = 1,       /* the same, and paths of all depths */
    SCARLET_TRAINING_UNIFORM = 2,      /* one path at random */
    SCARLET_TRAINING_UNIFORM_MANY = 3, /* m paths at random */
    SCARLET_TRAINING_INT = 0x7fffffff
} scarlet_training;

/* What a linearly equivalent transformation (LET) begins with. */
typedef enum scarlet_let_start {
    SCARLET_LET_IDENTITY = 0,
    SCARLET_LET_ORTHOGONAL = 1,
    SCARLET_LET_RANDOM = 2,
    SCARLET_LET_INT = 0x7fffffff
} scarlet_let_start;

/*
 * Which choices of a layer share weights. Those of a group read parts of one block, the smallest
 * that holds them all: its expansion's leading channels (with batch norm, depthwise convolution,
 * squeeze-excite and the projection's inputs) and the centre of its depthwise kernels. Blocks with
 * squeeze-excite never share with blocks without.
 */
typedef enum scarlet_share {
    SCARLET_SHARE_NONE = 0,
    SCARLET_SHARE_KERNEL = 1, /* choices that differ in the kernel only */
    SCARLET_SHARE_WIDTH = 2,  /* choices that differ in kernel and expansion */
    SCARLET_SHARE_INT = 0x7fffffff
} scarlet_share;

/* What is special about the training of a supernet. All 0 is a plain one. The largest path has, in
 * each layer, the choice of most multiply-adds (of several the first). */
typedef struct scarlet_supernet_settings {
    scarlet_training training;
    int32_t let; /* 1: while it trains, LETs stand in the place of identities */
    scarlet_let_start let_start;
    double let_decay;    /* pulls a LET towards its start */
    int32_t let_to_zero; /* 1: towards 0 instead */
    scarlet_share share;
    int32_t largest_first; /* epochs in the beginning that train the largest path only */
    /* 1: each step trains the largest path first, in addition to its other paths, and these learn
     * the probabilities that it gave instead of the labels */
    int32_t largest_teaches;
} scarlet_supernet_settings;

/* The weights of all networks of a space, with what trains, scores and exports them. One thread at
 * a time. */
typedef struct scarlet_supernet scarlet_supernet;

/* Options for the training of a supernet: those of scarlet_train_options_create with optimizer=sgd
 * and ema=off, which are the only ones that supernets know. NULL if out of memory. */
SCARLET_API scarlet_train_options *scarlet_supernet_options(void);

/*
 * Prepares the training of a supernet.
 *
 * dataset   has training pictures, at least one batch; must outlive the supernet, unchanged. Its
 *           classes take the place of the space's
 * settings  NULL: a plain training
 * opts      NULL: the defaults. An epoch goes once through the training pictures; each batch trains
 *           all paths of a step. Batch norm sees the whole batch. Options about the network, the
 *           initial checkpoint, evaluation and the model file have no meaning here
 *
 * Errors: ARGUMENT (options that contradict each other or the dataset), MEMORY.
 */
SCARLET_API scarlet_status scarlet_supernet_create(const scarlet_space *space,
                                                   const scarlet_dataset *dataset,
                                                   const scarlet_supernet_settings *settings,
                                                   const scarlet_train_options *opts,
                                                   scarlet_supernet **out, scarlet_error *err);
/* Reads what scarlet_supernet_write wrote: its training can go on, to the same bits as without
 * interruption in one build and instruction set. threads: 0 for all CPUs. Errors: IO, FORMAT,
 * CORRUPT; ARGUMENT if the dataset is not the one it was trained on. */
SCARLET_API scarlet_status scarlet_supernet_load(const char *path, const scarlet_dataset *dataset,
                                                 uint32_t threads, scarlet_supernet **out,
                                                 scarlet_error *err);
/* Frees a supernet. */
SCARLET_API void scarlet_supernet_free(scarlet_supernet *supernet);

/* One optimisation step: all its paths on one batch. Does nothing once the training is finished. A
 * loss or gradient that is not finite is ARGUMENT and names step, path and learning rate; then
 * nothing has changed. */
SCARLET_API scarlet_status scarlet_supernet_step(scarlet_supernet *supernet, scarlet_error *err);

/* What scarlet_supernet_get reports. */
typedef enum scarlet_supernet_info {
    SCARLET_SUPERNET_STEP = 1,  /* done */
    SCARLET_SUPERNET_STEPS = 2, /* in all */
    SCARLET_SUPERNET_STEPS_PER_EPOCH = 3,
    SCARLET_SUPERNET_PATHS = 4, /* of a step after the epochs of largest_first */
    SCARLET_SUPERNET_LOSS = 5,  /* of the last step; NaN: none yet */
    SCARLET_SUPERNET_RATE = 6,  /* learning rate of the last step; NaN: none yet */
    SCARLET_SUPERNET_BYTES = 7, /* memory for weights, gradients, momentum and activations */
    SCARLET_SUPERNET_PARAMETERS = 8,
    SCARLET_SUPERNET_LETS = 9, /* 1: LETs stand in the place of identities */
    SCARLET_SUPERNET_INT = 0x7fffffff
} scarlet_supernet_info;
/* A number describing a supernet; NaN if it does not apply. */
SCARLET_API double scarlet_supernet_get(const scarlet_supernet *supernet,
                                        scarlet_supernet_info what);
/* The space, with the dataset's classes; it lives as long as the supernet. */
SCARLET_API const scarlet_space *scarlet_supernet_space(const scarlet_supernet *supernet);
/* The settings in force; they live as long as the supernet. */
SCARLET_API const scarlet_supernet_settings *
scarlet_supernet_settings_of(const scarlet_supernet *supernet);
/* How many paths have trained a choice of a layer, those left out that only largest_first and
 * largest_teaches run; -1 if there is no such choice. */
SCARLET_API int64_t scarlet_supernet_trained(const scarlet_supernet *supernet, int32_t layer,
                                             int32_t choice);
/* Condition number of a layer's LET: its largest singular value over the smallest; NaN without. */
SCARLET_API double scarlet_supernet_condition(const scarlet_supernet *supernet, int32_t layer);
/* Writes everything that the next step depends on: one safetensors file, complete or not at all. */
SCARLET_API scarlet_status scarlet_supernet_write(const scarlet_supernet *supernet,
                                                  const char *path, scarlet_error *err);

typedef struct scarlet_score {
    double cross_entropy, top1; /* means over the pictures */
    int64_t pictures;
    uint64_t statistics; /* digest of batch norm's, measured for this network */
} scarlet_score;
/*
 * Scores a network of the space with the supernet's weights. Batch norm's statistics are the means
 * over 32 batches of 64 training pictures (or as many whole batches as there are), in the order of
 * the dataset and without augmentation; then the pictures of `part` are classified one by one. The
 * same bits for any number of threads. Errors: ARGUMENT (no network of the space, fewer than 64
 * training pictures, none in the part), IO and so on for pictures that cannot be read.
 */
SCARLET_API scarlet_status scarlet_supernet_score(scarlet_supernet *supernet, const char *genotype,
                                                  scarlet_part part, scarlet_score *score,
                                                  scarlet_error *err);

/*
 * Writes a network of the space as a model file with the supernet's weights, ready for use and for
 * further training (initial-checkpoint).
 *
 * LETs are merged into the blocks around them without changing what the network computes; with
 * drop_let they become identities, which changes it. Batch norm's statistics are those that
 * scarlet_supernet_score measures; of layers changed by a merge, they are measured anew.
 *
 * path        ends in .pth: a PyTorch state dict for torch.load, of the released class; it has no
 *             place for labels, sizes and the space. Else a safetensors file
 * opts        storage; NULL: f32
 * difference  receives the largest difference of the file's logits from the supernet's, on up to 64
 *             pictures, as a share of the largest logit; may be NULL
 *
 * The target appears complete or not at all, and only if the file's f32 logits differ by at most
 * 1e-4 (not asked with drop_let): else INTERNAL, saying by how much. Errors as
 * scarlet_supernet_score; IO for the target, LIMIT for a .pth file of 4 GiB.
 */
SCARLET_API scarlet_status scarlet_supernet_export(scarlet_supernet *supernet, const char *genotype,
                                                   const char *path, int32_t drop_let,
                                                   const scarlet_options *opts, double *difference,
                                                   scarlet_error *err);

/* ======================================================================== *
 * Several processes                                                        *
 * ======================================================================== */

/*
 * Processes that work together, on one machine or many. The caller provides the transport (the
 * commands use MPI). All call the same functions in the same order, each from one thread. Messages
 * do not fail: a transport that cannot deliver one ends all processes. A process that stops after
 * an error must end the others too, since they wait for it.
 */
typedef struct scarlet_group {
    int32_t rank, size; /* this process, 0 .. size - 1; how many there are */
    void *user;
    /* Sends `bytes` from process `root` to all others. */
    void (*broadcast)(void *user, void *data, size_t bytes, int32_t root);
    /* Sends `bytes` from each process to all: out receives [size][bytes], in order of rank. */
    void (*gather)(void *user, const void *data, size_t bytes, void *out);
} scarlet_group;

/*
 * From now on each process of the group runs a part of a step's paths, path i that of rank
 * i % size, and adds up all of them in their order: after a step all have the same weights, the
 * same bits as one process alone. The group must outlive the supernet. Called by all, with the same
 * supernet, again after each load.
 *
 * Errors: ARGUMENT in all processes if they differ in library, compiler, instruction set, data,
 * steps done or weights, naming the process; MEMORY.
 */
SCARLET_API scarlet_status scarlet_supernet_join(scarlet_supernet *supernet,
                                                 const scarlet_group *group, scarlet_error *err);

/* ======================================================================== *
 * Latency                                                                  *
 * ======================================================================== */

/*
 * How long the networks of a space take: a constant, and a term for each choice of each layer, at
 * least 0. Isolated layers predict whole networks badly; so whole networks are timed, and the terms
 * fitted to them. One thread at a time.
 */
typedef struct scarlet_latency scarlet_latency;

/*
 * Makes a table without terms.
 *
 * opts  precision, engine, isa_max, threads and input_size of the networks that will be timed;
 * NULL: their defaults, and the space's input size
 *
 * Errors: ARGUMENT, UNSUPPORTED, MEMORY.
 */
SCARLET_API scarlet_status scarlet_latency_create(const scarlet_space *space,
                                                  const scarlet_options *opts,
                                                  scarlet_latency **out, scarlet_error *err);
/* Frees a table. */
SCARLET_API void scarlet_latency_free(scarlet_latency *latency);

/*
 * Times a network of the space: builds it with random weights and takes the median of some
 * inferences of one picture after others for warmth, in nanoseconds. One thread is timed by its CPU
 * time, which other programs disturb less; several by the clock. To be called for many networks in
 * turn, in several rounds. ARGUMENT: the genotype is no network of the space.
 */
SCARLET_API scarlet_status scarlet_latency_time(const scarlet_latency *latency,
                                                const char *genotype, int64_t *nanos,
                                                scarlet_error *err);
/*
 * Fits the terms to `count` networks and their times: non-negative least squares of the relative
 * errors. The cheapest choice of each layer (of least multiply-adds) has the term 0, so that the
 * constant is the time of the network made of these. Errors: ARGUMENT (fewer networks than terms, a
 * genotype that is none, a time below 1), MEMORY.
 */
SCARLET_API scarlet_status scarlet_latency_fit(scarlet_latency *latency,
                                               const char *const *genotypes, const int64_t *nanos,
                                               size_t count, scarlet_error *err);
/* Predicts a network's time in nanoseconds. ARGUMENT: no network of the space, or no terms yet. */
SCARLET_API scarlet_status scarlet_latency_predict(const scarlet_latency *latency,
                                                   const char *genotype, int64_t *nanos,
                                                   scarlet_error *err);

/* Writes the table: comma-separated values, with the machine, instruction set, threads, precision,
 * input size and the space in lines that begin with #. The target appears complete or not at all.
 */
SCARLET_API scarlet_status scarlet_latency_write(const scarlet_latency *latency, const char *path,
                                                 scarlet_error *err);
/* Reads such a file; the table can be used on any machine, and says of which it is. Errors: IO,
 * FORMAT, CORRUPT, LIMIT, MEMORY. */
SCARLET_API scarlet_status scarlet_latency_load(const char *path, scarlet_latency **out,
                                                scarlet_error *err);
/* The lines of the table's head without their #: "machine", "isa" and so on, and a value; a line
 * each. */
SCARLET_API const char *scarlet_latency_describe(const scarlet_latency *latency);

/* ======================================================================== *
 * Search                                                                   *
 * ======================================================================== */

/* A search for the networks of a space that are best in several respects at once. One thread at a
 * time. */
typedef struct scarlet_search scarlet_search;

enum { SCARLET_OBJECTIVES_MAX = 4 };

/*
 * Evaluates a network: sets the objectives, all to be made small, and how far it violates the
 * constraints (0: not at all). Not called twice for one network. What it returns but SCARLET_OK
 * ends the step.
 */
typedef scarlet_status (*scarlet_objective_fn)(void *user, const char *genotype, double *objectives,
                                               double *violation, scarlet_error *err);

typedef enum scarlet_algorithm {
    SCARLET_SEARCH_NSGA2 = 0,  /* non-dominated sorting, crowding, crossover, mutation */
    SCARLET_SEARCH_RANDOM = 1, /* networks at random */
    SCARLET_SEARCH_LOCAL = 2,  /* neighbours of the best so far */
    SCARLET_SEARCH_AGING = 3,  /* regularised evolution: the oldest die */
    SCARLET_SEARCH_INT = 0x7fffffff
} scarlet_algorithm;

typedef struct scarlet_search_settings {
    scarlet_algorithm algorithm;
    int32_t objectives; /* 1 .. SCARLET_OBJECTIVES_MAX */
    int32_t population; /* networks of a step */
    double crossover;   /* probability that a child has two parents */
    int32_t reinforced; /* 1: mutations learn which choices make better networks */
    uint64_t seed;
} scarlet_search_settings;

/* Prepares a search; nothing is evaluated yet. Errors: ARGUMENT, MEMORY. */
SCARLET_API scarlet_status scarlet_search_create(const scarlet_space *space,
                                                 const scarlet_search_settings *settings,
                                                 scarlet_objective_fn evaluate, void *user,
                                                 scarlet_search **out, scarlet_error *err);
/* Called in each step before its networks are evaluated one by one, in this order: it may evaluate
 * them together, or elsewhere. What it returns but SCARLET_OK ends the step. */
typedef scarlet_status (*scarlet_generation_fn)(void *user, size_t count,
                                                const char *const *genotypes, scarlet_error *err);
/* fn = NULL: not called (the default). `user` is that of the objective function. */
SCARLET_API void scarlet_search_announce(scarlet_search *search, scarlet_generation_fn fn);
/* Frees a search. */
SCARLET_API void scarlet_search_free(scarlet_search *search);
/*
 * Evaluates `population` networks that were not evaluated before, fewer if the space has no more.
 * Which ones follows from settings and objectives alone: a search is continued by repeating it with
 * an objective function that remembers. After a failure the step can be repeated.
 */
SCARLET_API scarlet_status scarlet_search_step(scarlet_search *search, scarlet_error *err);
/* Networks evaluated so far. */
SCARLET_API size_t scarlet_search_count(const scarlet_search *search);
/* 1: all networks of the space are evaluated. */
SCARLET_API int32_t scarlet_search_finished(const scarlet_search *search);
/* A network evaluated, in order; `step` counts from 0. Each output may be NULL; the genotype lives
 * until the next step. ARGUMENT past the last. */
SCARLET_API scarlet_status scarlet_search_trial(const scarlet_search *search, size_t index,
                                                const char **genotype, double *objectives,
                                                double *violation, int32_t *step);
/* 1: no network evaluated so far is better than this one in every respect. */
SCARLET_API int32_t scarlet_search_best(const scarlet_search *search, size_t index);

/* Volume of what points [count][objectives] dominate below the reference; 2 or 3 objectives. */
SCARLET_API scarlet_status scarlet_hypervolume(const double *points, size_t count,
                                               int32_t objectives, const double *reference,
                                               double *volume, scarlet_error *err);

#ifdef __cplusplus
}
#endif

#endif
