/* Makes a goal with two tasks and completes one of them.
 *
 *   first_goal ADDRESS CA_FILE     with HITO_TOKEN in the environment */
#include <stdio.h>
#include <stdlib.h>

#include <hito/hito.h>

static int failed(hito_error *error) {
  fprintf(stderr, "%s: %s\n", hito_status_name(error->code), error->message);
  hito_error_free(error);
  return 1;
}

static int complete(hito_client *client, char *task_id) {
  Hito__V1__CompleteTaskRequest request = HITO__V1__COMPLETE_TASK_REQUEST__INIT;
  Hito__V1__CompleteTaskResponse *response;
  hito_error *error = NULL;
  request.task_id = task_id;
  if (hito_tasks_complete_task(client, &request, NULL, &response, &error) != HITO_OK) return failed(error);
  printf("%s: %.1f %%\n", response->goal->title, response->goal->progress_percentage);
  hito__v1__complete_task_response__free_unpacked(response, NULL);
  return 0;
}

static int run(hito_client *client) {
  Hito__V1__NewTask first = HITO__V1__NEW_TASK__INIT, second = HITO__V1__NEW_TASK__INIT;
  Hito__V1__NewTask *tasks[] = {&first, &second};
  first.title = "Primera API";
  second.title = "Pruebas";
  Hito__V1__CreateGoalRequest request = HITO__V1__CREATE_GOAL_REQUEST__INIT;
  request.title = "Aprender FastAPI";
  request.tasks = tasks;
  request.n_tasks = 2;
  Hito__V1__CreateGoalResponse *response;
  hito_error *error = NULL;
  if (hito_goals_create_goal(client, &request, NULL, &response, &error) != HITO_OK) return failed(error);
  int status = complete(client, response->tasks[0]->id);
  hito__v1__create_goal_response__free_unpacked(response, NULL);
  return status;
}

int main(int count, char **arguments) {
  if (count != 3) return 2;
  hito_error *error = NULL;
  hito_client *client = hito_client_new(
      &(hito_client_options){.addresses = arguments[1], .ca_file = arguments[2], .token = getenv("HITO_TOKEN")}, &error);
  if (client == NULL) return failed(error);
  int status = run(client);
  hito_client_free(client);
  return status;
}
