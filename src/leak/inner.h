/* leak/inner: addresses inside a block that hold it as well as its start does, since C++, Rust and others keep only those. */
#ifndef LEAK_INNER_H
#define LEAK_INNER_H

#include "leak/census.h"

/*
 * True when the block is a chunk of an arena or a pool; or the address, inside the block and not its start, is one that
 * - is behind the count that new[] keeps in front of an array;
 * - is the text of a reference-counted std::string, or behind a length that says the rest of the block;
 * - is an object's part with virtual functions of its own, as multiple inheritance makes them;
 * - is behind the address of the start: who aligns what malloc returns needs that for free();
 * - is where the control bytes of one of Rust's hash tables begin.
 */
bool inner_holds(const struct cell *cell, uintptr_t address);

#endif
