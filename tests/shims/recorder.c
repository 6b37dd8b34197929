/* Records, in order and with content, what a process does to files below RECORD_BELOW, into the
 * file RECORD_INTO. Loaded by LD_PRELOAD; tests/power-loss makes crash images from the record.
 *
 * Guarantee: a record stands behind everything that it depends on. A write stands where it has
 * returned; an fsync stands twice, where it was called and where it has returned: it covers the
 * writes before the first, and may be counted on after the second. What cannot be described
 * (a shared writable mapping, copying within the kernel) is recorded as such, and refuses the run.
 * Rejected: strace, which is not installed everywhere and makes every call a few times slower.
 *
 * Each record is one write in append mode, so that a killed process leaves whole records only. */
#define _GNU_SOURCE
#undef _FILE_OFFSET_BITS
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* One byte each in the record; the reader is tests/power-loss/src/trace.rs. */
enum kind { OPENED = 'o', WRITTEN = 'w', TRUNCATED = 't', SYNC_CALLED = 's', SYNC_DONE = 'S', RENAMED = 'r', UNLINKED = 'u', MADE_FOLDER = 'm', REMOVED_FOLDER = 'd', STRANGE = '?' };

struct header {
    uint64_t at; /* ns since the epoch */
    uint64_t first; /* offset, length, or number of a sync */
    uint32_t process;
    uint32_t length; /* of what follows */
    int32_t descriptor;
    uint8_t kind;
    uint8_t flags;
    uint8_t none[2];
};

enum { DESCRIPTORS = 65536 };
/* Which descriptors are of files below the folder: 1 for a file, 2 for a folder. */
static unsigned char watched[DESCRIPTORS];
static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
static int into = -1;
static char below[PATH_MAX];
static size_t below_length;
static uint64_t syncs;

#define REAL(name, type) ((type)real(#name))

static void *real(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL) {
        fprintf(stderr, "recorder: no %s\n", name);
        abort();
    }
    return found;
}

