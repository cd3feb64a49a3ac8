#include "engine/xnnpack/operators.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <unistd.h>
#include <xnnpack.h>

#include "common/cpu.h"
#include "common/error.h"
#include "engine/pack.h"

static scarlet_status failed(enum xnn_status status, const char *what, scarlet_error *err)
{
    if (status == xnn_status_out_of_memory)
        return scarlet__fail_memory(err);
    if (status == xnn_status_unsupported_hardware)
        return scarlet__fail(err, SCARLET_ERROR_UNSUPPORTED,
                             "XNNPACK cannot start: it does not support this CPU, or memory was "
                             "short when it looked");
    return scarlet__fail(err, SCARLET_ERROR_INTERNAL, "XNNPACK: %s failed with status %d", what,
                         (int)status);
}

/* libcpuinfo, which XNNPACK asks what the CPU can do, prints and fails for good if it cannot read
 * this file. */
static scarlet_status readable(const char *path, scarlet_error *err)
{
    char byte;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd < 0 ? -1 : read(fd, &byte, 1);
    const int code = errno;
    if (fd >= 0)
        close(fd);
    if (n == 1)
        return SCARLET_OK;
    scarlet_error cause;
    scarlet__describe_errno(&cause, n < 0 ? code : ENODATA, "%s", path);
    return scarlet__fail(err, SCARLET_ERROR_UNSUPPORTED, "XNNPACK cannot start: %s", cause.message);
}

scarlet_status scarlet__xnnpack_start(scarlet_error *err)
{
    static atomic_bool started;
    if (atomic_load(&started))
        return SCARLET_OK;
    scarlet_status status = readable("/proc/cpuinfo", err);
    if (status != SCARLET_OK)
        return status;
    enum xnn_status made = xnn_initialize(NULL);
    if (made != xnn_status_success)
        return failed(made, "initialization", err);
    atomic_store(&started, true);
    return SCARLET_OK;
}

void scarlet__operator_free(scarlet__operator *op)
{
    if (op)
        xnn_delete_operator(op);
}

scarlet_status scarlet__operator_run(scarlet__operator *op, pthreadpool_t pool, scarlet_error *err)
{
    enum xnn_status status = xnn_run_operator(op, pool);
    return status == xnn_status_success ? SCARLET_OK : failed(status, "run", err);
}

/* Workers yield between operators instead of spinning: an embedded library shares its CPUs. */
#define FLAGS XNN_FLAG_YIELD_WORKERS

#ifdef SCARLET__XNNPACK_RESHAPE /* since 2023 */

#define CACHES , NULL, NULL /* code cache, weights cache */

static enum xnn_status bind_dense(scarlet__operator *op, const scarlet__operator_layer *l,
                                  pthreadpool_t pool)
{
    enum xnn_status status = xnn_reshape_fully_connected_nc_f32(op, l->pixels, pool);
    return status == xnn_status_success ? xnn_setup_fully_connected_nc_f32(op, l->input, l->output)
                                        : status;
}

static enum xnn_status bind_stem(scarlet__operator *op, const scarlet__operator_layer *l,
                                 pthreadpool_t pool)
{
    size_t workspace = 0, alignment = 0, height, width;
    enum xnn_status status = xnn_reshape_convolution2d_nhwc_f32(
        op, 1, l->pixels, l->pixels, &workspace, &alignment, &height, &width, pool);
    if (status != xnn_status_success)
        return status;
    if (workspace) /* asked for only with transient indirection, which is not requested */
        return xnn_status_invalid_state;
    return xnn_setup_convolution2d_nhwc_f32(op, NULL, l->input, l->output);
}

#else

#define CACHES

static enum xnn_status bind_dense(scarlet__operator *op, const scarlet__operator_layer *l,
                                  pthreadpool_t pool)
{
    return xnn_setup_fully_connected_nc_f32(op, l->pixels, l->input, l->output, pool);
}

static enum xnn_status bind_stem(scarlet__operator *op, const scarlet__operator_layer *l,
                                 pthreadpool_t pool)
{
    return xnn_setup_convolution2d_nhwc_f32(op, 1, l->pixels, l->pixels, l->input, l->output, pool);
}

#endif

/* ---- memory: measured ---- */

enum { OPERATOR = 2100 };

/* Weights and bias in tiles of outputs; the newer one pads only where there is more than one. */
static size_t packed_bytes(size_t in, size_t out)
{
#ifdef SCARLET__XNNPACK_RESHAPE
    size_t tile = scarlet__cpu_isa(SCARLET_ISA_ANY) >= SCARLET_ISA_AVX512 ? 32 : 16;
    if (out <= tile)
        tile = 1;
#else
    size_t tile = 16;
#endif
    return (in + 1) * scarlet__round_up(out, tile) * sizeof(float);
}

size_t scarlet__operator_dense_bytes(const scarlet__operator_layer *l)
{
    return OPERATOR + packed_bytes(l->in, l->out);
}

size_t scarlet__operator_stem_bytes(const scarlet__operator_layer *l)
{
    size_t out_side = (l->pixels + 1) / 2, pointers = out_side * out_side * 9;
    return OPERATOR + packed_bytes(l->in * 9, l->out) + pointers * sizeof(void *);
}

/* ---- making ---- */

/* Some paths of XNNPACK of 2024 report success when there was no memory for the operator. */
static enum xnn_status creation(enum xnn_status status, const scarlet__operator *made)
{
    return status == xnn_status_success && !made ? xnn_status_out_of_memory : status;
}

static scarlet_status finish(enum xnn_status status, const char *what, scarlet__operator *made,
                             scarlet__operator **op, scarlet_error *err)
{
    *op = made;
    if (status == xnn_status_success)
        return SCARLET_OK;
    scarlet__operator_free(made);
    *op = NULL;
    return failed(status, what, err);
}

scarlet_status scarlet__operator_dense(const scarlet__operator_layer *l, pthreadpool_t pool,
                                       scarlet__operator **op, scarlet_error *err)
{
    scarlet__operator *made = NULL;
    enum xnn_status status =
        xnn_create_fully_connected_nc_f32(l->in, l->out, l->in_stride, l->out_stride, l->weight,
                                          l->bias, l->low, l->high, FLAGS CACHES, &made);
    status = creation(status, made);
    if (status == xnn_status_success)
        status = bind_dense(made, l, pool);
    return finish(status, "1x1 convolution", made, op, err);
}

scarlet_status scarlet__operator_stem(const scarlet__operator_layer *l, pthreadpool_t pool,
                                      scarlet__operator **op, scarlet_error *err)
{
    scarlet__operator *made = NULL;
    enum xnn_status status = xnn_create_convolution2d_nhwc_f32(
        (uint32_t)l->padding, 1, 1, (uint32_t)l->padding, 3, 3, 2, 2, 1, 1, 1, l->in, l->out,
        l->in_stride, l->out_stride, l->weight, l->bias, l->low, l->high, FLAGS CACHES, &made);
    status = creation(status, made);
    if (status == xnn_status_success)
        status = bind_stem(made, l, pool);
    return finish(status, "stem convolution", made, op, err);
}
