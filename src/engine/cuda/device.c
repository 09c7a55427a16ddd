/* SPDX-License-Identifier: Apache-2.0 */
#include "device.h"
#include "runtime.h"

#include "cnnsweep/memory.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

struct cu_device {
    int index; /* index among the GPUs that this process sees */
    bool is_shared;
    char bus_id[32];
    cudaStream_t work, copies;
    cu_watch *watch;
    void *watched;
};

struct cu_event {
    cudaEvent_t code;
};

struct cu_capture {
    cudaGraphExec_t graph;
};

static const double mib = 1024.0 * 1024.0, gib = 1024.0 * 1024.0 * 1024.0;

cs_status cu_runtime_check(cudaError_t error, const char *call, const char *file, int line) {
    if (error == cudaSuccess)
        return CS_OK;
    /* Otherwise a later cu_check_launches would return this error. An error that broke the GPU's context comes again.
     */
    (void)cudaGetLastError();
    cs_status code = error == cudaErrorMemoryAllocation ? CS_ERR_NO_MEMORY : CS_ERR_UNSUPPORTED;
    return cs_fail_at(file, line, code, "%.*s: %s (%s)", (int)strcspn(call, "("), call, cudaGetErrorString(error),
                      cudaGetErrorName(error));
}

static cs_status fail_driver(void) {
    int driver = 0, runtime = 0;
    CS_TRY(CU(cudaDriverGetVersion(&driver)));
    CS_TRY(CU(cudaRuntimeGetVersion(&runtime)));
    const int thousand = 1000, ten = 10; /* 13020 is 13.2 */
    if (driver == 0)
        return cs_hint(cs_fail(CS_ERR_UNSUPPORTED, "no NVIDIA driver on this machine (libcuda.so.1 is not there)"),
                       "on a machine with a GPU, nvidia-smi shows the driver; elsewhere use --device cpu");
    return cs_hint(cs_fail(CS_ERR_UNSUPPORTED,
                           "the NVIDIA driver is too old: it is for CUDA %d.%d, this build for %d.%d",
                           driver / thousand, driver % thousand / ten, runtime / thousand, runtime % thousand / ten),
                   "update the driver, or build with an older CUDA toolkit");
}

cs_status cu_device_count(int *out) {
    *out = 0;
    int count = 0;
    cudaError_t error = cudaGetDeviceCount(&count);
    if (error == cudaErrorInsufficientDriver)
        return fail_driver();
    if (error == cudaErrorNoDevice || (error == cudaSuccess && count == 0)) {
        const char *visible = getenv("CUDA_VISIBLE_DEVICES");
        return cs_hint(cs_fail(CS_ERR_UNSUPPORTED, "no GPU is visible to this process%s%s",
                               visible ? "; CUDA_VISIBLE_DEVICES=" : "", visible ? visible : ""),
                       "nvidia-smi lists GPUs; under Slurm ask for one, as --gres=gpu:1");
    }
    CS_TRY(cu_runtime_check(error, "cudaGetDeviceCount", __FILE__, __LINE__));
    *out = count;
    return CS_OK;
}

/* The build contains kernels for CU_OLDEST_GPU (80: compute capability 8.0) and newer GPUs. */
static cs_status check_capability(const struct cudaDeviceProp *gpu) {
    const int ten = 10;
    if (gpu->major * ten + gpu->minor >= CU_OLDEST_GPU)
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_UNSUPPORTED, "GPU %s has compute capability %d.%d; this build is for %d.%d and later",
                           gpu->name, gpu->major, gpu->minor, CU_OLDEST_GPU / ten, CU_OLDEST_GPU % ten),
                   "build with -DCMAKE_CUDA_ARCHITECTURES=%d%d", gpu->major, gpu->minor);
}

/* Prints whole GiB, so that equal GPUs on many nodes have the same text, which is logged once. */
static void describe(const cu_device *device, const struct cudaDeviceProp *gpu, int count, cs_device_info *out) {
    out->gpus = count;
    snprintf(out->gpu, sizeof out->gpu, "%s", device->bus_id);
    snprintf(out->text, sizeof out->text, "GPU: %s, %.0f of %.0f GiB free", gpu->name,
             (double)cu_device_free_memory(device) / gib, (double)gpu->totalGlobalMem / gib);
}

