/* How names of folders become classes. */
#ifndef SCARLET_SRC_PICTURES_CLASS_RULES_H
#define SCARLET_SRC_PICTURES_CLASS_RULES_H

#include "classes.h"

typedef enum class_order {
    ORDER_AUTO,    /* by name; in sorted order for a model without names, if the number fits */
    ORDER_FOLDERS, /* in sorted order, as torchvision's ImageFolder does */
    ORDER_NUMBERS, /* a folder's name is its class number */
} class_order;

typedef struct class_rules {
    class_table classes;
    class_order order;
    const char *map_path; /* of --class-map; NULL: none */
    struct class_mapping {
        char *folder;
        int64_t class_id;
    } * map; /* sorted */
    size_t map_count;
    bool warned; /* of a number before a name that contradicts it */
} class_rules;

/* Reads --class-map: lines "FOLDER<tab>CLASS" or "FOLDER CLASS", or a JSON object of class numbers
 * by folder, as torchvision's class_to_idx. Ends the program with a message. */
void class_map_read(class_rules *rules, const char *path);
void class_rules_close(class_rules *rules);
/* Class of one folder by itself; NO_CLASS, SEVERAL_CLASSES. Not for folders in sorted order. Of a
 * number before its name that is another class, it is said once. */
int64_t class_of_folder(class_rules *rules, const char *name);
/* Are classes given by the sorted order of all folders? */
bool class_order_is_sorted(const class_rules *rules);
/* Fixes the classes of folders in sorted order, as class_folders_map gives them, in the map. */
void class_map_set(class_rules *rules, const char *root, char *const *names, size_t count);
/* Gives each of `count` folder names, sorted, its class. Ends the program with a message if they do
 * not fit the model; root: for messages. */
void class_folders_map(class_rules *rules, const char *root, char *const *names, size_t count,
                       int64_t *class_ids);

#endif
