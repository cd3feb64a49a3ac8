#include "nas/train/crew.h"

#include <pthread.h>
#include <stdbool.h>

enum { MOST = 256 };

typedef struct {
    void (*fn)(void *user, unsigned member);
    void *user;
    unsigned member;
    pthread_t thread;
} member;

static void *work(void *of)
{
    const member *m = of;
    m->fn(m->user, m->member);
    return NULL;
}

void scarlet__crew_run(unsigned threads, void (*fn)(void *user, unsigned member), void *user)
{
    member crew[MOST];
    unsigned started = 1;
    for (; started < threads && started < MOST; started++) {
        crew[started] = (member){.fn = fn, .user = user, .member = started};
        if (pthread_create(&crew[started].thread, NULL, work, &crew[started]) != 0)
            break;
    }
    fn(user, 0);
    for (unsigned i = 1; i < started; i++)
        pthread_join(crew[i].thread, NULL);
}
