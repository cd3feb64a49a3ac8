/*
 * libscarlet: SCARLET image classifiers on CPUs.
 *
 * This header is the manual. It has three tiers, each complete on its own:
 *
 *   simple    load a model, make a session, load a picture, classify it
 *   explicit  decode, preprocess, infer, softmax, top-k, labels
 *   advanced  options, logging, metadata, layers, conversion
 *
 * Rules that hold for every function:
 *   - Functions that can fail return a scarlet_status: 0 on success, negative otherwise. With a
 *     non-NULL `err` they also describe the failure; on success `err` is not touched.
 *   - `err` and `opts` may be NULL. On failure an output handle is set to NULL and nothing changes
 *     owner. Every *_free function accepts NULL.
 *   - Lengths of arrays count elements, not bytes.
 *   - Strings are UTF-8 and NUL-terminated. Returned strings belong to the object they come from
 *     and live as long as it does; the others are static.
 *   - The library never prints, never exits, never changes signals, the locale or CPU affinity.
 *   - errno and the floating-point modes of the calling thread stay as they were, and change no
 *     result. Callbacks run with the default modes; errno set there is lost.
 *   - A NULL or otherwise impossible argument gives SCARLET_ERROR_ARGUMENT (or the function's
 *     "none" value), never a crash, as far as it can be recognised.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SCARLET_SCARLET_H
#define SCARLET_SCARLET_H

#include <stddef.h>
#include <stdint.h>

/* Version of this header. meson.build reads it from here. */
#define SCARLET_VERSION_MAJOR 0
/* Rises with additions. */
#define SCARLET_VERSION_MINOR 1
/* Rises with fixes. */
#define SCARLET_VERSION_PATCH 0
/* The three in one number: 0.1.0 is 100. */
#define SCARLET_VERSION                                                                            \
    (SCARLET_VERSION_MAJOR * 10000 + SCARLET_VERSION_MINOR * 100 + SCARLET_VERSION_PATCH)

#ifndef SCARLET_API
#if defined(__GNUC__)
#define SCARLET_API __attribute__((visibility("default")))
#else
#define SCARLET_API
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ======================================================================== *
 * Basic types                                                              *
 * ======================================================================== */

/* The code depends on what a caller can do about the failure; the text says what happened. Codes
 * are never renumbered. Expect codes that are not in your copy of this list. */
typedef enum scarlet_status {
    SCARLET_OK = 0,
    SCARLET_ERROR_ARGUMENT = -1,    /* the call itself is wrong: fix the caller */
    SCARLET_ERROR_MEMORY = -2,      /* out of memory or threads */
    SCARLET_ERROR_IO = -3,          /* the operating system refused; detail is errno */
    SCARLET_ERROR_FORMAT = -4,      /* not a file of this kind at all */
    SCARLET_ERROR_CORRUPT = -5,     /* of this kind, but damaged or inconsistent */
    SCARLET_ERROR_UNSUPPORTED = -6, /* valid, but this library does not do it */
    SCARLET_ERROR_LIMIT = -7,       /* larger than a limit in the options */
    SCARLET_ERROR_MODEL = -8,       /* a checkpoint, but not of this family of networks */
    SCARLET_ERROR_INTERNAL = -9,    /* a bug in libscarlet: please report it */
    SCARLET_STATUS_INT = 0x7fffffff /* not a status: makes the type 32 bits wide */
} scarlet_status;

/* Description of a failure, owned by the caller. Frozen: always 256 bytes. */
typedef struct scarlet_error {
    int32_t status;    /* the scarlet_status returned */
    int32_t detail;    /* errno for SCARLET_ERROR_IO, else 0 */
    char message[248]; /* one line of UTF-8 without a newline, always terminated */
} scarlet_error;

/* One class with its score. Frozen: always 8 bytes. */
typedef struct scarlet_prediction {
    int32_t class_id; /* 0 .. classes-1 */
    float score;      /* logit or probability, as the function says */
} scarlet_prediction;

/* A loaded network with its weights. Immutable: any number of threads may share one. */
typedef struct scarlet_model scarlet_model;
/* Working memory and threads to run a model. For one thread at a time, as calls check; make one
 * session for each thread. */
