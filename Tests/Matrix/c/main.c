/* The C client in the matrix (Tests/Matrix/README.md): writes, and watches what all write, in one loop. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <hito/hito.h>

enum { FDS_MAX = 64, CURSOR_MAX = 256, KEY_MAX = 256 };

typedef enum phase { CREATING, STARTING, COMPLETING } phase;

static const char *const KINDS[] = {"goal.created", "task.started", "task.completed"};
static const char *const SUFFIXES[] = {"", "-start", "-complete"};

typedef struct program {
  hito_client *client;
  hito_resumed *watch;
  const char *name;
  double pause, next, end; /* seconds */
  hito_call *call;         /* the write that waits for its reply */
  phase phase;
  unsigned number;
  char key[KEY_MAX], task[64];
  bool has_written, has_input;
  char wanted[CURSOR_MAX]; /* the cursor that is to be seen */
  size_t wanted_size;
  char (*seen)[CURSOR_MAX];
  size_t seen_count, seen_capacity;
} program;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int fail(hito_error *error) {
  fprintf(stderr, "%s: %s\n", hito_status_name(error->code), error->message);
  hito_error_free(error);
  return 1;
}

static void begin_create(program *p, const hito_call_options *options) {
  Hito__V1__NewTask task = HITO__V1__NEW_TASK__INIT, *tasks[] = {&task};
  Hito__V1__CreateGoalRequest request = HITO__V1__CREATE_GOAL_REQUEST__INIT;
  task.title = request.title = p->key;
  request.tasks = tasks;
  request.n_tasks = 1;
  p->call = hito_goals_create_goal_begin(p->client, &request, options, NULL);
}

static void begin_write(program *p) {
  if (p->phase == CREATING) p->number++;
  snprintf(p->key, sizeof p->key, "%s-%u%s", p->name, p->number, SUFFIXES[p->phase]);
  hito_call_options options = {.idempotency_key = p->key};
  if (p->phase == CREATING) {
    begin_create(p, &options);
  } else if (p->phase == STARTING) {
    Hito__V1__StartTaskRequest request = HITO__V1__START_TASK_REQUEST__INIT;
    request.task_id = p->task;
    p->call = hito_tasks_start_task_begin(p->client, &request, &options, NULL);
  } else {
    Hito__V1__CompleteTaskRequest request = HITO__V1__COMPLETE_TASK_REQUEST__INIT;
    request.task_id = p->task;
    p->call = hito_tasks_complete_task_begin(p->client, &request, &options, NULL);
  }
  if (p->call == NULL) exit(2);
  double time = now();
  p->next = (p->next > time ? p->next : time) + p->pause;
}

/* Ids, cursors, keys and types have no characters that JSON escapes. */
static void wrote(const program *p, const char *entity, const Hito__V1__WriteReceipt *receipt) {
  printf("{\"wrote\": {\"entity\": \"%s\", \"kind\": \"%s\", \"key\": \"%s\", \"cursor\": \"%s\", \"replayed\": %s}}\n",
         entity, KINDS[p->phase], p->key, receipt->cursor, receipt->replayed ? "true" : "false");
}

static hito_step take_reply(program *p, hito_error **error) {
  hito_step step;
  if (p->phase == CREATING) {
    Hito__V1__CreateGoalResponse *reply;
    step = hito_goals_create_goal_take(p->call, &reply, error);
    if (step != HITO_STEP_MESSAGE) return step;
    wrote(p, reply->goal->id, reply->receipt);
    snprintf(p->task, sizeof p->task, "%s", reply->tasks[0]->id);
    hito__v1__create_goal_response__free_unpacked(reply, NULL);
  } else if (p->phase == STARTING) {
    Hito__V1__StartTaskResponse *reply;
    step = hito_tasks_start_task_take(p->call, &reply, error);
    if (step != HITO_STEP_MESSAGE) return step;
    wrote(p, p->task, reply->receipt);
    hito__v1__start_task_response__free_unpacked(reply, NULL);
  } else {
    Hito__V1__CompleteTaskResponse *reply;
    step = hito_tasks_complete_task_take(p->call, &reply, error);
    if (step != HITO_STEP_MESSAGE) return step;
    wrote(p, p->task, reply->receipt);
    hito__v1__complete_task_response__free_unpacked(reply, NULL);
  }
  return step;
}

static void write_next(program *p) {
  if (p->call != NULL) {
    hito_error *error = NULL;
    hito_step step = take_reply(p, &error);
    if (step == HITO_STEP_WAIT) return;
    if (step == HITO_STEP_MESSAGE) {
      p->phase = p->phase == COMPLETING ? CREATING : p->phase + 1;
    } else {
      printf("{\"failed\": \"%s\", \"key\": \"%s\"}\n", error ? hito_status_name(error->code) : "END", p->key);
      hito_error_free(error);
      p->phase = CREATING;
    }
    hito_call_free(p->call);
    p->call = NULL;
  }
  if (p->phase == CREATING && now() >= p->end) {
    p->has_written = true;
    puts("{\"written\": true}");
  } else if (now() >= p->next) {
    begin_write(p);
  }
}

