/* os/process: what the kernel knows of this process and its program. errno is left alone. */
#ifndef OS_PROCESS_H
#define OS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int os_parent_id(void);

/* The program's file; empty where that can't be told. */
void os_program_file(char *path_out, size_t size_bytes);

/* The arguments the program was started with, each ended by a zero byte, as far as they fit. Returns the bytes. */
size_t os_program_arguments(char *bytes_out, size_t size_bytes);

/* What a thread of this process is called, in 16 bytes. False if there is no such thread. */
bool os_thread_name(int thread_id, char *name_out);

/* The calling thread's own, without a file. */
void os_own_name(char *name_out);

/* Milliseconds since 1970. */
uint64_t os_clock_real_ms(void);

/*
 * Whether the first words at a thread's os_thread_pointer() look as if the thread's control block still were there. It lies
 * on the thread's stack, above all that the program has there. False where that is not so.
 */
enum { OS_THREAD_BLOCK_WORDS = 3 };
bool os_thread_block_is(uintptr_t block, const uintptr_t words[OS_THREAD_BLOCK_WORDS]);

/* Calls the function in the child of every fork. Returns 0 or an error number. */
int os_at_fork(void (*in_child)(void));

#endif
