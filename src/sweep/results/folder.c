/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"
#include "cnnsweep/page.h"
#include "cnnsweep/report.h"

#include <stdbool.h>

cs_status cs_results_folder(const cs_job *job, const cs_sweep_options *options, char out[CS_PATH_MAX]) {
    if (options->out)
        return cs_path(out, CS_PATH_MAX, "%s", options->out);
    if (job->parts > 0)
        return cs_path(out, CS_PATH_MAX, "results/%s/part-%d-of-%d", job->name, job->part, job->parts);
    return cs_path(out, CS_PATH_MAX, "results/%s", job->name);
}

/* The entries of a results folder, without the folders of artifacts. `force` removes these and the artifacts only. */
static const struct entry {
    const char *name;
    bool is_made; /* a folder that is created at the start */
} entries[] = {
    {"journal.jsonl", false}, {"trials.csv", false},   {"table.md", false},    {"history", true},
    {"weights", false},       {"checkpoints", true},   {"states", true},       {"predictions", false},
    {"details", true},        {"misclassified", true}, {"report.html", false}, {"tensorboard", false},
    {"progress.json", false},
};
enum { N_ENTRIES = sizeof entries / sizeof *entries };

/* Entry i of the results folder: first those of `entries`, then the folders of artifacts and those of the figures that
 * `cnnsweep report` writes; NULL past the last. */
static const char *entry_name(size_t i, bool *is_made) {
    size_t n;
    const cs_artifact *artifacts = cs_artifacts(&n);
    *is_made = i < N_ENTRIES ? entries[i].is_made : i < N_ENTRIES + n;
    if (i < N_ENTRIES)
        return entries[i].name;
    return i < N_ENTRIES + n ? artifacts[i - N_ENTRIES].folder : cs_page_figure_folder((int)(i - N_ENTRIES - n));
}

cs_status cs_results_entry(const char *folder, const char *entry, char out[CS_PATH_MAX]) {
    return cs_path(out, CS_PATH_MAX, "%s/%s", folder, entry);
}

cs_status cs_results_file(const char *folder, const cs_job *job, const char *entry, int trial, const char *suffix,
                          char out[CS_PATH_MAX]) {
    char name[32];
    cs_job_trial_name(job, trial, name, sizeof name);
    return cs_path(out, CS_PATH_MAX, "%s/%s/%s.%s", folder, entry, name, suffix);
}

cs_status cs_results_split_file(const char *folder, const char *entry, int number, cs_split split, const char *suffix,
                                char out[CS_PATH_MAX]) {
    char name[32];
    const bool is_test = split == CS_SPLIT_TEST;
    cs_trial_name(number, name, sizeof name);
    return cs_path(out, CS_PATH_MAX, "%s/%s/%s%s%s.%s", folder, entry, name, is_test ? "" : ".",
                   is_test ? "" : cs_split_name(split), suffix);
}

cs_status cs_results_clear(const char *folder, bool force) {
    char path[CS_PATH_MAX];
    const char *entry;
    bool is_made;
    for (size_t i = 0; (entry = entry_name(i, &is_made)); i++) {
        CS_TRY(cs_results_entry(folder, entry, path));
        if (!cs_file_exists(path))
            continue;
        /* Without a journal, which is the first entry, the sweep cannot be resumed. */
        if (!force)
            return cs_hint(cs_fail(CS_ERR_ARG, "%s already holds the results of a sweep (%s)", folder, entry),
                           "%skeep them and use --out ANOTHER_FOLDER, or replace them with --force",
                           i == 0 ? "go on with them with --resume, " : "");
        CS_TRY(cs_remove_all(path));
    }
    return CS_OK;
}

cs_status cs_results_make_folders(const char *folder) {
    char path[CS_PATH_MAX];
    const char *entry;
    bool is_made;
    for (size_t i = 0; (entry = entry_name(i, &is_made)); i++) {
        CS_TRY(cs_results_entry(folder, entry, path));
        if (is_made)
            CS_TRY(cs_folder_create(path));
    }
    return CS_OK;
}
