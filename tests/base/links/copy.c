/* SPDX-License-Identifier: Apache-2.0 */
/* A shared object with a copy of the base room, as an engine's plug-in has one. */
#include "copy.h"

__attribute__((visibility("default"))) copy_calls cs_test_copy;

cs_status cs_test_copy(const cs_base_links *links, cs_log_level *level) {
    cs_base_links_take(links);
    *level = cs_log_get_level();
    cs_log(CS_LOG_WARN, "a line of %s", "the copy");
    return cs_hint(cs_fail(CS_ERR_DIVERGED, "%d failures in the copy", 3), "a hint of the copy");
}
