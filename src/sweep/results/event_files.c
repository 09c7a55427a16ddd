/* SPDX-License-Identifier: Apache-2.0 */
#include "event_files.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/resources.h"
#include "folder.h"
#include "text_buffer.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char file_prefix[] = "events.out.tfevents.";
/* The two files of a trial's own run. They are read in this order. */
enum { FILE_OF_START = 0, FILE_OF_END = 1 };

/* The folder of a run: "" is that of the trial itself. With trial -1 it is that of the experiment. */
static cs_status run_folder(const cs_event_files *files, int trial, const char *run, char out[CS_PATH_MAX]) {
    char name[32] = "";
    if (trial >= 0)
        cs_job_trial_name(files->config->job, trial, name, sizeof name);
    return cs_path(out, CS_PATH_MAX, "%s/tensorboard%s%s%s%s", files->config->folder, name[0] ? "/" : "", name,
                   run[0] ? "/" : "", run);
}

/* Appends the buffer to a file of a run, and creates its folder if needed. */
static cs_status append(const cs_event_files *files, int trial, const char *run, int number, cs_text_buffer *buffer) {
    char folder[CS_PATH_MAX], path[CS_PATH_MAX];
    cs_status status = run_folder(files, trial, run, folder);
    if (status == CS_OK)
        status = cs_path(path, sizeof path, "%s/%s.%d", folder, files->name, number);
    if (status == CS_OK && !cs_is_folder(folder))
        status = cs_folder_create(folder);
    return status == CS_OK ? cs_text_append(buffer, path) : cs_text_drop(buffer, status);
}

/* Calls `use` for each event file in a folder, in the order of their names. */
static cs_status each_file(const char *folder, cs_status (*use)(const char *path, void *context), void *context) {
    struct dirent **entries = NULL;
    char path[CS_PATH_MAX];
    cs_status status = CS_OK;
    int n = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        if (status == CS_OK && strncmp(entries[i]->d_name, file_prefix, strlen(file_prefix)) == 0) {
            status = cs_path(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
            if (status == CS_OK)
                status = use(path, context);
        }
        free(entries[i]);
    }
    free(entries);
    return status;
}

static cs_status remove_file(const char *path, void *context) {
    (void)context;
    return cs_remove_all(path);
}

static cs_status copy_file(const char *path, void *context) {
    FILE *out = context;
    char *bytes = NULL;
    size_t size;
    CS_TRY(cs_file_read(path, SIZE_MAX, &bytes, &size));
    fwrite(bytes, 1, size, out);
    free(bytes);
    return CS_OK;
}

static cs_status see_file(const char *path, void *context) {
    bool *ended = context;
    *ended = *ended || strcmp(path + strlen(path) - 2, ".1") == 0;
    return CS_OK;
}

/* What the values of a swept option are. Values that are chosen later come from a range of numbers. */
static cs_hparam_type type_of(const cs_swept_option *swept) {
    const cs_option_type type = swept->option->type;
    if (swept->n == 0)
        return type == CS_OPTION_INT || type == CS_OPTION_FLOAT ? CS_HPARAM_NUMBER : CS_HPARAM_TEXT;
    return cs_hparam_type_of((const char *const *)swept->values, swept->n);
}

cs_status cs_event_files_open(const cs_results_config *config, const char *const *classes, cs_event_files *out) {
    const cs_job *job = config->job;
    char host[CS_NAME_MAX];
    *out = (cs_event_files){0};
    if (!job->run.tensorboard)
        return CS_OK;
    out->config = config;
    out->classes = classes;
    cs_host_name(host, sizeof host);
    snprintf(out->name, sizeof out->name, "%s%010lld.%s.%ld", file_prefix, (long long)cs_wall_seconds(),
             host[0] ? host : "host", (long)getpid());
    CS_TRY(cs_alloc((size_t)job->n_swept, sizeof *out->types, "types of options", &out->types));
    for (int i = 0; i < job->n_swept; i++)
        out->types[i] = type_of(&job->swept[i]);
    return CS_OK;
}

void cs_event_files_close(cs_event_files *files) {
    free(files->types);
    *files = (cs_event_files){0};
}

