/* SPDX-License-Identifier: Apache-2.0 */
/* Imitates a file system without locks, such as NFS without its lock daemon: in a program that is started with this
 * library in LD_PRELOAD, every lock fails with ENOLCK. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

int flock(int file, int operation);
int flock(int file, int operation) {
    (void)file, (void)operation;
    errno = ENOLCK;
    return -1;
}

int fcntl(int file, int command, ...) {
    int (*real)(int file, int command, ...);
    void *found = dlsym(RTLD_NEXT, "fcntl"), *argument;
    va_list args;
    va_start(args, command);
    argument = va_arg(args, void *);
    va_end(args);
    memcpy(&real, &found, sizeof real);
    if (command != F_SETLK && command != F_SETLKW && command != F_GETLK)
        return real(file, command, argument);
    errno = ENOLCK;
    return -1;
}
