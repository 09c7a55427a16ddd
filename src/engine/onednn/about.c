/* SPDX-License-Identifier: Apache-2.0 */
/* The version of oneDNN and the instruction set that it uses. */
#include "engine_impl.h"

#include <oneapi/dnnl/dnnl.h>
#include <oneapi/dnnl/dnnl_debug.h>

#include <stdio.h>
#include <string.h>

void cs_onednn_about(char *out, size_t size) {
    static const char prefix[] = "cpu_isa_"; /* oneDNN puts this before each name */
    const dnnl_version_t *version = dnnl_version();
    const char *isa = dnnl_cpu_isa2str(dnnl_get_effective_cpu_isa());
    if (strncmp(isa, prefix, strlen(prefix)) == 0)
        isa += strlen(prefix);
    snprintf(out, size, "oneDNN %d.%d.%d, instruction set %s", version->major, version->minor, version->patch, isa);
}
