/* use after release: the last reference is gone before the last look. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct sound {
    int seconds;
};

int main(void)
{
    struct sound *sound = gca_rc_new(struct sound);
    if (sound == NULL)
        return 1;
    sound->seconds = 3;
#ifdef BUG
    gca_release(sound);
    printf("played %d s\n", sound->seconds);
#else
    printf("played %d s\n", sound->seconds);
    gca_release(sound);
#endif
    return 0;
}
