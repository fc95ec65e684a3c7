/*
 * preload/wrap_transfer: calls that move bytes. A signal ends some while they wait, and others in the middle: fewer bytes
 * than there would have been.
 */
#include "preload/export.h"
#include "preload/next.h"

#include <stddef.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

EXPORT ssize_t read(int file, void *bytes, size_t size_bytes)
{
    return (ssize_t)next_call(NEXT_read, file, (long)bytes, (long)size_bytes, 0, 0, 0);
}

EXPORT ssize_t write(int file, const void *bytes, size_t size_bytes)
{
    return (ssize_t)next_call(NEXT_write, file, (long)bytes, (long)size_bytes, 0, 0, 0);
}

EXPORT ssize_t readv(int file, const struct iovec *parts, int count)
{
    return (ssize_t)next_call(NEXT_readv, file, (long)parts, count, 0, 0, 0);
}

EXPORT ssize_t writev(int file, const struct iovec *parts, int count)
{
    return (ssize_t)next_call(NEXT_writev, file, (long)parts, count, 0, 0, 0);
}

EXPORT ssize_t sendfile(int to, int from, off_t *offset, size_t size_bytes)
{
    return (ssize_t)next_call(NEXT_sendfile, to, from, (long)offset, (long)size_bytes, 0, 0);
}

EXPORT ssize_t sendfile64(int to, int from, off64_t *offset, size_t size_bytes)
{
    return (ssize_t)next_call(NEXT_sendfile64, to, from, (long)offset, (long)size_bytes, 0, 0);
}

EXPORT ssize_t splice(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t size_bytes,
                      unsigned flags)
{
    return (ssize_t)next_call(NEXT_splice, from, (long)from_offset, to, (long)to_offset,
                              (long)size_bytes, (long)flags);
}

EXPORT ssize_t tee(int from, int to, size_t size_bytes, unsigned flags)
{
    return (ssize_t)next_call(NEXT_tee, from, to, (long)size_bytes, (long)flags, 0, 0);
}

EXPORT ssize_t vmsplice(int to, const struct iovec *parts, size_t count, unsigned flags)
{
    return (ssize_t)next_call(NEXT_vmsplice, to, (long)parts, (long)count, (long)flags, 0, 0);
}

EXPORT ssize_t copy_file_range(int from, off64_t *from_offset, int to, off64_t *to_offset,
                               size_t size_bytes, unsigned flags)
{
    return (ssize_t)next_call(NEXT_copy_file_range, from, (long)from_offset, to, (long)to_offset,
                              (long)size_bytes, (long)flags);
}

EXPORT ssize_t getrandom(void *bytes, size_t size_bytes, unsigned flags)
{
    return (ssize_t)next_call(NEXT_getrandom, (long)bytes, (long)size_bytes, (long)flags, 0, 0, 0);
}

EXPORT int accept(int listener, __SOCKADDR_ARG address, socklen_t *restrict length)
{
    return (int)next_call(NEXT_accept, listener, (long)address.__sockaddr__, (long)length, 0, 0, 0);
}

EXPORT int accept4(int listener, __SOCKADDR_ARG address, socklen_t *restrict length, int flags)
{
    return (int)next_call(NEXT_accept4, listener, (long)address.__sockaddr__, (long)length, flags,
                          0, 0);
}

EXPORT int connect(int socket, __CONST_SOCKADDR_ARG address, socklen_t length)
{
    return (int)next_call(NEXT_connect, socket, (long)address.__sockaddr__, (long)length, 0, 0, 0);
}

EXPORT ssize_t recv(int socket, void *bytes, size_t size_bytes, int flags)
{
    return (ssize_t)next_call(NEXT_recv, socket, (long)bytes, (long)size_bytes, flags, 0, 0);
}

EXPORT ssize_t recvfrom(int socket, void *restrict bytes, size_t size_bytes, int flags,
                        __SOCKADDR_ARG address, socklen_t *restrict length)
{
    return (ssize_t)next_call(NEXT_recvfrom, socket, (long)bytes, (long)size_bytes, flags,
                              (long)address.__sockaddr__, (long)length);
}

EXPORT ssize_t recvmsg(int socket, struct msghdr *message, int flags)
{
    return (ssize_t)next_call(NEXT_recvmsg, socket, (long)message, flags, 0, 0, 0);
}

EXPORT int recvmmsg(int socket, struct mmsghdr *messages, unsigned count, int flags,
                    struct timespec *timeout)
{
    return (int)next_call(NEXT_recvmmsg, socket, (long)messages, (long)count, flags, (long)timeout,
                          0);
}

EXPORT ssize_t send(int socket, const void *bytes, size_t size_bytes, int flags)
{
    return (ssize_t)next_call(NEXT_send, socket, (long)bytes, (long)size_bytes, flags, 0, 0);
}

EXPORT ssize_t sendto(int socket, const void *bytes, size_t size_bytes, int flags,
                      __CONST_SOCKADDR_ARG address, socklen_t length)
{
    return (ssize_t)next_call(NEXT_sendto, socket, (long)bytes, (long)size_bytes, flags,
                              (long)address.__sockaddr__, (long)length);
}

EXPORT ssize_t sendmsg(int socket, const struct msghdr *message, int flags)
{
    return (ssize_t)next_call(NEXT_sendmsg, socket, (long)message, flags, 0, 0, 0);
}

EXPORT int sendmmsg(int socket, struct mmsghdr *messages, unsigned count, int flags)
{
    return (int)next_call(NEXT_sendmmsg, socket, (long)messages, (long)count, flags, 0, 0);
}

/* What a program compiled with _FORTIFY_SOURCE calls. */
EXPORT ssize_t __read_chk(int file, void *bytes, size_t size_bytes, size_t room_bytes)
{
    return (ssize_t)next_call(NEXT___read_chk, file, (long)bytes, (long)size_bytes,
                              (long)room_bytes, 0, 0);
}

EXPORT ssize_t __recv_chk(int socket, void *bytes, size_t size_bytes, size_t room_bytes, int flags)
{
    return (ssize_t)next_call(NEXT___recv_chk, socket, (long)bytes, (long)size_bytes,
                              (long)room_bytes, flags, 0);
}

/* One argument more than others have. */
EXPORT ssize_t __recvfrom_chk(int socket, void *restrict bytes, size_t size_bytes,
                              size_t room_bytes, int flags, __SOCKADDR_ARG address,
                              socklen_t *restrict length)
{
    region_function *function = (region_function *)next_function(NEXT___recvfrom_chk);
    if (!region_is_on)
        return (ssize_t)function(socket, (long)bytes, (long)size_bytes, (long)room_bytes, flags,
                                 (long)address.__sockaddr__, (long)length);
    return (ssize_t)next_call_in_region(function, NEXT___recvfrom_chk, socket, (long)bytes,
                                        (long)size_bytes, (long)room_bytes, flags,
                                        (long)address.__sockaddr__, (long)length);
}
