/* SPDX-License-Identifier: Apache-2.0 */
#include "cudnn_tune.h"

#include "cnnsweep/log.h"

#include <cuda_runtime_api.h>
#include <stdlib.h>

enum { RUNS = 5 };

typedef struct tune_bench {
    cu_device *device;
    const cu_target *target;
    void *a, *b, *bias, *out; /* filled with zeros, because times hardly depend on values */
    cudaEvent_t begin, end;
} tune_bench;

static cs_status check(cudaError_t error, const char *what) {
    return error == cudaSuccess ? CS_OK : cs_fail(CS_ERR_UNSUPPORTED, "%s: %s", what, cudaGetErrorString(error));
}

static int compare_times(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static cs_status run_timed(const tune_bench *bench, cu_plan *plan, void *workspace, float *milliseconds) {
    cudaStream_t stream = cu_device_stream(bench->device);
    CS_TRY(check(cudaEventRecord(bench->begin, stream), "an event in the stream"));
    CS_TRY(cu_plan_run(bench->target, plan, bench->a, bench->b, bench->bias, bench->out, workspace));
    CS_TRY(check(cudaEventRecord(bench->end, stream), "an event in the stream"));
    CS_TRY(check(cudaEventSynchronize(bench->end), "a convolution that is timed"));
    return check(cudaEventElapsedTime(milliseconds, bench->begin, bench->end), "the time of a convolution");
}

static cs_status time_plan(const tune_bench *bench, cu_plan *plan, float *median) {
    float times[RUNS], first;
    void *workspace = NULL;
    cs_status status = CS_OK;
    if (cu_plan_workspace(plan) > 0)
        CS_TRY(cu_alloc(bench->device, cu_plan_workspace(plan), "a workspace to time a plan with", &workspace));
    CS_TRY_GOTO(run_timed(bench, plan, workspace, &first), done); /* loads the plan's kernels */
    for (int i = 0; i < RUNS; i++)
        CS_TRY_GOTO(run_timed(bench, plan, workspace, &times[i]), done);
    qsort(times, RUNS, sizeof *times, compare_times);
    *median = times[RUNS / 2];
done:
    cu_free(bench->device, workspace);
    return status;
}

static cs_status open_bench(tune_bench *bench, const cu_conv_spec *spec, bool fused) {
    const cu_dims *d = &spec->dims;
    size_t batch = (size_t)d->batch, value = cu_type_size(spec->type), outs = (size_t)d->out_c;
    size_t x = batch * (size_t)d->in_h * (size_t)d->in_w * (size_t)d->in_c * value;
    size_t y = batch * (size_t)d->out_h * (size_t)d->out_w * outs * value;
    size_t kernel = outs * (size_t)d->window.kernel_h * (size_t)d->window.kernel_w * (size_t)d->in_c * value;
    size_t a = spec->kind == CU_CONV_BACKWARD_DATA ? y : x;
    size_t b = spec->kind == CU_CONV_BACKWARD_KERNEL ? y : kernel;
    size_t out = spec->kind == CU_CONV_FORWARD ? y : spec->kind == CU_CONV_BACKWARD_DATA ? x : kernel;
    CS_TRY(cu_alloc(bench->device, a, "an operand to time plans with", &bench->a));
    CS_TRY(cu_alloc(bench->device, b, "an operand to time plans with", &bench->b));
    CS_TRY(cu_alloc(bench->device, out, "a result to time plans with", &bench->out));
    if (fused)
        CS_TRY(cu_alloc(bench->device, outs * sizeof(float), "a bias to time plans with", &bench->bias));
    CS_TRY(check(cudaEventCreate(&bench->begin), "an event"));
    return check(cudaEventCreate(&bench->end), "an event");
}

static void close_bench(tune_bench *bench) {
    cu_free(bench->device, bench->a);
    cu_free(bench->device, bench->b);
    cu_free(bench->device, bench->bias);
    cu_free(bench->device, bench->out);
    if (bench->begin)
        cudaEventDestroy(bench->begin);
    if (bench->end)
        cudaEventDestroy(bench->end);
}

cs_status cu_tune(cu_device *device, const cu_target *target, const cu_conv_spec *spec, bool fused,
                  cu_plan *const *plans, int n, int *best) {
    tune_bench bench = {.device = device, .target = target};
    float least = 0;
    *best = -1;
    cs_status status = CS_OK, failed = CS_OK;
    CS_TRY_GOTO(open_bench(&bench, spec, fused), done);
    for (int i = 0; i < n; i++) {
        float median;
        cs_status timed = time_plan(&bench, plans[i], &median);
        if (timed != CS_OK) {
            failed = timed;
            (void)cudaGetLastError(); /* otherwise the next launch would return this error */
            cs_log(CS_LOG_DEBUG, "autotune: %s", cs_error_last()->text);
        } else if (*best < 0 || median < least) {
            least = median;
            *best = i;
        }
    }
    if (*best < 0)
        status = failed;
done:
    close_bench(&bench);
    return status;
}
