/*
 * The table of a training's options: drives the check of values, the command's parser, help,
 * completion and configuration files, and the manual.
 *
 *   OPTION(key, name, kind, min, max, default, help)
 *   VALUE(key, value, name)     a named value of a choice (counted from 0) or an integer
 *
 * The default is text. "auto": the library chooses, by the pictures (train/defaults.c).
 */
#ifndef OPTION
#define OPTION(key, name, kind, min, max, dflt, help)
#endif
#ifndef VALUE
#define VALUE(key, value, name)
#endif

OPTION(ARCH, "arch", TEXT, 0, 0, "scarlet-c", "network to train")
OPTION(SPACE, "space", TEXT, 0, 0, "",
       "shape of another search space, as scarlet.space in scarlet-model(5)")
OPTION(INITIAL_CHECKPOINT, "initial-checkpoint", TEXT, 0, 0, "",
       "start from this model: a new head is fitted first, then the whole network is tuned")
OPTION(FREEZE, "freeze", INTEGER, -1, 64, "none",
       "layers that keep the weights of the initial checkpoint: N from the input, or the backbone, "
       "which is all but the head")
VALUE(FREEZE, 0, "none")
VALUE(FREEZE, -1, "backbone")
OPTION(EPOCHS, "epochs", INTEGER, 1, 100000, "auto", "passes over the training pictures")
OPTION(TIME, "time", REAL, 0, 10000, "0",
       "hours to train, instead of a number of epochs (0: by epochs)")
OPTION(BATCH_SIZE, "batch-size", INTEGER, 1, 65536, "auto", "pictures in a step")
OPTION(MICRO_BATCH, "micro-batch", INTEGER, 1, 4096, "auto",
       "pictures that batch norm sees together; batch-size is a multiple of it")
OPTION(OPTIMIZER, "optimizer", CHOICE, 0, 1, "adamw", "how gradients change weights")
VALUE(OPTIMIZER, 0, "adamw")
VALUE(OPTIMIZER, 1, "sgd")
OPTION(LR, "lr", REAL, 0, 100, "auto", "highest learning rate")
OPTION(WEIGHT_DECAY, "weight-decay", REAL, 0, 10, "auto",
       "decay of the weights of convolutions and classifier, not of batch norm and biases")
OPTION(MOMENTUM, "momentum", REAL, 0, 0.9999, "0.9",
       "momentum of sgd (Nesterov's), or first beta of adamw")
OPTION(SCHED, "sched", CHOICE, 0, 2, "cosine", "course of the learning rate after the warm-up")
VALUE(SCHED, 0, "cosine")
VALUE(SCHED, 1, "step")
VALUE(SCHED, 2, "constant")
OPTION(WARMUP_EPOCHS, "warmup-epochs", REAL, 0, 100000, "auto",
       "epochs over which the learning rate rises at the start")
OPTION(MIN_LR, "min-lr", REAL, 0, 100, "0", "learning rate at the end of the cosine")
OPTION(DECAY_EPOCHS, "decay-epochs", REAL, 0.01, 100000, "30",
       "with sched=step: epochs from one fall of the learning rate to the next")
OPTION(DECAY_RATE, "decay-rate", REAL, 0, 1, "0.1", "with sched=step: factor of each fall")
OPTION(CLIP_GRAD, "clip-grad", REAL, 0, 1e6, "auto", "largest norm of the gradient (0: any)")
OPTION(EMA, "ema", CHOICE, 0, 1, "auto", "use the average of the weights over the steps")
VALUE(EMA, 0, "off")
VALUE(EMA, 1, "on")
OPTION(EMA_DECAY, "ema-decay", REAL, 0, 0.999999, "auto",
       "share of the old average that each step keeps, less at first")
OPTION(LABEL_SMOOTHING, "label-smoothing", REAL, 0, 0.99, "0.1",
       "probability that a target spreads evenly over all classes")
OPTION(DROP, "drop", REAL, 0, 0.95, "0",
       "probability that a feature is dropped before the classifier")
OPTION(INPUT_SIZE, "input-size", INTEGER, 1, 4096, "auto", "side of the network's input, pixels")
OPTION(RESIZE, "resize", INTEGER, 1, 8192, "auto",
       "short side that pictures are resized to for validation and use, pixels")
OPTION(AUG, "aug", CHOICE, 0, 2, "auto",
       "augmentation of training pictures; the options from scale to reprob refine it")
VALUE(AUG, 0, "none")
VALUE(AUG, 1, "light")
VALUE(AUG, 2, "standard")
OPTION(SCALE, "scale", PAIR, 0.0001, 1, "auto",
       "share of the picture's area that a random crop takes")
