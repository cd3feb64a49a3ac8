/* Folders of class folders. */
#ifndef SCARLET_SRC_PICTURES_FOLDERS_H
#define SCARLET_SRC_PICTURES_FOLDERS_H

#include "inputs.h"

/* Adds the pictures of torchvision's ImageFolder(root), in its order, labelled by its classes.
 * Returns the number of classes. A folder that ImageFolder refuses ends the program with a
 * message. */
size_t cli_inputs_add_classes(cli_inputs *inputs, const char *root);
/* Has the folder sub-folders? */
bool has_folders(const char *path);

#endif
