/* SPDX-License-Identifier: Apache-2.0 */
/* A plug-in of another version, which refuses to run. It prints a message when it is loaded, for tests that expect no
 * load. */
#include <stdio.h>

const void *cnnsweep_engine_plugin(const void *host);

__attribute__((constructor)) static void print_loaded(void) {
    fputs("a plug-in was opened\n", stderr);
}

const void *cnnsweep_engine_plugin(const void *host) {
    (void)host;
    return NULL;
}
