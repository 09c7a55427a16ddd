/* SPDX-License-Identifier: Apache-2.0 */
#include "launch.h"
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "ranks_impl.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The node's host name without its domain. */
static void find_node_name(char *out, size_t size) {
    if (gethostname(out, size) != 0)
        snprintf(out, size, "?");
    out[size - 1] = '\0';
    out[strcspn(out, ".")] = '\0';
}

static int number_of(const char *variable) {
    const char *text = getenv(variable);
    return text ? (int)strtol(text, NULL, 10) : 0;
}

/* The log adds the newline. */
static void log_lines(cs_log_level level, char *text) {
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        cs_log(level, "%s", line);
}

static cs_status print_to_log(const cs_placement *placements, int n) {
    char *texts[2] = {NULL, NULL};
    size_t sizes[2];
    FILE *out = open_memstream(&texts[0], &sizes[0]), *warnings = open_memstream(&texts[1], &sizes[1]);
    cs_status status = out && warnings ? cs_placements_print(placements, n, out, warnings)
                                       : cs_fail(CS_ERR_NO_MEMORY, "no memory for the placement of ranks");
    if (out)
        fclose(out);
    if (warnings)
        fclose(warnings);
    if (status == CS_OK) {
        log_lines(CS_LOG_INFO, texts[0]);
        log_lines(CS_LOG_WARN, texts[1]);
    }
    free(texts[0]);
    free(texts[1]);
    return status;
}

cs_status cs_launch_print(cs_ranks *ranks, int wanted, const cs_engine *engine) {
    int n = cs_ranks_size(ranks);
    bool first = cs_ranks_rank(ranks) == 0;
    cs_placement *placements = NULL;
    cs_placement own = {.threads = cs_ranks_threads(ranks, wanted),
                        .threads_asked = cs_asked_threads(wanted) > 0,
                        .busy_cores = cs_ranks_busy_cores(ranks),
                        .launcher_cores = cs_launcher_cores(),
                        .cores = cs_ranks_own_cores(ranks),
                        .node_cores = cs_ranks_node_cores(ranks),
                        .slurm_cpus = number_of("SLURM_CPUS_PER_TASK"),
                        .slurm_gpus = number_of("SLURM_GPUS_ON_NODE"),
                        .place = *cs_engine_device_info(engine)};
    find_node_name(own.node, sizeof own.node);
    CS_TRY(cs_ranks_agree(ranks, first ? cs_alloc((size_t)n, sizeof *placements, "ranks", &placements) : CS_OK));
    cs_status status = cs_ranks_gather(ranks, &own, sizeof own, placements);
    if (status == CS_OK)
        status = cs_ranks_agree(ranks, first ? print_to_log(placements, n) : CS_OK);
    free(placements);
    return status;
}

/* Waits for a file, because a network file system may show a new one late. */
static bool file_appears(const char *path) {
    const struct timespec pause = {.tv_nsec = 50000000L};
    const double patience = 10;
    double begun = cs_now();
    while (!cs_file_exists(path)) {
        if (cs_now() - begun > patience)
            return false;
        nanosleep(&pause, NULL);
    }
    return true;
}

static cs_status wait_for_file(const char *path, const char *folder) {
    char node[sizeof((cs_placement *)0)->node];
    if (file_appears(path))
        return CS_OK;
    find_node_name(node, sizeof node);
    return cs_hint(
        cs_fail(CS_ERR_IO, "%s: node %s does not see what rank 0 writes there", folder, node),
        "all nodes write results: the folder must lie on a file system that they share; --out names another");
}

/* Creates a file that the other nodes look for. Its name is new each time: a node may cache for a while that a name did
 * not exist. */
static cs_status write_probe_file(const char *folder, char path[CS_PATH_MAX]) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    CS_TRY(cs_folder_create(folder));
    CS_TRY(cs_path(path, CS_PATH_MAX, "%s/.seen.%ld.%lld%09ld", folder, (long)getpid(), (long long)now.tv_sec,
                   now.tv_nsec));
    return cs_file_write(path, "", 0);
}

cs_status cs_launch_check_folder(cs_ranks *ranks, const char *folder) {
    char path[CS_PATH_MAX] = "";
    bool first = cs_ranks_rank(ranks) == 0;
    if (cs_ranks_on_node(ranks) == cs_ranks_size(ranks))
        return CS_OK;
    CS_TRY(cs_ranks_agree(ranks, first ? write_probe_file(folder, path) : CS_OK));
    CS_TRY(cs_ranks_share(ranks, path, sizeof path));
    cs_status status = cs_ranks_agree(ranks, cs_ranks_rank_on_node(ranks) == 0 ? wait_for_file(path, folder) : CS_OK);
    if (first)
        unlink(path);
    return status;
}
