/* SPDX-License-Identifier: Apache-2.0 */
/* A GPU as the engine sees it: memory, a stream for the work, a second one for copies, and CUDA graphs.
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
CS_MUST_CHECK cs_status cu_device_open(const cs_engine_options *options, cs_device_info *info, cu_device **out);
void cu_device_close(cu_device *device); /* NULL-safe */
cu_stream cu_device_stream(const cu_device *device);
int cu_device_index(const cu_device *device);
bool cu_device_is_shared(const cu_device *device);     /* by ranks of this node */
const char *cu_device_bus_id(const cu_device *device); /* of all GPUs of this machine, seen by this process or not */
size_t cu_device_free_memory(const cu_device *device); /* bytes */

/* Device memory, zeroed, aligned to 256 bytes; CS_ERR_NO_MEMORY says how much was wanted and how much is free. */
CS_MUST_CHECK cs_status cu_alloc(cu_device *device, size_t bytes, const char *what, void **out);
void cu_free(cu_device *device, void *memory); /* NULL-safe; waits for the stream */
/* Pinned host memory: copies from and to it run at full speed and do not make the host wait. */
CS_MUST_CHECK cs_status cu_alloc_pinned(cu_device *device, size_t bytes, const char *what, void **out);
void cu_free_pinned(cu_device *device, void *memory); /* NULL-safe */

/* Copies and clears are enqueued on the work stream. `host` is pinned, and must not change until the stream has passed.
 */
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

/* The copy stream runs copies while the work stream computes. An event is a point in one stream that the other stream,
 * or the host, can wait for. */
typedef struct cu_event cu_event;
CS_MUST_CHECK cs_status cu_copy_in_aside(cu_device *device, void *to, const void *host, size_t bytes); /* copy stream */
CS_MUST_CHECK cs_status cu_event_open(cu_device *device, cu_event **out);
void cu_event_close(cu_event *event);                                               /* NULL-safe */
CS_MUST_CHECK cs_status cu_event_record(cu_device *device, cu_event *event);        /* in the work stream */
CS_MUST_CHECK cs_status cu_event_record_copies(cu_device *device, cu_event *event); /* in the copy stream */
CS_MUST_CHECK cs_status cu_stream_waits(cu_device *device, cu_event *event);        /* the work stream */
CS_MUST_CHECK cs_status cu_copy_stream_waits(cu_device *device, cu_event *event);
CS_MUST_CHECK cs_status cu_event_synchronize(cu_device *device, cu_event *event); /* the host waits */

/* CUDA graphs. What is enqueued between capture_begin and capture_end does not run but is captured, with the addresses
 * it uses and not with what lies there. Nothing may be allocated or waited for during a capture. *out stays NULL where
 * the device cannot capture. */
typedef struct cu_capture cu_capture;
CS_MUST_CHECK cs_status cu_capture_begin(cu_device *device);
CS_MUST_CHECK cs_status cu_capture_end(cu_device *device, cu_capture **out);
CS_MUST_CHECK cs_status cu_capture_launch(cu_device *device, cu_capture *capture);
void cu_capture_free(cu_capture *capture);        /* NULL-safe */
bool cu_device_captures(const cu_device *device); /* the device on the host does not */

#endif