typedef struct scarlet_session scarlet_session;
/* A decoded or wrapped picture. Immutable: any thread may read it. */
typedef struct scarlet_image scarlet_image;
/* Names of classes. Immutable: any thread may read them. */
typedef struct scarlet_labels scarlet_labels;
/* Settings. Any number of threads may read them at once; changing them takes one thread. */
typedef struct scarlet_options scarlet_options;

/* Run-time version, as SCARLET_VERSION; with the same SONAME never older than the header a program
 * was built with. */
SCARLET_API uint32_t scarlet_version(void);
/* "0.1.0". */
SCARLET_API const char *scarlet_version_string(void);
/* One line: version, engine and codec versions, instruction sets compiled in and the one chosen
 * on this CPU. For bug reports; not to be parsed. */
SCARLET_API const char *scarlet_build_info(void);
/* CPUs that this process may use: those of its affinity mask, within its cgroup's quota; at least
 * 1. What SCARLET_OPT_THREADS = 0 stands for. */
SCARLET_API int32_t scarlet_cpu_count(void);
/* "argument", "memory", ...; "ok" for 0; "unknown" for a code this library does not know. */
SCARLET_API const char *scarlet_status_string(scarlet_status status);

/* ======================================================================== *
 * Simple tier: load a model, classify a picture                            *
 * ======================================================================== */

/*
 * Loads a checkpoint: a PyTorch file (.pth.tar or .pth, legacy or zip) or a safetensors file. Of a
 * PyTorch file it takes the state dict under "model_state", else the one under another usual key
 * (scarlet_model_weights_key), else the file itself, and removes prefixes such as "module.". The
 * kind is recognised by content, the architecture by names and shapes. No name in the file is ever
 * called, no path in it ever opened.
 *
 * path    a regular file
 * opts    model options (precision, engine, isa_max, max_bytes), or NULL
 * out     receives the model; free it with scarlet_model_free
 *
 * The model needs neither file nor options afterwards. Errors: IO (cannot be read), FORMAT (not a
 * checkpoint; the text says what it looks like), CORRUPT, UNSUPPORTED, MODEL (tensors of another
 * network; the text names them), LIMIT (max_bytes), MEMORY.
 */
SCARLET_API scarlet_status scarlet_model_load(const char *path, const scarlet_options *opts,
                                              scarlet_model **out, scarlet_error *err);
/* As scarlet_model_load, from memory of any alignment. `data` may be released after the call. */
SCARLET_API scarlet_status scarlet_model_load_memory(const void *data, size_t size,
                                                     const scarlet_options *opts,
                                                     scarlet_model **out, scarlet_error *err);
/* Frees a model. Its sessions may outlive it: they keep what they need. */
SCARLET_API void scarlet_model_free(scarlet_model *model);

/*
 * Prepares to run a model: takes all memory and starts all threads that inference will use.
 * opts: session options (threads, batch_max, input_size, layout, output, max_memory), or NULL. For
 * an option that is not set, the model file's metadata counts, then the default.
 * With threads=1 (the default) no thread is started and the session may be used after fork() in
 * the child; with more, a child must make its own session. Creating threads can fail with MEMORY.
 * The input may have any side (option input_size): a layer with stride 2 halves it, rounding up.
 * Errors: ARGUMENT, LIMIT (max_memory; the text says how much it would take), MEMORY, UNSUPPORTED
 * (this CPU cannot run the engine asked for).
 */
SCARLET_API scarlet_status scarlet_session_create(scarlet_model *model, const scarlet_options *opts,
                                                  scarlet_session **out, scarlet_error *err);
/* Frees a session and ends its threads. */
SCARLET_API void scarlet_session_free(scarlet_session *session);

