#include "nas/train/schedule.h"

#include "nas/real.h"

double scarlet__schedule_rate(const scarlet__schedule *s, int64_t step)
{
    if (step < s->warm_up)
        return s->peak * (double)(step + 1) / (double)s->warm_up;
    switch (s->course) {
    case SCARLET__COSINE: {
        if (step >= s->steps)
            return s->steps ? s->least : s->peak;
        double done = (double)(step - s->warm_up) / (double)(s->steps - s->warm_up);
        return s->least + (s->peak - s->least) * (1 + scarlet__real_cos_pi(done)) / 2;
    }
    case SCARLET__STEP: {
        double rate = s->peak;
        for (double next = s->period; next <= (double)step; next += s->period)
            rate *= s->fall;
        return rate;
    }
    default:
        return s->peak;
    }
}
