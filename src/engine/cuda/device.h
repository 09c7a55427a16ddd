/* SPDX-License-Identifier: Apache-2.0 */
/* A GPU: memory, a stream for kernels, a second stream for copies, and CUDA graphs.
 *
 * device.c implements this with the CUDA runtime, and tests/engine/cuda_host/device.c on the host, so that the rest of
 * the engine, kernels included, runs without a GPU. */
#ifndef CNNSWEEP_ENGINE_CUDA_DEVICE_H
#define CNNSWEEP_ENGINE_CUDA_DEVICE_H

#include "cnnsweep/engine.h"

typedef void *cu_stream; /* cudaStream_t */
typedef struct cu_device cu_device;

/* The number of GPUs that this process can use. If it is 0, the error contains the reason (no driver, a driver that is
 * too old, no visible GPU). */
CS_MUST_CHECK cs_status cu_device_count(int *out);
/* Opens the GPU of this rank: local_rank modulo the number of GPUs that CUDA_VISIBLE_DEVICES leaves. */
CS_MUST_CHECK cs_status cu_device_open(const cs_engine_options *options, cs_device_info *info, cu_device **out);
void cu_device_close(cu_device *device); /* NULL-safe */
cu_stream cu_device_stream(const cu_device *device);
int cu_device_index(const cu_device *device);
bool cu_device_is_shared(const cu_device *device); /* do ranks of this node share the GPU? */
/* Identifies the GPU on this machine, whichever GPUs the process sees. */
const char *cu_device_bus_id(const cu_device *device);
size_t cu_device_free_memory(const cu_device *device); /* bytes */

/* Allocates zeroed device memory, aligned to 256 bytes. The message of CS_ERR_NO_MEMORY contains the requested and the
 * free bytes. */
CS_MUST_CHECK cs_status cu_alloc(cu_device *device, size_t bytes, const char *what, void **out);
void cu_free(cu_device *device, void *memory); /* NULL-safe; waits for the stream */
/* Allocates pinned host memory, from and to which copies run at full speed and asynchronously. */
CS_MUST_CHECK cs_status cu_alloc_pinned(cu_device *device, size_t bytes, const char *what, void **out);
void cu_free_pinned(cu_device *device, void *memory); /* NULL-safe */

/* These enqueue copies and clears on the work stream. `host` is pinned memory and must not change until the stream has
 * executed the copy. */
CS_MUST_CHECK cs_status cu_copy_in(cu_device *device, void *to, const void *host, size_t bytes);
CS_MUST_CHECK cs_status cu_copy_out(cu_device *device, void *host, const void *from, size_t bytes);
CS_MUST_CHECK cs_status cu_copy(cu_device *device, void *to, const void *from, size_t bytes);
CS_MUST_CHECK cs_status cu_clear(cu_device *device, void *memory, size_t bytes);
/* Waits until all work has finished, and returns errors of that work. */
CS_MUST_CHECK cs_status cu_wait(cu_device *device);
/* cu_wait calls this function while it waits, and returns its error if it fails, because the work may depend on another
 * rank that has ended. NULL: no function. */
typedef cs_status cu_watch(void *context);
void cu_device_watch(cu_device *device, cu_watch *watch, void *context);
/* To be called after kernel launches: returns an error if one could not be started. */
CS_MUST_CHECK cs_status cu_check_launches(cu_device *device, const char *what);

/* The copy stream runs copies while the work stream runs kernels. An event is a point in one stream for which the other
 * stream or the host can wait. */
typedef struct cu_event cu_event;
/* Copies in the copy stream. */
CS_MUST_CHECK cs_status cu_copy_in_background(cu_device *device, void *to, const void *host, size_t bytes);
CS_MUST_CHECK cs_status cu_event_open(cu_device *device, cu_event **out);
void cu_event_close(cu_event *event);                                               /* NULL-safe */
CS_MUST_CHECK cs_status cu_event_record(cu_device *device, cu_event *event);        /* in the work stream */
CS_MUST_CHECK cs_status cu_event_record_copies(cu_device *device, cu_event *event); /* in the copy stream */
CS_MUST_CHECK cs_status cu_stream_waits(cu_device *device, cu_event *event);        /* the work stream */
CS_MUST_CHECK cs_status cu_copy_stream_waits(cu_device *device, cu_event *event);
CS_MUST_CHECK cs_status cu_event_synchronize(cu_device *device, cu_event *event); /* the host waits */

/* CUDA graphs. Work that is enqueued between capture_begin and capture_end does not run but is captured. The CUDA graph
 * contains the addresses that the work uses, but not the contents of the memory. A capture must not allocate or wait.
 * *out stays NULL if the device cannot capture. */
typedef struct cu_capture cu_capture;
CS_MUST_CHECK cs_status cu_capture_begin(cu_device *device);
CS_MUST_CHECK cs_status cu_capture_end(cu_device *device, cu_capture **out);
CS_MUST_CHECK cs_status cu_capture_launch(cu_device *device, cu_capture *capture);
void cu_capture_free(cu_capture *capture);        /* NULL-safe */
bool cu_device_captures(const cu_device *device); /* false for the host device of the tests */

#endif
