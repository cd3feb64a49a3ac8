/* Networks built from a genotype and a space, without a file; genotypes as text. */
#include "network/architectures.h"

#include <math.h>
#include <string.h>

#include "network/network.h"
#include "test.h"

static void texts(void)
{
    scarlet__genotype genotype;
    char text[SCARLET__GENOTYPE_SIZE];
    const char *all = "id,e3k3,e3k3se,e3k5,e3k5se,e3k7,e3k7se,e6k3,e6k3se,e6k5,e6k5se,e6k7,e6k7se";
    CHECK(scarlet__genotype_parse(all, &genotype, NULL) == SCARLET_OK);
    CHECK(genotype.count == 13 && genotype.layer[0].expansion == 0);
    CHECK(genotype.layer[8].expansion == 6 && genotype.layer[8].kernel == 3 &&
          genotype.layer[8].squeeze);
    scarlet__genotype_print(&genotype, text);
    CHECK_TEXT(text, all);

    static const char *const WRONG[] = {"",        "e",     "e4k3",  "e3k4", "e3k3s",
                                        "e3k3sex", "ID",    "e3k3,", ",id",  "id id",
                                        "id,,id",  "e33k3", " id",   "e0k3"};
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        scarlet_error err;
        CHECK(scarlet__genotype_parse(WRONG[i], &genotype, &err) == SCARLET_ERROR_ARGUMENT);
        CHECK(strstr(err.message, "is not of the form"));
    }

    char longest[3 * SCARLET__SPACE_LAYERS_MAX + 3] = "id";
    for (int i = 1; i < SCARLET__SPACE_LAYERS_MAX; i++)
        strcat(longest, ",id");
    CHECK(scarlet__genotype_parse(longest, &genotype, NULL) == SCARLET_OK);
    strcat(longest, ",id");
    CHECK(scarlet__genotype_parse(longest, &genotype, NULL) == SCARLET_ERROR_ARGUMENT);
}

/* Parameters and multiply-adds (10^5) as PyTorch counts them in tests/python/test_reference.py. */
static void released(void)
{
    static const struct {
        const char *name;
        int64_t macs, parameters;
    } COUNTED[] = {
        {"SCARLET-A", 3653, 6707720}, {"SCARLET-B", 3269, 6531556}, {"SCARLET-C", 2801, 6073684}};
    for (size_t n = 0; n < sizeof COUNTED / sizeof *COUNTED; n++) {
        scarlet__genotype genotype;
        scarlet__network network;
        const char *text = scarlet__genotype_released(COUNTED[n].name);
        CHECK(text && scarlet__genotype_parse(text, &genotype, NULL) == SCARLET_OK);
        CHECK(scarlet__network_build(&scarlet__space_default, &genotype, 1000, &network, NULL) ==
              SCARLET_OK);
        CHECK_TEXT(network.name, COUNTED[n].name);
        CHECK_TEXT(network.genotype, text);
        CHECK(network.total_stride == 32 && network.classes == 1000 && network.count == 23);
        int64_t macs = 0, parameters = 0;
        for (int i = 0; i < network.count; i++) {
            macs += scarlet__layer_macs(&network.layer[i],
                                        scarlet__network_side(&network, 224, (size_t)i));
            parameters += scarlet__layer_parameters(&network.layer[i]);
        }
        CHECK((macs + 50000) / 100000 == COUNTED[n].macs);
        CHECK(parameters == COUNTED[n].parameters);
    }
    CHECK(!scarlet__genotype_released("SCARLET-D"));
}

static void refused(void)
{
    scarlet__space space = {.stem = 16, .tail = 48, .count = 2, .layer = {{12, 2}, {12, 1}}};
    scarlet__genotype genotype;
    scarlet__network network;
    CHECK(scarlet__genotype_parse("e3k3se,id", &genotype, NULL) == SCARLET_OK);
    CHECK(scarlet__network_build(&space, &genotype, 5, &network, NULL) == SCARLET_OK);
    CHECK_TEXT(network.name, "custom");
    const scarlet__layer *l = &network.layer[2];
    CHECK(l->kind == SCARLET_LAYER_BLOCK && l->in == 8 && l->hidden == 24 && l->squeeze == 6 &&
          l->stride == 2 && !l->residual);
    CHECK(network.layer[3].kind == SCARLET_LAYER_IDENTITY && network.total_stride == 4);

    CHECK(scarlet__network_build(&space, &genotype, 0, &network, NULL) == SCARLET_ERROR_ARGUMENT);
    CHECK(scarlet__network_build(&space, &genotype, SCARLET__CLASSES_MAX + 1, &network, NULL) ==
          SCARLET_ERROR_ARGUMENT);
    space.count = 1;
    CHECK(scarlet__network_build(&space, &genotype, 5, &network, NULL) == SCARLET_ERROR_ARGUMENT);
    space.count = 2;
    space.stem = 2; /* one channel: three hidden ones, of which a quarter is none */
    CHECK(scarlet__network_build(&space, &genotype, 5, &network, NULL) == SCARLET_ERROR_ARGUMENT);
    space.stem = 16;
    CHECK(scarlet__network_build(&space, &genotype, 5, &network, NULL) == SCARLET_OK);
    genotype.layer[1] = (scarlet__choice){.expansion = 6, .kernel = 4};
    CHECK(scarlet__network_build(&space, &genotype, 5, &network, NULL) == SCARLET_ERROR_ARGUMENT);
}