/*
 * Reads a JPEG or PNG file; the kind is recognised by content. Pixels equal those of Pillow's
 * `Image.open(path).convert("RGB")`; metadata (EXIF, XMP, ICC, gamma) is ignored. With
 * auto_orient=on the picture is then turned as Pillow's ImageOps.exif_transpose does. opts: picture
 * options (max_pixels, auto_orient, decode), or NULL.
 *
 * With decode=fast a large JPEG is decoded at 1/2, 1/4 or 1/8 of its width and height (rounded
 * up): the smallest whose short side, rounded down, is at least twice what `resize` asks for (not
 * set: crop * 8 / 7, with a crop of 224 if that is not set either). That is several times as fast.
 * What scarlet_preprocess or scarlet_classify makes of it with the same options differs slightly
 * from decode=exact (the default) and from Pillow; which files are refused does not. PNG is always
 * decoded exactly.
 *
 * Errors: IO, FORMAT (neither JPEG nor PNG), UNSUPPORTED (another picture format or a kind of
 * JPEG that is not supported), CORRUPT, LIMIT (max_pixels), MEMORY.
 */
SCARLET_API scarlet_status scarlet_image_load(const char *path, const scarlet_options *opts,
                                              scarlet_image **out, scarlet_error *err);
/* Frees a picture; calls the release function of a wrapped one. */
SCARLET_API void scarlet_image_free(scarlet_image *image);

/*
 * Preprocesses one picture, runs the network and returns the k most probable classes.
 *
 * opts    picture options (resize, crop, filter, normalization), or NULL; for what is not set, the
 *         model's metadata counts, then ImageNet's defaults. The crop is the session's input size;
 *         if that is not the file's, the file's resize changes in proportion. A resize below the
 *         input size is refused.
 * k       at least 1; more than the number of classes means all of them
 * out     array of k elements; receives softmax probabilities in descending order. A program that
 *         is to say "unsure" below a probability p does so where out[0].score < p.
 * n_out   receives min(k, classes); may be NULL
 *
 * Errors: ARGUMENT (also for a session whose output is features, or that is in use by another
 * call), MEMORY. Nothing is allocated for a wrapped frame of the size of an earlier one.
 */
SCARLET_API scarlet_status scarlet_classify(scarlet_session *session, const scarlet_image *image,
                                            const scarlet_options *opts, size_t k,
                                            scarlet_prediction *out, size_t *n_out,
                                            scarlet_error *err);

/*
 * Name of a class from the model file's metadata. A file without names, of a network of the
 * released space with 1000 classes, has ImageNet's, as the authors' checkpoints do not name theirs.
 * NULL if neither holds, or there is no such class.
 */
SCARLET_API const char *scarlet_model_label(const scarlet_model *model, int32_t class_id);

/* ======================================================================== *
 * Explicit tier: the same in steps                                         *
 * ======================================================================== */

/* Layout of the pixels of a wrapped picture. The last three are YCbCr, BT.601 limited range, with
 * even width and height; planes follow each other, each with the picture's stride (I420: half). */
typedef enum scarlet_pixels {
    SCARLET_PIXELS_RGB = 0,  /* 3 bytes a pixel */
    SCARLET_PIXELS_BGR = 1,  /* 3 bytes a pixel */
    SCARLET_PIXELS_RGBA = 2, /* 4 bytes; alpha is ignored, not composited */
    SCARLET_PIXELS_BGRA = 3, /* 4 bytes; alpha is ignored */
    SCARLET_PIXELS_GRAY = 4, /* 1 byte */
    SCARLET_PIXELS_NV12 = 5, /* Y plane, then interleaved Cb Cr at half size */
    SCARLET_PIXELS_NV21 = 6, /* Y plane, then interleaved Cr Cb at half size */
    SCARLET_PIXELS_I420 = 7, /* Y plane, then Cb, then Cr, both at half size and half stride */
    SCARLET_PIXELS_INT = 0x7fffffff
} scarlet_pixels;

/* How pictures are resampled. */
typedef enum scarlet_filter {
    SCARLET_FILTER_BILINEAR = 0, /* Pillow's antialiased bilinear: the reference */
    SCARLET_FILTER_INT = 0x7fffffff
} scarlet_filter;

/* Called once with `user` and the pixels when the library no longer needs a wrapped picture. */
typedef void (*scarlet_release_fn)(void *user, const void *pixels);

/* As scarlet_image_load, from memory. `data` may be released after the call. */
SCARLET_API scarlet_status scarlet_image_decode(const void *data, size_t size,
                                                const scarlet_options *opts, scarlet_image **out,
                                                scarlet_error *err);
