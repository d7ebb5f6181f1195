/* What a call takes of this process's time. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define WARM_UP_SECONDS 1.0

struct measure {
  double began, cpu_began, seconds;
  long calls;
  int is_warm;
};

static inline double now_seconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static inline double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static inline struct measure measure_begin(double seconds) {
  struct measure measure = {now_seconds(), cpu_seconds(), seconds, 0, 0};
  return measure;
}

/* Looks at the clock; after the warm-up the count begins anew. Whether it is over: then it has printed its line. */
static inline int measure_is_over(struct measure *measure) {
  double now = now_seconds(), took = now - measure->began;
  if (took < (measure->is_warm ? measure->seconds : WARM_UP_SECONDS)) return 0;
  if (!measure->is_warm) {
    struct measure next = {now, cpu_seconds(), measure->seconds, 0, 1};
    *measure = next;
    return 0;
  }
  double cpu_us = (cpu_seconds() - measure->cpu_began) * 1e6 / (double)measure->calls;
  printf("{\"calls\": %ld, \"seconds\": %f, \"cpu_us_per_call\": %f}\n", measure->calls, took, cpu_us);
  return 1;
}

/* Of a token: without the end of its line. */
static inline void read_line(const char *path, char *line, int size) {
  FILE *file = fopen(path, "r");
  if (file == NULL || fgets(line, size, file) == NULL) {
    perror(path);
    exit(1);
  }
  fclose(file);
  line[strcspn(line, "\r\n")] = 0;
}
