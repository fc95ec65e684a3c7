/* count too low: two players get the one reference there is, and each releases it. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct sound {
    int seconds;
};
struct player {
    struct sound *sound;
};

void player_set(struct player *player, struct sound *sound) GCA_CHANGES(player) GCA_KEEPS(sound, 2);
void start(struct player *left, struct player *right);

void player_set(struct player *player, struct sound *sound)
{
    gca_release(player->sound);
    player->sound = sound;
}

void start(struct player *left, struct player *right)
{
    struct sound *sound = gca_rc_new(struct sound);
    if (sound == NULL)
        return;
#ifdef BUG
    player_set(left, sound);
    player_set(right, sound);
#else
    player_set(left, gca_retain(sound));
    player_set(right, sound);
#endif
}

int main(void)
{
    struct player left = {NULL}, right = {NULL};
    start(&left, &right);
    gca_release(left.sound);
    gca_release(right.sound);
    return 0;
}