/*
 * Makes a picture of the caller's pixels without copying them. To wrap a region of a larger frame,
 * point at its first pixel and give the frame's stride.
 *
 * stride   bytes from one row to the next; at least a row's width
 * release  called when the picture is freed, or NULL: then the pixels must outlive the picture.
 *          If wrapping fails, it is not called.
 *
 * The planes of NV12, NV21 and I420 follow each other in memory; use scarlet_image_wrap_planes for
 * others and for regions.
 */
SCARLET_API scarlet_status scarlet_image_wrap(const void *pixels, uint32_t width, uint32_t height,
                                              size_t stride, scarlet_pixels format,
                                              scarlet_release_fn release, void *user,
                                              scarlet_image **out, scarlet_error *err);
/*
 * As scarlet_image_wrap, with a pointer and a stride for each plane: 1 plane for packed formats, 2
 * for NV12 and NV21, 3 for I420. `release` receives planes[0].
 */
SCARLET_API scarlet_status scarlet_image_wrap_planes(const void *const *planes,
                                                     const size_t *strides, size_t count,
                                                     uint32_t width, uint32_t height,
                                                     scarlet_pixels format,
                                                     scarlet_release_fn release, void *user,
                                                     scarlet_image **out, scarlet_error *err);
/* Reads width and height of a JPEG or PNG file without decoding it (no auto_orient). The head is
 * enough: data may be cut anywhere after the dimensions. */
SCARLET_API scarlet_status scarlet_image_probe(const void *data, size_t size, uint32_t *width,
                                               uint32_t *height, scarlet_error *err);
/* What kind of picture begins with these bytes: "JPEG" and "PNG", which are read, or another one by
 * its usual name, as "GIF", "HEIF", "WebP"; NULL if it is unknown. 512 bytes are enough. */
SCARLET_API const char *scarlet_image_kind(const void *data, size_t size);
/* First pixel of a picture; NULL arguments are skipped. A decoded picture is RGB. */
SCARLET_API const void *scarlet_image_pixels(const scarlet_image *image, uint32_t *width,
                                             uint32_t *height, size_t *stride,
                                             scarlet_pixels *format);
/* Resizes a whole picture to width x height, as Pillow's Image.resize does; the result is RGB.
 * Meanwhile it takes up to 3 x `width` bytes for each row of the picture. */
SCARLET_API scarlet_status scarlet_image_resize(const scarlet_image *image, uint32_t width,
                                                uint32_t height, scarlet_filter filter,
                                                scarlet_image **out, scarlet_error *err);

/*
 * Turns a picture into network input: resizes the short side, crops the centre, normalises. Gives
 * the same bits as torchvision's Resize, CenterCrop, ToTensor, Normalize with Pillow. As there, a
 * crop above resize is padded with black.
 *
 * opts     picture options and normalization, and `layout`; NULL: resize 256, crop 224, ImageNet's
 *          mean and standard deviation, NCHW
 * out      3 x crop x crop floats, planes R, G, B (NCHW) or crop x crop x 3 (NHWC)
 * out_len  exactly 3 * crop * crop
 */
SCARLET_API scarlet_status scarlet_preprocess(const scarlet_image *image,
                                              const scarlet_options *opts, float *out,
                                              size_t out_len, scarlet_error *err);

/* The session's own input buffer, of batch_max pictures; *len receives its length, len may be NULL.
 * You may fill it and pass it to scarlet_infer; it lives as long as the session. */
SCARLET_API float *scarlet_session_input(scarlet_session *session, size_t *len);

/*
 * Runs the network on a batch.
 *
 * input       batch x 3 x S x S floats (NCHW) or batch x S x S x 3 (layout=nhwc), S the session's
 *             input size; finite numbers
 * input_len   exactly batch * 3 * S * S
 * batch       1 .. batch_max
 * scores      receives batch x L numbers: logits (L = classes), or with output=features the pooled
 *             vector before the classifier (L = the tail's width)
 * scores_len  exactly batch * L
 *
 * On one machine the same input gives the same bits, whatever the number of threads, the place in
 * the batch and the session. Allocates nothing. Errors: ARGUMENT (a length, batch, an input
 * value that is not finite: the text names picture and index; a session that is in use).
 */
