/*
 * Calls that wait, of every kind, while all threads are stopped all the time (options gc, stop_every_us): none fails with
 * EINTR, none returns early or with less than there was, none takes much longer. And signals of the program's own end
 * them as ever.
 */
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 40, SLACK_MS = 5000, LARGE_BYTES = 1 << 20, ROUNDS = 3 };

static const char *case_name;
static int failures;

static void expect_at(bool holds, const char *what, int line)
{
    if (holds)
        return;
    failures++;
    fprintf(stderr, "%s: line %d: %s: %s\n", case_name, line, what, strerror(errno));
}

#define EXPECT(holds) expect_at(holds, #holds, __LINE__)

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static const struct timespec wait_time = {0, WAIT_MS * 1000000};
static double begin_ms;

static void begin(void)
{
    begin_ms = now_ms();
}

/* As long as asked, and not much longer. Some clocks are coarse. */
static void lasted(int line)
{
    double ms = now_ms() - begin_ms;
    errno = 0;
    expect_at(ms > WAIT_MS - 5, "it came back early", line);
    expect_at(ms < WAIT_MS + SLACK_MS, "it took too long", line);
}

#define LASTED() lasted(__LINE__)

static struct timespec until(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    time.tv_nsec += wait_time.tv_nsec;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

/* Runs something in another thread after a while. */
typedef void later_work(int value);

struct later {
    pthread_t thread;
    later_work *work;
    int value;
};

static void *run_later(void *argument)
{
    struct later *later = argument;
    nanosleep(&wait_time, NULL);
    later->work(later->value);
    return NULL;
}

static struct later start_later(later_work *work, int value);
static struct later later_slot;

static struct later start_later(later_work *work, int value)
{
    later_slot = (struct later){.work = work, .value = value};
    pthread_create(&later_slot.thread, NULL, run_later, &later_slot);
    return later_slot;
}

static void end_later(struct later later)
{
    pthread_join(later.thread, NULL);
}

/* Sleeps. */

static void case_nanosleep(void)
{
    begin();
    EXPECT(nanosleep(&wait_time, NULL) == 0);
    LASTED();
}

static void case_clock_nanosleep(void)
{
    begin();
    EXPECT(clock_nanosleep(CLOCK_MONOTONIC, 0, &wait_time, NULL) == 0);
    LASTED();
    struct timespec end = until(CLOCK_REALTIME);
    begin();
    EXPECT(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &end, NULL) == 0);
    LASTED();
}

static void case_usleep(void)
{
    begin();
    EXPECT(usleep(WAIT_MS * 1000) == 0);
    LASTED();
}

static void case_thrd_sleep(void)
{
    begin();
    EXPECT(thrd_sleep(&wait_time, NULL) == 0);
    LASTED();
}

static void case_sleep(void)
{
    begin();
    EXPECT(sleep(1) == 0);
    EXPECT(now_ms() - begin_ms > 990);
}

/* Waits for descriptors, to the end of the time. */

static void case_poll(void)
{
    begin();
    EXPECT(poll(NULL, 0, WAIT_MS) == 0);
    LASTED();
}

static void case_ppoll(void)
{
    begin();
    EXPECT(ppoll(NULL, 0, &wait_time, NULL) == 0);
    LASTED();
}

static void case_select(void)
{
    struct timeval time = {0, WAIT_MS * 1000};
    begin();
    EXPECT(select(0, NULL, NULL, NULL, &time) == 0);
    LASTED();
}

static void case_pselect(void)
{
    sigset_t none;
    sigemptyset(&none);
    begin();
    EXPECT(pselect(0, NULL, NULL, NULL, &wait_time, &none) == 0);
    LASTED();
}

static void case_epoll_wait(void)
{
    struct epoll_event event;
    int set = epoll_create1(0);
    begin();
    EXPECT(epoll_wait(set, &event, 1, WAIT_MS) == 0);
    LASTED();
    begin();
    EXPECT(epoll_pwait(set, &event, 1, WAIT_MS, NULL) == 0);
    LASTED();
    close(set);
}

static void case_epoll_pwait2(void)
{
    struct epoll_event event;
    int set = epoll_create1(0);
    begin();
    EXPECT(syscall(SYS_epoll_pwait2, set, &event, 1, &wait_time, NULL, 0) == 0);
    LASTED();
    close(set);
}

/* Semaphores, queues, locks. */

static void case_sem_timedwait(void)
{
    sem_t semaphore;
    sem_init(&semaphore, 0, 0);
    struct timespec end = until(CLOCK_REALTIME);
    begin();
    EXPECT(sem_timedwait(&semaphore, &end) == -1 && errno == ETIMEDOUT);
    LASTED();
}

static void case_cond_timedwait(void)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
    struct timespec end = until(CLOCK_REALTIME);
    pthread_mutex_lock(&mutex);
    begin();
    EXPECT(pthread_cond_timedwait(&cond, &mutex, &end) == ETIMEDOUT);
    LASTED();
    pthread_mutex_unlock(&mutex);
}

static void case_semtimedop(void)
{
    int set = semget(IPC_PRIVATE, 1, 0600);
    struct sembuf take = {0, -1, 0};
    begin();
    EXPECT(semtimedop(set, &take, 1, &wait_time) == -1 && errno == EAGAIN);
    LASTED();
    semctl(set, 0, IPC_RMID);
}

static void give_semaphore(int set)
{
    struct sembuf give = {0, 1, 0};
    semop(set, &give, 1);
}

static void case_semop(void)
{
    int set = semget(IPC_PRIVATE, 1, 0600);
    struct sembuf take = {0, -1, 0};
    begin();
    struct later later = start_later(give_semaphore, set);
    EXPECT(semop(set, &take, 1) == 0);
    LASTED();
    end_later(later);
    semctl(set, 0, IPC_RMID);
}

struct message {
    long type;
    char bytes[1000];
};

static void send_message(int queue)
{
    struct message message = {.type = 1};
    msgsnd(queue, &message, sizeof message.bytes, 0);
}

static void case_msgrcv(void)
{
    struct message message;
    int queue = msgget(IPC_PRIVATE, 0600);
    begin();
    struct later later = start_later(send_message, queue);
    EXPECT(msgrcv(queue, &message, sizeof message.bytes, 0, 0) == sizeof message.bytes);
    LASTED();
    end_later(later);
    msgctl(queue, IPC_RMID, NULL);
}

static void receive_message(int queue)
{
    struct message message;
    msgrcv(queue, &message, sizeof message.bytes, 0, 0);
}

static void case_msgsnd(void)
{
    struct message message = {.type = 1};
    int queue = msgget(IPC_PRIVATE, 0600);
    while (msgsnd(queue, &message, sizeof message.bytes, IPC_NOWAIT) == 0)
        ;
    begin();
    struct later later = start_later(receive_message, queue);
    EXPECT(msgsnd(queue, &message, sizeof message.bytes, 0) == 0);
    LASTED();
    end_later(later);
    msgctl(queue, IPC_RMID, NULL);
}

static void case_mq_timedreceive(void)
{
    char bytes[64];
    struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = sizeof bytes};
    char name[64];
    snprintf(name, sizeof name, "/gcalloc-test-%d", getpid());
    mqd_t queue = mq_open(name, O_RDWR | O_CREAT, 0600, &attributes);
    if (queue == (mqd_t)-1)
        return;
    mq_unlink(name);
    struct timespec end = until(CLOCK_REALTIME);
    begin();
    EXPECT(mq_timedreceive(queue, bytes, sizeof bytes, NULL, &end) == -1 && errno == ETIMEDOUT);
    LASTED();
    mq_close(queue);
}

/* Signals. */

