/* Lists of pictures. */
#ifndef SCARLET_SRC_PICTURES_LISTS_H
#define SCARLET_SRC_PICTURES_LISTS_H

#include "classes.h"
#include "inputs.h"

/* Adds the files that a list names, relative to its own folder; to the working folder if the list
 * is a pipe or standard input. known: "name class" and tables with a class are allowed; NULL:
 * they are not. */
void cli_inputs_add_list(cli_inputs *inputs, const char *path, const class_table *known);
/* Where relative names in a list start: at its folder, if it has one of its own; free it. */
char *list_base(const char *path);
/* Are the lines of a file names of so many classes, not pictures or numbers of classes? */
bool labels_are_names(const char *path, size_t count);
/* Splits "name class": cuts the text after the name and returns the class, a number or one of
 * `known`, which may be NULL. NO_CLASS: there is none. */
int64_t cut_class(char *text, const class_table *known);
/* Class in a field of a table: a word, or the first of several as in ImageNet's PredictionString.
 */
int64_t class_of_field(const class_table *known, const char *field);

#endif
