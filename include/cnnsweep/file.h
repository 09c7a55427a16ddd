/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are either complete or absent, locks between processes, checksums, folders. */
#ifndef CNNSWEEP_FILE_H
#define CNNSWEEP_FILE_H

#include "cnnsweep/status.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { CS_PATH_MAX = 1024 };

/* A file that appears under `path` only when it is committed. It is written as "<path>.tmp.<pid>", then flushed, synced
 * with fsync and renamed. Aborting removes it. */
typedef struct cs_atomic_file cs_atomic_file;
CS_MUST_CHECK cs_status cs_atomic_open(const char *path, cs_atomic_file **out);
FILE *cs_atomic_stream(cs_atomic_file *file);
CS_MUST_CHECK cs_status cs_atomic_commit(cs_atomic_file **file); /* frees and clears *file, also on failure */
/* Commits without syncing, which takes milliseconds less: for what can be made again, such as charts. Readers find the
 * whole file or the one before it, but after a crash of the machine the file may be empty. */
CS_MUST_CHECK cs_status cs_atomic_publish(cs_atomic_file **file);
void cs_atomic_abort(cs_atomic_file **file); /* NULL-safe */

/* Writes `size` bytes atomically. */
CS_MUST_CHECK cs_status cs_file_write(const char *path, const void *bytes, size_t size);
/* The same without waiting for the disk, so that a crash of the machine may leave the file empty. It is written as
 * "<path>.tmp", so only one process may do so at a time. */
CS_MUST_CHECK cs_status cs_file_replace(const char *path, const void *bytes, size_t size);
/* Reads a whole file into malloc'ed memory and adds a NUL at its end. A file of more than `limit` bytes is an error. */
CS_MUST_CHECK cs_status cs_file_read(const char *path, size_t limit, char **bytes, size_t *size);
/* Syncs a file or a folder, given by name, to disk. */
CS_MUST_CHECK cs_status cs_file_sync(const char *path);

/* Gives a finished file its final name: syncs it, renames it, and syncs the folder. */
CS_MUST_CHECK cs_status cs_file_move(const char *from, const char *to);
/* The same where `to` exists: what was there gets the name `from`, at once, so that readers find the one or the other.
 * On a file system that cannot do this (NFS), a file is overwritten, and folders are an error. */
CS_MUST_CHECK cs_status cs_file_exchange(const char *from, const char *to);

/* A lock between processes, held on the file `path`, which exists only while the lock is held. The lock ends with the
 * process that holds it, however that process ends. *out is NULL when another process holds the lock or has just
 * released it: then try again. The lock does not exclude other threads of the same process. CS_ERR_UNSUPPORTED where
 * the file system has no locks. */
typedef struct cs_file_lock cs_file_lock;
CS_MUST_CHECK cs_status cs_file_lock_try(const char *path, cs_file_lock **out);
void cs_file_lock_release(cs_file_lock *lock); /* NULL-safe */
/* Whether another process holds the lock. Looking leaves no file behind. */
bool cs_file_locked(const char *path);

bool cs_file_exists(const char *path);
bool cs_is_folder(const char *path);
/* Creates a folder and its parents (mkdir -p). */
CS_MUST_CHECK cs_status cs_folder_create(const char *path);
/* Removes a file, or a folder with everything in it. If there is none, that is no error. */
CS_MUST_CHECK cs_status cs_remove_all(const char *path);

/* A pointer of Git LFS, or a page that a server sent in place of a file, is CS_ERR_FORMAT that says so and names the
 * file. The bytes are the beginning of the file; the second function reads them. */
CS_MUST_CHECK cs_status cs_refuse_stand_in(const char *name, const void *bytes, size_t size);
CS_MUST_CHECK cs_status cs_refuse_stand_in_file(const char *path);

/* Prints a path into `out`, as snprintf does. A path that needs more than `size` bytes is CS_ERR_ARG. */
CS_MUST_CHECK cs_status cs_path(char *out, size_t size, const char *fmt, ...) CS_PRINTF(3, 4);

/* The 64-bit XXH3 checksum, of one block of memory or of a stream of blocks. */
uint64_t cs_checksum(const void *bytes, size_t size);
typedef struct cs_checksum_stream cs_checksum_stream;
CS_MUST_CHECK cs_status cs_checksum_open(cs_checksum_stream **out);
void cs_checksum_add(cs_checksum_stream *stream, const void *bytes, size_t size);
uint64_t cs_checksum_close(cs_checksum_stream *stream); /* frees it; 0 for NULL */
/* The checksum of a file's bytes. It must be a regular file. */
CS_MUST_CHECK cs_status cs_checksum_file(const char *path, uint64_t *out);

#endif
