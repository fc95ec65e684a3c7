/* tools/terminal: a terminal that shows one page of text again and again, and hands over keys one
 * by one. */
#ifndef TOOLS_TERMINAL_H
#define TOOLS_TERMINAL_H

#include <stdbool.h>

enum terminal_event {
    TERMINAL_TIMEOUT, /* the time is over */
    TERMINAL_KEY,     /* a key was pressed */
    TERMINAL_RESIZE,  /* the window has another size, or the screen has to be drawn anew */
    TERMINAL_QUIT,    /* interrupted, terminated or hung up */
    TERMINAL_OTHER,   /* the other descriptor is ready */
};

/* True when standard output is a terminal that understands more than text. */
bool terminal_is_usable(void);

/* Takes the terminal over until terminal_end(). Returns 0 or -errno. */
int terminal_begin(void);
void terminal_end(void);

/* Draws the text from the top left corner, cut to the window. */
void terminal_draw(const char *text);

/* Waits for the first event; other_descriptor may be -1. *key_out is written for TERMINAL_KEY. */
enum terminal_event terminal_wait(double timeout_s, int other_descriptor, char *key_out);

#endif
