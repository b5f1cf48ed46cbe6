/* Writes down, in order, all that a program does to the files under one folder.

   Loaded into the program before the C library (LD_PRELOAD). POWERCUT_FOLDER is the folder, an
   absolute path without links in it; POWERCUT_LOG the file that the record goes to; what the program
   writes to POWERCUT_MARKS is put into the record as marks. powercut.py reads the record.

   An entry is a line and the bytes that it announces:
       create INODE 0 LENGTH      the path of a new file
       write INODE OFFSET LENGTH  the bytes
       size INODE SIZE 0
       sync INODE 0 0             of a file or folder
       folder INODE 0 LENGTH      the path of a new folder
       rename 0 SPLIT LENGTH      the two paths, the first one SPLIT bytes long
       link 0 SPLIT LENGTH
       remove 0 0 LENGTH          the path of a file or empty folder
       mark 0 0 LENGTH            the bytes
   Shared maps are not seen: SQLite has one, of a file that it makes again (-shm). */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST_FILES 4096
#define OTHER 0
#define INSIDE 1
#define MARKS 2

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static char kinds[MOST_FILES]; /* of open descriptors */
static int record = -1;
static const char *folder, *marks;

__attribute__((constructor)) static void begin(void) {
    const char *log = getenv("POWERCUT_LOG");
    folder = getenv("POWERCUT_FOLDER");
    marks = getenv("POWERCUT_MARKS");
    if (log && folder)
        record = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
                              0600);
}

static void put(const void *bytes, size_t length) {
    const char *at = bytes;
    while (length) {
        ssize_t done = syscall(SYS_write, record, at, length);
        if (done <= 0) abort(); /* a record with a hole would prove nothing */
        at += done;
        length -= (size_t)done;
    }
}

static void tell(const char *what, ino_t inode, long long number, const void *bytes, size_t length) {
    char line[128];
    int size = snprintf(line, sizeof line, "%s %llu %lld %zu\n", what, (unsigned long long)inode,
                        number, length);
    put(line, (size_t)size);
    put(bytes, length);
}

static void tell_two(const char *what, const char *from, const char *to) {
    char both[8192];
    int size = snprintf(both, sizeof both, "%s%s", from, to);
    tell(what, 0, (long long)strlen(from), both, (size_t)size);
}

/* The absolute path of `name` beside the open folder `at`. */
static void resolve(int at, const char *name, char *path, size_t room) {
    char link[64];
    ssize_t length = 0;
    if (name[0] == '/') {
        snprintf(path, room, "%s", name);
        return;
    }
    if (at == AT_FDCWD) {
        if (getcwd(path, room)) length = (ssize_t)strlen(path);
    } else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", at);
        length = readlink(link, path, room - 1);
    }
    if (length < 0) length = 0;
    snprintf(path + length, room - (size_t)length, "/%s", name);
}

static int kind_of(const char *path) {
    size_t length = folder ? strlen(folder) : 0;
    if (record < 0) return OTHER;
    if (marks && !strcmp(path, marks)) return MARKS;
    return !strncmp(path, folder, length) && (path[length] == '/' || !path[length]) ? INSIDE : OTHER;
}

static int kind_of_open(int file) {
    return file >= 0 && file < MOST_FILES ? kinds[file] : OTHER;
}

static ino_t inode_of(int file) {
    struct stat found;
    return syscall(SYS_fstat, file, &found) ? 0 : found.st_ino;
}

static int open_at(int at, const char *name, int flags, mode_t mode) {
    char path[4096];
    struct stat before;
    int file, kind, existed;
    resolve(at, name, path, sizeof path);
    kind = kind_of(path);
    if (kind == OTHER) {
        file = (int)syscall(SYS_openat, at, name, flags, mode);
        if (file >= 0 && file < MOST_FILES) kinds[file] = OTHER;
        return file;
    }
    pthread_mutex_lock(&lock);
    existed = !syscall(SYS_newfstatat, AT_FDCWD, path, &before, 0);
    file = (int)syscall(SYS_openat, at, name, flags, mode);
    if (file >= 0) {
        if (file >= MOST_FILES) abort();
        kinds[file] = (char)kind;
        if (kind == INSIDE && !existed)
            tell("create", inode_of(file), 0, path, strlen(path));
        else if (kind == INSIDE && flags & O_TRUNC)
            tell("size", inode_of(file), 0, "", 0);
    }
    pthread_mutex_unlock(&lock);
    return file;
}

static mode_t mode_of(int flags, va_list rest) {
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
}

#define OPEN(name, extra)                                                                         \
    int name(const char *path, int flags, ...) {                                                  \
        va_list rest;                                                                             \
        va_start(rest, flags);                                                                    \
        mode_t mode = mode_of(flags, rest);                                                       \
        va_end(rest);                                                                             \
        return open_at(AT_FDCWD, path, flags | extra, mode);                                      \
    }
OPEN(open, 0)
OPEN(open64, O_LARGEFILE)

#define OPENAT(name, extra)                                                                       \
    int name(int at, const char *path, int flags, ...) {                                          \
        va_list rest;                                                                             \
        va_start(rest, flags);                                                                    \
        mode_t mode = mode_of(flags, rest);                                                       \
        va_end(rest);                                                                             \
        return open_at(at, path, flags | extra, mode);                                            \
    }
