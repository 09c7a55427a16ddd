/* SPDX-License-Identifier: Apache-2.0 */
#include "network.h"
#include "cnnsweep/zoo.h"
#include "results/description.h"

cs_graph *cs_report_network(const cs_collection *collection, int trial, int classes) {
    const cs_record *record = &collection->first->records[collection->job->numbers[trial]];
    cs_trial_config config;
    cs_graph *graph = NULL;
    if (classes == 0 || !record->plan || cs_description_config(collection->first, record, &config) != CS_OK)
        return NULL;
    config.model.classes = classes;
    if (config.data.image[0] > 0) {
        config.model.input_h = config.data.image[0];
        config.model.input_w = config.data.image[1];
    }
    if (cs_model_build(&config.model, &graph) != CS_OK)
        return NULL;
    if (cs_graph_freeze(graph, config.fine_tune) == CS_OK)
        return graph;
    cs_graph_free(graph);
    return NULL;
}
