/*
 * tools/terminal: a terminal that shows one page of text again and again.
 *
 * The few control sequences are those of ECMA-48, which every terminal in use understands. Signals
 * are fetched from a descriptor, so the terminal is given back on every way out, and handed over
 * properly while we are stopped.
 */
#include "tools/terminal.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

enum { COLUMNS_DEFAULT = 80, LINES_DEFAULT = 24 };

static struct {
    int signals;
    bool has_keys; /* standard input is the terminal */
    struct termios initial;
    sigset_t initial_mask;
} terminal;

bool terminal_is_usable(void)
{
    const char *type = getenv("TERM");
    return isatty(STDOUT_FILENO) && type != NULL && *type != '\0' && strcmp(type, "dumb") != 0;
}

static void send(const char *sequence)
{
    fputs(sequence, stdout);
    fflush(stdout);
}

/* Keys come at once and are not shown; Ctrl-C and Ctrl-Z keep their meaning. */
static void take_screen(void)
{
    if (terminal.has_keys) {
        struct termios modes = terminal.initial;
        modes.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        modes.c_cc[VMIN] = 1;
        modes.c_cc[VTIME] = 0;
        tcsetattr(STDIN_FILENO, TCSADRAIN, &modes);
    }
    send("\033[H\033[J");
}

static void give_screen_back(void)
{
    if (terminal.has_keys)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal.initial);
}

int terminal_begin(void)
{
    static const int fetched[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP};
    sigset_t signals;
    sigemptyset(&signals);
    for (size_t i = 0; i < sizeof fetched / sizeof fetched[0]; i++)
        sigaddset(&signals, fetched[i]);
    sigprocmask(SIG_BLOCK, &signals, &terminal.initial_mask);
    terminal.signals = signalfd(-1, &signals, SFD_CLOEXEC);
    if (terminal.signals < 0)
        return -errno;
    terminal.has_keys = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &terminal.initial) == 0;
    take_screen();
    return 0;
}

void terminal_end(void)
{
    give_screen_back();
    close(terminal.signals);
    sigprocmask(SIG_SETMASK, &terminal.initial_mask, NULL);
}

/* One line, cut to the width; control sequences take none of it. */
static const char *draw_line(const char *text, int columns)
{
    int column = 0;
    bool in_sequence = false;
    for (; *text != '\0' && *text != '\n'; text++) {
        if (*text == '\033')
            in_sequence = true;
        /* Bytes that continue a UTF-8 character take no room of their own. */
        bool takes_room = !in_sequence && ((unsigned char)*text & 0xc0) != 0x80;
        if (in_sequence || column + takes_room <= columns)
            putchar(*text);
        column += takes_room;
        if (in_sequence && *text == 'm')
            in_sequence = false;
    }
    fputs("\033[K", stdout);
    return *text == '\n' ? text + 1 : text;
}

void terminal_draw(const char *text)
{
    struct winsize window = {0};
    bool known =
        ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0 && window.ws_row > 0;
    int columns = known ? window.ws_col : COLUMNS_DEFAULT;
    int lines = known ? window.ws_row : LINES_DEFAULT;
    fputs("\033[H", stdout);
    /* The last line stays empty: a line feed there would scroll. */
    for (int line = 0; *text != '\0' && line < lines - 1; line++) {
        text = draw_line(text, columns);
        putchar('\n');
    }
    send("\033[J");
}

static enum terminal_event fetch_signal(void)
{
    struct signalfd_siginfo signal;
    if (read(terminal.signals, &signal, sizeof signal) != (ssize_t)sizeof signal)
        return TERMINAL_TIMEOUT;
    if (signal.ssi_signo == SIGWINCH)
        return TERMINAL_RESIZE;
    if (signal.ssi_signo != SIGTSTP)
        return TERMINAL_QUIT;
    give_screen_back();
    kill(getpid(), SIGSTOP);
    take_screen();
    return TERMINAL_RESIZE;
}

/* A closed input is no key; without it the polls that follow would all return at once. */
static enum terminal_event fetch_key(char *key_out)
{
    if (read(STDIN_FILENO, key_out, 1) == 1)
        return TERMINAL_KEY;
    terminal.has_keys = false;
    return TERMINAL_RESIZE;
}

enum terminal_event terminal_wait(double timeout_s, int other_descriptor, char *key_out)
{
    struct pollfd sources[] = {
        {.fd = terminal.signals, .events = POLLIN},
        {.fd = other_descriptor, .events = POLLIN},
        {.fd = terminal.has_keys ? STDIN_FILENO : -1, .events = POLLIN},
    };
    int timeout_ms = timeout_s > 0 ? (int)ceil(timeout_s * 1000) : 0;
    if (poll(sources, sizeof sources / sizeof sources[0], timeout_ms) <= 0)
        return TERMINAL_TIMEOUT;
    if (sources[0].revents != 0)
        return fetch_signal();
    if (sources[1].revents != 0)
        return TERMINAL_OTHER;
    return fetch_key(key_out);
}