cs_status cu_device_open(const cs_engine_options *options, cs_device_info *info, cu_device **out) {
    cu_device *device = NULL;
    cs_status status = CS_OK;
    int count;
    *out = NULL;
    CS_TRY(cu_device_count(&count));
    CS_TRY(cs_alloc(1, sizeof *device, "the GPU", &device));
    device->index = count > 0 ? options->local_rank % count : 0;
    device->is_shared = options->local_ranks > count;
    struct cudaDeviceProp gpu;
    CS_TRY_GOTO(CU(cudaGetDeviceProperties(&gpu, device->index)), out);
    CS_TRY_GOTO(check_capability(&gpu), out);
    CS_TRY_GOTO(CU(cudaDeviceGetPCIBusId(device->bus_id, (int)sizeof device->bus_id, device->index)), out);
    CS_TRY_GOTO(CU(cudaSetDevice(device->index)), out);
    CS_TRY_GOTO(CU(cudaStreamCreateWithFlags(&device->work, cudaStreamNonBlocking)), out);
    CS_TRY_GOTO(CU(cudaStreamCreateWithFlags(&device->copies, cudaStreamNonBlocking)), out);
    describe(device, &gpu, count, info);
    *out = device;
    return CS_OK;
out:
    cu_device_close(device);
    return status;
}

void cu_device_close(cu_device *device) {
    if (!device)
        return;
    if (device->copies)
        cudaStreamDestroy(device->copies);
    if (device->work)
        cudaStreamDestroy(device->work);
    free(device);
}

cu_stream cu_device_stream(const cu_device *device) {
    return device->work;
}

int cu_device_index(const cu_device *device) {
    return device->index;
}

bool cu_device_is_shared(const cu_device *device) {
    return device->is_shared;
}

const char *cu_device_bus_id(const cu_device *device) {
    return device->bus_id;
}

size_t cu_device_free_memory(const cu_device *device) {
    (void)device;
    size_t available = 0, all;
    return cudaMemGetInfo(&available, &all) == cudaSuccess ? available : 0;
}

/* Memory. */

static cs_status fail_memory(const cu_device *device, size_t bytes, const char *what) {
    (void)cudaGetLastError();
    return cs_hint(cs_fail(CS_ERR_NO_MEMORY, "%s: %.1f MiB of GPU memory, but %.1f MiB are free", what,
                           (double)bytes / mib, (double)cu_device_free_memory(device) / mib),
                   "a smaller batch or fewer trials at once need less; nvidia-smi shows who else uses the GPU");
}

cs_status cu_alloc(cu_device *device, size_t bytes, const char *what, void **out) {
    void *memory = NULL;
    *out = NULL;
    cudaError_t error = cudaMalloc(&memory, bytes ? bytes : 1);
    if (error == cudaErrorMemoryAllocation)
        return fail_memory(device, bytes, what);
    CS_TRY(cu_runtime_check(error, "cudaMalloc", __FILE__, __LINE__));
    cs_status status = cu_clear(device, memory, bytes);
    if (status == CS_OK)
        status = cu_wait(device); /* the copy stream may use the memory next */
    if (status == CS_OK)
        *out = memory;
    else
        cudaFree(memory);
    return status;
}

void cu_free(cu_device *device, void *memory) {
    if (!memory)
        return;
    cudaStreamSynchronize(device->copies);
    cudaStreamSynchronize(device->work);
    cudaFree(memory);
}

cs_status cu_alloc_pinned(cu_device *device, size_t bytes, const char *what, void **out) {
    (void)device;
    void *memory = NULL;
    *out = NULL;
    CS_TRY(cs_context(CU(cudaHostAlloc(&memory, bytes ? bytes : 1, cudaHostAllocDefault)), "%s: %.1f MiB pinned", what,
                      (double)bytes / mib));
    memset(memory, 0, bytes);
    *out = memory;
    return CS_OK;
}

void cu_free_pinned(cu_device *device, void *memory) {
    if (!memory)
        return;
    cudaStreamSynchronize(device->copies);
    cudaStreamSynchronize(device->work);
    cudaFreeHost(memory);
}

cs_status cu_copy_in(cu_device *device, void *to, const void *host, size_t bytes) {
    return CU(cudaMemcpyAsync(to, host, bytes, cudaMemcpyHostToDevice, device->work));
}

cs_status cu_copy_out(cu_device *device, void *host, const void *from, size_t bytes) {
    return CU(cudaMemcpyAsync(host, from, bytes, cudaMemcpyDeviceToHost, device->work));
}

