/* SPDX-License-Identifier: Apache-2.0 */
/* The only function that the plug-in exports. */
#include "cnnsweep/version.h"
#include "plugin.h"
#include "program.h"

#include <string.h>

extern const cs_engine_ops cu_engine_ops;

__attribute__((visibility("default"))) cs_plugin_entry cnnsweep_engine_plugin;

const cs_engine_ops *cnnsweep_engine_plugin(const cs_plugin_host *host) {
    if (host->abi != CS_PLUGIN_ABI || strcmp(host->version, CNNSWEEP_VERSION) != 0)
        return NULL;
    cs_base_links_take(host->links);
    return &cu_engine_ops;
}
