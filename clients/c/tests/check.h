/* A test program: checks that say where they fail, and a line at the end. */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern int check_count, check_failed;

void check(bool is_good, const char *file, int line, const char *text);

#define CHECK(condition) check((condition), __FILE__, __LINE__, #condition)

/* Says how many checks there were; the exit status. */
int check_end(const char *name);

/* A whole file; the caller frees it. Ends the program where it cannot be read. */
char *read_file(const char *path);

/* The golden vectors' folder. */
const char *vectors(void);
