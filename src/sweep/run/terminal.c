/* SPDX-License-Identifier: Apache-2.0 */
/* For TIOCGWINSZ, which POSIX has only since 2024. */
#define _GNU_SOURCE
#include "terminal.h"
#include "ranks_impl.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The size of a terminal that says 0 of its own, as one of a container may. */
enum { USUAL_ROWS = 24, USUAL_COLUMNS = 80 };

bool cs_terminal_size(int file, int *rows, int *columns) {
    struct winsize size = {0};
    if (!isatty(file))
        return false;
    const bool known = ioctl(file, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;
    *rows = known ? size.ws_row : USUAL_ROWS;
    *columns = known ? size.ws_col : USUAL_COLUMNS;
    return true;
}

static int columns_of(int file) {
    int rows, columns;
    return cs_terminal_size(file, &rows, &columns) ? columns : 0;
}

/* Does Open MPI's mpirun change what ranks write? It passes such options on to the ranks. */
static bool is_marked(void) {
    static const char *const options[] = {"OMPI_MCA_orte_tag_output", "OMPI_MCA_orte_timestamp_output",
                                          "OMPI_MCA_orte_output_filename", "OMPI_MCA_orte_xml_output"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (getenv(options[i]))
            return true;
    return false;
}

/* Does standard error go to that process, through a pipe of which it has the other end? A script between mpirun and
 * this program may have sent it elsewhere. */
static bool writes_to(int pid) {
    char path[320], own[64] = "", other[64] = "";
    const struct dirent *entry;
    bool found = false;
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *files = readlink("/proc/self/fd/2", own, sizeof own - 1) > 0 ? opendir(path) : NULL;
    while (files && !found && (entry = readdir(files))) {
        snprintf(path, sizeof path, "/proc/%d/fd/%s", pid, entry->d_name);
        const ssize_t length = readlink(path, other, sizeof other - 1);
        other[length > 0 ? length : 0] = '\0';
        found = strncmp(own, "pipe:", strlen("pipe:")) == 0 && strcmp(own, other) == 0;
    }
    if (files)
        closedir(files);
    return found;
}

int cs_terminal_columns(void) {
    char path[64];
    int columns = columns_of(STDERR_FILENO), launcher = cs_launcher_pid();
    if (columns > 0 || launcher == 0 || is_marked() || !writes_to(launcher))
        return columns;
    snprintf(path, sizeof path, "/proc/%d/fd/2", launcher);
    int file = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK);
    if (file < 0)
        return 0;
    columns = columns_of(file);
    close(file);
    return columns;
}
