/*
 * leak/cfi: from unwind tables to a rule.
 *
 * The formats are those of "Linux Standard Base Core Specification 5.0", 10.6, and DWARF 5, 6.4. Register numbers are
 * x86-64's; elsewhere nothing is found. On aarch64 nothing need be: all code there keeps the frame pointer.
 *
 * Uses os. Locks: none.
 */
#include "leak/cfi.h"

#include "os/object.h"
#include "os/registers.h"

#include <string.h>

/* DWARF's numbers on x86-64. */
enum {
    REGISTER_BASE = 3,
    REGISTER_FRAME = 6,
    REGISTER_STACK = 7,
    REGISTER_FIRST_OTHER = 12, /* r12 to r15 */
    REGISTER_RETURN = 16,
    REGISTER_OTHER = 255
};

enum {
    FORMAT_MASK = 0x0f,
    FORMAT_ADDRESS = 0x00,
    FORMAT_U32 = 0x03,
    FORMAT_U64 = 0x04,
    FORMAT_S32 = 0x0b,
    FORMAT_S64 = 0x0c,
    RELATIVE_MASK = 0x70,
    RELATIVE_TO_PLACE = 0x10,
    ENCODING_OMITTED = 0xff,
    ENCODING_TABLE =
        0x3b, /* signed 32 bits, relative to the header: the only one that linkers make */
};

enum { REMEMBERED_MAX = 8, WORD_BYTES = 8 };

/* Bytes between two addresses of the object. Behind the end everything reads as 0, and `failed` is set. */
struct reader {
    const uint8_t *next;
    const uint8_t *end;
    bool failed;
};

enum place_kind { PLACE_SAME, PLACE_FRAME, PLACE_BY_FRAME_POINTER, PLACE_UNDEFINED, PLACE_STRANGE };

struct place {
    enum place_kind kind;
    int64_t offset;
};

/* The frame address, and where the registers are that functions must keep. */
struct row {
    uint64_t frame_register;
    int64_t frame_offset;
    bool is_indirect;
    bool is_strange; /* the frame address is computed in a way we don't follow */
    struct place base;
    struct place frame_pointer;
    struct place return_address;
    struct place others[OS_OTHER_REGISTERS];
};

struct program {
    uint64_t code_step;
    int64_t data_step;
    uint8_t encoding; /* of the addresses in a description */
    bool is_signal_frame;
    bool has_augmentation;
    struct reader initial;
    struct row first;
    struct row remembered[REMEMBERED_MAX];
    uint32_t remembered_count;
};

/* ---- reading ---- */

static uint64_t read_bytes(struct reader *reader, size_t count)
{
    uint64_t value = 0;
    if ((size_t)(reader->end - reader->next) < count) {
        reader->failed = true;
        return 0;
    }
    memcpy(&value, reader->next, count);
    reader->next += count;
    return value;
}

static uint64_t read_unsigned(struct reader *reader)
{
    uint64_t value = 0;
    for (uint32_t shift = 0;; shift += 7) {
        uint64_t byte = read_bytes(reader, 1);
        value |= shift < 64 ? (byte & 0x7f) << shift : 0;
        if ((byte & 0x80) == 0)
            return value;
    }
}

static int64_t read_signed(struct reader *reader)
{
    uint64_t value = 0;
    for (uint32_t shift = 0;; shift += 7) {
        uint64_t byte = read_bytes(reader, 1);
        value |= shift < 64 ? (byte & 0x7f) << shift : 0;
        if ((byte & 0x80) == 0)
            return (int64_t)((byte & 0x40) != 0 && shift + 7 < 64
                                 ? value | UINT64_MAX << (shift + 7)
                                 : value);
    }
}

static uint64_t read_encoded(struct reader *reader, uint8_t encoding)
{
    uint64_t place = (encoding & RELATIVE_MASK) == RELATIVE_TO_PLACE ? (uintptr_t)reader->next : 0;
    switch (encoding & FORMAT_MASK) {
    case FORMAT_ADDRESS:
    case FORMAT_U64:
    case FORMAT_S64:
        return place + read_bytes(reader, 8);
    case FORMAT_U32:
        return place + read_bytes(reader, 4);
    case FORMAT_S32:
        return place + (uint64_t)(int64_t)(int32_t)read_bytes(reader, 4);
    default:
        reader->failed = true;
        return 0;
    }
}

