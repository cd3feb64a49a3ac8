/* Folders of class folders. */
#ifndef SCARLET_SRC_PICTURES_FOLDERS_H
#define SCARLET_SRC_PICTURES_FOLDERS_H

#include "class_rules.h"
#include "inputs.h"

/* Adds the pictures of torchvision's ImageFolder(root), in its order, labelled as `rules` say;
 * NULL: in sorted order, whatever their number. A class folder without pictures becomes an input
 * with an error. Returns the number of class folders. Ends the program with a message if they do
 * not fit the model. */
size_t cli_inputs_add_classes(cli_inputs *inputs, const char *root, class_rules *rules);
/* Has the folder sub-folders? */
bool has_folders(const char *path);
/* The folder with the validation pictures: `root`, or its valid/, val/, validation/ or test/; free
 * it. */
char *validation_folder(const char *root);

#endif
