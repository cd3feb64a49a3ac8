/* Classes of pictures in archives, by the folders that they are in there. */
#ifndef SCARLET_SRC_PICTURES_MEMBER_CLASSES_H
#define SCARLET_SRC_PICTURES_MEMBER_CLASSES_H

#include "class_rules.h"
#include "inputs.h"

/* Class of the outermost folder, or archive, of a member's path that is one; NO_CLASS: none is. */
int64_t class_of_member(class_rules *rules, const char *member);
/* For folders in sorted order: finds all folders of the archives among the inputs, which is one
 * pass over them, and puts their classes into rules->map. */
void member_classes_prepare(class_rules *rules, const cli_inputs *inputs);

#endif
