/* SPDX-License-Identifier: Apache-2.0 */
/* The CUDA engine as the program loads it: built for the host and named by CNNSWEEP_CUDA_PLUGIN. */
#include "cnnsweep/version.h"
#include "plugin.h"
#include "test.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static cs_plugin_entry *entry;

static int open_plugin(void **state) {
    (void)state;
    void *library = dlopen(getenv("CNNSWEEP_CUDA_PLUGIN"), RTLD_NOW | RTLD_LOCAL);
    void *symbol = library ? dlsym(library, CS_PLUGIN_SYMBOL) : NULL;
    memcpy(&entry, &symbol, sizeof entry);
    return symbol ? 0 : -1;
}

static void the_same_version_is_accepted(void **state) {
    (void)state;
    const cs_plugin_host host = {CS_PLUGIN_ABI, CNNSWEEP_VERSION, cs_base_links_own()};
    const cs_engine_ops *ops = entry(&host);
    assert_non_null(ops);
    assert_string_equal(ops->name, "cuda");
}

static void another_interface_is_refused(void **state) {
    (void)state;
    const cs_plugin_host host = {CS_PLUGIN_ABI + 1, CNNSWEEP_VERSION, cs_base_links_own()};
    assert_null(entry(&host));
}

static void another_version_is_refused(void **state) {
    (void)state;
    const cs_plugin_host host = {CS_PLUGIN_ABI, CNNSWEEP_VERSION "-another", cs_base_links_own()};
    assert_null(entry(&host));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_version_is_accepted),
        cmocka_unit_test(another_interface_is_refused),
        cmocka_unit_test(another_version_is_refused),
    };
    return cmocka_run_group_tests_name("the CUDA plug-in", tests, open_plugin, NULL);
}
