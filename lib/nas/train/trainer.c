#include "nas/train/trainer.h"
