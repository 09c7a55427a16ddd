/* SPDX-License-Identifier: Apache-2.0 */
/* cnnsweep status: shows how far the sweeps of results folders are, once or until they have ended. */
#define _GNU_SOURCE /* versionsort */
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "results/status.h"
#include "terminal.h"

#include <dirent.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct watch {
    cs_sweep_state *states;
    int n;
    size_t capacity;
    int drawn; /* lines on the terminal that the next table replaces */
} watch;

static cs_status add_folder(watch *w, const char *folder) {
    CS_TRY(cs_grow(&w->states, &w->capacity, (size_t)w->n + 1, sizeof *w->states, "folders"));
    w->states[w->n] = (cs_sweep_state){0};
    return cs_path(w->states[w->n++].folder, sizeof w->states->folder, "%s", folder);
}

static int is_part(const struct dirent *entry) {
    return strncmp(entry->d_name, "part-", strlen("part-")) == 0;
}

/* A folder without a journal of its own stands for the parts in it, if it has any. */
static cs_status add_folders(watch *w, const char *folder) {
    struct dirent **entries = NULL;
    char path[CS_PATH_MAX];
    const int before = w->n;
    cs_status status = cs_path(path, sizeof path, "%s/journal.jsonl", folder);
    const int n = status == CS_OK && !cs_file_exists(path) ? scandir(folder, &entries, is_part, versionsort) : 0;
    for (int i = 0; i < n; i++) {
        if (status == CS_OK)
            status = cs_path(path, sizeof path, "%s/%s/journal.jsonl", folder, entries[i]->d_name);
        if (status == CS_OK && cs_file_exists(path)) {
            path[strlen(path) - strlen("/journal.jsonl")] = '\0';
            status = add_folder(w, path);
        }
        free(entries[i]);
    }
    free(entries);
    return status == CS_OK && w->n == before ? add_folder(w, folder) : status;
}

static cs_status read_all(watch *w, bool *running) {
    *running = false;
    for (int i = 0; i < w->n; i++) {
        CS_TRY(cs_sweep_state_read(&w->states[i]));
        *running = *running || w->states[i].running;
    }
    return CS_OK;
}

static void print_all(const watch *w, FILE *out) {
    for (int i = 0; i < w->n; i++) {
        if (i > 0)
            fputc('\n', out);
        cs_sweep_state_print(&w->states[i], out);
    }
    if (w->n > 1) {
        fputc('\n', out);
        cs_sweep_states_print_sum(w->states, w->n, out);
    }
}

/* How many bytes of a line fit into so many characters of UTF-8. */
static size_t fit(const char *line, size_t length, int columns) {
    size_t used = 0;
    for (int width = 0; used < length; used++)
        if (((unsigned char)line[used] & 0xC0) != 0x80 && ++width > columns)
            break;
    return used;
}

/* Draws the text over the one that was drawn before. Lines are cut to the width of the terminal, and the text to its
 * height, because lines that have moved out of it could not be drawn over. */
static void draw(watch *w, const char *text, int rows, int columns, FILE *out) {
    const int before = w->drawn;
    w->drawn = 0;
    if (before > 0)
        fprintf(out, "\033[%dA", before);
    while (*text && w->drawn < rows - 1) {
        const size_t length = strcspn(text, "\n");
        const bool last = w->drawn == rows - 2 && strlen(text) > length + 1;
        if (last)
            fputs("...", out);
        else
            fwrite(text, 1, fit(text, length, columns), out);
        fputs("\033[K\n", out);
        text += length + (text[length] == '\n');
        w->drawn++;
    }
    fputs("\033[J", out);
}

/* Prints what is known now: on a terminal in place of what was printed before, else below it. */
static cs_status show(watch *w, bool in_place, bool first, FILE *out) {
    char *text = NULL;
    size_t size = 0;
    int rows = 0, columns = 0;
    if (in_place)
        in_place = cs_terminal_size(fileno(out), &rows, &columns);
    FILE *memory = open_memstream(&text, &size);
    if (!memory)
        return cs_fail(CS_ERR_NO_MEMORY, "no memory for the status");
    print_all(w, memory);
    if (fclose(memory) != 0) {
        free(text);
        return cs_fail(CS_ERR_NO_MEMORY, "no memory for the status");
    }
    if (in_place)
        draw(w, text, rows, columns, out);
    else
        fprintf(out, "%s%s", first ? "" : "\n", text);
    free(text);
    return fflush(out) == 0 ? CS_OK : cs_fail_errno("cannot write the status");
}

/* In short parts, as a signal may come just before one of them begins. */
static void sleep_unless(const volatile sig_atomic_t *stop, double seconds) {
    enum { PART_MS = 50 };
    for (const double end = cs_now() + seconds; cs_now() < end && !*stop;)
        (void)poll(NULL, 0, PART_MS);
}

/* Shows the sweeps until none is running or `stop` is set. */
static cs_status show_all(watch *w, double seconds, const volatile sig_atomic_t *stop, FILE *out) {
    bool running = true;
    for (bool first = true; running && !*stop; first = false) {
        CS_TRY(read_all(w, &running));
        CS_TRY(show(w, seconds > 0, first, out));
        if (seconds <= 0)
            return CS_OK;
        if (running)
            sleep_unless(stop, seconds);
    }
    return CS_OK;
}

cs_status cs_sweep_status(const char *const *folders, int n, double seconds, const volatile sig_atomic_t *stop,
                          FILE *out) {
    watch w = {0};
    cs_status status = CS_OK;
    for (int i = 0; i < n && status == CS_OK; i++)
        status = add_folders(&w, folders[i]);
    if (status == CS_OK)
        status = show_all(&w, seconds, stop, out);
    for (int i = 0; i < w.n; i++)
        cs_sweep_state_close(&w.states[i]);
    free(w.states);
    return status;
}
