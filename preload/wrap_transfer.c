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
    return (ssize_t)next_call(file, (long)bytes, (long)size_bytes, 0, 0, NEXT_read);
}

EXPORT ssize_t write(int file, const void *bytes, size_t size_bytes)
{
    return (ssize_t)next_call(file, (long)bytes, (long)size_bytes, 0, 0, NEXT_write);
}

EXPORT ssize_t readv(int file, const struct iovec *parts, int count)
{
    return (ssize_t)next_call(file, (long)parts, count, 0, 0, NEXT_readv);
}

EXPORT ssize_t writev(int file, const struct iovec *parts, int count)
{
    return (ssize_t)next_call(file, (long)parts, count, 0, 0, NEXT_writev);
}

EXPORT ssize_t sendfile(int to, int from, off_t *offset, size_t size_bytes)
{
    return (ssize_t)next_call(to, from, (long)offset, (long)size_bytes, 0, NEXT_sendfile);
}

EXPORT ssize_t sendfile64(int to, int from, off64_t *offset, size_t size_bytes)
{
    return (ssize_t)next_call(to, from, (long)offset, (long)size_bytes, 0, NEXT_sendfile64);
}

EXPORT ssize_t splice(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t size_bytes,
                      unsigned flags)
{
    return (ssize_t)next_call_6(from, (long)from_offset, to, (long)to_offset, (long)size_bytes,
                                (long)flags, NEXT_splice);
}

EXPORT ssize_t tee(int from, int to, size_t size_bytes, unsigned flags)
{
    return (ssize_t)next_call(from, to, (long)size_bytes, (long)flags, 0, NEXT_tee);
}

EXPORT ssize_t vmsplice(int to, const struct iovec *parts, size_t count, unsigned flags)
{
    return (ssize_t)next_call(to, (long)parts, (long)count, (long)flags, 0, NEXT_vmsplice);
}

EXPORT ssize_t copy_file_range(int from, off64_t *from_offset, int to, off64_t *to_offset,
                               size_t size_bytes, unsigned flags)
{
    return (ssize_t)next_call_6(from, (long)from_offset, to, (long)to_offset, (long)size_bytes,
                                (long)flags, NEXT_copy_file_range);
}

EXPORT ssize_t getrandom(void *bytes, size_t size_bytes, unsigned flags)
{
    return (ssize_t)next_call((long)bytes, (long)size_bytes, (long)flags, 0, 0, NEXT_getrandom);
}

EXPORT int accept(int listener, __SOCKADDR_ARG address, socklen_t *restrict length)
{
    return (int)next_call(listener, (long)address.__sockaddr__, (long)length, 0, 0, NEXT_accept);
}

EXPORT int accept4(int listener, __SOCKADDR_ARG address, socklen_t *restrict length, int flags)
{
    return (int)next_call(listener, (long)address.__sockaddr__, (long)length, flags, 0,
                          NEXT_accept4);
}

EXPORT int connect(int socket, __CONST_SOCKADDR_ARG address, socklen_t length)
{
    return (int)next_call(socket, (long)address.__sockaddr__, (long)length, 0, 0, NEXT_connect);
}

EXPORT ssize_t recv(int socket, void *bytes, size_t size_bytes, int flags)
{
    return (ssize_t)next_call(socket, (long)bytes, (long)size_bytes, flags, 0, NEXT_recv);
}

EXPORT ssize_t recvfrom(int socket, void *restrict bytes, size_t size_bytes, int flags,
                        __SOCKADDR_ARG address, socklen_t *restrict length)
{
    return (ssize_t)next_call_6(socket, (long)bytes, (long)size_bytes, flags,
                                (long)address.__sockaddr__, (long)length, NEXT_recvfrom);
}

EXPORT ssize_t recvmsg(int socket, struct msghdr *message, int flags)
{
    return (ssize_t)next_call(socket, (long)message, flags, 0, 0, NEXT_recvmsg);
}

EXPORT int recvmmsg(int socket, struct mmsghdr *messages, unsigned count, int flags,
                    struct timespec *timeout)
{
    return (int)next_call(socket, (long)messages, (long)count, flags, (long)timeout, NEXT_recvmmsg);
}

EXPORT ssize_t send(int socket, const void *bytes, size_t size_bytes, int flags)
{
    return (ssize_t)next_call(socket, (long)bytes, (long)size_bytes, flags, 0, NEXT_send);
}

EXPORT ssize_t sendto(int socket, const void *bytes, size_t size_bytes, int flags,
                      __CONST_SOCKADDR_ARG address, socklen_t length)
{
    return (ssize_t)next_call_6(socket, (long)bytes, (long)size_bytes, flags,
                                (long)address.__sockaddr__, (long)length, NEXT_sendto);
}

EXPORT ssize_t sendmsg(int socket, const struct msghdr *message, int flags)
{
    return (ssize_t)next_call(socket, (long)message, flags, 0, 0, NEXT_sendmsg);
}

EXPORT int sendmmsg(int socket, struct mmsghdr *messages, unsigned count, int flags)
{
    return (int)next_call(socket, (long)messages, (long)count, flags, 0, NEXT_sendmmsg);
}

/* What a program compiled with _FORTIFY_SOURCE calls. */
EXPORT ssize_t __read_chk(int file, void *bytes, size_t size_bytes, size_t room_bytes)
{
    return (ssize_t)next_call(file, (long)bytes, (long)size_bytes, (long)room_bytes, 0,
                              NEXT___read_chk);
}

EXPORT ssize_t __recv_chk(int socket, void *bytes, size_t size_bytes, size_t room_bytes, int flags)
{
    return (ssize_t)next_call(socket, (long)bytes, (long)size_bytes, (long)room_bytes, flags,
                              NEXT___recv_chk);
}

/* One argument more than others have. */
EXPORT ssize_t __recvfrom_chk(int socket, void *restrict bytes, size_t size_bytes,
                              size_t room_bytes, int flags, __SOCKADDR_ARG address,
                              socklen_t *restrict length)
{
    return (ssize_t)next_call_7(socket, (long)bytes, (long)size_bytes, (long)room_bytes, flags,
                                (long)address.__sockaddr__, (long)length, NEXT___recvfrom_chk);
}