static void skip(struct reader *reader, uint64_t count)
{
    if ((uint64_t)(reader->end - reader->next) < count) {
        reader->failed = true;
        reader->next = reader->end;
        return;
    }
    reader->next += count;
}

/* From an address to the object's end; empty when the address lies outside. */
static struct reader reader_at(const struct os_object *object, uintptr_t address)
{
    const uint8_t *end = (const uint8_t *)object->end;
    bool inside = address >= object->start && address < object->end;
    return (struct reader){inside ? (const uint8_t *)address : end, end, !inside};
}

/* An entry of .eh_frame: its contents, without the length. The first four bytes are where its common entry is, or 0. */
static struct reader entry_at(const struct os_object *object, uintptr_t address)
{
    struct reader entry = reader_at(object, address);
    uint64_t length = read_bytes(&entry, 4);
    if (length == 0 ||
        length > (uint64_t)(entry.end - entry.next)) { /* UINT32_MAX, a 64-bit length, among them */
        entry.failed = true;
        length = 0;
    }
    entry.end = entry.next + length;
    return entry;
}

/* ---- the rows of one function ---- */

static struct place *place_of(struct row *row, uint64_t number)
{
    return number == REGISTER_BASE     ? &row->base
           : number == REGISTER_FRAME  ? &row->frame_pointer
           : number == REGISTER_RETURN ? &row->return_address
           : number - REGISTER_FIRST_OTHER < OS_OTHER_REGISTERS ? &row->others[number - REGISTER_FIRST_OTHER]
                                                                : NULL;
}

static void set_place(struct row *row, uint64_t number, enum place_kind kind, int64_t offset)
{
    struct place *place = place_of(row, number);
    if (place != NULL)
        *place = (struct place){kind, offset};
}

static void restore_place(const struct program *program, struct row *row, uint64_t number)
{
    struct place *place = place_of(row, number);
    if (place != NULL)
        *place = *place_of((struct row *)&program->first, number);
}

/*
 * Of expressions we know "register + constant", where a function that aligns its stack saved a register, and the same
 * followed by a load, where it finds its frame address.
 */
static void read_expression(struct reader *reader, uint64_t *number_out, int64_t *offset_out,
                            bool *loads_out)
{
    enum { OPERATION_LOAD = 0x06, OPERATION_REGISTER = 0x70, REGISTER_COUNT = 32 };
    uint64_t length = read_unsigned(reader);
    struct reader inner = *reader;
    skip(reader, length);
    inner.end = reader->next;
    uint64_t operation = read_bytes(&inner, 1);
    *number_out = operation - OPERATION_REGISTER < REGISTER_COUNT ? operation - OPERATION_REGISTER
                                                                  : REGISTER_OTHER;
    *offset_out = read_signed(&inner);
    *loads_out = inner.next < inner.end;
    if (*loads_out && (read_bytes(&inner, 1) != OPERATION_LOAD || inner.next != inner.end))
        *number_out = REGISTER_OTHER;
    if (inner.failed)
        *number_out = REGISTER_OTHER;
}

static void define_frame_by_expression(struct reader *reader, struct row *row)
{
    bool loads;
    read_expression(reader, &row->frame_register, &row->frame_offset, &loads);
    row->is_indirect = true;
    row->is_strange = row->frame_register == REGISTER_OTHER || !loads;
}

static void save_by_expression(struct reader *reader, struct row *row)
{
    uint64_t number = read_unsigned(reader);
    uint64_t from;
    int64_t offset;
    bool loads;
    read_expression(reader, &from, &offset, &loads);
    set_place(row, number,
              from == REGISTER_FRAME && !loads ? PLACE_BY_FRAME_POINTER : PLACE_STRANGE, offset);
}

static void define_frame(struct row *row, uint64_t number, int64_t offset)
{
    row->frame_register = number;
    row->frame_offset = offset;
    row->is_indirect = false;
    row->is_strange = false;
}

static void remember(struct program *program, const struct row *row, struct reader *reader)
{
    if (program->remembered_count == REMEMBERED_MAX)
        reader->failed = true;
    else
        program->remembered[program->remembered_count++] = *row;
}