/* Sets the tag of a column: "epoch_accuracy" of the runs train and validation, "test_accuracy" of the trial's own. */
static void set_tag(const cs_metric_column *column, bool in_epoch, char out[CS_METRIC_NAME_MAX + 8]) {
    snprintf(out, CS_METRIC_NAME_MAX + 8, "%s%s", in_epoch ? "epoch_" : "",
             in_epoch ? column->metric->name : column->name);
}

/* Prints the metrics of a split of each epoch, those of train with the learning rate. */
static cs_status print_epochs(const cs_event_files *files, cs_metric_split split, const cs_epoch_row *rows, size_t n,
                              FILE *out) {
    const cs_metric_set *metrics = &files->config->job->metrics;
    cs_event_scalar scalars[CS_METRICS_MAX + 1];
    int n_columns, n_epoch;
    const cs_metric_column *columns = cs_metric_columns(&n_columns, &n_epoch);
    for (size_t row = 0; row < n; row++) {
        int used = 0;
        for (int i = 0; i < n_epoch; i++) {
            if (columns[i].split != split || !metrics->has[i] || isnan(rows[row].value[i]))
                continue;
            scalars[used].value = rows[row].value[i];
            set_tag(&columns[i], true, scalars[used++].tag);
        }
        if (split == CS_METRIC_TRAIN)
            scalars[used++] = (cs_event_scalar){"epoch_learning_rate", rows[row].learning_rate};
        if (used > 0)
            CS_TRY(cs_event_scalars((cs_event_time){rows[row].time, rows[row].epoch}, scalars, used, out));
    }
    return CS_OK;
}

/* A file begins with its version, or with the epochs of the phase before. */
static cs_status begin_file(const cs_event_files *files, int trial, const char *run, double seconds, FILE *out) {
    const int before = trial >= 0 ? files->config->job->before[trial] : -1;
    char folder[CS_PATH_MAX];
    const long start = ftell(out);
    if (before >= 0 && run[0]) {
        CS_TRY(run_folder(files, before, run, folder));
        CS_TRY(each_file(folder, copy_file, out));
    }
    return ftell(out) > start ? CS_OK : cs_event_version(seconds, out);
}

static cs_status write_run(const cs_event_files *files, int trial, cs_metric_split split, const cs_epoch_row *rows,
                           size_t n, bool anew) {
    const char *run = split == CS_METRIC_TRAIN ? "train" : "validation";
    cs_text_buffer buffer;
    CS_TRY(cs_text_open(&buffer));
    cs_status status = anew ? begin_file(files, trial, run, rows[0].time, buffer.stream) : CS_OK;
    if (status == CS_OK)
        status = print_epochs(files, split, rows, n, buffer.stream);
    return status == CS_OK ? append(files, trial, run, FILE_OF_START, &buffer) : cs_text_drop(&buffer, status);
}

/* The values of a trial's swept options; `texts` [n_swept] is memory for them. */
static void get_values(const cs_event_files *files, int trial, char (*texts)[CS_VALUE_MAX * 2], cs_hparam *out) {
    const cs_job *job = files->config->job;
    for (int i = 0; i < job->n_swept; i++) {
        const cs_option *option = job->swept[i].option;
        const char *text = texts[i];
        if (cs_job_has_value(job, trial, i))
            text = cs_job_value(job, trial, i);
        else
            cs_option_get(option, &job->trials[trial], texts[i], sizeof *texts);
        const bool fits = cs_hparam_type_of(&text, 1) == files->types[i];
        out[i] = (cs_hparam){cs_option_short_name(option), text, fits ? files->types[i] : CS_HPARAM_TEXT};
    }
}

static cs_status print_values(const cs_event_files *files, int trial, double seconds, FILE *out) {
    const int n = files->config->job->n_swept;
    char(*texts)[CS_VALUE_MAX * 2] = NULL, name[32];
    cs_hparam *values = NULL;
    cs_status status;
    CS_TRY_GOTO(cs_alloc((size_t)n, sizeof *texts, "values of options", &texts), done);
    CS_TRY_GOTO(cs_alloc((size_t)n, sizeof *values, "values of options", &values), done);
    get_values(files, trial, texts, values);
    cs_job_trial_name(files->config->job, trial, name, sizeof name);
    status = cs_event_session_start((cs_event_time){seconds, 0}, name, values, n, out);
done:
    free(texts);
    free(values);
    return status;
}

