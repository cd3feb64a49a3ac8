/* Ctrl-C: finish what is at hand, then stop. */
#ifndef SCARLET_SRC_COMMON_INTERRUPT_H
#define SCARLET_SRC_COMMON_INTERRUPT_H

#include <stdbool.h>

/* From now on Ctrl-C only sets a flag; a second one ends the program at once. A program started
 * with SIGINT ignored, as by nohup or in the background of a script, goes on ignoring it. */
void interrupt_catch(void);
/* The same for SIGTERM. */
void interrupt_catch_termination(void);
bool interrupted(void);
/* Once interrupted: ends the program as the signal would have. */
void interrupt_finish(void);

#endif