static void recall(struct program *program, struct row *row, struct reader *reader)
{
    if (program->remembered_count == 0)
        reader->failed = true;
    else
        *row = program->remembered[--program->remembered_count];
}

/* Instructions that say where the frame address is. False when it is another one. */
static bool run_frame(struct reader *reader, struct program *program, struct row *row, uint8_t code)
{
    uint64_t number;
    switch (code) {
    case 0x0a:
        remember(program, row, reader);
        return true;
    case 0x0b:
        recall(program, row, reader);
        return true;
    case 0x0c:
        number = read_unsigned(reader);
        define_frame(row, number, (int64_t)read_unsigned(reader));
        return true;
    case 0x0d:
        define_frame(row, read_unsigned(reader), row->frame_offset);
        return true;
    case 0x0e:
        row->frame_offset = (int64_t)read_unsigned(reader);
        return true;
    case 0x0f:
        define_frame_by_expression(reader, row);
        return true;
    case 0x12:
        number = read_unsigned(reader);
        define_frame(row, number, read_signed(reader) * program->data_step);
        return true;
    case 0x13:
        row->frame_offset = read_signed(reader) * program->data_step;
        return true;
    default:
        return false;
    }
}

/* Instructions that say where a register is, and those that say nothing to us. */
static void run_register(struct reader *reader, const struct program *program, struct row *row,
                         uint8_t code)
{
    uint64_t number =
        code == 0x00 ? 0 : read_unsigned(reader); /* all that follow but the first start with one */
    switch (code) {
    case 0x00: /* nothing */
    case 0x2e: /* size of arguments */
        return;
    case 0x05:
        set_place(row, number, PLACE_FRAME, (int64_t)read_unsigned(reader) * program->data_step);
        return;
    case 0x06:
        restore_place(program, row, number);
        return;
    case 0x07:
        set_place(row, number, PLACE_UNDEFINED, 0);
        return;
    case 0x08:
        set_place(row, number, PLACE_SAME, 0);
        return;
    case 0x11:
        set_place(row, number, PLACE_FRAME, read_signed(reader) * program->data_step);
        return;
    case 0x09: /* in another register */
    case 0x14: /* its value, not its place, is computed: 0x14 to 0x16 */
    case 0x15:
        set_place(row, number, PLACE_STRANGE, 0);
        read_unsigned(reader);
        return;
    case 0x16:
        set_place(row, number, PLACE_STRANGE, 0);
        skip(reader, read_unsigned(reader));
        return;
    default:
        reader->failed = true;
    }
}

static uint64_t read_advance(struct reader *reader, uint8_t code)
{
    return code == 0x02   ? read_bytes(reader, 1)
           : code == 0x03 ? read_bytes(reader, 2)
                          : read_bytes(reader, 4);
}

/* Runs instructions as long as they concern addresses up to `address`. */
static void run(struct reader *reader, struct program *program, struct row *row, uint64_t at,
                uint64_t address)
{
    while (reader->next < reader->end && !reader->failed && at <= address) {
        uint8_t code = (uint8_t)read_bytes(reader, 1);
        uint8_t low = code & 0x3f;
        if (code >> 6 == 1)
            at += low * program->code_step;
        else if (code >> 6 == 2)
            set_place(row, low, PLACE_FRAME, (int64_t)read_unsigned(reader) * program->data_step);
        else if (code >> 6 == 3)
            restore_place(program, row, low);
        else if (low >= 0x02 && low <= 0x04)
            at += read_advance(reader, low) * program->code_step;
        else if (low == 0x01)
            at = read_encoded(reader, program->encoding);
        else if (low == 0x10)
            save_by_expression(reader, row);
        else if (!run_frame(reader, program, row, low))
            run_register(reader, program, row, low);
    }
}

/* ---- finding and reading entries ---- */

