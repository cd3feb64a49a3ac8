/*
 * Trains all networks of a space, and supernets that are to rank them:
 *
 *   nas-bench truth DATA FOLDER [OPTION]...       each network alone
 *   nas-bench supernets DATA FOLDER [OPTION]...   the matrix of supernets, with a score of each
 * network
 *
 *   --space NAME     243 (default) or 28px
 *   --seeds A-B      default: 1-3 for truth, 1-6 for supernets
 *   --shard I/N      the part I of N, from 0
 *   --pictures N, --epochs N    instead of the protocol's, of all parts: for trying out
 *   --most N         stop after so many
 *   --network I      of truth: only this one
 *
 * One thread each. Can be killed at any time; the same command goes on.
 */
#include "bench.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void must(scarlet_status status, const scarlet_error *err)
{
    errno = 0;
    if (status != SCARLET_OK)
        fail("%s", err->message);
}

_Noreturn void fail(const char *format, ...)
{
    int number = errno;
    va_list list;
    va_start(list, format);
    fputs("nas-bench: ", stderr);
    vfprintf(stderr, format, list);
    fprintf(stderr, "%s%s\n", number ? ": " : "", number ? strerror(number) : "");
    va_end(list);
    exit(1);
}

void *must_alloc(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory)
        fail("no memory");
    return memory;
}

double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"space", 1, NULL, 's'},   {"seeds", 1, NULL, 'e'},
        {"shard", 1, NULL, 'h'},   {"pictures", 1, NULL, 'p'},
        {"epochs", 1, NULL, 'n'},  {"most", 1, NULL, 'm'},
        {"network", 1, NULL, 'o'}, {0},
    };
    task t = {.space = "243", .shards = 1, .first_seed = 1, .only = -1};
    char end;
    bool fine = true;
    for (int key; (key = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (key == 's')
            t.space = optarg;
        else if (key == 'e')
            fine &= sscanf(optarg, "%d-%d%c", &t.first_seed, &t.last_seed, &end) == 2;
        else if (key == 'h')
            fine &= sscanf(optarg, "%d/%d%c", &t.shard, &t.shards, &end) == 2;
        else if (strchr("pnmo", key))
            fine &= sscanf(optarg, "%d%c",
                           key == 'p'   ? &t.pictures
                           : key == 'n' ? &t.epochs
                           : key == 'm' ? &t.most
                                        : &t.only,
                           &end) == 1;
        else
            fine = false;
    }
    fine &= optind + 3 == argc && t.shard >= 0 && t.shard < t.shards && t.pictures >= 0 &&
            t.epochs >= 0 && t.most >= 0;
    void (*command)(const task *) = NULL;
    if (fine && strcmp(argv[optind], "truth") == 0)
        command = truth;
    else if (fine && strcmp(argv[optind], "supernets") == 0)
        command = supernets;
    if (!command) {
        fputs(
            "usage: nas-bench truth|supernets DATA FOLDER [--space NAME] [--seeds A-B] "
            "[--shard I/N] [--pictures N] [--epochs N] [--most N] [--network I]\n",
            stderr);
        return 2;
    }
    t.data = argv[optind + 1];
    t.folder = argv[optind + 2];
    if (!t.last_seed)
        t.last_seed = command == truth ? 3 : 6;
    command(&t);
    return 0;
}