SCARLET_API scarlet_status scarlet_infer(scarlet_session *session, const float *input,
                                         size_t input_len, size_t batch, float *scores,
                                         size_t scores_len, scarlet_error *err);

/* probabilities[i] = exp(scores[i]) / sum, without overflow; may work in place; n = 0 does nothing.
 * If a score is NaN or +infinity, or all are -infinity, the whole result is NaN. */
SCARLET_API void scarlet_softmax(const float *scores, size_t n, float *probabilities);
/* Writes the min(k, n) largest scores in descending order and returns their number. Of equal scores
 * the lower class comes first; NaN comes last. 0 if a needed pointer is NULL. */
SCARLET_API size_t scarlet_topk(const float *scores, size_t n, size_t k, scarlet_prediction *out);

/* Reads names of classes, one a line: line n, from 0, names class n. Of "wnid<TAB>name" the name
 * counts. At most 1,000,000 lines; a final newline, CR LF, spaces at the end and a byte-order mark
 * are fine.
 * Errors: IO, FORMAT (not UTF-8 text, a control character, an empty line), LIMIT, MEMORY. */
SCARLET_API scarlet_status scarlet_labels_load(const char *path, scarlet_labels **out,
                                               scarlet_error *err);
/* Names compiled into the library; "imagenet-1k" is the only set (in the order of WordNet ids, as
 * ImageFolder has them). */
SCARLET_API scarlet_status scarlet_labels_builtin(const char *name, scarlet_labels **out,
                                                  scarlet_error *err);
/* Frees names. */
SCARLET_API void scarlet_labels_free(scarlet_labels *labels);
/* Name of a class; NULL if out of range. */
SCARLET_API const char *scarlet_labels_get(const scarlet_labels *labels, int32_t class_id);
/* Number of names. */
SCARLET_API size_t scarlet_labels_count(const scarlet_labels *labels);

/* ======================================================================== *
 * Advanced tier: options, logging, metadata, layers, conversion            *
 * ======================================================================== */

/*
 * Option keys. Numbers are never reused: model options from 1, session options from 100, picture
 * options from 200. Bounds, defaults, help and names of values: scarlet_option_describe and
 * scarlet_option_value_name. A function ignores keys that are not its own, so one options object
 * can serve a whole program. An option that is set wins over the model file's metadata, which wins
 * over the default.
 */
typedef enum scarlet_option {
    SCARLET_OPT_PRECISION = 1, /* arithmetic of the network: SCARLET_PRECISION_* */
    SCARLET_OPT_ENGINE = 2,    /* SCARLET_ENGINE_* */
    SCARLET_OPT_ISA_MAX = 3,   /* newest instruction set of our own kernels: SCARLET_ISA_* */
    SCARLET_OPT_MAX_BYTES = 4, /* largest total size of a model's tensors */
    SCARLET_OPT_STORAGE = 5,   /* scarlet_convert: type of weights written, SCARLET_STORAGE_* */

    SCARLET_OPT_THREADS = 100,    /* 0: as many as the CPUs this process may use */
    SCARLET_OPT_BATCH_MAX = 101,  /* largest batch of scarlet_infer */
    SCARLET_OPT_INPUT_SIZE = 102, /* side of the network's input in pixels */
    SCARLET_OPT_LAYOUT = 103,     /* SCARLET_LAYOUT_* of inputs, also of scarlet_preprocess */
    SCARLET_OPT_OUTPUT = 104,     /* SCARLET_OUTPUT_* */
    SCARLET_OPT_MAX_MEMORY = 105, /* largest memory that a session takes, bytes */

    SCARLET_OPT_MAX_PIXELS = 200,  /* largest width * height decoded */
    SCARLET_OPT_AUTO_ORIENT = 201, /* 1: turn a decoded picture by its EXIF orientation */
    SCARLET_OPT_CROP = 202,        /* side of the centre crop; default the input size, or 224 */
    SCARLET_OPT_RESIZE = 203,      /* short side after resizing; default floor(crop * 8 / 7) */
    SCARLET_OPT_FILTER = 204,      /* scarlet_filter */
    SCARLET_OPT_DECODE = 205,      /* SCARLET_DECODE_*, see scarlet_image_load */
    SCARLET_OPT_INT = 0x7fffffff
} scarlet_option;

/*
 * Arithmetic of a network. int16 and int8 quantise weights by output channel when a model is
 * loaded, activations pixel by pixel while they are computed: there is nothing to calibrate. For
 * accuracy the first two layers stay float32, and with int8 the last inverted residual's projection
 * is int16; scarlet_model_layer_get reports it. Only the fused engine computes them. All CPUs from
 * AVX2 on give the same bits, with one exception:
 *
 * On a CPU with bfloat16 (isa_max=avx512bf16), int8 uses bfloat16 for the depthwise convolutions of
 * int8 layers and for the first two layers. That is faster and about as accurate, but gives other
 * bits than elsewhere, maybe also on another make of CPU. isa_max=avx512vnni turns it off.
 */
enum {
    SCARLET_PRECISION_F32 = 0,
    SCARLET_PRECISION_INT16 = 1, /* weights of 12 bits, activations of 13: close to f32 */
    SCARLET_PRECISION_INT8 = 2
};
enum { SCARLET_ENGINE_AUTO = 0, SCARLET_ENGINE_XNNPACK = 1, SCARLET_ENGINE_FUSED = 2 };
/* Each includes those before it. */
enum {
    SCARLET_ISA_PORTABLE = 0,
    SCARLET_ISA_AVX2 = 1,       /* and FMA */
    SCARLET_ISA_AVX512 = 2,     /* F, BW, DQ, VL */
    SCARLET_ISA_AVX512VNNI = 3, /* products of integers */
    SCARLET_ISA_AVX512BF16 = 4, /* products of bfloat16 */
    SCARLET_ISA_ANY = 99
};
enum {
    SCARLET_STORAGE_F32 = 0,
    SCARLET_STORAGE_F16 = 1,
    SCARLET_STORAGE_SOURCE = 2 /* f16 if the source's are, else f32 (default) */
};
enum { SCARLET_LAYOUT_NCHW = 0, SCARLET_LAYOUT_NHWC = 1 };
enum { SCARLET_DECODE_EXACT = 0, SCARLET_DECODE_FAST = 1 };
enum { SCARLET_OUTPUT_SCORES = 0, SCARLET_OUTPUT_FEATURES = 1 };

/* NULL if out of memory. */
SCARLET_API scarlet_options *scarlet_options_create(void);
/* Frees options; what was made with them no longer needs them. */
SCARLET_API void scarlet_options_free(scarlet_options *opts);
/* Sets one option. ARGUMENT for an unknown key or a value out of bounds, which is never clamped. */
SCARLET_API scarlet_status scarlet_options_set(scarlet_options *opts, scarlet_option key,
                                               int64_t value, scarlet_error *err);
/* Reads the value in force (set, else the default). ARGUMENT for an unknown key. */
SCARLET_API scarlet_status scarlet_options_get(const scarlet_options *opts, scarlet_option key,
                                               int64_t *value, scarlet_error *err);
/* Sets options from text, "threads=4,layout=nhwc"; spaces around names and values are fine. All or
 * nothing: on failure no option has changed. "mean=" and "std=" set normalization: three numbers
 * with commas or colons between them, or one for all. */
SCARLET_API scarlet_status scarlet_options_parse(scarlet_options *opts, const char *text,
                                                 scarlet_error *err);
/* Normalization of R, G, B: (v / 255 - mean) / std. Finite; std above 0. */
SCARLET_API scarlet_status scarlet_options_set_normalization(scarlet_options *opts,
                                                             const float mean[3],
                                                             const float std[3],
                                                             scarlet_error *err);

/* Receives one complete line without a newline. level: 1 error, 2 warning, 3 information, 4 debug.
 * May be called from any thread that calls the library. */