/* Strides multiply; costs of the largest network at the largest input, in double beside. */
static void bounds(void)
{
    scarlet__space space = {.stem = 4096, .tail = 16384};
    scarlet__genotype genotype = {0};
    scarlet__network network;
    scarlet_error err;
    for (int strided = 0; strided <= SCARLET__SPACE_LAYERS_MAX; strided++) {
        space.count = genotype.count = SCARLET__SPACE_LAYERS_MAX;
        for (int i = 0; i < space.count; i++) {
            space.layer[i].channels = 4096;
            space.layer[i].stride = i < strided ? 2 : 1;
            genotype.layer[i] = (scarlet__choice){6, 7, true};
        }
        scarlet_status status =
            scarlet__network_build(&space, &genotype, SCARLET__CLASSES_MAX, &network, &err);
        CHECK(status == (strided <= 11 ? SCARLET_OK : SCARLET_ERROR_LIMIT));
        if (status != SCARLET_OK) {
            CHECK_TEXT(err.message, "its total stride is more than 4096 pixels, the largest input");
            continue;
        }
        CHECK(network.total_stride == 2 << strided);
        int64_t macs = 0, parameters = 0;
        double expected = 0;
        for (int i = 0; i < network.count; i++) {
            const scarlet__layer *l = &network.layer[i];
            int side = scarlet__network_side(&network, SCARLET__SIDE_MAX, (size_t)i);
            double in = (double)side * side, out_side = scarlet__layer_side(l, side);
            double hidden = l->hidden;
            macs += scarlet__layer_macs(l, side);
            parameters += scarlet__layer_parameters(l);
            CHECK(macs > 0 && parameters > 0);
            if (l->kind == SCARLET_LAYER_BLOCK)
                expected += in * l->in * hidden + 2 * hidden * l->squeeze +
                            out_side * out_side * hidden * (49 + l->out);
            else if (l->kind == SCARLET_LAYER_STEM)
                expected += out_side * out_side * 27 * l->out;
            else if (l->kind == SCARLET_LAYER_SEPARABLE)
                expected += out_side * out_side * l->in * (9.0 + l->out);
            else
                expected += (l->kind == SCARLET_LAYER_TAIL ? in : 1) * l->in * l->out;
        }
        CHECK(fabs((double)macs / expected - 1) < 1e-12 && macs < (int64_t)1 << 60);
    }
}

/* Parameters and multiply-adds (10^5) of a picture of 224, 240 and 260 pixels as timm 1.0 lists
 * them (tf_efficientnet_lite), and of torchvision's module. */
static void architectures(void)
{
    static const struct {
        const char *name;
        int64_t parameters;
    } COUNTED[] = {{"EfficientNet-Lite0", 4652008}, {"EfficientNet-Lite1", 5416680},
                   {"EfficientNet-Lite2", 6092072}, {"MobileNetV2", 3504872},
                   {"MobileNetV2 x0.5", 1968680},   {"MobileNetV2 x1.4", 6108776}};
    const scarlet__architecture *a;
    for (size_t i = 0; (a = scarlet__architecture_at(i)); i++) {
        scarlet__space space;
        scarlet__style style;
        scarlet__genotype genotype;
        scarlet__network network;
        CHECK(i < sizeof COUNTED / sizeof *COUNTED);
        CHECK(scarlet__space_parse(a->space, &space, NULL) == SCARLET_OK);
        CHECK(scarlet__style_parse(a->style, &style, NULL) == SCARLET_OK);
        CHECK(scarlet__genotype_parse(a->genotype, &genotype, NULL) == SCARLET_OK);
        CHECK(scarlet__network_build(&space, &genotype, 1000, &network, NULL) == SCARLET_OK);
        CHECK_TEXT(network.name, "custom");
        scarlet__network_set_style(&network, &style);
        CHECK_TEXT(network.name, COUNTED[i].name);
        int64_t parameters = 0;
        for (int l = 0; l < network.count; l++)
            parameters += scarlet__layer_parameters(&network.layer[l]);
        CHECK(parameters == COUNTED[i].parameters);
        style.epsilon *= 1.0000001;
        scarlet__network_set_style(&network, &style);
        CHECK_TEXT(network.name, "custom");
    }
}

/* TensorFlow's padding, from its definition. */
static void padding(void)
{
    for (int kernel = 3; kernel <= 7; kernel += 2)
        for (int stride = 1; stride <= 2; stride++)
            for (int side = 1; side < 20; side++) {
                scarlet__layer layer = {
                    .kind = SCARLET_LAYER_BLOCK, .kernel = kernel, .stride = stride};
                int total = (scarlet__layer_side(&layer, side) - 1) * stride + kernel - side;
                CHECK(scarlet__layer_padding(&layer, side) == kernel / 2);
                layer.style.same = true;
                CHECK(scarlet__layer_padding(&layer, side) == total / 2);
            }
}

int main(void)
{
    architectures();
    padding();
    bounds();
    texts();
    released();
    refused();
    return test_result();
}