static void case_sigtimedwait(void)
{
    sigset_t set;
    siginfo_t info;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    begin();
    EXPECT(sigtimedwait(&set, &info, &wait_time) == -1 && errno == EAGAIN);
    LASTED();
}

static void send_signal(int signal)
{
    kill(getpid(), signal);
}

static void case_sigwait(void)
{
    sigset_t set;
    int signal = 0;
    sigfillset(&set);
    sigset_t before;
    pthread_sigmask(SIG_BLOCK, &set, &before);
    struct later later = start_later(send_signal, SIGUSR2);
    begin();
    EXPECT(sigwait(&set, &signal) == 0 && signal == SIGUSR2);
    end_later(later);
    later = start_later(send_signal, SIGUSR2);
    EXPECT(sigwaitinfo(&set, NULL) == SIGUSR2);
    end_later(later);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static volatile sig_atomic_t handled;

static void count_signal(int signal)
{
    (void)signal;
    char *block =
        malloc(100); /* the program's own risk; here the interrupted call allocates nothing */
    handled++;
    free(block);
}

static void handle_alarm(int flags)
{
    struct sigaction action = {.sa_handler = count_signal, .sa_flags = flags};
    sigaction(SIGALRM, &action, NULL);
    handled = 0;
}

static void set_alarm(int after_ms, int every_ms)
{
    struct itimerval time = {{0, every_ms * 1000}, {0, after_ms * 1000}};
    setitimer(ITIMER_REAL, &time, NULL);
}

static void case_pause(void)
{
    handle_alarm(0);
    set_alarm(WAIT_MS, WAIT_MS);
    for (int i = 0; i < 5; i++) {
        int before = handled;
        EXPECT(pause() == -1 && errno == EINTR);
        EXPECT(handled > before);
    }
    set_alarm(0, 0);
}

static void case_sigsuspend(void)
{
    sigset_t alarm;
    sigset_t before;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    handle_alarm(SA_RESTART);
    sigprocmask(SIG_BLOCK, &alarm, &before);
    for (int i = 1; i <= 20; i++) {
        set_alarm(3, 0);
        EXPECT(sigsuspend(&before) == -1 && errno == EINTR);
        EXPECT(handled == i);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
}

/* A handler that does not ask for a restart ends these, each time. */
static void case_ended_by_a_signal(void)
{
    int pipes[2];
    char byte;
    EXPECT(pipe(pipes) == 0);
    handle_alarm(0);
    set_alarm(10, 10);
    for (int i = 0; i < 10; i++) {
        int before = handled;
        EXPECT(read(pipes[0], &byte, 1) == -1 && errno == EINTR);
        EXPECT(handled > before);
        before = handled;
        EXPECT(poll(NULL, 0, 10000) == -1 && errno == EINTR);
        EXPECT(handled > before);
        before = handled;
        EXPECT(nanosleep(&(struct timespec){10, 0}, NULL) == -1 && errno == EINTR);
        EXPECT(handled > before);
        before = handled;
        EXPECT(waitpid(-1, NULL, 0) == -1);
    }
    set_alarm(0, 0);
    close(pipes[0]);
    close(pipes[1]);
}

static void write_byte(int file)
{
    EXPECT(write(file, "12345678", 8) == 8);
}

static void case_restarted_after_a_signal(void)
{
    int pipes[2];
    char bytes[8];
    EXPECT(pipe(pipes) == 0);
    handle_alarm(SA_RESTART);
    set_alarm(2, 2);
    struct later later = start_later(write_byte, pipes[1]);
    EXPECT(read(pipes[0], bytes, sizeof bytes) == sizeof bytes);
    set_alarm(0, 0);
    EXPECT(handled > 1);
    end_later(later);
    close(pipes[0]);
    close(pipes[1]);
}

/* Reads that wait. */

static void case_read(void)
{
    int pipes[2];
    char bytes[8];
    EXPECT(pipe(pipes) == 0);
    struct later later = start_later(write_byte, pipes[1]);
    begin();
    EXPECT(read(pipes[0], bytes, sizeof bytes) == sizeof bytes);
    end_later(later);
    int event = eventfd(0, 0);
    later = start_later(write_byte, event);
    uint64_t value;
    EXPECT(read(event, &value, sizeof value) == sizeof value);
    end_later(later);
    int timer = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec time = {.it_value = wait_time};
    timerfd_settime(timer, 0, &time, NULL);
    begin();
    EXPECT(read(timer, &value, sizeof value) == sizeof value);
    LASTED();
    close(timer);
    close(event);
    close(pipes[0]);
    close(pipes[1]);
}

static void case_stdio(void)
{
    int pipes[2];
    char bytes[8];
    EXPECT(pipe(pipes) == 0);
    FILE *stream = fdopen(pipes[0], "r");
    struct later later = start_later(write_byte, pipes[1]);
    EXPECT(fread(bytes, 1, sizeof bytes, stream) == sizeof bytes);
    end_later(later);
    fclose(stream);
    close(pipes[1]);
}

static void set_timeout(int socket, int option)
{
    struct timeval time = {0, WAIT_MS * 1000};
    setsockopt(socket, SOL_SOCKET, option, &time, sizeof time);
}

static void case_receive_timeout(void)
{
    int sockets[2];
    char byte;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    struct mmsghdr messages[1] = {{.msg_hdr = message}};
    EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
    set_timeout(sockets[0], SO_RCVTIMEO);
    begin();
    EXPECT(read(sockets[0], &byte, 1) == -1 && errno == EAGAIN);
    LASTED();
    begin();
    EXPECT(recv(sockets[0], &byte, 1, 0) == -1 && errno == EAGAIN);
    LASTED();
    begin();
    EXPECT(recvfrom(sockets[0], &byte, 1, 0, NULL, NULL) == -1 && errno == EAGAIN);
    LASTED();
    begin();
    EXPECT(recvmsg(sockets[0], &message, 0) == -1 && errno == EAGAIN);
    LASTED();
    begin();
    EXPECT(recvmmsg(sockets[0], messages, 1, 0, NULL) == -1 && errno == EAGAIN);
    LASTED();
    begin();
    EXPECT(readv(sockets[0], &part, 1) == -1 && errno == EAGAIN);
    LASTED();
    close(sockets[0]);
    close(sockets[1]);
}

static int listen_somewhere(struct sockaddr_un *address)
{
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(address->sun_path + 1, sizeof address->sun_path - 1, "gcalloc-test-%d", getpid());
    EXPECT(bind(listener, (struct sockaddr *)address, sizeof *address) == 0);
    EXPECT(listen(listener, 0) == 0);
    return listener;
}

static void case_accept(void)
{
    struct sockaddr_un address;
    int listener = listen_somewhere(&address);
    set_timeout(listener, SO_RCVTIMEO);
    begin();
    EXPECT(accept(listener, NULL, NULL) == -1 && errno == EAGAIN);
    LASTED();
    begin();
    EXPECT(accept4(listener, NULL, NULL, 0) == -1 && errno == EAGAIN);
    LASTED();
    close(listener);
}

/* The queue holds one; the next waits to its end. */
static void case_connect(void)
{
    struct sockaddr_un address;
    int listener = listen_somewhere(&address);
    int first = socket(AF_UNIX, SOCK_STREAM, 0);
    int second = socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT(connect(first, (struct sockaddr *)&address, sizeof address) == 0);
    set_timeout(second, SO_SNDTIMEO);
    begin();
    EXPECT(connect(second, (struct sockaddr *)&address, sizeof address) == -1 && errno == EAGAIN);
    LASTED();
    close(first);
    close(second);
    close(listener);
}

/* Large transfers to a slow reader: complete. */

static char *large;

static void *read_slowly(void *argument)
{
    int file = *(int *)argument;
    static char bytes[8192];
    struct timespec moment = {0, 200000};
    size_t total = 0;
    ssize_t count;
    while (total < LARGE_BYTES && (count = read(file, bytes, sizeof bytes)) > 0) {
        total += (size_t)count;
        nanosleep(&moment, NULL);
    }
    return (void *)total;
}

typedef ssize_t transfer(int file);

static ssize_t by_write(int file)
{
    return write(file, large, LARGE_BYTES);
}

static ssize_t by_writev(int file)
{
    struct iovec parts[2] = {{large, LARGE_BYTES / 2}, {large + LARGE_BYTES / 2, LARGE_BYTES / 2}};
    return writev(file, parts, 2);
}

static ssize_t by_send(int file)
{
    return send(file, large, LARGE_BYTES, 0);
}

static ssize_t by_sendto(int file)
{
    return sendto(file, large, LARGE_BYTES, 0, NULL, 0);
}

static ssize_t by_sendmsg(int file)
{
    struct iovec part = {large, LARGE_BYTES};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    return sendmsg(file, &message, 0);
}

static ssize_t by_sendmmsg(int file)
{
    struct iovec part = {large, LARGE_BYTES};
    struct mmsghdr message = {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}};
    int count = sendmmsg(file, &message, 1, 0);
    return count == 1 ? (ssize_t)message.msg_len : count;
}

static int large_file;

static ssize_t by_sendfile(int file)
{
    off_t offset = 0;
    return sendfile(file, large_file, &offset, LARGE_BYTES);
}

static ssize_t by_fwrite(int file)
{
    FILE *stream = fdopen(dup(file), "w");
    size_t count = fwrite(large, 1, LARGE_BYTES, stream);
    return fclose(stream) == 0 ? (ssize_t)count : -1;
}

static void check_transfer(transfer *make, bool through_socket, int line)
{
    int files[2];
    pthread_t reader;
    void *total;
    EXPECT((through_socket ? socketpair(AF_UNIX, SOCK_STREAM, 0, files) : pipe(files)) == 0);
    if (through_socket) {
        struct timeval time = {60,
                               0}; /* with a timeout the kernel returns what it has sent so far */
        setsockopt(files[1], SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
    }
    pthread_create(&reader, NULL, read_slowly, &files[0]);
    expect_at(make(files[1]) == LARGE_BYTES, "all bytes are sent", line);
    close(files[1]);
    pthread_join(reader, &total);
    expect_at((size_t)total == LARGE_BYTES, "all bytes arrive", line);
    close(files[0]);
}

static void case_large_transfers(void)
{
    large = calloc(1, LARGE_BYTES);
    large_file = memfd_create("large", 0);
    EXPECT(write(large_file, large, LARGE_BYTES) == LARGE_BYTES);
    check_transfer(by_write, false, __LINE__);
    check_transfer(by_writev, false, __LINE__);
    check_transfer(by_fwrite, false, __LINE__);
    check_transfer(by_write, true, __LINE__);
    check_transfer(by_send, true, __LINE__);
    check_transfer(by_sendto, true, __LINE__);
    check_transfer(by_sendmsg, true, __LINE__);
    check_transfer(by_sendmmsg, true, __LINE__);
    check_transfer(by_sendfile, true, __LINE__);
    close(large_file);
    free(large);
}

static void trickle(int file)
{
    for (int i = 0; i < 20; i++) {
        EXPECT(write(file, "0123456789", 10) == 10);
        usleep(1000);
    }
}

static void case_receive_all(void)
{
    int sockets[2];
    char bytes[200];
    EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
    struct later later = start_later(trickle, sockets[1]);
    EXPECT(recv(sockets[0], bytes, sizeof bytes, MSG_WAITALL) == sizeof bytes);
    end_later(later);
    close(sockets[0]);
    close(sockets[1]);
}

static void case_getrandom(void)
{
    static char bytes[1 << 22];
    EXPECT(getrandom(bytes, sizeof bytes, 0) == sizeof bytes);
}

/* Calls by number, and others that need no help. */

static void case_futex_by_number(void)
{
    uint32_t word = 0;
    begin();
    EXPECT(syscall(SYS_futex, &word, FUTEX_WAIT, 0, &wait_time, NULL, 0) == -1 &&
           errno == ETIMEDOUT);
    LASTED();
}

#if defined(__x86_64__)
static long by_hand(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return result;
}

/*
 * Nobody wraps these: the context that the signal interrupted is mended. Not so a call that begins in the moment between
 * the look at what the thread does and the signal; nothing says then which call it was.
 */
static void case_by_hand(void)
{
    int interrupted = 0;
    for (int i = 0; i < 5; i++) {
        begin();
        long result = by_hand(SYS_poll, 0, 0, WAIT_MS);
        interrupted += result == -EINTR;
        EXPECT(result == 0 || result == -EINTR);
        if (result == 0)
            LASTED();
        begin();
        result = by_hand(SYS_nanosleep, (long)&wait_time, 0, 0);
        interrupted += result == -EINTR;
        EXPECT(result == 0 || result == -EINTR);
        if (result == 0)
            LASTED();
    }
    EXPECT(interrupted <= 5);
}
#else
static void case_by_hand(void)
{
}
#endif

static void case_wait_for_child(void)
{
    pid_t child = fork();
    if (child == 0) {
        nanosleep(&wait_time, NULL);
        _exit(7);
    }
    int status = 0;
    EXPECT(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7);
    child = fork();
    if (child == 0) {
        nanosleep(&wait_time, NULL);
        _exit(7);
    }
    siginfo_t info;
    EXPECT(waitid(P_PID, (id_t)child, &info, WEXITED) == 0 && info.si_status == 7);
    EXPECT(system("sleep 0.05") == 0);
}

static void unlock(int file)
{
    flock(file, LOCK_UN);
}

static void case_flock(void)
{
    char path[] = "/tmp/gcalloc-test-XXXXXX";
    int first = mkstemp(path);
    int second = open(path, O_RDWR);
    EXPECT(flock(first, LOCK_EX) == 0);
    struct later later = start_later(unlock, first);
    EXPECT(flock(second, LOCK_EX) == 0);
    end_later(later);
    unlink(path);
    close(first);
    close(second);
}

static char fifo[64];

static void open_fifo(int unused)
{
    (void)unused;
    close(open(fifo, O_WRONLY));
}

static void case_open_fifo(void)
{
    snprintf(fifo, sizeof fifo, "/tmp/gcalloc-fifo-%d", getpid());
    EXPECT(mkfifo(fifo, 0600) == 0);
    struct later later = start_later(open_fifo, 0);
    int file = open(fifo, O_RDONLY);
    EXPECT(file >= 0);
    close(file);
    end_later(later);
    unlink(fifo);
}

static void case_aio_suspend(void)
{
    int pipes[2];
    char bytes[8];
    EXPECT(pipe(pipes) == 0);
    struct aiocb request = {.aio_fildes = pipes[0], .aio_buf = bytes, .aio_nbytes = sizeof bytes};
    const struct aiocb *list[] = {&request};
    EXPECT(aio_read(&request) == 0);
    begin();
    EXPECT(aio_suspend(list, 1, &wait_time) == -1 && errno == EAGAIN);
    LASTED();
    write_byte(pipes[1]);
    EXPECT(aio_suspend(list, 1, NULL) == 0);
    EXPECT(aio_return(&request) == 8);
    close(pipes[0]);
    close(pipes[1]);
}

static void case_mutex_timedlock(void)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&mutex);
    struct timespec end = until(CLOCK_REALTIME);
    begin();
    EXPECT(pthread_mutex_timedlock(&mutex, &end) == ETIMEDOUT);
    LASTED();
}

