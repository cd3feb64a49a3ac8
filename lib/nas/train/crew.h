/* The same function on several threads at once. */
#ifndef SCARLET_NAS_TRAIN_CREW_H
#define SCARLET_NAS_TRAIN_CREW_H

/*
 * Calls fn(user, 0) .. fn(user, threads - 1), each on a thread of its own, the first on this one;
 * returns when all have. Threads that the system does not give are done without: then fewer calls
 * are made, so work must be handed out as it is asked for.
 */
void scarlet__crew_run(unsigned threads, void (*fn)(void *user, unsigned member), void *user);

#endif
