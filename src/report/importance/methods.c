/* SPDX-License-Identifier: Apache-2.0 */
/* The methods of importance, a row each, the preferred first. */
#include "importance_impl.h"

#include <string.h>

static const cs_importance_method methods[] = {
    {"anova", "shares of the variance over a grid", true, cs_importance_anova},
    {"ped_anova", "how the best tenth of the trials differs from all", false, cs_importance_ped_anova},
    {"fanova", "shares of the variance that a random forest predicts over the space", false, cs_importance_fanova},
};
enum { N_METHODS = sizeof methods / sizeof *methods };

const cs_importance_method *cs_importance_methods(int *n) {
    *n = N_METHODS;
    return methods;
}

static cs_status find(const cs_importance_method *method, const cs_importance_table *table, cs_importance *out) {
    *out = (cs_importance){.method = method->name};
    cs_status status = method->find(table, out);
    if (status == CS_OK)
        cs_importance_sort(out);
    else
        cs_importance_free(out);
    return status;
}

cs_status cs_importance_find(const cs_importance_table *table, const char *method, cs_importance *out) {
    cs_status status = cs_fail(CS_ERR_ARG, "there is no method of importance \"%s\"", method ? method : "");
    for (int i = 0; i < N_METHODS; i++) {
        if (method && strcmp(method, methods[i].name) != 0)
            continue;
        status = find(&methods[i], table, out);
        if (status != CS_ERR_UNSUPPORTED)
            return status;
    }
    return status;
}
