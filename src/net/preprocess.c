/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/graph.h"

#include <string.h>

static const struct {
    const char *name;
    cs_preprocess preprocess;
} kinds[] = {
    [CS_PREPROCESS_TF] = {"tf", {{1 / 127.5f, 1 / 127.5f, 1 / 127.5f}, {-1, -1, -1}, false}},
    [CS_PREPROCESS_UNIT] = {"unit", {{1 / 255.0f, 1 / 255.0f, 1 / 255.0f}, {0, 0, 0}, false}},
    [CS_PREPROCESS_CAFFE] = {"caffe", {{1, 1, 1}, {-103.939f, -116.779f, -123.68f}, true}},
    [CS_PREPROCESS_TORCH] = {"torch",
                             {{1 / (255 * 0.229f), 1 / (255 * 0.224f), 1 / (255 * 0.225f)},
                              {-0.485f / 0.229f, -0.456f / 0.224f, -0.406f / 0.225f},
                              false}},
    [CS_PREPROCESS_RAW] = {"raw", {{1, 1, 1}, {0, 0, 0}, false}},
    [CS_PREPROCESS_RAW_IMAGENET] = {"raw_imagenet", {{1, 1, 1}, {0, 0, 0}, false}},
};

const char *cs_preprocess_name(cs_preprocess_kind kind) {
    return kinds[kind].name;
}

cs_preprocess cs_preprocess_of(cs_preprocess_kind kind) {
    return kinds[kind].preprocess;
}

static const char standardized[] = "standardized: ", in_place_of[] = "; in place of ";

bool cs_record_is_standardized(const char *record) {
    return strncmp(record, standardized, sizeof standardized - 1) == 0;
}

const char *cs_record_kind(const char *record) {
    const char *at = cs_record_is_standardized(record) ? strstr(record, in_place_of) : NULL;
    return at ? at + sizeof in_place_of - 1 : record;
}

void cs_graph_set_standardized(cs_graph *graph, const char *how) {
    snprintf(graph->record, sizeof graph->record, "%s%s%s%s", standardized, how, in_place_of,
             cs_preprocess_name(graph->preprocess));
}

const char *cs_graph_record(const cs_graph *graph) {
    return graph->record[0] ? graph->record : cs_preprocess_name(graph->preprocess);
}
