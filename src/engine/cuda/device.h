/* SPDX-License-Identifier: Apache-2.0 */
/* A GPU as the engine sees it: memory, one stream of work in order, recordings of work that are played again.
 *
 * device.c is the CUDA runtime's; tests/engine/cuda_host/device.c is the same on the host, so that all the rest of the
 * engine, kernels included, runs where there is no GPU. */
#ifndef CNNSWEEP_ENGINE_CUDA_DEVICE_H
#define CNNSWEEP_ENGINE_CUDA_DEVICE_H

#include "cnnsweep/engine.h"

typedef void *cu_stream; /* cudaStream_t */
typedef struct cu_device cu_device;

/* How many GPUs this process can use; 0 with the reason in the error (no driver, a driver that is too old, none
 * visible). */
CS_MUST_CHECK cs_status cu_device_count(int *out);
/* The GPU of this rank: local_rank modulo the GPUs that CUDA_VISIBLE_DEVICES leaves. */
CS_MUST_CHECK cs_status cu_device_open(const cs_engine_options *options, cs_engine_place *place, cu_device **out);
void cu_device_close(cu_device *device); /* NULL-safe */
cu_stream cu_device_stream(const cu_device *device);
int cu_device_index(const cu_device *device);
bool cu_device_is_shared(const cu_device *device);     /* by ranks of this node */
const char *cu_device_bus_id(const cu_device *device); /* of all GPUs of this machine, seen by this process or not */
size_t cu_device_free_memory(const cu_device *device); /* bytes */

/* Device memory, zeroed, aligned to 256 bytes; CS_ERR_NO_MEMORY says how much was wanted and how much is free. */
CS_MUST_CHECK cs_status cu_alloc(cu_device *device, size_t bytes, const char *what, void **out);
void cu_free(cu_device *device, void *memory); /* NULL-safe; waits for the stream */
/* Host memory that copies go through at full speed, and behind the stream's back. */
CS_MUST_CHECK cs_status cu_alloc_pinned(cu_device *device, size_t bytes, const char *what, void **out);
void cu_free_pinned(cu_device *device, void *memory); /* NULL-safe */

/* In the stream's order; `host` is pinned and must stay until the stream is there. */
CS_MUST_CHECK cs_status cu_copy_in(cu_device *device, void *to, const void *host, size_t bytes);
CS_MUST_CHECK cs_status cu_copy_out(cu_device *device, void *host, const void *from, size_t bytes);
CS_MUST_CHECK cs_status cu_copy(cu_device *device, void *to, const void *from, size_t bytes);
CS_MUST_CHECK cs_status cu_clear(cu_device *device, void *memory, size_t bytes);
/* Until all work is done; reports what failed in it. */
CS_MUST_CHECK cs_status cu_wait(cu_device *device);
/* From now on cu_wait asks this while it waits, and ends when it fails: work may depend on what never comes. NULL: no
 * longer. */
typedef cs_status cu_watch(void *context);
void cu_device_watch(cu_device *device, cu_watch *watch, void *context);
/* After launches: reports one that could not be started. */
CS_MUST_CHECK cs_status cu_check_launches(cu_device *device, const char *what);

/* A second stream, for copies that go on while the first one works. A mark is a place in a stream that the other one
 * can wait for. */
typedef struct cu_mark cu_mark;
CS_MUST_CHECK cs_status cu_copy_in_behind(cu_device *device, void *to, const void *host, size_t bytes);
CS_MUST_CHECK cs_status cu_mark_open(cu_device *device, cu_mark **out);
void cu_mark_close(cu_mark *mark);                                        /* NULL-safe */
CS_MUST_CHECK cs_status cu_mark_work(cu_device *device, cu_mark *mark);   /* the first stream's place */
CS_MUST_CHECK cs_status cu_mark_copies(cu_device *device, cu_mark *mark); /* the second one's */
CS_MUST_CHECK cs_status cu_work_waits(cu_device *device, cu_mark *mark);
CS_MUST_CHECK cs_status cu_copies_wait(cu_device *device, cu_mark *mark);
CS_MUST_CHECK cs_status cu_host_waits(cu_device *device, cu_mark *mark);

/* Recordings (CUDA graphs). What is enqueued between begin and end is not done but recorded; addresses are part of it,
 * what lies there is not. Nothing may be allocated or waited for meanwhile. *out stays NULL where the device cannot. */
typedef struct cu_recording cu_recording;
CS_MUST_CHECK cs_status cu_record_begin(cu_device *device);
CS_MUST_CHECK cs_status cu_record_end(cu_device *device, cu_recording **out);
CS_MUST_CHECK cs_status cu_play(cu_device *device, cu_recording *recording);
void cu_recording_free(cu_recording *recording); /* NULL-safe */
bool cu_device_records(const cu_device *device); /* the host's does not */

#endif
