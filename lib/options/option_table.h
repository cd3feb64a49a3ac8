/*
 * The option table: drives the check of values, text parsing, the manual and bindings.
 *
 *   OPTION(key, name, min, max, default, help)
 *   VALUE(key, value, name)     a named value of an option
 *
 * A default of 0 below the minimum means: not fixed, the help text says what holds.
 */
#ifndef OPTION
#define OPTION(key, name, min, max, dflt, help)
#endif
#ifndef VALUE
#define VALUE(key, value, name)
#endif

OPTION(SCARLET_OPT_PRECISION, "precision", 0, 2, 0, "arithmetic of the network")
VALUE(SCARLET_OPT_PRECISION, SCARLET_PRECISION_F32, "f32")
VALUE(SCARLET_OPT_PRECISION, SCARLET_PRECISION_INT16, "int16")
VALUE(SCARLET_OPT_PRECISION, SCARLET_PRECISION_INT8, "int8")
OPTION(SCARLET_OPT_ENGINE, "engine", 0, 2, 0, "executor of the network")
VALUE(SCARLET_OPT_ENGINE, SCARLET_ENGINE_AUTO, "auto")
VALUE(SCARLET_OPT_ENGINE, SCARLET_ENGINE_XNNPACK, "xnnpack")
VALUE(SCARLET_OPT_ENGINE, SCARLET_ENGINE_FUSED, "fused")
OPTION(SCARLET_OPT_ISA_MAX, "isa_max", 0, 99, 99,
       "newest instruction set that libscarlet's own kernels may use")
VALUE(SCARLET_OPT_ISA_MAX, SCARLET_ISA_PORTABLE, "portable")
VALUE(SCARLET_OPT_ISA_MAX, SCARLET_ISA_AVX2, "avx2")
VALUE(SCARLET_OPT_ISA_MAX, SCARLET_ISA_AVX512, "avx512")
VALUE(SCARLET_OPT_ISA_MAX, SCARLET_ISA_AVX512VNNI, "avx512vnni")
VALUE(SCARLET_OPT_ISA_MAX, SCARLET_ISA_AVX512BF16, "avx512bf16")
VALUE(SCARLET_OPT_ISA_MAX, SCARLET_ISA_ANY, "any")
OPTION(SCARLET_OPT_MAX_BYTES, "max_bytes", 1, INT64_MAX, (int64_t)1 << 30,
       "largest total size of a model's tensors, bytes")
OPTION(SCARLET_OPT_STORAGE, "storage", 0, 2, 2,
       "type of convolution and linear weights that convert writes")
VALUE(SCARLET_OPT_STORAGE, SCARLET_STORAGE_F32, "f32")
VALUE(SCARLET_OPT_STORAGE, SCARLET_STORAGE_F16, "f16")
VALUE(SCARLET_OPT_STORAGE, SCARLET_STORAGE_SOURCE, "source")

OPTION(SCARLET_OPT_THREADS, "threads", 0, 256, 1,
       "threads of a session; 0: as many as the CPUs this process may use")
OPTION(SCARLET_OPT_BATCH_MAX, "batch_max", 1, 4096, 1, "largest batch of an inference")
OPTION(SCARLET_OPT_INPUT_SIZE, "input_size", 1, 4096, 0,
       "side of the network's input, pixels; default: the model file's, else 224")
OPTION(SCARLET_OPT_LAYOUT, "layout", 0, 1, 0, "order of input values")
VALUE(SCARLET_OPT_LAYOUT, SCARLET_LAYOUT_NCHW, "nchw")
VALUE(SCARLET_OPT_LAYOUT, SCARLET_LAYOUT_NHWC, "nhwc")
OPTION(SCARLET_OPT_OUTPUT, "output", 0, 1, 0,
       "what an inference returns: logits, or the vector before the classifier")
VALUE(SCARLET_OPT_OUTPUT, SCARLET_OUTPUT_SCORES, "scores")
VALUE(SCARLET_OPT_OUTPUT, SCARLET_OUTPUT_FEATURES, "features")
OPTION(SCARLET_OPT_MAX_MEMORY, "max_memory", 1, INT64_MAX, (int64_t)1 << 30,
       "largest memory that a session takes, bytes")

OPTION(SCARLET_OPT_MAX_PIXELS, "max_pixels", 1, INT64_MAX, 178956970,
       "largest width x height of a picture that is decoded")
OPTION(SCARLET_OPT_AUTO_ORIENT, "auto_orient", 0, 1, 0,
       "turn pictures by their EXIF orientation (the reference does not)")
VALUE(SCARLET_OPT_AUTO_ORIENT, 0, "off")
VALUE(SCARLET_OPT_AUTO_ORIENT, 1, "on")
OPTION(SCARLET_OPT_CROP, "crop", 1, 4096, 0,
       "side of the centre crop, pixels; default: the input size")
OPTION(SCARLET_OPT_RESIZE, "resize", 1, 8192, 0,
       "short side after resizing, pixels; default: the model file's, else crop * 8 / 7")
OPTION(SCARLET_OPT_FILTER, "filter", 0, 0, 0, "resampling filter")
VALUE(SCARLET_OPT_FILTER, SCARLET_FILTER_BILINEAR, "bilinear")
OPTION(SCARLET_OPT_DECODE, "decode", 0, 1, 0,
       "fast: large JPEGs at 1/2, 1/4 or 1/8, at least twice `resize`; other bits")
VALUE(SCARLET_OPT_DECODE, SCARLET_DECODE_EXACT, "exact")
VALUE(SCARLET_OPT_DECODE, SCARLET_DECODE_FAST, "fast")

#undef OPTION
#undef VALUE
