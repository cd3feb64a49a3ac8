/* A supernet's folder: what scarlet supernet writes, and other subcommands open. */
#ifndef SCARLET_SRC_NAS_SUPER_FOLDER_H
#define SCARLET_SRC_NAS_SUPER_FOLDER_H

#include "common/command.h"
#include "train_data.h"

/* The data of a supernet, as its folder keeps them in data.txt. */
typedef struct super_source {
    char *data, *names; /* a path that does not depend on the working folder; a file or NULL */
    double fraction;    /* of the training pictures that was split off for validation */
    int64_t seed;       /* by which they were chosen */
} super_source;

typedef struct super_folder {
    const char *path;
    super_source source;
    train_data data;
    scarlet_supernet *net;
} super_folder;

/* Options of the commands that use a supernet. Start with {0}. */
typedef struct super_options {
    const char *output, *data; /* NULL: not given */
    uint32_t threads;
    bool quiet;
} super_options;

enum { SUPER_DATA = 256 }; /* key of --data; the others have short options */
/* Takes one of them; other keys are left alone. */
void super_option(super_options *o, const cli_command *command, int key);

/* Path of a file in the folder; free it. */
char *super_file(const char *folder, const char *name);
void super_source_write(const super_source *source, const char *folder);
/* Opens folder, data and supernet. Ends the program with a message. */
void super_open(super_folder *s, const cli_command *command, const char *path,
                const super_options *o);
/* Shares steps with the other processes; checks that all can give the same bits. NULL: alone. */
void super_join(super_folder *s, const cli_command *command, const scarlet_group *job);
void super_close(super_folder *s);
/* A failure of the library: ends the program, with a usage error for wrong arguments. */
void super_must(const cli_command *command, scarlet_status status, const scarlet_error *err);

#endif
