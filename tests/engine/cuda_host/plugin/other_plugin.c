/* SPDX-License-Identifier: Apache-2.0 */
/* A plug-in of another version: it says no. And when it was opened, for tests that want nobody to. */
#include <stdio.h>

const void *cnnsweep_engine_plugin(const void *host);

__attribute__((constructor)) static void tell(void) {
    fputs("a plug-in was opened\n", stderr);
}

const void *cnnsweep_engine_plugin(const void *host) {
    (void)host;
    return NULL;
}
