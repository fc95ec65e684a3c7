/* roots/memory: places that are memory: data, thread-local storage, mappings, blocks, and pointers in disguise. */
#include "places.h"

#include "support/require.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static uintptr_t global[BLOCKS];
static uintptr_t initialised[BLOCKS] = {1};
static _Thread_local uintptr_t thread_words[BLOCKS];

static void put_global(size_t index, uintptr_t block)
{
    global[index] = block;
}

static void clear_global(void)
{
    memset(global, 0, sizeof global);
}

static void put_initialised(size_t index, uintptr_t block)
{
    initialised[index] = block;
}

static void clear_initialised(void)
{
    memset(initialised, 0, sizeof initialised);
}

static void put_thread_word(size_t index, uintptr_t block)
{
    thread_words[index] = block;
}

static void clear_thread_words(void)
{
    memset(thread_words, 0, sizeof thread_words);
}

/* An opened library's data, and its thread-local storage, which ld.so allocates. */
static uintptr_t *words_of_plugin;

static void open_plugin(const char *function)
{
    char path[4096];
    const char *folder = getenv("top_builddir");
    require(folder != NULL && strlen(folder) < 4000);
    strcpy(path, folder);
    strcat(path, "/tests/preload/roots/.libs/words.so");
    void *plugin = dlopen(path, RTLD_NOW);
    require(plugin != NULL);
    uintptr_t *(*get)(void) = (uintptr_t * (*)(void)) dlsym(plugin, function);
    require(get != NULL);
    words_of_plugin = get();
}

static void open_plugin_data(void)
{
    open_plugin("plugin_words");
}

static void open_plugin_thread_local(void)
{
    open_plugin("plugin_thread_words");
}

static void put_plugin_word(size_t index, uintptr_t block)
{
    words_of_plugin[index] = block;
}

static void clear_plugin_words(void)
{
    memset(words_of_plugin, 0, BLOCKS * sizeof *words_of_plugin);
}

static char *area;

static void clear_area(void)
{
    require(munmap(area, AREA_BYTES) == 0);
}

static void map_area(int protection, int flags, int descriptor)
{
    area = mmap(NULL, AREA_BYTES, protection, flags, descriptor, 0);
    require(area != MAP_FAILED);
}