OPTION(RATIO, "ratio", PAIR, 0.01, 100, "auto", "width to height of a random crop")
OPTION(HFLIP, "hflip", REAL, 0, 1, "auto", "probability that a picture is mirrored left to right")
OPTION(VFLIP, "vflip", REAL, 0, 1, "0", "probability that a picture is mirrored top to bottom")
OPTION(COLOR_JITTER, "color-jitter", REAL, 0, 1, "auto",
       "largest change of brightness, contrast and saturation")
OPTION(AUTO_AUGMENT, "auto-augment", CHOICE, 0, 1, "none",
       "random changes of pictures: ta_wide is TrivialAugment, one change of each")
VALUE(AUTO_AUGMENT, 0, "none")
VALUE(AUTO_AUGMENT, 1, "ta_wide")
OPTION(REPROB, "reprob", REAL, 0, 1, "auto", "probability that a rectangle is erased")
OPTION(MIXUP, "mixup", REAL, 0, 4, "0", "alpha of mixup (0: none)")
OPTION(CUTMIX, "cutmix", REAL, 0, 4, "0", "alpha of cutmix (0: none)")
OPTION(CLASS_WEIGHTS, "class-weights", CHOICE, 0, 1, "none",
       "weights of the classes in the loss: balanced makes rare ones count more")
VALUE(CLASS_WEIGHTS, 0, "none")
VALUE(CLASS_WEIGHTS, 1, "balanced")
OPTION(SAMPLER, "sampler", CHOICE, 0, 1, "shuffle",
       "order of the training pictures: balanced draws all classes equally often")
VALUE(SAMPLER, 0, "shuffle")
VALUE(SAMPLER, 1, "balanced")
OPTION(PATIENCE, "patience", INTEGER, 0, 100000, "0",
       "epochs without a better one after which training stops (0: never)")
OPTION(EVAL_METRIC, "eval-metric", CHOICE, 0, 2, "top1", "what makes an epoch the best")
VALUE(EVAL_METRIC, 0, "top1")
VALUE(EVAL_METRIC, 1, "balanced")
VALUE(EVAL_METRIC, 2, "loss")
OPTION(SEED, "seed", INTEGER, 0, 9007199254740991.0, "1",
       "number that all random choices follow from")
OPTION(THREADS, "threads", INTEGER, 0, 256, "0",
       "threads (0: as many as the CPUs that may be used)")
OPTION(CACHE, "cache", CHOICE, 0, 1, "ram", "where decoded pictures are kept from epoch to epoch")
VALUE(CACHE, 0, "none")
VALUE(CACHE, 1, "ram")
OPTION(CACHE_SIZE, "cache-size", INTEGER, 1, 1048576, "2048",
       "most memory for decoded pictures, MiB")
OPTION(DECODE, "decode", CHOICE, 0, 1, "fast",
       "decoding of pictures: fast reads large JPEGs at a reduced size")
VALUE(DECODE, 0, "exact")
VALUE(DECODE, 1, "fast")
OPTION(AUTO_ORIENT, "auto-orient", CHOICE, 0, 1, "on", "turn pictures by their EXIF orientation")
VALUE(AUTO_ORIENT, 0, "off")
VALUE(AUTO_ORIENT, 1, "on")
OPTION(MEAN, "mean", TRIPLE, -1000, 1000, "auto",
       "mean of R, G, B / 255 for normalization; one number for all will do")
OPTION(STD, "std", TRIPLE, 1e-6, 1000, "auto", "standard deviation of R, G, B / 255, likewise")
OPTION(STORAGE, "storage", CHOICE, 0, 1, "f32", "type of the weights in the model file")
VALUE(STORAGE, 0, "f32")
VALUE(STORAGE, 1, "f16")
OPTION(VAL_FRACTION, "val-fraction", REAL, 0.001, 0.9, "0.2",
       "share of the training pictures that is split off for validation, if there are no others")
OPTION(ISA_MAX, "isa-max", CHOICE, 0, 5, "any", "newest instruction set to use")
VALUE(ISA_MAX, 0, "portable")
VALUE(ISA_MAX, 1, "avx2")
VALUE(ISA_MAX, 2, "avx512")
VALUE(ISA_MAX, 3, "avx512vnni")
VALUE(ISA_MAX, 4, "avx512bf16")
VALUE(ISA_MAX, 5, "any")
OPTION(FEATURES, "features", CHOICE, 0, 1, "f32",
       "precision of the features that a new head is fitted to")
VALUE(FEATURES, 0, "f32")
VALUE(FEATURES, 1, "int8")

#undef OPTION
#undef VALUE
