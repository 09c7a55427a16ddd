/* SPDX-License-Identifier: Apache-2.0 */
/* The options of the optimizer. */
#include "option_families.h"

/* The network's framework counts as the default. */
static void identify_dialect(const void *config, char *out, size_t size) {
    const cs_trial_config *trial = config;
    cs_train_dialect dialect = trial->train.optimizer.dialect;
    bool is_default = dialect == CS_TRAIN_DIALECT_AUTO || dialect == cs_trial_network_dialect(trial);
    snprintf(out, size, "%s", is_default ? "" : cs_train_dialect_name((int)dialect));
}

static cs_status check_lr_mult(const void *config) {
    return cs_lr_factors_check(((const cs_trial_config *)config)->train.lr_mult);
}

#define MODEL(name, kind, member, what)                                                                                \
    .key = "model." name, .type = CS_OPTION_##kind, FIELD(model.member), .sweepable = true, .affects = CS_AFFECTS_##what
#define TRAINING(name, kind, member)                                                                                   \
    .key = "train." name, .type = CS_OPTION_##kind, FIELD(train.member), .sweepable = true,                            \
    .affects = CS_AFFECTS_TRAINING

static const cs_option rows[] = {
    {TRAINING("dialect", ENUM, optimizer.dialect), .choice = cs_train_dialect_name, .fallback = "auto",
     .identity = identify_dialect, .whole_name = true,
     .doc = "framework whose formulas and defaults count where they differ, keras or torch; auto: the network's"},
    {TRAINING("optimizer", ENUM, optimizer.kind), .choice = cs_optimizer_name, .fallback = "adam",
     .doc = "update rule"},
    {TRAINING("lr", FLOAT, optimizer.lr), .min = 1e-12, .max = 1e38, .fallback = "auto",
     .doc = "learning rate; auto: the optimizer's default, in Keras 0.001 for adam and 0.01 for sgd"},
    {TRAINING("lr_mult", LIST, lr_mult), .fallback = "none", .takes_entries = true, .check = check_lr_mult,
     .doc = "factors of lr by part of the network: a map such as {head: 1, blocks: 0.1} of head, blocks, numbers of "
            "blocks, names of layers or of blocks; or {decay: 0.75}, by which each block has less than the next"},
    {TRAINING("momentum", FLOAT, optimizer.momentum), .max = 1, .fallback = "0", .doc = "sgd, rmsprop: momentum"},
    {TRAINING("nesterov", BOOL, optimizer.nesterov), .fallback = "false", .doc = "sgd: Nesterov momentum"},
    {TRAINING("dampening", FLOAT, optimizer.dampening), .max = 1, .fallback = "0",
     .doc = "sgd of torch: the part of a gradient that does not enter the velocity"},
    {TRAINING("weight_decay", FLOAT, optimizer.weight_decay), .max = 1, .fallback = "auto", .key_default = "0",
     .doc = "weight decay; auto: that of adamw, 0.004 in Keras and 0.01 in torch, and 0 of the others"},
    {TRAINING("decay", ENUM, optimizer.decay), .choice = cs_decay_kind_name, .fallback = "auto",
     .key_default = "decoupled",
     .doc =
         "how weights decay: coupled (as a part of the gradient) or decoupled; auto: decoupled in Keras, and in torch "
         "for adamw, lion and lamb"},
    {TRAINING("decay_kernels_only", BOOL, optimizer.decay_kernels_only), .fallback = "false",
     .doc = "biases and the parameters of batch norms do not decay"},
    {TRAINING("beta_1", FLOAT, optimizer.beta_1), .max = 0.999999, .fallback = "0.9",
     .doc = "adam and its kin, lion: decay of the first moment"},
    {TRAINING("beta_2", FLOAT, optimizer.beta_2), .max = 0.999999, .fallback = "auto", .key_default = "0.999",
     .doc = "adam and its kin, lion: decay of the second moment; auto: 0.999, and 0.99 for lion"},
    {TRAINING("rho", FLOAT, optimizer.rho), .max = 0.999999, .fallback = "auto", .key_default = "0",
     .doc = "rmsprop, adadelta: decay of the mean of squares; auto: 0.9 and 0.95 in Keras, 0.99 and 0.9 in torch"},
    {TRAINING("epsilon", FLOAT, optimizer.epsilon), .min = 1e-12, .max = 1, .fallback = "auto", .key_default = "1e-07",
     .doc = "adam and its kin, rmsprop, adagrad, adadelta: added to a root or under it; auto: 1e-7 in Keras; in torch "
            "1e-8, for adagrad 1e-10, for adadelta 1e-6"},
    {TRAINING("amsgrad", BOOL, optimizer.amsgrad), .fallback = "false",
     .doc = "adam, adamw: divide by the largest second moment so far"},
    {TRAINING("centered", BOOL, optimizer.centered), .fallback = "false",
     .doc = "rmsprop: divide by the variance of the gradient"},
    {TRAINING("initial_accumulator", FLOAT, optimizer.initial_accumulator), .max = 1e38, .fallback = "auto",
     .key_default = "0", .doc = "adagrad: the sum of squares before the first update; auto: 0.1 in Keras, 0 in torch"},
    {TRAINING("clipnorm", FLOAT, optimizer.clipnorm), .max = 1e38, .fallback = "0",
     .doc = "largest norm of the gradient of a tensor; 0: none"},
    {TRAINING("global_clipnorm", FLOAT, optimizer.global_clipnorm), .max = 1e38, .fallback = "0",
     .doc = "largest norm of the gradient of all parameters together, as torch's clip_grad_norm_; 0: none"},
    {TRAINING("clipvalue", FLOAT, optimizer.clipvalue), .max = 1e38, .fallback = "0",
     .doc = "largest absolute value in a gradient; 0: none"},
    {TRAINING("accumulate", INT, optimizer.accumulate), .min = 1, .max = 65536, .fallback = "1",
     .doc = "batches whose gradients are averaged for an update"},
    {TRAINING("ema", FLOAT, optimizer.ema), .max = 0.9999999, .fallback = "0",
     .doc = "momentum of a moving average of the weights, such as 0.99, whose weights are evaluated; 0: none"},
};

const cs_option_family cs_optimizer_options = {rows, sizeof rows / sizeof *rows};