OPENAT(openat, 0)
OPENAT(openat64, O_LARGEFILE)

int __open_2(const char *path, int flags) { return open_at(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return open_at(AT_FDCWD, path, flags, 0); }
int creat(const char *path, mode_t mode) {
    return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int close(int file) {
    if (file >= 0 && file < MOST_FILES) kinds[file] = OTHER;
    return (int)syscall(SYS_close, file);
}

ssize_t write(int file, const void *bytes, size_t length) {
    int kind = kind_of_open(file);
    ssize_t done;
    if (kind == OTHER) return syscall(SYS_write, file, bytes, length);
    pthread_mutex_lock(&lock);
    done = syscall(SYS_write, file, bytes, length);
    if (done > 0 && kind == MARKS) tell("mark", 0, 0, bytes, (size_t)done);
    if (done > 0 && kind == INSIDE)
        tell("write", inode_of(file), lseek(file, 0, SEEK_CUR) - done, bytes, (size_t)done);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t offset) {
    ssize_t done;
    if (kind_of_open(file) != INSIDE) return syscall(SYS_pwrite64, file, bytes, length, offset);
    pthread_mutex_lock(&lock);
    done = syscall(SYS_pwrite64, file, bytes, length, offset);
    if (done > 0) tell("write", inode_of(file), offset, bytes, (size_t)done);
    pthread_mutex_unlock(&lock);
    return done;
}
ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t offset) {
    return pwrite(file, bytes, length, (off_t)offset);
}

ssize_t writev(int file, const struct iovec *parts, int count) {
    ssize_t all = 0;
    if (kind_of_open(file) == OTHER) return syscall(SYS_writev, file, parts, count);
    for (int each = 0; each < count; each++) {
        ssize_t done = write(file, parts[each].iov_base, parts[each].iov_len);
        if (done < 0) return all ? all : done;
        all += done;
    }
    return all;
}

ssize_t pwritev(int file, const struct iovec *parts, int count, off_t offset) {
    ssize_t all = 0;
    for (int each = 0; each < count; each++) {
        ssize_t done = pwrite(file, parts[each].iov_base, parts[each].iov_len, offset + all);
        if (done < 0) return all ? all : done;
        all += done;
    }
    return all;
}
ssize_t pwritev64(int file, const struct iovec *parts, int count, off64_t offset) {
    return pwritev(file, parts, count, (off_t)offset);
}

int ftruncate(int file, off_t size) {
    int result;
    pthread_mutex_lock(&lock);
    result = (int)syscall(SYS_ftruncate, file, size);
    if (!result && kind_of_open(file) == INSIDE) tell("size", inode_of(file), size, "", 0);
    pthread_mutex_unlock(&lock);
    return result;
}
int ftruncate64(int file, off64_t size) { return ftruncate(file, (off_t)size); }

static int synced(int file, long call) {
    int result;
    pthread_mutex_lock(&lock);
    result = (int)syscall(call, file);
    if (!result && kind_of_open(file) == INSIDE) tell("sync", inode_of(file), 0, "", 0);
    pthread_mutex_unlock(&lock);
    return result;
}
int fsync(int file) { return synced(file, SYS_fsync); }
int fdatasync(int file) { return synced(file, SYS_fdatasync); }

static int two(const char *what, int from_at, const char *from, int to_at, const char *to,
               unsigned flags) {
    char source[4096], target[4096];
    int result;
    resolve(from_at, from, source, sizeof source);
    resolve(to_at, to, target, sizeof target);
    pthread_mutex_lock(&lock);
    if (*what == 'r')
        result = (int)syscall(SYS_renameat2, from_at, from, to_at, to, flags);
    else
        result = (int)syscall(SYS_linkat, from_at, from, to_at, to, flags);
    if (!result && (kind_of(source) == INSIDE || kind_of(target) == INSIDE))
        tell_two(what, source, target);
    pthread_mutex_unlock(&lock);
    return result;
}
int rename(const char *from, const char *to) { return two("rename", AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int from_at, const char *from, int to_at, const char *to) {
    return two("rename", from_at, from, to_at, to, 0);
}
int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
    return two("rename", from_at, from, to_at, to, flags);
}
int link(const char *from, const char *to) { return two("link", AT_FDCWD, from, AT_FDCWD, to, 0); }
int linkat(int from_at, const char *from, int to_at, const char *to, int flags) {
    return two("link", from_at, from, to_at, to, (unsigned)flags);
}

int unlinkat(int at, const char *name, int flags) {
    char path[4096];
    int result;
    resolve(at, name, path, sizeof path);
    pthread_mutex_lock(&lock);
    result = (int)syscall(SYS_unlinkat, at, name, flags);
    if (!result && kind_of(path) == INSIDE) tell("remove", 0, 0, path, strlen(path));
    pthread_mutex_unlock(&lock);
    return result;
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdirat(int at, const char *name, mode_t mode) {
    char path[4096];
    struct stat made;
    int result;
    resolve(at, name, path, sizeof path);
    pthread_mutex_lock(&lock);
    result = (int)syscall(SYS_mkdirat, at, name, mode);
    if (!result && kind_of(path) == INSIDE && !syscall(SYS_newfstatat, AT_FDCWD, path, &made, 0))
        tell("folder", made.st_ino, 0, path, strlen(path));
    pthread_mutex_unlock(&lock);
    return result;
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }
