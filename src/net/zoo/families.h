/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/net/zoo: the functions that the table in zoo.c names. */
#ifndef CS_NET_ZOO_FAMILIES_H
#define CS_NET_ZOO_FAMILIES_H

#include "cnnsweep/zoo.h"

CS_MUST_CHECK cs_status cs_build_mobilenet(cs_graph *graph, const cs_model_config *config, int *top);
CS_MUST_CHECK cs_status cs_build_mobilenet_v2(cs_graph *graph, const cs_model_config *config, int *top);
CS_MUST_CHECK cs_status cs_build_resnet50(cs_graph *graph, const cs_model_config *config, int *top);
CS_MUST_CHECK cs_status cs_build_inception_v3(cs_graph *graph, const cs_model_config *config, int *top);
CS_MUST_CHECK cs_status cs_build_xception(cs_graph *graph, const cs_model_config *config, int *top);
CS_MUST_CHECK cs_status cs_build_densenet121(cs_graph *graph, const cs_model_config *config, int *top);
CS_MUST_CHECK cs_status cs_build_densenet169(cs_graph *graph, const cs_model_config *config, int *top);
CS_MUST_CHECK cs_status cs_build_efficientnet_b0(cs_graph *graph, const cs_model_config *config, int *top);
CS_MUST_CHECK cs_status cs_build_basenet(cs_graph *graph, const cs_model_config *config, int *top);
CS_MUST_CHECK cs_status cs_build_basenet_deep(cs_graph *graph, const cs_model_config *config, int *top);
CS_MUST_CHECK cs_status cs_build_basenet_deep_bn(cs_graph *graph, const cs_model_config *config, int *top);
CS_MUST_CHECK cs_status cs_build_basenet_deep_bn_after(cs_graph *graph, const cs_model_config *config, int *top);
CS_MUST_CHECK cs_status cs_build_cnn4(cs_graph *graph, const cs_model_config *config, int *top);
CS_MUST_CHECK cs_status cs_build_mobilenet_v2_torch(cs_graph *graph, const cs_model_config *config, int *top);
CS_MUST_CHECK cs_status cs_build_resnet18_torch(cs_graph *graph, const cs_model_config *config, int *top);
CS_MUST_CHECK cs_status cs_build_resnet50_torch(cs_graph *graph, const cs_model_config *config, int *top);
CS_MUST_CHECK cs_status cs_build_densenet121_torch(cs_graph *graph, const cs_model_config *config, int *top);
CS_MUST_CHECK cs_status cs_build_densenet169_torch(cs_graph *graph, const cs_model_config *config, int *top);

/* These add the published classifiers, see cs_zoo_entry.add_top. */
CS_MUST_CHECK cs_status cs_add_top_mobilenet(cs_graph *graph, int classes, int *x);
CS_MUST_CHECK cs_status cs_add_top_mobilenet_v2(cs_graph *graph, int classes, int *x);
CS_MUST_CHECK cs_status cs_add_top_avg_pool(cs_graph *graph, int classes, int *x);
CS_MUST_CHECK cs_status cs_add_top_efficientnet(cs_graph *graph, int classes, int *x);
CS_MUST_CHECK cs_status cs_add_top_mobilenet_v2_torch(cs_graph *graph, int classes, int *x);
CS_MUST_CHECK cs_status cs_add_top_resnet_torch(cs_graph *graph, int classes, int *x);
CS_MUST_CHECK cs_status cs_add_top_densenet_torch(cs_graph *graph, int classes, int *x);

#endif
