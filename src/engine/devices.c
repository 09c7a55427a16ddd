/* SPDX-License-Identifier: Apache-2.0 */
/* Opens engines by the names that --device accepts. */
#include "engine_impl.h"

#include <stdio.h>
#include <string.h>

#ifdef CNNSWEEP_HAVE_ONEDNN
#define ONEDNN   &cs_onednn_engine
#define ABOUT    cs_onednn_about
#define BEST_CPU &cs_onednn_engine
#else
#define ONEDNN   NULL
#define ABOUT    NULL
#define BEST_CPU &cs_ref_engine
#endif

/* The names that --device accepts. If a build lacks the engine of a row, the row says how to get it. The engine of cuda
 * is found at run time. */
static const struct device {
    const char *name;
    const cs_engine_ops *ops;
    cs_status (*find)(const cs_engine_ops **out);
    const char *how;
    void (*about)(char *out, size_t size); /* writes the version of the engine's library; NULL: it has none */
} devices[] = {
    {"auto", BEST_CPU, cs_cuda_plugin, NULL, NULL},
    {"cpu", BEST_CPU, NULL, NULL, NULL},
    {"ref", &cs_ref_engine, NULL, NULL, NULL},
    {"onednn", ONEDNN, NULL, "install libdnnl-dev and build with -DCNNSWEEP_ONEDNN=ON, or use --device ref (slow)",
     ABOUT},
    {"cuda", NULL, cs_cuda_plugin, NULL, NULL},
};
enum { N_DEVICES = sizeof devices / sizeof *devices };

static cs_status find_device(const char *name, const struct device **out) {
    const char *names[N_DEVICES];
    for (int i = 0; i < N_DEVICES; i++) {
        *out = &devices[i];
        names[i] = devices[i].name;
        if (strcmp(name, names[i]) == 0)
            return CS_OK;
    }
    char near[CS_NAME_MAX];
    return cs_hint(cs_fail(CS_ERR_ARG, "device '%s' is not known%s", name,
                           cs_did_you_mean(name, names, N_DEVICES, near, sizeof near)),
                   "one of auto, cpu, ref, onednn, cuda");
}

static cs_status open_with(const cs_engine_ops *ops, const cs_engine_options *options, cs_engine **out) {
    cs_engine *engine;
    CS_TRY(ops->open(options, &engine));
    bool plain = options->precision == CS_PRECISION_FP32;
    snprintf(engine->label, sizeof engine->label, "%s%s%s", ops->name, plain ? "" : " ",
             plain ? "" : cs_precision_name(options->precision));
    engine->options.plan_cache = NULL; /* the string belongs to the caller */
    *out = engine;
    return CS_OK;
}

static cs_status open_gpu(const struct device *device, const cs_engine_options *options, cs_engine **out) {
    const cs_engine_ops *ops;
    CS_TRY(device->find(&ops));
    return open_with(ops, options, out);
}

/* Says why the engine may not be the one that the user expects: no GPU can be used (the last error contains the reason
 * and is cleared), or this build has no oneDNN. */
static void describe(const struct device *device, char *out, size_t size) {
    const cs_error *error = cs_error_last();
    bool no_gpu = error->code != CS_OK, slow = device->ops == &cs_ref_engine && strcmp(device->name, "ref") != 0;
    out[0] = '\0';
    if (no_gpu || slow)
        snprintf(out, size, "device %s: the CPU (%s%s)%s%s%s%s", device->name, device->ops->name,
                 slow ? ", slow: this build has no oneDNN engine" : "", no_gpu ? ", as no GPU can be used: " : "",
                 error->text, error->hint[0] ? "; " : "", error->hint);
    cs_error_clear();
}

static cs_status open_cpu(const struct device *device, const cs_engine_options *options, const cs_device_info *info,
                          cs_engine **out) {
    if (!device->ops)
        return cs_hint(cs_fail(CS_ERR_UNSUPPORTED, "device '%s': that engine is not in this build", device->name), "%s",
                       device->how);
    if (options->precision != CS_PRECISION_FP32)
        return cs_hint(cs_fail(CS_ERR_UNSUPPORTED, "precision %s: engine %s computes in fp32",
                               cs_precision_name(options->precision), device->ops->name),
                       "other precisions are for GPUs: --device cuda; or use precision fp32");
    CS_TRY(open_with(device->ops, options, out));
    (*out)->device_info = *info;
    return CS_OK;
}

static cs_status open_device(const struct device *device, const cs_engine_options *options, cs_engine **out) {
    cs_device_info info = {0};
    cs_error_clear();
    if (device->find) {
        cs_status status = open_gpu(device, options, out);
        if (status == CS_OK)
            return CS_OK;
        if (!device->ops)
            return cs_context(status, "device %s", device->name);
    }
    describe(device, info.text, sizeof info.text);
    cs_status status = open_cpu(device, options, &info, out);
    return status != CS_OK && info.text[0] ? cs_context(status, "%s", info.text) : status;
}

/* Writes the version of the engine's library or "yes", or the reason why the engine is not available. */
static void describe_engine(const struct device *device, char *out, size_t size) {
    const cs_engine_ops *ops = device->ops;
    if (!ops && device->find && device->find(&ops) != CS_OK) {
        snprintf(out, size, "no: %s", cs_error_last()->text);
        cs_error_clear();
    } else if (!ops) {
        snprintf(out, size, "no: not in this build");
    } else if (device->about) {
        device->about(out, size);
    } else {
        snprintf(out, size, "yes");
    }
}

void cs_engines_print(FILE *out) {
    for (int i = 0; i < N_DEVICES; i++) {
        char text[sizeof((cs_error *)0)->text + sizeof "no: "];
        if (strcmp(devices[i].name, "auto") == 0 || strcmp(devices[i].name, "cpu") == 0)
            continue; /* these are aliases of other rows */
        describe_engine(&devices[i], text, sizeof text);
        fprintf(out, "%-7s %s\n", devices[i].name, text);
    }
}

cs_status cs_engine_open(const char *device, const cs_engine_options *options, cs_engine **out) {
    const struct device *found;
    *out = NULL;
    CS_TRY(find_device(device, &found));
    if (options->threads < 1)
        return cs_hint(cs_fail(CS_ERR_ARG, "device '%s': %d threads", device, options->threads),
                       "threads must be 1 or more");
    return open_device(found, options, out);
}