static void map_private(void)
{
    map_area(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static void map_shared(void)
{
    map_area(PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
}

static void map_memory_file(void)
{
    int descriptor = memfd_create("roots", MFD_CLOEXEC);
    require(descriptor >= 0 && ftruncate(descriptor, AREA_BYTES) == 0);
    map_area(PROT_READ | PROT_WRITE, MAP_SHARED, descriptor);
    close(descriptor);
}

static void map_file_privately(void)
{
    char path[] = "/tmp/gcalloc-roots-XXXXXX";
    int descriptor = mkstemp(path);
    require(descriptor >= 0 && unlink(path) == 0 && ftruncate(descriptor, AREA_BYTES) == 0);
    map_area(PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor);
    close(descriptor);
}

/* The collector has seen that there is nothing of ours in it, and that it can't be written. */
static void map_constant_file(void)
{
    map_file_privately();
    require(mprotect(area, AREA_BYTES, PROT_READ) == 0);
    for (size_t i = 0; i < AREA_BYTES; i += 4096)
        *(volatile char *)&area[i];
    collect();
    require(mprotect(area, AREA_BYTES, PROT_READ | PROT_WRITE) == 0);
}

/* By a system call of the program's own, which only the collection in between can see. */
static void map_constant_file_and_call(void)
{
    map_constant_file();
    require(mprotect(area, AREA_BYTES, PROT_READ) == 0);
    collect();
    require(syscall(SYS_mprotect, area, AREA_BYTES, PROT_READ | PROT_WRITE) == 0);
}

static void collect_and_call(void)
{
    collect();
    require(syscall(SYS_mprotect, area, AREA_BYTES, PROT_READ) == 0);
}

static void map_code(void)
{
    map_area(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static void take_from_break(void)
{
    area = sbrk(AREA_BYTES);
    require(area != (void *)-1);
}

static void clear_break(void)
{
    memset(area, 0, AREA_BYTES);
}

/* A large area most of which is never touched: one word in each of some pages far apart. */
enum { FAR_BYTES = 1 << 20 };

static void reserve_much(void)
{
    size_t size_bytes = (size_t)BLOCKS * FAR_BYTES;
    area = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    require(area != MAP_FAILED);
}

static void put_far(size_t index, uintptr_t block)
{
    memcpy(area + index * FAR_BYTES, &block, sizeof block);
}

static void unmap_far(void)
{
    require(munmap(area, (size_t)BLOCKS * FAR_BYTES) == 0);
}

static void put_word(size_t index, uintptr_t block)
{
    memcpy(area + index * sizeof block, &block, sizeof block);
}

/* As in a packed structure. */
static void put_packed(size_t index, uintptr_t block)
{
    memcpy(area + 4 + index * 12, &block, sizeof block);
}

/* As the operand of an instruction. */
static void put_operand(size_t index, uintptr_t block)
{
    memcpy(area + 3 + index * 13, &block, sizeof block);
}

static void put_inside(size_t index, uintptr_t block)
{
    put_word(index, block + 1 + index % (BLOCK_BYTES - 1));
}

static void put_past_the_end(size_t index, uintptr_t block)
{
    put_word(index, block + BLOCK_BYTES);
}

static void put_tagged_high(size_t index, uintptr_t block)
{
    put_word(index, block | (uintptr_t)(0xfff0 + index % 16) << 48);
}

static void put_tagged_low(size_t index, uintptr_t block)
{
    put_word(index, block | (1 + index % 7));
}

static void make_read_only(void)
{
    require(mprotect(area, AREA_BYTES, PROT_READ) == 0);
}

static void make_unreadable(void)
{
    require(mprotect(area, AREA_BYTES, PROT_NONE) == 0);
}

static void make_code(void)
{
    require(mprotect(area, AREA_BYTES, PROT_READ | PROT_EXEC) == 0);
}

/* Distances of blocks from one that holds them, in a process that has mapped a library known for such. */
static uintptr_t *volatile distances;

static void map_fontconfig(void)
{
    char folder[] = "/tmp/gcalloc-roots-XXXXXX";
    char path[sizeof folder + 32];
    require(mkdtemp(folder) != NULL);
    strcpy(path, folder);
    strcat(path, "/libfontconfig.so.1");
    int descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    require(descriptor >= 0 && ftruncate(descriptor, 1) == 0);
    require(mmap(NULL, 1, PROT_READ, MAP_PRIVATE, descriptor, 0) != MAP_FAILED);
    require(close(descriptor) == 0 && unlink(path) == 0 && rmdir(folder) == 0);
    distances = calloc(BLOCKS, sizeof *distances);
    require(distances != NULL);
}

static void put_distance(size_t index, uintptr_t block)
{
    distances[index] = block - (uintptr_t)distances;
}

static void clear_distances(void)
{
    memset(distances, 0, BLOCKS * sizeof *distances);
}

/* From block to block, from one global variable on. */
static volatile uintptr_t head; /* the compiler sees nobody read it */

static void put_link(size_t index, uintptr_t block)
{
    if (index == 0)
        head = block;
    else
        memcpy((char *)kept_block(index - 1), &block, sizeof block);
}

static void clear_head(void)
{
    head = 0;
}

/* In blocks that the program has made unreadable. */
static void put_protected(size_t index, uintptr_t block)
{
    if (index == 0) {
        require(posix_memalign((void **)&area, 65536, AREA_BYTES) == 0);
        memset(area, 0, AREA_BYTES);
    }
    put_word(index, block);
}

static void clear_protected(void)
{
    require(mprotect(area, AREA_BYTES, PROT_READ | PROT_WRITE) == 0);
    memset(area, 0, AREA_BYTES);
}

/* Environment strings, which only libc's table points to. */
static void put_environment(size_t index, uintptr_t block)
{
    char *text = (char *)block;
    memcpy(text, "ROOTS_000=x", 12);
    text[6] += (char)(index / 100);
    text[7] += (char)(index / 10 % 10);
    text[8] += (char)(index % 10);
    require(putenv(text) == 0);
}

/* The pattern begins behind the string. */
static void clear_environment(void)
{
    clearenv();
}

/* The child has not touched the shared memory: nothing of it is in its page tables. */
static void run_in_child(void (*check)(void))
{
    pid_t child = fork();
    if (child == 0) {
        check();
        exit(0);
    }
    int status;
    require(waitpid(child, &status, 0) == child);
    require(status == 0);
}

const struct place memory_places[] = {
    {"globals", NULL, put_global, NULL, clear_global, 0, NULL},
    {"initialised globals", NULL, put_initialised, NULL, clear_initialised, 0, NULL},
    {"static thread-local storage", NULL, put_thread_word, NULL, clear_thread_words, 0, NULL},
    {"data of an opened library", open_plugin_data, put_plugin_word, NULL, clear_plugin_words, 0, NULL},
    {"thread-local storage of an opened library", open_plugin_thread_local, put_plugin_word, NULL, clear_plugin_words,
     0, NULL},
    {"private mapping", map_private, put_word, NULL, clear_area, 0, NULL},
    {"sparse mapping", reserve_much, put_far, NULL, unmap_far, 0, NULL},
    {"shared mapping", map_shared, put_word, NULL, clear_area, 0, NULL},
    {"memory file", map_memory_file, put_word, NULL, clear_area, 0, NULL},
    {"private mapping of a file", map_file_privately, put_word, NULL, clear_area, 0, NULL},
    {"mapping made read-only", map_private, put_word, make_read_only, clear_area, 0, NULL},
    {"mapping made unreadable", map_private, put_word, make_unreadable, clear_area, 0, NULL},
    {"shared mapping made read-only", map_shared, put_word, make_read_only, clear_area, 0, NULL},
    {"shared mapping made unreadable", map_shared, put_word, make_unreadable, clear_area, 0, NULL},
    {"file mapping that was read-only, and is again", map_constant_file, put_word, make_read_only, clear_area, 0, NULL},
    {"file mapping that a system call made writable for a while", map_constant_file_and_call, put_word, collect_and_call, clear_area, 0,
     NULL},
    {"file mapping made unreadable", map_file_privately, put_word, make_unreadable, clear_area, 0, NULL},
    {"shared mapping in a child", map_shared, put_word, NULL, NULL, 0, run_in_child},
    {"memory file in a child", map_memory_file, put_word, NULL, NULL, 0, run_in_child},
    {"globals in a child", NULL, put_global, NULL, NULL, 0, run_in_child},
    {"program break", take_from_break, put_word, NULL, clear_break, 0, NULL},
    {"chain of blocks", NULL, put_link, NULL, clear_head, 0, NULL},
    {"distances between blocks", map_fontconfig, put_distance, NULL, clear_distances, 0, NULL},
    {"blocks made unreadable", NULL, put_protected, make_unreadable, clear_protected, 0, NULL},
    {"packed structure", map_private, put_packed, NULL, clear_area, 0, NULL},
    {"operands of code", map_code, put_operand, NULL, clear_area, 0, NULL},
    {"operands of code that can't be written now", map_private, put_operand, make_code, clear_area, 0, NULL},
    {"pointers into blocks", map_private, put_inside, NULL, clear_area, 0, NULL},
    {"pointers past the end", map_private, put_past_the_end, NULL, clear_area, 0, NULL},
    {"tags in the high bits", map_private, put_tagged_high, NULL, clear_area, 0, NULL},
    {"tags in the low bits", map_private, put_tagged_low, NULL, clear_area, 0, NULL},
    {"environment", NULL, put_environment, NULL, clear_environment, 0, NULL},
    {NULL, NULL, NULL, NULL, NULL, 0, NULL},
};
