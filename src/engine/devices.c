/* The engines by the names that --device takes. */
#include "engine_impl.h"

#include "cnnsweep/log.h"

#include <string.h>

#ifdef CNNSWEEP_HAVE_ONEDNN
#define ONEDNN   &cs_onednn_engine
#define BEST_CPU &cs_onednn_engine
#else
#define ONEDNN   NULL
#define BEST_CPU &cs_ref_engine
#endif

/* What --device takes. A row without an engine says what to do about it. */
static const struct device {
    const char *name;
    const cs_engine_ops *ops;
    const char *how;
} devices[] = {
    {"auto", BEST_CPU, NULL},
    {"cpu", BEST_CPU, NULL},
    {"ref", &cs_ref_engine, NULL},
    {"onednn", ONEDNN, "install libdnnl-dev and build with -DCNNSWEEP_ONEDNN=ON, or use --device ref (slow)"},
    {"cuda", NULL, "use --device cpu, or auto for the best engine that is here"},
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

static cs_status find_built(const char *device, const struct device **out) {
    CS_TRY(find_device(device, out));
    if (!(*out)->ops)
        return cs_hint(cs_fail(CS_ERR_UNSUPPORTED, "device '%s': that engine is not in this build", device), "%s",
                       (*out)->how);
    return CS_OK;
}

cs_status cs_engine_of(const char *device, const char **name) {
    const struct device *found;
    CS_TRY(find_built(device, &found));
    *name = found->ops->name;
    return CS_OK;
}

cs_status cs_engine_open(const char *device, const cs_engine_options *options, cs_engine **out) {
    const struct device *found;
    *out = NULL;
    CS_TRY(find_built(device, &found));
    if (options->threads < 1)
        return cs_hint(cs_fail(CS_ERR_ARG, "device '%s': %d threads", device, options->threads),
                       "threads must be 1 or more");
    if (found->ops == &cs_ref_engine && strcmp(device, "ref") != 0)
        cs_log(CS_LOG_WARN, "device %s: this build has no oneDNN engine; using the slow reference engine", device);
    return found->ops->open(options, out);
}
