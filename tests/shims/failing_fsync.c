/* Makes fsync and fdatasync fail, as a disk does that has lost what it was given, for as long as
 * the file named by FSYNC_FAILS_WHILE exists. Loaded into the server by LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int fails(void) {
    const char *file = getenv("FSYNC_FAILS_WHILE");
    return file != NULL && access(file, F_OK) == 0;
}

int fsync(int descriptor) {
    if (fails()) {
        errno = EIO;
        return -1;
    }
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(descriptor);
}

int fdatasync(int descriptor) {
    if (fails()) {
        errno = EIO;
        return -1;
    }
    return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(descriptor);
}
