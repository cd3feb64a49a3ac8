/* Where the files installed with the command are. */
#ifndef SCARLET_SRC_COMMON_INSTALLATION_H
#define SCARLET_SRC_COMMON_INSTALLATION_H

/* Path of a data file of the installation, or where it should be; free it. */
char *data_file(const char *name);
/* Path of the program libexec/scarlet/scarlet-NAME; free it. */
char *external_command(const char *name);

#endif
