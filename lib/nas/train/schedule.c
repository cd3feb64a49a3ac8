#include "nas/train/schedule.h"

#include "nas/real.h"

static int64_t warm_up(const scarlet__schedule *s)
{
    int64_t most = (int64_t)(s->warm_share * (double)s->steps);
    return s->steps && s->warm_share > 0 && most < s->warm_up ? most : s->warm_up;
}

double scarlet__schedule_rate(const scarlet__schedule *s, int64_t step)
{
    int64_t warm = warm_up(s);
    if (step < warm)
        return s->peak * (double)(step + 1) / (double)warm;
    switch (s->course) {
    case SCARLET__COSINE: {
        if (step >= s->steps)
            return s->steps ? s->least : s->peak;
        double done = (double)(step - warm) / (double)(s->steps - warm);
        return s->least + (s->peak - s->least) * (1 + scarlet__real_cos_pi(done)) / 2;
    }
    case SCARLET__STEP: {
        double rate = s->peak;
        double next = s->period;
        while (next <= (double)step) {
            rate *= s->fall;
            next += s->period;
        }
        return rate;
    }
    default:
        return s->peak;
    }
}