/* What the letters behind the 'z' of an augmentation announce. */
static void read_augmentation(struct reader *entry, struct program *program, const char *letters)
{
    uint64_t length = read_unsigned(entry);
    struct reader data = *entry;
    skip(entry, length);
    for (; *letters != '\0' && !data.failed; letters++) {
        if (*letters == 'R')
            program->encoding = (uint8_t)read_bytes(&data, 1);
        else if (*letters == 'S')
            program->is_signal_frame = true;
        else if (*letters == 'L')
            skip(&data, 1);
        else if (*letters == 'P') {
            uint8_t encoding = (uint8_t)read_bytes(&data, 1);
            read_encoded(&data, encoding);
        } else
            break;
    }
    entry->failed |= data.failed;
}

/* The entry that many functions share. */
static bool read_common(struct reader entry, struct program *program)
{
    uint64_t id = read_bytes(&entry, 4);
    uint64_t version = read_bytes(&entry, 1);
    const char *letters = (const char *)entry.next;
    const char *letters_end = memchr(letters, '\0', (size_t)(entry.end - entry.next));
    if (entry.failed || id != 0 || (version != 1 && version != 3) || letters_end == NULL)
        return false;
    skip(&entry, (uint64_t)(letters_end - letters) + 1);
    program->code_step = read_unsigned(&entry);
    program->data_step = read_signed(&entry);
    uint64_t return_register = version == 1 ? read_bytes(&entry, 1) : read_unsigned(&entry);
    program->has_augmentation = *letters == 'z';
    if (*letters == 'z')
        read_augmentation(&entry, program, letters + 1);
    else if (*letters != '\0')
        return false;
    program->initial = entry;
    return !entry.failed && return_register == REGISTER_RETURN;
}