/* Writes the values of a trial, unless another phase follows it: the plug-in would show that as a trial without
 * results. */
static cs_status start_session(const cs_event_files *files, int trial, double seconds) {
    cs_text_buffer buffer;
    if (cs_job_is_before(files->config->job, trial))
        return CS_OK;
    CS_TRY(cs_text_open(&buffer));
    cs_status status = cs_event_version(seconds, buffer.stream);
    if (status == CS_OK)
        status = print_values(files, trial, seconds, buffer.stream);
    return status == CS_OK ? append(files, trial, "", FILE_OF_START, &buffer) : cs_text_drop(&buffer, status);
}

static bool has_val(const cs_event_files *files, int trial) {
    return cs_dataset_count(files->config->dataset, CS_SPLIT_VAL) > 0 ||
           files->config->job->trials[trial].data.fold.count > 0;
}

cs_status cs_event_files_epochs(const cs_event_files *files, int trial, const cs_epoch_row *rows, size_t n, bool anew) {
    char folder[CS_PATH_MAX];
    if (!files->config)
        return CS_OK;
    CS_TRY(run_folder(files, trial, "", folder));
    if (anew)
        CS_TRY(cs_remove_all(folder));
    if (n == 0)
        return CS_OK;
    if (anew)
        CS_TRY(start_session(files, trial, rows[0].time - rows[0].seconds));
    CS_TRY(write_run(files, trial, CS_METRIC_TRAIN, rows, n, anew));
    return has_val(files, trial) ? write_run(files, trial, CS_METRIC_VAL, rows, n, anew) : CS_OK;
}

static cs_status print_results(const cs_event_files *files, cs_event_time time, const cs_trial_result *result,
                               FILE *out) {
    cs_event_scalar scalars[CS_RESULT_VALUES];
    int n, n_epoch, used = 0;
    const cs_metric_column *columns = cs_metric_columns(&n, &n_epoch);
    for (int i = n_epoch; i < n; i++) {
        if (!files->config->job->metrics.has[i] || isnan(result->value[i]))
            continue;
        scalars[used].value = result->value[i];
        set_tag(&columns[i], false, scalars[used++].tag);
    }
    return used > 0 ? cs_event_scalars(time, scalars, used, out) : CS_OK;
}

static cs_status print_confusions(const cs_event_files *files, cs_event_time time,
                                  const cs_evaluation *const *evaluations, FILE *out) {
    char tag[CS_METRIC_NAME_MAX + 8];
    for (cs_split split = 0; evaluations && split < CS_SPLIT_COUNT; split++) {
        snprintf(tag, sizeof tag, "%s_confusion_matrix", cs_split_name(split));
        if (evaluations[split] && evaluations[split]->spec.needs & CS_NEEDS_CONFUSION)
            CS_TRY(cs_event_confusion(time, tag, evaluations[split], files->classes, out));
    }
    return CS_OK;
}

static cs_status print_end(const cs_event_files *files, int trial, const cs_outcome *outcome,
                           const cs_evaluation *const *evaluations, FILE *out) {
    const bool ok = outcome->state == CS_TRIAL_OK;
    const cs_event_time time = {outcome->time, ok ? outcome->result.best_epoch : 0};
    CS_TRY(cs_event_version(outcome->time, out));
    if (ok) {
        CS_TRY(print_results(files, time, &outcome->result, out));
        CS_TRY(print_confusions(files, time, evaluations, out));
    }
    return cs_job_is_before(files->config->job, trial) ? CS_OK : cs_event_session_end(time, ok, out);
}

cs_status cs_event_files_end(const cs_event_files *files, int trial, const cs_outcome *outcome,
                             const cs_evaluation *const *evaluations) {
    char folder[CS_PATH_MAX];
    cs_text_buffer buffer;
    if (!files->config)
        return CS_OK;
    CS_TRY(run_folder(files, trial, "", folder));
    if (!cs_is_folder(folder)) /* it failed before the end of its first epoch */
        CS_TRY(start_session(files, trial, outcome->time));
    CS_TRY(cs_text_open(&buffer));
    cs_status status = print_end(files, trial, outcome, evaluations, buffer.stream);
    return status == CS_OK ? append(files, trial, "", FILE_OF_END, &buffer) : cs_text_drop(&buffer, status);
}

