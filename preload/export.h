/* preload/export: what the program sees. Everything else is hidden. */
#ifndef PRELOAD_EXPORT_H
#define PRELOAD_EXPORT_H

#define EXPORT __attribute__((visibility("default")))

/* The program's return address, for reports. */
#define CALLER __builtin_return_address(0)

#endif
