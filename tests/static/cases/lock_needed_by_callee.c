/* lock: a helper that expects the lock is called without it. */
#include <gcalloc.h>
#include <pthread.h>
#include <stdio.h>

struct bank {
    pthread_mutex_t lock;
    long cents GCA_GUARDED_BY(lock);
};

void bank_move_locked(struct bank *bank, long cents) GCA_NEEDS(&bank->lock);
void bank_deposit(struct bank *bank, long cents);

void bank_move_locked(struct bank *bank, long cents)
{
    bank->cents += cents;
}

void bank_deposit(struct bank *bank, long cents)
{
#ifndef BUG
    gca_guard_mutex(guard, &bank->lock);
#endif
    bank_move_locked(bank, cents);
}

int main(void)
{
    struct bank bank = {.lock = PTHREAD_MUTEX_INITIALIZER};
    bank_deposit(&bank, 5);
    return 0;
}
