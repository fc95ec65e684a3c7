/* own/export: the functions of the public headers that this layer defines itself. */
#ifndef OWN_EXPORT_H
#define OWN_EXPORT_H

#define EXPORT __attribute__((visibility("default")))

/* The program's return address, for reports. */
#define CALLER __builtin_return_address(0)

#endif