__attribute__((constructor)) static void begin(void) {
    const char *folder = getenv("RECORD_BELOW"), *file = getenv("RECORD_INTO");
    if (folder == NULL || file == NULL || strlen(folder) >= sizeof below) {
        return;
    }
    strcpy(below, folder);
    below_length = strlen(below);
    into = REAL(open, int (*)(const char *, int, ...))(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static void record(enum kind kind, int descriptor, uint64_t first, int flags, const struct iovec *parts, int count) {
    if (into < 0) {
        return;
    }
    int kept = errno;
    struct iovec all[1 + IOV_MAX];
    struct header header = { .first = first, .process = (uint32_t)getpid(), .descriptor = descriptor, .kind = (uint8_t)kind, .flags = (uint8_t)flags };
    size_t total = 0;
    for (int part = 0; part < count; part++) {
        all[1 + part] = parts[part];
        total += parts[part].iov_len;
    }
    header.length = (uint32_t)total;
    all[0] = (struct iovec){ .iov_base = &header, .iov_len = sizeof header };
    pthread_mutex_lock(&one);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    header.at = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    ssize_t done = REAL(writev, ssize_t (*)(int, const struct iovec *, int))(into, all, 1 + count);
    pthread_mutex_unlock(&one);
    if (done != (ssize_t)(sizeof header + total)) {
        fprintf(stderr, "recorder: the record cannot be written\n");
        abort();
    }
    errno = kept;
}

static void record_text(enum kind kind, int descriptor, int flags, const char *text, const char *other) {
    struct iovec parts[2] = { { (void *)text, strlen(text) + 1 }, { (void *)other, other == NULL ? 0 : strlen(other) + 1 } };
    record(kind, descriptor, 0, flags, parts, other == NULL ? 1 : 2);
}

static int is_below(const char *path) {
    return strncmp(path, below, below_length) == 0 && (path[below_length] == '/' || path[below_length] == 0);
}

/* The whole path in `full`; 0 where it is none of ours. */
static int ours(int folder, const char *path, char full[PATH_MAX]) {
    if (into < 0 || path == NULL) {
        return 0;
    }
    if (path[0] == '/') {
        if (strlen(path) >= PATH_MAX) {
            return 0;
        }
        strcpy(full, path);
        return is_below(full);
    }
    char start[PATH_MAX];
    if (folder == AT_FDCWD) {
        if (getcwd(start, sizeof start) == NULL) {
            return 0;
        }
    } else {
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t length = readlink(link, start, sizeof start - 1);
        if (length < 0) {
            return 0;
        }
        start[length] = 0;
    }
    int length = strcmp(path, ".") == 0 ? snprintf(full, PATH_MAX, "%s", start) : snprintf(full, PATH_MAX, "%s/%s", start, path);
    return length > 0 && length < PATH_MAX && is_below(full);
}

static int is_watched(int descriptor) {
    return descriptor >= 0 && descriptor < DESCRIPTORS && watched[descriptor];
}

/* Whether memory of SQLite's that does not outlive the machine: it is made anew. */
static int is_shared_memory(const char *path) {
    size_t length = strlen(path);
    return length > 4 && strcmp(path + length - 4, "-shm") == 0;
}

static int opened(int descriptor, int folder, const char *path, int flags) {
    if (descriptor < 0 || descriptor >= DESCRIPTORS) {
        return descriptor;
    }
    char full[PATH_MAX];
    struct stat found;
    watched[descriptor] = 0;
    if (ours(folder, path, full) && !is_shared_memory(full) && fstat(descriptor, &found) == 0) {
        int is_folder = S_ISDIR(found.st_mode);
        if (is_folder || S_ISREG(found.st_mode)) {
            watched[descriptor] = is_folder ? 2 : 1;
            record_text(OPENED, descriptor, (flags & O_TRUNC ? 1 : 0) | (is_folder ? 2 : 0) | (flags & O_APPEND ? 4 : 0), full, NULL);
        }
    }
    return descriptor;
}

static mode_t mode_of(int flags, va_list rest) {
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(rest, mode_t) : 0;
}

#define OPEN(name)                                                                                      \
    int name(const char *path, int flags, ...) {                                                        \
        va_list rest;                                                                                   \
        va_start(rest, flags);                                                                          \
        mode_t mode = mode_of(flags, rest);                                                             \
        va_end(rest);                                                                                   \
        return opened(REAL(name, int (*)(const char *, int, ...))(path, flags, mode), AT_FDCWD, path, flags); \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                                    \
    int name(int folder, const char *path, int flags, ...) {                                            \
        va_list rest;                                                                                   \
        va_start(rest, flags);                                                                          \
        mode_t mode = mode_of(flags, rest);                                                             \
        va_end(rest);                                                                                   \
        return opened(REAL(name, int (*)(int, const char *, int, ...))(folder, path, flags, mode), folder, path, flags); \
    }
OPENAT(openat)
OPENAT(openat64)

int close(int descriptor) {
    if (descriptor >= 0 && descriptor < DESCRIPTORS) {
        watched[descriptor] = 0;
    }
    return REAL(close, int (*)(int))(descriptor);
}

static ssize_t wrote(int descriptor, ssize_t done, uint64_t offset, const struct iovec *parts, int count) {
    if (done <= 0 || !is_watched(descriptor)) {
        return done;
    }
    /* A short write: only what was taken. */
    struct iovec taken[IOV_MAX];
    size_t left = (size_t)done;
    int used = 0;
    for (; used < count && left > 0; used++) {
        taken[used] = parts[used];
        if (taken[used].iov_len > left) {
            taken[used].iov_len = left;
        }
        left -= taken[used].iov_len;
    }
    record(WRITTEN, descriptor, offset, 0, taken, used);
    return done;
}

/* Where a write without offset went: the descriptor's place has moved on by what was taken. */
static uint64_t came_from(int descriptor, ssize_t done) {
    int kept = errno;
    off_t now = lseek(descriptor, 0, SEEK_CUR);
    errno = kept;
    return now < done ? 0 : (uint64_t)(now - done);
}

ssize_t write(int descriptor, const void *content, size_t length) {
    ssize_t done = REAL(write, ssize_t (*)(int, const void *, size_t))(descriptor, content, length);
    if (done <= 0 || !is_watched(descriptor)) {
        return done;
    }
    struct iovec part = { (void *)content, length };
    return wrote(descriptor, done, came_from(descriptor, done), &part, 1);
}

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
    ssize_t done = REAL(writev, ssize_t (*)(int, const struct iovec *, int))(descriptor, parts, count);
    if (done <= 0 || !is_watched(descriptor)) {
        return done;
    }
    return wrote(descriptor, done, came_from(descriptor, done), parts, count);
}

#define PWRITE(name, offset_type)                                                                       \
    ssize_t name(int descriptor, const void *content, size_t length, offset_type offset) {              \
        struct iovec part = { (void *)content, length };                                                \
        return wrote(descriptor, REAL(name, ssize_t (*)(int, const void *, size_t, offset_type))(descriptor, content, length, offset), (uint64_t)offset, &part, 1); \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define PWRITEV(name, offset_type)                                                                      \
    ssize_t name(int descriptor, const struct iovec *parts, int count, offset_type offset) {            \
        return wrote(descriptor, REAL(name, ssize_t (*)(int, const struct iovec *, int, offset_type))(descriptor, parts, count, offset), (uint64_t)offset, parts, count); \
    }
PWRITEV(pwritev, off_t)
PWRITEV(pwritev64, off64_t)

#define TRUNCATE(name, offset_type)                                                                     \
    int name(int descriptor, offset_type length) {                                                      \
        int done = REAL(name, int (*)(int, offset_type))(descriptor, length);                           \
        if (done == 0 && is_watched(descriptor)) {                                                      \
            record(TRUNCATED, descriptor, (uint64_t)length, 0, NULL, 0);                                \
        }                                                                                               \
        return done;                                                                                    \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

#define SYNC(name)                                                                                      \
    int name(int descriptor) {                                                                          \
        if (!is_watched(descriptor)) {                                                                  \
            return REAL(name, int (*)(int))(descriptor);                                                \
        }                                                                                               \
        uint64_t number = __atomic_add_fetch(&syncs, 1, __ATOMIC_SEQ_CST);                              \
        record(SYNC_CALLED, descriptor, number, 0, NULL, 0);                                            \
        int done = REAL(name, int (*)(int))(descriptor);                                                \
        if (done == 0) {                                                                                \
            record(SYNC_DONE, descriptor, number, 0, NULL, 0);                                          \
        }                                                                                               \
        return done;                                                                                    \
    }
SYNC(fsync)
SYNC(fdatasync)

static int renamed(int done, int from_folder, const char *from, int to_folder, const char *to) {
    char full_from[PATH_MAX], full_to[PATH_MAX];
    if (done == 0 && (ours(from_folder, from, full_from) | ours(to_folder, to, full_to))) {
        if (is_below(full_from) && is_below(full_to)) {
            record_text(RENAMED, -1, 0, full_from, full_to);
        } else {
            record_text(STRANGE, -1, 0, "a rename into or out of the folder", NULL);
        }
    }
    return done;
}

int rename(const char *from, const char *to) {
    return renamed(REAL(rename, int (*)(const char *, const char *))(from, to), AT_FDCWD, from, AT_FDCWD, to);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    return renamed(REAL(renameat, int (*)(int, const char *, int, const char *))(from_folder, from, to_folder, to), from_folder, from, to_folder, to);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned int flags) {
    return renamed(REAL(renameat2, int (*)(int, const char *, int, const char *, unsigned int))(from_folder, from, to_folder, to, flags), from_folder, from, to_folder, to);
}

static int named(int done, enum kind kind, int folder, const char *path) {
    char full[PATH_MAX];
    if (done == 0 && ours(folder, path, full) && !is_shared_memory(full)) {
        record_text(kind, -1, 0, full, NULL);
    }
    return done;
}

int unlink(const char *path) {
    return named(REAL(unlink, int (*)(const char *))(path), UNLINKED, AT_FDCWD, path);
}

int unlinkat(int folder, const char *path, int flags) {
    return named(REAL(unlinkat, int (*)(int, const char *, int))(folder, path, flags), flags & AT_REMOVEDIR ? REMOVED_FOLDER : UNLINKED, folder, path);
}

int rmdir(const char *path) {
    return named(REAL(rmdir, int (*)(const char *))(path), REMOVED_FOLDER, AT_FDCWD, path);
}

int mkdir(const char *path, mode_t mode) {
    return named(REAL(mkdir, int (*)(const char *, mode_t))(path, mode), MADE_FOLDER, AT_FDCWD, path);
}

int mkdirat(int folder, const char *path, mode_t mode) {
    return named(REAL(mkdirat, int (*)(int, const char *, mode_t))(folder, path, mode), MADE_FOLDER, folder, path);
}

/* What the record has no words for. */
static void strange(int descriptor, const char *what) {
    if (is_watched(descriptor)) {
        record_text(STRANGE, descriptor, 0, what, NULL);
    }
}

#define FALLOCATE(name, offset_type)                                                                    \
    int name(int descriptor, int mode, offset_type offset, offset_type length) {                        \
        strange(descriptor, "fallocate");                                                               \
        return REAL(name, int (*)(int, int, offset_type, offset_type))(descriptor, mode, offset, length); \
    }
FALLOCATE(fallocate, off_t)
FALLOCATE(fallocate64, off64_t)

#define POSIX_FALLOCATE(name, offset_type)                                                              \
    int name(int descriptor, offset_type offset, offset_type length) {                                  \
        strange(descriptor, "posix_fallocate");                                                         \
        return REAL(name, int (*)(int, offset_type, offset_type))(descriptor, offset, length);          \
    }
POSIX_FALLOCATE(posix_fallocate, off_t)
POSIX_FALLOCATE(posix_fallocate64, off64_t)

ssize_t copy_file_range(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t length, unsigned int flags) {
    strange(to, "copy_file_range");
    return REAL(copy_file_range, ssize_t (*)(int, off64_t *, int, off64_t *, size_t, unsigned int))(from, from_offset, to, to_offset, length, flags);
}

ssize_t sendfile(int to, int from, off_t *offset, size_t length) {
    strange(to, "sendfile");
    return REAL(sendfile, ssize_t (*)(int, int, off_t *, size_t))(to, from, offset, length);
}

int link(const char *from, const char *to) {
    return named(REAL(link, int (*)(const char *, const char *))(from, to), STRANGE, AT_FDCWD, to);
}

int symlink(const char *from, const char *to) {
    return named(REAL(symlink, int (*)(const char *, const char *))(from, to), STRANGE, AT_FDCWD, to);
}

#define MMAP(name, offset_type)                                                                         \
    void *name(void *at, size_t length, int protection, int flags, int descriptor, offset_type offset) { \
        if ((flags & MAP_SHARED) && (protection & PROT_WRITE)) {                                        \
            strange(descriptor, "a shared writable mapping");                                           \
        }                                                                                               \
        return REAL(name, void *(*)(void *, size_t, int, int, int, offset_type))(at, length, protection, flags, descriptor, offset); \
    }
MMAP(mmap, off_t)
MMAP(mmap64, off64_t)