/* A trial that has ended has its files, unless the option was off then. */
static cs_status restore_trial(const cs_event_files *files, int trial, const cs_record *record,
                               const cs_outcome *outcome) {
    char folder[CS_PATH_MAX];
    bool has_end = false;
    CS_TRY(run_folder(files, trial, "", folder));
    CS_TRY(each_file(folder, see_file, &has_end));
    const bool ended = outcome->state != CS_TRIAL_PENDING;
    if (ended && has_end)
        return CS_OK;
    CS_TRY(cs_event_files_epochs(files, trial, record->epochs, record->n_epochs, true));
    return ended ? cs_event_files_end(files, trial, outcome, NULL) : CS_OK;
}

/* Which metrics there are, the one by which the sweep compares trials first. */
static int list_metrics(const cs_event_files *files, cs_hparam_metric *out) {
    static const char *const runs[] = {
        [CS_METRIC_TRAIN] = "train", [CS_METRIC_VAL] = "validation", [CS_METRIC_TEST] = "", [CS_METRIC_FINAL] = ""};
    const cs_job *job = files->config->job;
    const cs_dataset *dataset = files->config->dataset;
    int n, n_epoch, used = 0;
    const cs_metric_column *columns = cs_metric_columns(&n, &n_epoch);
    for (int chosen = 1; chosen >= 0; chosen--) {
        for (int i = 0; i < n; i++) {
            const cs_metric_column *column = &columns[i];
            const bool is_val = column->split == CS_METRIC_VAL, is_test = column->split == CS_METRIC_TEST;
            if (!job->metrics.has[i] || (strcmp(column->name, job->metric) == 0) != (chosen == 1))
                continue;
            if (!cs_job_has_folds(job) && ((is_val && cs_dataset_count(dataset, CS_SPLIT_VAL) == 0) ||
                                           (is_test && cs_dataset_count(dataset, CS_SPLIT_TEST) == 0)))
                continue;
            out[used] = (cs_hparam_metric){column->name, column->metric->doc, runs[column->split], ""};
            set_tag(column, i < n_epoch, out[used++].tag);
        }
    }
    return used;
}

static cs_status write_experiment(const cs_event_files *files) {
    const cs_job *job = files->config->job;
    const double now = cs_wall_seconds();
    cs_hparam_metric metrics[CS_RESULT_VALUES];
    cs_hparam_info *options = NULL;
    cs_text_buffer buffer;
    CS_TRY(cs_alloc((size_t)job->n_swept, sizeof *options, "options", &options));
    for (int i = 0; i < job->n_swept; i++)
        options[i] = (cs_hparam_info){cs_option_short_name(job->swept[i].option), job->swept[i].option->doc,
                                      files->types[i], job->swept[i].n, job->swept[i].values};
    const cs_event_experiment experiment = {job->name, options, job->n_swept, metrics, list_metrics(files, metrics)};
    cs_status status = cs_text_open(&buffer);
    if (status == CS_OK) {
        status = cs_event_version(now, buffer.stream);
        if (status == CS_OK)
            status = cs_event_experiment_write((cs_event_time){now, 0}, &experiment, buffer.stream);
        status = status == CS_OK ? append(files, -1, "", FILE_OF_START, &buffer) : cs_text_drop(&buffer, status);
    }
    free(options);
    return status;
}

cs_status cs_event_files_start(const cs_event_files *files, const cs_outcome *outcomes) {
    char folder[CS_PATH_MAX];
    if (!files->config)
        return CS_OK;
    CS_TRY(run_folder(files, -1, "", folder));
    CS_TRY(each_file(folder, remove_file, NULL));
    CS_TRY(write_experiment(files));
    const cs_results_config *config = files->config;
    for (int t = config->job->n_trials - 1; t >= 0; t--) { /* phases before others come behind them */
        const cs_record *record = cs_journal_record(config->earlier, config->job, t);
        if (record)
            CS_TRY(restore_trial(files, t, record, &outcomes[t]));
    }
    return CS_OK;
}