/* A thread cancelled while it waits runs its clean-up; one whose handler jumps goes on. */
static volatile int cleaned;

static void clean(void *argument)
{
    free(argument);
    cleaned++;
}

static void *wait_to_be_cancelled(void *argument)
{
    pthread_cleanup_push(clean, malloc(64));
    for (;;)
        sleep(100);
    pthread_cleanup_pop(0);
    return argument;
}

static void case_cancelled(void)
{
    cleaned = 0;
    for (int i = 1; i <= 10; i++) {
        pthread_t thread;
        void *result = NULL;
        pthread_create(&thread, NULL, wait_to_be_cancelled, NULL);
        usleep(2000);
        pthread_cancel(thread);
        pthread_join(thread, &result);
        EXPECT(result == PTHREAD_CANCELED && cleaned == i);
    }
}

/* The same in a call that nobody wraps. */
static void *wait_on_semaphore(void *argument)
{
    pthread_cleanup_push(clean, malloc(64));
    sem_wait(argument);
    pthread_cleanup_pop(0);
    return argument;
}

static void case_cancelled_on_semaphore(void)
{
    sem_t semaphore;
    sem_init(&semaphore, 0, 0);
    cleaned = 0;
    for (int i = 1; i <= 10; i++) {
        pthread_t thread;
        void *result = NULL;
        pthread_create(&thread, NULL, wait_on_semaphore, &semaphore);
        usleep(5000);
        pthread_cancel(thread);
        pthread_join(thread, &result);
        EXPECT(result == PTHREAD_CANCELED && cleaned == i);
    }
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"nanosleep", case_nanosleep},
    {"clock_nanosleep", case_clock_nanosleep},
    {"usleep", case_usleep},
    {"thrd_sleep", case_thrd_sleep},
    {"poll", case_poll},
    {"ppoll", case_ppoll},
    {"select", case_select},
    {"pselect", case_pselect},
    {"epoll_wait", case_epoll_wait},
    {"epoll_pwait2", case_epoll_pwait2},
    {"sem_timedwait", case_sem_timedwait},
    {"pthread_cond_timedwait", case_cond_timedwait},
    {"pthread_mutex_timedlock", case_mutex_timedlock},
    {"semtimedop", case_semtimedop},
    {"semop", case_semop},
    {"msgrcv", case_msgrcv},
    {"msgsnd", case_msgsnd},
    {"mq_timedreceive", case_mq_timedreceive},
    {"sigtimedwait", case_sigtimedwait},
    {"sigwait", case_sigwait},
    {"pause", case_pause},
    {"sigsuspend", case_sigsuspend},
    {"ended by a signal", case_ended_by_a_signal},
    {"restarted after a signal", case_restarted_after_a_signal},
    {"read", case_read},
    {"stdio", case_stdio},
    {"receive timeout", case_receive_timeout},
    {"accept", case_accept},
    {"connect", case_connect},
    {"receive all", case_receive_all},
    {"getrandom", case_getrandom},
    {"futex by number", case_futex_by_number},
    {"calls by hand", case_by_hand},
    {"wait for a child", case_wait_for_child},
    {"flock", case_flock},
    {"open a fifo", case_open_fifo},
    {"aio_suspend", case_aio_suspend},
    {"cancelled", case_cancelled},
    {"cancelled on a semaphore", case_cancelled_on_semaphore},
    {"large transfers", case_large_transfers},
    {"sleep", case_sleep},
};

enum { CASE_COUNT = sizeof cases / sizeof *cases };

/* With a name, that case only. */
int main(int argc, char **argv)
{
    for (int i = 0; i < CASE_COUNT; i++) {
        if (argc > 1 && strcmp(argv[1], cases[i].name) != 0)
            continue;
        case_name = cases[i].name;
        bool is_long = cases[i].run == case_large_transfers || cases[i].run == case_sleep;
        for (int round = 0; round < (is_long ? 1 : ROUNDS) && failures == 0; round++)
            cases[i].run();
    }
    return failures != 0;
}