typedef void (*scarlet_log_fn)(void *user, int32_t level, const char *line);
/* fn = NULL: no log (the default). Lines above max_level are not composed. */
SCARLET_API scarlet_status scarlet_options_set_log(scarlet_options *opts, scarlet_log_fn fn,
                                                   void *user, int32_t max_level);

/* Walks the option table: index 0, 1, ... until ARGUMENT. Each output may be NULL. */
SCARLET_API scarlet_status scarlet_option_describe(size_t index, scarlet_option *key,
                                                   const char **name, int64_t *min, int64_t *max,
                                                   int64_t *dflt, const char **help);
/* "nhwc" for (SCARLET_OPT_LAYOUT, 1); NULL if the key's values have no names. */
SCARLET_API const char *scarlet_option_value_name(scarlet_option key, int64_t value);

/* What scarlet_model_get, scarlet_model_layer_get and scarlet_session_get return; -1 where it does
 * not apply. */
typedef enum scarlet_info {
    SCARLET_INFO_CLASSES = 1,      /* model */
    SCARLET_INFO_INPUT_SIZE = 2,   /* model: metadata, else 224; session: in force; pixels a side */
    SCARLET_INFO_FEATURES = 3,     /* model: width of the vector before the classifier */
    SCARLET_INFO_LAYERS = 4,       /* model: rows of the layer table */
    SCARLET_INFO_PARAMETERS = 5,   /* model, layer: learned values */
    SCARLET_INFO_MACS = 6,         /* model, layer: multiply-adds a picture at the input size */
    SCARLET_INFO_BYTES = 7,        /* model, session: memory held, bytes, without stacks */
    SCARLET_INFO_FILE_KIND = 8,    /* model: SCARLET_FILE_* */
    SCARLET_INFO_TOTAL_STRIDE = 9, /* model: the input's side over the last feature map's */

    SCARLET_INFO_KIND = 20,         /* layer: SCARLET_LAYER_* */
    SCARLET_INFO_CHANNELS_IN = 21,  /* layer */
    SCARLET_INFO_CHANNELS_OUT = 22, /* layer */
    SCARLET_INFO_KERNEL = 23,       /* layer: side of its spatial kernel; 1 if it has none */
    SCARLET_INFO_STRIDE = 24,       /* layer */
    SCARLET_INFO_EXPANSION = 25,    /* layer: 3 or 6; 0 if it is no inverted residual */
    SCARLET_INFO_SE = 26,           /* layer: squeeze width, 0 without squeeze-excite */
    SCARLET_INFO_RESIDUAL = 27,     /* layer: 1 if the input is added */

    SCARLET_INFO_PRECISION = 40,     /* model, layer, session: SCARLET_PRECISION_* */
    SCARLET_INFO_ENGINE = 41,        /* model, session: SCARLET_ENGINE_*, never AUTO */
    SCARLET_INFO_ISA = 42,           /* model, session: SCARLET_ISA_* of our own kernels */
    SCARLET_INFO_THREADS = 43,       /* session */
    SCARLET_INFO_BATCH_MAX = 44,     /* session */
    SCARLET_INFO_OUTPUT_LENGTH = 45, /* session: floats that scarlet_infer writes a picture */
    SCARLET_INFO_INT = 0x7fffffff
} scarlet_info;

enum { SCARLET_FILE_LEGACY = 1, SCARLET_FILE_ZIP = 2, SCARLET_FILE_SAFETENSORS = 3 };
enum {
    SCARLET_LAYER_STEM = 1,      /* 3x3 convolution, ReLU6 */
    SCARLET_LAYER_SEPARABLE = 2, /* 3x3 depthwise, ReLU6, 1x1 */
    SCARLET_LAYER_BLOCK = 3,     /* inverted residual */
    SCARLET_LAYER_IDENTITY = 4,
    SCARLET_LAYER_TAIL = 5, /* 1x1 convolution, ReLU6, mean over the picture */
    SCARLET_LAYER_CLASSIFIER = 6
};

/* "SCARLET-A", "SCARLET-B", "SCARLET-C", "EfficientNet-Lite0" (to 2), "MobileNetV2" (or with its
 * width, as "MobileNetV2 x1.4"), or "custom". */