/* Where the description of the function that may hold the address lies; 0 when there is none. */
static uintptr_t find_description(const struct os_object *object, uintptr_t address)
{
    struct reader header = reader_at(object, object->unwind_header);
    uint64_t version = read_bytes(&header, 1);
    uint8_t frame_encoding = (uint8_t)read_bytes(&header, 1);
    uint8_t count_encoding = (uint8_t)read_bytes(&header, 1);
    uint8_t table_encoding = (uint8_t)read_bytes(&header, 1);
    if (header.failed || version != 1 || count_encoding == ENCODING_OMITTED ||
        table_encoding != ENCODING_TABLE)
        return 0;
    read_encoded(&header, frame_encoding);
    uint64_t count = read_encoded(&header, count_encoding);
    if (header.failed || count > (uint64_t)(header.end - header.next) / (2 * sizeof(int32_t)))
        return 0;
    const int32_t(*rows)[2] = (const void *)header.next;
    int64_t wanted = (int64_t)(address - object->unwind_header);
    size_t low = 0;
    for (size_t high = count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (rows[middle][0] <= wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? 0 : object->unwind_header + (uintptr_t)(intptr_t)rows[low - 1][1];
}

/* Whether the description is of a function that holds the address; then `row` is what it says of it. */
static bool read_description(const struct os_object *object, uintptr_t description,
                             uintptr_t address, struct program *program, struct row *row)
{
    struct reader entry = entry_at(object, description);
    uintptr_t back_from = (uintptr_t)entry.next;
    uint64_t back = read_bytes(&entry, 4);
    if (entry.failed || back == 0 || !read_common(entry_at(object, back_from - back), program))
        return false;
    uint64_t first = read_encoded(&entry, program->encoding);
    uint64_t length = read_encoded(&entry, program->encoding & FORMAT_MASK);
    if (program->has_augmentation)
        skip(&entry, read_unsigned(&entry));
    if (entry.failed || address - first >= length)
        return false;
    run(&program->initial, program, row, 0, 0);
    program->first = *row;
    run(&entry, program, row, first, address);
    return !entry.failed && !program->initial.failed;
}

/* ---- the rule ---- */

/* As struct rule has it; SAVED_LIMIT when it can't be said so. */
static uint64_t saved_of(const struct place *place)
{
    if (place->kind == PLACE_SAME || place->kind == PLACE_UNDEFINED)
        return SAVED_NOWHERE;
    uint64_t words = (uint64_t)-place->offset / WORD_BYTES;
    bool fits = place->offset <= 0 && place->offset % WORD_BYTES == 0 && words < SAVED_BY_FRAME;
    if (place->kind == PLACE_FRAME && fits && words != 0)
        return words;
    return place->kind == PLACE_BY_FRAME_POINTER && fits ? SAVED_BY_FRAME + words : SAVED_LIMIT;
}

static struct rule rule_of(const struct row *row)
{
    const struct rule stop = rule_of_kind(RULE_STOP);
    uint64_t frame_pointer_saved = saved_of(&row->frame_pointer);
    uint64_t base_saved = saved_of(&row->base);
    bool knows_return =
        row->return_address.kind == PLACE_FRAME && row->return_address.offset == -WORD_BYTES;
    int64_t words = row->frame_offset / WORD_BYTES;
    bool knows_frame = !row->is_strange && row->frame_offset % WORD_BYTES == 0 &&
                       words < RULE_WORDS_LIMIT && words >= -RULE_WORDS_LIMIT;
    if (!knows_return || !knows_frame || frame_pointer_saved == SAVED_LIMIT ||
        base_saved == SAVED_LIMIT)
        return stop;
    enum rule_register number = RULE_STACK_POINTER;
    if (row->frame_register == REGISTER_FRAME)
        number = RULE_FRAME_POINTER;
    else if (row->frame_register == REGISTER_BASE)
        number = RULE_BASE;
    else if (row->frame_register != REGISTER_STACK)
        return stop;
    return rule_make(row->is_indirect ? RULE_INDIRECT : RULE_PLAIN, number, words, frame_pointer_saved, base_saved);
}

bool cfi_find(const struct os_object *object, uintptr_t address, struct rule *rule_out)
{
#ifdef __x86_64__
    uintptr_t description = object->unwind_header == 0 ? 0 : find_description(object, address);
    struct program program = {.code_step = 1};
    struct row row = {.frame_register = REGISTER_STACK};
    if (description == 0 || !read_description(object, description, address, &program, &row))
        return false;
    *rule_out = program.is_signal_frame ? rule_of_kind(RULE_SIGNAL) : rule_of(&row);
    return true;
#else
    (void)object, (void)address, (void)rule_out;
    return false;
#endif
}

/* The register's value in the caller. */
static bool restore(const struct place *place, uintptr_t frame, uintptr_t frame_pointer, uintptr_t *value_inout)
{
    if (place->kind == PLACE_SAME || place->kind == PLACE_UNDEFINED)
        return true;
    if (place->kind == PLACE_STRANGE)
        return false;
    uintptr_t base = place->kind == PLACE_FRAME ? frame : frame_pointer;
    *value_inout = *(const uintptr_t *)(base + (uintptr_t)place->offset);
    return true;
}

bool cfi_step(const struct os_object *object, struct os_all_registers *registers_inout)
{
    struct os_all_registers at = *registers_inout;
    uintptr_t address = at.main.program_counter - 1;
    uintptr_t description = object->unwind_header == 0 ? 0 : find_description(object, address);
    struct program program = {.code_step = 1};
    struct row row = {.frame_register = REGISTER_STACK};
    if (description == 0 || !read_description(object, description, address, &program, &row) || program.is_signal_frame)
        return false;
    struct rule rule = rule_of(&row);
    if (rule_kind(rule) != RULE_PLAIN && rule_kind(rule) != RULE_INDIRECT)
        return false;
    uintptr_t from = rule_register(rule) == RULE_STACK_POINTER   ? at.main.stack_pointer
                     : rule_register(rule) == RULE_FRAME_POINTER ? at.main.frame_pointer
                                                                 : at.main.base;
    uintptr_t frame = from + (uintptr_t)row.frame_offset;
    if (rule_kind(rule) == RULE_INDIRECT)
        frame = *(const uintptr_t *)frame;
    uintptr_t frame_pointer = at.main.frame_pointer;
    bool is_known = restore(&row.base, frame, frame_pointer, &at.main.base) &&
                    restore(&row.frame_pointer, frame, frame_pointer, &at.main.frame_pointer);
    for (size_t i = 0; is_known && i < OS_OTHER_REGISTERS; i++)
        is_known = restore(&row.others[i], frame, frame_pointer, &at.others[i]);
    if (!is_known || frame <= at.main.stack_pointer)
        return false;
    at.main.program_counter = *(const uintptr_t *)(frame - WORD_BYTES);
    at.main.stack_pointer = frame;
    *registers_inout = at;
    return true;
}
