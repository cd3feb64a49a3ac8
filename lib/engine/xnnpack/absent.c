/* In place of the XNNPACK executor in a build without it. */
#include "common/error.h"
#include "engine/engine.h"

static scarlet_status start(scarlet_error *err)
{
    return scarlet__fail(err, SCARLET_ERROR_UNSUPPORTED,
                         "option engine: this build of libscarlet has no XNNPACK");
}

const scarlet__engine scarlet__engine_xnnpack = {.id = SCARLET_ENGINE_XNNPACK, .start = start};
