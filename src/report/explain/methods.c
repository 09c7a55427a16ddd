/* SPDX-License-Identifier: Apache-2.0 */
/* The table of methods. To add one: its function in a file beside this one, declared in makers.h, its row here, and
 * its formula in explain.h. What judges it is in tests/report/explain_torch.py. */
#include "cnnsweep/args.h"
#include "makers.h"

#include <string.h>

static const cs_explain_method methods[] = {
    {"cam", "the weights of the class in the last dense layer; for global average pool + dense only", CS_MAP_LAYER,
     false, cs_make_cam},
    {"grad_cam", "channels weighted by the mean of their gradient", CS_MAP_LAYER, false, cs_make_grad_cam},
    {"grad_cam_pp", "Grad-CAM++: the same, weighted towards places with a positive gradient", CS_MAP_LAYER, false,
     cs_make_grad_cam_pp},
    {"hires_cam", "channels times their gradient at each place", CS_MAP_LAYER, false, cs_make_hires_cam},
    {"xgrad_cam", "channels weighted by their gradient, averaged over where they are active", CS_MAP_LAYER, false,
     cs_make_xgrad_cam},
    {"layer_cam", "channels times their positive gradient at each place", CS_MAP_LAYER, false, cs_make_layer_cam},
    {"eigen_cam", "the first principal component of the channels, whatever the class", CS_MAP_LAYER, false,
     cs_make_eigen_cam},
    {"score_cam", "channels weighted by the logit of the image behind each; one forward pass a channel", CS_MAP_LAYER,
     false, cs_make_score_cam},
    {"guided_backprop", "the input's gradient, of which each ReLU passes on only what is positive", CS_MAP_COLOUR, true,
     cs_make_guided_backprop},
    {"guided_grad_cam", "guided_backprop times grad_cam", CS_MAP_COLOUR, true, cs_make_guided_grad_cam},
    {"saliency", "the size of the input's gradient", CS_MAP_INPUT, false, cs_make_saliency},
    {"smooth_grad", "the same of the mean gradient of inputs with noise", CS_MAP_INPUT, false, cs_make_smooth_grad},
    {"integrated_gradients", "how the logit adds up on the way from an input of zeros", CS_MAP_INPUT, false,
     cs_make_integrated_gradients},
    {"occlusion", "by how much the logit falls if a square is covered", CS_MAP_INPUT, false, cs_make_occlusion},
};
enum { N_METHODS = sizeof methods / sizeof *methods };

const cs_explain_method *cs_explain_methods(size_t *count) {
    *count = N_METHODS;
    return methods;
}

cs_status cs_explain_method_find(const char *name, const cs_explain_method **out) {
    const char *names[N_METHODS];
    char guess[64];
    for (int i = 0; i < N_METHODS; i++) {
        names[i] = methods[i].name;
        if (strcmp(name, names[i]) != 0)
            continue;
        *out = &methods[i];
        return CS_OK;
    }
    return cs_hint(cs_fail(CS_ERR_NOT_FOUND, "\"%s\" is no method%s", name,
                           cs_did_you_mean(name, names, N_METHODS, guess, sizeof guess)),
                   "`cnnsweep explain --help` lists them");
}