SCARLET_API const char *scarlet_model_name(const scarlet_model *model);
/* One item for each searched layer, joined by commas: "e3k7", "e6k5se" or "id". */
SCARLET_API const char *scarlet_model_genotype(const scarlet_model *model);
/* A number describing a model; -1 if it does not apply. */
SCARLET_API int64_t scarlet_model_get(const scarlet_model *model, scarlet_info what);
/* A number describing a layer; -1 if it does not apply. layer: 0 .. layers-1, from the input to the
 * classifier. */
SCARLET_API int64_t scarlet_model_layer_get(const scarlet_model *model, size_t layer,
                                            scarlet_info what);
/* Name of a layer, which is the prefix of its tensors: "stem", "mb_module.3", ...; NULL out of
 * range. */
SCARLET_API const char *scarlet_model_layer_name(const scarlet_model *model, size_t layer);
/* Value of a metadata key of a safetensors file; NULL if absent. */
SCARLET_API const char *scarlet_model_metadata(const scarlet_model *model, const char *key);
/* The metadata key at `index`, in the file's order; NULL past the last. */
SCARLET_API const char *scarlet_model_metadata_key(const scarlet_model *model, size_t index);
/* Where in a PyTorch file the weights were: the key, as "model_state" or "ema", followed by "[0]"
 * for a list; "" if the file is nothing but weights; NULL for safetensors. */
SCARLET_API const char *scarlet_model_weights_key(const scarlet_model *model);
/* New options with the picture options (crop, resize, normalization, auto_orient) that the file
 * asks for. */
SCARLET_API scarlet_status scarlet_model_options(const scarlet_model *model, scarlet_options **out,
                                                 scarlet_error *err);

/*
 * Rewrites any checkpoint that scarlet_model_load reads as a safetensors file: one file, a complete
 * classifier. Metadata of a safetensors source is kept; labels and set options (input_size, resize,
 * normalization, auto_orient) replace what it says; its resize follows a new input_size.
 * storage=f16 halves the file: convolution and linear weights are rounded to f16, batch norm and
 * biases stay f32. By default the weights stay f16 if they are. The target appears complete or not
 * at all; it may be the source. A symbolic link stays and a file keeps its mode. labels: one for
 * each class, or NULL. scarlet-model(5) describes the file, for other programs that write it.
 * Errors: as scarlet_model_load; IO for the target; ARGUMENT if the number of labels is not the
 * number of classes.
 */
SCARLET_API scarlet_status scarlet_convert(const char *source, const char *target,
                                           const scarlet_labels *labels,
                                           const scarlet_options *opts, scarlet_error *err);

/* A number describing a session; -1 if it does not apply. */
SCARLET_API int64_t scarlet_session_get(const scarlet_session *session, scarlet_info what);

/* ======================================================================== *
 * Experimental: no promise of any kind                                     *
 * ======================================================================== */
#ifdef SCARLET_EXPERIMENTAL

/*
 * Called after each layer of each picture, on the thread that called scarlet_infer. The fused
 * executor runs a traced inference on that thread only.
 * shape     {height, width, channels} of the layer's output; values are dense NHWC, valid during
 *           the call
 * nanos     time of this layer
 */
typedef void (*scarlet_trace_fn)(void *user, size_t picture, size_t layer, const char *name,
                                 const int64_t shape[3], const float *values, int64_t nanos);
/* fn = NULL ends tracing. Results stay the same to the bit. Allocates a buffer for the values:
 * MEMORY if it cannot. */
SCARLET_API scarlet_status scarlet_session_set_trace(scarlet_session *session, scarlet_trace_fn fn,
                                                     void *user, scarlet_error *err);
/* Multiply-adds of a layer for one picture at the session's input size; -1 out of range. */
SCARLET_API int64_t scarlet_session_layer_macs(const scarlet_session *session, size_t layer);
/* Multiply-adds a second that one thread reaches with the session's kernels on numbers that never
 * leave the registers: a bound to compare layers with. Measures for about 20 ms; -1 for NULL. */
SCARLET_API int64_t scarlet_session_peak(const scarlet_session *session);
#endif

#ifdef __cplusplus
}
#endif

#endif