static void keep(program *p, const char *cursor) {
  if (p->seen_count == p->seen_capacity) {
    p->seen_capacity = p->seen_capacity * 2 + 1024;
    p->seen = realloc(p->seen, p->seen_capacity * sizeof *p->seen);
    if (p->seen == NULL) exit(2);
  }
  snprintf(p->seen[p->seen_count++], CURSOR_MAX, "%s", cursor);
}

static int take_events(program *p) {
  for (;;) {
    Hito__V1__WatchResponse *response;
    hito_error *error = NULL;
    hito_step step = hito_watch_take(p->watch, &response, &error);
    if (step == HITO_STEP_WAIT) return 0;
    if (step != HITO_STEP_MESSAGE) return fail(error);
    if (response->step_case == HITO__V1__WATCH_RESPONSE__STEP_EVENT) {
      const Hito__V1__Event *event = response->event;
      printf("{\"saw\": {\"cursor\": \"%s\", \"event\": \"%s\", \"entity\": \"%s\", \"version\": %lld, ",
             response->cursor, event->id, event->entity_id, (long long)event->version);
      printf("\"type\": \"%s\"}}\n", event->type);
      keep(p, response->cursor);
    }
    hito__v1__watch_response__free_unpacked(response, NULL);
  }
}

/* Whether the cursor of the input was seen. */
static bool has_caught_up(const program *p) {
  if (!p->has_input) return false;
  for (size_t i = p->seen_count; i > 0; i--)
    if (strcmp(p->seen[i - 1], p->wanted) == 0) return true;
  return false;
}

static int read_input(program *p) {
  ssize_t count = read(STDIN_FILENO, p->wanted + p->wanted_size, sizeof p->wanted - 1 - p->wanted_size);
  if (count <= 0) return 1;
  p->wanted_size += (size_t)count;
  char *end = memchr(p->wanted, '\n', p->wanted_size);
  if (end == NULL) return 0;
  *end = 0;
  p->has_input = true;
  return 0;
}

static int milliseconds_to_wait(const program *p) {
  int timeout = hito_client_timeout(p->client);
  if (p->has_written || p->call != NULL) return timeout;
  double rest = (p->next - now()) * 1000 + 1;
  int own = rest > 0 ? (int)rest : 0;
  return timeout < 0 || own < timeout ? own : timeout;
}

static int run(program *p) {
  struct pollfd fds[FDS_MAX + 1];
  for (;;) {
    if (!p->has_written) write_next(p);
    if (take_events(p) != 0) return 1;
    if (has_caught_up(p)) return 0;
    fflush(stdout);
    size_t count = hito_client_fds(p->client, fds + 1, FDS_MAX);
    if (count > FDS_MAX) count = FDS_MAX;
    fds[0] = (struct pollfd){.fd = p->has_input ? -1 : STDIN_FILENO, .events = POLLIN};
    if (poll(fds, (nfds_t)count + 1, milliseconds_to_wait(p)) < 0) return 1;
    if (fds[0].revents != 0 && read_input(p) != 0) return 1;
    hito_client_poll(p->client, 0);
  }
}

static bool read_token(const char *path, char *token, int size) {
  FILE *file = fopen(path, "r");
  if (file == NULL) return false;
  bool is_there = fgets(token, size, file) != NULL;
  fclose(file);
  token[strcspn(token, "\r\n")] = 0;
  return is_there;
}

int main(int count, char **arguments) {
  char token[4096] = "";
  if (count != 8 || !read_token(arguments[3], token, sizeof token)) return 2;
  hito_error *error = NULL;
  bool is_in_turn = strcmp(arguments[6], "round_robin") == 0;
  program p = {.name = arguments[5], .pause = 1 / atof(arguments[7]), .next = now(), .end = now() + atof(arguments[4])};
  p.client = hito_client_new(
      &(hito_client_options){.addresses = arguments[1], .ca_file = arguments[2], .token = token,
                             .balancing = is_in_turn ? HITO_ROUND_ROBIN : HITO_PICK_FIRST},
      &error);
  if (p.client == NULL) return fail(error);
  Hito__V1__WatchRequest request = HITO__V1__WATCH_REQUEST__INIT;
  request.start_case = HITO__V1__WATCH_REQUEST__START_FROM_BEGINNING;
  request.from_beginning = 1;
  p.watch = hito_watch_begin(p.client, &request, NULL, &error);
  if (p.watch == NULL) return fail(error);
  int status = run(&p);
  if (status == 0) printf("{\"done\": true, \"interruptions\": %u}\n", hito_resumed_interruptions(p.watch));
  hito_resumed_free(p.watch);
  hito_client_free(p.client);
  free(p.seen);
  return status;
}