cs_status cu_copy(cu_device *device, void *to, const void *from, size_t bytes) {
    return CU(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, device->work));
}

cs_status cu_clear(cu_device *device, void *memory, size_t bytes) {
    return CU(cudaMemsetAsync(memory, 0, bytes, device->work));
}

void cu_device_watch(cu_device *device, cu_watch *watch, void *context) {
    device->watch = watch;
    device->watched = context;
}

/* cudaStreamQuery reports unfinished work as an error, which the runtime remembers although it is none. */
cs_status cu_wait(cu_device *device) {
    while (device->watch && cudaStreamQuery(device->work) == cudaErrorNotReady) {
        (void)cudaGetLastError();
        CS_TRY(device->watch(device->watched));
        sched_yield();
    }
    return CU(cudaStreamSynchronize(device->work));
}

cs_status cu_check_launches(cu_device *device, const char *what) {
    (void)device;
    cudaError_t error = cudaGetLastError();
    return error == cudaSuccess
               ? CS_OK
               : cs_context(cu_runtime_check(error, "a kernel's launch", __FILE__, __LINE__), "%s", what);
}

/* The copy stream. */

cs_status cu_copy_in_background(cu_device *device, void *to, const void *host, size_t bytes) {
    return CU(cudaMemcpyAsync(to, host, bytes, cudaMemcpyHostToDevice, device->copies));
}

cs_status cu_event_open(cu_device *device, cu_event **out) {
    (void)device;
    cu_event *event = NULL;
    *out = NULL;
    CS_TRY(cs_alloc(1, sizeof *event, "an event", &event));
    cs_status status = CU(cudaEventCreateWithFlags(&event->code, cudaEventDisableTiming));
    if (status == CS_OK)
        *out = event;
    else
        free(event);
    return status;
}

void cu_event_close(cu_event *event) {
    if (!event)
        return;
    cudaEventDestroy(event->code);
    free(event);
}

cs_status cu_event_record(cu_device *device, cu_event *event) {
    return CU(cudaEventRecord(event->code, device->work));
}

cs_status cu_event_record_copies(cu_device *device, cu_event *event) {
    return CU(cudaEventRecord(event->code, device->copies));
}

cs_status cu_stream_waits(cu_device *device, cu_event *event) {
    return CU(cudaStreamWaitEvent(device->work, event->code, 0));
}

cs_status cu_copy_stream_waits(cu_device *device, cu_event *event) {
    return CU(cudaStreamWaitEvent(device->copies, event->code, 0));
}

cs_status cu_event_synchronize(cu_device *device, cu_event *event) {
    (void)device;
    return CU(cudaEventSynchronize(event->code));
}

/* CUDA graphs. The capture is thread-local, because other threads of the process may allocate at the same time. A
 * failure is cleared, because the work can still be enqueued without a CUDA graph. */

cs_status cu_capture_begin(cu_device *device) {
    cs_status status = CU(cudaStreamBeginCapture(device->work, cudaStreamCaptureModeThreadLocal));
    if (status != CS_OK)
        (void)cudaGetLastError();
    return status;
}

cs_status cu_capture_end(cu_device *device, cu_capture **out) {
    cs_status status = CS_OK;
    cu_capture *capture = NULL;
    cudaGraph_t graph = NULL;
    *out = NULL;
    CS_TRY_GOTO(CU(cudaStreamEndCapture(device->work, &graph)), out);
    CS_TRY_GOTO(cs_alloc(1, sizeof *capture, "a CUDA graph", &capture), out);
    CS_TRY_GOTO(CU(cudaGraphInstantiate(&capture->graph, graph, 0)), out);
    CS_TRY_GOTO(CU(cudaGraphUpload(capture->graph, device->work)), out);
    *out = capture;
    capture = NULL;
out:
    if (graph)
        cudaGraphDestroy(graph);
    cu_capture_free(capture);
    if (status != CS_OK)
        (void)cudaGetLastError();
    return status;
}

cs_status cu_capture_launch(cu_device *device, cu_capture *capture) {
    return CU(cudaGraphLaunch(capture->graph, device->work));
}

void cu_capture_free(cu_capture *capture) {
    if (!capture)
        return;
    if (capture->graph)
        cudaGraphExecDestroy(capture->graph);
    free(capture);
}

bool cu_device_captures(const cu_device *device) {
    (void)device;
    return true;
}
